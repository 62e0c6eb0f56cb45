"""Reads the Bicep of infra/: as a tree by pycep, and as syntax by tree-sitter.

Bicep's own compiler is not at hand wherever these tests run. What it would refuse first is looked at here: syntax,
names that nothing declares, modules and what is passed to them.
"""

import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pycep
import tree_sitter
import tree_sitter_bicep

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
MAIN = INFRA / "main.bicep"

SYNTAX = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))

# https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions
FUNCTIONS = {
    "concat", "empty", "environment", "filter", "guid", "items", "length", "map", "max", "range", "split", "string",
    "subscription", "subscriptionResourceId", "tenant", "toLower", "trim", "union", "uniqueString",
}  # fmt: skip


def plain(value):
    """The tree without the quotes that pycep leaves around some keys."""
    if isinstance(value, dict):
        return {key.strip("'"): plain(entry) for key, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list) else value


def nodes(node):
    """The node and all below it."""
    yield node
    for child in node.named_children:
        yield from nodes(child)


@dataclass(frozen=True)
class Resource:
    """A resource or module: its symbol, its type or file, and its body without condition or loop around it."""

    symbol: str
    kind: str
    existing: bool
    body: dict


@dataclass(frozen=True)
class Template:
    """A Bicep file."""

    path: Path

    @cached_property
    def text(self):
        return self.path.read_text()

    @cached_property
    def syntax(self):
        return SYNTAX.parse(self.text.encode()).root_node

    @cached_property
    def tree(self):
        return plain(pycep.BicepParser().parse(text=self.text))

    def section(self, name):
        return self.tree.get(name, {})

    def variable(self, name):
        return self.section("variables")[name]["value"]

    def resources(self):
        entries = self.section("resources").items()
        return [Resource(symbol, entry["type"], entry["existing"], body(entry["config"])) for symbol, entry in entries]

    def of_type(self, kind):
        return [resource for resource in self.resources() if resource.kind == kind and not resource.existing]

    def modules(self):
        entries = self.section("modules").items()
        return [Resource(symbol, entry["detail"]["path"], False, body(entry["config"])) for symbol, entry in entries]

    def nullable(self):
        """Parameters that may be left out because their type ends with a question mark."""
        declarations = [node for node in nodes(self.syntax) if node.type == "parameter_declaration"]
        marked = [node for node in declarations if any(child.type == "nullable_type" for child in nodes(node))]
        return {name_of(node) for node in marked}

    def required(self):
        parameters = self.section("parameters").items()
        return {name for name, entry in parameters if entry["default"] is None} - self.nullable()

    def decorator(self, parameter, kind):
        decorators = self.section("parameters")[parameter]["decorators"]
        return next((entry["argument"] for entry in decorators if entry["type"] == kind), None)


def body(config):
    while "condition" in config:
        config = config["config"]
    return config


def name_of(declaration):
    return next(child for child in declaration.named_children if child.type == "identifier").text.decode()


def templates():
    return [template(path.stem) for path in sorted(INFRA.glob("*.bicep"))]


@cache
def template(name):
    return Template(INFRA / f"{name}.bicep")


def only(entries):
    """The one entry."""
    (entry,) = entries
    return entry


def reads(value, found=None):
    """Every text and name in a part of a tree."""
    found = [] if found is None else found
    entries = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    if isinstance(value, str):
        found.append(value)
    for entry in entries:
        reads(entry, found)
    return found


def parameters_file():
    """Bicep parameter to the name of azd's environment and the value where that is not set, or None."""
    values = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    pattern = re.compile(r"\$\{([A-Z_]+)(?:=(.*))?\}")
    return {name: pattern.fullmatch(entry["value"]).groups() for name, entry in values.items()}


def documented_settings():
    """Names in the first column of the README's table of settings, and those in the text around it."""
    section = (ROOT / "README.md").read_text().split("\n## Settings\n")[1].split("\n## ")[0].splitlines()
    cells = " ".join(line.split("|")[1] for line in section if line.startswith("|"))
    around = " ".join(line for line in section if not line.startswith("|"))
    return set(re.findall(r"`([A-Z_]+)`", cells)) | set(re.findall(r"`([A-Z]+_[A-Z_]+)`", around))
