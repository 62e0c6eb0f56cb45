//! Sample contacts: mostly plain people of several languages, and two whose invitation ends otherwise.

use std::fmt;

use crate::Dataverse;
use serde_json::json;
use uuid::Uuid;

/// First names, and the languages that their bearers prefer, by number.
const FIRST_NAMES: [(&str, Option<i64>); 8] = [
    ("Amara", None),
    ("Bjørn", Some(1044)),
    ("Chiara", Some(1040)),
    ("Diego", Some(3082)),
    ("Eszter", Some(1038)),
    ("Farid", Some(1025)),
    ("Grace", Some(1033)),
    ("Hiro", Some(1041)),
];
const LAST_NAMES: [&str; 7] = [
    "Okafor",
    "Østergaard",
    "Ricci",
    "Sánchez",
    "Nagy",
    "O'Neill",
    "Tanaka",
];

/// A contact as the person at the terminal sees it.
#[derive(Debug)]
pub(super) struct Contact {
    pub(super) id: Uuid,
    name: String,
    note: &'static str,
}

impl fmt::Display for Contact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}{}", self.id, self.name, self.note)
    }
}

/// What is special about a sample contact.
enum Kind {
    Plain,
    NoAddress,
    Undeliverable,
}

/// Adds this many contacts; from the eleventh on, one has no address and one an address that bounces.
pub(super) fn seed(dataverse: &Dataverse, count: usize) -> Vec<Contact> {
    (0..count)
        .map(|index| match index {
            10 => add(dataverse, index, &Kind::NoAddress),
            11 => add(dataverse, index, &Kind::Undeliverable),
            _ => add(dataverse, index, &Kind::Plain),
        })
        .collect()
}

fn add(dataverse: &Dataverse, index: usize, kind: &Kind) -> Contact {
    let (first, language) = FIRST_NAMES[index % FIRST_NAMES.len()];
    let last = LAST_NAMES[index % LAST_NAMES.len()];
    let (address, note) = match kind {
        Kind::Plain => (Some(format!("contact{index}@fabrikam.example")), ""),
        Kind::NoAddress => (None, " (no e-mail address)"),
        Kind::Undeliverable => (
            Some(format!("contact{index}@nowhere.invalid")),
            " (letters bounce)",
        ),
    };
    let row = json!({
        "firstname": first,
        "lastname": last,
        "emailaddress1": address,
        "mspp_userpreferredlcid": language,
    });
    Contact {
        id: dataverse.insert("contacts", &row),
        name: format!("{first} {last}"),
        note,
    }
}
