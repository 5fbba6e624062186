// Prices that change while somebody looks at an event or books.
import { admin, bearer, eventMade, expect, test, word } from "./support.mjs";

/** An administrator gives the event's only ticket type another price, and changes what else `change` says. */
async function setPrice(request, event, price, change = {}) {
  const [{ id, name, capacity }] = event.ticket_types;
  const answer = await request.patch(`/api/v1/admin/events/${event.id}`, {
    headers: await bearer(request, admin), data: { ticket_types: [{ id, name, price, capacity }], ...change },
  });
  expect(answer.status(), await answer.text()).toBe(200);
}

test("an open page shows a new price at once, and keeps what was chosen", async ({ page, request }) => {
  const event = await eventMade(request);
  const stream = page.waitForResponse((answer) => answer.url().endsWith("/availability/stream"));
  await page.goto(`/events/${event.id}`);
  await stream;
  await expect(page.locator(".grade__price")).toHaveText("50,000원");
  await page.getByRole("button", { name: word("ko", "quantity.more") }).click();
  await page.locator(".booking").evaluate((form) => (form.isTheSame = true));
  // The looks of every 20 s name no revision.
  const fetched = page.waitForRequest((sent) => sent.url().includes(`/events/${event.id}?revision=`));
  await setPrice(request, event, 60_000);
  await fetched;
  await expect(page.locator(".grade__price")).toHaveText("60,000원");
  await expect(page.locator(".booking__total output")).toHaveText("120,000원");
  await expect(page.locator("#quantity")).toHaveValue("2");
  expect(await page.locator(".booking").evaluate((form) => form.isTheSame)).toBe(true);
});
