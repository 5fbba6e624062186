// The main walk: search, event, sign up, book, reservation, my page, cancel.
import {
  bearer, configurations, eventMade, eventOnSale, expect, expectSound, newcomer, settled, signIn, test, word,
} from "./support.mjs";

for (const { language, locale, width, height } of configurations) {
  const t = (key) => word(language, key);

  test.describe(`${language} at ${width} px`, () => {
    test.use({ locale, viewport: { width, height }, chosen: language });

    test("a newcomer finds an event, signs up, books, and cancels", async ({ page, request }) => {
      const { event, ticketType } = await eventOnSale(request);
      const person = newcomer();

      await page.goto("/");
      await expect(page.locator("html")).toHaveAttribute("lang", language);
      await settled(page);
      await expectSound(page);
      const search = page.getByRole("searchbox");
      await search.fill(event.title);
      await search.press("Enter");
      await expect(page).toHaveURL(/[?&]q=/);
      await page.getByTestId("event-card").getByRole("link", { name: event.title }).first().click();

      await expect(page.getByRole("heading", { level: 1, name: event.title })).toBeVisible();
      await settled(page);
      await expectSound(page);
      await page.getByRole("radio", { name: ticketType.name }).check({ force: true });
      await page.getByRole("button", { name: t("quantity.more") }).click();
      await page.getByTestId("book").click();

      await expect(page).toHaveURL(/\/login/);
      await settled(page);
      await expectSound(page);
      await page.locator("main").getByRole("link", { name: t("signup.title") }).click();
      await expect(page).toHaveURL(/\/signup/);
      await page.getByLabel(t("field.email_label")).fill(person.email);
      await page.getByLabel(t("field.password_label")).fill("short");
      await page.getByLabel(t("field.nickname_label")).fill(person.nickname);
      await expect(page.getByText(t("field.password_short"))).toBeVisible();
      await expectSound(page);
      await page.getByLabel(t("field.password_label")).fill(person.password);
      await page.getByRole("button", { name: t("signup.action") }).click();

      // The page of the event again, with the choice kept.
      await expect(page).toHaveURL(new RegExp(`/events/${event.id}`));
      await expect(page.getByRole("radio", { name: ticketType.name })).toBeChecked();
      await expect(page.locator("#quantity")).toHaveValue("2");
      await page.getByTestId("book").click();

      await expect(page).toHaveURL(/\/reservations\/[0-9a-f-]{36}/);
      await expect(page.getByRole("heading", { level: 1, name: t("ticket.confirmed_title") })).toBeVisible();
      await expect(page.getByRole("img", { name: t("ticket.code") })).toBeVisible();
      await expectSound(page);
      const number = await page.getByTestId("reservation-id").textContent();
      const download = page.waitForEvent("download");
      await page.locator("main").getByText(t("ticket.calendar")).click();
      expect((await download).suggestedFilename()).toMatch(/\.ics$/);

      await page.goto("/me");
      const row = page.getByTestId("booking-row").first();
      await expect(row).toContainText(event.title);
      await expectSound(page);
      await row.getByRole("button").click();
      const dialog = page.getByRole("dialog");
      await expect(dialog).toContainText(event.title);
      await expectSound(page);
      await dialog.getByRole("button", { name: t("cancel.confirm") }).click();
      await expect(row.getByText(t("reservation.cancelled"))).toBeVisible();
      await page.goto(`/reservations/${number}`);
      await expect(page.getByRole("heading", { level: 1, name: t("ticket.cancelled_title") })).toBeVisible();
    });

    test("a sale opens on the page without a reload", async ({ page, request }) => {
      const login = await request.post("/api/v1/auth/login", {
        data: { email: "admin@neticket.example", password: "Admin-pass1!" },
      });
      const { access_token } = await login.json();
      const { server_time } = await (await request.get(`/api/v1/events/${(await eventOnSale(request)).event.id}`)).json();
      const after = (ms) => new Date(Date.parse(server_time) + ms).toISOString();
      const created = await request.post("/api/v1/admin/events", {
        headers: { authorization: `Bearer ${access_token}` },
        data: {
          title: `곧 열리는 공연 ${width}`, place: "예술의전당", description: "",
          opens_at: after(6_000), starts_at: after(86_400_000),
          ticket_types: [{ name: "R", price: 50_000, capacity: 100 }],
        },
      });
      const { id } = await created.json();
      await page.goto(`/events/${id}`);
      await expect(page.getByTestId("countdown").first()).toBeVisible();
      await expect(page.getByTestId("book")).toBeDisabled();
      await expect(page.getByTestId("book")).toBeEnabled();
      await expect(page.locator("main").getByText(t("status.on_sale")).first()).toBeVisible();
    });

    test("the whole flow works by keyboard", async ({ page, request }) => {
      const { event } = await eventOnSale(request);
      await page.goto(`/events/${event.id}`);
      await settled(page);
      await page.keyboard.press("Tab");
      await expect(page.getByRole("link", { name: t("header.skip") })).toBeFocused();
      await page.getByTestId("book").focus();
      await page.keyboard.press("Enter");
      const ticketType = page.getByRole("radio").first();
      await expect(page.locator("#ticket-type-missing").or(page.getByLabel(t("field.email_label")))).toBeVisible();
      if (await ticketType.isVisible()) {
        await ticketType.focus();
        await page.keyboard.press("Space");
        await expect(ticketType).toBeChecked();
      }
    });
  });
}

test.describe("an open event page updates the seats left", () => {
  // The second test blocks the stream that the first one checks.
  test.use({ failures: "expected" });

  async function bookElsewhere(request, event) {
    const person = newcomer();
    expect((await request.post("/api/v1/auth/signup", { data: person })).ok()).toBe(true);
    const data = { ticket_type_id: event.ticket_types[0].id, quantity: 2 };
    const booked = await request.post("/api/v1/reservations", { headers: await bearer(request, person), data });
    expect([201, 202]).toContain(booked.status());
  }

  test("from a stream, without polling", async ({ page, request }) => {
    const event = await eventMade(request);
    const asked = [];
    page.on("request", (sent) => sent.url().endsWith("/availability") && asked.push(sent.url()));
    const stream = page.waitForResponse((answer) => answer.url().endsWith("/availability/stream"));
    await page.goto(`/events/${event.id}`);
    expect((await stream).headers()["content-type"]).toContain("text/event-stream");
    const before = asked.length;
    await bookElsewhere(request, event);
    await expect(page.locator(".ticket-type")).toHaveAttribute("data-left", "98");
    await bookElsewhere(request, event);
    await expect(page.locator(".ticket-type")).toHaveAttribute("data-left", "96");
    expect(asked.length).toBe(before);
  });

  test("by polling, if no stream can be opened", async ({ page, request }) => {
    const event = await eventMade(request);
    await page.route("**/availability/stream", (route) => route.abort());
    await page.goto(`/events/${event.id}`);
    await expect(page.locator(".ticket-type")).toHaveAttribute("data-left", "100");
    await bookElsewhere(request, event);
    await expect(page.locator(".ticket-type")).toHaveAttribute("data-left", "98");
  });
});

test("Korean is the default, and the choice of English is remembered", async ({ page }) => {
  await page.goto("/");
  await expect(page.locator("html")).toHaveAttribute("lang", "ko");
  await page.locator("header button[lang=en]").click();
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await expect(page.getByRole("heading", { level: 1, name: word("en", "home.title") })).toBeVisible();
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
});

test.describe("while a reservation is being cancelled", () => {
  test.use({ failures: "expected" });

  test("a refusal is shown although the dialog was closed meanwhile", async ({ page, request }) => {
    const event = await eventMade(request);
    const person = newcomer();
    expect((await request.post("/api/v1/auth/signup", { data: person })).ok()).toBe(true);
    const booked = await request.post("/api/v1/reservations", {
      headers: await bearer(request, person), data: { ticket_type_id: event.ticket_types[0].id, quantity: 1 },
    });
    expect([201, 202]).toContain(booked.status());
    await signIn(page, person, "/me");
    let answer;
    const held = new Promise((release) => (answer = release));
    await page.route("**/cancel", async (route) => {
      await held;
      await route.fulfill({ status: 503, contentType: "application/problem+json", body: "{}" });
    });
    const row = page.getByTestId("booking-row").first();
    await row.getByRole("button").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: word("ko", "cancel.confirm") }).click();
    await page.keyboard.press("Escape");
    await expect(dialog).toBeVisible();
    // Browsers may close a dialog at another Escape, even if the page prevents it.
    await page.locator("dialog[open]").evaluate((element) => element.close());
    await expect(dialog).toBeHidden();
    answer();
    await expect(dialog).toBeVisible();
    await expect(dialog.locator(".form-error")).toBeVisible();
  });
});
