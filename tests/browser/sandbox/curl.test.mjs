// The curl line that the page shows, run by a shell against a server that tells what came.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { buffer } from "node:stream/consumers";

// The module has no imports of its own, and lies outside of this package, which would make it a module for Node.
const source = readFileSync(new URL("../../../sandbox/page/views/request.js", import.meta.url), "base64");
const { curlLine, httpText, shortened } = await import(`data:text/javascript;base64,${source}`);

const HEADERS = { "Content-Type": "application/json", "Idempotency-Key": "it's $(a) key" };
const ODD = "It's \"$HOME\" `x` \\ %s %d !! &\n\tæøå 漢字";
let server;
let came;

before(async () => {
  server = createServer(async (request, response) => {
    came = { method: request.method, url: request.url, headers: request.headers, body: (await buffer(request)).toString() };
    response.end();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
});
after(() => server.close());

const run = (line) =>
  new Promise((ended, failed) => {
    const shell = execFile("sh", [], (error) => (error ? failed(error) : ended()));
    shell.stdin.end(line);
  });

for (const [words, count] of [["a few contacts", 2], ["more contacts than fit into an argument", 5_000]]) {
  test(`it sends ${words} byte by byte`, async () => {
    const ids = Array.from({ length: count }, () => crypto.randomUUID());
    const body = JSON.stringify({ contactIds: ids, message: ODD }, null, 2);
    const host = `http://127.0.0.1:${server.address().port}/`;
    await run(curlLine({ method: "POST", path: "/api/invitations", headers: HEADERS, body }, host));
    assert.equal(came.body, body);
    assert.deepEqual([came.method, came.url], ["POST", "/api/invitations"]);
    assert.equal(came.headers["content-type"], HEADERS["Content-Type"]);
    assert.equal(came.headers["idempotency-key"], HEADERS["Idempotency-Key"]);
  });
}

test("only ids are left out of what is shown, and how many is told", () => {
  const ids = Array.from({ length: 20 }, () => crypto.randomUUID());
  const body = JSON.stringify({ contactIds: ids, message: "Welcome" }, null, 2);
  const text = httpText({ method: "POST", path: "/api/invitations", headers: HEADERS, body }, "http://127.0.0.1:1/");
  const short = shortened(text);
  assert.ok(short.includes(ids[7]) && !short.includes(ids[8]) && !short.includes(ids[19]));
  assert.ok(short.includes("… and 12 more"));
  assert.ok(short.endsWith('  ],\n  "message": "Welcome"\n}'));
  assert.equal(shortened(text.replaceAll(/^ {4}"[^"]+",\n/gm, "")).includes("…"), false);
});
