"""Owns the value of an expression in a run: the functions that the flows here call, as their public page describes them.

A function that is not among them is refused, not guessed. https://learn.microsoft.com/azure/logic-apps/expression-functions-reference
"""

import base64
import json

from expressions import Call, Literal, Member, Text, parse


class Unknown(LookupError):
    """A member, an action or a function that is not there."""


def text(value):
    """A value inside a text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def strictly(kind, value):
    """The service refuses arguments of another type, null among them."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


PURE = {
    "base64": lambda value: base64.b64encode(strictly(str, value).encode()).decode(),
    "base64ToString": lambda value: base64.b64decode(strictly(str, value)).decode(),
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "concat": lambda *values: "".join(map(text, values)),
    "equals": lambda one, other: one == other and isinstance(one, bool) == isinstance(other, bool),
    "first": lambda value: next(iter(strictly(list, value)), None),
    "int": lambda value: int(value),
    "length": lambda value: len(value),
    "replace": lambda value, old, new: strictly(str, value).replace(strictly(str, old), new),
    "toLower": lambda value: strictly(str, value).lower(),
    "trim": lambda value: strictly(str, value).strip(),
}


class Evaluator:
    """Expressions in the light of a trigger, of what actions answered, of variables and parameters."""

    def __init__(self, trigger, parameters, run_name):
        self.trigger, self.parameters, self.run_name = trigger, parameters, run_name
        self.outputs, self.variables, self.item = {}, {}, None

    def value(self, node):
        """A JSON value with every expression in it replaced by its value."""
        if isinstance(node, str):
            return self.of(parse(node))
        if isinstance(node, dict):
            return {key: self.value(entry) for key, entry in node.items()}
        return [self.value(entry) for entry in node] if isinstance(node, list) else node

    def of(self, node):
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Text):
            return "".join(text(self.of(part)) for part in node.parts)
        return self.member(node) if isinstance(node, Member) else self.call(node)

    def member(self, node):
        value, key = self.of(node.of), self.of(node.key)
        try:
            return value[key]
        except (KeyError, IndexError, TypeError):
            # In outputs, body/x stands for the member x of body.
            if isinstance(value, dict) and isinstance(key, str) and key.startswith("body/"):
                return (value.get("body") or {}).get(key.removeprefix("body/"))
            if node.optional:
                return None
            raise Unknown(f"{key!r} in {value!r}") from None

    def call(self, node: Call):
        arguments = [self.of(argument) for argument in node.arguments]
        known = {
            "body": lambda name: self.outputs[name].get("body"),
            "item": lambda: self.item,
            "outputs": lambda name: self.outputs[name],
            "parameters": lambda name: self.parameters[name],
            "triggerBody": lambda: self.trigger.get("body"),
            "triggerOutputs": lambda: self.trigger,
            "variables": lambda name: self.variables[name],
            "workflow": lambda: {"run": {"name": self.run_name}},
        }
        function = known.get(node.name) or PURE.get(node.name)
        if function is None:
            raise Unknown(f"the function {node.name}")
        return function(*arguments)
