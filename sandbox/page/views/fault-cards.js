// One card for each kind of trouble in the view Faults: what it stands for, what to expect, and its figures.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { tell } from "../ask.js";
import { say } from "../parts.js";
import { changed, rowsOf } from "../world.js";

const SERVICE = { name: "service", label: "Where", options: { dataverse: "Dataverse", graph: "Exchange", both: "Both" } };
const where = (value) => ({ ...SERVICE, value });
const number = (name, label, value) => ({ name, label, value: String(value) });

const BEGUN = "It is on, and listed at the top of this page.";

/** A fault that the sandbox knows by its kind. */
const fault = (kind, label) => ({ label, act: (values) => tell("faults", { kind, ...values }), done: () => BEGUN });
/** A state of the environment, on until it is ended. */
const flip = (id, label) => ({ label, act: () => tell("switches", { id }), done: () => BEGUN, isOn: () => rowsOf("faults").has(id) });

const CARDS = [
  {
    title: "Throttling",
    stands: "Dataverse and Exchange limit what one application may ask of them. Beyond that they answer 429 and how long to wait.",
    expect: "The handler waits as long as it is told. Where it has no time for that, Dispatch goes on later.",
    fields: [where("dataverse"), number("seconds", "Seconds", 5), number("requests", "Requests", 3)],
    actions: [fault("throttle", "Throttle")],
  },
  {
    title: "Outage",
    stands: "A service is down, or the network on the way to it.",
    expect: "Without Dataverse a request is refused and leaves no work behind. Without Exchange it is accepted, and its letters go out later.",
    fields: [where("graph"), { name: "breaks", label: "How", value: "false", options: { false: "Answers 503", true: "Connections break" } }],
    actions: [fault("outage", "Begin the outage")],
  },
  {
    title: "Lost answers",
    stands: "The row is written, the letter is sent, and the connection breaks before the answer arrives.",
    expect: "The handler looks before it does anything again: no row and no letter twice.",
    fields: [where("graph"), number("writes", "Rows or letters", 3)],
    actions: [fault("lost", "Lose the answers")],
  },
  {
    title: "Slowness",
    stands: "A busy day. In Exchange each letter takes longer, in Dataverse each request.",
    expect: "Batches last long enough to be watched. A write that takes over 15 seconds counts as lost.",
    fields: [where("graph"), number("milliseconds", "Milliseconds", 1000)],
    actions: [fault("slow", "Slow it down")],
  },
  {
    title: "Overwritten codes",
    stands: "A forgotten process gives invitations codes of its own: when they are created, or later.",
    expect: "At create nobody notices: the letter carries the code that the row has. Later, letters that are out lead to an unknown code.",
    fields: [],
    actions: [
      flip("codes", "Overwrite at create"),
      { label: "Overwrite all open ones now", act: () => tell("codes/overwrite"), done: ({ rows }) => `Codes overwritten: ${rows}.` },
    ],
  },
  {
    title: "The handler dies",
    stands: "The host kills its process whenever it likes: to scale in, to update, for want of memory.",
    expect: "The host starts another one at once, and the next Dispatch goes on with what was accepted.",
    fields: [number("letters", "Letter number", 3)],
    actions: [
      { ...fault("kill", "Kill it at this letter"), kind: "danger" },
      { label: "Kill it now", kind: "danger", act: () => tell("handler/kill"), done: drawKilled },
    ],
  },
  {
    title: "Rights taken away",
    stands: "An administrator tidies up the environment, and takes away what the handler needs.",
    expect: "Requests fail and say why, and so does the doctor. Once it is given back, invite again.",
    fields: [],
    actions: [flip("user", "Remove the application user"), flip("privilege", "Take the right to create")],
  },
  {
    title: "Revoked tokens",
    stands: "Every access token that the handler has ends at once.",
    expect: "The handler fetches fresh ones and goes on. Nobody notices.",
    fields: [],
    actions: [{ label: "Revoke all tokens", act: () => tell("tokens/revoke"), done: ({ tokens }) => `Tokens revoked: ${tokens}.` }],
  },
];

/** What is filled in, by card and field; what came of each card's last button, or went wrong. */
const values = new Map(CARDS.map((card) => [card, Object.fromEntries(card.fields.map(({ name, value }) => [name, value]))]));
const outcomes = new Map();

export const drawCards = () => html`
  <section aria-labelledby="kinds">
    <h2 id="kinds">What may break</h2>
    <div class="grid">${CARDS.map(drawCard)}</div>
  </section>
`;

function drawCard(card) {
  const [first, ...more] = card.actions;
  return html`
    <form class="card fault" aria-label=${card.title} novalidate @submit=${(event) => submit(event, card, first)}>
      <h3>${card.title}</h3>
      <p>${card.stands}</p>
      <p class="small quiet">${card.expect}</p>
      ${card.fields.length > 0 ? html`<div class="fields">${card.fields.map((field) => drawField(card, field))}</div>` : nothing}
      <div class="row">
        ${drawButton(first, "submit")} ${more.map((action) => drawButton(action, "button", () => act(card, action)))}
      </div>
      ${drawOutcome(outcomes.get(card))}
    </form>
  `;
}

const drawButton = ({ label, kind = "", isOn }, type, press) => html`
  <button type=${type} class=${kind} ?disabled=${isOn?.()} @click=${press ?? nothing}>${label}</button>
`;

function drawField(card, { name, label, options }) {
  const current = values.get(card);
  const take = (event) => (current[name] = event.target.value);
  if (!options) return html`<label>${label} <input type="number" min="1" .value=${current[name]} @input=${take} /></label>`;
  const option = ([value, text]) => html`<option value=${value} ?selected=${value === current[name]}>${text}</option>`;
  return html`<label>${label} <select @change=${take}>${Object.entries(options).map(option)}</select></label>`;
}

function drawOutcome(outcome) {
  if (!outcome) return nothing;
  const { error, done } = outcome;
  return error ? html`<p class="note bad" role="alert">${error}</p>` : html`<p class="note">${done()}</p>`;
}

function drawKilled({ pid }) {
  const handler = rowsOf("handler").get("handler");
  const next = handler?.state === "ready" && handler.pid !== pid ? `Now process ${handler.pid} runs.` : "The host starts another one.";
  return `Process ${pid} was killed. ${next}`;
}

function submit(event, card, action) {
  event.preventDefault();
  act(card, action);
}

async function act(card, action) {
  outcomes.delete(card);
  try {
    const answer = await action.act(figures(values.get(card)));
    outcomes.set(card, { done: () => action.done(answer) });
    say(action.done(answer));
  } catch (error) {
    outcomes.set(card, { error: error.message });
    changed();
  }
}

/** Fields as the sandbox takes them: whole numbers, true and false, and words. */
function figures(fields) {
  const read = (text) => (text === "true" || text === "false" ? text === "true" : /^\D+$/.test(text) ? text : Math.round(Number(text)));
  return Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, read(text)]));
}
