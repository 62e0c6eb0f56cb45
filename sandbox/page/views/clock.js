// Clock.

import { html } from "../vendor/lit-html/lit-html.js";

export const title = "Clock";
export const feeds = [];

export const draw = () => html`<p class="lead">Let time pass, and run timers.</p>`;
