//! Trouble that is a state of the environment, and not a fault of single requests: on or off.

use serde::{Deserialize, Serialize};

use super::Page;
use crate::dataverse::Verb;

/// What an administrator has done, or forgotten to do.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Switch {
    /// A process gives each new invitation another code.
    Codes,
    /// The identity is no application user any more.
    User,
    /// Its role does not let it create invitations.
    Privilege,
}

/// The table that the privilege is for, by its entity set.
const INVITATIONS: &str = "adx_invitations";

impl Switch {
    pub(super) const ALL: [Self; 3] = [Self::Codes, Self::User, Self::Privilege];

    /// The switch that rows of the feed call this.
    pub(super) fn named(id: &str) -> Option<Self> {
        serde_json::from_value(id.into()).ok()
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Codes => "Dataverse: a process overwrites the code of each new invitation",
            Self::User => "Dataverse: the application user is gone",
            Self::Privilege => "Dataverse: the role does not let the handler create invitations",
        }
    }

    pub(super) fn is_on(self, page: &Page) -> bool {
        let dataverse = &page.sandbox.dataverse;
        match self {
            Self::Codes => dataverse.state().settings.overwrite_codes_at_create,
            Self::User => !dataverse.state().settings.application_user,
            Self::Privilege => dataverse.denies(INVITATIONS, Verb::Create),
        }
    }

    pub(super) fn turn(self, page: &Page, on: bool) {
        let dataverse = &page.sandbox.dataverse;
        match self {
            Self::Codes => dataverse.overwrite_codes_at_create(on),
            Self::User => dataverse.configure(|settings| settings.application_user = !on),
            Self::Privilege if on => dataverse.deny(INVITATIONS, Verb::Create),
            Self::Privilege => dataverse.permit(INVITATIONS, Verb::Create),
        }
    }
}

/// A number that is another one whenever `faults` or a switch is.
pub(super) fn version(page: &Page, faults: u64) -> u64 {
    let switches = Switch::ALL.into_iter();
    switches.fold(faults, |sum, switch| {
        sum * 2 + u64::from(switch.is_on(page))
    })
}
