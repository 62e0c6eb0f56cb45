"""Owns holding a call of the connector against its definition: does the operation take these parameters?"""

import json

from definitions import ROOT

DEFINITION = ROOT / "connector" / "apiDefinition.swagger.json"


def read():
    return json.loads(DEFINITION.read_text())


def resolved(definition, schema):
    while "$ref" in schema:
        place = definition
        for part in schema["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        schema = place
    return schema


def operations(definition):
    """Operation id -> method, path and parameters."""
    found = {}
    for path, methods in definition["paths"].items():
        for method, operation in methods.items():
            if method == "parameters":
                continue
            parameters = methods.get("parameters", []) + operation.get("parameters", [])
            found[operation["operationId"]] = (method.upper(), path, [resolved(definition, one) for one in parameters])
    return found


def required(definition, schema, at):
    """The fields, by their paths, that must be there whenever what they are in is there."""
    schema = resolved(definition, schema)
    return {f"{at}/{name}" for name in schema.get("required", [])}


def field(definition, schema, path):
    """The schema of a field of the body, or None; adds up which fields must come with it."""
    needed = set()
    at = path[0]
    for name in path[1:]:
        schema = resolved(definition, schema)
        needed |= required(definition, schema, at)
        if name not in schema.get("properties", {}):
            return None, needed
        schema, at = schema["properties"][name], f"{at}/{name}"
    return resolved(definition, schema), needed


def mistakes(definition, operation, given):
    """What is wrong with a call: an operation, parameters or fields that are not there, or that are missing."""
    known = operations(definition)
    if operation not in known:
        return [f"there is no operation {operation}"]
    parameters = {one["name"]: one for one in known[operation][2]}
    wrong, needed = [], {name for name, one in parameters.items() if one.get("required") and one["in"] != "body"}
    for name, one in parameters.items():
        if one["in"] == "body":
            needed |= required(definition, one["schema"], name)
    for name in given:
        top, *inside = name.split("/")
        if top not in parameters or (bool(inside) != (parameters[top]["in"] == "body")):
            wrong.append(f"{operation} has no parameter {name}")
        elif inside:
            found, also = field(definition, parameters[top]["schema"], [top, *inside])
            needed |= also
            if found is None:
                wrong.append(f"{operation} has no field {name}")
    missing = [name for name in needed if not any(one == name or one.startswith(name + "/") for one in given)]
    return wrong + [f"{operation} lacks {name}" for name in sorted(missing)]
