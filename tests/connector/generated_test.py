"""Generated requests, in both directions: what the definition allows is taken, what it forbids is refused.

Schemathesis makes requests that keep to the definition and requests that do not. What was really sent decides which it
is, since a query has no types and a generator may miss. Every answer must be one that the definition names.
"""

import copy
import datetime
import json
import re
import unittest
import urllib.parse
import warnings

import jsonschema
import requests
import schemathesis
from description import DEFINITION, OPERATIONS, Witness, checker
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from stage import KEY, Sandbox

EXAMPLES = 40
SETTINGS = {"MAIL_RATE_PER_MINUTE": "1000", "ALLOW_LINKS": "true"}
SOURCES = ("view", "contactIds", "fetchXml", "filter")
# Texts that count as absent where nothing but space is in them, as an empty box of a form is.
BLANK = {"message", "subject", "language", "template", "requestedBy"}
PLAIN = re.compile(r"[A-Za-z0-9-]+")
# Where the host, by its documentation, looks for its key: no filter of ours.
OF_THE_HOST = {"code", "clientId"}


@checker.checks("date")
def is_day(value):
    """A day with hyphens; Python takes other forms, too."""
    if not isinstance(value, str):
        return True
    try:
        return datetime.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def lawful(body):
    """A body that keeps the rules which stand in the definition's words, because Swagger 2.0 cannot say them."""
    given_sources = [source for source in SOURCES if source in body]
    for source in given_sources[1:]:
        del body[source]
    if not given_sources:
        body["contactIds"] = ["00000000-0000-4000-8000-000000000000"]
    if "validDays" in body or "expiresOn" in body:
        body.pop("expiresOn", None)
        if "validDays" not in body:
            body["expiresOn"] = (datetime.date.today() + datetime.timedelta(days=364)).isoformat()
    return body


def lawful_for_all(name, body):
    """The same for whatever is posted: names of languages and templates are the installation's own."""
    if not isinstance(body, dict):
        return body
    body = lawful(body) if name == "InviteContacts" else body
    if "language" in body:
        body["language"] = "en"
    if "template" in body:
        body["template"] = "invitation"
    if body.get("sendEmail") is False:
        body.pop("includeRegistered", None)
        body.pop("whenPending", None)
    return body


class Wire:
    """A request as it is sent, and whether the definition allows it."""

    def __init__(self, operation, case, base):
        arguments = case.as_transport_kwargs(base_url=base)
        kept = {name: value for name, value in (arguments["headers"] or {}).items() if name.lower() in ("idempotency-key", "content-type")}
        arguments["headers"] = {**kept, "x-functions-key": KEY}
        arguments.pop("cookies", None)
        self.operation = operation
        self.request = requests.Request(**arguments).prepare()
        self.parts = case.path_parameters or {}

    def is_sendable(self):
        """Whether the path leads to the operation: one that is empty or has slashes leads elsewhere."""
        return all(PLAIN.fullmatch(str(value)) for value in self.parts.values())

    def verdict(self):
        """`True` where it is allowed, `False` where it is not, `None` where the service is known to be lenient."""
        found = [self._path(), self._query(), self._key(), self._body()]
        if False in found:
            return False
        return None if None in found else True

    def _path(self):
        return all(fits(self.operation.of("path")[name], str(value)) for name, value in self.parts.items())

    def _query(self):
        known = self.operation.of("query")
        pairs = urllib.parse.parse_qsl(urllib.parse.urlsplit(self.request.url).query, keep_blank_values=True)
        strict = self.operation.name == "ListInvitations"
        for name, text in pairs:
            if name == "cursor":
                return None
            if name in known and not fits(known[name], text):
                return False
            if name not in known and strict and name not in OF_THE_HOST:
                return False
        names = [name for name, _ in pairs if name in known]
        return len(names) == len(set(names))

    def _key(self):
        key = self.request.headers.get("Idempotency-Key", "")
        key = key.encode() if isinstance(key, str) else key
        if "Idempotency-Key" not in self.operation.of("header"):
            return True
        return None if not key.strip() else len(key) <= 255

    def _body(self):
        schema, sent = self.operation.body, self.request.body or b""
        if schema is None:
            return True
        if not sent.strip():
            return self.operation.name == "ResendInvitation"
        try:
            body = json.loads(sent, parse_constant=lambda name: 1 / 0)
        except (ValueError, ZeroDivisionError):
            return False
        valid = jsonschema.Draft4Validator(schema, format_checker=checker).is_valid
        if valid(body):
            return True if lawful_for_all(self.operation.name, copy.deepcopy(body)) == body else None
        return None if valid(without_blanks(body)) else False


def without_blanks(value):
    """What is left of a body without nulls and blank texts, which count as absent."""
    if not isinstance(value, dict):
        return value
    blank = lambda name, part: part is None or (name in BLANK and isinstance(part, str) and not part.strip())
    return {name: without_blanks(part) for name, part in value.items() if not blank(name, part)}


def fits(parameter, text):
    """Whether a text in a path or a query is a value of a parameter."""
    value = text
    if parameter["type"] == "integer":
        if not re.fullmatch(r"\+?\d+", text, re.ASCII):
            return False
        value = int(text)
    schema = {name: parameter[name] for name in ("type", "format", "enum", "minimum", "maximum") if name in parameter}
    return jsonschema.Draft4Validator(schema, format_checker=checker).is_valid(value)


class Generated(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox("--contacts", "10", **SETTINGS)
        cls.addClassCleanup(cls.sandbox.close)
        cls.schema = schemathesis.openapi.from_dict(DEFINITION)

    def judge(self, wire, witness):
        answer = self.sandbox.client.send(wire.request, timeout=150, allow_redirects=False)
        shown = f"{wire.request.method} {wire.request.url} {(wire.request.body or b'')[:400]} {wire.request.headers}: {answer.text[:400]}"
        self.assertEqual(witness.mistakes(wire.operation, answer), [], shown)
        code = answer.json().get("code") if answer.status_code >= 400 else None
        verdict = wire.verdict()
        if verdict is True:
            self.assertNotIn(code, ("invalidRequest", "invalidJson", "bodyTooLarge"), shown)
        elif verdict is False:
            self.assertIn(answer.status_code, (400, 404, 413), shown)
        return verdict

    def explore(self, operation, mode):
        """Sends what is generated; gives how often the definition allowed it, and how often not."""
        witness, verdicts = Witness(), []
        strategy = self.schema[operation.path][operation.method].as_strategy(generation_mode=mode)

        @seed(20261123)
        @settings(max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
        @given(case=strategy)
        def send(case):
            if mode is GenerationMode.POSITIVE:
                case.body = lawful_for_all(operation.name, case.body)
            wire = Wire(operation, case, self.sandbox.host)
            if wire.is_sendable():
                verdicts.append(self.judge(wire, witness))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            send()
        return verdicts.count(True), verdicts.count(False)


def add(operation):
    def allowed(self):
        taken, _ = self.explore(operation, GenerationMode.POSITIVE)
        self.assertGreater(taken, EXAMPLES // 5, "hardly any request was one that the definition allows")

    def forbidden(self):
        _, refused = self.explore(operation, GenerationMode.NEGATIVE)
        self.assertGreater(refused, EXAMPLES // 5, "hardly any request was one that the definition forbids")

    setattr(Generated, f"test_{operation.name}_takes_what_the_definition_allows", allowed)
    # A path of plain letters is all that can be wrong with them, and that is tried with the others.
    if operation.body or operation.of("query"):
        setattr(Generated, f"test_{operation.name}_refuses_what_the_definition_forbids", forbidden)


for one in OPERATIONS.values():
    if one.parameters:
        add(one)


if __name__ == "__main__":
    unittest.main()
