// Traffic.

import { html } from "../vendor/lit-html/lit-html.js";

export const title = "Traffic";
export const feeds = [];

export const draw = () => html`<p class="lead">Who called whom.</p>`;
