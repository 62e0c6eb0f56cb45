// Rules for the connector's definition, as a ruleset of Spectral: the OpenAPI rules, and what Power Platform asks for.
//
// Texts: https://learn.microsoft.com/connectors/custom-connectors/connector-string-guidance
// Extensions: https://learn.microsoft.com/connectors/custom-connectors/openapi-extensions
// The 30 to 500 characters and the metadata: https://learn.microsoft.com/connectors/custom-connectors/certification-submission

import { length, pattern, truthy } from "@stoplight/spectral-functions";
import { oas } from "@stoplight/spectral-rulesets";

const METHODS = new Set(["get", "put", "post", "delete", "patch", "head", "options"]);
const PRODUCTS = /\b(api|connector|power (platform|apps|automate|pages|bi|virtual)|copilot|logic apps?|microsoft)\b/i;
/** Words that titles may leave small, unless they come first. */
const SMALL = new Set(["a", "an", "and", "as", "at", "by", "for", "if", "in", "is", "of", "on", "or", "the", "to", "was", "with"]);
/** Names that stay as they are in a sentence. */
const NAMES = /^([A-Z]{2,}|FetchXML|Dataverse)s?$/;

const say = (message) => [{ message }];
const words = (text) => text.split(/[\s-]+/).filter(Boolean);
const operations = (document) =>
  Object.values(document.paths).flatMap((path) => Object.entries(path).filter(([method]) => METHODS.has(method)).map(([, operation]) => operation));

function titleCase(text) {
  const wrong = words(text).find((word, place) => /^[a-z]/.test(word) && (place === 0 || !SMALL.has(word)));
  return wrong ? say(`is in title case, so "${wrong}" begins with a capital`) : [];
}

function sentenceCase(text) {
  const [first, ...others] = words(text);
  if (!/^[A-Z]/.test(first ?? "")) return say("begins with a capital");
  const wrong = others.find((word) => /^[A-Z]/.test(word) && !NAMES.test(word));
  return wrong ? say(`is in sentence case, so "${wrong}" begins small`) : [];
}

/** What people read of an entity: a title, and a sentence that says more than it. */
function twoTexts(entity, { title }) {
  if (!entity || typeof entity !== "object" || entity.$ref || entity.in === "body") return [];
  const [name, text] = [entity[title], entity.description];
  if (!name || !text) return say(`has ${title} and description`);
  if (name.length > 80) return say(`has a ${title} of at most 80 characters`);
  if (!/[.!?]$/.test(text)) return say("has a description that ends like a sentence");
  if (/https?:/.test(text)) return say("has no address in its description");
  return text.toLowerCase().startsWith(`${name.toLowerCase()}.`) ? say("has a description that says more than its title") : [];
}

function metadata(entries) {
  const named = Object.fromEntries((entries ?? []).map((entry) => [entry.propertyName, entry.propertyValue]));
  const missing = ["Website", "Privacy policy", "Categories"].find((name) => !named[name]);
  return missing ? say(`has ${missing}`) : [];
}

function allNamed(schema) {
  const shown = (schema["x-ms-enum-values"] ?? []).map(({ value }) => value);
  return shown.join() === schema.enum.join() ? [] : say("has a name for each value that people choose from");
}

/** Reads a schema where a reference stands for it. */
const resolve = (document, schema) => (schema?.$ref ? document.definitions[schema.$ref.split("/").pop()] : schema);

/** The designer puts the titles of objects and lists before those of what is in them: "Results Reason Code". */
function labels(schema, _, context, before = "") {
  const found = resolve(context.document.data, schema);
  const inside = Object.values(found.properties ?? resolve(context.document.data, found.items)?.properties ?? {});
  const label = [before, found["x-ms-summary"]].filter(Boolean).join(" ");
  const stutter = label.match(/\b(\w+?)s? \1s?\b/i);
  return stutter ? say(`is shown as "${label}", which says a word twice`) : inside.flatMap((child) => labels(child, _, context, label));
}

/** The operation that a list is filled from, and what of its answer. */
function dynamic(list, { keys: [items, value, title] }, context) {
  const { data } = context.document;
  const source = operations(data).find(({ operationId }) => operationId === list.operationId);
  if (!source) return say(`names an operation that is there, not ${list.operationId}`);
  const needed = (source.parameters ?? []).filter((parameter) => parameter.required && !(parameter.name in (list.parameters ?? {})));
  if (needed.length) return say(`gives ${needed[0].name} to ${list.operationId}`);
  const answer = resolve(data, source.responses["200"]?.schema);
  const entry = resolve(data, answer?.properties?.[list[items]]?.items);
  const lost = [value, title].find((key) => !entry?.properties?.[list[key]]);
  return lost ? say(`has ${lost} that ${list.operationId} answers`) : [];
}

function testConnection(test, _, context) {
  const found = Object.values(context.document.data.paths).some(({ get }) => get?.operationId === test.operationId && !(get.parameters ?? []).some(({ required }) => required));
  return found ? [] : say("names a GET without required parameters");
}

const rule = (given, then, description, more = {}) => ({ given, then, description, message: "{{path}} {{error}}", severity: "error", ...more });
const ofInfo = (field, then, description) => rule("$.info", { field, ...then }, description);
const operation = "$.paths[*][get,put,post,delete,patch]";
const property = "$.definitions..properties[*]";
const named = (functionOptions) => ({ function: twoTexts, functionOptions });

export default {
  extends: [[oas, "recommended"]],
  rules: {
    // Tags group a reference manual; the designer has none.
    "operation-tags": "off",
    "connector-title-length": ofInfo("title", { function: length, functionOptions: { min: 1, max: 30 } }, "A title has at most 30 characters."),
    "connector-title-words": ofInfo("title", { function: pattern, functionOptions: { notMatch: PRODUCTS } }, "A title names no product of others."),
    "connector-description-length": ofInfo("description", { function: length, functionOptions: { min: 30, max: 500 } }, "A description has 30 to 500 characters."),
    "connector-description-words": ofInfo("description", { function: pattern, functionOptions: { notMatch: PRODUCTS } }, "A description names no product of others."),
    "connector-contact": rule("$.info.contact", [{ field: "name", function: truthy }, { field: "url", function: truthy }], "Somebody can be asked."),
    "connector-metadata": rule("$", { field: "x-ms-connector-metadata", function: metadata }, "A catalogue knows the website, the privacy policy and the categories."),
    "connector-summary-end": rule(operation, { field: "summary", function: pattern, functionOptions: { match: "^[^/]{1,79}[A-Za-z0-9]$" } }, "A summary has at most 80 characters, no slash, and ends in a letter or digit."),
    "connector-summary-case": rule(`${operation}.summary`, { function: sentenceCase }, "A summary is in sentence case."),
    "connector-operation-texts": rule(operation, named({ title: "summary" }), "An operation has a summary and a description."),
    "connector-operation-id": rule(operation, { field: "operationId", function: pattern, functionOptions: { match: "^[A-Z][A-Za-z0-9]+$" } }, "An operation id is in camel case, without punctuation."),
    "connector-parameter-texts": rule(`${operation}.parameters[*]`, named({ title: "x-ms-summary" }), "A parameter has a title and a description."),
    "connector-property-texts": rule(property, named({ title: "x-ms-summary" }), "A property has a title and a description."),
    "connector-title-case": rule("$..x-ms-summary", { function: titleCase }, "A title is in title case."),
    "connector-labels": rule("$.definitions[*]", { function: labels }, "A label with those of its parents before it reads well."),
    "connector-success-schema": rule(`${operation}.responses[200]`, { field: "schema", function: truthy }, "The designer knows what an action gives."),
    "connector-success": rule(`${operation}.responses`, { field: "200", function: truthy }, "Every action can succeed."),
    "connector-accepted-headers": rule(`${operation}.responses[202].headers`, [{ field: "Location", function: truthy }, { field: "Retry-After", function: truthy }], "Who is answered 202 learns where and when to ask."),
    "connector-path-encoding": rule(`${operation}.parameters[?(@.in=='path')]`, [{ field: "x-ms-url-encoding", function: truthy }, { field: "x-ms-url-encoding", function: pattern, functionOptions: { match: "^single$" } }], "A path parameter is encoded once."),
    "connector-visibility": rule("$..x-ms-visibility", { function: pattern, functionOptions: { match: "^(important|advanced|internal)$" } }, "Visibility is one of three words."),
    "connector-choices": rule(["$.definitions[InviteRequest]..properties[?(@.enum)]", `${operation}.parameters[?(@.enum)]`], { function: allNamed }, "What people choose from has names."),
    "connector-dynamic-values": rule("$..x-ms-dynamic-values", { function: dynamic, functionOptions: { keys: ["value-collection", "value-path", "value-title"] } }, "A list is filled by an operation that is there."),
    "connector-dynamic-list": rule("$..x-ms-dynamic-list", { function: dynamic, functionOptions: { keys: ["itemsPath", "itemValuePath", "itemTitlePath"] } }, "A list is filled by an operation that is there."),
    "connector-test-connection": rule("$.x-ms-capabilities.testConnection", { function: testConnection }, "A new connection is tried by an operation that is there."),
  },
};
