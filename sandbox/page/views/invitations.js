// Invitations.

import { html } from "../vendor/lit-html/lit-html.js";

export const title = "Invitations";
export const feeds = [];

export const draw = () => html`<p class="lead">What became of each invitation.</p>`;
