//! The doctor: every planted fault is named, a healthy installation is not bothered, and nothing is written.

mod container;
mod dataverse;
mod found;
mod invitations;
mod journals;
mod legacy;
mod mailboxes;
mod outside;
mod plant;
mod privileges;
mod registration;
mod senders;
mod settings;
mod tables;

use serde_json::Value;

use crate::world::World;

/// The areas of checks that look at Dataverse.
pub(crate) const OF_DATAVERSE: [&str; 5] = [
    "tables",
    "privileges",
    "registration",
    "senders",
    "invitations",
];

/// What the doctor answered.
pub(crate) struct Diagnosis(Value);

impl Diagnosis {
    /// Asks the HTTP function.
    pub(crate) async fn of(world: &World) -> Self {
        let answer = world.get("/api/doctor").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        Self(answer.json())
    }

    /// Every check.
    pub(crate) fn checks(&self) -> &[Value] {
        self.0["checks"].as_array().unwrap()
    }

    /// The check with this id.
    ///
    /// # Panics
    /// If there is none, or more than one.
    pub(crate) fn check(&self, id: &str) -> &Value {
        let found: Vec<_> = (self.checks().iter())
            .filter(|check| check["id"] == id)
            .collect();
        assert_eq!(found.len(), 1, "one check {id} in {}", self.0);
        found[0]
    }

    /// Asserts how a check ended, and that it says all of this.
    pub(crate) fn says(&self, id: &str, status: &str, words: &[&str]) {
        let check = self.check(id);
        assert_eq!(check["status"], status, "{check}");
        let part = |name: &str| check[name].as_str().unwrap_or_default();
        let text = format!("{} {}", part("seen"), part("advice"));
        for word in words {
            assert!(text.contains(word), "{word} in {text}");
        }
        assert_eq!(check.get("advice").is_none(), status == "pass", "{check}");
    }

    /// The ids of the checks in these areas that did not pass.
    pub(crate) fn not_passed(&self, areas: &[&str]) -> Vec<&str> {
        let id = |check: &'_ Value| -> bool {
            let area = check["id"].as_str().unwrap().split('.').next().unwrap();
            areas.contains(&area) && check["status"] != "pass"
        };
        let worse = self.checks().iter().filter(|check| id(check));
        worse.map(|check| check["id"].as_str().unwrap()).collect()
    }

    /// The whole answer.
    pub(crate) fn text(&self) -> String {
        self.0.to_string()
    }

    /// Whether no check failed.
    pub(crate) fn ok(&self) -> bool {
        self.0["ok"].as_bool().unwrap()
    }
}
