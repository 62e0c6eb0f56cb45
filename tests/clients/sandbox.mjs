// Starts the sandbox's services for one file of tests, and says where they are.
//
// The services are the example `services` of the sandbox crate; cargo builds it with the tests. It ends
// when its standard input does, so nothing stays behind when this process is killed.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const built = fileURLToPath(new URL("../../target/debug/examples/services", import.meta.url));

/**
 * Starts the services; the result has the environment variables that a function app would get, and `stop`.
 * With `identity`, the managed identity is the user-assigned one with that client id.
 */
export async function startSandbox({ identity } = {}) {
  const program = process.env.SANDBOX_SERVICES ?? built;
  if (!existsSync(program)) {
    throw new Error(`${program} is not there: cargo build -p sandbox --example services`);
  }
  const child = spawn(program, identity ? ["--identity", identity] : [], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    return { environment: JSON.parse(line), stop: () => (child.stdin.end(), ended) };
  }
  throw new Error(`${program} ended with ${await ended} before it said where it listens`);
}
