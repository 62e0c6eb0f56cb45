// The batches of this environment: how far each is, by its rows and by what the handler says of it.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { chip, moment } from "../parts.js";
import { changed } from "../world.js";
import { batches, follow } from "./batches.js";
import { STANDINGS } from "./standings.js";

const FEW = 3;
let all = false;

/** In the order in which they fill the bar, from the left. */
const ORDER = ["redeemed", "sent", "expired", "closed", "new"];

export function batchList() {
  const found = batches();
  if (found.length === 0) return nothing;
  for (const { number, settled, new: unsent } of found) if (unsent > 0 && settled === undefined) follow(number);
  const shown = all ? found : found.slice(0, FEW);
  return html`<section class="card" aria-labelledby="batches-heading">
    <h2 id="batches-heading">Batches</h2>
    <ul class="batches">${repeat(shown, ({ number }) => number, entry)}</ul>
    ${found.length > FEW ? toggle(found.length) : nothing}
  </section>`;
}

function toggle(count) {
  const turn = () => {
    all = !all;
    changed();
  };
  return html`<p class="row"><button class="plain" aria-expanded=${all ? "true" : "false"} @click=${turn}>${all ? "Show the latest only" : `Show all ${count}`}</button></p>`;
}

/** How many invitations it will have made: those that the handler counts, as soon as it does, and no less than there are rows. */
function expected({ total, answer }) {
  const { requested = 0, kept = 0, skipped = 0, failed = 0 } = answer?.json?.counts ?? {};
  return Math.max(total, requested - kept - skipped - failed);
}

function entry(batch) {
  const { number, began, answer, settled, total } = batch;
  const most = expected(batch);
  const parts = ORDER.filter((standing) => batch[standing] > 0);
  const words = parts.map((standing) => `${batch[standing]} ${STANDINGS[standing].word.toLowerCase()}`);
  if (most > total) words.push(`${most - total} not created yet`);
  const unsent = batch.new > 0 || most > total;
  return html`<li>
    <p class="row apart">
      <span><strong>Batch ${number}</strong> ${began ? html`<span class="quiet small">${moment(began)}</span>` : nothing}</span>
      ${unsent && settled !== true ? chip("at work", "info") : nothing} ${unsent && settled && answer?.status === 200 ? chip("ended; some were not sent", "warn") : nothing}
    </p>
    <div class="stacked" role="img" aria-label="Batch ${number}: ${words.join(", ") || "no rows of its own"}">
      ${parts.map((standing) => html`<span class=${standing} style="width: ${(batch[standing] / most) * 100}%"></span>`)}
    </div>
    <p class="small quiet">${words.length > 0 ? `${words.join(" · ")}, of ${most}` : "No rows of its own: it is about earlier ones."}</p>
  </li>`;
}
