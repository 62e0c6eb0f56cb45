"""The stage of these tests: a sandbox with a key, whose page and webhook have it, too."""

import time
import unittest

from stage import Sandbox


class Key(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox("--contacts", "10", AUTO_INVITE_FILTER="lastname eq 'Ruled'")
        cls.addClassCleanup(cls.sandbox.close)

    def test_the_page_passes_requests_on_with_the_key(self):
        path = "/api/invitations"
        self.assertEqual(self.sandbox.call("GET", path, key=None).status_code, 401)
        self.assertEqual(self.sandbox.client.get(f"{self.sandbox.page}/host{path}", timeout=60).status_code, 200)

    def test_dataverse_tells_of_contacts_with_the_key(self):
        contact = self.sandbox.contact("Ruled", email="ruled@post.test")
        end = time.monotonic() + 60
        while time.monotonic() < end:
            self.sandbox.tell("timers", names=["function-dispatch"])
            page = self.sandbox.call("GET", "/api/invitations", params={"contactId": contact}).json()
            if page["value"]:
                return
            time.sleep(0.1)
        self.fail("nobody was told of the contact")


if __name__ == "__main__":
    unittest.main()
