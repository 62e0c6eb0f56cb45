// Traffic: who called whom, what it took and what was logged, as one story, the newest first.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { chip, say } from "../parts.js";
import { changed, revisionOf, rowsOf } from "../world.js";
import { heading, laneNames, lanesOf, sequence } from "./traffic-rows.js";
import { figures, isFailed, narrow, services, tell } from "./traffic-story.js";
import { duration, many, share, size } from "./traffic-words.js";

export const title = "Traffic";
export const feeds = ["calls", "requests", "log"];

/** How many rows are drawn, and how many more at a time. */
const ROWS = 200;
const SPANS = { "Everything kept": Infinity, "Last minute": 60, "Last 5 minutes": 300, "Last hour": 3600 };

const filter = { service: "", fn: "", errors: false };
/** What somebody opened or closed: sections by their keys. Others are open where there is something to see. */
const folds = new Map();
const opened = new Set();
let span = "Everything kept";
let shown = ROWS;
/** What had ended by this moment was cleared away. */
let cleared = -Infinity;
/** What is looked at while the view stands still. */
let still;
/** What there was when it was last looked at, and the story of it. */
let known = {};

function now() {
  const version = [...feeds.map(revisionOf), cleared].join();
  if (known.version !== version) known = { version, ...since(cleared) };
  return known;
}

function since(moment) {
  const list = (feed, end) => [...rowsOf(feed).values()].filter((row) => end(row) > moment);
  const seen = { calls: list("calls", ended), requests: list("requests", ended), lines: list("log", ({ at }) => at) };
  return { ...seen, sections: tell(seen) };
}

/** When something ended; it may still run. */
const ended = ({ at, took }) => at + (took ?? Infinity);

export function draw() {
  const seen = still ?? now();
  const sections = narrow(seen.sections, filter);
  const lanes = lanesOf(seen.requests);
  return html`
    <p class="lead">Who called whom, how long it took, and what the handler logged. Codes and keys are never shown.</p>
    <div class="stack traffic">
      ${summary(seen.requests)}
      ${controls(seen)}
      ${sections.length > 0 ? story(sections, lanes) : nothingThere(seen)}
    </div>
  `;
}

function summary(requests) {
  const since = Date.now() - SPANS[span] * 1000;
  const { contacts, each } = figures(requests.filter(({ at }) => at >= since));
  return html`
    <section class="card" aria-label="Summary">
      <div class="row apart">
        <p class="headline">${contacts > 0 ? `${many(contacts, "contact")} invited` : "Nobody invited"}</p>
        <select aria-label="Span" @change=${(event) => set(() => (span = event.target.value))}>
          ${Object.keys(SPANS).map((name) => html`<option ?selected=${name === span}>${name}</option>`)}
        </select>
      </div>
      ${each.length > 0
        ? html`<ul class="by-service">${each.map((one) => serviceFigures(one, contacts))}</ul>`
        : html`<p class="quiet">No requests in this span.</p>`}
    </section>
  `;
}

function serviceFigures({ service, count, sent, answered, half, most, trouble }, contacts) {
  return html`
    <li>
      <p><b>${services[service]}</b> ${trouble > 0 ? chip(`${trouble} in trouble`, "bad") : nothing}</p>
      <p class="count">${many(count, "request")}</p>
      <p class="quiet small">
        ${contacts > 0 ? html`${share(count, contacts)} a contact<br />` : nothing}
        <span><abbr title="half of them took at most">p50</abbr> ${duration(half)}</span> ·
        <span><abbr title="95 of 100 took at most">p95</abbr> ${duration(most)}</span><br />
        <span>${size(sent)} sent</span>, <span>${size(answered)} received</span>
      </p>
    </li>
  `;
}

function controls({ calls }) {
  const functions = [...new Set(calls.map((call) => call.function))].sort();
  return html`
    <div class="row apart">
      <div class="row">
        ${choice("Service", "All services", Object.entries(services), filter.service, (value) => (filter.service = value))}
        ${choice("Function", "All functions", functions.map((name) => [name, name]), filter.fn, (value) => (filter.fn = value))}
        <label class="check"><input type="checkbox" .checked=${filter.errors} @change=${(event) => set(() => (filter.errors = event.target.checked))} /> Errors only</label>
      </div>
      <div class="row">
        ${still ? html`<span class="quiet small">${many(arrived(), "new row")} since</span>` : nothing}
        <button aria-pressed=${Boolean(still)} @click=${pause}>Pause</button>
        <button @click=${clear}>Clear</button>
      </div>
    </div>
  `;
}

function choice(label, all, options, value, take) {
  return html`
    <select aria-label=${label} @change=${(event) => set(() => take(event.target.value))}>
      <option value="" ?selected=${value === ""}>${all}</option>
      ${options.map(([key, name]) => html`<option value=${key} ?selected=${key === value}>${name}</option>`)}
    </select>
  `;
}

function story(sections, lanes) {
  let room = shown;
  const drawn = [];
  for (const section of sections) {
    if (room <= 0) break;
    const open = isOpen(section);
    const rows = open ? section.rows.slice(0, room) : [];
    room -= rows.length + 1;
    drawn.push({ section, open, rows });
  }
  const left = drawn.length < sections.length || drawn.some(({ section, open, rows }) => open && rows.length < section.rows.length);
  return html`
    <div>
      ${laneNames(lanes)}
      ${repeat(drawn, ({ section }) => section.key, ({ section, open, rows }) => invocation(section, rows, open, lanes))}
    </div>
    ${left ? html`<p><button @click=${() => set(() => (shown += ROWS))}>Show more</button></p>` : nothing}
  `;
}

function invocation(section, rows, open, lanes) {
  return html`
    <details class="invocation" ?open=${open} @toggle=${(event) => fold(section, event)}>
      <summary>${heading(section)}</summary>
      ${open ? sequence(section, rows, lanes, { isOpen: (id) => opened.has(id), toggle: unfold }) : nothing}
    </details>
  `;
}

function nothingThere({ calls, requests, lines }) {
  const any = calls.length + requests.length + lines.length > 0;
  return html`<p class="card empty">
    ${any ? "Nothing here is like that. Choose other filters." : "Nothing yet. Invite somebody, or run a timer, and see who calls whom."}
  </p>`;
}

function set(change) {
  change();
  changed();
}

function isOpen({ key, call, rows }) {
  return folds.get(key) ?? (!call || call.took === null || isFailed(call) || rows.some(({ request }) => request));
}

/** Both come for what the page itself opens, too: then nothing has changed. */
function fold(section, { target }) {
  if (target.open !== isOpen(section)) set(() => folds.set(section.key, target.open));
}

function unfold(id, open) {
  if (open === opened.has(id)) return;
  set(() => (open ? opened.add(id) : opened.delete(id)));
}

function pause() {
  still = still ? undefined : now();
  say(still ? "Paused" : "Live again");
}

function arrived() {
  const rows = ({ calls, requests, lines }) => [...calls, ...requests, ...lines];
  const old = new Set(rows(still));
  return rows(now()).filter((row) => !old.has(row)).length;
}

function clear() {
  const { calls, requests, lines } = now();
  const ends = [...calls, ...requests].map(ended).filter(Number.isFinite);
  cleared = Math.max(cleared, ...ends, ...lines.map(({ at }) => at));
  still = undefined;
  [folds, opened].forEach((some) => some.clear());
  shown = ROWS;
  say("Cleared");
}
