//! Runs of the timer: which time they tell of, and that they tell it once.

use super::{ago, digests, outcome, read, run, run_since, setup, start, text};
use crate::world::World;

#[tokio::test]
async fn without_news_there_is_no_letter() {
    let world = start().await;
    let answer = run(&world).await;
    assert_eq!(outcome(&answer), "noNews");
    assert_eq!(answer.json()["Logs"][0], "No news, so no letter.");
    assert!(world.sandbox.graph.letters().is_empty());
    assert_eq!(world.sandbox.dataverse.writes(), 0);
}

#[tokio::test]
async fn without_digest_to_nothing_is_looked_at() {
    let world = World::start().await;
    let answer = run(&world).await;
    assert_eq!(outcome(&answer), "off");
    assert!(world.sandbox.traffic.entries().is_empty());
}

#[tokio::test]
async fn the_host_can_run_it() {
    let world = start().await;
    world.invite_contacts(&[world.contact("Ann")]).await;
    let run = world.host.fire("function-digest").await.unwrap();
    assert_eq!(run.body["tally"]["outcome"], "sent");
    assert!(text(&world).contains("1 Letters sent"));
}

#[tokio::test]
async fn it_tells_of_the_time_since_the_last_run_of_a_day_where_that_is_not_known_and_of_a_week_at_most()
 {
    let world = start().await;
    let span = async |last: &str| {
        let tally = run_since(&world, last).await.json()["tally"].clone();
        let moment = |name: &str| {
            tally[name]
                .as_str()
                .unwrap()
                .parse::<jiff::Timestamp>()
                .unwrap()
        };
        moment("until").duration_since(moment("from")).as_secs()
    };
    let (hour, day) = (3_600, 24 * 3_600);
    assert!((2 * hour..2 * hour + 60).contains(&span(&ago(2).to_string()).await));
    for unknown in ["0001-01-01T00:00:00", "0001-01-01T00:00:00+00:00", "never"] {
        assert!(
            (day..day + hour + 60).contains(&span(unknown).await),
            "{unknown}"
        );
    }
    for old in ["2020-01-01T00:00:00Z", "1970-01-02T00:00:00Z"] {
        assert!((7 * day..7 * day + 60).contains(&span(old).await), "{old}");
    }
    assert!(span("2999-01-01T00:00:00Z").await < 60);
}

#[tokio::test]
async fn two_runs_with_the_same_last_send_one_letter_and_the_next_tells_only_what_is_new() {
    for delivery in ["draft", "send"] {
        let world = setup().setting("MAIL_DELIVERY", delivery).start().await;
        let last = ago(2).to_string();
        world.invite_contacts(&[world.contact("Ann")]).await;
        assert_eq!(outcome(&run_since(&world, &last).await), "sent");
        assert_eq!(outcome(&run_since(&world, &last).await), "noNews");
        world.invite_contacts(&world.contacts(2)).await;
        assert_eq!(outcome(&run_since(&world, &last).await), "sent");
        assert_eq!(outcome(&run_since(&world, &last).await), "noNews");
        let digests = digests(&world);
        assert_eq!(digests.len(), 2, "{delivery}");
        assert!(read(&digests[0]).contains("1 Letters sent"));
        assert!(read(&digests[1]).contains("2 Letters sent"));
    }
}

#[tokio::test]
async fn runs_that_know_of_no_last_one_send_one_letter_too() {
    let world = start().await;
    world.invite_contacts(&[world.contact("Ann")]).await;
    // A new hour between the two would make them two periods of their own.
    for _ in 0..3 {
        let first = run_since(&world, "never").await.json()["tally"].clone();
        let second = run_since(&world, "never").await.json()["tally"].clone();
        if second["outcome"] == "noNews" {
            assert_eq!(first["outcome"], "sent");
            return;
        }
    }
    panic!("each run sends a letter");
}

#[tokio::test]
async fn a_process_that_died_before_it_noted_the_digest_is_no_reason_to_send_it_again() {
    let world = start().await;
    let last = ago(2).to_string();
    world.invite_contacts(&[world.contact("Ann")]).await;
    run_since(&world, &last).await;
    let keys = std::fs::read_dir(world.store.path().join("keys")).unwrap();
    let notes = keys.map(|entry| entry.unwrap().path());
    let is_note = |path: &std::path::PathBuf| path.to_str().unwrap().contains("digest-");
    let notes: Vec<_> = notes.filter(is_note).collect();
    assert_eq!(notes.len(), 1);
    std::fs::remove_file(&notes[0]).unwrap();
    let again = run_since(&world, &last).await;
    assert_eq!(again.status, 200);
    // The mailbox's clock says when, within a minute; what that minute holds is told twice rather than never.
    let from: jiff::Timestamp = again.json()["tally"]["from"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(ago(0).duration_since(from).as_secs() < 120, "{from}");
}

#[tokio::test]
async fn a_missing_template_stops_the_start_where_a_digest_is_wanted() {
    let templates = tempfile::tempdir().unwrap();
    let packaged = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    std::fs::create_dir(templates.path().join("en")).unwrap();
    for file in [
        "layout.html",
        "parts.html",
        "invitation.html",
        "en/invitation.html",
        "en/invitation.subject.txt",
        "en/reminder.html",
        "en/reminder.subject.txt",
    ] {
        std::fs::copy(packaged.join(file), templates.path().join(file)).unwrap();
    }
    let world = World::start().await;
    let directory = templates.path().to_str().unwrap();
    let wanted = [("TEMPLATE_DIR", directory), ("DIGEST_TO", super::STAFF)];
    let output = crate::process::run(&world, &["sweep"], &wanted).await;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(text.contains("there is no template digest in en"), "{text}");
    let unwanted = crate::process::run(&world, &["sweep"], &wanted[..1]).await;
    assert!(unwanted.status.success());
}
