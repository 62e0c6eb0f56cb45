//! Sign-in, site, mailboxes and journals: each fault is named, and what is no fault is not.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use sandbox::faults::{Fault, Rule, Service};
use sandbox::graph::State;
use serde_json::{Value, json};

use super::{assert_says, command, diagnose, findings, healthy, words};
use crate::world::{SENDER, Setup, World};

fn graph_resource(world: &World) -> &str {
    world.at.graph.as_str()
}

fn refusing(status: u16, code: &str) -> Fault {
    Fault::Answer {
        status,
        retry_after_seconds: None,
        code: code.to_owned(),
        effect: false,
    }
}

#[tokio::test]
async fn a_healthy_installation_passes_and_nothing_is_sent_or_written() {
    let world = healthy().start().await;
    let diagnosis = diagnose(&world).await;
    assert_eq!(findings(&diagnosis), [""; 0], "{diagnosis:#}");
    assert_eq!(diagnosis["ok"], true);
    assert_eq!(world.sandbox.dataverse.writes(), 0);
    assert_eq!(world.sandbox.graph.letters().len(), 0);
    assert_eq!(world.sandbox.graph.drafts(SENDER).len(), 0);
    for folder in ["keys", "open", "done"] {
        let left = fs::read_dir(world.store.path().join(folder)).unwrap();
        assert_eq!(left.count(), 0, "{folder}");
    }
    let methods = world.sandbox.traffic.entries().into_iter();
    let mut visits = methods.filter(|entry| entry.service == Service::Portal);
    assert!(visits.all(|entry| entry.method == "GET" && !entry.path.contains('?')));
}

#[tokio::test]
async fn the_diagnosis_says_whose_identity_it_used_and_shows_no_token() {
    let world = healthy().start().await;
    let diagnosis = diagnose(&world).await;
    let identity = &world.sandbox.identity;
    let user = &world.sandbox.dataverse.rows("usersettingscollection")[0]["systemuserid"];
    let whose = &diagnosis["identity"];
    assert_eq!(whose["kind"], "managedIdentity");
    assert_eq!(whose["clientId"], identity.client_id());
    assert_eq!(whose["objectId"], identity.object_id().to_string());
    assert_eq!(whose["tenantId"], identity.tenant_id().to_string());
    assert_eq!(&whose["dataverseUserId"], user);
    assert!(whose["organizationId"].is_string());
    let text = diagnosis.to_string();
    for token in identity.issued_tokens() {
        let claims = token.split('.').nth(1).unwrap();
        assert!(!text.contains(claims));
    }
}

#[tokio::test]
async fn an_identity_that_is_not_there_is_told_with_what_to_do() {
    let world = healthy().start().await;
    let wrong = [("AZURE_CLIENT_ID", "00000000-1111-2222-3333-444444444444")];
    let (diagnosis, code) = command(&world, &wrong).await;
    let found = findings(&diagnosis);
    assert!(
        found.contains(&"fail identity.dataverse".to_owned()),
        "{found:?}"
    );
    assert!(
        found.contains(&"fail identity.graph".to_owned()),
        "{found:?}"
    );
    let said = words(&diagnosis, "identity.graph");
    assert_says(&said, &["AZURE_CLIENT_ID", "user-assigned"]);
    assert_eq!((diagnosis.get("identity"), code), (None, 1));
    world
        .sandbox
        .faults
        .add(Rule::on(Service::Identity, refusing(400, "")));
    let (diagnosis, _) = command(&world, &[]).await;
    assert_says(
        &words(&diagnosis, "identity.dataverse"),
        &["system-assigned", "developer-tools"],
    );
}

#[tokio::test]
async fn a_missing_application_user_is_told_with_the_steps() {
    let world = healthy().start().await;
    let dataverse = &world.sandbox.dataverse;
    dataverse.configure(|settings| settings.application_user = false);
    let diagnosis = diagnose(&world).await;
    assert!(findings(&diagnosis).contains(&"fail identity.user".to_owned()));
    assert_eq!(diagnosis["ok"], false);
    let said = words(&diagnosis, "identity.user");
    let client_id = world.sandbox.identity.client_id();
    assert_says(&said, &["New app user", client_id, "security role"]);
}

#[tokio::test]
async fn a_token_that_dataverse_refuses_is_told_apart() {
    let world = healthy().start().await;
    let nobody = std::sync::Arc::new(|_: &str| false);
    world.sandbox.dataverse.set_token_check(nobody);
    let diagnosis = diagnose(&world).await;
    let said = words(&diagnosis, "identity.user");
    assert_says(
        &said,
        &["does not take the token", "DATAVERSE_URL", "tenant"],
    );
    assert!(findings(&diagnosis).contains(&"fail identity.user".to_owned()));
}

#[tokio::test]
async fn a_dataverse_that_is_not_there_fails_and_nothing_else_is_blamed() {
    let world = healthy().start().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let (diagnosis, code) = command(&world, &[("DATAVERSE_URL", &url)]).await;
    let found = findings(&diagnosis);
    assert!(
        found.contains(&"fail identity.user".to_owned()),
        "{found:?}"
    );
    assert!(
        found.contains(&"notChecked store.lostBatches".to_owned()),
        "{found:?}"
    );
    assert_eq!(
        found
            .iter()
            .filter(|found| found.starts_with("fail"))
            .count(),
        1
    );
    assert_eq!(code, 1);
}

#[tokio::test]
async fn each_trouble_of_the_site_is_told_apart() {
    let world = healthy().start().await;
    let portal = &world.sandbox.portal;

    portal.set_private(true);
    let diagnosis = diagnose(&world).await;
    assert_eq!(
        findings(&diagnosis),
        ["warn portal.answers", "notChecked portal.register"]
    );
    assert_says(
        &words(&diagnosis, "portal.answers"),
        &["private", "login.microsoftonline.com"],
    );
    portal.set_private(false);

    portal.enable_invitations(false);
    let diagnosis = diagnose(&world).await;
    assert_eq!(findings(&diagnosis), ["fail portal.register"]);
    let both = [
        "Authentication/Registration/Enabled",
        "Authentication/Registration/InvitationEnabled",
    ];
    assert_says(&words(&diagnosis, "portal.register"), &both);
    portal.enable_invitations(true);

    let off = Rule::on(Service::Portal, refusing(503, ""));
    world.sandbox.faults.add(off);
    let found = findings(&diagnose(&world).await);
    assert_eq!(found, ["fail portal.answers", "fail portal.register"]);
    world.sandbox.faults.clear();

    let closed = Rule::on(Service::Portal, refusing(403, ""));
    world.sandbox.faults.add(closed);
    let found = findings(&diagnose(&world).await);
    assert_eq!(found, ["warn portal.answers", "warn portal.register"]);
    world.sandbox.faults.clear();

    let broken = Rule::on(Service::Portal, Fault::DropAfter);
    world.sandbox.faults.add(broken);
    let found = findings(&diagnose(&world).await);
    assert_eq!(
        found,
        ["notChecked portal.answers", "notChecked portal.register"]
    );
    world.sandbox.faults.clear();
    assert_eq!(findings(&diagnose(&world).await), [""; 0]);
}

#[tokio::test]
async fn a_site_that_cannot_be_reached_is_told_by_the_cause() {
    let world = healthy().start().await;
    let port = world.at.portal.port().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = nobody.local_addr().unwrap().port();
    drop(nobody);
    let cases = [
        // A label of 64 letters is in no name server, and none is asked.
        (
            format!("https://{}.example", "a".repeat(64)),
            "There is no host",
        ),
        (format!("https://localhost:{port}"), "certificate"),
        (
            format!("https://localhost:{silent}"),
            "cannot be reached: Connection refused",
        ),
    ];
    for (url, said) in cases {
        let (diagnosis, code) = command(&world, &[("PORTAL_URL", &url)]).await;
        assert_eq!(
            findings(&diagnosis),
            ["fail portal.answers", "notChecked portal.register"],
            "{url}"
        );
        assert_says(&words(&diagnosis, "portal.answers"), &[said]);
        assert_eq!(code, 1);
    }
}

#[tokio::test]
async fn a_language_that_the_site_does_not_have_is_told() {
    let world = healthy().setting("LANGUAGES", "en=en-US").start().await;
    world.sandbox.portal.set_languages(&["en-US"]);
    assert_eq!(findings(&diagnose(&world).await), [""; 0]);
    world.sandbox.portal.set_languages(&["da-DK"]);
    let diagnosis = diagnose(&world).await;
    assert_eq!(findings(&diagnosis), ["fail portal.register"]);
    assert_says(
        &words(&diagnosis, "portal.register"),
        &["/en-US/register", "LANGUAGES"],
    );
}

const SECOND: &str = "second@contoso.example";

fn two_senders() -> Setup {
    healthy().senders(&[SENDER, SECOND])
}

#[tokio::test]
async fn each_trouble_of_a_mailbox_is_told_with_its_name() {
    let world = two_senders().start().await;
    let graph = &world.sandbox.graph;
    let cases = [
        (State::AccessDenied, "access policy"),
        (State::NoMailbox, "no mailbox in Exchange Online"),
    ];
    for (state, said) in cases {
        graph.mailbox_state(SECOND, state);
        let diagnosis = diagnose(&world).await;
        assert_eq!(findings(&diagnosis), ["fail mailboxes.sender"], "{state:?}");
        assert_says(&words(&diagnosis, "mailboxes.sender"), &[SECOND, said]);
        assert_eq!(diagnosis["ok"], false);
    }
    graph.mailbox_state(SECOND, State::Ok);
    let (diagnosis, code) = command(&world, &[("MAIL_SENDERS", "nobody@contoso.example")]).await;
    assert_eq!(findings(&diagnosis), ["fail mailboxes.sender"]);
    let said = ["nobody@contoso.example", "spelling"];
    assert_says(&words(&diagnosis, "mailboxes.sender"), &said);
    assert_eq!(code, 1);
    assert_eq!(findings(&diagnose(&world).await), [""; 0]);
}

#[tokio::test]
async fn rights_of_exchange_are_told_from_rights_that_are_missing() {
    let world = healthy().start().await;
    world.sandbox.identity.grant(graph_resource(&world), &[]);
    let (diagnosis, code) = command(&world, &[]).await;
    assert_eq!(findings(&diagnosis), ["notChecked mailboxes.rights"]);
    let said = ["Test-ServicePrincipalAuthorization", "2 hours", "Mail.Send"];
    assert_says(&words(&diagnosis, "mailboxes.rights"), &said);
    assert_eq!((diagnosis["ok"].clone(), code), (json!(true), 0));

    let graph = &world.sandbox.graph;
    graph.mailbox_state(SENDER, State::AccessDenied);
    let (diagnosis, code) = command(&world, &[]).await;
    let found = ["fail mailboxes.sender", "notChecked mailboxes.rights"];
    assert_eq!(findings(&diagnosis), found);
    let said = [
        "not granted, or not yet",
        "2 hours",
        "RBAC for Applications",
    ];
    assert_says(&words(&diagnosis, "mailboxes.sender"), &said);
    assert_eq!(code, 1);
}

#[tokio::test]
async fn a_right_to_draft_alone_is_not_taken_for_both() {
    let world = healthy().start().await;
    let resource = graph_resource(&world);
    world.sandbox.identity.grant(resource, &["Mail.ReadWrite"]);
    let (diagnosis, _) = command(&world, &[]).await;
    assert_eq!(findings(&diagnosis), ["notChecked mailboxes.rights"]);
    world.sandbox.identity.grant(resource, &["Mail.Send"]);
    let (diagnosis, _) = command(&world, &[]).await;
    assert_eq!(findings(&diagnosis), ["notChecked mailboxes.rights"]);
}

#[tokio::test]
async fn sending_without_drafts_needs_no_look_into_the_mailbox() {
    let world = healthy().start().await;
    let resource = graph_resource(&world);
    world.sandbox.identity.grant(resource, &["Mail.Send"]);
    world
        .sandbox
        .graph
        .mailbox_state(SENDER, State::AccessDenied);
    let (diagnosis, code) = command(&world, &[("MAIL_DELIVERY", "send")]).await;
    let found = ["warn settings.mailDelivery", "notChecked mailboxes.sender"];
    assert_eq!(
        (findings(&diagnosis), code),
        (found.map(String::from).to_vec(), 0)
    );
}

fn write_open(world: &World, number: i64, content: &str) -> File {
    let path = world.store.path().join(format!("open/{number}.jsonl"));
    fs::write(&path, content).unwrap();
    File::options().write(true).open(path).unwrap()
}

#[tokio::test]
async fn journals_that_do_not_move_are_told_with_since_when() {
    let world = healthy().start().await;
    let hours = |hours| SystemTime::now() - Duration::from_hours(hours);
    write_open(&world, 1_000_000_007, "")
        .set_modified(hours(23))
        .unwrap();
    assert_eq!(findings(&diagnose(&world).await), [""; 0]);
    write_open(&world, 1_000_000_008, "")
        .set_modified(hours(25))
        .unwrap();
    let diagnosis = diagnose(&world).await;
    assert_eq!(findings(&diagnosis), ["warn store.journals"]);
    let said = words(&diagnosis, "store.journals");
    assert_says(
        &said,
        &["1 open batches", "1000000008", "DISPATCH_SCHEDULE"],
    );
    assert!(!said.contains("1000000007"), "{said}");
}

#[tokio::test]
async fn a_damaged_journal_fails() {
    let world = healthy().start().await;
    write_open(&world, 1_000_000_009, "{\"no\":\"line\"}\n");
    let diagnosis = diagnose(&world).await;
    assert_eq!(findings(&diagnosis), ["fail store.journals"]);
    assert_says(
        &words(&diagnosis, "store.journals"),
        &["damaged", "1000000009"],
    );
}

#[tokio::test]
async fn batches_whose_journal_is_elsewhere_are_counted() {
    let world = healthy().start().await;
    let ann = world.contact("Ann");
    assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
    assert_eq!(
        findings(&diagnose(&world).await),
        [""; 0],
        "its own batch is there"
    );
    let row = |number: Value| json!({"adx_name": "Other", "adx_type": 756_150_000, "importsequencenumber": number});
    let dataverse = &world.sandbox.dataverse;
    dataverse.insert("adx_invitations", &row(json!(7)));
    dataverse.insert("adx_invitations", &row(Value::Null));
    let old = dataverse.insert("adx_invitations", &row(json!(1_000_000_001)));
    let long_ago = json!({"createdon": "2020-01-01T00:00:00Z"});
    dataverse.change("adx_invitations", old, &long_ago);
    assert_eq!(
        findings(&diagnose(&world).await),
        [""; 0],
        "not ours, or too old"
    );
    for _ in 0..2 {
        dataverse.insert("adx_invitations", &row(json!(1_000_000_002)));
    }
    let diagnosis = diagnose(&world).await;
    assert_eq!(findings(&diagnosis), ["warn store.lostBatches"]);
    let said = words(&diagnosis, "store.lostBatches");
    assert_says(&said, &["1 of the newest 2 batches", "1000000002"]);
}

#[tokio::test]
async fn a_store_that_cannot_be_written_fails() {
    let world = healthy().start().await;
    let open = world.store.path().join("open");
    fs::remove_dir(&open).unwrap();
    let diagnosis = diagnose(&world).await;
    assert_eq!(findings(&diagnosis), ["fail store.readable"]);
}
