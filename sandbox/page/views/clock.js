// Clock: how much time has passed here, and more of it on demand.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { tell } from "../ask.js";
import { moment, say } from "../parts.js";
import { changed, rowsOf } from "../world.js";
import { drawTimers, nameOf, runTimers } from "./timers.js";

export const title = "Clock";
export const feeds = ["time", "timers"];

const SIZES = { minutes: 60, hours: 3600, days: 86400, weeks: 604800 };
const JUMPS = [["+1 hour", 3600], ["+1 day", 86400], ["+1 week", 604800]];
const calendar = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "short" });

/** What is filled in, what the last jump left to do, and what went wrong. */
const form = { amount: "14", unit: "days" };
let meanwhile;
let trouble;
let ticking = false;

const passed = () => rowsOf("time").get("time")?.passed ?? 0;

export const status = () =>
  passed() > 0 ? html`<a class="chip info" href="#clock">${spell(passed())} later</a>` : nothing;

export function draw() {
  tick();
  return html`
    <p class="lead">Time passes here by making everything that is stored older: rows, letters and drafts. The handler keeps its own
      clock, and timers keep to the clock on the wall.</p>
    <div class="stack">
      <section class="card stack" aria-labelledby="passing">
        ${drawTime(rowsOf("time").get("time"))}
        <div class="row">
          ${JUMPS.map(([label, seconds]) => html`<button @click=${() => jump("clock", { seconds })}>${label}</button>`)}
          <button @click=${() => jump("clock/next")}>To the next timer</button>
          <button ?disabled=${!rowsOf("time").get("time")?.expiry} @click=${toNextExpiry}>To the next expiry</button>
        </div>
        ${drawForm()}
        ${trouble ? html`<p class="note bad" role="alert">${trouble}</p>` : nothing}
        ${meanwhile ? drawMeanwhile() : nothing}
      </section>
      ${drawTimers()}
    </div>
  `;
}

/** Moments are told as they are now, for as long as somebody looks. */
function tick() {
  if (ticking) return;
  ticking = true;
  setTimeout(() => {
    ticking = false;
    changed();
  }, 1000);
}

function drawTime(time) {
  const date = calendar.format(Date.now() + passed() * 1000);
  return html`
    <div>
      <h2 id="passing" class="big">${passed() > 0 ? html`${spell(passed())} later` : "No time has passed yet"}</h2>
      <p class="quiet">As if it were ${date}. ${time ? drawInvitations(time) : nothing}</p>
    </div>
  `;
}

function drawInvitations({ open, expired, expiry }) {
  const late = expired > 0 ? html` ${expired} past expiry, for the sweep to close.` : nothing;
  if (open === 0) return html`No invitation waits to be redeemed.${late}`;
  const first = open === 1 ? "One invitation waits to be redeemed; it" : `${open} invitations wait to be redeemed; the first`;
  return html`${first} expires ${moment(expiry)}.${late}`;
}

function drawForm() {
  return html`
    <form class="inline" novalidate @submit=${submit}>
      <label>How long <input type="number" min="1" .value=${form.amount} @input=${(event) => (form.amount = event.target.value)} /></label>
      <label>Unit
        <select @change=${(event) => (form.unit = event.target.value)}>
          ${Object.keys(SIZES).map((unit) => html`<option ?selected=${unit === form.unit}>${unit}</option>`)}
        </select>
      </label>
      <button class="primary">Let it pass</button>
    </form>
  `;
}

function submit(event) {
  event.preventDefault();
  jump("clock", { seconds: Math.round(Number(form.amount) * SIZES[form.unit]) });
}

/** Just past it: an invitation works up to and with its expiry. */
function toNextExpiry() {
  const { expiry } = rowsOf("time").get("time");
  jump("clock", { seconds: Math.ceil((new Date(expiry) - Date.now()) / 1000) + 1 });
}

async function jump(path, body) {
  [trouble, meanwhile] = [];
  try {
    meanwhile = await tell(path, body);
    say(told(meanwhile));
  } catch (error) {
    trouble = error.message;
    changed();
  }
}

/** What a jump did, in words. */
function told({ seconds, ran, due, caughtUp = [] }) {
  const runs = ran ? ` ${nameOf(ran)} was due: see below how it ended.` : "";
  const missed = due.length > 0 ? ` Meanwhile ${list(due.map(nameOf))} would have run.` : "";
  const later = caughtUp.length > 0 ? ` ${list(caughtUp.map(nameOf))} ran now: see below how it ended.` : "";
  return `${spell(seconds)} passed.${runs}${missed}${later}`;
}

function drawMeanwhile() {
  const { due } = meanwhile;
  const button = html`<button @click=${runMissed}>Run ${due.length === 1 ? "it" : "them"} now</button>`;
  return html`<div class="note row apart"><span>${told(meanwhile)}</span> ${due.length > 0 ? button : nothing}</div>`;
}

async function runMissed() {
  const { due } = meanwhile;
  meanwhile = { ...meanwhile, due: [], caughtUp: due };
  try {
    await runTimers(due);
  } catch (error) {
    trouble = error.message;
    changed();
  }
}

const list = (names) => new Intl.ListFormat("en").format(names);

/** A span of time in its two largest units, such as "3 days 4 hours". */
function spell(seconds) {
  let rest = Math.round(seconds);
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const parts = units.flatMap(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? [`${count} ${unit}${count === 1 ? "" : "s"}`] : [];
  });
  return parts.slice(0, 2).join(" ");
}
