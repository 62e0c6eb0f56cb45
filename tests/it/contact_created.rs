//! Inviting by rule whom Dataverse tells of: end to end, by a step that is registered as the documentation says.

mod deliveries;
mod import;
mod people;
mod trouble;

use sandbox::Service;
use sandbox::dataverse::{Message, Webhook};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Answer, Setup, World};

const RULE: &str = "jobtitle eq 'Member' and statecode eq 0";
const KEY: &str = "the key of the function";

async fn start() -> World {
    with_rule(RULE).await
}

async fn with_rule(rule: &str) -> World {
    setup(rule).start().await
}

fn setup(rule: &str) -> Setup {
    Setup::default().setting("AUTO_INVITE_FILTER", rule)
}

/// What Dataverse posts about a contact, as little as it ever does.
fn event(message: &str, contact: Uuid) -> Value {
    json!({
        "Depth": 1, "MessageName": message, "Mode": 1,
        "OperationCreatedOn": "/Date(1795341600000+0000)/",
        "PrimaryEntityId": contact, "PrimaryEntityName": "contact", "Stage": 40,
    })
}

impl World {
    /// Registers the step, asynchronous, with the key as a header.
    fn register(&self, filtering_attributes: &[&'static str]) {
        self.sandbox.dataverse.register_webhook(Webhook {
            url: self.host.url().join("/api/contact-created").unwrap(),
            headers: vec![("x-functions-key".to_owned(), KEY.to_owned())],
            table: "contact",
            messages: vec![Message::Create, Message::Update],
            filtering_attributes: filtering_attributes.to_vec(),
        });
    }

    /// Waits until Dataverse has told everything.
    async fn told(&self) {
        while self.sandbox.dataverse.untold() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    fn member(&self, first: &str) -> Uuid {
        let email = format!("{}@customer.example", first.to_lowercase());
        self.contact_with(
            first,
            &json!({"emailaddress1": email, "jobtitle": "Member"}),
        )
    }

    fn update(&self, contact: Uuid, to: &Value) {
        self.sandbox.dataverse.change("contacts", contact, to);
    }

    async fn tell(&self, contact: Uuid) -> Answer {
        let event = event("Create", contact);
        self.post("/api/contact-created", &[], &event).await
    }

    fn dataverse_requests(&self) -> usize {
        self.sandbox.traffic.count(Service::Dataverse)
    }
}

impl Answer {
    /// Outcome and, where it was ignored, the reason.
    #[track_caller]
    fn verdict(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text);
        let json = self.json();
        let outcome = json["outcome"].as_str().unwrap().to_owned();
        match json["reason"]["code"].as_str() {
            Some(code) => format!("{outcome} {code}"),
            None => outcome,
        }
    }
}

#[tokio::test]
async fn a_new_contact_that_meets_the_rule_is_accepted_at_once_and_mailed_by_the_dispatcher() {
    let world = start().await;
    world.register(&[]);
    let (ann, bob) = (world.member("Ann"), world.contact("Bob"));
    world.told().await;
    let deliveries = world.sandbox.dataverse.deliveries();
    assert_eq!(deliveries.len(), 2);
    assert!(
        deliveries
            .iter()
            .all(|delivery| delivery.tries == [Some(200)])
    );
    assert_eq!(
        world.sandbox.graph.letters(),
        [],
        "the caller waits for no letter"
    );
    assert_eq!(world.rows(ann), Vec::<Value>::new());
    assert_eq!(world.stored("open").len(), 1);
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&[ann]);
    assert_eq!(world.rows(bob), Vec::<Value>::new());
}

#[tokio::test]
async fn the_answer_names_the_batch_that_can_be_asked_about() {
    let world = start().await;
    let ann = world.member("Ann");
    let answer = world.tell(ann).await;
    assert_eq!(answer.verdict(), "accepted");
    assert_eq!(answer.json()["contactId"], json!(ann));
    let path = format!("/api/batches/{}", answer.batch());
    let batch = world.get(&path).await;
    assert_eq!(
        (batch.status, &batch.json()["requestedBy"]),
        (202, &json!("AUTO_INVITE_FILTER"))
    );
    world.dispatch_until_idle().await;
    let batch = world.get(&path).await;
    assert_eq!(batch.outcomes(), ["sent"]);
    assert_eq!(
        world.row(ann)["importsequencenumber"],
        json!(answer.batch())
    );
}

#[tokio::test]
async fn without_a_rule_everything_is_ignored_and_nothing_is_asked() {
    let world = World::start().await;
    let ann = world.member("Ann");
    let answer = world.tell(ann).await;
    assert_eq!(answer.verdict(), "ignored notConfigured");
    assert!(world.sandbox.traffic.entries().is_empty());
    world.assert_untouched();
}

#[tokio::test]
async fn other_messages_and_tables_are_ignored_and_nothing_is_asked() {
    let world = start().await;
    let ann = world.member("Ann");
    let mut account = event("Create", ann);
    account["PrimaryEntityName"] = json!("account");
    for (event, verdict) in [
        (event("Delete", ann), "ignored otherMessage"),
        (event("CreateMultiple", ann), "ignored otherMessage"),
        (account, "ignored otherTable"),
    ] {
        let answer = world.post("/api/contact-created", &[], &event).await;
        assert_eq!(answer.verdict(), verdict);
    }
    assert!(world.sandbox.traffic.entries().is_empty());
    world.assert_untouched();
}

#[tokio::test]
async fn what_is_no_execution_context_is_refused() {
    let world = start().await;
    let mut no_id = event("Create", Uuid::nil());
    no_id["PrimaryEntityId"] = json!("nobody");
    for body in ["", "[]", "{}", "null", &no_id.to_string()] {
        let path = "/api/contact-created";
        let body = Some(body.as_bytes().to_vec());
        let answer = world.request(http::Method::POST, path, &[], body).await;
        answer.assert_problem(400, "invalidJson");
    }
    assert!(world.sandbox.traffic.entries().is_empty());
}

#[tokio::test]
async fn of_an_event_too_large_to_be_sent_whole_the_id_suffices() {
    let world = start().await;
    world
        .sandbox
        .dataverse
        .configure(|settings| settings.webhook_bytes = 1_000);
    world.register(&[]);
    let moment = json!({
        "jobtitle": "Member", "emailaddress1": "ann@customer.example",
        "adx_profilealertdate": "2026-11-22T10:00:00Z",
    });
    let ann = world.contact_with("Ann", &moment);
    world.told().await;
    assert!(world.sandbox.dataverse.deliveries()[0].oversized);
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&[ann]);
}
