// The connector's definition as others read it: swagger-parser, Spectral's rules for OpenAPI, and the rules for texts.
//
// For each rule of our own there is a copy of the definition that breaks it, and nothing else.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import SwaggerParser from "@apidevtools/swagger-parser";
import spectral from "@stoplight/spectral-core";
import ruleset from "./ruleset.mjs";

const text = readFileSync(new URL("../../connector/apiDefinition.swagger.json", import.meta.url), "utf8");
const linter = new spectral.Spectral();
linter.setRuleset(ruleset);

const complaints = async (definition) => (await linter.run(JSON.stringify(definition))).map(({ code, path, message }) => ({ code, at: path.join("."), message }));

/** The definition after `change` has been made to it. */
function changed(change) {
  const definition = JSON.parse(text);
  change(definition);
  return definition;
}

test("swagger-parser takes the definition", async () => {
  const definition = await SwaggerParser.validate(JSON.parse(text));
  assert.equal(definition.swagger, "2.0");
});

test("no rule complains about the definition", async () => {
  assert.deepEqual(await complaints(JSON.parse(text)), []);
});

const invite = (definition) => definition.paths["/api/invitations"].post;
const view = (definition) => definition.definitions.InviteRequest.properties.view.properties.id;

/** By the rule that complains: a copy that is wrong in one place. */
const BAD = {
  "connector-title-length": ({ info }) => (info.title = "Invitations to a Website of Yours"),
  "connector-title-words": ({ info }) => (info.title = "Power Pages Invitations"),
  "connector-description-length": ({ info }) => (info.description = "Invites."),
  "connector-description-words": ({ info }) => (info.description = "An API that invites contacts to a website of yours."),
  "connector-contact": ({ info }) => delete info.contact.url,
  "connector-metadata": (definition) => definition["x-ms-connector-metadata"].pop(),
  "connector-summary-end": (definition) => (invite(definition).summary = "Invite contacts."),
  "connector-summary-case": (definition) => (invite(definition).summary = "Invite Contacts"),
  "connector-operation-texts": (definition) => (invite(definition).description = "Invites"),
  "connector-operation-id": (definition) => (invite(definition).operationId = "invite-contacts"),
  "connector-parameter-texts": (definition) => delete invite(definition).parameters[0]["x-ms-summary"],
  "connector-property-texts": ({ definitions }) => delete definitions.Reason.properties.code.description,
  "connector-title-case": ({ definitions }) => (definitions.Reason.properties.code["x-ms-summary"] = "Stable code"),
  "connector-labels": ({ definitions }) => (definitions.Reason.properties.code["x-ms-summary"] = "Reason Code"),
  "connector-success-schema": ({ paths }) => delete paths["/api/doctor"].get.responses["200"].schema,
  "connector-success": ({ paths }) => delete paths["/api/doctor"].get.responses["200"],
  "connector-accepted-headers": (definition) => delete invite(definition).responses["202"].headers.Location,
  "connector-path-encoding": ({ paths }) => delete paths["/api/invitations/{id}"].get.parameters[0]["x-ms-url-encoding"],
  "connector-visibility": (definition) => (view(definition)["x-ms-visibility"] = "hidden"),
  "connector-choices": ({ definitions }) => definitions.InviteRequest.properties.whenPending["x-ms-enum-values"].pop(),
  "connector-dynamic-values": (definition) => (view(definition)["x-ms-dynamic-values"]["value-title"] = "title"),
  "connector-dynamic-list": (definition) => (view(definition)["x-ms-dynamic-list"].operationId = "GetViews"),
  "connector-test-connection": (definition) => (definition["x-ms-capabilities"].testConnection.operationId = "InviteContacts"),
};

test("for each rule of our own there is a bad copy", () => {
  const own = Object.keys(ruleset.rules).filter((name) => name.startsWith("connector-"));
  assert.deepEqual(Object.keys(BAD).sort(), own.sort());
});

for (const [rule, change] of Object.entries(BAD)) {
  test(`${rule} complains where it should`, async () => {
    const found = await complaints(changed(change));
    assert.deepEqual([...new Set(found.map(({ code }) => code))].filter((code) => code.startsWith("connector-")), [rule], JSON.stringify(found));
  });
}
