// What the handler says of batches: asked anew, each second, until all is settled.

import { call } from "../ask.js";
import { changed, revisionOf, rowsOf } from "../world.js";
import { kept } from "../parts.js";
import { standingOf } from "./standings.js";

const ASK_EVERY = 1_000;

/** The last answer about each batch, by its number, and whether it is the last word. */
export const answers = new Map();

/** Asks about a batch until it is settled, or nobody knows it. */
export async function follow(number) {
  if (answers.has(number)) return;
  answers.set(number, { settled: false });
  for (;;) {
    const answer = await ask(number);
    const settled = answer.status === 200 || answer.status === 404;
    // An answer of a handler that is being killed leaves the last good one standing.
    if (settled || answer.status === 202) answers.set(number, { answer, settled });
    else answers.set(number, { ...answers.get(number), trouble: answer });
    changed();
    if (settled) return;
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY));
  }
}

async function ask(number, query = "") {
  try {
    return await call("GET", `/api/batches/${number}${query}`);
  } catch {
    return { status: 0 };
  }
}

/** Fetches the results that follow those which are known. */
export async function readOn(answer) {
  const next = await ask(answer.json.batch, `?cursor=${encodeURIComponent(answer.json.nextCursor)}`);
  if (next.status !== 200) return;
  answer.json.results.push(...next.json.results);
  answer.json.nextCursor = next.json.nextCursor;
  changed();
}

/** How many rows of each batch stand how: `{ number, began, total, new, sent, … }`, the newest batch first. */
const tally = kept((rows, _revision, minute) => {
  const batches = new Map();
  for (const row of rows.values()) {
    if (row.batch === null) continue;
    if (!batches.has(row.batch)) batches.set(row.batch, blank(row.batch, row.created));
    const batch = batches.get(row.batch);
    batch[standingOf(row, minute * 60_000)] += 1;
    batch.total += 1;
    if (row.created < batch.began) batch.began = row.created;
  }
  return batches;
});

const blank = (number, began) => ({ number, began, total: 0, new: 0, sent: 0, redeemed: 0, expired: 0, closed: 0 });

/** Every batch that rows name or that was asked about. */
export function batches() {
  const found = tally(rowsOf("invitations"), revisionOf("invitations"), Math.floor(Date.now() / 60_000));
  const others = [...answers.keys()].filter((number) => !found.has(number)).map((number) => blank(number, null));
  const all = [...found.values(), ...others].map((batch) => ({ ...batch, ...answers.get(batch.number) }));
  return all.sort((one, other) => (other.began ?? "9").localeCompare(one.began ?? "9"));
}
