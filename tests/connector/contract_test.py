"""Every answer that the connector's definition names is provoked, and every answer that comes is one that it names.

The handler is the real one; the services behind it are the sandbox's. At the end each status, each code and each property
of the definition must have been seen, but for those in NOT_PROVOKED.
"""

import datetime
import re
import time
import unittest
import uuid

from description import DEFINITION, OPERATIONS, Witness, codes, described
from stage import Sandbox

# Known before the start: the sandbox draws ids from its seed, which is 1.
SAMPLE = "e0cc7755-53d4-5030-a37d-f00c0a32975d"
ROLE = str(uuid.uuid5(uuid.NAMESPACE_OID, "1/role/Customer"))
ACCOUNT = str(uuid.uuid5(uuid.NAMESPACE_OID, "1/account/Fabrikam"))
NOBODY = "00000000-0000-4000-8000-000000000000"

SETTINGS = {
    "MAIL_RATE_PER_MINUTE": "1000",
    "INLINE_SECONDS": "1",
    "ALLOW_LINKS": "true",
    "AUTO_INVITE_FILTER": "lastname eq 'Okafor'",
}

# By code: why no test from outside makes the service answer so.
NOT_PROVOKED = {
    "internalError": "a panic or a broken letter; there is none to provoke",
    "busy": "it takes 90 seconds without an answer of Dataverse",
    "contended": "it takes five changes of one row between a read and a write",
}

# Properties that only another identity or another environment has.
NOT_SEEN = {
    "CheckInstallation 200 identity userName": "only where a person is signed in at a desk",
    **{
        f"RevokeInvitation 200 {name}": "only for a group invitation that somebody redeemed, and the sandbox has none"
        for name in ("redeemedOn", "redeemedBy", "redeemedBy contactId", "redeemedBy name")
    },
}

witness = Witness()


class Story(unittest.TestCase):
    """What all tests need: a sandbox each class, and calls whose answers are judged."""

    settings = SETTINGS

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox("--contacts", "60", **cls.settings)
        cls.addClassCleanup(cls.sandbox.close)

    def ask(self, name, status, code=None, key=True, path=None, **more):
        """Calls an operation and judges the answer, which has this status and, if it is a refusal, this code."""
        operation = OPERATIONS[name]
        url = operation.path
        for parameter, value in (path or {}).items():
            url = url.replace(f"{{{parameter}}}", str(value))
        more = more if key else {**more, "key": None}
        answer = self.sandbox.call(operation.method, url, **more)
        self.assertEqual(witness.mistakes(operation, answer), [])
        self.assertEqual(answer.status_code, status, answer.text[:500])
        if code:
            self.assertEqual(answer.json()["code"], code)
        return answer.json() if answer.content else None

    def invite(self, status=200, code=None, run=None, **body):
        headers = {"Idempotency-Key": run or str(uuid.uuid4())}
        return self.ask("InviteContacts", status, code, headers=headers, json=body)

    def invited(self, name, **more):
        """A new contact, and its invitation."""
        contact = self.sandbox.contact(name, email=f"{name.lower()}@post.test")
        entry = self.invite(contactIds=[contact], **more)["results"][0]
        return contact, entry["invitationId"], entry

    def slowly(self):
        """Letters take longer than a caller waits, for the rest of the test."""
        self.sandbox.tell("faults", kind="slow", service="graph", milliseconds=10000)
        self.addCleanup(self.sandbox.client.post, f"{self.sandbox.page}/sandbox/faults/end", json={"id": "all"})

    def until_settled(self, batch, **query):
        """The batch's results; the dispatcher goes on with it as soon as it may."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            self.sandbox.tell("timers", names=["function-dispatch"])
            answer = self.sandbox.call("GET", f"/api/batches/{batch}", params=query)
            self.assertEqual(witness.mistakes(OPERATIONS["GetBatch"], answer), [])
            if answer.status_code == 200:
                return answer.json()
            time.sleep(0.1)
        return self.fail(f"batch {batch} is never settled")

    def redeem(self, link):
        """Signs up with a link, as the person invited."""
        page = self.sandbox.client.get(link, timeout=60)
        fields = dict(re.findall(r'name="(\w+)"(?: type="\w+")? value="([^"]*)"', page.text)) | {"username": "guest"}
        answer = self.sandbox.client.post(link.partition("?")[0], data=fields, timeout=60, allow_redirects=False)
        self.assertLess(answer.status_code, 400, answer.text[:300])


class Contract(Story):
    def test_an_invitation_with_every_field_is_sent(self):
        inviter = self.sandbox.contact("Host", email="host@post.test")
        contact = self.sandbox.contact("Guest", email="guest@post.test")
        day = datetime.date.today() + datetime.timedelta(days=30)
        answer = self.invite(
            contactIds=[contact, NOBODY], expiresOn=day.isoformat(), whenPending="fail", language="en", template="invitation",
            subject="s" * 255, message="m" * 2000, returnUrl="/welcome?now=1", inviterContactId=inviter, assignToAccountId=ACCOUNT,
            webRoleIds=[ROLE], includeRegistered=True, sendEmail=True, dryRun=False, requestedBy="r" * 100,
        )
        self.assertEqual([entry["outcome"] for entry in answer["results"]], ["sent", "failed"])
        self.assertEqual(answer["requestedBy"], "r" * 100)
        again = self.invite(contactIds=[contact], whenPending="fail", validDays=365)
        self.assertEqual(again["results"][0]["reason"]["code"], "alreadyInvited")

    def test_each_source_finds_contacts(self):
        views = self.ask("ListViews", 200)["value"]
        view = next(view["id"] for view in views if view["name"] == "Active contacts")
        fetch = '<fetch top="3"><entity name="contact"><attribute name="contactid"/></entity></fetch>'
        for source in ({"view": {"id": view}}, {"view": {"id": view, "personal": False}}, {"fetchXml": fetch}, {"filter": "statecode eq 0"}):
            answer = self.invite(dryRun=True, **source)
            self.assertGreater(answer["counts"]["planned"], 0, source)

    def test_a_link_is_handed_over_and_redeemed(self):
        _, invitation, entry = self.invited("Linked", sendEmail=False)
        self.redeem(entry["redeemUrl"])
        found = self.ask("GetInvitation", 200, path={"id": invitation})
        self.assertEqual(found["standing"], "redeemed")
        self.ask("RevokeInvitation", 409, "alreadyRedeemed", path={"id": invitation})
        self.ask("ResendInvitation", 409, "alreadyRedeemed", path={"id": invitation})
        page = self.ask("ListInvitations", 200, params={"standing": "redeemed", "top": 1000})
        self.assertIn(found, page["value"])
        self.ask("ListInvitations", 200, params={"top": 1})

    def test_a_batch_outlasts_its_caller(self):
        contacts = [self.sandbox.contact(f"Slow{number}", email=f"slow{number}@post.test") for number in range(3)]
        self.slowly()
        accepted = self.invite(202, contactIds=contacts, requestedBy="Robin")
        self.ask("GetBatch", 202, path={"number": accepted["batch"]})
        rows = self.ask("ListInvitations", 200, params={"batch": accepted["batch"]})["value"]
        revoked = self.ask("RevokeInvitation", 200, path={"id": rows[0]["invitationId"]})
        self.assertIn("warning", revoked)
        self.sandbox.tell("faults/end", id="all")
        settled = self.until_settled(accepted["batch"])
        self.assertEqual(len(settled["results"]), 3)
        first = self.ask("GetBatch", 200, path={"number": accepted["batch"]}, params={"top": 1})
        rest = self.ask("GetBatch", 200, path={"number": accepted["batch"]}, params={"cursor": first["nextCursor"]})
        self.assertEqual(len(rest["results"]), 2)
        self.ask("GetBatch", 200, path={"number": accepted["batch"]}, params={"outcome": "sent"})

    def test_a_letter_is_sent_again(self):
        _, invitation, _ = self.invited("Again")
        self.ask("ResendInvitation", 429, "cooldown", path={"id": invitation})
        self.sandbox.tell("clock", seconds=3600)
        body = {"message": "m" * 2000, "extendDays": 365, "language": "en", "requestedBy": "Robin"}
        headers = {"Idempotency-Key": "again"}
        self.ask("ResendInvitation", 200, path={"id": invitation}, headers=headers, json=body)
        self.ask("ResendInvitation", 422, "keyReused", path={"id": invitation}, headers=headers, json={})
        self.ask("RevokeInvitation", 200, path={"id": invitation})
        self.ask("ResendInvitation", 409, "revoked", path={"id": invitation})

    def test_a_letter_that_is_sent_again_outlasts_its_caller(self):
        _, invitation, _ = self.invited("Later")
        self.sandbox.tell("clock", seconds=3600)
        self.slowly()
        accepted = self.ask("ResendInvitation", 202, path={"id": invitation})
        self.sandbox.tell("faults/end", id="all")
        self.until_settled(accepted["batch"])

    def test_an_invitation_that_another_one_follows_is_not_sent_again(self):
        contact, invitation, _ = self.invited("Twice", validDays=1)
        self.sandbox.tell("clock", seconds=3 * 24 * 3600)
        self.invite(contactIds=[contact])
        self.ask("ResendInvitation", 409, "notSendable", path={"id": invitation})

    def test_what_is_wrong_with_a_request_is_told(self):
        for name, path in (("InviteContacts", {}), ("ResendInvitation", {"id": NOBODY}), ("ContactCreated", {})):
            with self.subTest(name):
                json = {"headers": {"content-type": "application/json"}, "path": path}
                self.ask(name, 400, "invalidJson", data=b"[1", **json)
                self.ask(name, 413, "bodyTooLarge", data=b" " * (2 * 1024 * 1024 + 1), **json)
        unknown = self.invite(400, "invalidRequest", contactIds=[NOBODY], colour="red", validDays=0)
        self.assertEqual({error["field"] for error in unknown["errors"]}, {"colour", "validDays"})
        self.ask("ResendInvitation", 400, "invalidRequest", path={"id": NOBODY}, json={"extendDays": 366})
        self.ask("ListInvitations", 400, "invalidRequest", params={"top": 1001})
        self.ask("GetBatch", 400, "invalidRequest", path={"number": 1000000000}, params={"top": 5001})
        self.invite(413, "tooManyContacts", contactIds=[NOBODY] * 20001)
        self.invite(200, contactIds=[NOBODY] * 20000, dryRun=True)

    def test_what_the_settings_forbid_is_refused(self):
        self.invite(403, "notAllowed", contactIds=[NOBODY], redemptionWorkflowId=NOBODY)
        self.invite(403, "notAllowed", contactIds=[NOBODY], webRoleIds=[NOBODY])

    def test_what_is_not_there_is_not_found(self):
        for name in ("GetInvitation", "ResendInvitation", "RevokeInvitation"):
            self.ask(name, 404, "invitationNotFound", path={"id": NOBODY})
        self.ask("GetBatch", 404, "batchNotFound", path={"number": 2147483647})
        self.invite(422, "sourceRejected", view={"id": NOBODY, "personal": False})

    def test_a_key_stands_for_one_request(self):
        contact = self.sandbox.contact("Once", email="once@post.test")
        first = self.invite(run="run-1", contactIds=[contact])
        self.assertEqual(self.invite(run="run-1", contactIds=[contact]), first)
        self.invite(422, "keyReused", run="run-1", contactIds=[NOBODY])

    def test_dataverse_tells_of_a_contact(self):
        event = {"MessageName": "Create", "PrimaryEntityName": "contact", "PrimaryEntityId": SAMPLE, "Depth": 1, "UserId": NOBODY}
        self.assertEqual(self.ask("ContactCreated", 200, json=event)["outcome"], "accepted")
        event["PrimaryEntityName"] = "account"
        self.assertEqual(self.ask("ContactCreated", 200, json=event)["reason"]["code"], "otherTable")

    def test_the_installation_is_looked_at(self):
        self.assertIn("ok", self.ask("CheckInstallation", 200))
        self.ask("GetHealth", 200, key=False)

    def test_nobody_gets_in_without_the_key(self):
        for operation in OPERATIONS.values():
            if operation.needs_key:
                self.ask(operation.name, 401, key=False, path={"id": NOBODY, "number": 2147483647})


# What each operation is asked with, where only the services behind the handler matter.
PLAIN = {
    "InviteContacts": {"json": {"contactIds": [NOBODY]}},
    "ListInvitations": {},
    "GetInvitation": {"path": {"id": NOBODY}},
    "ResendInvitation": {"path": {"id": NOBODY}},
    "RevokeInvitation": {"path": {"id": NOBODY}},
    "ListViews": {},
    "ContactCreated": {"json": {"MessageName": "Create", "PrimaryEntityName": "contact", "PrimaryEntityId": SAMPLE}},
}


class Trouble(Story):
    """Names begin with letters that put them in order: what Dataverse says of waiting is remembered."""

    def test_a_without_its_application_user_calls_are_refused(self):
        self.sandbox.tell("switches", id="user")
        for name, more in PLAIN.items():
            with self.subTest(name):
                self.ask(name, 502, "refused", **more)
        self.sandbox.tell("faults/end", id="all")

    def test_b_while_dataverse_wants_no_calls_the_service_is_unavailable(self):
        self.sandbox.tell("faults", kind="throttle", service="dataverse", seconds=3600, requests=10000)
        for name, more in PLAIN.items():
            with self.subTest(name):
                self.ask(name, 503, "unavailable", **more)

    def test_c_without_its_store_no_batch_can_be_read(self):
        for name in ("open", "done"):
            folder = self.sandbox.store / name
            folder.rename(folder.with_suffix(".away"))
            folder.write_text("not a folder")
        self.ask("GetBatch", 503, "unavailable", path={"number": 2147483647})


class OtherSettings(Story):
    settings = {"AUTO_INVITE_FILTER": "no_such_column eq 1"}

    def test_links_are_handed_over_only_where_a_setting_says_so(self):
        self.invite(403, "notAllowed", contactIds=[NOBODY], sendEmail=False)

    def test_a_rule_that_dataverse_does_not_understand_is_told(self):
        self.ask("ContactCreated", 500, "ruleRejected", **PLAIN["ContactCreated"])


class Whole(unittest.TestCase):
    """Runs last: whether the definition says anything that nobody has seen."""

    def test_every_code_of_the_definition_was_answered(self):
        said = {(name, status, code) for name, operation in OPERATIONS.items()
                for status, response in operation.responses.items() for code in codes(response)}
        unseen = {(name, status, code) for name, status, code in said - witness.codes if code not in NOT_PROVOKED}
        self.assertEqual(sorted(unseen), [])

    def test_every_status_of_the_definition_was_answered(self):
        said = {(name, status): set(codes(response)) for name, operation in OPERATIONS.items() for status, response in operation.responses.items()}
        unseen = {place for place, named in said.items() if place not in witness.statuses and not (named and named <= NOT_PROVOKED.keys())}
        self.assertEqual(sorted(unseen), [])

    def test_every_property_of_an_answer_was_seen(self):
        said = set()
        for name, operation in OPERATIONS.items():
            for status in ("200", "202"):
                if status in operation.responses:
                    said |= described(f"{name} {status}", operation.responses[status]["schema"])
        self.assertEqual(sorted(said - witness.properties - NOT_SEEN.keys() - same_elsewhere(said)), [])

    def test_every_code_that_problems_may_have_belongs_to_an_answer(self):
        named = {code for operation in OPERATIONS.values() for response in operation.responses.values() for code in codes(response)}
        self.assertEqual(named, set(DEFINITION["definitions"]["Problem"]["properties"]["code"]["enum"]))


def same_elsewhere(said):
    """Properties that were seen in the same schema as the answer of another operation."""
    shapes = {}
    for name, operation in OPERATIONS.items():
        for status, response in operation.responses.items():
            shapes.setdefault(response.get("schema", {}).get("$ref"), []).append(f"{name} {status}")
    same = set()
    for places in shapes.values():
        seen = {item[len(place):] for place in places for item in witness.properties if item.startswith(place)}
        same |= {place + rest for place in places for rest in seen}
    return same & said


def load_tests(loader, _tests, _pattern):
    """The order in which these are told: what nobody has seen is known at the end."""
    stories = (Contract, Trouble, OtherSettings, Whole)
    return unittest.TestSuite(loader.loadTestsFromTestCase(story) for story in stories)


if __name__ == "__main__":
    unittest.main()
