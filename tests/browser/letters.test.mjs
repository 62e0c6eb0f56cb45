// Every letter, at the width of a phone and of a desktop, in light and dark, with images off: laid out well, with links to
// nowhere else, asking the network for nothing, and with nothing that axe finds. Writes a screenshot of each, and a page
// with all of them.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { bringAxe, letterMistakes } from "./axe.mjs";
import { SHADES, WIDTHS, openWindow, startBrowser } from "./chromium.mjs";
import { BRAND, LOGO, RECORD, REDEEM, makeGallery, output } from "./gallery.mjs";
import { layoutMistakes } from "./looks.mjs";
import { contactSheet } from "./sheet.mjs";

const { letters } = makeGallery("letters");
const withLogo = makeGallery("logo", `--logo-url=${LOGO}`, "--support-email=", "--variant=everything");
const pictures = join(output, "screenshots");
let browser;

before(async () => {
  rmSync(pictures, { recursive: true, force: true });
  mkdirSync(pictures, { recursive: true });
  browser = await startBrowser();
});
after(() => browser?.close());

/** A picture takes as long as all the rest: the variants of a letter have one, in the view that shows most trouble. */
const isPictured = ({ variant }, width, shade) => variant === "everything" || (width === WIDTHS[0] && shade === SHADES[0]);

/** What is wrong with how a letter is laid out in the window, as it is now. */
function layoutOf({ page }, { language, template }) {
  const isDigest = template === "digest";
  return page.evaluate(`(${layoutMistakes})({ language: "${language}", redeem: ${REDEEM}, record: "${RECORD}", isDigest: ${isDigest} })`);
}

/** Looks at a letter in both shades and at both widths, and takes a picture of each. */
async function lookAt(window, letter) {
  await window.show(letter.file);
  await bringAxe(window.page);
  const mistakes = [];
  for (const shade of SHADES) {
    await window.darken(shade);
    for (const width of WIDTHS) {
      await window.resize(width);
      const found = await layoutOf(window, letter);
      if (isPictured(letter, width, shade)) {
        await window.page.screenshot({ path: join(pictures, `${letter.name}-${width}-${shade}.png`), fullPage: true });
      }
      mistakes.push(...found.map((mistake) => `${letter.name}, ${width} px: ${mistake}`));
    }
    // What axe judges besides contrast does not depend on the shade.
    const found = await letterMistakes(window.page, shade === "light" ? undefined : ["color-contrast"]);
    mistakes.push(...found.map((mistake) => `${letter.name}, ${shade}: ${mistake}`));
  }
  if (window.requests.length > 0) mistakes.push(`${letter.name}: it asked for ${window.requests}`);
  return mistakes;
}

test("every letter fits, reads, and leads where it should; axe finds nothing", { concurrency: 3 }, (all) => {
  const look = async (language) => {
    const window = await openWindow(browser);
    const mistakes = [];
    for (const letter of letters.filter((letter) => letter.language === language)) {
      mistakes.push(...(await lookAt(window, letter)));
    }
    await window.close();
    assert.deepEqual(mistakes, []);
  };
  const languages = [...new Set(letters.map(({ language }) => language))];
  return Promise.all(languages.map((language) => all.test(language, () => look(language))));
});

test("a letter asks for its logo and nothing else, and reads as well without it, or without a support address", async () => {
  const window = await openWindow(browser);
  const mistakes = [];
  for (const letter of withLogo.letters) {
    await window.show(letter.file);
    const found = await layoutOf(window, letter);
    const shown = await window.page.evaluate(() => [...document.images].map(({ src, alt }) => `${alt}, ${src}`));
    if (shown.join() !== `${BRAND}, ${LOGO}`) found.push(`its pictures are ${shown}`);
    if (window.requests.join() !== LOGO) found.push(`it asked for ${window.requests}`);
    mistakes.push(...found.map((mistake) => `${letter.name}: ${mistake}`));
  }
  assert.deepEqual(mistakes, []);
});

test("this machine draws Arabic letters joined, and emoji", async () => {
  const { page } = await openWindow(browser);
  const drawn = await page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    canvas.font = "32px sans-serif";
    const width = (text) => canvas.measureText(text).width;
    const picture = (text) => {
      canvas.clearRect(0, 0, 64, 64);
      canvas.fillText(text, 8, 40);
      return canvas.getImageData(0, 0, 64, 64).data.join();
    };
    const missing = picture("\u{10fffd}");
    return {
      joined: width("ببب") !== width("ب\u200cب\u200cب"),
      there: ["ب", "😀"].every((letter) => picture(letter) !== missing),
    };
  });
  assert.deepEqual(drawn, { joined: true, there: true }, "install fonts-dejavu-core and fonts-noto-color-emoji");
});

test("the contact sheet shows every letter", () => {
  const views = SHADES.flatMap((shade) => WIDTHS.map((width) => ({ shade, width })));
  const rows = letters.map((letter) => ({
    name: letter.name,
    pictures: views
      .filter(({ width, shade }) => isPictured(letter, width, shade))
      .map(({ width, shade }) => ({ width, shade, address: `screenshots/${letter.name}-${width}-${shade}.png` })),
  }));
  for (const { address } of rows.flatMap(({ pictures }) => pictures)) assert.ok(existsSync(join(output, address)), address);
  writeFileSync(join(output, "index.html"), contactSheet(rows));
});
