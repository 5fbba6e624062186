// Administration: who gets in, the form, the inventory page, and the life of an event from its creation to
// its cancellation.
import {
  admin, bearer, configurations, demo, eventMade, expect, expectSound, newcomer, settled, signIn, signOut, test, word,
} from "./support.mjs";

const PATHS = ["", "/", "/events", "/events/new", "/events/1", "/inventory", "/audit", "/nothing"];
const ko = (key) => word("ko", key);

/**
 * A pattern for the start of a button's name. The buttons of an event go on with the name of the event,
 * visually hidden.
 */
const beginning = (text) => new RegExp(text.source.replace(/\\s\*\$$/, ""));

/**
 * The field value for now plus `ms`. Chromium omits seconds that are zero, and refuses a value that contains
 * them.
 */
const moment = (page, ms) =>
  page.evaluate((ms) => {
    const at = new Date(Date.now() + ms);
    return new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace(/:00$/, "");
  }, ms);

/** Signs up a new person. Returns the account and the headers that authorize its requests. */
async function person(request) {
  const data = newcomer();
  expect((await request.post("/api/v1/auth/signup", { data })).ok()).toBe(true);
  return { ...data, headers: await bearer(request, data) };
}

async function book(request, headers, ticket_type_id, quantity = 1) {
  const answer = await request.post("/api/v1/reservations", { headers, data: { ticket_type_id, quantity } });
  expect([201, 202], await answer.text()).toContain(answer.status());
}

/** Finds an event's entry on the inventory page. */
async function entryOf(page, title) {
  await page.goto(`/admin/inventory?q=${encodeURIComponent(title)}`);
  const entry = page.getByTestId("inventory-entry").filter({ hasText: title });
  await expect(entry).toBeVisible();
  return entry;
}

/** Presses a button of an entry, then the button of the dialog that it opens. */
async function press(page, entry, button, action = button) {
  await entry.getByRole("button", { name: beginning(ko(`room.${button}`)) }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  await expectSound(page);
  await dialog.getByRole("button", { name: ko(`room.${action}`) }).click();
}

test.describe("administration pages are not found", () => {
  for (const [who, account] of [["visitors", null], ["users", demo]]) {
    test(`for ${who}`, async ({ page }) => {
      if (account) await signIn(page, account);
      for (const path of PATHS) {
        const answer = await page.goto(`/admin${path}`);
        expect(answer.status()).toBe((await page.request.get("/no/such/page", { headers: { accept: "text/html" } })).status());
        await expect(page.locator("h1")).toHaveText(ko("not_found.title"));
        await expect(page.locator(".admin-nav")).toHaveCount(0);
        await expect(page).toHaveTitle(/\S/);
        await expectSound(page);
      }
      await page.goto("/");
      await settled(page);
      await expect(page.locator("header").getByText(ko("header.admin"))).toHaveCount(0);
    });
  }
});

test("an administrator signs in and returns to the page they came from", async ({ page }) => {
  await page.goto("/admin/inventory");
  await expect(page.locator("h1")).toHaveText(ko("not_found.title"));
  await page.locator("header a.header__account").click();
  await page.locator("input[type=email]").fill(admin.email);
  await page.locator("input[type=password]").fill(admin.password);
  await page.locator("main form button[type=submit]").click();
  await expect(page).toHaveURL(/\/admin\/inventory$/);
  await expect(page.locator("h1")).toHaveText(ko("room.title"));
});

for (const { language, locale, width, height } of configurations) {
  const t = (key) => word(language, key);

  test.describe(`${language} at ${width} px`, () => {
    test.use({ locale, viewport: { width, height }, chosen: language });

    test("an administrator creates, changes and cancels an event, and a visitor sees each step", async ({ page, browser, request }) => {
      const title = `산책 ${newcomer().nickname}`;
      const visitor = await person(request);
      const other = await person(request);

      await signIn(page, admin);
      await page.getByRole("link", { name: t("header.admin") }).click();
      await expect(page).toHaveURL(/\/admin\/events$/);
      await page.getByRole("link", { name: t("events.new") }).click();
      await expect(page.locator("h1")).toHaveText(t("events.new"));
      await page.locator("#title").fill(title);
      await page.locator("#place").fill("예술의전당");
      await page.locator("#description").fill("첫 줄\n둘째 줄");
      await page.locator("#starts_at").fill(await moment(page, 86_400_000));
      await page.locator("[id='ticket_types[0].name']").fill("R");
      await page.locator("[id='ticket_types[0].price']").fill("50,000");
      await page.locator("[id='ticket_types[0].capacity']").fill("100");
      const picture = await page.screenshot();
      await page.locator("#image_key").setInputFiles({ name: "x.png", mimeType: "image/png", buffer: picture });
      await expect(page.locator(".image-field img")).toHaveAttribute("src", /^\/images\//);
      await page.locator("#opens_at").fill(await moment(page, 20_000));
      await expectSound(page);
      await page.getByTestId("save").click();
      await expect(page).toHaveURL(/\/admin\/events\/\d+$/);
      const id = Number(page.url().split("/").at(-1));

      // Another person, in a separate browser context, waits for the opening.
      const otherContext = await browser.newContext({ locale, viewport: { width, height } });
      const seen = await otherContext.newPage();
      await seen.addInitScript((language) => (localStorage["neticket.language"] = language), language);
      await signIn(seen, visitor, `/events/${id}`);
      await expect(seen.locator("h1")).toHaveText(title);
      await expect(seen.locator(".event__poster img")).toBeVisible();
      await expect(seen.getByTestId("book")).toBeEnabled({ timeout: 30_000 });
      await seen.getByTestId("book").click();
      await expect(seen).toHaveURL(/\/reservations\//);

      // The seat numbers change while the page is open.
      await seen.goto(`/events/${id}`);
      await expect(seen.locator(".ticket-type")).toHaveAttribute("data-left", "99");
      const { ticket_types: [ticketType] } = await (await request.get(`/api/v1/events/${id}`)).json();
      await book(request, other.headers, ticketType.id, 2);
      await expect(seen.locator(".ticket-type")).toHaveAttribute("data-left", "97");

      const room = async () => {
        await page.goto(`/admin/inventory?q=${encodeURIComponent(title)}`);
        return page.getByTestId("inventory-entry").filter({ hasText: title });
      };
      const entry = await room();
      const act = async (word, action = word) => {
        await entry.getByRole("button", { name: beginning(t(`room.${word}`)) }).click();
        await expect(page.getByRole("dialog")).toBeVisible();
        await page.getByRole("dialog").getByRole("button", { name: t(`room.${action}`) }).click();
        await expect(page.getByRole("dialog")).toBeHidden();
      };
      await act("pause");
      await expect(page.getByTestId("action-result")).toHaveText(t("room.pause_done"));
      await expect(seen.locator(".event__head").getByText(t("status.paused"))).toBeVisible();
      await expect(seen.getByTestId("book")).toBeDisabled();
      await act("resume");
      await expect(page.getByTestId("action-result")).toHaveText(t("room.resume_done"));
      await expect(seen.getByTestId("book")).toBeEnabled();
      await entry.getByRole("button", { name: beginning(t("room.reconcile")) }).click();
      await expect(page.getByTestId("plan")).toHaveText(t("room.reconcile_same"));
      await page.getByRole("dialog").getByRole("button", { name: t("room.close") }).click();

      await seen.goto("/me");
      await expect(seen.getByTestId("booking-row").first()).toContainText(title);
      await page.goto(`/admin/events/${id}`);
      await page.getByRole("button", { name: t("danger.cancel") }).click();
      const dialog = page.getByRole("dialog");
      const confirm = dialog.getByRole("button", { name: t("danger.cancel") });
      await expect(confirm).toBeDisabled();
      await expect(dialog.getByText(/\b3\b|3매/).first()).toBeVisible();
      await dialog.getByRole("checkbox").check();
      await confirm.click();
      await expect(page.getByTestId("cancelled")).toBeVisible();
      // Without a reload.
      await expect(seen.getByTestId("booking-row").first().getByText(t("ticket.event_cancelled"))).toBeVisible({ timeout: 30_000 });
      await seen.goto(`/events/${id}`);
      await expect(seen.locator("main").getByText(t("event.cancelled"))).toBeVisible();

      await page.goto("/admin/audit");
      const entries = page.getByTestId("audit-entry").filter({ hasText: `event/${id}` });
      for (const action of ["event_create", "sale_pause", "sale_resume", "event_cancel"]) {
        await expect(page.locator(`[data-action=${action}]`).filter({ hasText: `event/${id}` })).toHaveCount(1);
      }
      await expect(entries.first()).toBeVisible();
      await otherContext.close();
    });
  });
}

test.describe("the form", () => {
  // The browser itself logs refused requests as errors.
  test.use({ failures: "expected" });

  test("shows all errors at once in a focused summary", async ({ page }) => {
    await signIn(page, admin, "/admin/events/new");
    await page.locator("#max_per_user").fill("101");
    await page.getByTestId("save").click();
    const summary = page.locator("#form-summary");
    await expect(summary).toBeFocused();
    await expect(summary.getByRole("listitem")).toHaveCount(8);
    await expectSound(page);
    await summary.getByRole("link").first().click();
    await expect(page.locator("#title")).toBeFocused();
    await page.locator("#title").fill("햄릿");
    await expect(summary.getByRole("listitem")).toHaveCount(7);
    // Shown while typing, after a pause.
    await page.locator("#starts_at").fill(await moment(page, 86_400_000));
    await page.locator("#opens_at").fill(await moment(page, 90_000_000));
    await expect(page.locator("#opens_at-error")).toHaveText(ko("form.opens_late"));
    await page.getByRole("button", { name: ko("form.opens_now") }).click();
    await expect(page.locator("#opens_at-error")).toBeEmpty();
  });

  test("keeps the order of ticket types and the focus", async ({ page }) => {
    await signIn(page, admin, "/admin/events/new");
    const name = (index) => page.locator(`[id='ticket_types[${index}].name']`);
    await name(0).fill("R");
    await page.getByRole("button", { name: ko("form.ticket_type_add") }).click();
    await expect(name(1)).toBeFocused();
    await name(1).fill("S");
    await page.getByRole("button", { name: /S 위로/ }).click();
    await expect(name(0)).toHaveValue("S");
    await expect(name(1)).toHaveValue("R");
    await expect(page.getByRole("button", { name: /S 아래로/ })).toBeFocused();
    await name(0).fill("R");
    await expect(page.locator("[id='ticket_types[0].name-error']")).toHaveText(ko("form.ticket_type_twice"));
  });

  test("warns before unsaved input is lost", async ({ page, request }) => {
    const event = await eventMade(request);
    await signIn(page, admin, `/admin/events/${event.id}`);
    await page.locator("#title").fill("아직 저장하지 않은 제목");
    await expect(page.getByText(ko("form.unsaved"))).toBeVisible();
    const asked = [];
    page.on("dialog", async (dialog) => {
      asked.push(dialog.type());
      await dialog.dismiss();
    });
    await page.locator(".admin-nav").getByRole("link", { name: ko("nav.audit") }).click({ noWaitAfter: true });
    await expect.poll(() => asked).toEqual(["beforeunload"]);
    await expect(page.locator("#title")).toHaveValue("아직 저장하지 않은 제목");
    await page.getByTestId("save").click();
    await expect(page.getByTestId("saved")).toBeVisible();
    await page.locator(".admin-nav").getByRole("link", { name: ko("nav.audit") }).click();
    await expect(page).toHaveURL(/\/admin\/audit/);
    expect(asked).toHaveLength(1);
  });

  test("keeps unsaved input when the session ends", async ({ page, context, request }) => {
    const event = await eventMade(request);
    await signIn(page, admin, `/admin/events/${event.id}`);
    await page.locator("#title").fill("로그아웃 전에 쓴 제목");
    await expect(page.getByText(ko("form.unsaved"))).toBeVisible();
    const other = await context.newPage();
    await signOut(other);
    await expect(page.getByTestId("signed-out")).toBeVisible();
    await expect(page.locator("#title")).toHaveValue("로그아웃 전에 쓴 제목");
    await signIn(other, admin, "/admin/events");
    await expect(page.getByTestId("signed-out")).toBeHidden();
    await page.getByTestId("save").click();
    await expect(page.getByTestId("saved")).toBeVisible();
  });

  test("shows a conflict when two administrators edit one event", async ({ page, request }) => {
    const event = await eventMade(request);
    await signIn(page, admin, `/admin/events/${event.id}`);
    await page.locator("#title").fill(`${event.title} 나`);
    const change = await request.patch(`/api/v1/admin/events/${event.id}`, {
      headers: await bearer(request, admin), data: { place: "국립극장" },
    });
    expect(change.ok()).toBe(true);
    await page.getByTestId("save").click();
    const conflict = page.getByTestId("conflict");
    await expect(conflict).toBeFocused();
    await expectSound(page);
    await expect(page.locator("#title")).toHaveValue(`${event.title} 나`);
    await conflict.getByRole("button", { name: ko("conflict.mine") }).click();
    await expect(page.locator("#place")).toHaveValue("국립극장");
    await page.getByTestId("save").click();
    await expect(page.getByTestId("saved")).toBeVisible();
    const now = await (await request.get(`/api/v1/events/${event.id}`)).json();
    expect([now.title, now.place]).toEqual([`${event.title} 나`, "국립극장"]);
  });

  test("shows changes to people who have the event open", async ({ page, browser, request }) => {
    const event = await eventMade(request);
    const seen = await (await browser.newContext()).newPage();
    await seen.goto(`/events/${event.id}`);
    await expect(seen.locator(".ticket-type")).toHaveAttribute("data-left", "100");
    await signIn(page, admin, `/admin/events/${event.id}`);
    await page.locator("[id='ticket_types[0].capacity']").fill("250");
    await page.locator("[id='ticket_types[0].price']").fill("60,000");
    await page.getByTestId("save").click();
    await expect(page.getByTestId("saved")).toBeVisible();
    await expect(seen.locator(".ticket-type")).toHaveAttribute("data-left", "250");
    await expect(seen.locator(".ticket-type__price")).toHaveText("60,000원", { timeout: 30_000 });
    await seen.context().close();
  });

  test("deletes an event without reservations after a confirmation", async ({ page, request }) => {
    const event = await eventMade(request);
    await signIn(page, admin, `/admin/events/${event.id}`);
    await page.getByRole("button", { name: ko("danger.delete") }).click();
    await page.getByRole("dialog").getByRole("button", { name: ko("danger.keep") }).click();
    await expect(page.getByRole("dialog")).toBeHidden();
    await page.getByRole("button", { name: ko("danger.delete") }).click();
    await page.getByRole("dialog").getByRole("button", { name: ko("danger.delete") }).click();
    await expect(page).toHaveURL(/\/admin\/events$/);
    expect((await request.get(`/api/v1/events/${event.id}`)).status()).toBe(404);
  });
});

test("a dialog works by keyboard, and no action runs without a confirmation", async ({ page, request }) => {
  const event = await eventMade(request);
  await signIn(page, admin, "/admin/events");
  const entry = await entryOf(page, event.title);
  const button = entry.getByRole("button", { name: beginning(ko("room.pause")) });
  await button.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: ko("room.keep") })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(button).toBeFocused();
  // The page polls every two seconds. The focus stays where it is.
  await expect(page.getByTestId("action-result")).toBeEmpty();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("action-result")).toHaveText(ko("room.pause_done"));
  await expect(entry.getByText(ko("status.paused")).first()).toBeVisible();
});

/** Waits until the page reports the result of an action and the dialog of the action is closed. */
async function expectTold(page, text) {
  await expect(page.getByTestId("action-result")).toHaveText(text);
  await expect(page.getByRole("dialog")).toBeHidden();
}

test("inventory actions report what they did", async ({ page, request }) => {
  const event = await eventMade(request);
  await signIn(page, admin, "/admin/events");
  const entry = await entryOf(page, event.title);
  await expect(entry.getByRole("row", { name: /R/ })).toContainText("100");
  await press(page, entry, "pause");
  await expectTold(page, ko("room.pause_done"));
  await expect(entry.getByRole("button", { name: beginning(ko("room.resume")) })).toBeVisible();
  await press(page, entry, "clear_event");
  await expectTold(page, ko("room.clear_event_done"));
  await press(page, entry, "load");
  await expectTold(page, ko("room.load_done"));
  await entry.getByRole("button", { name: beginning(ko("room.reconcile")) }).click();
  await expect(page.getByTestId("plan")).toHaveText(ko("room.reconcile_same"));
  await expect(page.getByRole("dialog").getByRole("button", { name: ko("room.reconcile_apply") })).toBeDisabled();
});

test.describe("a refused inventory action", () => {
  test.use({ failures: "expected" });

  test("shows its reason in its dialog", async ({ page, request }) => {
    const event = await eventMade(request);
    await signIn(page, admin, "/admin/events");
    const entry = await entryOf(page, event.title);
    const problem = (status, code) => ({
      status,
      contentType: "application/problem+json",
      body: JSON.stringify({ type: `/problems/${code}`, title: code, status, detail: code, code, retryable: true, trace_id: "" }),
    });
    await page.route("**/pause", (route) => route.fulfill(problem(503, "ledger_unavailable")));
    await page.route("**/evict", (route) => route.fulfill(problem(409, "ledger_busy")));
    for (const [button, text] of [["pause", "room.sale_ledger_gone"], ["evict", "room.busy"]]) {
      await press(page, entry, button);
      await expect(page.getByRole("dialog").getByText(ko(text))).toBeVisible();
      await expect(page.getByTestId("action-result")).toBeEmpty();
      await page.getByRole("dialog").getByRole("button", { name: ko("room.keep") }).click();
    }
    await expect(entry.getByRole("button", { name: beginning(ko("room.pause")) })).toBeVisible();
  });
});

test("input typed during a save stays, and an incomplete time does not count as empty", async ({ page, request }) => {
  const event = await eventMade(request);
  await signIn(page, admin, `/admin/events/${event.id}`);
  await page.route("**/api/v1/admin/events/*", async (route) => {
    if (route.request().method() === "PATCH") {
      await new Promise((done) => setTimeout(done, 500));
    }
    await route.continue();
  });
  await page.locator("#title").fill("새 제목");
  await page.getByTestId("save").click();
  await page.locator("#description").fill("저장하는 동안 쓴 글");
  await expect(page.getByText(ko("form.unsaved"))).toBeVisible();
  await expect(page.getByTestId("save")).toHaveAttribute("aria-busy", "false");
  await expect(page.locator("#description")).toHaveValue("저장하는 동안 쓴 글");
  await page.getByTestId("save").click();
  await expect(page.getByText(ko("form.unsaved"))).toBeHidden();
  await page.locator("#closes_at").pressSequentially("2031");
  await page.getByTestId("save").click();
  await expect(page.locator("#closes_at-error")).toHaveText(ko("form.moment_invalid"));
});

test("a title is text on every page, and scripts cannot read the token", async ({ page, request }) => {
  const title = `<img src=x onerror="window.hacked=1"> ${newcomer().nickname}`;
  const event = await eventMade(request, { title });
  await signIn(page, admin, "/admin/events");
  const query = `?q=${encodeURIComponent(title.split(" ").at(-1))}`;
  for (const path of [`/admin/events${query}`, `/admin/inventory${query}`, `/${query}`, `/events/${event.id}`, "/admin/audit"]) {
    await page.goto(path);
    await settled(page);
    await expect(page.locator("main").getByText(title).first()).toBeVisible();
    expect(await page.evaluate(() => [window.hacked, document.querySelectorAll("img[src=x]").length])).toEqual([undefined, 0]);
  }
  const readable = await page.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]));
  expect(readable).not.toMatch(/eyJ/);
});
