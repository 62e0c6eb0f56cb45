// Asks axe-core about the page that a window shows.

import axe from "axe-core";

/** A mail program shows a letter as a part of its own page, which has the landmarks and the first heading. */
const LETTER = { region: false, "landmark-one-main": false, "page-has-heading-one": false };

/** Gives the page that is shown the means to be asked. */
export const bringAxe = (page) => page.evaluate(axe.source);

/** What axe finds in a whole page. */
export async function pageMistakes(page) {
  const { found } = await page.evaluate(ask, { iframes: false });
  return found;
}

/**
 * What axe finds in a letter, by every rule or by those named. Doubt about contrast counts as a mistake, and so does text
 * whose contrast axe passed over.
 */
export async function letterMistakes(page, only) {
  const rules = Object.fromEntries(Object.entries(LETTER).map(([rule, enabled]) => [rule, { enabled }]));
  const { found, unmeasured } = await page.evaluate(ask, only ? { runOnly: only } : { rules });
  return [...found, ...unmeasured];
}

/**
 * Runs inside the page. axe takes joined letters for the ligatures of an icon font, and passes them over
 * (https://github.com/dequelabs/axe-core/pull/3867); while it looks, letters that join are others that do not.
 */
async function ask(options) {
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) texts.push({ node: walker.currentNode, data: walker.currentNode.data });
  for (const { node, data } of texts) node.data = data.replace(/[\p{Script=Arabic}\p{Mark}]/gu, "n");
  const { violations, incomplete, passes } = await window.axe.run(document, options);

  const isContrast = ({ id }) => id === "color-contrast";
  const short = (html) => html.replace(/\s+/g, " ").slice(0, 160);
  const found = [...violations, ...incomplete.filter(isContrast)].flatMap(({ id, nodes }) =>
    nodes.map(({ html, any }) => `${id}: ${any[0]?.message ?? ""} ${short(html)}`),
  );
  const results = [...passes, ...violations, ...incomplete].filter(isContrast);
  const measured = new Set(results.flatMap(({ nodes }) => nodes.map(({ target }) => document.querySelector(target[0]))));
  const passedOver = texts.map(({ node, data }) => {
    const isText = /[\p{L}\p{N}]/u.test(data) && node.parentElement.checkVisibility();
    node.data = data;
    return isText && !measured.has(node.parentElement) && short(node.parentElement.outerHTML);
  });
  return { found, unmeasured: passedOver.filter(Boolean).map((html) => `color-contrast: axe did not measure ${html}`) };
}
