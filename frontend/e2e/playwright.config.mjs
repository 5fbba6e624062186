// How the browser tests run. `cargo xtask test --only e2e` starts the server and sets the variables.
import { defineConfig } from "@playwright/test";

const target = process.env.NETICKET_TARGET_DIR ?? "../../target";

export default defineConfig({
  testDir: ".",
  testMatch: "**/*.spec.mjs",
  // Tests write their own screenshots to `${target}/screenshots`. This folder is for screenshots of failures.
  outputDir: `${target}/e2e`,
  fullyParallel: true,
  workers: 2,
  // A test that needs a second try is broken, so there are no retries.
  retries: 0,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  metadata: { screenshots: `${target}/screenshots` },
  use: {
    baseURL: process.env.NETICKET_URL ?? "http://127.0.0.1:8080",
    locale: "ko-KR",
    timezoneId: "Asia/Seoul",
    // Without transitions, so that colours are checked in their final state.
    contextOptions: { reducedMotion: "reduce" },
    trace: "off",
    screenshot: "only-on-failure",
    launchOptions: {
      // The browser of the system. Without the variable, Playwright uses its own.
      executablePath: process.env.NETICKET_CHROMIUM || undefined,
      args: [
        // Containers run as root, and Chromium's sandbox does not start there.
        "--no-sandbox",
        // Turns off all requests that the browser would send to its vendor.
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-domain-reliability",
        "--disable-features=OptimizationHints,MediaRouter,Translate",
        "--disable-quic",
        "--disable-sync",
        "--no-first-run",
      ],
    },
  },
});
