"""What the workflows of GitHub run besides: the notes of a release, and the wait for a deployed version."""

import json
import os
import subprocess
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

CARGO = '[workspace]\nmembers = ["a"]\n\n[workspace.package]\nversion = "1.2.0"\n\n[package]\nname = "b"\nversion = "9.9.9"\n'
CHANGELOG = """# Changelog

## [Unreleased]

- Tomorrow's.

## [1.2.0] - 2026-12-01

### Added

- Today's, [as told](https://example.com).

## [1.1.0] - 2026-11-01

- Yesterday's.
"""


class ReleaseNotes(unittest.TestCase):
    """scripts/release-notes, on a small repository."""

    def notes(self, tag, changelog=CHANGELOG, cargo=CARGO):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "Cargo.toml").write_text(cargo)
            Path(folder, "CHANGELOG.md").write_text(changelog)
            environment = os.environ | {"REPOSITORY": folder}
            return subprocess.run([SCRIPTS / "release-notes", tag], capture_output=True, text=True, env=environment)

    def refused(self, words, *arguments, **texts):
        done = self.notes(*arguments, **texts)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(words, done.stderr)

    def test_they_are_what_the_changelog_says_of_the_version_and_no_more(self):
        done = self.notes("v1.2.0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.strip(), "### Added\n\n- Today's, [as told](https://example.com).")

    def test_a_tag_of_another_version_than_the_programs_is_refused(self):
        self.refused("Cargo.toml says version 1.2.0", "v1.1.0")

    def test_a_version_that_the_changelog_does_not_know_is_refused(self):
        self.refused('under "## [1.2.0]"', "v1.2.0", changelog=CHANGELOG.replace("[1.2.0] -", "[1.2.0-rc] -"))

    def test_a_version_of_which_the_changelog_says_nothing_is_refused(self):
        self.refused('under "## [1.2.0]"', "v1.2.0", changelog="## [1.2.0]\n\n## [1.1.0]\n\n- Yesterday's.\n")

    def test_a_tag_without_a_v_is_refused(self):
        self.refused("usage", "1.2.0")


class App(HTTPServer):
    """An app that answers from a list; the last answer stays."""

    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), Health)
        self.answers = list(answers)
        self.asked = []


class Health(BaseHTTPRequestHandler):
    """Gives the next answer of its app."""

    def do_GET(self):
        self.server.asked.append(self.path)
        answers = self.server.answers
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_arguments):
        """Says nothing."""


def healthy(version):
    """The answer of a version."""
    return 200, json.dumps({"status": "ok", "version": version})


class WaitForVersion(unittest.TestCase):
    """scripts/wait-for-version, against an app on loopback."""

    def wait(self, *answers, seconds):
        with App(*answers) as app:
            threading.Thread(target=app.serve_forever, daemon=True).start()
            command = [SCRIPTS / "wait-for-version", f"http://127.0.0.1:{app.server_port}", "1.2.0"]
            done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"WAIT_SECONDS": str(seconds)})
            app.shutdown()
            return done, app.asked

    def test_it_waits_through_an_error_and_the_old_version_until_the_new_one_answers(self):
        done, asked = self.wait((503, "starting"), healthy("1.1.0"), healthy("1.2.0"), seconds=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(asked, ["/api/health"] * 3)

    def test_another_version_is_told_when_time_is_up(self):
        done, _asked = self.wait(healthy("1.2.0-rc"), seconds=0)
        self.assertEqual(done.returncode, 1)
        self.assertIn('"version": "1.2.0-rc"', done.stderr)

    def test_an_error_is_told_when_time_is_up(self):
        done, _asked = self.wait((503, ""), seconds=0)
        self.assertEqual(done.returncode, 1)
        self.assertIn("503", done.stderr)


if __name__ == "__main__":
    unittest.main()
