// What the page takes from npm is what npm has.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const vendored = fileURLToPath(new URL("../../../sandbox/page/vendor/lit-html", import.meta.url));
const published = fileURLToPath(new URL("../node_modules/lit-html", import.meta.url));

test("lit-html is as it was published", () => {
  const files = readdirSync(vendored, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.ok(files.length > 3);
  for (const { name, parentPath } of files) {
    const path = join(parentPath, name).slice(vendored.length);
    assert.equal(readFileSync(join(vendored, path), "utf8"), readFileSync(join(published, path), "utf8"), path);
  }
});
