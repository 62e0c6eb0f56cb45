//! What a registered step posts, when it comes again, and what it is never told.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::World;
use crate::dataverse::{Message, Webhook};

/// A web service that keeps what it got, and answers as it is told.
#[derive(Clone, Default)]
struct Listener {
    heard: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Listener {
    /// Serves, and registers a step for contacts with it.
    async fn of(world: &World, messages: &[Message], filter: &[&'static str]) -> Self {
        let listener = Self::default();
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", socket.local_addr().unwrap());
        let own = listener.clone();
        let router = Router::new().fallback(async move |headers: HeaderMap, body: Bytes| {
            let text = String::from_utf8(body.to_vec()).unwrap();
            own.heard.lock().push((headers, text));
            let status = own.answers.lock().pop().unwrap_or(200);
            StatusCode::from_u16(status).unwrap()
        });
        tokio::spawn(async move { axum::serve(socket, router).await });
        world.dataverse.register_webhook(Webhook {
            url: url.parse().unwrap(),
            headers: vec![("x-functions-key".to_owned(), "a key".to_owned())],
            table: "contact",
            messages: messages.to_vec(),
            filtering_attributes: filter.to_vec(),
        });
        listener
    }

    fn contexts(&self) -> Vec<Value> {
        let heard = self.heard.lock();
        let bodies = heard.iter();
        bodies
            .map(|(_, body)| serde_json::from_str(body).unwrap())
            .collect()
    }
}

impl World {
    async fn told(&self) {
        while self.dataverse.untold() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn the_body_is_an_execution_context_as_dotnet_writes_it() {
    let world = World::new();
    let listener = Listener::of(&world, &[Message::Create], &[]).await;
    let account = world
        .dataverse
        .insert("accounts", &json!({"name": "Contoso"}));
    let body = json!({
        "firstname": "Ann", "lastname": "Berg/Lund", "donotemail": true,
        "adx_profilealertdate": "2026-11-22T10:00:00Z",
        "parentcustomerid_account@odata.bind": format!("/accounts({account})"),
    });
    assert_eq!(world.post("contacts", &body).await.status, 204);
    world.told().await;
    let (headers, text) = listener.heard.lock()[0].clone();
    assert_eq!(headers["x-functions-key"], "a key");
    assert_eq!(headers["x-ms-dynamics-entity-name"], "contact");
    assert_eq!(headers["x-ms-dynamics-request-name"], "Create");
    assert!(!headers.contains_key("x-ms-dynamics-msg-size-exceeded"));
    assert!(
        text.contains(r#""value":"\/Date(1795341600000)\/""#),
        "{text}"
    );
    assert!(text.contains(r#""value":"Berg\/Lund""#), "{text}");
    let context = &listener.contexts()[0];
    let row = &world.dataverse.rows("contacts")[0];
    assert_eq!(context["MessageName"], "Create");
    assert_eq!(context["PrimaryEntityName"], "contact");
    assert_eq!(context["PrimaryEntityId"], row["contactid"]);
    assert_eq!(
        (&context["Depth"], &context["Stage"]),
        (&json!(1), &json!(40))
    );
    let target = &context["InputParameters"][0]["value"];
    let attribute = |name: &str| {
        let attributes = target["Attributes"].as_array().unwrap();
        let found = attributes.iter().find(|pair| pair["key"] == name);
        found.map(|pair| pair["value"].clone())
    };
    assert_eq!(attribute("fullname"), None, "nobody gave it");
    assert_eq!(attribute("statecode").unwrap()["Value"], 0);
    let customer = attribute("parentcustomerid").unwrap();
    assert_eq!(customer["LogicalName"], "account");
    assert_eq!(
        (&customer["Id"], &customer["Name"]),
        (&json!(account), &json!("Contoso"))
    );
    let formatted = target["FormattedValues"].as_array().unwrap();
    assert!(formatted.contains(&json!({"key": "statuscode", "value": "Active"})));
    let image = &context["PostEntityImages"][0];
    assert_eq!(image["key"], "AsynchronousStepPrimaryName");
    assert_eq!(image["value"]["Attributes"][0]["value"], "Ann Berg/Lund");
}

#[tokio::test]
async fn a_step_is_told_of_its_messages_and_columns_and_of_nothing_that_was_taken_back() {
    let world = World::new();
    let listener = Listener::of(&world, &[Message::Update], &["emailaddress1"]).await;
    let ann = world.contact("Ann");
    let row = format!("contacts({ann})");
    world.patch(&row, &[], &json!({"jobtitle": "Clerk"})).await;
    world
        .dataverse
        .insert("accounts", &json!({"name": "Contoso"}));
    let email = json!({"emailaddress1": "a@example.com"});
    world.patch(&row, &["if-match: W/\"1\""], &email).await;
    let update = |body: &Value| {
        format!(
            "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {}\r\n\r\nPATCH /api/data/v9.2/{row} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}\r\n",
            body.to_string().len(),
        )
    };
    let (good, bad) = (update(&email), update(&json!({"nosuch": 1})));
    let batch = format!(
        "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{good}{bad}--c--\r\n--b--\r\n"
    );
    let multipart = "content-type: multipart/mixed; boundary=b";
    let answer = world.send("POST", "$batch", &[multipart], &batch).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    world.patch(&row, &[], &email).await;
    world.told().await;
    let contexts = listener.contexts();
    assert_eq!(contexts.len(), 1, "{contexts:?}");
    assert_eq!(contexts[0]["MessageName"], "Update");
    let told = &contexts[0]["InputParameters"][0]["value"]["Attributes"];
    assert_eq!(
        told,
        &json!([{"key": "emailaddress1", "value": "a@example.com"}])
    );
}

#[tokio::test]
async fn it_comes_once_more_after_three_statuses_and_after_no_other() {
    for (answers, tries) in [
        (vec![503, 503, 503], vec![503, 503]),
        (vec![502], vec![502, 200]),
        (vec![504], vec![504, 200]),
        (vec![500], vec![500]),
        (vec![429], vec![429]),
        (vec![204], vec![204]),
    ] {
        let world = World::new();
        let listener = Listener::of(&world, &[Message::Create], &[]).await;
        listener.answers.lock().extend(answers.iter().rev());
        world.contact("Ann");
        world.told().await;
        let deliveries = world.dataverse.deliveries();
        let statuses: Vec<_> = tries.iter().copied().map(Some).collect();
        assert_eq!(deliveries[0].tries, statuses);
        assert_eq!(deliveries[0].succeeded(), tries.last() < Some(&300));
        assert_eq!(listener.heard.lock().len(), tries.len());
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_comes_without_its_values() {
    let world = World::new();
    let listener = Listener::of(&world, &[Message::Create], &[]).await;
    // No contact of the sandbox has columns for a quarter of a megabyte.
    world
        .dataverse
        .configure(|settings| settings.webhook_bytes /= 2);
    let long = json!({"lastname": "Berg", "adx_publicprofilecopy": "\u{20AC}".repeat(64_000)});
    let id = world.dataverse.insert("contacts", &long);
    world.told().await;
    let (headers, text) = listener.heard.lock()[0].clone();
    assert!(headers.contains_key("x-ms-dynamics-msg-size-exceeded"));
    assert!(text.len() < 2_000, "{} bytes", text.len());
    let context = &listener.contexts()[0];
    assert_eq!(context["PrimaryEntityId"], json!(id));
    assert_eq!(context.get("InputParameters"), None);
    assert!(world.dataverse.deliveries()[0].oversized);
}
