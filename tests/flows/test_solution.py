"""The solution's files agree with each other: every flow is listed, every connection and variable that one uses is there."""

import json
import re
import unittest
from xml.etree import ElementTree

from definitions import SOLUTION, build, flow_files, flows

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def tree(*path):
    return ElementTree.parse(SOLUTION.joinpath(*path)).getroot()


def components(kind, name):
    return [one.get(name) for one in tree("Other", "Solution.xml").iter("RootComponent") if one.get("type") == kind]


class Solution(unittest.TestCase):
    def test_there_are_six_flows_with_ids_and_names_of_their_own(self):
        found = [build.name_and_id(path) for path in flow_files()]
        self.assertEqual({name for name, _ in found}, set(build.TITLES))
        self.assertEqual(len({identifier for _, identifier in found}), 6)
        for _, identifier in found:
            self.assertRegex(identifier, ID)

    def test_every_flow_is_listed_once_and_nothing_else_is(self):
        ids = [f"{{{build.name_and_id(path)[1]}}}" for path in flow_files()]
        self.assertEqual(sorted(components("29", "id")), sorted(ids))

    def test_the_metadata_of_each_flow_names_its_file_and_leaves_it_off(self):
        for path in flow_files():
            root = tree("Workflows", path.name + ".data.xml")
            with self.subTest(path.name):
                self.assertEqual(root.get("WorkflowId"), f"{{{build.name_and_id(path)[1]}}}")
                self.assertEqual(root.findtext("JsonFileName"), f"/Workflows/{path.name}")
                self.assertEqual((root.findtext("Category"), root.findtext("Type")), ("5", "1"))
                self.assertEqual((root.findtext("StateCode"), root.findtext("StatusCode")), ("0", "1"))

    def test_connections_that_flows_use_are_those_of_the_solution(self):
        offered = {}
        for one in tree("Other", "Customizations.xml").iter("connectionreference"):
            offered[one.get("connectionreferencelogicalname")] = one.findtext("connectorid").rsplit("/", 1)[1]
        used = {}
        for name, flow in flows().items():
            references = flow["properties"]["connectionReferences"]
            hosts = set(re.findall(r'"connectionName": "(\w+)"', json.dumps(flow)))
            apis = set(re.findall(r'"apiId": "[\w/.]*/(\w+)"', json.dumps(flow)))
            with self.subTest(name):
                self.assertEqual(set(references), hosts)
                self.assertEqual(hosts, apis)
            for key, reference in references.items():
                self.assertEqual(reference["api"]["name"], key)
                used[reference["connection"]["connectionReferenceLogicalName"]] = key
        self.assertEqual(used, offered)

    def test_variables_that_flows_use_are_those_of_the_solution(self):
        folders = {path.name for path in (SOLUTION / "environmentvariabledefinitions").iterdir()}
        used = set()
        for flow in flows().values():
            for name, parameter in flow["properties"]["definition"]["parameters"].items():
                if "metadata" in parameter:
                    schema_name = parameter["metadata"]["schemaName"]
                    self.assertTrue(name.endswith(f"({schema_name})"), name)
                    used.add(schema_name)
        self.assertEqual(used, folders)
        self.assertEqual(set(components("380", "schemaName")), folders)
        for name in folders:
            root = tree("environmentvariabledefinitions", name, "environmentvariabledefinition.xml")
            self.assertEqual((root.get("schemaname"), root.findtext("type")), (name, "100000000"))
            self.assertIsNone(root.find("defaultvalue"))

    def test_names_begin_with_the_prefix_of_the_publisher(self):
        prefix = tree("Other", "Solution.xml").findtext(".//CustomizationPrefix")
        self.assertRegex(prefix, "^[a-z][a-z0-9]{1,7}$")
        names = components("380", "schemaName")
        names += [one.get("connectionreferencelogicalname") for one in tree("Other", "Customizations.xml").iter("connectionreference")]
        for name in names:
            self.assertTrue(name.startswith(prefix + "_"), name)


if __name__ == "__main__":
    unittest.main()
