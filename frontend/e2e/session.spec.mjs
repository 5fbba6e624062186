// Who is signed in, across tabs and bad networks.
import { eventOnSale, expect, expectSound, newcomer, settled, signOut, test, word } from "./support.mjs";

const t = (key) => word("ko", key);

async function signUp(request) {
  const person = newcomer();
  expect((await request.post("/api/v1/auth/signup", { data: person })).ok()).toBe(true);
  return person;
}

async function signIn(page, person) {
  await page.goto("/login");
  await page.locator("input[type=email]").fill(person.email);
  await page.locator("input[type=password]").fill(person.password);
  await page.locator("main form button[type=submit]").click();
  await expect(page.locator(".header__name")).toHaveText(person.nickname);
}

test("all tabs show who is signed in", async ({ page, context, request }) => {
  const [anna, ben] = [await signUp(request), await signUp(request)];
  await page.goto("/");
  await settled(page);
  const other = await context.newPage();
  await signIn(other, anna);
  await expect(page.locator(".header__name")).toHaveText(anna.nickname);
  await signOut(other);
  await expect(page.locator("header a.header__account")).toHaveText(t("header.login"));
  await signIn(other, ben);
  await expect(page.locator(".header__name")).toHaveText(ben.nickname);
});

test("a booking is never made for another user", async ({ page, context, request }) => {
  const [anna, ben] = [await signUp(request), await signUp(request)];
  const { event, ticketType } = await eventOnSale(request);
  // The access token expires immediately.
  const brief = async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), expires_in: 0 } });
  };
  await page.route("**/api/v1/auth/{login,refresh}", brief);
  await signIn(page, anna);
  await page.goto(`/events/${event.id}`);
  await expect(page.locator(".header__name")).toHaveText(anna.nickname);
  await page.getByRole("radio", { name: ticketType.name }).check({ force: true });

  // Another person signs in without the client noticing. Only the cookie has changed.
  const login = await context.request.post("/api/v1/auth/login", {
    data: { email: ben.email, password: ben.password },
  });
  const { access_token } = await login.json();
  await page.getByTestId("book").click();
  await expect(page.getByTestId("booking-status")).toHaveText(t("problem.other_user"));
  await expect(page.locator(".header__name")).toHaveText(ben.nickname);
  await expectSound(page);
  const bookings = await request.get("/api/v1/reservations", {
    headers: { authorization: `Bearer ${access_token}` },
  });
  expect((await bookings.json()).total_items).toBe(0);
});

test.describe("without a network", () => {
  // The browser itself logs that the request failed.
  test.use({ failures: "expected" });

  test("signing out reports that it failed", async ({ page, context, request }) => {
    const person = await signUp(request);
    await signIn(page, person);
    await page.goto("/me");
    await settled(page);
    await context.setOffline(true);
    await page.getByRole("button", { name: t("me.logout") }).click();
    await expect(page.getByText(t("me.logout_failed"))).toBeVisible();
    await expect(page.locator(".header__name")).toHaveText(person.nickname);
    await context.setOffline(false);
    await page.getByRole("button", { name: t("me.logout") }).click();
    await expect(page).toHaveURL(/\/$/);
    await expect(page.locator("header a.header__account")).toHaveText(t("header.login"));
  });
});

test("going back after a sign-in for a booking shows each page once", async ({ page, request }) => {
  const person = newcomer();
  const { event, ticketType } = await eventOnSale(request);
  await page.goto("/");
  await page.goto(`/events/${event.id}`);
  await page.getByRole("radio", { name: ticketType.name }).check({ force: true });
  await page.getByTestId("book").click();
  await page.locator("main").getByRole("link", { name: t("signup.title") }).click();
  await page.getByLabel(t("field.email_label")).fill(person.email);
  await page.getByLabel(t("field.password_label")).fill(person.password);
  await page.getByLabel(t("field.nickname_label")).fill(person.nickname);
  await page.getByRole("button", { name: t("signup.action") }).click();
  await expect(page).toHaveURL(new RegExp(`/events/${event.id}$`));
  await page.getByTestId("book").click();
  await expect(page).toHaveURL(/\/reservations\//);
  await page.goBack();
  await expect(page).toHaveURL(new RegExp(`/events/${event.id}$`));
  await settled(page);
  await page.goBack();
  await expect(page).toHaveURL(/\/$/);
});

test("a page past the end leads to the last page", async ({ page }) => {
  await page.goto("/?page=99");
  await expect(page.getByTestId("event-card").first()).toBeVisible();
  await expect(page).not.toHaveURL(/page=99/);
});
