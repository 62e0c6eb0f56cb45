// Faults.

import { html } from "../vendor/lit-html/lit-html.js";

export const title = "Faults";
export const feeds = [];

export const draw = () => html`<p class="lead">Break things.</p>`;
