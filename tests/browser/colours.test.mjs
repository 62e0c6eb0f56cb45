// The letters that between them have every piece, in colours that brands have: each text stands out from what is behind it
// by at least 4.5 to 1.
//
// https://www.w3.org/TR/WCAG22/#contrast-minimum

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bringAxe, letterMistakes } from "./axe.mjs";
import { SHADES, openWindow, startBrowser } from "./chromium.mjs";
import { makeGallery } from "./gallery.mjs";

const TEMPLATES = ["invitation", "digest"];
const COLOURS = ["#ffd800", "#000000", "#ffffff", "#0f6cbd", "#c50f1f", "#777777"];
let browser;

before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

test("every text can be read in every brand's colour", { concurrency: 2 }, (all) => {
  const look = async (colour) => {
    const { letters } = makeGallery(`colour-${colour.slice(1)}`, `--brand-color=${colour}`, "--language=en", "--variant=everything");
    const window = await openWindow(browser);
    const mistakes = [];
    const looked = letters.filter(({ template }) => TEMPLATES.includes(template));
    assert.equal(looked.length, TEMPLATES.length);
    for (const { name, file } of looked) {
      await window.show(file);
      await bringAxe(window.page);
      for (const shade of SHADES) {
        await window.darken(shade);
        const found = await letterMistakes(window.page, ["color-contrast"]);
        mistakes.push(...found.map((mistake) => `${name}, ${shade}: ${mistake}`));
      }
    }
    await window.close();
    assert.deepEqual(mistakes, []);
  };
  return Promise.all(COLOURS.map((colour) => all.test(colour, () => look(colour))));
});
