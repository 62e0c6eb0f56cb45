// Looks at a page as it is, with its content, on a phone and a desk, by day and by night.

import assert from "node:assert/strict";
import { mistakesOf, picture } from "./stage.mjs";

/** Fails where axe finds something or the page is wider than its window; keeps a picture of each look. */
export async function looksWell(page, name) {
  for (const [width, height] of [[375, 1300], [1280, 1100]]) {
    await page.setViewportSize({ width, height });
    for (const shade of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: shade });
      await page.evaluate(toTop);
      assert.deepEqual(await mistakesOf(page), [], `${width} px, ${shade}`);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${width} px`);
      await picture(page, `${name}-${width}-${shade}`);
    }
  }
}

/** Else the sticky head covers text, and links that are scrolled out of the list of views pass for skip links. */
function toTop() {
  scrollTo(0, 0);
  document.querySelector(".views").scrollLeft = 0;
}
