// What stands beside the portal: redeeming as the invited person does, and the site's settings as administrators know them.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { live } from "../vendor/lit-html/directives/live.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { tell } from "../ask.js";
import { moment, say } from "../parts.js";
import { changed, rowsOf } from "../world.js";

const LISTED = 6;
const byName = new Intl.Collator("en");
const SWITCHES = [
  ["registration", "Registration is open", "Site setting Authentication/Registration/Enabled"],
  ["invitations", "Invitations can be redeemed", "Site setting Authentication/Registration/InvitationEnabled"],
  ["private", "The site is private", "Security, Site visibility: only people of the organisation get in"],
];

let words = "";
let percent = "100";
let busy = false;
/** What came of the last redeeming, and of the last change of a setting: `kind` and `text`. */
let outcome;
let refused = "";
/** Languages that somebody is typing, until the sandbox has taken them: the page is drawn anew at each event. */
let typed;

/** The open invitations, each with a button that redeems it, and one for many. */
export function redeeming() {
  const all = [...rowsOf("open-invitations").values()];
  const wanted = words.toLowerCase();
  const hits = all.filter(({ name, email }) => `${name} ${email ?? ""}`.toLowerCase().includes(wanted));
  hits.sort((one, other) => byName.compare(one.name, other.name));
  return html`
    <section class="card stack" aria-labelledby="redeeming">
      <h2 id="redeeming">Redeem as the invited person</h2>
      <p class="quiet small">Does what they would: opens the link, keeps the address, signs up. ${all.length} open.</p>
      ${all.length > LISTED
        ? html`<label>Find <input type="search" placeholder="name or address" .value=${live(words)} @input=${seek} /></label>`
        : nothing}
      ${people(hits, all.length)}
      ${all.length > 1 ? many(all.length) : nothing}
      ${outcome ? html`<p class="note ${outcome.kind}" role=${outcome.kind === "bad" ? "alert" : nothing}>${outcome.text}</p>` : nothing}
    </section>
  `;
}

function people(hits, total) {
  if (total === 0) return html`<p class="quiet">No invitation is open. <a href="#contacts">Invite somebody</a>.</p>`;
  if (hits.length === 0) return html`<p class="quiet">Nobody here is called “${words}”.</p>`;
  return html`
    <ul class="people" aria-label="Open invitations">
      ${repeat(hits.slice(0, LISTED), ({ id }) => id, person)}
    </ul>
    ${hits.length > LISTED ? html`<p class="quiet small">and ${hits.length - LISTED} more</p>` : nothing}
  `;
}

const person = ({ id, name, email, expires }) => html`
  <li>
    <span>
      <b dir="auto">${name}</b>
      <span class="small quiet">${email ?? "no address"}${expires ? html`, expires ${moment(expires)}` : nothing}</span>
    </span>
    <button ?disabled=${busy} @click=${() => one(id)}>Redeem<span class="aloud"> as ${name}</span></button>
  </li>
`;

const many = (total) => html`
  <form class="row many" @submit=${all}>
    <label class="small">
      How many
      <select @change=${({ target }) => (percent = target.value)}>
        ${[["100", `all ${total}`], ["50", "every second"], ["10", "one in ten"]].map(
          ([value, text]) => html`<option value=${value} .selected=${live(value === percent)}>${text}</option>`,
        )}
      </select>
    </label>
    <button ?disabled=${busy}>${busy ? "Redeeming…" : "Redeem them"}</button>
  </form>
`;

function seek({ target }) {
  words = target.value;
  changed();
}

const one = (invitation) =>
  work(async () => {
    const { name } = await tell("redeem", { invitation });
    return { kind: "good", text: `${name} has redeemed the invitation.` };
  });

function all(event) {
  event.preventDefault();
  return work(async () => {
    const { redeemed, refused } = await tell("redeem/open", { percent: Number(percent) });
    const sorry = refused.length ? ` ${refused.length} could not: ${refused.slice(0, 3).join(" ")}` : "";
    return { kind: refused.length ? "warn" : "good", text: `${redeemed} redeemed.${sorry}` };
  });
}

async function work(what) {
  busy = true;
  changed();
  try {
    outcome = await what();
    say(outcome.text);
  } catch ({ message }) {
    outcome = { kind: "bad", text: message };
  }
  busy = false;
  changed();
}

/** The site's settings. */
export const settings = (site) => html`
  <section class="card stack" aria-labelledby="settings">
    <h2 id="settings">Site settings</h2>
    ${SWITCHES.map(
      ([name, text, real]) => html`<label class="check">
        <input type="checkbox" .checked=${live(site[name])} @change=${({ target }) => set({ [name]: target.checked })} />
        <span>${text}<small class="hint">${real}</small></span>
      </label>`,
    )}
    <label>
      Languages
      <small>As its paths name them, such as en-US, da-DK. Other languages are not found. Empty: every one is.</small>
      <input .value=${live(typed ?? site.languages.join(", "))} spellcheck="false" @input=${({ target }) => (typed = target.value)} @change=${speak} />
    </label>
    ${refused ? html`<p class="note bad" role="alert">${refused}</p>` : nothing}
  </section>
`;

async function speak({ target }) {
  const languages = target.value.split(/[\s,]+/).filter(Boolean);
  if (await set({ languages })) typed = undefined;
  changed();
}

/** The fields show the change by themselves; a refusal puts back what the sandbox told last. Whether it was taken. */
async function set(change) {
  try {
    await tell("site", change);
    rowsOf("site").set("site", { ...rowsOf("site").get("site"), ...change });
    refused = "";
    say("Site settings changed");
    return true;
  } catch ({ message }) {
    refused = message;
    changed();
    return false;
  }
}
