//! Who is in the demo, and how each of their invitations is expected to end.

use serde_json::json;
use uuid::Uuid;

use crate::Dataverse;

/// A contact, with the outcomes that the handler is expected to report.
#[derive(Debug)]
pub(super) struct Contact {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) email: Option<&'static str>,
    pub(super) note: &'static str,
    /// Outcome and reason code of the first request.
    pub(super) first: &'static str,
    /// The same when everybody is invited again.
    pub(super) again: &'static str,
}

/// First and last name, address, note, expected outcomes.
type Role = (
    [&'static str; 2],
    Option<&'static str>,
    &'static str,
    [&'static str; 2],
);

const REGISTERED: &str = "already has a sign-in to the site";
const DEACTIVATED: &str = "deactivated";

const ROLES: [Role; 8] = [
    (
        ["Amara", "Okafor"],
        Some("amara@fabrikam.example"),
        "",
        ["sent", "skipped alreadyRegistered"],
    ),
    (
        ["Bjørn", "Østergaard"],
        Some("office@northwind.example"),
        "",
        ["sent", "kept"],
    ),
    (
        ["Chiara", "Ricci"],
        Some("chiara@fabrikam.example"),
        "",
        ["sent", "kept"],
    ),
    (
        ["Diego", "Sánchez"],
        None,
        "has no address",
        ["skipped noEmail"; 2],
    ),
    (
        ["Eszter", "Nagy"],
        Some("Office@Northwind.example"),
        "shares Bjørn's address",
        ["skipped duplicateEmail"; 2],
    ),
    (
        ["Farid", "Haddad"],
        Some("farid@adventure.example"),
        REGISTERED,
        ["skipped alreadyRegistered"; 2],
    ),
    (
        ["Grace", "O'Neill"],
        Some("grace@adventure.example"),
        DEACTIVATED,
        ["skipped contactInactive"; 2],
    ),
    (
        ["Hiro", "Tanaka"],
        Some("hiro@tailspin.example"),
        "",
        ["sent", "kept"],
    ),
];

/// Those who are invited when the handler is killed.
const LATECOMERS: [([&str; 2], &str); 6] = [
    (["Ines", "Duarte"], "ines@wingtip.example"),
    (["Jonas", "Weber"], "jonas@wingtip.example"),
    (["Keiko", "Mori"], "keiko@wingtip.example"),
    (["Lars", "Dahl"], "lars@wingtip.example"),
    (["Mina", "Rahimi"], "mina@wingtip.example"),
    (["Noel", "Baker"], "noel@wingtip.example"),
];

/// Puts the eight of the main story into Dataverse.
pub(super) fn cast(dataverse: &Dataverse) -> Vec<Contact> {
    ROLES.iter().map(|role| enter(dataverse, role)).collect()
}

/// Puts those of the crash into Dataverse; all are expected to get a letter.
pub(super) fn latecomers(dataverse: &Dataverse) -> Vec<Contact> {
    LATECOMERS
        .iter()
        .map(|(name, email)| enter(dataverse, &(*name, Some(*email), "", ["sent"; 2])))
        .collect()
}

fn enter(dataverse: &Dataverse, role: &Role) -> Contact {
    let ([first_name, last_name], email, note, [first, again]) = *role;
    let mut row = json!({
        "firstname": first_name, "lastname": last_name, "emailaddress1": email,
    });
    if note == REGISTERED {
        row["adx_identity_username"] = json!(first_name.to_lowercase());
    }
    if note == DEACTIVATED {
        row["statecode"] = json!(1);
        row["statuscode"] = json!(2);
    }
    Contact {
        id: dataverse.insert("contacts", &row),
        name: format!("{first_name} {last_name}"),
        email,
        note,
        first,
        again,
    }
}
