//! Invitations that were there before the service came: what colleagues sent by hand, and what became of it.
//!
//! None has a number of a batch, so the service takes none for its own.

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::kinds::Kind;
use crate::Dataverse;

const SENT: i64 = 756_150_000;
const REDEEMED: i64 = 756_150_001;
const SINGLE: i64 = 756_150_000;
const CODE_CHARACTERS: usize = 43;

/// A colleague who sends invitations, and a memory of when it was.
#[derive(Debug)]
pub(super) struct Colleague {
    id: Uuid,
    chance: fastrand::Rng,
}

impl Colleague {
    pub(super) fn new(dataverse: &Dataverse, seed: u64) -> Self {
        let name = "Sam Rivera";
        Self {
            id: dataverse.insert("systemusers", &json!({ "fullname": name })),
            chance: fastrand::Rng::with_seed(seed),
        }
    }

    /// Adds the invitation that somebody of this kind has already, if any.
    pub(super) fn invite(
        &mut self,
        dataverse: &Dataverse,
        contact: Uuid,
        name: &str,
        kind: Kind,
        now: Timestamp,
    ) {
        let (days_ago, status, expires) = match kind {
            Kind::Registered => (self.chance.i64(20..200), REDEEMED, true),
            Kind::Invited => (self.chance.i64(1..5), SENT, true),
            Kind::InvitedLongAgo => (self.chance.i64(20..90), SENT, true),
            Kind::Prepared => (self.chance.i64(1..5), 1, false),
            _ => return,
        };
        let sent = days_before(now, days_ago);
        let mut row = self.row(contact, name, sent);
        row["statuscode"] = json!(status);
        if expires {
            row["adx_expirydate"] = json!(days_before(sent, -14).to_string());
        }
        if status == REDEEMED {
            row["adx_redemptions"] = json!(1);
            row["_adx_redeemedcontact_value"] = json!(contact);
        }
        dataverse.insert("adx_invitations", &row);
    }

    fn row(&mut self, contact: Uuid, name: &str, sent: Timestamp) -> Value {
        let chance = &mut self.chance;
        let code: String = (0..CODE_CHARACTERS)
            .map(|_| chance.alphanumeric())
            .collect();
        json!({
            "adx_name": format!("Invitation for {name}"),
            "adx_type": SINGLE,
            "adx_invitationcode": code,
            "adx_maximumredemptions": 1,
            "_adx_invitecontact_value": contact,
            "_createdby_value": self.id,
            "_ownerid_value": self.id,
            "createdon": sent.to_string(),
            "modifiedon": sent.to_string(),
        })
    }
}

/// A moment so many days of 24 hours earlier, in whole seconds, as Dataverse keeps them.
fn days_before(moment: Timestamp, days: i64) -> Timestamp {
    let whole = Timestamp::from_second(moment.as_second()).unwrap_or(moment);
    whole.checked_sub((days * 24).hours()).unwrap_or(whole)
}
