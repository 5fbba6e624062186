// Prices that change while a person looks at an event or books.
import {
  admin, bearer, configurations, eventMade, expect, expectSound, newcomer, signIn, test, word,
} from "./support.mjs";

const won = { ko: (amount) => `${amount}원`, en: (amount) => `₩${amount}` };

/**
 * As an administrator, gives the event's only ticket type another price, and applies the other fields of
 * `change`.
 */
async function setPrice(request, event, price, change = {}) {
  const [{ id, name, capacity }] = event.ticket_types;
  const answer = await request.patch(`/api/v1/admin/events/${event.id}`, {
    headers: await bearer(request, admin), data: { ticket_types: [{ id, name, price, capacity }], ...change },
  });
  expect(answer.status(), await answer.text()).toBe(200);
}

/**
 * Signs up and signs in a new person, and opens the page of `event`. Returns the headers that authorize the
 * person's requests.
 */
async function visit(page, request, event) {
  const person = newcomer();
  expect((await request.post("/api/v1/auth/signup", { data: person })).ok()).toBe(true);
  await signIn(page, person, `/events/${event.id}`);
  return bearer(request, person);
}

/** Passes the page's booking requests on to `handle`. Returns the list to which it adds them. */
async function watchBookings(page, handle) {
  const sent = [];
  await page.route("**/api/v1/reservations", async (route) => {
    const { unit_price } = route.request().postDataJSON();
    const booking = { key: route.request().headers()["idempotency-key"], unit_price };
    sent.push(booking);
    await handle(route, booking);
  });
  return sent;
}

async function reservations(request, headers) {
  return (await request.get("/api/v1/reservations", { headers })).json();
}

test("an open page shows a new price at once and keeps the chosen tickets", async ({ page, request }) => {
  const event = await eventMade(request);
  const stream = page.waitForResponse((answer) => answer.url().endsWith("/availability/stream"));
  await page.goto(`/events/${event.id}`);
  await stream;
  await expect(page.locator(".ticket-type__price")).toHaveText("50,000원");
  await page.getByRole("button", { name: word("ko", "quantity.more") }).click();
  await page.locator(".booking").evaluate((form) => (form.isTheSame = true));
  // The polls every 20 s do not name a revision.
  const fetched = page.waitForRequest((sent) => sent.url().includes(`/events/${event.id}?revision=`));
  await setPrice(request, event, 60_000);
  await fetched;
  await expect(page.locator(".ticket-type__price")).toHaveText("60,000원");
  await expect(page.locator(".booking__total output")).toHaveText("120,000원");
  await expect(page.locator("#quantity")).toHaveValue("2");
  expect(await page.locator(".booking").evaluate((form) => form.isTheSame)).toBe(true);
});

for (const { language, locale, width, height } of configurations) {
  test.describe(`${language} at ${width} px`, () => {
    test.use({ locale, viewport: { width, height }, chosen: language, failures: "expected" });

    test("a changed price needs a second press", async ({ page, request }) => {
      const event = await eventMade(request);
      await page.route(/\/availability(\/stream)?$/, (route) => route.abort());
      const headers = await visit(page, request, event);
      const [price, status] = [page.locator(".ticket-type__price"), page.getByTestId("booking-status")];
      const [before, after] = [won[language]("50,000"), won[language]("60,000")];
      await expect(price).toHaveText(before);
      // From here on the page learns of no edit until its booking is answered.
      let deaf = true;
      const fetches = new RegExp(`/api/v1/events/${event.id}(\\?|$)`);
      await page.route(fetches, (route) => (deaf ? route.abort() : route.continue()));
      const sent = await watchBookings(page, async (route, booking) => {
        const answer = await route.fetch();
        booking.status = answer.status();
        booking.code = (await answer.json()).code;
        deaf = false;
        await route.fulfill({ response: answer });
      });
      await setPrice(request, event, 60_000, { description: "값이 오른 공연" });
      // The person presses again at the moment of the answer, without having read it.
      await page.evaluate(() => {
        const button = document.querySelector("[data-testid=book]");
        const status = document.querySelector("[data-testid=booking-status]");
        new MutationObserver(() => button.click()).observe(status, { childList: true, subtree: true });
      });
      await expect(price).toHaveText(before);
      await page.getByTestId("book").click();

      const expectPriceNotice = async () => {
        await expect(status).toHaveText(word(language, "booking.price_changed"));
        await expect(status).toHaveText(new RegExp(`${before}.*${after}`));
      };
      await expectPriceNotice();
      await expect(price).toHaveText(after);
      // The edit changed more than the price, so the page is rendered again. It still shows the notice.
      await expect(page.locator(".event__about")).toContainText("값이 오른 공연");
      await expectPriceNotice();
      await expectSound(page);
      await expect(page.getByTestId("book")).toBeEnabled();
      const key = expect.any(String);
      expect(sent).toEqual([{ key, unit_price: 50_000, status: 409, code: "price_changed" }]);
      expect((await reservations(request, headers)).total_items).toBe(0);
      const seats = await (await request.get(`/api/v1/events/${event.id}/availability`)).json();
      expect(seats.ticket_types[0].left).toBe(100);

      await page.getByTestId("book").click();
      await expect(page).toHaveURL(/\/reservations\/[0-9a-f-]{36}/);
      await expect(page.locator(".ticket__total")).toHaveText(after);
      // A slow store answers 202, and the client asks a busy server again. It is one booking in all cases.
      for (const { key: again, unit_price, status: answered } of sent.slice(1)) {
        expect([again, unit_price]).toEqual([sent[0].key, 60_000]);
        expect([201, 202, 503]).toContain(answered);
      }
      const { total_items, items } = await reservations(request, headers);
      expect([total_items, items[0].unit_price]).toEqual([1, 60_000]);
    });
  });
}

test.describe("the notice of a changed price", () => {
  test.use({ failures: "expected" });

  test("shows the price that the next press pays", async ({ page, request }) => {
    const event = await eventMade(request);
    const headers = await visit(page, request, event);
    // The first press alone gets the answer of a node whose ledger has another price than the store.
    const sent = await watchBookings(page, (route) => {
      if (sent.length > 1) return route.continue();
      return route.fulfill({
        status: 409,
        contentType: "application/problem+json",
        body: JSON.stringify({
          type: "/problems/price_changed", title: "The price has changed", status: 409, code: "price_changed",
          detail: "The price of one ticket is 60000 now.", trace_id: "0", unit_price: 60_000,
        }),
      });
    });
    const [price, status] = [page.locator(".ticket-type__price"), page.getByTestId("booking-status")];
    await page.getByTestId("book").click();
    // The page and the notice show the price of the store again.
    await expect(price).toHaveText("50,000원");
    await expect(status).toHaveText(/60,000원.*50,000원/);
    // An administrator edits the event while the person reads the notice.
    await setPrice(request, event, 70_000);
    await expect(price).toHaveText("70,000원");
    await expect(status).toHaveText(/50,000원.*70,000원/);
    await expect(page.getByTestId("book")).toBeEnabled();
    await page.getByTestId("book").click();
    await expect(page).toHaveURL(/\/reservations\/[0-9a-f-]{36}/);
    expect(sent[0].unit_price).toBe(50_000);
    expect(sent[1]).toEqual({ key: sent[0].key, unit_price: 70_000 });
    expect((await reservations(request, headers)).items[0].unit_price).toBe(70_000);
  });
});

test.describe("during an upgrade", () => {
  test.use({ failures: "expected" });

  test("the client leaves the price out after three answers that do not know it", async ({ page, request }) => {
    const event = await eventMade(request);
    const headers = await visit(page, request, event);
    const sent = await watchBookings(page, (route, { unit_price }) => {
      if (unit_price === undefined) return route.continue();
      // The answer of an older node, which does not know the field.
      return route.fulfill({
        status: 422,
        contentType: "application/problem+json",
        body: JSON.stringify({
          type: "/problems/validation_failed", title: "Some fields are invalid", status: 422,
          code: "validation_failed", detail: "See `errors` for what to change.", trace_id: "0",
          errors: [{ field: "unit_price", code: "unknown_field", message: "is not a field of this request" }],
        }),
      });
    });
    await page.getByTestId("book").click();
    await expect(page).toHaveURL(/\/reservations\/[0-9a-f-]{36}/);
    const { key } = sent[0];
    const named = { key, unit_price: 50_000 };
    expect(sent).toEqual([named, named, named, { key }]);
    expect((await reservations(request, headers)).total_items).toBe(1);
  });
});
