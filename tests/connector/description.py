"""The connector's definition as tests need it: its operations, and what is wrong with an answer that it does not describe.

Answers are held against schemas that are closed: a property that the definition does not name is wrong, too. Every
property that an answer had is remembered, so that a test can ask whether the definition names one that never comes.
"""

import copy
import json
import re
from pathlib import Path

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
DEFINITION = json.loads((ROOT / "connector/apiDefinition.swagger.json").read_text())
PROBLEM = "application/problem+json"

checker = jsonschema.FormatChecker()


@checker.checks("uri")
def is_address(value):
    """An address with a scheme and a host; the library knows the format only with another library."""
    return not isinstance(value, str) or bool(re.fullmatch(r"https?://[^/\s]+(/\S*)?", value))


def resolved(schema):
    """A schema with its references filled in."""
    if isinstance(schema, list):
        return [resolved(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if reference := schema.get("$ref"):
        return resolved(DEFINITION["definitions"][reference.rpartition("/")[2]])
    return {name: resolved(part) for name, part in schema.items()}


def closed(schema):
    """The same schema, in which objects have no properties but those that are named."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: closed(part) for name, part in schema.items()}
    return {**schema, "additionalProperties": False} if schema.get("type") == "object" else schema


def codes(response):
    """The codes that a response's description names."""
    return re.findall(r"`(\w+)`", response["description"])


class Operation:
    """One operation of the definition."""

    def __init__(self, path, method, operation):
        self.path, self.method, self.responses = path, method.upper(), operation["responses"]
        self.name = operation["operationId"]
        self.parameters = [resolved(copy.deepcopy(parameter)) for parameter in operation.get("parameters", [])]
        self.needs_key = operation.get("security", DEFINITION["security"]) != []

    def of(self, place):
        return {parameter["name"]: parameter for parameter in self.parameters if parameter["in"] == place}

    @property
    def body(self):
        """The schema of what is posted, if anything is."""
        return next((parameter["schema"] for parameter in self.of("body").values()), None)


OPERATIONS = {
    operation["operationId"]: Operation(path, method, operation)
    for path, methods in DEFINITION["paths"].items()
    for method, operation in methods.items()
}


class Witness:
    """Holds answers against the definition, and remembers what it has seen."""

    def __init__(self):
        self.statuses, self.codes, self.properties = set(), set(), set()

    def mistakes(self, operation, answer):
        """What about an answer the definition does not say; nothing where all is well."""
        status, response = str(answer.status_code), operation.responses.get(str(answer.status_code))
        if response is None:
            return [f"{operation.name} is not said to answer {status}: {answer.text[:300]}"]
        self.statuses.add((operation.name, status))
        found = self._headers(operation, response, answer)
        if "schema" not in response:
            return found + ([f"{operation.name} {status} has a body"] if answer.content else [])
        kind = PROBLEM if answer.status_code >= 400 else "application/json"
        if answer.headers.get("content-type") != kind:
            return [*found, f"{operation.name} {status} is {answer.headers.get('content-type')} and not {kind}"]
        return found + self._body(operation, status, response, answer.json())

    def _headers(self, operation, response, answer):
        promised, told = set(response.get("headers", {})), {"Location", "Retry-After"}
        there = {name for name in told if name in answer.headers}
        return [f"{operation.name} {answer.status_code}: {name} is {'missing' if name in promised else 'not described'}" for name in promised ^ there]

    def _body(self, operation, status, response, body):
        schema = closed(resolved(response["schema"]))
        errors = jsonschema.Draft4Validator(schema, format_checker=checker).iter_errors(body)
        found = [f"{operation.name} {status} {'.'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in errors]
        if int(status) >= 400:
            code = body.get("code")
            self.codes.add((operation.name, status, code))
            if code not in codes(response):
                found.append(f"{operation.name} {status} is not said to have the code {code}")
            if body.get("status") != int(status):
                found.append(f"{operation.name} {status} says that it is {body.get('status')}")
        self._remember(f"{operation.name} {status}", body)
        return found

    def _remember(self, place, value):
        if isinstance(value, dict):
            for name, part in value.items():
                self.properties.add(f"{place} {name}")
                self._remember(f"{place} {name}", part)
        elif isinstance(value, list):
            for part in value:
                self._remember(place, part)


def described(place, schema):
    """Every property of a response's schema, as a witness remembers it."""
    schema = resolved(schema)
    if schema.get("type") == "array":
        return described(place, schema["items"])
    names = set()
    for name, part in schema.get("properties", {}).items():
        names |= {f"{place} {name}"} | described(f"{place} {name}", part)
    return names
