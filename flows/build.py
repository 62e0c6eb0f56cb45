#!/usr/bin/env python3
"""Writes what follows from the flows in solution/Workflows, so that it cannot drift from them.

usage: flows/build.py             writes the files beside the flows, and code-view/
       flows/build.py --check     writes nothing; ends with 1 where a file is not as it would be written
       flows/build.py --connector NAME --to FOLDER
                                  copies the solution to FOLDER for an environment in which the custom connector
                                  has this NAME, such as shared_portal-20invitations-5f0123456789abcdef

Each flow is one JSON file, in the form that `pac solution unpack` gives it. Besides that, a flow has a file of
metadata, and its triggers and actions alone for comparison with the designer: once with the connector, once with HTTP.
"""

import argparse
import json
import re
import shutil
import sys
from pathlib import Path
from xml.sax.saxutils import quoteattr

HERE = Path(__file__).resolve().parent
WORKFLOWS = HERE / "solution" / "Workflows"
CODE_VIEW = HERE / "code-view"
CONNECTOR = "shared_portalinvitations"

# What the connector's operations are on the wire; a test holds them against its definition.
OPERATIONS = {
    "InviteContacts": ("POST", "/invitations"),
    "GetBatch": ("GET", "/batches/{number}"),
    "ListViews": ("GET", "/views"),
    "GetInvitation": ("GET", "/invitations/{id}"),
}
ADDRESS = "Address of the service (pinvite_Address)"
KEY = "Host key (pinvite_HostKey)"

TITLES = {
    "InviteSelectedContacts": "Portal invitations: invite the selected contacts",
    "InviteContactsOfView": "Portal invitations: invite the contacts of a view",
    "InviteViewOnSchedule": "Portal invitations: invite a view on a schedule",
    "InviteNewContacts": "Portal invitations: invite new contacts",
    "TellWhenRedeemed": "Portal invitations: tell when one is redeemed",
    "InviteViewAndWait": "Portal invitations: invite a view and wait",
}

# Off (0, 1): an import alone must not send letters.
METADATA = """<?xml version="1.0" encoding="utf-8"?>
<Workflow WorkflowId="{{{id}}}" Name={title}>
  <JsonFileName>/Workflows/{file}</JsonFileName>
  <Type>1</Type>
  <Subprocess>0</Subprocess>
  <Category>5</Category>
  <Mode>0</Mode>
  <Scope>4</Scope>
  <OnDemand>0</OnDemand>
  <TriggerOnCreate>0</TriggerOnCreate>
  <TriggerOnDelete>0</TriggerOnDelete>
  <AsyncAutodelete>0</AsyncAutodelete>
  <SyncWorkflowLogOnFailure>0</SyncWorkflowLogOnFailure>
  <StateCode>0</StateCode>
  <StatusCode>1</StatusCode>
  <RunAs>1</RunAs>
  <IsTransacted>1</IsTransacted>
  <IntroducedVersion>1.0.0.0</IntroducedVersion>
  <IsCustomizable>1</IsCustomizable>
  <BusinessProcessType>0</BusinessProcessType>
  <IsCustomProcessingStepAllowedForOtherPublishers>1</IsCustomProcessingStepAllowedForOtherPublishers>
  <ModernFlowType>0</ModernFlowType>
  <PrimaryEntity>none</PrimaryEntity>
  <LocalizedNames>
    <LocalizedName languagecode="1033" description={title} />
  </LocalizedNames>
</Workflow>
"""


def name_and_id(path):
    """A flow's name and its id in lower case, from the name of its file."""
    name, identifier = re.fullmatch(r"(\w+?)-([0-9A-F-]{36})\.json", path.name).groups()
    return name, identifier.lower()


def metadata(path):
    name, identifier = name_and_id(path)
    return METADATA.format(id=identifier, title=quoteattr(TITLES[name]), file=path.name)


def inside(value):
    """A value as a part of a longer text."""
    return "@{" + value[1:] + "}" if re.match(r"@(?!\{)", str(value)) else str(value)


def nested(parameters):
    """`body/view/id` as the members of the body that it stands for."""
    body = {}
    for path, value in parameters.items():
        *folders, last = path.split("/")[1:]
        place = body
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = value
    return body


def http(action):
    """An action of the connector as an HTTP action that asks the same."""
    inputs = action["inputs"]
    method, path = OPERATIONS[inputs["host"]["operationId"]]
    headers = {"x-functions-key": f"@parameters('{KEY}')"}
    fields = {}
    for name, value in inputs["parameters"].items():
        if name.startswith("body/"):
            fields[name] = value
        elif "{" + name + "}" in path:
            path = path.replace("{" + name + "}", inside(value))
        else:
            headers[name] = value
    request = {"method": method, "uri": "@{parameters('" + ADDRESS + "')}/api" + path, "headers": headers}
    if fields:
        headers["Content-Type"] = "application/json"
        request["body"] = nested(fields)
    request["retryPolicy"] = inputs["retryPolicy"]
    return {**action, "type": "Http", "inputs": request}


def with_http(node):
    """The same actions, at every depth, without the connector."""
    if isinstance(node, list):
        return [with_http(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") == "OpenApiConnection" and node["inputs"]["host"]["connectionName"] == CONNECTOR:
        return http(node)
    return {key: with_http(value) for key, value in node.items()}


def generated():
    """Every file that follows from the flows, with its text."""
    files = {}
    for path in sorted(WORKFLOWS.glob("*.json")):
        definition = json.loads(path.read_text())["properties"]["definition"]
        shown = {part: definition[part] for part in ("triggers", "actions")}
        name, _ = name_and_id(path)
        files[path.with_name(path.name + ".data.xml")] = metadata(path)
        files[CODE_VIEW / f"{name}.json"] = json.dumps(shown, indent=2) + "\n"
        files[CODE_VIEW / f"{name}.http.json"] = json.dumps(with_http(shown), indent=2) + "\n"
    return files


def stale(files):
    """Files that are not as they would be written, or that no flow asks for."""
    wrong = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    present = [*CODE_VIEW.glob("*"), *WORKFLOWS.glob("*.data.xml")]
    return wrong + [path for path in present if path not in files]


def copy(connector, folder):
    """The solution for an environment where the connector has another name."""
    shutil.copytree(HERE / "solution", folder)
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_text(path.read_text().replace(CONNECTOR, connector))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--connector", metavar="NAME")
    parser.add_argument("--to", metavar="FOLDER", type=Path)
    options = parser.parse_args()
    if bool(options.connector) != bool(options.to):
        parser.error("--connector and --to belong together")
    if options.connector:
        return copy(options.connector, options.to)
    files = generated()
    if options.check:
        wrong = stale(files)
        for path in wrong:
            print(f"{path.relative_to(HERE)} is not up to date: run flows/build.py", file=sys.stderr)
        return 1 if wrong else 0
    for path in stale(files):
        path.unlink(missing_ok=True)
    for path, text in files.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
