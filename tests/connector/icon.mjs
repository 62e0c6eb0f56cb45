// Draws connector/icon.png from connector/icon.svg. `node icon.mjs` writes it; the tests ask whether it is still the same.

import { readFileSync, writeFileSync } from "node:fs";
import { Resvg } from "@resvg/resvg-js";

const svg = new URL("../../connector/icon.svg", import.meta.url);
export const png = new URL("../../connector/icon.png", import.meta.url);

/** The picture: `width`, `height`, `pixels` (four bytes each) and `asPng()`. */
export function draw(width) {
  const fitTo = width ? { mode: "width", value: width } : { mode: "original" };
  return new Resvg(readFileSync(svg), { fitTo, font: { loadSystemFonts: false } }).render();
}

if (process.argv[1] === new URL(import.meta.url).pathname) writeFileSync(png, draw().asPng());
