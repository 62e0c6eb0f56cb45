// The icon: as the catalogue of connectors takes it, and drawn from the file that stands beside it.
// https://learn.microsoft.com/connectors/custom-connectors/certification-submission

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { draw, png } from "./icon.mjs";

test("the picture is the drawing", () => {
  const same = readFileSync(png).equals(draw().asPng());
  assert.ok(same, "connector/icon.svg was changed: run `npm run icon`");
});

test("the icon is a square of a size that is taken, and nowhere transparent", () => {
  const { width, height, pixels } = draw();
  assert.equal(width, height);
  assert.ok(width >= 230 && width <= 500, `${width} pixels`);
  assert.ok(pixels.every((byte, place) => place % 4 !== 3 || byte === 255));
});

test("its background is the brand's colour, in each kind of connection", () => {
  const { width, height, pixels } = draw();
  const corners = [0, width - 1, width * (height - 1), width * height - 1];
  for (const name of ["apiProperties.json", "apiProperties.entra.json"]) {
    const { properties } = JSON.parse(readFileSync(new URL(`../../connector/${name}`, import.meta.url)));
    const found = corners.map((corner) => `#${Buffer.from(pixels.subarray(corner * 4, corner * 4 + 3)).toString("hex")}`);
    assert.deepEqual(found, Array(4).fill(properties.iconBrandColor), name);
  }
});

test("at 32 pixels the door and the envelope can be told apart", () => {
  const { pixels } = draw(32);
  const light = (x, y) => pixels[(y * 32 + x) * 4] > 128;
  const row = (y) => Array.from({ length: 32 }, (_, x) => (light(x, y) ? "#" : ".")).join("");
  assert.match(row(10), /^\.+#+\.+$/, "the arch of the door");
  assert.match(row(22), /^\.+#+\.+#+\.+$/, "the envelope in it");
});
