// Every page at both widths, light and dark: checks that it is sound, and keeps a screenshot.
import {
  admin, configurations, demo, eventMade, eventOnSale, expect, expectSound, newcomer, settled, signIn, test, word,
} from "./support.mjs";

/**
 * A pattern for the start of a button's name. The buttons of an event go on with the name of the event,
 * visually hidden.
 */
const startsWith = (language, key) => new RegExp(word(language, key).source.replace(/\\s\*\$$/, ""));

const folder = `${process.env.NETICKET_TARGET_DIR ?? "../../target"}/screenshots`;

for (const { language, locale, width, height } of configurations) {
  for (const colorScheme of ["light", "dark"]) {
    test.describe(`${language} at ${width} px, ${colorScheme}`, () => {
      test.use({ locale, viewport: { width, height }, colorScheme, chosen: language });

      async function shoot(page, name) {
        await settled(page);
        await expectSound(page);
        await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png` });
      }

      test("public pages are accessible", async ({ page, request }) => {
        const { event } = await eventOnSale(request);
        const first = async (status, past = "") => {
          const page = await request.get(`/api/v1/events?status=${status}&size=1${past}`);
          return (await page.json()).items[0].id;
        };
        const pages = {
          home: "/",
          "home-scheduled": "/?status=scheduled",
          "home-nothing": "/?q=그런공연은없다",
          event: `/events/${event.id}`,
          "event-scheduled": `/events/${await first("scheduled")}`,
          "event-sold-out": `/events/${await first("sold_out")}`,
          "event-closed": `/events/${await first("closed", "&include_past=true")}`,
          login: "/login",
          signup: "/signup",
          "not-found": "/no/such/page",
        };
        for (const [name, path] of Object.entries(pages)) {
          await page.goto(path);
          await shoot(page, name);
        }
      });

      test("pages for signed-in users are accessible", async ({ page }) => {
        await signIn(page, demo);
        await page.goto("/me");
        await shoot(page, "me");
        // A reservation that can still be cancelled shows its ticket code.
        const cancellable = page.getByTestId("booking-row").filter({ has: page.getByRole("button") });
        await cancellable.getByRole("link").first().click();
        await expect(page).toHaveURL(/\/reservations\//);
        await shoot(page, "reservation");
        await page.goto("/me");
        await page.getByTestId("booking-row").getByRole("button").first().click();
        await expect(page.getByRole("dialog")).toBeVisible();
        await shoot(page, "cancel");
      });

      test("pages for administrators are accessible", async ({ page, request }) => {
        const { id } = await eventMade(request, {
          ticket_types: [
            { name: "VIP", price: 150_000, capacity: 120 },
            { name: "R", price: 90_000, capacity: 1_000_000 },
          ],
        });
        await signIn(page, admin, "/admin/events");
        await shoot(page, "admin-events");
        await page.goto("/admin/events?q=그런공연은없다");
        await shoot(page, "admin-events-nothing");
        await page.goto("/admin/events/new");
        await shoot(page, "admin-new");
        await page.getByTestId("save").click();
        await expect(page.locator("#form-summary")).toBeFocused();
        await shoot(page, "admin-new-faults");
        await page.goto(`/admin/events/${id}`);
        await shoot(page, "admin-edit");
        await page.getByRole("button", { name: word(language, "danger.cancel") }).click();
        await shoot(page, "admin-cancel");
        await page.goto("/admin/inventory");
        await expect(page.getByTestId("inventory-entry").first()).toBeVisible();
        await expect(page.getByTestId("as-of")).not.toBeEmpty();
        await shoot(page, "admin-room");
        const entry = page.getByTestId("inventory-entry").filter({ has: page.getByText(word(language, "room.is_loaded")) }).first();
        for (const action of ["pause", "reconcile"]) {
          await entry.getByRole("button", { name: startsWith(language, `room.${action}`) }).click();
          await shoot(page, `admin-room-${action}`);
          await page.keyboard.press("Escape");
        }
        await page.goto("/admin/audit");
        const changes = page.locator("details").first();
        await changes.locator("summary").click();
        await shoot(page, "admin-audit");
        await page.goto("/admin/nothing");
        await shoot(page, "admin-not-found");
      });
    });
  }
}

test("administration pages fit into a window of 320 px", async ({ page, request }) => {
  const { id } = await eventMade(request);
  await page.setViewportSize({ width: 320, height: 900 });
  await signIn(page, admin, "/admin/events");
  for (const path of ["events", "events/new", `events/${id}`, "inventory", "audit"]) {
    await page.goto(`/admin/${path}`);
    await settled(page);
    await expectSound(page);
  }
});

for (const width of [320, 768, 2560]) {
  test(`pages fit into a window of ${width} px`, async ({ page, request }) => {
    await page.setViewportSize({ width, height: 900 });
    const { event } = await eventOnSale(request);
    for (const path of ["/", `/events/${event.id}`, "/login", "/signup", "/no/such/page"]) {
      await page.goto(path);
      await settled(page);
      await expectSound(page);
      if (path === "/") await page.screenshot({ path: `${folder}/home-${width}.png` });
    }
  });
}

for (const language of ["ko", "en"]) {
  test.describe(`the longest nickname, ${language}`, () => {
    test.use({ chosen: language });

    test("fits into the header of narrow windows", async ({ page, request }) => {
      const person = newcomer();
      const syllable = (letter) => String.fromCharCode(0xac00 + letter.charCodeAt(0) * 28);
      const nickname = [...person.nickname.padStart(10, "a")].map(syllable).join("");
      expect((await request.post("/api/v1/auth/signup", { data: { ...person, nickname } })).ok()).toBe(true);
      await page.goto("/login");
      await page.locator("input[type=email]").fill(person.email);
      await page.locator("input[type=password]").fill(person.password);
      await page.locator("main form button[type=submit]").click();
      await expect(page.locator(".header__name")).toHaveText(nickname);
      for (const width of [320, 360, 390, 768]) {
        await page.setViewportSize({ width, height: 800 });
        await settled(page);
        await expectSound(page);
        await page.screenshot({ path: `${folder}/nickname-${language}-${width}.png` });
      }
    });
  });
}

test("nothing is animated for people who prefer reduced motion", async ({ page, request }) => {
  const { event } = await eventOnSale(request);
  for (const path of ["/", `/events/${event.id}`, "/signup"]) {
    await page.goto(path);
    await settled(page);
    const animated = await page.evaluate(() =>
      [...document.querySelectorAll("*")]
        .filter((element) => getComputedStyle(element).animationName !== "none")
        .map((element) => element.className),
    );
    expect(animated, path).toEqual([]);
  }
});
