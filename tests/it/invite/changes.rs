//! What happens when the world changes between the plan and the letter.

use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Setup, World};

/// A batch whose first letter went out and whose second waits for the sender's next minute.
struct Waiting {
    world: World,
    batch: i64,
    first: Uuid,
    second: Uuid,
}

impl Waiting {
    async fn start() -> Self {
        let setup = Setup::default().setting("MAIL_RATE_PER_MINUTE", "1");
        let world = setup.setting("INLINE_SECONDS", "30").start().await;
        let [first, second] = ["Ann", "Ben"].map(|name| world.contact(name));
        let posted = world.invite_contacts(&[first, second]).await;
        assert_eq!(posted.status, 202, "{}", posted.text);
        Self {
            batch: posted.batch(),
            world,
            first,
            second,
        }
    }

    fn change_contact(&self, values: &Value) {
        let dataverse = &self.world.sandbox.dataverse;
        dataverse.change("contacts", self.second, values);
    }

    fn change_row(&self, values: &Value) {
        let id = self.world.row(self.second)["adx_invitationid"].clone();
        let id = id.as_str().unwrap().parse().unwrap();
        let dataverse = &self.world.sandbox.dataverse;
        dataverse.change("adx_invitations", id, values);
    }

    /// How the waiting entry ends; the first one keeps its letter.
    async fn end(&self) -> String {
        self.world.restart().await;
        self.world.dispatch().await;
        let batch = format!("/api/batches/{}", self.batch);
        let answer = self.world.get(&batch).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let [first, second] = answer.outcomes().try_into().unwrap();
        assert_eq!(first, "sent");
        self.world.letter(self.first);
        second
    }

    /// The row is closed and its code removed, and nobody got a letter about it.
    fn assert_closed_without_letter(&self) {
        let row = self.world.row(self.second);
        assert_eq!(
            (&row["statecode"], &row["statuscode"]),
            (&json!(1), &json!(2))
        );
        assert_eq!(row["adx_invitationcode"], Value::Null);
        assert_eq!(self.world.sandbox.graph.letters().len(), 1);
    }
}

#[tokio::test]
async fn an_invitation_that_expired_before_its_letter_is_closed() {
    let batch = Waiting::start().await;
    batch.world.sandbox.age(SignedDuration::from_hours(24 * 20));
    assert_eq!(batch.end().await, "failed expired");
    batch.assert_closed_without_letter();
}

#[tokio::test]
async fn a_row_that_somebody_closed_before_its_letter_is_a_conflict() {
    let batch = Waiting::start().await;
    batch.change_row(&json!({"statecode": 1, "statuscode": 2}));
    assert_eq!(batch.end().await, "failed conflict");
    assert_eq!(batch.world.sandbox.graph.letters().len(), 1);
}

#[tokio::test]
async fn a_row_whose_code_somebody_took_is_a_conflict() {
    let batch = Waiting::start().await;
    batch.change_row(&json!({"adx_invitationcode": null}));
    assert_eq!(batch.end().await, "failed conflict");
    batch.assert_closed_without_letter();
}

#[tokio::test]
async fn a_contact_deactivated_before_the_letter_is_skipped() {
    let batch = Waiting::start().await;
    batch.change_contact(&json!({"statecode": 1, "statuscode": 2}));
    assert_eq!(batch.end().await, "skipped contactInactive");
    batch.assert_closed_without_letter();
}

#[tokio::test]
async fn a_contact_who_wants_no_more_mail_before_the_letter_is_skipped() {
    let batch = Waiting::start().await;
    batch.change_contact(&json!({"donotemail": true}));
    assert_eq!(batch.end().await, "skipped emailNotAllowed");
    batch.assert_closed_without_letter();
}

#[tokio::test]
async fn a_contact_who_registered_before_the_letter_is_skipped() {
    let batch = Waiting::start().await;
    batch.change_contact(&json!({"adx_identity_username": "ben"}));
    assert_eq!(batch.end().await, "skipped alreadyRegistered");
    batch.assert_closed_without_letter();
}

#[tokio::test]
async fn a_row_redeemed_before_its_letter_needs_none() {
    let batch = Waiting::start().await;
    let code = batch.world.row(batch.second)["adx_invitationcode"].clone();
    let portal = &batch.world.sandbox.portal;
    portal
        .redeem(code.as_str().unwrap(), "ben", "ben@customer.example")
        .unwrap();
    assert_eq!(batch.end().await, "skipped alreadyRegistered");
    let row = batch.world.row(batch.second);
    assert_eq!(row["statuscode"], 756_150_001, "still Redeemed");
    assert_eq!(batch.world.sandbox.graph.letters().len(), 1);
}

#[tokio::test]
async fn the_letter_goes_to_the_address_the_contact_has_by_then() {
    let batch = Waiting::start().await;
    batch.change_contact(&json!({"emailaddress1": "new@customer.example"}));
    assert_eq!(batch.end().await, "sent");
    assert_eq!(
        batch.world.letter(batch.second).to,
        ["new@customer.example"]
    );
}
