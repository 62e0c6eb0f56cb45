// The frame of the page: which view is shown, by the address's fragment, and when it is drawn anew.

import { html, nothing, render } from "./vendor/lit-html/lit-html.js";
import { said } from "./parts.js";
import { connect, link, onChange } from "./world.js";
import * as clock from "./views/clock.js";
import * as contacts from "./views/contacts.js";
import * as faults from "./views/faults.js";
import * as invitations from "./views/invitations.js";
import * as mailboxes from "./views/mailboxes.js";
import * as portal from "./views/portal.js";
import * as traffic from "./views/traffic.js";

/**
 * Every view by its name in the address: its `title`, the `feeds` that it needs to hear, what it `draw`s and, for some, its
 * `status` in the head of every view. What follows a slash in the address is the view's own business.
 */
const views = { contacts, invitations, mailboxes, portal, clock, faults, traffic };

const feeds = new Set(Object.values(views).flatMap((view) => view.feeds));
let drawn = false;

function draw() {
  drawn = false;
  const [name, ...rest] = readable(location.hash.slice(1)).split("/");
  const current = views[name] ?? contacts;
  document.title = `${current.title} · portal-invite sandbox`;
  render(frame(current, rest.join("/")), document.body);
}

/** An address as it was typed, where it is not one that a link of the page would have. */
function readable(address) {
  try {
    return decodeURIComponent(address);
  } catch {
    return address;
  }
}

function frame(current, rest) {
  return html`
    <a class="skip" href="#main" @click=${skip}>Skip to the content</a>
    <header class="top">
      <p class="brand"><img src="icon.svg" alt="" width="28" height="28" /> portal-invite <span>sandbox</span></p>
      <div class="status">${Object.values(views).map((view) => view.status?.() ?? nothing)}</div>
      ${link === "lost" ? html`<p class="lost" role="alert">The sandbox does not answer. Is it still running?</p>` : nothing}
    </header>
    <nav class="views" aria-label="Views">
      ${Object.entries(views).map(
        ([name, view]) => html`<a href="#${name}" aria-current=${view === current ? "page" : nothing}>${view.title}</a>`,
      )}
    </nav>
    <main id="main" tabindex="-1">
      <h1>${current.title}</h1>
      ${current.draw(rest)}
    </main>
    <p class="aloud" role="status">${said()}</p>
  `;
}

function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

/** Many changes in one moment are drawn once. */
function drawSoon() {
  if (drawn) return;
  drawn = true;
  requestAnimationFrame(draw);
}

onChange(drawSoon);
// Moments grow older even while nothing happens.
setInterval(drawSoon, 30_000);
addEventListener("hashchange", () => {
  drawSoon();
  scrollTo(0, 0);
});
connect(feeds);
draw();
