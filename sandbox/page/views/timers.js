// The timers of the app, for the view Clock: when they are due, how their runs ended, and running them.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { tell } from "../ask.js";
import { chip, moment, say } from "../parts.js";
import { changed, onChange, rowsOf } from "../world.js";

/** What people call the timers of this app, and what they are for. */
const KNOWN = {
  "function-dispatch": ["Dispatch", "Goes on with accepted work that nobody is at: creates rows, sends letters, and finds out what became of those in doubt."],
  "function-sweep": ["Sweep", "Closes invitations that are past their expiry."],
  "function-remind": ["Remind", "Plans a reminder for each invitation that expires soon. Dispatch sends it."],
  "function-digest": ["Digest", "Writes to staff what has happened since it last ran, if DIGEST_TO names somebody."],
};

/** When somebody asked for a run, by timer: its end is said aloud. */
const asked = new Map();
let trouble;

/** What people call a timer. */
export const nameOf = (id) => KNOWN[id]?.[0] ?? id;

/** Runs timers, one after the other. A run may have ended before the sandbox's answer is here. */
export async function runTimers(names) {
  for (const name of names) asked.set(name, rowsOf("timers").get(name)?.runs[0]?.started);
  say(names.length === 1 ? `${nameOf(names[0])} runs` : "The timers run, one after the other");
  await tell("timers", { names });
}

onChange(() => {
  for (const [name, before] of asked) {
    const [last] = rowsOf("timers").get(name)?.runs ?? [];
    if (last?.ok === undefined || last.started === before) continue;
    asked.delete(name);
    say(`${nameOf(name)} ${last.ok ? "succeeded" : "failed"}. ${last.text}`);
  }
});

export function drawTimers() {
  const places = Object.keys(KNOWN);
  const timers = [...rowsOf("timers").values()].sort((one, other) => places.indexOf(one.id) - places.indexOf(other.id));
  return html`
    <section class="card" aria-labelledby="timers">
      <h2 id="timers">Timers</h2>
      ${trouble ? html`<p class="note bad" role="alert">${trouble}</p>` : nothing}
      <ul class="plain lines">${repeat(timers, ({ id }) => id, drawTimer)}</ul>
    </section>
  `;
}

function drawTimer({ id, schedule, words, next, runs }) {
  const [last, ...earlier] = runs;
  const running = last !== undefined && last.ok === undefined;
  return html`
    <li class="timer">
      <div>
        <h3>${nameOf(id)}</h3>
        <p>${KNOWN[id]?.[1] ?? id}</p>
        <p class="small quiet"><code>${schedule}</code> ${words} Due ${moment(next)}.</p>
      </div>
      <div>
        ${last ? drawRun(last) : html`<p class="quiet">It has not run yet.</p>`}
        ${earlier.length > 0 ? drawEarlier(earlier) : nothing}
      </div>
      <button ?disabled=${running} @click=${() => runNow(id)}>Run now<span class="aloud"> ${nameOf(id)}</span></button>
    </li>
  `;
}

const drawEarlier = (runs) => html`
  <details class="small">
    <summary>Earlier runs</summary>
    <ul class="plain">${runs.map((run) => html`<li>${drawRun(run)}</li>`)}</ul>
  </details>
`;

function drawRun({ started, milliseconds, ok, text }) {
  if (ok === undefined) return html`<p>${chip("Running", "info")} since ${moment(started)}</p>`;
  return html`
    <div class="run">
      <p class="row small">
        ${ok ? chip("✓ Succeeded", "good") : chip("✗ Failed", "bad")}
        <span class="quiet">${moment(started)}, in ${spellMilliseconds(milliseconds)}</span>
      </p>
      ${text ? html`<p>${text}</p>` : nothing}
    </div>
  `;
}

const spellMilliseconds = (count) => (count < 1000 ? `${count} ms` : `${(count / 1000).toFixed(1)} s`);

async function runNow(id) {
  trouble = undefined;
  try {
    await runTimers([id]);
  } catch (error) {
    trouble = error.message;
    changed();
  }
}
