// Stories for the view Faults: trouble that is set up by one button, and what to do then to see it end well.

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { tell } from "../ask.js";
import { say } from "../parts.js";
import { changed } from "../world.js";

const invite = (count) => html`Open <a href="#contacts">Contacts</a>, select ${count}, and invite them.`;
const letters = html`Look into <a href="#mailboxes">Mailboxes</a>: one letter for each contact, and none twice.`;

const STORIES = [
  {
    title: "Killed in the middle of a batch",
    text: "Azure stops a process without warning: to scale in, to update, or because it ran out of memory.",
    faults: [{ kind: "slow", service: "graph", milliseconds: 500 }, { kind: "kill", letters: 3 }],
    steps: [
      invite("six or more contacts"),
      html`At the third letter the handler dies. Your request fails, and the process id in the head of the page changes.`,
      html`Open <a href="#clock">Clock</a>, let 2 minutes pass, and run Dispatch: it finds out which letters are out and sends the others.`,
      letters,
    ],
  },
  {
    title: "Did the letter go out?",
    text: "Exchange took the letter, but the connection broke before it said so. Sending again might mail it twice.",
    faults: [{ kind: "lost", service: "graph", writes: 2 }],
    steps: [
      invite("three contacts"),
      html`The handler looks into the mailbox before it does anything again, and finds both letters there.`,
      letters,
    ],
  },
  {
    title: "A busy Dataverse",
    text: "Somebody imports a large file, and Dataverse tells everybody to come back later.",
    faults: [{ kind: "throttle", service: "dataverse", seconds: 3, requests: 4 }],
    steps: [
      invite("some contacts"),
      html`It takes longer, as the handler waits as long as it is told. Then everybody is invited all the same.`,
    ],
  },
];

let chosen;
let trouble;

export const drawStories = () => html`
  <section aria-labelledby="stories">
    <h2 id="stories">Stories</h2>
    <div class="grid">${STORIES.map(drawStory)}</div>
    ${chosen ? drawSteps(chosen) : nothing}
  </section>
`;

const drawStory = (story) => html`
  <article class="card" aria-label=${story.title}>
    <h3>${story.title}</h3>
    <p class="quiet">${story.text}</p>
    <button aria-pressed=${story === chosen} @click=${() => begin(story)}>Set it up<span class="aloud"> ${story.title}</span></button>
  </article>
`;

function drawSteps({ title, steps }) {
  if (trouble) return html`<p class="note bad below" role="alert">${trouble}</p>`;
  return html`
    <div class="note below">
      <h3>${title}: what to do now</h3>
      <ol class="steps">${steps.map((step) => html`<li>${step}</li>`)}</ol>
    </div>
  `;
}

/** What was broken before would spoil the story. */
async function begin(story) {
  [chosen, trouble] = [story, undefined];
  try {
    await tell("faults/end", { id: "all" });
    for (const fault of story.faults) await tell("faults", fault);
    say(`${story.title} is set up. What to do now stands below the stories.`);
  } catch (error) {
    trouble = error.message;
    changed();
  }
}
