// Makes galleries of letters with the real executable, and says which letters are in them.
//
// The list comes from the gallery's own page, so a new language or letter is looked at without a word about it here.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const target = resolve(root, process.env.CARGO_TARGET_DIR ?? "target");
const program = process.env.PORTAL_INVITE ?? join(target, "debug/portal-invite");

/** Where galleries, screenshots and the contact sheet are written. */
export const output = join(target, "browser");

export const BRAND = "Contoso Outdoor";
export const LOGO = "https://www.contoso.example/logo.png";
const PORTAL = "https://portal.contoso.example";
/** How each redeem link begins, in whatever language. */
export const REDEEM = new RegExp(`^${PORTAL}/([a-z-]+/)?register\\?invitation=`, "i");
/** Where a digest leads those who run the service. */
export const RECORD = "https://contoso.crm4.dynamics.com/main.aspx?";

const attribute = (tag, name) => tag.match(new RegExp(`\\s${name}="([^"]*)"`))?.[1].replaceAll("&#x2f;", "/");

/** Makes a gallery by this name with more flags; the result has the path of its page, and its letters. */
export function makeGallery(name, ...flags) {
  if (!existsSync(program)) {
    throw new Error(`${program} is not there: cargo build`);
  }
  const folder = join(output, "galleries", name);
  rmSync(folder, { recursive: true, force: true });
  const brand = [`--brand-name=${BRAND}`, "--support-email=help@contoso.example"];
  const own = flags.map((flag) => flag.split("=")[0]);
  const kept = brand.filter((flag) => !own.includes(flag.split("=")[0]));
  const settings = { PORTAL_URL: PORTAL, PORTAL_TIME_ZONE: "Europe/Oslo", LANGUAGES: "en=en-US,nb=nb-NO,ar=ar-SA" };
  execFileSync(program, ["preview", "--all", "--out", folder, ...kept, ...flags], {
    cwd: root,
    env: { ...settings, TEMPLATE_DIR: process.env.TEMPLATE_DIR ?? "templates" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const page = join(folder, "index.html");
  const letters = [...readFileSync(page, "utf8").matchAll(/<iframe [^>]*>/g)].map(([tag]) => {
    const [language, template, variant] = ["language", "template", "variant"].map((part) => attribute(tag, `data-${part}`));
    const file = join(folder, attribute(tag, "src"));
    return { name: `${language}-${template}-${variant}`, language, template, variant, file };
  });
  if (letters.length === 0) {
    throw new Error(`${page} shows no letter`);
  }
  return { page, letters };
}
