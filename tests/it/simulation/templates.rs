//! Templates in the store by the clock: when they are looked at, by whom, and what a store that is down leaves in use.

use std::time::Duration;

use portal_invite::service::invite::InviteRequest;
use sandbox::{Fault, Rule, Service as Remote};

use super::process::CONTAINER;
use super::{Simulation, request};

const SENDER: &str = "a@contoso.example";

/// How the path of a look begins.
const LOOK: &str = "prefix=templates";

const SAYS: &str = "The store says ";

/// What a letter made of a packaged template says it says.
const NOTHING: &str = "";

fn said(html: &str) -> String {
    let (_, words) = html.split_once(SAYS).unwrap_or_default();
    words.split('<').next().unwrap_or_default().to_owned()
}

impl Simulation {
    fn put(&self, path: &str, text: &str) {
        let blob = format!("templates/{path}");
        self.sandbox.storage.put(CONTAINER, &blob, text.as_bytes());
    }

    /// Puts an invitation there that says what it is.
    fn put_invitation(&self, words: &str) {
        let html = format!("<p>{SAYS}{words}</p><a href=\"{{{{ link }}}}\">Open</a>");
        self.put("en/invitation.html", &html);
    }

    /// What the letter that a new contact gets says the store says.
    async fn letter(&self) -> String {
        let before = self.sandbox.graph.letters().len();
        self.invite(self.contacts(1)).await;
        let letters = self.sandbox.graph.letters();
        assert_eq!(letters.len(), before + 1, "a letter left");
        said(&letters[before].html)
    }

    /// How often the store was asked which templates are there, and for one of them.
    fn looks(&self) -> (usize, usize) {
        let entries = self.sandbox.traffic.entries();
        let stored = entries
            .iter()
            .filter(|entry| entry.service == Remote::Storage);
        let paths: Vec<String> = stored.map(|entry| entry.path.replace("%2F", "/")).collect();
        let count = |part: &str| paths.iter().filter(|path| path.contains(part)).count();
        (count(LOOK), count("/templates/"))
    }
}

fn refused() -> Rule {
    let fault = Fault::Answer {
        status: 403,
        retry_after_seconds: None,
        code: "AuthorizationFailure".to_owned(),
        effect: false,
    };
    Rule::on(Remote::Storage, fault).path(LOOK)
}

async fn pass(minutes: u64) {
    tokio::time::sleep(Duration::from_mins(minutes)).await;
}

#[tokio::test(start_paused = true)]
async fn a_template_is_used_five_minutes_after_it_was_put_into_the_store() {
    let simulation = Simulation::start(&[SENDER]);
    let mut dry = request(simulation.contacts(1));
    dry.dry_run = true;
    simulation.service.invite(dry, None).await.unwrap();
    let looks = simulation.looks();
    assert_eq!(
        looks,
        (0, 0),
        "neither a start nor a request for a packaged letter looks"
    );
    assert_eq!(simulation.letter().await, NOTHING);
    simulation.put_invitation("one");
    pass(4).await;
    assert_eq!(simulation.letter().await, NOTHING);
    assert_eq!(simulation.looks(), (1, 0));
    pass(1).await;
    assert_eq!(simulation.letter().await, "one");
    pass(5).await;
    assert_eq!(simulation.letter().await, "one");
    assert_eq!(
        simulation.looks(),
        (3, 1),
        "what has not changed is not read again"
    );
    simulation.put_invitation("two");
    pass(5).await;
    assert_eq!(simulation.letter().await, "two");
    simulation
        .sandbox
        .storage
        .remove(CONTAINER, "templates/en/invitation.html");
    pass(5).await;
    assert_eq!(simulation.letter().await, NOTHING);
    assert_eq!(simulation.looks(), (5, 2));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_looked_at_leaves_in_use_what_was_there_before() {
    let simulation = Simulation::start(&[SENDER]);
    simulation.put_invitation("one");
    assert_eq!(simulation.letter().await, "one");
    simulation.put_invitation("two");
    simulation.sandbox.faults.add(refused());
    pass(5).await;
    for _ in 0..3 {
        assert_eq!(simulation.letter().await, "one");
    }
    assert_eq!(simulation.looks().0, 2, "nor is it asked again at once");
    simulation.sandbox.faults.clear();
    pass(5).await;
    assert_eq!(simulation.letter().await, "two");
}

#[tokio::test(start_paused = true)]
async fn no_letter_leaves_before_the_store_was_looked_at_once() {
    let simulation = Simulation::start(&[SENDER]);
    simulation.put_invitation("one");
    simulation.sandbox.faults.add(refused());
    let contact = simulation.contacts(1);
    let report = simulation.invite(contact).await;
    assert!(!report.finished);
    assert!(simulation.sandbox.graph.letters().is_empty());
    simulation.sandbox.faults.clear();
    pass(2).await;
    simulation.service.dispatch().await.unwrap();
    let letters = simulation.sandbox.graph.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(said(&letters[0].html), "one");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_holds_letters_up_for_seconds() {
    let simulation = Simulation::start(&[SENDER]);
    simulation.put_invitation("one");
    assert_eq!(simulation.letter().await, "one");
    pass(5).await;
    let hang = Fault::Delay(Duration::from_hours(1));
    let rule = Rule::on(Remote::Storage, hang).path(LOOK);
    simulation.sandbox.faults.add(rule);
    let began = simulation.clock.mark();
    assert_eq!(simulation.letter().await, "one");
    let took = began.elapsed(&simulation.clock);
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn those_who_come_at_once_share_one_look() {
    // A mailbox takes one chunk of letters after the other.
    let senders = ["a", "b", "c", "d", "e", "f"].map(|name| format!("{name}@contoso.example"));
    let simulation = Simulation::start(&senders.each_ref().map(String::as_str));
    simulation.put_invitation("one");
    let slow = Fault::Delay(Duration::from_secs(2));
    let rule = Rule::on(Remote::Storage, slow).path(LOOK);
    simulation.sandbox.faults.add(rule);
    let contacts = simulation.contacts(12);
    let requests: Vec<InviteRequest> = contacts.into_iter().map(|one| request(vec![one])).collect();
    let all = requests
        .into_iter()
        .map(|request| simulation.service.invite(request, None));
    for report in futures::future::join_all(all).await {
        assert!(report.unwrap().finished);
    }
    assert_eq!(simulation.looks(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_digest_tells_of_a_store_that_is_down_in_the_packaged_looks() {
    let settings = vec![("DIGEST_TO", "staff@contoso.example".to_owned())];
    let simulation = Simulation::set(&[SENDER], settings);
    simulation.put("en/digest.html", "<p>Mine</p>");
    simulation.sandbox.faults.add(refused());
    simulation.sandbox.faults.add(refused().path("prefix=done"));
    simulation.service.digest(None).await.unwrap();
    let letter = simulation.sandbox.graph.letters().pop().unwrap();
    assert!(!letter.html.contains("Mine"), "{}", letter.html);
}
