//! Settings that are legal and unwise, and wrong ones.

use serde_json::json;

use super::found::{assert_says, command, findings, words};
use crate::world::World;

#[tokio::test]
async fn each_unwise_setting_is_warned_of_by_name() {
    let world = World::start().await;
    let (diagnosis, code) = command(&world, &[]).await;
    assert_eq!((findings(&diagnosis), code), (Vec::new(), 0));
    let cases: [(&str, &str, &str); 10] = [
        ("SUPPORT_EMAIL", "", "settings.supportEmail"),
        ("ALLOW_LINKS", "true", "settings.allowLinks"),
        ("BATCH_KEEP_DAYS", "13", "settings.batchKeepDays"),
        ("INVITATION_VALID_DAYS", "91", "settings.batchKeepDays"),
        ("WEBSITE_INSTANCE_ID", "0f1e", "settings.batchStore"),
        ("MAIL_DELIVERY", "send", "settings.mailDelivery"),
        ("MAIL_RATE_PER_MINUTE", "31", "settings.mailRate"),
        ("REMIND_DAYS_BEFORE", "14", "settings.remindDays"),
        ("INVITATION_VALID_DAYS", "3", "settings.remindDays"),
        (
            "MAIL_SENDERS",
            "Invitations@Contoso.OnMicrosoft.com",
            "settings.senderDomain",
        ),
    ];
    for (name, value, id) in cases {
        if name == "MAIL_SENDERS" {
            let state = sandbox::graph::State::Ok;
            world.sandbox.graph.mailbox_state(value, state);
        }
        let (diagnosis, code) = command(&world, &[(name, value)]).await;
        assert_eq!(findings(&diagnosis), [format!("warn {id}")], "{name}");
        assert_eq!((diagnosis["ok"].clone(), code), (json!(true), 0), "{name}");
    }
}

#[tokio::test]
async fn values_at_the_edge_are_not_warned_of() {
    let world = World::start().await;
    let edge = [
        ("BATCH_KEEP_DAYS", "14"),
        ("MAIL_RATE_PER_MINUTE", "30"),
        ("REMIND_DAYS_BEFORE", "13"),
    ];
    assert_eq!(findings(&command(&world, &edge).await.0), [""; 0]);
    let never = [("REMIND_DAYS_BEFORE", "0"), ("INVITATION_VALID_DAYS", "1")];
    assert_eq!(findings(&command(&world, &never).await.0), [""; 0]);
}

#[tokio::test]
async fn days_that_end_in_utc_are_warned_of_where_the_apps_user_lives_elsewhere() {
    let world = World::start().await;
    let utc = [("PORTAL_TIME_ZONE", "")];
    assert_eq!(findings(&command(&world, &utc).await.0), [""; 0]);
    let zones = world.sandbox.dataverse.rows("timezonedefinitions");
    let west = zones
        .iter()
        .find(|zone| zone["standardname"] == "W. Europe Standard Time");
    let own = &world.sandbox.dataverse.rows("usersettingscollection")[0];
    let id = own["systemuserid"].as_str().unwrap().parse().unwrap();
    let code = json!({"timezonecode": west.unwrap()["timezonecode"]});
    let dataverse = &world.sandbox.dataverse;
    dataverse.change("usersettingscollection", id, &code);
    let (diagnosis, code) = command(&world, &utc).await;
    assert_eq!(findings(&diagnosis), ["warn settings.timeZone"]);
    assert_eq!(code, 0);
    let said = words(&diagnosis, "settings.timeZone");
    assert_says(&said, &["W. Europe Standard Time", "PORTAL_TIME_ZONE"]);
}

#[tokio::test]
async fn wrong_settings_are_the_first_finding_and_the_rest_is_looked_at_without_them() {
    let world = World::start().await;
    world.sandbox.portal.enable_invitations(false);
    let wrong = [("BRAND_COLOR", "hunter2"), ("MAIL_DELIVERY", "hunter2")];
    let (diagnosis, code) = command(&world, &wrong).await;
    let found = ["fail settings.valid", "fail portal.register"];
    assert_eq!(
        (findings(&diagnosis), code),
        (found.map(String::from).to_vec(), 64)
    );
    assert_eq!(diagnosis["checks"][0]["id"], "settings.valid");
    let said = words(&diagnosis, "settings.valid");
    assert_says(&said, &["BRAND_COLOR", "MAIL_DELIVERY", "defaults"]);
    assert!(!diagnosis.to_string().contains("hunter2"), "{diagnosis}");
}

#[tokio::test]
async fn without_a_required_setting_that_is_all_there_is_to_find() {
    let world = World::start().await;
    let (diagnosis, code) = command(&world, &[("PORTAL_URL", ""), ("ALLOW_LINKS", "maybe")]).await;
    assert_eq!(findings(&diagnosis), ["fail settings.valid"]);
    assert_eq!(diagnosis["checks"].as_array().unwrap().len(), 1);
    assert_says(
        &words(&diagnosis, "settings.valid"),
        &["PORTAL_URL", "ALLOW_LINKS"],
    );
    assert_eq!(code, 64);
}

#[tokio::test]
async fn a_broken_template_and_a_store_that_cannot_be_made_are_told() {
    let world = World::start().await;
    let (diagnosis, code) = command(&world, &[("TEMPLATE_DIR", "/nowhere")]).await;
    assert_eq!(
        (findings(&diagnosis), code),
        (vec!["fail settings.templates".to_owned()], 64)
    );
    let (diagnosis, code) = command(&world, &[("BATCH_STORE", "/dev/null/store")]).await;
    assert_eq!(
        (findings(&diagnosis), code),
        (vec!["fail store.writable".to_owned()], 1)
    );
}
