"""The connector's definition and the folders of functions: the same routes, methods and keys on both sides."""

import json
import re
import unittest

from description import DEFINITION, OPERATIONS, ROOT


def of_folders():
    """Method, path and whether a key is needed, of each way to call an HTTP function."""
    found = set()
    for file in ROOT.glob("function-*/function.json"):
        for binding in json.loads(file.read_text())["bindings"]:
            if binding["type"] == "httpTrigger":
                found |= {(method.upper(), path, binding["authLevel"] != "anonymous") for method in binding["methods"] for path in paths(binding["route"])}
    return found


def paths(route):
    """A route with an optional parameter is two: with it, and without."""
    whole = "/api/" + route
    return {whole.replace("?}", "}"), re.sub(r"/\{\w+\?\}", "", whole)}


class Drift(unittest.TestCase):
    def test_every_route_of_a_function_is_described_and_no_other(self):
        described = {(operation.method, operation.path, operation.needs_key) for operation in OPERATIONS.values()}
        self.assertEqual(described, of_folders())

    def test_the_routes_begin_where_the_host_puts_them(self):
        host = json.loads((ROOT / "host.json").read_text())
        self.assertNotIn("routePrefix", json.dumps(host))
        self.assertEqual(DEFINITION["basePath"], "/")

    def test_the_version_is_the_program_s(self):
        manifest = (ROOT / "Cargo.toml").read_text()
        self.assertEqual(DEFINITION["info"]["version"], re.search(r'^version = "(.+)"$', manifest, re.MULTILINE).group(1))


if __name__ == "__main__":
    unittest.main()
