"""The flows at work: their expressions are evaluated, and what comes out is sent to the running service.

Power Automate itself is not here, so this shows that the requests are those that the service takes, that its answers are
where the expressions look for them, and that each flow ends as its page says. It does not show that an import works.
"""

import base64
import time
import unittest
from pathlib import Path

from definitions import definitions
from interpreter import Run, ask
from sandbox import HANDLER, SANDBOX, Sandbox

VIEW = "View to invite (pinvite_ViewToInvite)"
TO = "Tell whom (pinvite_TellWhom)"
NOBODY = "00000000-0000-4000-8000-000000000000"
PERSON = {"x-ms-user-name-encoded": base64.b64encode("Åse Maker".encode()).decode()}


class AtWork(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.start(cls.addClassCleanup)

    @classmethod
    def start(cls, cleanup):
        for path in map(Path, (SANDBOX, HANDLER)):
            assert path.exists(), f"build it first, by cargo build --workspace: {path}"
        cls.sandbox = Sandbox(MAIL_RATE_PER_MINUTE="1000", INLINE_SECONDS="1")
        cleanup(cls.sandbox.close)
        cls.views = {row["name"]: row["id"] for row in cls.sandbox.until("choices", bool) if row["kind"] == "view"}
        cls.runs, cls.waits = 0, []

    def run_flow(self, name, trigger=None, view=None, run_name=None, address=None, after_waiting=None):
        type(self).runs += 1
        parameters = {VIEW: view or self.views["Contacts at Fabrikam"], TO: "team@contoso.example"}
        run_name = run_name or f"0858{self.runs:016}CU00"
        run = Run(definitions()[name], address or self.sandbox.address, trigger or {}, parameters, run_name)
        run.wait = lambda seconds: self.wait(seconds, lambda: after_waiting and after_waiting(run))
        return run.play()

    def wait(self, seconds, then):
        """Instead of waiting for the next minute the dispatcher runs now."""
        self.waits.append(seconds)
        self.sandbox.tell("timers", {"names": ["function-dispatch"]})
        time.sleep(0.2)
        then()

    def assert_ended(self, run, status, code=None):
        self.assertEqual((run.status, run.error.get("code")), (status, code), run.error)


class Flows(AtWork):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        contacts = cls.sandbox.until("contacts", bool)
        known = {row["contactId"] for row in cls.sandbox.invitations("?top=1000") if "contactId" in row}
        # Contacts with a plain address and nothing behind them, not in the view that tests invite; each test takes its own.
        cls.fresh = [
            row for row in contacts
            if row["active"] and not row["registered"] and not row["unwanted"] and row["id"] not in known
            and (row["email"] or "").isascii() and (row["email"] or "").count("@") == 1 and (row["email"] or "").islower()
            and " " not in row["email"] and not row["email"].startswith("office@") and "<" not in row["name"]
            and not row["email"].endswith("@fabrikam.example")
        ]
        cls.without_address = next(row for row in contacts if not row["email"] and row["active"])

    def letters(self):
        """All that were sent: once the letter after them is shown, none before it is still to come."""
        last = self.fresh.pop()
        self.run_flow("InviteSelectedContacts", self.selected(last))
        shown = self.sandbox.until("letters", lambda rows: any(last["email"] in row["to"] for row in rows if row["place"] == "sent"))
        return [row for row in shown if row["place"] == "sent" and last["email"] not in row["to"]]

    def letters_to(self, contact):
        return len([row for row in self.letters() if contact["email"] in row["to"]])

    def selected(self, row, **member):
        return {"headers": PERSON, "body": member or {"contactid": row["id"]}}

    def test_a_selected_contact_gets_one_letter_however_often_it_is_selected(self):
        contact = self.fresh.pop()
        self.assert_ended(self.run_flow("InviteSelectedContacts", self.selected(contact)), "Succeeded")
        again = self.run_flow("InviteSelectedContacts", self.selected(contact))
        self.assert_ended(again, "Succeeded")
        self.assertEqual(self.letters_to(contact), 1)
        [invitation] = self.sandbox.invitations(f"?contactId={contact['id']}")
        self.assertEqual(invitation["standing"], "pending")
        self.assertEqual(again.requests[0][3]["requestedBy"], "Åse Maker")

    def test_a_selected_contact_is_found_where_either_form_of_the_trigger_has_it(self):
        contact = self.fresh.pop()
        trigger = {"headers": {}, "body": {"entity": {"contactid": contact["id"]}}}
        run = self.run_flow("InviteSelectedContacts", trigger)
        self.assert_ended(run, "Succeeded")
        self.assertEqual(run.requests[0][3], {"contactIds": [contact["id"]], "whenPending": "keep", "requestedBy": "Power Automate"})

    def test_a_selected_contact_without_an_address_ends_in_words(self):
        run = self.run_flow("InviteSelectedContacts", self.selected(self.without_address))
        self.assert_ended(run, "Failed", "NotInvited")
        self.assertRegex(run.error["message"], r"^Batch \d+: skipped\. .*address")

    def test_a_repeated_call_of_one_run_is_the_same_batch(self):
        contact = self.fresh.pop()
        first, second = (self.run_flow("InviteSelectedContacts", self.selected(contact), run_name="one-run") for _ in range(2))
        batches = [run.see.outputs["Invite_contacts"]["body"]["batch"] for run in (first, second)]
        self.assertEqual(batches[0], batches[1])

    def test_a_contact_that_changes_again_is_not_invited_again(self):
        contact = self.fresh.pop()
        trigger = {"body": {"contactid": contact["id"], "emailaddress1": contact["email"]}}
        first, second = (self.run_flow("InviteNewContacts", trigger) for _ in range(2))
        self.assert_ended(first, "Succeeded")
        self.assert_ended(second, "Succeeded")
        self.assertEqual(self.letters_to(contact), 1)
        self.assertEqual(first.see.outputs["Invite_contacts"]["body"], second.see.outputs["Invite_contacts"]["body"])

    def test_a_view_on_a_schedule_sends_nobody_a_second_letter(self):
        self.assert_ended(self.run_flow("InviteViewOnSchedule"), "Succeeded")
        before = len(self.letters())
        second = self.run_flow("InviteViewOnSchedule")
        self.assert_ended(second, "Succeeded")
        self.assertEqual(len(self.letters()), before + 1, "the letter that was waited for, and no other")
        self.assertGreater(second.see.outputs["Invite_contacts"]["body"]["counts"]["kept"], 1)
        self.assertEqual(second.played, ["Invite_contacts", "Are_all_invited"], "two actions, however many contacts")
        self.assertEqual(second.mails, [])

    def test_a_view_that_is_gone_is_told_and_fails_the_run(self):
        run = self.run_flow("InviteViewOnSchedule", view=NOBODY)
        self.assert_ended(run, "Failed", "CallFailed")
        [mail] = run.mails
        self.assertEqual(mail["emailMessage/To"], "team@contoso.example")
        self.assertIn("sourceRejected", mail["emailMessage/Body"])

    def test_a_service_that_does_not_answer_is_told_and_fails_the_run(self):
        run = self.run_flow("InviteViewOnSchedule", address="http://127.0.0.1:9")
        self.assert_ended(run, "Failed", "CallFailed")
        self.assertIn("no answer", run.mails[0]["emailMessage/Body"])

    def test_a_redemption_is_told_with_names(self):
        contact = self.fresh.pop()
        self.run_flow("InviteSelectedContacts", self.selected(contact))
        [invitation] = self.sandbox.invitations(f"?contactId={contact['id']}")
        self.sandbox.tell("redeem", {"invitation": invitation["invitationId"]})
        mine = lambda row: row["invitation"] == invitation["invitationId"]
        [row] = filter(mine, self.sandbox.until("redemptions", lambda rows: any(map(mine, rows))))
        run = self.run_flow("TellWhenRedeemed", {"body": {"activityid": row["id"], "_regardingobjectid_value": row["invitation"]}})
        self.assert_ended(run, "Succeeded")
        [mail] = run.mails
        self.assertEqual(mail["emailMessage/Subject"], f"{contact['name']} has accepted the invitation")
        self.assertEqual(mail["emailMessage/Body"].count(contact["name"]), 2)

    def test_a_redemption_at_another_site_is_not_told(self):
        run = self.run_flow("TellWhenRedeemed", {"body": {"_regardingobjectid_value": NOBODY}})
        self.assert_ended(run, "Cancelled")
        self.assertEqual(run.mails, [])

    def button(self, view, check):
        return {"headers": PERSON, "body": {"text": view, "boolean": check, "text_1": "See you soon!"}}

    def test_a_view_is_found_by_its_name_and_checked_before_it_is_invited(self):
        run = self.run_flow("InviteContactsOfView", self.button(" contacts at fabrikam", True))
        self.assert_ended(run, "Succeeded")
        self.assertEqual(run.requests[1][3]["view"], {"id": self.views["Contacts at Fabrikam"]})
        self.assertEqual(run.see.outputs["Invite_contacts"]["body"]["counts"]["sent"], 0)
        self.assertEqual(len(run.played), 6)
        self.assertRegex(run.mails[0]["emailMessage/Body"], r"\d+ would be invited")
        self.assert_ended(self.run_flow("InviteContactsOfView", self.button("Contacts at Fabrikam", False)), "Succeeded")

    def test_a_view_that_nobody_knows_invites_nobody(self):
        run = self.run_flow("InviteContactsOfView", self.button("No such view", False))
        self.assert_ended(run, "Failed", "WhichView")
        self.assertEqual(len(run.requests), 1)


class Waiting(AtWork):
    """Each test invites everybody, so each has a sandbox of its own."""

    @classmethod
    def setUpClass(cls):
        pass

    def setUp(self):
        self.start(self.addCleanup)

    def run_slowly(self, **options):
        """The flow that waits, with a batch that cannot end at once."""
        self.sandbox.tell("faults", {"kind": "slow", "service": "graph", "milliseconds": 400})
        try:
            return self.run_flow("InviteViewAndWait", view=self.views["Active contacts"], **options)
        finally:
            self.sandbox.tell("faults/end", {"id": "all"})

    def test_the_flow_that_waits_asks_until_the_batch_has_ended(self):
        run = self.run_slowly()
        polls = [path for method, path, _, _ in run.requests if method == "GET"]
        batch = run.see.outputs["Invite_contacts"]["body"]["batch"]
        self.assertEqual(run.see.outputs["Invite_contacts"]["statusCode"], 202)
        self.assertEqual(set(polls), {f"/batches/{batch}"})
        body = ask("GET", f"{self.sandbox.address}/api/batches/{batch}", {})[2]
        self.assert_ended(run, "Succeeded" if body["ok"] else "Failed", None if body["ok"] else "NotAllInvited")
        self.assertEqual(run.see.variables["Ended"], True)
        self.assertEqual(self.waits[0], int(run.see.outputs["Invite_contacts"]["headers"]["Retry-After"]))
        self.assertEqual(len(self.waits), len(polls))
        self.assertEqual(len(run.mails), 0 if body["ok"] else 1)

    def test_a_service_that_is_gone_while_the_flow_waits_is_told_and_fails_the_run(self):
        run = self.run_slowly(after_waiting=lambda run: setattr(run, "address", "http://127.0.0.1:9"))
        self.assert_ended(run, "Failed", "NotAllInvited")
        self.assertIn("ended: false", run.mails[0]["emailMessage/Body"])

    def test_the_flow_that_waits_does_not_ask_where_all_is_settled_at_once(self):
        self.run_flow("InviteViewOnSchedule")
        run = self.run_flow("InviteViewAndWait")
        self.assertEqual([method for method, _, _, _ in run.requests], ["POST"])
        self.assert_ended(run, "Succeeded")


if __name__ == "__main__":
    unittest.main()
