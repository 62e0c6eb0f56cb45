//! What became of a letter: only the mailbox knows, and it is asked before anything is done again.

use std::sync::Arc;

use http::Method;
use jiff::SignedDuration;
use sandbox::faults::{Fault, Rule, Service};
use sandbox::graph::SecondSend;
use serde_json::json;
use uuid::Uuid;

use crate::trouble::{Tally, refusal};
use crate::world::{Answer, SENDER, Setup, World};

/// The request that sends: the second to Graph, after the one that makes the drafts.
fn whole_send(fault: Fault) -> Rule {
    Rule::on(Service::Graph, fault).path("$batch").skip(1)
}

fn each_send(fault: Fault) -> Rule {
    let rule = Rule::on(Service::Graph, fault).inside_batch();
    rule.method(Method::POST).path("/send")
}

/// Looks by id, not searches.
fn each_look(fault: Fault) -> Rule {
    let rule = Rule::on(Service::Graph, fault).inside_batch();
    rule.method(Method::GET).path("/messages/")
}

/// Invites Ann, whose letter's fate is open when the caller is answered.
async fn invite_with_open_fate(world: &World, lost: Fault) -> (Uuid, Answer) {
    let ann = world.contact("Ann");
    world.sandbox.faults.add(whole_send(lost).times(1));
    let answer = world.invite_contacts(&[ann]).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.json()["counts"]["pending"], 1);
    (ann, answer)
}

async fn impatient() -> World {
    Setup::default()
        .setting("INLINE_SECONDS", "4")
        .start()
        .await
}

#[tokio::test]
async fn a_draft_whose_send_was_lost_is_sent_again_by_its_id_but_not_within_a_minute() {
    let world = impatient().await;
    let (sends, looks) = (world.count(each_send), world.count(each_look));
    let (ann, answer) = invite_with_open_fate(&world, Fault::DropBefore).await;
    assert!(looks.count() > 0, "the mailbox was asked");
    assert_eq!(sends.count(), 0, "a young draft may be on its way");
    let journalled = world.journal();
    let attempting = journalled
        .iter()
        .find(|line| line["line"] == "attempting")
        .unwrap();
    let message = attempting["letters"][0]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    world.a_minute_passes();
    world.dispatch_until_idle().await;
    assert_eq!(world.result(answer.batch()).await.outcomes(), ["sent"]);
    assert_eq!(
        (sends.count(), world.sandbox.graph.drafts(SENDER).len()),
        (1, 0)
    );
    assert_eq!(world.sandbox.graph.letters()[0].message_id, message);
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn a_letter_that_looks_like_a_draft_for_a_while_is_not_sent_again() {
    let world = Setup::default().start().await;
    let sends = world.count(each_send);
    let ann = world.contact("Ann");
    world
        .sandbox
        .graph
        .configure(|rules| rules.sending_delay = SignedDuration::from_secs(8));
    world
        .sandbox
        .faults
        .add(whole_send(Fault::DropAfter).times(1));
    assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
    assert_eq!(sends.count(), 1);
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn a_letter_that_its_id_does_not_find_is_found_by_its_delivery_key() {
    let world = impatient().await;
    let by_id = world.count(each_look);
    world
        .sandbox
        .faults
        .add(each_look(refusal(404, "ErrorItemNotFound", false)));
    let ann = world.contact("Ann");
    world
        .sandbox
        .faults
        .add(whole_send(Fault::DropAfter).times(1));
    assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
    assert_eq!(by_id.count(), 1);
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn a_letter_that_nobody_finds_for_ten_minutes_is_left_to_a_person() {
    let world = impatient().await;
    let looks = world.count(each_look);
    let ann = world.contact("Ann");
    let sandbox = world.sandbox.clone();
    let lose = Fault::Call(Arc::new(move || {
        let draft = sandbox.graph.drafts(SENDER).pop().unwrap();
        assert!(sandbox.graph.delete_message(SENDER, &draft.message_id));
    }));
    world.sandbox.faults.add(whole_send(lose).times(1));
    world
        .sandbox
        .faults
        .add(whole_send(Fault::DropBefore).times(1));
    let answer = world.invite_contacts(&[ann]).await;
    assert_eq!(answer.status, 202, "not before the ten minutes are over");
    assert!(looks.count() > 0, "the mailbox was asked");
    world.backdate("attempting", SignedDuration::from_mins(10));
    world.dispatch_until_idle().await;
    let outcomes = world.result(answer.batch()).await.outcomes();
    assert_eq!(outcomes, ["unconfirmed unconfirmed"]);
    assert_eq!(world.row(ann)["statuscode"], 1, "no letter was accepted");
    let again = world.invite_contacts(&[ann]).await;
    assert_eq!(again.outcomes(), ["kept unconfirmed"]);
    assert!(world.sandbox.graph.letters().is_empty());
}

/// The first send took effect and its answer was lost; the letter leaves just before the second one.
async fn second_send_comes_too_late(second: SecondSend) {
    let world = impatient().await;
    world.sandbox.graph.configure(|rules| {
        rules.sending_delay = SignedDuration::from_secs(120);
        rules.second_send = second;
    });
    let (ann, answer) = invite_with_open_fate(&world, Fault::DropAfter).await;
    let sandbox = world.sandbox.clone();
    let leave = Fault::Call(Arc::new(move || sandbox.age(SignedDuration::from_secs(61))));
    world.sandbox.faults.add(each_send(leave).times(1));
    let sends: Tally = world.count(each_send);
    world.a_minute_passes();
    world.dispatch_until_idle().await;
    assert_eq!(sends.count(), 1, "a second send was tried");
    assert_eq!(world.result(answer.batch()).await.outcomes(), ["sent"]);
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn a_second_send_that_finds_no_draft_is_looked_up() {
    second_send_comes_too_late(SecondSend::NotFound).await;
}

#[tokio::test]
async fn a_second_send_that_is_a_bad_request_is_looked_up() {
    second_send_comes_too_late(SecondSend::BadRequest).await;
}

#[tokio::test]
async fn a_first_send_that_answers_like_a_second_one_is_looked_up() {
    for (status, code) in [(404, "ErrorItemNotFound"), (400, "ErrorInvalidOperation")] {
        let world = Setup::default().start().await;
        let ann = world.contact("Ann");
        world
            .sandbox
            .faults
            .add(each_send(refusal(status, code, true)).times(1));
        assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
        world.assert_each_has_one_letter_and_row(&[ann]);
    }
}

#[tokio::test]
async fn a_code_overwritten_before_the_takeover_is_put_back_from_the_letter() {
    let world = impatient().await;
    let (ann, answer) = invite_with_open_fate(&world, Fault::DropBefore).await;
    let id = world.row(ann)["adx_invitationid"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let other = json!({"adx_invitationcode": "z".repeat(43)});
    world
        .sandbox
        .dataverse
        .change("adx_invitations", id, &other);
    world.a_minute_passes();
    world.dispatch_until_idle().await;
    assert_eq!(world.result(answer.batch()).await.outcomes(), ["sent"]);
    world.assert_each_has_one_letter_and_row(&[ann]);
}

#[tokio::test]
async fn a_redeemed_row_proves_its_letter_without_the_mailbox() {
    let world = impatient().await;
    let (ann, answer) = invite_with_open_fate(&world, Fault::DropBefore).await;
    let row = world.row(ann);
    let code = row["adx_invitationcode"].as_str().unwrap();
    world
        .sandbox
        .portal
        .redeem(code, "ann", "ann@customer.example")
        .unwrap();
    let sends = world.count(each_send);
    world.a_minute_passes();
    world.dispatch_until_idle().await;
    assert_eq!(world.result(answer.batch()).await.outcomes(), ["sent"]);
    assert_eq!(
        (sends.count(), &world.row(ann)["statuscode"]),
        (0, &json!(756_150_001))
    );
}

#[tokio::test]
async fn a_row_that_another_batch_has_by_now_proves_nothing_and_is_left_alone() {
    let world = impatient().await;
    let (ann, answer) = invite_with_open_fate(&world, Fault::DropBefore).await;
    let id = world.row(ann)["adx_invitationid"].as_str().unwrap().parse();
    let others = json!({"statuscode": 756_150_000, "importsequencenumber": 1_999_999_999});
    let dataverse = &world.sandbox.dataverse;
    dataverse.change("adx_invitations", id.unwrap(), &others);
    let before = world.row(ann);
    world.a_minute_passes();
    world.dispatch_until_idle().await;
    let outcomes = world.result(answer.batch()).await.outcomes();
    assert_eq!(outcomes, ["failed conflict"], "no letter of ours went out");
    let columns = ["statecode", "statuscode", "adx_invitationcode"];
    let row = world.row(ann);
    assert_eq!(
        columns.map(|name| &row[name]),
        columns.map(|name| &before[name])
    );
}

#[tokio::test]
async fn the_letter_of_a_deleted_row_does_not_mark_the_row_that_took_its_id() {
    let world = impatient().await;
    let (ann, answer) = invite_with_open_fate(&world, Fault::DropBefore).await;
    let mut row = world.row(ann);
    let id = row["adx_invitationid"].as_str().unwrap().parse().unwrap();
    let dataverse = &world.sandbox.dataverse;
    dataverse.delete("adx_invitations", id);
    let columns = row.as_object_mut().unwrap();
    columns.retain(|name, _| name.starts_with("adx_") && name != "adx_redemptions");
    row["_adx_invitecontact_value"] = json!(ann);
    row["importsequencenumber"] = json!(1_999_999_999);
    dataverse.insert("adx_invitations", &row);
    world.a_minute_passes();
    world.dispatch_until_idle().await;
    let outcomes = world.result(answer.batch()).await.outcomes();
    assert_eq!(outcomes, ["failed conflict"]);
    assert_eq!(world.row(ann)["statuscode"], 1, "nobody sent this one yet");
}

#[tokio::test]
async fn the_mark_of_an_earlier_letter_does_not_prove_that_it_was_sent_again() {
    let world = impatient().await;
    let ann = world.contact("Ann");
    world.invite_contacts(&[ann]).await;
    world
        .sandbox
        .faults
        .add(whole_send(Fault::DropBefore).times(1));
    let again = json!({"contactIds": [ann], "whenPending": "resend"});
    let answer = world.invite_keyed("again", &again).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    world.a_minute_passes();
    world.dispatch_until_idle().await;
    assert_eq!(world.result(answer.batch()).await.outcomes(), ["sent"]);
    assert_eq!(world.sandbox.graph.letters().len(), 2);
}
