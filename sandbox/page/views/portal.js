// Portal.

import { html } from "../vendor/lit-html/lit-html.js";

export const title = "Portal";
export const feeds = [];

export const draw = () => html`<p class="lead">The site that invitations lead to.</p>`;
