// dynamics-web-api sends `$batch` requests and reads the multipart answers.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { GUID, connect, invitation, refusal } from "./dataverse.mjs";
import { startSandbox } from "./sandbox.mjs";

const sandbox = await startSandbox();
after(() => sandbox.stop());
const dataverse = connect(sandbox);

const INVITATIONS = "adx_invitations";
let contact;
let taken; // The id of an invitation that is there.

before(async () => {
  contact = await dataverse.create({ collection: "contacts", data: { lastname: "Nagy" } });
});

beforeEach(async () => {
  taken = await dataverse.create({ collection: INVITATIONS, data: invitation(contact) });
});

const count = async () =>
  (await dataverse.retrieveMultiple({ collection: INVITATIONS, select: ["adx_name"] })).value
    .length;
const key = (number) => `bbbbbbbb-0000-4000-8000-${String(number).padStart(12, "0")}`;

/** In a batch: creates the invitation with this id where there is none. */
const plan = (id, more = {}) =>
  dataverse.upsert({
    collection: INVITATIONS,
    key: id,
    data: invitation(contact),
    ifnonematch: "*",
    returnRepresentation: true,
    ...more,
  });

/** A refused part, as the client gives it back: the body of the answer in `error`. */
const duplicate = (part) => refusal(412, /already exists/)({ status: part.status, ...part.error });

test("a changeset and a query after it are answered in their order", async () => {
  dataverse.startBatch();
  plan(key(1));
  plan(key(2));
  dataverse.retrieve({ collection: INVITATIONS, key: taken, select: ["adx_name"] });
  const answers = await dataverse.executeBatch();
  assert.deepEqual(
    answers.map((row) => row.adx_invitationid),
    [key(1), key(2), taken],
  );
});

test("rows of one changeset can refer to each other", async () => {
  dataverse.startBatch();
  const lastname = "Tanaka";
  dataverse.create({ collection: "contacts", data: { lastname }, contentId: "1" });
  dataverse.create({ collection: INVITATIONS, data: invitation("$1"), contentId: "2" });
  const [person, invited] = await dataverse.executeBatch();
  assert.match(person, GUID);
  const row = await dataverse.retrieve({ collection: INVITATIONS, key: invited });
  assert.equal(row._adx_invitecontact_value, person);
});

test("a changeset with a failing part writes nothing", async () => {
  const rows = await count();
  dataverse.startBatch();
  plan(key(11));
  plan(taken);
  await assert.rejects(dataverse.executeBatch(), ([failed, ...others]) => {
    assert.equal(others.length, 0, "one answer for the whole changeset");
    return duplicate(failed);
  });
  assert.equal(await count(), rows);
});

test("without a changeset, a failing part stands alone where the caller goes on", async () => {
  dataverse.startBatch();
  plan(key(21), { inChangeSet: false });
  plan(taken, { inChangeSet: false });
  plan(key(22), { inChangeSet: false });
  const [first, failed, last] = await dataverse.executeBatch({ continueOnError: true });
  assert.deepEqual([first.adx_invitationid, last.adx_invitationid], [key(21), key(22)]);
  duplicate(failed);
});

test("without a changeset, parts after a failing one are not run", async () => {
  const rows = await count();
  dataverse.startBatch();
  plan(key(31), { inChangeSet: false });
  plan(taken, { inChangeSet: false });
  plan(key(32), { inChangeSet: false });
  await assert.rejects(dataverse.executeBatch(), ([first, failed, ...others]) => {
    assert.equal(first.adx_invitationid, key(31));
    assert.equal(others.length, 0, "no answer for what was not run");
    return duplicate(failed);
  });
  assert.equal(await count(), rows + 1);
});
