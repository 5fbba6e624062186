// How the browser tests run. `cargo xtask test --only e2e` starts the server and sets the variables.
import { defineConfig } from "@playwright/test";

const target = process.env.NETICKET_TARGET_DIR ?? "../../target";

export default defineConfig({
  testDir: ".",
  testMatch: "**/*.spec.mjs",
  // Screenshots that tests take on purpose go to `${target}/screenshots`; this is for those of failures.
  outputDir: `${target}/e2e`,
  fullyParallel: true,
  workers: 2,
  // A test that needs a second try is broken.
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
    // Colours are judged at rest, not halfway through a transition.
    contextOptions: { reducedMotion: "reduce" },
    trace: "off",
    screenshot: "only-on-failure",
    launchOptions: {
      // The system's browser; without the variable, Playwright's own.
      executablePath: process.env.NETICKET_CHROMIUM || undefined,
      args: [
        // Containers run as root, where Chromium's sandbox does not start.
        "--no-sandbox",
        // Nothing leaves the machine, whatever the browser would like to ask its maker.
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
