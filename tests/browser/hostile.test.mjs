// Names and messages that mean harm, or are only long: the letter stays the letter that it is.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { openWindow, startBrowser } from "./chromium.mjs";
import { BRAND, makeGallery } from "./gallery.mjs";

const markup = `<script>alert(1)</script><img src=x onerror=alert(2)><a href="https://evil.example">here</a>`;
const VALUES = {
  markup,
  attributes: `" onmouseover="alert(3)" style='position:fixed' x="`,
  comments: `--><script>alert(4)</script><!--[if mso]><v:rect/><![endif]--> <![CDATA[ ]]>`,
  templates: `{{ brand.color }} {% include "layout.html" %} {# note #} \${7*7}`,
  references: `&lt;script&gt;alert(5)&lt;/script&gt; &amp;amp; &nbsp;`,
  backwards: "\u202egnp.exe",
  emoji: "👩‍👩‍👧‍👦🏳️‍🌈😀".repeat(12),
  "long-word": "W".repeat(200),
  everywhere: markup + "W".repeat(140),
  "long-text": "Wherever you may be, and whoever may read it. ".repeat(44).slice(0, 1996),
};
const INVITER = "Kim Berg";
const plain = makeGallery("harmless", "--contact-name=Anna", `--inviter-name=${INVITER}`, "--message=One\n\nTwo", "--variant=everything");
let browser;
let window;

before(async () => {
  browser = await startBrowser();
  window = await openWindow(browser);
});
after(() => browser?.close());

/** How many elements of each kind the letter has, and which attributes they carry. */
async function anatomy(file) {
  await window.show(file);
  return window.page.evaluate(() => {
    const count = {};
    for (const element of document.querySelectorAll("*")) {
      const kind = `${element.localName} ${element.getAttributeNames().sort().join(" ")}`;
      count[kind] = (count[kind] ?? 0) + 1;
    }
    return count;
  });
}

/** What a letter with a hostile value has or does that the plain one does not. */
async function mistakesIn(letter, kind) {
  const twin = plain.letters.find(({ name }) => name === letter.name);
  twin.anatomy ??= await anatomy(twin.file);
  const found = await anatomy(letter.file);
  const mistakes = [];
  for (const [part, count] of Object.entries(found)) {
    const usual = twin.anatomy[part] ?? 0;
    if (count > usual) mistakes.push(`it has ${count} of <${part}>, not ${usual}`);
  }
  await window.page.mouse.move(180, 200);
  const { width, text } = await window.page.evaluate(() => ({ width: document.documentElement.scrollWidth, text: document.body.innerText }));
  if (width > 375) mistakes.push(`it is ${width} px wide`);
  if (window.dialogs.length > 0) mistakes.push(`it said ${window.dialogs}`);
  if (window.requests.length > 0) mistakes.push(`it asked for ${window.requests}`);
  if (kind === "templates" && !text.includes("{{ brand.color }}")) mistakes.push("it filled in a value");
  return mistakes.map((mistake) => `${letter.name}: ${mistake}`);
}

test("no value adds an element, runs, asks for anything, or makes a letter wider", async (all) => {
  for (const [kind, value] of Object.entries(VALUES)) {
    await all.test(kind, async () => {
      const names = ["brand", "contact", "inviter"].map((who) => `--${who}-name=${value.slice(0, 255)}`);
      // The others say more about the program than about the words of a language.
      const languages = kind === "everywhere" ? [] : ["--language=en"];
      const { letters } = makeGallery(`hostile-${kind}`, ...names, `--message=${value}\n\nTwo`, "--variant=everything", ...languages);
      const mistakes = [];
      for (const letter of letters) mistakes.push(...(await mistakesIn(letter, kind)));
      assert.deepEqual(mistakes, []);
    });
  }
});

/** Whether a word of the letter that is shown stands from left to right; nothing where it is not in it. */
const runsRight = (word) =>
  window.page.evaluate((word) => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const at = node.data.indexOf(word);
      if (at < 0 || !node.parentElement.checkVisibility()) continue;
      const range = document.createRange();
      const left = (place) => {
        range.setStart(node, place);
        range.setEnd(node, place + 1);
        return range.getBoundingClientRect().left;
      };
      return left(at) < left(at + word.length - 1);
    }
    return null;
  }, word);

test("a name that turns the direction of writing turns nothing but itself", async () => {
  const { letters } = makeGallery("turning", "--contact-name=Anna", `--inviter-name=${VALUES.backwards}`, "--variant=everything");
  const following = new RegExp(`${INVITER}[^\\p{L}\\n]*(\\p{L}{2,})`, "u");
  const mistakes = [];
  let looked = 0;
  for (const letter of letters.filter(({ template }) => template !== "digest")) {
    await window.show(plain.letters.find(({ name }) => name === letter.name).file);
    const word = (await window.page.evaluate(() => document.body.innerText)).match(following)?.[1];
    if (!word) continue;
    looked += 1;
    const usual = await runsRight(word);
    await window.show(letter.file);
    if ((await runsRight(word)) !== usual) mistakes.push(`${letter.name}: "${word}" is written backwards`);
  }
  assert.deepEqual(mistakes, []);
  assert.ok(looked > 0, "no letter has a word after the name");
});

test("a message of the greatest length stands in the letter to its end", () => {
  const { letters } = makeGallery("long", `--message=${"long ".repeat(398)}last word`, "--template=invitation", "--variant=everything");
  for (const { file } of letters) {
    assert.match(readFileSync(file, "utf8"), /last word/);
    assert.match(readFileSync(file, "utf8"), new RegExp(BRAND));
  }
});
