//! Sign-in and site: each fault is named, and what is no fault is not.

use std::fs;

use sandbox::faults::{Fault, Rule, Service};

use super::found::{assert_says, command, diagnose, findings, healthy, words};
use crate::world::SENDER;

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
    let checks = diagnosis["checks"].as_array().unwrap();
    let unwell = checks.iter().find(|check| check["status"] != "pass");
    assert_eq!(unwell, None, "in every area");
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
        // <https://www.rfc-editor.org/rfc/rfc6761#section-6.4>
        ("https://portal.invalid".to_owned(), "cannot be found"),
        (
            format!("https://localhost:{port}"),
            "cannot be reached securely",
        ),
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
