// What the browser tests share: texts by their keys, people, and a page that fails the test on any error.
import { readFileSync } from "node:fs";
import { AxeBuilder } from "@axe-core/playwright";
import { test as base, expect } from "@playwright/test";

const read = (path) => JSON.parse(readFileSync(new URL(`../locales/${path}.json`, import.meta.url), "utf8"));
const locale = (language) => ({ ...read(language), ...read(`admin/${language}`) });
const locales = { ko: locale("ko"), en: locale("en") };

/** The text that the client shows for `key`, as a pattern in which every `{placeholder}` matches anything. */
export function word(language, key) {
  const text = locales[language][key];
  if (text === undefined) throw new Error(`the locale has no text ${key}`);
  const literal = text.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^\\s*${literal.join(".*")}\\s*$`);
}

/** The two combinations of language and window size. Every walk runs under both. */
export const configurations = [
  { language: "ko", locale: "ko-KR", width: 390, height: 844 },
  { language: "en", locale: "en-US", width: 1280, height: 800 },
];

/** A test that fails if its page logs or throws an error. */
export const test = base.extend({
  /** The language that the person chose on an earlier visit, if any. */
  chosen: [undefined, { option: true }],
  /** `expected` if the test itself makes requests fail. */
  failures: [undefined, { option: true }],
  page: async ({ page, chosen, failures }, use) => {
    if (chosen) await page.addInitScript((language) => (localStorage["neticket.language"] = language), chosen);
    const errors = [];
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    page.on("pageerror", (error) => errors.push(String(error)));
    await use(page);
    const forgiven = (text) => failures === "expected" && /net::ERR_|status of (409|412|422|503)/.test(text);
    expect(errors.filter((text) => !forgiven(text)), "errors in the console").toEqual([]);
  },
});

export { expect };

/** Expects no violation that axe rates serious or critical, and nothing wider than the window. */
export async function expectSound(page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("\n")}`)).toEqual([]);
  const overhang = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overhang, "pixels of horizontal scrolling").toBeLessThanOrEqual(0);
}

/** The administrator and a user of the demo season. */
export const admin = { email: "admin@neticket.example", password: "Admin-pass1!" };
export const demo = { email: "demo@neticket.example", password: "Demo-pass1!" };

/** Signs in and opens `path`. */
export async function signIn(page, person, path = "/") {
  await page.goto(`/login?next=${encodeURIComponent(path)}`);
  await page.locator("input[type=email]").fill(person.email);
  await page.locator("input[type=password]").fill(person.password);
  await page.locator("main form button[type=submit]").click();
  await expect(page).not.toHaveURL(/\/login/);
  await settled(page);
}

/** Ends the session of the tab on the server and in the browser. */
export async function signOut(page) {
  await page.goto("/me");
  await page.getByRole("button", { name: word("ko", "me.logout") }).click();
  await expect(page).toHaveURL(/\/$/);
  await expect(page.locator("header a.header__account")).toHaveText(word("ko", "header.login"));
}

/** The headers that authorize requests of `person`. */
export async function bearer(request, person) {
  const login = await request.post("/api/v1/auth/login", { data: { email: person.email, password: person.password } });
  return { authorization: `Bearer ${(await login.json()).access_token}` };
}

/** Creates an event. It is on sale now unless `event` says otherwise. */
export async function eventMade(request, event = {}) {
  const after = (ms) => new Date(Date.now() + ms).toISOString();
  const made = await request.post("/api/v1/admin/events", {
    headers: await bearer(request, admin),
    data: {
      title: `시험 공연 ${newcomer().nickname}`, place: "예술의전당", description: "",
      opens_at: after(-60_000), starts_at: after(86_400_000),
      ticket_types: [{ name: "R", price: 50_000, capacity: 100 }],
      ...event,
    },
  });
  expect(made.status(), await made.text()).toBe(201);
  return made.json();
}

let people = 0;

/** A new person: no earlier call has returned the same one. */
export function newcomer() {
  people += 1;
  const name = `${process.pid.toString(36)}${people}${Date.now().toString(36).slice(-4)}`.slice(-10);
  return { email: `${name}@example.com`, password: "Abcdef1!", nickname: name };
}

/**
 * An event on sale, and its last ticket type with at least ten seats left. A person may book at least two
 * tickets.
 */
export async function eventOnSale(request) {
  const { items } = await (await request.get("/api/v1/events?status=on_sale&size=50")).json();
  for (const { id } of items) {
    const event = await (await request.get(`/api/v1/events/${id}`)).json();
    const ticketType = event.ticket_types.findLast(({ left }) => left >= 10);
    if (ticketType && event.max_per_user >= 2) return { event, ticketType };
  }
  throw new Error("the demo season has no event with two seats left");
}

/** Waits until the client has rendered the page and has loaded everything that it waits for. */
export async function settled(page) {
  await expect(page.locator("main h1, main [role=alert], main h2").first()).toBeVisible();
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
  await page.evaluate(() => document.fonts.ready);
}
