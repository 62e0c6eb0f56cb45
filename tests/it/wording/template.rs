//! The template of a letter: the one asked for, else the one that tells what the letter is about.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::{contact, id_of, remind, resend, subject, usual_and};
use crate::invite::row_of;
use crate::world::{Setup, World};

const NORWEGIAN: i64 = 1044;

/// A stage where English has a letter for a link that is sent again, and Norwegian has not.
async fn stage() -> (World, TempDir) {
    let more = [("en", "resend"), ("en", "board"), ("nb", "board")];
    let templates = usual_and(&["en", "nb"], &more);
    let setup = Setup::default()
        .setting("TEMPLATE_DIR", templates.path().to_str().unwrap())
        .setting("LANGUAGES", "en,nb")
        .setting("RESEND_COOLDOWN_MINUTES", "0");
    (setup.start().await, templates)
}

async fn invite(world: &World, contact: Uuid, fields: &Value) {
    let mut body = json!({ "contactIds": [contact] });
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    world.sandbox.age(SignedDuration::from_secs(2));
    let answer = world.invite(&body).await;
    assert_eq!(answer.outcomes(), ["sent"], "{}", answer.text);
}

#[tokio::test]
async fn a_link_that_was_sent_before_comes_with_a_letter_of_its_own() {
    let (world, _templates) = stage().await;
    let ann = contact(&world, "Ann", None);
    invite(&world, ann, &json!({})).await;
    assert_eq!(subject(&world, ann), "en invitation");
    invite(&world, ann, &json!({"whenPending": "resend"})).await;
    assert_eq!(subject(&world, ann), "en resend");
    invite(&world, ann, &json!({"whenPending": "replace"})).await;
    assert_eq!(subject(&world, ann), "en invitation", "a new link");
}

#[tokio::test]
async fn a_link_that_works_longer_or_again_was_sent_before_too() {
    let (world, _templates) = stage().await;
    for body in [json!({}), json!({"extendDays": 30})] {
        let ann = contact(&world, &format!("Ann{}", body.to_string().len()), None);
        invite(&world, ann, &json!({})).await;
        resend(&world, ann, &body).await;
        assert_eq!(subject(&world, ann), "en resend", "{body}");
    }
    let ben = contact(&world, "Ben", None);
    invite(&world, ben, &json!({})).await;
    let past = json!({"adx_expirydate": "2020-01-01T12:00:00Z"});
    let dataverse = &world.sandbox.dataverse;
    dataverse.change("adx_invitations", id_of(&world, ben), &past);
    world.sweep().await;
    resend(&world, ben, &json!({})).await;
    assert_eq!(subject(&world, ben), "en resend");
}

#[tokio::test]
async fn what_someone_else_prepared_is_news_to_its_contact() {
    let (world, _templates) = stage().await;
    let ann = contact(&world, "Ann", None);
    row_of(&world, ann, &json!({}));
    invite(&world, ann, &json!({"whenPending": "resend"})).await;
    assert_eq!(subject(&world, ann), "en invitation");
    assert_eq!(world.rows(ann).len(), 1);
}

#[tokio::test]
async fn a_language_without_that_letter_sends_the_first_one_again() {
    let (world, _templates) = stage().await;
    let nora = contact(&world, "Nora", Some(NORWEGIAN));
    invite(&world, nora, &json!({})).await;
    resend(&world, nora, &json!({})).await;
    assert_eq!(subject(&world, nora), "nb invitation");
    resend(&world, nora, &json!({"language": "en"})).await;
    assert_eq!(subject(&world, nora), "en resend");
}

#[tokio::test]
async fn a_template_asked_for_serves_for_everything_but_reminders() {
    let (world, _templates) = stage().await;
    let ann = contact(&world, "Ann", None);
    invite(&world, ann, &json!({"template": "board"})).await;
    assert_eq!(subject(&world, ann), "en board");
    let again = json!({"template": "board", "whenPending": "resend", "language": "nb"});
    invite(&world, ann, &again).await;
    assert_eq!(subject(&world, ann), "nb board");
    resend(&world, ann, &json!({})).await;
    assert_eq!(subject(&world, ann), "en board", "as the first request");
    remind(&world, &[ann]).await;
    assert_eq!(subject(&world, ann), "en reminder");
}
