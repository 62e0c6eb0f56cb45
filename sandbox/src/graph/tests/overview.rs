//! What a person sees of the mailboxes, and when there is something new to see.

use super::*;
use crate::graph::{Fate, Place, Seen};

fn only(desk: &Desk) -> Seen {
    let seen = desk.graph.overview();
    assert_eq!(seen.len(), 1, "{seen:?}");
    seen.into_iter().next().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_letter_is_followed_from_draft_to_delivery() {
    let desk = desk();
    desk.graph
        .configure(|rules| rules.sending_delay = SignedDuration::from_secs(5));
    let id = desk.draft("a").await;
    let draft = only(&desk);
    assert_eq!((draft.place, draft.fate), (Place::Drafts, Fate::Draft));
    assert_eq!(draft.to_name.as_deref(), Some("Ana"));
    let before = desk.graph.touched();
    desk.send(&id).await;
    assert!(desk.graph.touched() > before);
    let handed_over = only(&desk);
    assert_eq!(handed_over.fate, Fate::Underway);
    let before = desk.graph.touched();
    assert_eq!(desk.graph.touched(), before);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(desk.graph.touched() > before);
    let sent = only(&desk);
    assert_eq!((sent.place, sent.fate), (Place::Sent, Fate::Delivered));
    assert_eq!((&sent.id, sent.deliveries), (&id, 1));
}

#[tokio::test(start_paused = true)]
async fn a_report_leads_to_the_letter_that_was_lost() {
    let desk = desk();
    desk.graph.configure(|rules| {
        rules.undeliverable = ["ana@fabrikam.example".to_owned()].into();
    });
    for answers in [true, false] {
        desk.graph.configure(|rules| rules.reports_answer = answers);
        let id = desk.draft("a").await;
        desk.send(&id).await;
        tokio::time::sleep(Duration::from_secs(4)).await;
        let seen = desk.graph.overview();
        let letter = seen.iter().find(|it| it.id == id).unwrap();
        assert_eq!((letter.place, letter.fate), (Place::Sent, Fate::Lost));
        let report = seen.iter().rfind(|it| it.is_report).unwrap();
        assert_eq!((report.place, report.fate), (Place::Inbox, Fate::Received));
        assert_eq!(report.about, Some(id), "{answers}");
    }
    desk.graph.strange_report(SENDER);
    let strange = desk.graph.overview().pop().unwrap();
    assert_eq!((strange.is_report, strange.about), (true, None));
}

#[tokio::test(start_paused = true)]
async fn a_letter_without_a_copy_is_seen_and_can_be_read() {
    let desk = desk();
    let body = json!({"message": letter("a"), "saveToSentItems": false});
    let reply = desk.ask_mailbox("POST", "sendMail", Some(body)).await;
    assert_eq!(reply.status, 202);
    let seen = only(&desk);
    assert_eq!((seen.place, seen.fate), (Place::Sent, Fate::Delivered));
    let letter = desk.graph.message(&SENDER.to_uppercase(), &seen.id);
    assert!(letter.unwrap().html.contains("<p>Hello</p>"));
    assert_eq!(desk.graph.message(SENDER, "another"), None);
}

#[tokio::test(start_paused = true)]
async fn what_goes_or_grows_older_is_something_new() {
    let desk = desk();
    let id = desk.draft("a").await;
    let mut before = desk.graph.touched();
    let mut grown = || {
        let now = desk.graph.touched();
        std::mem::replace(&mut before, now) < now
    };
    desk.graph.age(SignedDuration::from_hours(1));
    assert!(grown());
    desk.graph.mailbox_state(SENDER, State::Full);
    assert!(grown());
    assert_eq!(desk.graph.mailboxes(), [(SENDER.to_owned(), State::Full)]);
    assert!(desk.graph.delete_message(SENDER, &id));
    assert!(grown());
    assert!(!grown());
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_waits_for_its_turn_is_seen_to_arrive() {
    let desk = desk();
    desk.graph.configure(|rules| rules.letters_per_minute = 1);
    for key in ["a", "b"] {
        let id = desk.draft(key).await;
        desk.send(&id).await;
    }
    let fates = || desk.graph.overview().into_iter().map(|seen| seen.fate);
    assert!(fates().eq([Fate::Delivered, Fate::Underway]));
    let before = desk.graph.touched();
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert!(desk.graph.touched() > before);
    assert!(fates().eq([Fate::Delivered, Fate::Delivered]));
}
