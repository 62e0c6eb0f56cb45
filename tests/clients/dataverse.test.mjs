// dynamics-web-api, a public Dataverse client, writes and reads invitations.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DynamicsWebApi } from "dynamics-web-api";
import { GUID, connect, invitation, refusal } from "./dataverse.mjs";
import { startSandbox } from "./sandbox.mjs";

const sandbox = await startSandbox();
after(() => sandbox.stop());
const dataverse = connect(sandbox);

const INVITATIONS = "adx_invitations";
const CONTACTS = "contacts";
const SENT = 756150000;
const ROWS = 23;
const names = (rows) => rows.map((row) => row.lastname);

let contact;

before(async () => {
  contact = await dataverse.create({
    collection: CONTACTS,
    data: { firstname: "Zoë", lastname: "O'Neill", emailaddress1: "zoe@fabrikam.example" },
  });
  for (let number = 0; number < ROWS; number += 1) {
    const lastname = `Page ${String(number).padStart(2, "0")}`;
    await dataverse.create({ collection: CONTACTS, data: { lastname } });
  }
});

const create = (more) =>
  dataverse.create({ collection: INVITATIONS, data: invitation(contact, more) });
const read = (key, more = {}) => dataverse.retrieve({ collection: INVITATIONS, key, ...more });

test("a create answers with the id of the new row", async () => {
  const id = await create();
  assert.match(id, GUID);
  const row = await read(id, { select: ["adx_name", "statecode", "statuscode"] });
  assert.deepEqual([row.adx_name, row.statecode, row.statuscode], ["Portal invitation", 0, 1]);
  assert.match(row["@odata.etag"], /^W\/"\d+"$/);
});

test("a create can answer with the row, its lookup and the words for its values", async () => {
  const row = await dataverse.create({
    collection: INVITATIONS,
    data: invitation(contact, { adx_expirydate: "2030-06-30T22:00:00Z" }),
    returnRepresentation: true,
    includeAnnotations: "*",
  });
  assert.equal(row._adx_invitecontact_value, contact);
  assert.equal(row._adx_invitecontact_value_LogicalName, "contact");
  assert.equal(row._adx_invitecontact_value_NavigationProperty, "adx_inviteContact");
  assert.equal(row._adx_invitecontact_value_Formatted, "Zoë O'Neill");
  assert.equal(row.statuscode_Formatted, "New");
  assert.equal(row.adx_expirydate.toISOString(), "2030-06-30T22:00:00.000Z");
});

test("a lookup can be followed to its row", async () => {
  const expand = [{ property: "adx_inviteContact", select: ["lastname"] }];
  const row = await read(await create(), { select: ["adx_name"], expand });
  assert.equal(row.adx_inviteContact.lastname, "O'Neill");
});

test("a query finds rows by text with a quote, by lookup and by status", async () => {
  const id = await create({ statuscode: SENT });
  const people = await dataverse.retrieveMultiple({
    collection: CONTACTS,
    select: ["lastname"],
    filter: "lastname eq 'O''Neill' and startswith(emailaddress1,'zoe@')",
  });
  assert.deepEqual(names(people.value), ["O'Neill"]);
  const sent = await dataverse.retrieveMultiple({
    collection: INVITATIONS,
    select: ["adx_name"],
    filter: `_adx_invitecontact_value eq ${contact} and statuscode eq ${SENT}`,
    count: true,
  });
  assert.equal(sent.oDataCount, 1);
  assert.equal(sent.value[0].adx_invitationid, id);
});

const PAGES = {
  collection: CONTACTS,
  select: ["lastname"],
  filter: "startswith(lastname,'Page ')",
  orderBy: ["lastname asc"],
  maxPageSize: 10,
};
const EXPECTED = Array.from({ length: ROWS }, (_, n) => `Page ${String(n).padStart(2, "0")}`);

test("pages follow each other by their next link, the last has none", async () => {
  const sizes = [];
  const found = [];
  let page = await dataverse.retrieveMultiple(PAGES);
  for (;;) {
    sizes.push(page.value.length);
    found.push(...names(page.value));
    if (!page.oDataNextLink) break;
    page = await dataverse.retrieveMultiple(PAGES, page.oDataNextLink);
  }
  assert.deepEqual(sizes, [10, 10, 3]);
  assert.deepEqual(found, EXPECTED);
});

test("the client's own walk over all pages finds every row once", async () => {
  const { value } = await dataverse.retrieveAll(PAGES);
  assert.deepEqual(names(value), EXPECTED);
});

test("FetchXML pages follow each other by their cookie", async () => {
  const { value } = await dataverse.fetchAll({
    collection: CONTACTS,
    fetchXml: `<fetch count="10"><entity name="contact"><attribute name="lastname"/>
      <order attribute="lastname"/>
      <filter><condition attribute="lastname" operator="like" value="Page %"/></filter>
      </entity></fetch>`,
    includeAnnotations: "Microsoft.Dynamics.CRM.fetchxmlpagingcookie",
  });
  assert.deepEqual(names(value), EXPECTED);
});

test("an upsert creates only where the row is not there yet", async () => {
  const key = "aaaaaaaa-0000-4000-8000-000000000001";
  const upsert = { collection: INVITATIONS, key, data: invitation(contact), ifnonematch: "*" };
  const row = await dataverse.upsert({ ...upsert, returnRepresentation: true });
  assert.equal(row.adx_invitationid, key);
  await assert.rejects(dataverse.upsert(upsert), refusal(412, /already exists/));
});

test("an update is made only on the version that was read", async () => {
  const key = await create();
  const { "@odata.etag": ifmatch } = await read(key, { select: ["adx_name"] });
  const update = { collection: INVITATIONS, key, data: { adx_name: "Renamed" }, ifmatch };
  assert.equal(await dataverse.update(update), true);
  await assert.rejects(dataverse.update(update), refusal(412, /version of the existing record/));
  assert.equal((await read(key, { select: ["adx_name"] })).adx_name, "Renamed");
});

test("an update of a row that does not exist creates nothing", async () => {
  const key = "aaaaaaaa-0000-4000-8000-00000000dead";
  const update = { collection: INVITATIONS, key, data: { adx_name: "Ghost" } };
  await assert.rejects(dataverse.update(update), refusal(404, /Does Not Exist/));
  await assert.rejects(read(key), refusal(404, /Does Not Exist/));
});

test("a deleted row is gone", async () => {
  const key = await create();
  assert.equal(await dataverse.deleteRecord({ collection: INVITATIONS, key }), true);
  await assert.rejects(read(key), refusal(404, /Does Not Exist/));
});

test("a misspelt column and a misspelt bind are refused", async () => {
  await assert.rejects(create({ adx_nmae: "x" }), refusal(400, /adx_nmae/));
  const bind = { "adx_invitecontact@odata.bind": `/${CONTACTS}(${contact})` };
  await assert.rejects(create(bind), refusal(400, /adx_invitecontact/));
});

test("a caller without a token is refused", async () => {
  const serverUrl = sandbox.environment.DATAVERSE_URL;
  const anonymous = new DynamicsWebApi({ serverUrl, dataApi: { version: "9.2" } });
  const call = anonymous.retrieve({ collection: CONTACTS, key: contact });
  await assert.rejects(call, (error) => error.status === 401);
});
