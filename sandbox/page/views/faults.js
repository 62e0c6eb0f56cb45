// Faults: break things on purpose, and watch that nothing is lost. Also the handler's standing, for the head of every view.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { tell } from "../ask.js";
import { chip, say } from "../parts.js";
import { changed, onChange, rowsOf } from "../world.js";
import { drawCards } from "./fault-cards.js";
import { drawStories } from "./stories.js";

export const title = "Faults";
export const feeds = ["faults", "handler"];

let trouble;
/** What was last known of the handler, so that news can be said aloud. */
let known;

onChange(() => {
  const handler = rowsOf("handler").get("handler");
  if (handler?.state === known?.state && handler?.pid === known?.pid) return;
  const isNews = known !== undefined;
  known = handler;
  if (isNews && handler?.state === "ready") say(`The handler is ready: process ${handler.pid}`);
  if (isNews && handler?.state === "down") say("The handler is down");
});

/** A fault that is used up strikes no more. */
const isOver = ({ left }) => left === 0;

export function status() {
  const count = [...rowsOf("faults").values()].filter((fault) => !isOver(fault)).length;
  const faults = count > 0 ? html`<a class="chip warn" href="#faults">${count} ${count === 1 ? "fault" : "faults"} on</a>` : nothing;
  return html`${faults}${standing(rowsOf("handler").get("handler"))}`;
}

function standing(handler) {
  const link = (kind, text) => html`<a class="chip ${kind}" href="#faults">${text}</a>`;
  switch (handler?.state) {
    case "ready":
      return link("good", html`Handler ready <span class="wide">· process ${handler.pid}</span>`);
    case "starting":
      return link("warn", "Handler starting…");
    case "down":
      return link("bad", "Handler down");
    default:
      return nothing;
  }
}

export function draw() {
  const handler = rowsOf("handler").get("handler");
  return html`
    <p class="lead">Break things on purpose. Nothing that was accepted is lost: it stands in a journal, and the
      <a href="#clock">dispatch timer</a> goes on with it each minute.</p>
    <div class="stack">
      ${handler?.state === "down" ? drawDown(handler) : nothing}
      ${drawActive([...rowsOf("faults").values()])}
      ${drawStories()}
      ${drawCards()}
    </div>
  `;
}

const drawDown = ({ reason }) => html`
  <p class="note bad" role="alert"><strong>The host has given the handler up:</strong> ${reason}. Start the sandbox again.</p>
`;

function drawActive(faults) {
  return html`
    <section class="card" aria-labelledby="active">
      <div class="row apart">
        <h2 id="active">What is broken now</h2>
        ${faults.length > 0 ? html`<button @click=${() => end("all", "Every fault")}>End all</button>` : nothing}
      </div>
      ${trouble ? html`<p class="note bad" role="alert">${trouble}</p>` : nothing}
      ${faults.length > 0
        ? html`<ul class="plain lines">${repeat(faults, ({ id }) => id, drawFault)}</ul>`
        : html`<p class="quiet">Nothing. Everything works as it should.</p>`}
    </section>
  `;
}

function drawFault(fault) {
  const { id, label } = fault;
  return html`
    <li class="row apart">
      <span>${label}</span>
      <span class="row">
        ${drawCount(fault)}
        <button @click=${() => end(id, label)}>${isOver(fault) ? "Clear" : "End"}<span class="aloud"> ${label}</span></button>
      </span>
    </li>
  `;
}

function drawCount(fault) {
  const { left, struck } = fault;
  if (struck === undefined) return chip("on until ended", "warn");
  const times = struck === 0 ? "has not struck yet" : struck === 1 ? "struck once" : `struck ${struck} times`;
  const rest = isOver(fault) ? chip("✓ over", "good") : left ? chip(`${left} left`, "warn") : chip("on until ended", "warn");
  return html`<span class="small quiet">${times}</span> ${rest}`;
}

async function end(id, label) {
  trouble = undefined;
  try {
    await tell("faults/end", { id });
    say(`${label}: ended`);
  } catch (error) {
    trouble = error.message;
    changed();
  }
}
