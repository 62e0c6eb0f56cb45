"""Owns finding the flows of this repository, and walking through the actions of one in every depth."""

import importlib.util
import json
from dataclasses import dataclass, field
from pathlib import Path

import expressions

ROOT = Path(__file__).resolve().parents[2]
SOLUTION = ROOT / "flows" / "solution"
CODE_VIEW = ROOT / "flows" / "code-view"

_specification = importlib.util.spec_from_file_location("flows_build", ROOT / "flows" / "build.py")
build = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(build)


@dataclass
class Step:
    """One action: what it is, and the names of the actions that surely ran before it."""

    name: str
    action: dict
    before: set = field(default_factory=set)


def flow_files():
    return sorted((SOLUTION / "Workflows").glob("*.json"))


def flows():
    """Name and content of each flow."""
    return {build.name_and_id(path)[0]: json.loads(path.read_text()) for path in flow_files()}


def definitions():
    return {name: flow["properties"]["definition"] for name, flow in flows().items()}


def branches(action):
    """The groups of actions inside one."""
    groups = [action.get("actions"), action.get("else", {}).get("actions"), action.get("default", {}).get("actions")]
    groups += [case.get("actions") for case in action.get("cases", {}).values()]
    return [group for group in groups if group]


def own(action):
    """An action without those inside it."""
    return {key: value for key, value in action.items() if key not in ("actions", "else", "cases", "default")}


def order(group):
    """The names of a group, each after those it waits for; refuses circles and names that are not there."""
    done, rest = [], dict(group)
    while rest:
        ready = [name for name, action in rest.items() if set(action.get("runAfter", {})) <= set(done)]
        if not ready:
            raise ValueError(f"{sorted(rest)} wait for each other, or for what is not there")
        done += ready
        for name in ready:
            del rest[name]
    return done


def steps(group, outside=frozenset()):
    """Every action of a group and inside it; what may have been skipped does not count as having run."""
    found = {}
    for name in order(group):
        action = group[name]
        before = set(outside)
        for other, states in action.get("runAfter", {}).items():
            before |= found[other].before | (set() if "Skipped" in states else {other})
        found[name] = Step(name, action, before)
        yield found[name]
        for inner in branches(action):
            yield from steps(inner, frozenset(before))


def calls(value):
    """Every call of a function in the strings of a JSON value."""
    for text in expressions.strings(value):
        yield from expressions.calls(expressions.parse(text))
