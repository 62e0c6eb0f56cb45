"""Every limit of the definition, from both sides: the last value that it allows is taken, the first that it forbids is not.

The values are made from the definition, so that a limit which is changed there or in the program is found.
"""

import datetime
import json
import unittest
import uuid

from description import OPERATIONS
from stage import Sandbox

NOBODY = "00000000-0000-4000-8000-00000000abcd"
ROLE = str(uuid.uuid5(uuid.NAMESPACE_OID, "1/role/Customer"))
TODAY = datetime.date.today()

# What a schema cannot tell: which words an installation knows, and which texts a pattern is about.
SAMPLES = {
    "language": (["en"], ["no such language"]),
    "template": (["invitation"], ["no such template"]),
    "returnUrl": (["/", "/a/", "/a?b#c"], ["", "a", "//a", "/a//b", "/\\a", "/a\n", "https://a.example/"]),
    "expiresOn": ([str(TODAY + datetime.timedelta(days)) for days in (1, 364)], ["2026-02-30", "31.12.2026", "2020-01-01", str(TODAY + datetime.timedelta(367))]),
}
OF_FORMAT = {"uuid": ([NOBODY, NOBODY.upper()], ["", NOBODY.replace("-", ""), f"{{{NOBODY}}}"])}
SOURCES = ("view", "contactIds", "fetchXml", "filter")


def edges(name, schema):
    """Values that a schema allows, and values that it forbids."""
    kind = schema["type"]
    allowed, forbidden = {
        "integer": lambda: ([schema["minimum"], schema["maximum"]], [schema["minimum"] - 1, schema["maximum"] + 1, "5", 1.5, True]),
        "boolean": lambda: ([True, False], ["true", 1]),
        "string": lambda: texts(schema),
        "array": lambda: lists(name, schema),
        "object": lambda: objects(schema),
    }[kind]()
    more_allowed, more_forbidden = SAMPLES.get(name, ([], []))
    if name in SAMPLES:
        allowed = ["/" + "a" * (schema["maxLength"] - 1)] if name == "returnUrl" else []
    return allowed + more_allowed, forbidden + more_forbidden


def texts(schema):
    if "enum" in schema:
        return schema["enum"], [schema["enum"][0].upper(), "", 5]
    allowed, forbidden = OF_FORMAT.get(schema.get("format"), ([], []))
    forbidden = [*forbidden, 5, ["a"]]
    if longest := schema.get("maxLength"):
        return [*allowed, "a" * longest, "å" * (longest // 2)], [*forbidden, "a" * (longest + 1)]
    return allowed or ["a"], forbidden


def lists(name, schema):
    one = [ROLE if name == "webRoleIds" else NOBODY]
    least, most = schema.get("minItems", 0), schema["maxItems"]
    _, wrong = edges("item", schema["items"])
    too_few = [one * (least - 1)] if least else []
    return [one * least, one * most], [*too_few, one * (most + 1), {}, *([value] for value in wrong)]


def objects(schema):
    whole = {name: edges(name, part)[0][0] for name, part in schema["properties"].items()}
    allowed = [whole, {name: whole[name] for name in schema["required"]}]
    forbidden = [{**whole, "colour": "red"}, []]
    forbidden += [{key: value for key, value in whole.items() if key != name} for name in schema["required"]]
    for name, part in schema["properties"].items():
        good, bad = edges(name, part)
        allowed += [{**whole, name: value} for value in good]
        forbidden += [{**whole, name: value} for value in bad]
    return allowed, forbidden


class Limits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox("--contacts", "10", ALLOW_LINKS="true")
        cls.addClassCleanup(cls.sandbox.close)

    def ask(self, name, taken, **more):
        operation = OPERATIONS[name]
        path = operation.path.replace("{id}", NOBODY).replace("{number}", "2147483647")
        answer = self.sandbox.call(operation.method, path, **more)
        shown = f"{name} {json.dumps(more, default=str)[:300]}: {answer.status_code} {answer.text[:300]}"
        if taken:
            self.assertNotIn(answer.status_code, (400, 413), shown)
        else:
            self.assertIn(answer.status_code, (400, 413), shown)

    def each(self, name, schemas, send):
        """Sends each value of each property; gives how many there were."""
        sent = 0
        for field, schema in schemas.items():
            allowed, forbidden = edges(field, schema)
            with self.subTest(f"{name} {field}"):
                for taken, values in ((True, allowed), (False, forbidden)):
                    for value in values:
                        send(taken, field, value)
                        sent += 1
        return sent

    def test_of_invitations(self):
        def send(taken, field, value):
            body = {"dryRun": True, field: value} if field in SOURCES else {"contactIds": [NOBODY], "dryRun": True, field: value}
            self.ask("InviteContacts", taken, json=body)

        schema = OPERATIONS["InviteContacts"].body
        self.assertGreater(self.each("InviteContacts", schema["properties"], send), 100)
        send(False, "colour", "red")

    def test_of_sending_again(self):
        def send(taken, field, value):
            self.ask("ResendInvitation", taken, json={field: value})

        schema = OPERATIONS["ResendInvitation"].body
        self.assertGreater(self.each("ResendInvitation", schema["properties"], send), 15)
        send(False, "colour", "red")

    def test_of_queries(self):
        for name in ("ListInvitations", "GetBatch"):
            # In a query everything is text, also what is to be a number.
            schemas = {field: schema for field, schema in OPERATIONS[name].of("query").items() if field != "cursor"}

            def send(taken, field, value, name=name):
                if value != "5":
                    self.ask(name, taken, params={field: value})

            self.assertGreater(self.each(name, schemas, send), 10)

    def test_of_keys(self):
        for length, taken in ((1, True), (255, True), (256, False)):
            self.ask("InviteContacts", taken, headers={"Idempotency-Key": "a" * length}, json={"contactIds": [NOBODY], "dryRun": True})
        self.assertEqual(OPERATIONS["InviteContacts"].of("header")["Idempotency-Key"]["maxLength"], 255)

    def test_of_combinations_that_only_words_forbid(self):
        one = {"contactIds": [NOBODY], "dryRun": True}
        for more in ({"filter": "statecode eq 0"}, {"validDays": 5, "expiresOn": str(TODAY + datetime.timedelta(5))},
                     {"sendEmail": False, "includeRegistered": True}, {"sendEmail": False, "whenPending": "resend"}):
            self.ask("InviteContacts", False, json={**one, **more})
        self.ask("InviteContacts", False, json={"dryRun": True})

    def test_absent_is_what_null_and_blank_mean(self):
        body = {"contactIds": [NOBODY], "dryRun": True, "message": " ", "view": None, "validDays": None}
        self.ask("InviteContacts", True, json=body)


if __name__ == "__main__":
    unittest.main()
