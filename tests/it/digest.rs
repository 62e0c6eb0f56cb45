//! The digest: what it tells of each kind of news, when there is none, and how it goes on after trouble.

mod news;
mod runs;
mod senders;
mod trouble;

use jiff::{SignedDuration, Timestamp};
use sandbox::graph::Letter;
use serde_json::Value;
use uuid::Uuid;

use crate::world::{Answer, Setup, World};

const STAFF: &str = "staff@contoso.example";

fn setup() -> Setup {
    Setup::default().setting("DIGEST_TO", "Staff@contoso.example, boss@contoso.example")
}

async fn start() -> World {
    setup().start().await
}

/// Runs the timer as the host does that says it ran last at `last`.
async fn run_since(world: &World, last: &str) -> Answer {
    let status = format!(r#"{{"Last":"{last}","Next":"{last}","LastUpdated":"{last}"}}"#);
    let body = format!(
        r#"{{"Data":{{"timer":{{"ScheduleStatus":{status},"IsPastDue":false}}}},"Metadata":{{}}}}"#
    );
    world.handler("/function-digest").post(&body).await
}

/// Runs the timer as one that ran last two hours ago.
async fn run(world: &World) -> Answer {
    run_since(world, &ago(2).to_string()).await
}

#[expect(
    clippy::disallowed_methods,
    reason = "the handler under test keeps its own clock"
)]
fn ago(hours: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_hours(hours)
}

fn outcome(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["tally"]["outcome"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The digests that reached the staff, oldest first.
fn digests(world: &World) -> Vec<Letter> {
    let is_digest = |letter: &Letter| letter.to.iter().any(|to| to.eq_ignore_ascii_case(STAFF));
    world
        .sandbox
        .graph
        .letters()
        .into_iter()
        .filter(is_digest)
        .collect()
}

/// The only digest, as a person reads it: without tags, its spaces run together.
fn text(world: &World) -> String {
    let digests = digests(world);
    assert_eq!(digests.len(), 1, "one digest");
    assert_eq!(digests[0].to.len(), 2);
    read(&digests[0])
}

fn read(letter: &Letter) -> String {
    let body = letter.html.split("</style>").last().unwrap();
    let body = body.replace("<bdi>", "").replace("</bdi>", "");
    let mut inside = false;
    let text: String = body
        .chars()
        .filter_map(|character| {
            let tag = inside || character == '<';
            inside = (inside || character == '<') && character != '>';
            (!tag)
                .then_some(character)
                .or((character == '<').then_some(' '))
        })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn code_of(row: &Value) -> String {
    row["adx_invitationcode"].as_str().unwrap().to_owned()
}

fn id_of(row: &Value) -> Uuid {
    row["adx_invitationid"].as_str().unwrap().parse().unwrap()
}

/// What happened is over: reports arrive, and nothing is of this very second.
fn a_moment_passes(world: &World) {
    world.sandbox.age(SignedDuration::from_secs(10));
}
