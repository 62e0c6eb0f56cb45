//! Inviting: the ways in which it goes well, and how the answer tells entry by entry what became of each.
//!
//! The modules below tell one story each: what a request may ask for, and how it may go otherwise.

mod bad_requests;
mod batches;
mod bound_rows;
mod changes;
mod cooldown;
mod dry_run;
mod environment;
mod idempotency;
mod letter;
mod links;
mod people;
mod refusals;
mod replaced_meanwhile;
mod sources;
mod standing;
mod unfinished;
mod validity;
mod web_roles;
mod when_pending;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{SENDER, Setup, World};
use sandbox::host::Forwarding;

const SENT: i32 = 756_150_000;
const REDEEMED: i32 = 756_150_001;
const GROUP: i32 = 756_150_001;
/// A batch number that no journal here belongs to.
const FOREIGN: i32 = 1_500_000_000;

/// A row that somebody made by hand or by another tool: Single, New, valid for years.
pub(crate) fn row_of(world: &World, contact: Uuid, columns: &Value) -> Uuid {
    let mut row = json!({
        "adx_name": "By hand",
        "adx_type": 756_150_000,
        "adx_invitationcode": format!("made-by-hand-for-{contact}"),
        "adx_expirydate": "2199-12-31T12:00:00Z",
        "_adx_invitecontact_value": contact,
    });
    for (name, value) in columns.as_object().unwrap() {
        row[name] = value.clone();
    }
    world.sandbox.dataverse.insert("adx_invitations", &row)
}

#[tokio::test]
async fn a_contact_gets_one_row_one_letter_and_a_link_that_redeems() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let answer = world.invite_contacts(&[ann]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.outcomes(), ["sent"]);
    let row = world.row(ann);
    assert_eq!(row["adx_name"], "Ann Tester");
    assert_eq!(row["adx_type"], 756_150_000);
    assert_eq!(row["adx_maximumredemptions"], 1);
    assert_eq!(row["importsequencenumber"], json!(answer.batch()));
    world.assert_each_has_one_letter_and_row(&[ann]);
    let code = row["adx_invitationcode"].as_str().unwrap();
    assert_eq!(code.len(), 43);
    world
        .sandbox
        .portal
        .redeem(code, "ann", "ann@customer.example")
        .unwrap();
    assert_eq!(world.row(ann)["statuscode"], 756_150_001);
}

#[tokio::test]
async fn several_contacts_get_a_row_a_letter_and_a_code_of_their_own() {
    let world = Setup {
        forwarding: Forwarding::Forward,
        ..Setup::default()
    };
    let world = world.start().await;
    let people = world.contacts(25);
    let answer = world.invite_contacts(&people).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["ok"], true);
    assert_eq!(answer.json()["dryRun"], false);
    assert_eq!(answer.outcomes(), ["sent"; 25]);
    world.assert_each_has_one_letter_and_row(&people);
    let mut codes: Vec<String> = people
        .iter()
        .map(|contact| world.row(*contact)["adx_invitationcode"].to_string())
        .collect();
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), 25, "codes are not shared");
    assert_eq!(
        world.sandbox.graph.drafts(SENDER),
        [],
        "no draft is left over"
    );
    assert!(world.sandbox.graph.max_in_flight(SENDER) <= 4);
}

#[tokio::test]
async fn several_senders_share_the_letters_and_each_row_keeps_to_one() {
    let senders = ["one@contoso.example", "two@contoso.example"];
    let world = Setup::default().senders(&senders).start().await;
    let people = world.contacts(16);
    let answer = world.invite_contacts(&people).await;
    assert_eq!(answer.outcomes(), ["sent"; 16]);
    world.assert_each_has_one_letter_and_row(&people);
    for sender in senders {
        assert_ne!(world.sandbox.graph.sent_items(sender), [], "{sender}");
    }
}

#[tokio::test]
async fn results_follow_the_request_entry_by_entry_and_the_counts_add_up() {
    let world = World::start().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| world.contact(name));
    let silent = world.contact_with("Silent", &json!({}));
    let stranger = Uuid::from_u128(7);
    let again = world.contact("Again");
    world.invite_contacts(&[again]).await;
    let request = [silent, ann, stranger, ann, again, ben, silent, stranger];
    let answer = world.invite_contacts(&request).await;
    assert_eq!(answer.each("contactId"), request.map(|id| json!(id)));
    assert_eq!(
        answer.outcomes(),
        [
            "skipped noEmail",
            "sent",
            "failed contactNotFound",
            "skipped duplicateContact",
            "kept",
            "sent",
            "skipped duplicateContact",
            "skipped duplicateContact",
        ]
    );
    assert_eq!(answer.each("contactName")[1], "Ann Tester");
    assert_eq!(answer.each("contactName")[2], Value::Null);
    assert_eq!(
        answer.json()["counts"],
        json!({
            "requested": 8, "sent": 2, "created": 0, "kept": 1, "pending": 0,
            "planned": 0, "skipped": 4, "failed": 1, "unconfirmed": 0
        })
    );
    assert_eq!(answer.json()["ok"], false, "something failed");
}

#[tokio::test]
async fn an_entry_names_its_invitation_and_until_when_it_is_valid() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let answer = world.invite_contacts(&[ann]).await;
    let row = world.row(ann);
    assert_eq!(answer.each("invitationId")[0], row["adx_invitationid"]);
    assert_eq!(answer.each("expiresOn")[0], row["adx_expirydate"]);
    assert!(
        !answer
            .text
            .contains(row["adx_invitationcode"].as_str().unwrap()),
        "no code in an answer about letters"
    );
}
