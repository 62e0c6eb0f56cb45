"""A running sandbox for the tests of the connector: the real handler behind the look-alike of the Functions host.

It also knows how to break the services, by the addresses that the sandbox's own page uses.
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
TARGET = (ROOT / os.environ.get("CARGO_TARGET_DIR", "target")).resolve()
KEY = "key-of-the-tests"


class Sandbox:
    """The program `sandbox` on free ports, with settings of the handler as a shell would give them."""

    def __init__(self, *flags, **settings):
        programs = [TARGET / "debug" / name for name in ("sandbox", "portal-invite")]
        for program in programs:
            if not program.exists():
                raise SystemExit(f"{program} is not there: cargo build --workspace")
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        # Journals lie below it, where a test may break them.
        self.folder = tempfile.TemporaryDirectory(prefix="connector-")
        self.process = subprocess.Popen(
            [programs[0], "--handler", programs[1], "--port", "0", "--page-port", "0", "--key", KEY, *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=self.folder.name,
            env={**environment, "TMPDIR": self.folder.name, **settings},
        )
        self.client = requests.Session()
        self.client.trust_env = False
        self.page = self._read(r"Open (http://\S+)/$")
        self.host = self._read(r"Functions of (http://\S+)/$")
        self.store = Path(self._read(r"Journals are in (\S+)\.$"))
        self._read(r"Ctrl-C")

    def _read(self, pattern):
        for line in self.process.stdout:
            if found := re.search(pattern, line.rstrip()):
                return found.group(1) if found.groups() else found.group()
        raise RuntimeError(f"the sandbox ended with {self.process.wait()} before it said {pattern}")

    def call(self, method, path, key=KEY, headers=None, **more):
        """An answer of the host; redirects and cookies are nobody's business here."""
        headers = {**({"x-functions-key": key} if key else {}), **(headers or {})}
        return self.client.request(method, self.host + path, headers=headers, allow_redirects=False, timeout=150, **more)

    def tell(self, path, **body):
        """Asks the page for trouble, or for its end."""
        answer = self.client.post(f"{self.page}/sandbox/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer

    def contact(self, name, **columns):
        """Enters a contact; without an address nobody invites it."""
        return self.tell("contacts", lastName=name, **columns).json()["id"]

    def close(self):
        self.process.terminate()
        self.process.stdout.close()
        self.process.wait()
        self.client.close()
        self.folder.cleanup()
