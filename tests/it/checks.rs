//! What tests look at after a request: its answer, and what it left behind.

use sandbox::graph::Letter;
use serde_json::Value;
use uuid::Uuid;

use crate::world::{Answer, SENDER, World};

impl Answer {
    /// A field of each entry's result, in order; null where an entry has none.
    pub(crate) fn each(&self, field: &str) -> Vec<Value> {
        let json = self.json();
        let results = json["results"].as_array().unwrap();
        results.iter().map(|entry| entry[field].clone()).collect()
    }

    /// That it is a problem as RFC 9457 has it, with this status and code.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert!(!problem["title"].as_str().unwrap().is_empty());
    }

    /// The fields that a problem complains about.
    pub(crate) fn wrong_fields(&self) -> Vec<String> {
        let problem = self.json();
        let errors = problem["errors"].as_array().into_iter().flatten();
        errors
            .map(|error| error["field"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl World {
    /// The only letter to a contact.
    #[track_caller]
    pub(crate) fn letter(&self, contact: Uuid) -> Letter {
        let row = self.sandbox.dataverse.row("contacts", contact).unwrap();
        let address = row["emailaddress1"].as_str().unwrap();
        let mut letters = self.sandbox.graph.letters();
        letters.retain(|letter| letter.to == [address]);
        assert_eq!(letters.len(), 1, "one letter to {address}");
        letters.remove(0)
    }

    /// Names of the files in a folder of the store: `keys`, `open` or `done`.
    pub(crate) fn stored(&self, folder: &str) -> Vec<String> {
        let files = std::fs::read_dir(self.store.path().join(folder)).unwrap();
        files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// No row, no letter, no draft, no journal and no key: as if nothing had been asked.
    #[track_caller]
    pub(crate) fn assert_untouched(&self) {
        assert_eq!(self.sandbox.dataverse.writes(), 0, "writes to Dataverse");
        assert_eq!(self.sandbox.graph.letters(), []);
        assert_eq!(self.sandbox.graph.drafts(SENDER), []);
        for folder in ["keys", "open", "done"] {
            assert_eq!(self.stored(folder), [""; 0], "files in {folder}");
        }
    }
}
