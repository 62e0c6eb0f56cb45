"""What follows from the flows is up to date, and a copy for another environment differs in one name only."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from definitions import ROOT, SOLUTION, build

BUILD = [sys.executable, str(ROOT / "flows" / "build.py")]


class Build(unittest.TestCase):
    def test_everything_that_follows_from_the_flows_is_up_to_date(self):
        checked = subprocess.run([*BUILD, "--check"], capture_output=True, text=True)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))

    def test_a_file_that_is_old_missing_or_left_over_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            with mock.patch.multiple(build, CODE_VIEW=place, WORKFLOWS=place):
                files = {place / "new.json": "1", place / "old.json": "2", place / "good.json": "3"}
                (place / "old.json").write_text("1")
                (place / "good.json").write_text("3")
                (place / "left.json").write_text("0")
                found = sorted(path.name for path in build.stale(files))
        self.assertEqual(found, ["left.json", "new.json", "old.json"])

    def test_http_asks_what_the_connector_asks(self):
        action = {
            "runAfter": {},
            "type": "OpenApiConnection",
            "inputs": {
                "host": {"connectionName": build.CONNECTOR, "operationId": "InviteContacts"},
                "parameters": {"Idempotency-Key": "@{1}", "body/view/id": "@parameters('v')", "body/dryRun": True},
                "retryPolicy": {"type": "none"},
            },
        }
        asked = build.with_http({"A": action})["A"]
        self.assertEqual((asked["type"], asked["inputs"]["method"]), ("Http", "POST"))
        self.assertTrue(asked["inputs"]["uri"].endswith("')}/api/invitations"))
        self.assertEqual(asked["inputs"]["body"], {"view": {"id": "@parameters('v')"}, "dryRun": True})
        self.assertEqual(asked["inputs"]["headers"]["Idempotency-Key"], "@{1}")
        self.assertEqual(build.inside("@body('A')?['b']"), "@{body('A')?['b']}")
        self.assertEqual(build.inside("@{body('A')}"), "@{body('A')}")

    def test_the_copy_for_an_environment_has_its_connector_and_nothing_else_changed(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy"
            subprocess.run([*BUILD, "--connector", "shared_other", "--to", str(copy)], check=True)
            for path in SOLUTION.rglob("*"):
                if path.is_file():
                    there = (copy / path.relative_to(SOLUTION)).read_text()
                    self.assertNotIn(build.CONNECTOR, there)
                    self.assertEqual(there.replace("shared_other", build.CONNECTOR), path.read_text())
                    if path.suffix == ".json":
                        json.loads(there)


if __name__ == "__main__":
    unittest.main()
