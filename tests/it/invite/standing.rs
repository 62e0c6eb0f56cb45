//! What an invitation that is already there means for a new request.

use jiff::SignedDuration;
use serde_json::json;

use super::{FOREIGN, GROUP, REDEEMED, SENT, row_of};
use crate::world::World;

#[tokio::test]
async fn a_pending_invitation_is_kept_and_no_letter_follows() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let first = world.invite_contacts(&[ann]).await;
    let writes = world.sandbox.dataverse.writes();
    let second = world.invite_contacts(&[ann]).await;
    assert_eq!(second.outcomes(), ["kept"]);
    assert_eq!(second.json()["ok"], true);
    assert_eq!(second.each("invitationId"), first.each("invitationId"));
    assert_eq!(second.each("expiresOn"), first.each("expiresOn"));
    assert_eq!(world.sandbox.dataverse.writes(), writes);
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn a_pending_invitation_fails_the_entry_where_the_request_says_so() {
    let world = World::start().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| world.contact(name));
    let first = world.invite_contacts(&[ann]).await;
    let body = json!({"contactIds": [ann, ben], "whenPending": "fail"});
    let second = world.invite(&body).await;
    assert_eq!(second.outcomes(), ["failed alreadyInvited", "sent"]);
    assert_eq!(second.json()["ok"], false);
    assert_eq!(
        second.each("invitationId")[0],
        first.each("invitationId")[0]
    );
    world.assert_each_has_one_letter_and_row(&[ann, ben]);
}

#[tokio::test]
async fn a_row_that_somebody_prepared_is_kept_and_never_mailed() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let id = row_of(&world, ann, &json!({}));
    let answer = world.invite_contacts(&[ann]).await;
    assert_eq!(answer.outcomes(), ["kept preparedElsewhere"]);
    assert_eq!(answer.each("invitationId"), [json!(id)]);
    world.dispatch().await;
    assert_eq!(world.sandbox.graph.letters(), []);
    assert_eq!(world.sandbox.dataverse.writes(), 0);
}

#[tokio::test]
async fn rows_of_another_deployment_are_someone_elses() {
    let world = World::start().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| world.contact(name));
    row_of(&world, ann, &json!({"importsequencenumber": FOREIGN}));
    let sent = json!({"importsequencenumber": FOREIGN, "statuscode": SENT});
    row_of(&world, ben, &sent);
    let answer = world.invite_contacts(&[ann, ben]).await;
    assert_eq!(answer.outcomes(), ["kept preparedElsewhere", "kept"]);
    world.dispatch().await;
    assert_eq!(world.sandbox.graph.letters(), []);
    assert_eq!(world.sandbox.dataverse.writes(), 0);
    let other = format!("/api/batches/{FOREIGN}");
    world.get(&other).await.assert_problem(404, "batchNotFound");
}

#[tokio::test]
async fn invitations_that_are_over_do_not_stand_in_the_way() {
    let world = World::start().await;
    let over = [
        json!({"adx_expirydate": "2020-01-01T12:00:00Z"}),
        json!({"statecode": 1, "statuscode": 2}),
        json!({"statuscode": REDEEMED}),
        json!({"adx_type": GROUP}),
    ];
    let people = world.contacts(over.len());
    for (contact, columns) in people.iter().zip(&over) {
        row_of(&world, *contact, columns);
    }
    let answer = world.invite_contacts(&people).await;
    assert_eq!(answer.outcomes(), ["sent"; 4]);
    for contact in people {
        assert_eq!(world.rows(contact).len(), 2);
    }
}

#[tokio::test]
async fn an_expired_invitation_is_followed_by_a_new_one_even_after_its_journal_is_gone() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    for round in 1..=3 {
        let answer = world.invite_contacts(&[ann]).await;
        assert_eq!(answer.outcomes(), ["sent"], "round {round}");
        assert_eq!(world.rows(ann).len(), round);
        world.sandbox.age(SignedDuration::from_hours(24 * 20));
        if round == 2 {
            let done = world.store.path().join("done");
            std::fs::remove_dir_all(&done).unwrap();
            std::fs::create_dir(&done).unwrap();
        }
    }
}
