// The frame of the sandbox's page: every view opens, fits, reads well in both shades, and can be reached by keyboard.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mistakesOf, openPage, openView, picture, startBrowser, startSandbox } from "./stage.mjs";

const VIEWS = ["Contacts", "Invitations", "Mailboxes", "Portal", "Clock", "Faults", "Traffic"];
let browser;
let sandbox;

before(async () => {
  [browser, sandbox] = await Promise.all([startBrowser(), startSandbox()]);
});
after(() => Promise.all([browser?.close(), sandbox?.close()]));

for (const [width, height] of [[375, 700], [1280, 900]]) {
  for (const shade of ["light", "dark"]) {
    test(`axe finds nothing in any view, ${width} px wide, ${shade}`, async () => {
      const { page, close } = await openPage(browser, sandbox.url, { width, height, shade });
      for (const view of VIEWS) {
        await openView(page, view);
        assert.deepEqual(await mistakesOf(page), [], view);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, view);
        await picture(page, `${view.toLowerCase()}-empty-${width}-${shade}`);
      }
      await close();
    });
  }
}

test("a keyboard gets past the views and back to them", async () => {
  const { page, close } = await openPage(browser, sandbox.url);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "main");
  await page.getByRole("link", { name: "Clock" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Clock" }).waitFor();
  await close();
});
