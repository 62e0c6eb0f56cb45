//! The life of an invitation after its letter: sent again, revoked, reminded of.
//!
//! `Stands` sets the stage for each standing that a row can have; the modules below ask each operation of each.

mod broken;
mod racing;
mod remind;
mod reopen;
mod resend;
mod revoke;

use jiff::SignedDuration;
use sandbox::{Fault, Rule, Service};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::invite::row_of;
use crate::world::{Answer, Setup, World};

const SENT: i32 = 756_150_000;
const REDEEMED: i32 = 756_150_001;
const GROUP: i32 = 756_150_001;
const OTHER_SITE: &str = "dddddddd-0000-4000-8000-000000000002";

/// How an invitation stands when something is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    Sent,
    Unconfirmed,
    Prepared,
    PreparedWithoutCode,
    OtherDeployment,
    Group,
    Expired,
    Swept,
    Redeemed,
    HalfRedeemed,
    Closed,
    Revoked,
}

impl Stands {
    pub(crate) const ALL: [Self; 12] = [
        Self::Sent,
        Self::Unconfirmed,
        Self::Prepared,
        Self::PreparedWithoutCode,
        Self::OtherDeployment,
        Self::Group,
        Self::Expired,
        Self::Swept,
        Self::Redeemed,
        Self::HalfRedeemed,
        Self::Closed,
        Self::Revoked,
    ];

    /// Makes the row and brings it to its standing; gives its contact.
    pub(crate) async fn stage(self, world: &World) -> Uuid {
        let contact = world.contact(&format!("{self:?}"));
        let prepared = match self {
            Self::Prepared => Some(json!({"adx_expirydate": null})),
            Self::PreparedWithoutCode => Some(json!({"adx_invitationcode": null})),
            Self::OtherDeployment => Some(json!({"importsequencenumber": 1_500_000_000})),
            Self::Group => Some(json!({"adx_type": GROUP, "statuscode": SENT})),
            _ => None,
        };
        match prepared {
            Some(columns) => drop(row_of(world, contact, &columns)),
            None => self.come_from_ours(world, contact).await,
        }
        contact
    }

    async fn come_from_ours(self, world: &World, contact: Uuid) {
        let outcome = if self == Self::Unconfirmed {
            let lost = Rule::on(Service::Graph, Fault::DropBefore).path("sendMail");
            world.sandbox.faults.add(lost.times(1));
            "unconfirmed unconfirmed"
        } else {
            "sent"
        };
        let answer = world.invite_contacts(&[contact]).await;
        assert_eq!(answer.outcomes(), [outcome]);
        let row = world.row(contact);
        let set = |values: &Value| {
            let id = id_of(&row).parse().unwrap();
            let dataverse = &world.sandbox.dataverse;
            dataverse.change("adx_invitations", id, values);
        };
        let code = row["adx_invitationcode"].as_str().unwrap();
        let portal = &world.sandbox.portal;
        match self {
            Self::Expired => set(&json!({"adx_expirydate": "2020-01-01T12:00:00Z"})),
            Self::Swept => {
                set(&json!({"adx_expirydate": "2020-01-01T12:00:00Z"}));
                world.sweep().await;
                assert_eq!(world.row(contact)["statecode"], 1);
            }
            Self::Redeemed => drop(portal.redeem(code, "redeemed", "one@x.example").unwrap()),
            Self::HalfRedeemed => {
                let begun = portal.redeem_halfway(code, "half", "two@x.example");
                begun.unwrap();
            }
            Self::Closed => set(&json!({"statecode": 1, "statuscode": 2})),
            Self::Revoked => {
                set(&json!({"statecode": 1, "statuscode": 2, "adx_invitationcode": null}));
            }
            _ => {}
        }
    }
}

/// A stage on which letters are sent without drafts, so that one can stay unconfirmed, and without a cooldown.
async fn at_once() -> World {
    Setup::default()
        .setting("MAIL_DELIVERY", "send")
        .setting("RESEND_COOLDOWN_MINUTES", "0")
        .start()
        .await
}

fn id_of(row: &Value) -> &str {
    row["adx_invitationid"].as_str().unwrap()
}

fn expiry_of(row: &Value) -> jiff::Timestamp {
    row["adx_expirydate"].as_str().unwrap().parse().unwrap()
}

/// So many days and a little more pass, by the end of which Dataverse tells changes of a row apart.
fn days_pass(world: &World, days: i64) {
    let time = SignedDuration::from_hours(24 * days) + SignedDuration::from_secs(2);
    world.sandbox.age(time);
}

impl World {
    async fn resend(&self, id: &str, body: &Value) -> Answer {
        self.post(&format!("/api/invitations/{id}/resend"), &[], body)
            .await
    }

    async fn resend_keyed(&self, id: &str, key: &str, body: &Value) -> Answer {
        let headers = [("idempotency-key", key)];
        self.post(&format!("/api/invitations/{id}/resend"), &headers, body)
            .await
    }

    async fn revoke(&self, id: &str) -> Answer {
        let path = format!("/api/invitations/{id}/revoke");
        self.request(http::Method::POST, &path, &[], None).await
    }
}
