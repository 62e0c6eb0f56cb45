// What the view Contacts knows of each contact: language, address, and how it stands by its invitations.

import { kept } from "../parts.js";
import { revisionOf, rowsOf } from "../world.js";
import { standingOf } from "./standings.js";

/** Each standing of a contact, and the kind of its chip. */
export const STANDINGS = { "not invited": "", invited: "info", expired: "warn", registered: "good", inactive: "" };

/** Windows language numbers, as Dataverse keeps them, by the languages that people choose most. */
const LCIDS = {
  1025: "ar", 1026: "bg", 1028: "zh-TW", 1029: "cs", 1030: "da", 1031: "de", 1032: "el", 1033: "en", 1035: "fi", 1036: "fr",
  1037: "he", 1038: "hu", 1040: "it", 1041: "ja", 1042: "ko", 1043: "nl", 1044: "nb", 1045: "pl", 1046: "pt-BR", 1048: "ro",
  1049: "ru", 1050: "hr", 1051: "sk", 1053: "sv", 1054: "th", 1055: "tr", 1057: "id", 1058: "uk", 1060: "sl", 1061: "et",
  1062: "lv", 1063: "lt", 1066: "vi", 1069: "eu", 1081: "hi", 1086: "ms", 1110: "gl", 2052: "zh-CN", 2055: "de-CH",
  2057: "en-GB", 2068: "nn", 2070: "pt-PT", 3082: "es", 3084: "fr-CA", 3098: "sr",
};
const names = new Intl.DisplayNames("en", { type: "language" });

/** The language of a number in words; nothing where a contact prefers none. */
export function languageName(lcid) {
  if (lcid === null || lcid === undefined) return "";
  return LCIDS[lcid] ? names.of(LCIDS[lcid]) : `number ${lcid}`;
}

/** Why a letter will not reach a contact; nothing where its address looks like one. */
export function oddity({ email, unwanted }) {
  if (!email?.trim()) return "no e-mail";
  if (unwanted) return "wants no e-mail";
  return /^[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>.]+$/.test(email) ? "" : "odd address";
}

/** A text as one searches for it: without case, and without accents that can be left out. */
export const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

const collator = new Intl.Collator("en", { sensitivity: "base" });

/** A name from its first letter on, by which it is sorted. */
const letters = (name) => (name ?? "").replace(/^[^\p{L}]+/u, "");

const sorted = kept((contacts, _revision) => {
  const all = [...contacts.values()];
  const entries = all.map((row) => ({ row, text: plain(`${row.name ?? ""} ${row.email ?? ""}`), letters: letters(row.name) }));
  return entries.sort((one, other) => collator.compare(one.letters, other.letters));
});

/** The newest invitation of each contact that says something: open ones before expired ones, these before others. */
const newest = kept((invitations, _revision, minute) => {
  const found = new Map();
  const rank = { new: 2, sent: 2, expired: 1 };
  for (const row of invitations.values()) {
    const standing = standingOf(row, minute * 60_000);
    if (!rank[standing] || !row.contact) continue;
    const known = found.get(row.contact);
    const order = known ? rank[standing] - rank[known.standing] || row.created.localeCompare(known.row.created) : 1;
    if (order > 0) found.set(row.contact, { row, standing });
  }
  return found;
});

function standing(contact, invitation) {
  if (!contact.active) return "inactive";
  if (contact.registered) return "registered";
  if (!invitation) return "not invited";
  return invitation.standing === "expired" ? "expired" : "invited";
}

const described = kept((entries, invitations) =>
  entries.map(({ row, text }) => {
    const invitation = invitations.get(row.id);
    return { contact: row, text, invitation, standing: standing(row, invitation) };
  }),
);

/** Every contact by name: `contact` (its row), `text` (to search in), `standing`, and its `invitation`, if one says something. */
export function people() {
  const entries = sorted(rowsOf("contacts"), revisionOf("contacts"));
  const minute = Math.floor(Date.now() / 60_000);
  return described(entries, newest(rowsOf("invitations"), revisionOf("invitations"), minute));
}

/** Those people whose name or address has every word, and who stand as wanted; an empty standing is any. */
export const matching = kept((all, query, wanted) => {
  const words = plain(query).split(/\s+/).filter(Boolean);
  const fits = (person) => (!wanted || person.standing === wanted) && words.every((word) => person.text.includes(word));
  return all.filter(fits);
});
