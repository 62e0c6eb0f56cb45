// Mail programs that take parts of a letter away, or draw it themselves: it still reads, and its button leads to the same place.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { openWindow, startBrowser } from "./chromium.mjs";
import { BRAND, REDEEM, makeGallery } from "./gallery.mjs";
import { unclosed } from "./markup.mjs";

const { letters } = makeGallery("clients");
let browser;
let window;

before(async () => {
  browser = await startBrowser();
  window = await openWindow(browser);
});
after(() => browser?.close());

/** Runs a look at every letter, and tells all mistakes at once. */
async function each(look) {
  const mistakes = [];
  for (const letter of letters) {
    const found = await look(letter, readFileSync(letter.file, "utf8"));
    mistakes.push(...found.map((mistake) => `${letter.name}: ${mistake}`));
  }
  assert.deepEqual(mistakes, []);
}

const words = (text) => text.split(/\s+/).filter(Boolean).join(" ");

test("a letter without its style sheet reads the same and fits a phone", () =>
  each(async ({ file }) => {
    await window.show(file);
    return window.page.evaluate(() => {
      const read = () => document.body.innerText.split(/\s+/).filter(Boolean).join(" ");
      const styled = read();
      document.querySelectorAll("style").forEach((style) => style.remove());
      const mistakes = [];
      if (read() !== styled) mistakes.push("its words change without the style sheet");
      if (document.documentElement.scrollWidth > innerWidth) mistakes.push("it does not fit");
      for (const element of document.querySelectorAll("[style]")) element.removeAttribute("style");
      if (!read().includes(styled)) mistakes.push("its words change without any style");
      return mistakes;
    });
  }));

test("a letter as text begins with something to read, and holds no markup", () =>
  each(async ({ file, template }) => {
    await window.show(file);
    const [shown, all] = await window.page.evaluate(() => [document.body.innerText, document.body.textContent]);
    const mistakes = [];
    const first = shown.split("\n").find((line) => line.trim());
    if (!first.includes(BRAND)) mistakes.push(`its first line is "${first}"`);
    if (!/^\s*[\p{L}\p{N}][^\n]{9,}/u.test(all)) mistakes.push(`its text begins with "${words(all).slice(0, 20)}"`);
    const rest = words(all).match(/<\/?[a-z!][^>]*>|&[a-z#0-9]+;|\{[{%#]|[}%#]\}|\b(undefined|none|null|NaN)\b/);
    if (rest) mistakes.push(`its text holds "${rest[0]}"`);
    const links = shown.split(/\s+/).filter((word) => REDEEM.test(word));
    if (template !== "digest" && links.length !== 1) mistakes.push(`its text has ${links.length} links`);
    return mistakes;
  }));

const OUTLOOK_ONLY = /<!--\[if mso[^\]]*\]>([\s\S]*?)<!\[endif\]-->/g;
const OTHERS_ONLY = /<!--\[if !mso[^\]]*\]><!-->[\s\S]*?<!--<!\[endif\]-->/g;

// https://learn.microsoft.com/previous-versions/windows/internet-explorer/ie-developer/compatibility/ms537512(v=vs.85)
test("what Outlook for Windows reads is well-formed, and its button leads to the same place", () =>
  each(({ template }, source) => {
    const outlook = source.replace(OTHERS_ONLY, "").replace(OUTLOOK_ONLY, "$1");
    const mistakes = [];
    if (outlook === source) mistakes.push("it has nothing for Outlook");
    for (const [who, html] of [["Outlook", outlook], ["others", source]]) {
      const open = unclosed(html);
      if (open) mistakes.push(`${who} read ${open}`);
    }
    if (/<!--\[|<!\[endif/.test(outlook)) mistakes.push("a condition is left open");
    if (/<v:/.test(outlook) && !/xmlns:v=/.test(outlook)) mistakes.push("it draws shapes without their namespace");
    if (template === "digest") return mistakes;
    const targets = (html) => [...html.matchAll(/<(?:a|v:\w+)\s[^>]*?href="([^"]*)"/g)].map(([, target]) => target);
    const redeems = targets(outlook).filter((target) => REDEEM.test(target));
    if (redeems.length < 2) mistakes.push(`Outlook has ${redeems.length} links to redeem`);
    if (new Set([...redeems, ...targets(source).filter((target) => REDEEM.test(target))]).size !== 1) mistakes.push("its links differ");
    return mistakes;
  }));
