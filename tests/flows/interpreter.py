"""Owns one run of a flow: its actions in their order, calls of the connector as real requests, everything else as a note.

It knows the kinds of actions that the flows here have, and refuses others. Waiting is left to whoever runs it. What the
service does that is described nowhere is not imitated: policies of repetition are not followed, secrecy is not looked at.
"""

import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from urllib.parse import quote

from definitions import build, order
from evaluator import Evaluator

OPERATORS = {"equals": lambda one, other: one == other and isinstance(one, bool) == isinstance(other, bool)}


class Terminated(Exception):
    """The flow ends itself."""


def readable(body):
    """What an answer says; the host's own answers are not JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode()


def spelt(headers):
    """Headers in the spelling that flows name them by; on the wire they have none of their own."""
    return {name.title(): value for name, value in headers.items()}


def ask(method, address, headers, body=None):
    """One request: status, headers and JSON body of the answer; status None where there is no answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, spelt(answer.headers), readable(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, spelt(error.headers), readable(error.read())
    except urllib.error.URLError:
        return None, {}, None


@dataclass
class Run:
    """A run, and after `play` what came of it."""

    definition: dict
    address: str
    trigger: dict
    parameters: dict
    name: str
    wait: object = lambda seconds: None
    status: str = "Succeeded"
    error: dict = field(default_factory=dict)
    mails: list = field(default_factory=list)
    requests: list = field(default_factory=list)
    played: list = field(default_factory=list)

    def play(self):
        self.see = Evaluator(self.trigger, self.parameters, self.name)
        try:
            failed = self.group(self.definition["actions"])
            self.status = "Failed" if failed else "Succeeded"
        except Terminated:
            pass
        return self

    def group(self, actions):
        """Runs a group; true where one of its actions failed and no other took care of that."""
        states, cared = {}, set()
        for name in order(actions):
            after = actions[name]["runAfter"]
            if all(states[other] in wanted for other, wanted in after.items()):
                self.played.append(name)
                cared |= {other for other in after if states[other] != "Succeeded"}
                states[name] = getattr(self, "do_" + actions[name]["type"])(name, actions[name])
            else:
                states[name] = "Skipped"
        return any(state in ("Failed", "TimedOut") and name not in cared for name, state in states.items())

    def do_OpenApiConnection(self, name, action):
        host = action["inputs"]["host"]
        given = self.see.value(action["inputs"]["parameters"])
        if host["operationId"] == "SendEmailV2":
            self.mails.append(given)
            self.see.outputs[name] = {"statusCode": 200}
            return "Succeeded"
        status, headers, body = self.connector(host["operationId"], given)
        if "operationOptions" not in action:
            while status == 202:
                self.wait(int(headers["Retry-After"]))
                status, headers, body = ask("GET", headers["Location"], {})
        self.see.outputs[name] = {"statusCode": status, "headers": headers, "body": body}
        return "Succeeded" if status is not None and status < 300 else "Failed"

    def connector(self, operation, given):
        method, path = build.OPERATIONS[operation]
        body = {key: value for key, value in given.items() if key.startswith("body/")}
        in_path = set(re.findall(r"\{(\w+)\}", path))
        for key in in_path:
            path = path.replace("{" + key + "}", quote(str(given[key]), safe=""))
        headers = {key: value for key, value in given.items() if key not in body and key not in in_path}
        if body:
            headers["Content-Type"] = "application/json"
        self.requests.append((method, path, headers, build.nested(body)))
        return ask(method, f"{self.address}/api{path}", headers, build.nested(body) if body else None)

    def holds(self, condition):
        (operator, operands), = condition.items()
        if operator == "and":
            return all(map(self.holds, operands))
        return OPERATORS[operator](*self.see.value(operands))

    def do_If(self, _, action):
        chosen = action["actions"] if self.holds(action["expression"]) else action.get("else", {}).get("actions", {})
        return "Failed" if self.group(chosen) else "Succeeded"

    def do_Until(self, _, action):
        for _ in range(action["limit"]["count"]):
            if self.group(action["actions"]):
                return "Failed"
            if self.see.value(action["expression"]):
                return "Succeeded"
        return "TimedOut"

    def do_Wait(self, _, action):
        self.wait(self.see.value(action["inputs"]["interval"]["count"]))
        return "Succeeded"

    def do_Query(self, name, action):
        found = []
        for self.see.item in self.see.value(action["inputs"]["from"]):
            found += [self.see.item] if self.see.value(action["inputs"]["where"]) else []
        self.see.outputs[name] = {"body": found}
        return "Succeeded"

    def do_InitializeVariable(self, _, action):
        for variable in action["inputs"]["variables"]:
            self.see.variables[variable["name"]] = self.see.value(variable["value"])
        return "Succeeded"

    def do_SetVariable(self, _, action):
        name, value = action["inputs"]["name"], self.see.value(action["inputs"]["value"])
        if type(value) is not type(self.see.variables[name]):
            raise TypeError(f"{name} cannot become {value!r}")
        self.see.variables[name] = value
        return "Succeeded"

    def do_Terminate(self, _, action):
        self.status = action["inputs"]["runStatus"]
        self.error = self.see.value(action["inputs"].get("runError", {}))
        raise Terminated
