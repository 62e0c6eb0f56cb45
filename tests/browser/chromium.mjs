// Starts Debian's Chromium, and opens letters in it as a mail program without images does.

import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const program = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Starts a browser with a profile of its own, which goes when it is closed. */
export async function startBrowser() {
  if (!existsSync(program)) {
    throw new Error(`${program} is not there: apt-get install chromium, or name another one in CHROMIUM`);
  }
  return chromium.launch({
    executablePath: program,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/**
 * A window that shows files. Nothing comes from the network: `requests` has what was asked for since the last `show`, and
 * each of them is refused, which is how a letter looks with images off. A `shade` that is null is the browser's own.
 */
export async function openWindow(browser, { width = 375, shade = "light" } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: shade });
  const requests = [];
  const dialogs = [];
  await context.route(/^(?!file:|data:)/, (route) => {
    requests.push(route.request().url());
    return route.abort();
  });
  const page = await context.newPage();
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    return dialog.dismiss();
  });
  const show = async (file) => {
    requests.length = 0;
    dialogs.length = 0;
    await page.goto(pathToFileURL(file).href);
  };
  const resize = (width) => page.setViewportSize({ width, height: 900 });
  const darken = (shade) => page.emulateMedia({ colorScheme: shade });
  return { page, show, resize, darken, requests, dialogs, close: () => context.close() };
}

export const WIDTHS = [375, 640];
export const SHADES = ["light", "dark"];
