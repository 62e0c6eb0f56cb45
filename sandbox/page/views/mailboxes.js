// Mailboxes.

import { html } from "../vendor/lit-html/lit-html.js";

export const title = "Mailboxes";
export const feeds = [];

export const draw = () => html`<p class="lead">Letters as they were received.</p>`;
