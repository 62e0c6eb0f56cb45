// How an invitation stands, by the columns of its row, and what that is called.
// https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_invitation

import { chip } from "../parts.js";

const GROUP = 756150001;
const NEW = 1;
const REDEEMED = 756150001;

/** Each standing: its word, the kind of its chip, and what it means. */
export const STANDINGS = {
  new: { word: "New", kind: "", means: "The row is there; no letter has gone out." },
  sent: { word: "Sent", kind: "info", means: "A letter or a link is out, and the time is not over." },
  redeemed: { word: "Redeemed", kind: "good", means: "The contact has signed up. The row stays active." },
  expired: { word: "Expired", kind: "warn", means: "Its time is over." },
  closed: { word: "Closed", kind: "", means: "Revoked, replaced or closed before its time. Its link is dead." },
};

/** The standing of a row of the feed `invitations` at a moment in milliseconds. */
export function standingOf(row, now) {
  const past = row.expires !== null && Date.parse(row.expires) <= now;
  if (row.status === REDEEMED || (row.type !== GROUP && row.redemptions > 0)) return "redeemed";
  if (row.state !== 0) return past && row.hasCode ? "expired" : "closed";
  if (past) return "expired";
  return row.status === NEW ? "new" : "sent";
}

/** The chip of a standing; one that is past its expiry and still open says so. */
export function standingChip(standing, row) {
  const { word, kind } = STANDINGS[standing];
  const open = standing === "expired" && row?.state === 0;
  return chip(open ? `${word}, row open` : word, kind);
}
