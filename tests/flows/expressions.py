"""Owns reading the expression language of workflow definitions: a text becomes a tree, or is refused.

The language: https://learn.microsoft.com/azure/logic-apps/logic-apps-workflow-definition-language#expressions.
Functions: https://learn.microsoft.com/azure/logic-apps/expression-functions-reference. It is read more strictly than the
service may read it: names in the spelling of that page, no more and no fewer arguments than it gives.
"""

import re
from dataclasses import dataclass

# Fewest and most arguments; None where there may be any number.
FUNCTIONS = {
    "actionBody": (1, 1), "actionOutputs": (1, 1), "actions": (1, 2), "add": (2, 2), "addDays": (2, 3), "addHours": (2, 3),
    "addMinutes": (2, 3), "addProperty": (3, 3), "addSeconds": (2, 3), "addToTime": (3, 4), "and": (2, None), "array": (1, 1),
    "base64": (1, 1), "base64ToBinary": (1, 1), "base64ToString": (1, 1), "binary": (1, 1), "body": (1, 1), "bool": (1, 1),
    "chunk": (2, 2), "coalesce": (1, None), "concat": (1, None), "contains": (2, 2), "convertFromUtc": (2, 3),
    "convertTimeZone": (3, 4), "convertToUtc": (2, 3), "createArray": (1, None), "dataUri": (1, 1), "dateDifference": (2, 2),
    "dayOfMonth": (1, 1), "dayOfWeek": (1, 1), "dayOfYear": (1, 1), "decimal": (1, 1), "decodeBase64": (1, 1),
    "decodeUriComponent": (1, 1), "div": (2, 2), "empty": (1, 1), "encodeUriComponent": (1, 1), "endsWith": (2, 2),
    "equals": (2, 2), "first": (1, 1), "float": (1, 2), "formatDateTime": (1, 3), "formatNumber": (2, 3), "getFutureTime": (2, 3),
    "getPastTime": (2, 3), "greater": (2, 2), "greaterOrEquals": (2, 2), "guid": (0, 1), "if": (3, 3), "indexOf": (2, 2),
    "int": (1, 1), "intersection": (2, None), "isFloat": (1, 2), "isInt": (1, 1), "item": (0, 0), "items": (1, 1),
    "iterationIndexes": (1, 1), "join": (2, 2), "json": (1, 1), "last": (1, 1), "lastIndexOf": (2, 2), "length": (1, 1),
    "less": (2, 2), "lessOrEquals": (2, 2), "max": (1, None), "min": (1, None), "mod": (2, 2), "mul": (2, 2), "not": (1, 1),
    "nthIndexOf": (3, 3), "or": (2, None), "outputs": (1, 1), "parameters": (1, 1), "parseDateTime": (1, 3), "rand": (2, 2),
    "range": (2, 2), "removeProperty": (2, 2), "replace": (3, 3), "result": (1, 1), "reverse": (1, 1), "setProperty": (3, 3),
    "skip": (2, 2), "slice": (2, 3), "sort": (1, 2), "split": (2, 2), "startOfDay": (1, 2), "startOfHour": (1, 2),
    "startOfMonth": (1, 2), "startsWith": (2, 2), "string": (1, 1), "sub": (2, 2), "substring": (2, 3), "subtractFromTime": (3, 4),
    "take": (2, 2), "ticks": (1, 1), "toLower": (1, 1), "toUpper": (1, 1), "trigger": (0, 0), "triggerBody": (0, 0),
    "triggerOutputs": (0, 0), "trim": (1, 1), "union": (2, None), "uriComponent": (1, 1), "utcNow": (0, 1), "variables": (1, 1),
    "workflow": (0, 0), "xml": (1, 1), "xpath": (2, 2),
}
TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])|(?P<name>[A-Za-z]\w*)|(?P<sign>\?\[|\?\.|[()\[\],.]))"
)


class Refused(ValueError):
    """The text is no expression; says where and why."""


@dataclass(frozen=True)
class Literal:
    value: object


@dataclass(frozen=True)
class Call:
    name: str
    arguments: tuple


@dataclass(frozen=True)
class Member:
    """`of[key]`, or with `optional` `of?[key]`, which is null where `of` is null or has no such member."""

    of: object
    key: object
    optional: bool


@dataclass(frozen=True)
class Text:
    """A text with expressions in it, one after the other."""

    parts: tuple


class Reader:
    def __init__(self, text, place=0):
        self.text, self.place = text, place

    def look(self):
        found = TOKEN.match(self.text, self.place)
        return (found.lastgroup, found[found.lastgroup], found.end()) if found else (None, None, self.place)

    def take(self, *wanted):
        kind, value, end = self.look()
        if kind is None or (wanted and value not in wanted):
            raise Refused(f"expected {' or '.join(wanted) or 'a value'} at {self.place} in {self.text!r}")
        self.place = end
        return kind, value

    def expression(self):
        node = self.value()
        while self.look()[1] in ("[", "?[", ".", "?."):
            _, sign = self.take()
            if sign.endswith("["):
                key = self.expression()
                self.take("]")
            else:
                kind, name = self.take()
                if kind != "name":
                    raise Refused(f"{name!r} is no name of a member in {self.text!r}")
                key = Literal(name)
            node = Member(node, key, sign.startswith("?"))
        return node

    def value(self):
        kind, value = self.take()
        if kind == "text":
            return Literal(value[1:-1].replace("''", "'"))
        if kind == "number":
            return Literal(float(value) if "." in value else int(value))
        if kind == "name" and value in ("true", "false", "null"):
            return Literal({"true": True, "false": False, "null": None}[value])
        if kind == "name":
            return self.call(value)
        raise Refused(f"{value!r} begins no value in {self.text!r}")

    def call(self, name):
        if name not in FUNCTIONS:
            raise Refused(f"there is no function {name!r}, in {self.text!r}")
        self.take("(")
        arguments = []
        if self.look()[1] == ")":
            self.take(")")
        else:
            arguments.append(self.expression())
            while self.take(",", ")")[1] == ",":
                arguments.append(self.expression())
        fewest, most = FUNCTIONS[name]
        if len(arguments) < fewest or (most is not None and len(arguments) > most):
            raise Refused(f"{name} does not take {len(arguments)} arguments, in {self.text!r}")
        return Call(name, tuple(arguments))


def whole(text, place):
    reader = Reader(text, place)
    node = reader.expression()
    if reader.text[reader.place :].strip():
        raise Refused(f"nothing may follow at {reader.place} in {text!r}")
    return node


def parse(text):
    """A string of a definition as a tree: an expression, or a text with expressions in it."""
    if text.startswith("@") and not text.startswith(("@@", "@{")):
        return whole(text, 1)
    parts, place = [], 0
    while (found := re.compile(r"@@|@\{").search(text, place)) is not None:
        parts.append(Literal(text[place : found.start()]))
        if found[0] == "@@":
            parts.append(Literal("@"))
            place = found.end()
            continue
        reader = Reader(text, found.end())
        parts.append(reader.expression())
        rest = re.compile(r"\s*\}").match(text, reader.place)
        if rest is None:
            raise Refused(f"no brace closes the expression at {found.start()} in {text!r}")
        place = rest.end()
    parts.append(Literal(text[place:]))
    return Text(tuple(part for part in parts if part != Literal("")))


def calls(node):
    """Every call in a tree, outermost first."""
    if isinstance(node, Call):
        yield node
        for argument in node.arguments:
            yield from calls(argument)
    elif isinstance(node, Member):
        yield from calls(node.of)
        yield from calls(node.key)
    elif isinstance(node, Text):
        for part in node.parts:
            yield from calls(part)


def strings(value):
    """Every string in a JSON value that is not a name."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from strings(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from strings(entry)
