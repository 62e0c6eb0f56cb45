"""Owns the running sandbox: the real handler behind the look-alikes of host, Dataverse, Graph and site.

SANDBOX and HANDLER name other executables than those that `cargo build` makes in the target directory.
"""

import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

from definitions import ROOT
from interpreter import ask

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
SANDBOX = os.environ.get("SANDBOX", TARGET / "sandbox")
HANDLER = os.environ.get("HANDLER", TARGET / "portal-invite")


class Sandbox:
    def __init__(self, **settings):
        command = [SANDBOX, "--port", "0", "--page-port", "0", "--contacts", "60", "--handler", HANDLER]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        said = ""
        for line in self.process.stdout:
            said += line
            if "Ctrl-C ends everything" in line:
                break
        self.page = re.search(r"Open (http://\S+)/", said)[1]
        self.address = re.search(r"Functions of (http://\S+)/", said)[1]
        # What nobody reads would fill the pipe and stop the sandbox.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def close(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        self.process.stdout.close()

    def until(self, name, wanted):
        """The rows of one list of the page, by their ids, as soon as they are as wanted."""
        rows, deadline = {}, time.monotonic() + 30
        with urllib.request.urlopen(f"{self.page}/sandbox/events", timeout=20) as events:
            # The page tells of something each second, so this ends at its time.
            for line in events:
                if time.monotonic() > deadline:
                    break
                word, _, rest = line.decode().rstrip("\n").partition(": ")
                if word == "event":
                    event = rest
                elif word == "data" and event == name:
                    news = json.loads(rest)
                    rows = {} if news["reset"] else rows
                    rows |= {row["id"]: row for row in news["rows"]}
                    rows = {key: row for key, row in rows.items() if key not in news["gone"]}
                    if wanted(rows.values()):
                        return list(rows.values())
        raise AssertionError(f"{name} never came to be as wanted")

    def tell(self, path, body):
        data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.page}/sandbox/{path}", data, headers), timeout=20) as answer:
            return answer.read()

    def invitations(self, query=""):
        return ask("GET", f"{self.address}/api/invitations{query}", {})[2]["value"]
