// One sending of the request: while the host works on it, while the batch goes on without it, and how it ended.

import { call } from "../ask.js";
import { say } from "../parts.js";
import { changed } from "../world.js";
import { rewind } from "./answer.js";
import { answers, batches, follow } from "./batches.js";
import { spend } from "./request.js";

/** What was sent last: whether the host is `waiting`, its `answer`, what it was (`dry`, `repeated`), batches known before. */
export const run = { waiting: false, answer: undefined, dry: false, repeated: false, earlier: new Set() };

/** Sends a request, and follows its batch if that goes on. */
export async function send(request, { dry, repeated }) {
  if (run.waiting) return;
  Object.assign(run, { waiting: true, answer: undefined, dry, repeated });
  run.earlier = new Set(batches().map(({ number }) => number));
  rewind();
  say(dry ? "Checking." : "Inviting.");
  requestAnimationFrame(() => document.getElementById("answer")?.scrollIntoView({ block: "nearest" }));
  try {
    run.answer = await call(request.method, request.path, request);
  } catch {
    run.answer = { status: 0 };
  }
  run.waiting = false;
  const { status, json } = run.answer;
  if (!dry && status > 0 && status < 300) spend(request);
  if (status === 202) follow(json.batch);
  changed();
  requestAnimationFrame(() => document.getElementById("answer")?.focus());
}

/** The answer that counts now: of the batch, once that says more than the first answer did. */
export function standing() {
  const { answer } = run;
  const followed = answer?.status === 202 ? answers.get(answer.json.batch) : undefined;
  return { answer: followed?.answer ?? answer, trouble: followed?.trouble, goesOn: answer?.status === 202 && !followed?.settled };
}

/** The batch that appeared in Dataverse since the request was sent, if its rows name one. */
export const appeared = () => batches().find(({ number, total }) => total > 0 && !run.earlier.has(number));

/** Errors of the last answer by field, for the form. */
export function mistakes() {
  const errors = run.answer?.json?.errors ?? [];
  return new Map(errors.map(({ field, message }) => [field.split(/[.[]/)[0], message]));
}

/** Forgets the last answer. */
export function dismiss() {
  run.answer = undefined;
  changed();
}
