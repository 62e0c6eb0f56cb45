// The sandbox as it is started: what it tells, which settings reach the handler, and what it refuses before anything else.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { until } from "../until.mjs";
import { handler, program, startSandbox } from "./stage.mjs";

/** Runs the program, which is expected to end by itself, and soon. */
function ended(flags, { settings = {}, cwd } = {}) {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...settings };
  const child = spawn(program, ["--handler", handler, ...flags], { env, cwd, timeout: 20_000 });
  let told = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (told += data));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, told })));
}

/** A port that somebody else has until a test ends. */
function taken(context) {
  const server = createServer();
  context.after(() => server.close());
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
}

test("the banner has all that it takes to invite somebody and to read the letter in the set brand", async () => {
  const scratch = await mkdtemp("/tmp/sandbox-templates-");
  const templates = fileURLToPath(new URL("../../../templates", import.meta.url));
  await cp(templates, join(scratch, "my"), { recursive: true });
  const settings = { BRAND_NAME: "Fjord", LANGUAGES: "en,nb", TEMPLATE_DIR: "my", MAIL_SENDERS: "x@y.example" };
  const sandbox = await startSandbox({ settings, cwd: scratch });
  const told = () => sandbox.said.join("\n");
  await until(told, (told) => told.includes("Ctrl-C"));
  assert.ok(told().indexOf("Open http") < told().indexOf("curl"));
  assert.match(told(), /From your shell: BRAND_NAME, LANGUAGES, TEMPLATE_DIR\.\n.*sandbox has its own: MAIL_SENDERS \(use --senders\)\./);
  const [, address, body] = told().match(/curl -s (\S+) [^\n]*\\\n.*-d '(.*)'/);
  const answer = await fetch(address, { method: "POST", headers: { "content-type": "application/json" }, body });
  const { results } = await answer.json();
  assert.deepEqual(results.map(({ contactName, outcome }) => [contactName, outcome]), [["Amara Okafor", "sent"]]);
  const letter = () => sandbox.said.find((line) => line.includes("to amara.okafor@fabrikam.example: "));
  assert.match(await until(letter, Boolean), /Fjord/);
  await sandbox.close();
  await rm(scratch, { recursive: true });
});

test("a wrong setting ends it in the handler's own words, said once", async () => {
  const { code, told } = await ended(["--port", "0"], { settings: { BRAND_COLOR: "red", INLINE_SECONDS: "0" } });
  assert.equal(code, 1);
  assert.match(told, /BRAND_COLOR: must be/);
  assert.match(told, /INLINE_SECONDS: must be/);
  assert.equal(told.match(/need attention/g).length, 1, told);
});

test("a busy port is named with the flag that chooses another", async (context) => {
  const port = await taken(context);
  for (const [flags, flag] of [[["--port", `${port}`], "--port"], [["--port", "0", "--page-port", `${port}`], "--page-port"]]) {
    const { code, told } = await ended(flags);
    assert.equal(code, 1);
    assert.match(told, new RegExp(`port ${port} is in use.*${flag}\\n`));
  }
});

test("what the command line cannot mean is refused", async () => {
  for (const flags of [["--contacts", "100001"], ["--senders", "0"], ["--latency", "slow"], ["--port", "8000", "--page-port", "8000"]]) {
    const { code, told } = await ended(flags);
    assert.notEqual(code, 0, flags.join(" "));
    assert.match(told, /100001|senders|slow|8000/);
  }
});
