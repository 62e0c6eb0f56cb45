// The page that shows the letters is itself fit to be seen: by axe, on a phone, in the dark, and from a keyboard.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bringAxe, pageMistakes } from "./axe.mjs";
import { SHADES, openWindow, startBrowser } from "./chromium.mjs";
import { makeGallery } from "./gallery.mjs";
import { until } from "./until.mjs";

const { page, letters } = makeGallery("page");
let browser;

before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

for (const width of [375, 1280]) {
  for (const shade of SHADES) {
    test(`axe finds nothing on the page, ${width} px wide, ${shade}`, async () => {
      const window = await openWindow(browser, { width, shade });
      await window.show(page);
      await bringAxe(window.page);
      assert.deepEqual(await pageMistakes(window.page), []);
      assert.equal(await window.page.evaluate(() => document.documentElement.scrollWidth), width);
      assert.deepEqual(window.requests, []);
    });
  }
}

/** Waits until a letter's frame looks like this on the page: as wide as its window, and this bright. */
async function looksLike(window, { language, template, variant }, wanted) {
  const frame = window.page.locator(`iframe[data-language="${language}"][data-template="${template}"][data-variant="${variant}"]`);
  await frame.scrollIntoViewIfNeeded();
  const inside = await (await frame.elementHandle()).contentFrame();
  await inside.waitForLoadState();
  const look = () => inside.evaluate(() => ({ width: innerWidth, dark: matchMedia("(prefers-color-scheme: dark)").matches }));
  await until(look, ({ width, dark }) => width === wanted.width && dark === wanted.dark);
}

test("letters are shown at each width and in both shades", async () => {
  // A shade that the browser is told to show would hold for the frames too.
  const window = await openWindow(browser, { width: 1280, shade: null });
  await window.show(page);
  const choose = (name) => window.page.getByRole("radio", { name, exact: true }).first().check({ force: true });
  await choose("all");
  await looksLike(window, letters[0], { width: 375, dark: false });
  await choose("desktop");
  await choose("dark");
  await looksLike(window, letters[0], { width: 640, dark: true });
});

test("a keyboard chooses the letter to look at", async () => {
  const window = await openWindow(browser, { width: 1280, shade: "light" });
  await window.show(page);
  const visible = () => window.page.locator("article:visible iframe").evaluateAll((frames) => frames.map((frame) => frame.dataset));
  const before = await visible();
  await window.page.getByRole("radio", { name: letters[0].template, exact: true }).focus();
  await window.page.keyboard.press("Space");
  const chosen = await visible();
  assert.ok(chosen.length > 0 && chosen.length < before.length);
  assert.deepEqual(new Set(chosen.map(({ template }) => template)), new Set([letters[0].template]));
  await window.page.keyboard.press("ArrowRight");
  const next = await visible();
  assert.ok(next.length > 0 && next.every(({ template }) => template !== letters[0].template));
});
