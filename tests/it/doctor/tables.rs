//! Definitions: each name that is used and not there is named, and each that is not what it should be.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use sandbox::dataverse::Redefinition;
use serde_json::json;
use uuid::Uuid;

use super::Diagnosis;
use super::dataverse::start_with_everything;
use crate::invite::row_of;
use crate::world::World;

#[tokio::test]
async fn what_an_ordinary_day_names_in_dataverse_is_among_what_is_checked() {
    let (world, _) = start_with_everything().await;
    let dataverse = &world.sandbox.dataverse;
    dataverse.configure(|settings| settings.notes_columns = true);
    let contacts = world.contacts(3);
    let inviter = world.contact("Inviter");
    let view = json!({
        "name": "All", "returnedtypecode": "contact",
        "fetchxml": "<fetch><entity name='contact'><attribute name='contactid'/></entity></fetch>",
    });
    let view = dataverse.insert("savedqueries", &view);
    let first = world.invite_contacts(&contacts).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let again =
        json!({"view": {"id": view}, "whenPending": "replace", "inviterContactId": inviter});
    world.invite_keyed("again", &again).await;
    world.dispatch_until_idle().await;
    what_follows(&world, contacts[0]).await;
    dataverse.configure(|settings| settings.notes_columns = false);
    let named = dataverse.columns_named();
    assert!(named.contains(&("adx_invitations", "adx_invitercontact")));
    assert!(named.contains(&("adx_inviteredemptions", "regardingobjectid")));
    assert!(named.len() > 20, "{named:?}");
    for (set, column) in &named {
        dataverse.redefine(set, column, Redefinition::Missing);
    }
    let seen = Diagnosis::of(&world).await.check("tables.columns")["seen"].to_string();
    let seen: BTreeSet<_> = seen
        .split(|letter: char| !letter.is_ascii_alphanumeric() && !"_.".contains(letter))
        .filter_map(|name| name.trim_end_matches('.').split_once('.'))
        .map(|(_, column)| column.to_owned())
        .collect();
    for (set, column) in named {
        assert!(seen.contains(column), "{set} {column} is checked");
    }
}

/// Days after the letter: seen, sent again, reminded of, redeemed, revoked, told of, swept.
async fn what_follows(world: &World, contact: Uuid) {
    let code = "somebody-made-this-code-by-hand";
    let id = row_of(world, contact, &json!({"adx_invitationcode": code}));
    world.sandbox.age(SignedDuration::from_hours(24 * 12));
    let path = format!("/api/invitations/{id}");
    let (again, later) = (format!("{path}/resend"), json!({"extendDays": 20}));
    assert_eq!(world.post(&again, &[], &later).await.status, 200);
    world.host.fire("function-remind").await.unwrap();
    let portal = &world.sandbox.portal;
    portal.redeem(code, "ann", "ann@customer.example").unwrap();
    for path in [
        path.as_str(),
        "/api/invitations",
        "/api/invitations?standing=expired",
        "/api/views",
    ] {
        assert_eq!(world.get(path).await.status, 200);
    }
    let revoked = world.post(&format!("{path}/revoke"), &[], &json!({})).await;
    assert_eq!(revoked.status, 409);
    world.host.fire("function-digest").await.unwrap();
    world.sweep().await;
}

#[tokio::test]
async fn missing_tables_are_named() {
    let world = World::start().await;
    let dataverse = &world.sandbox.dataverse;
    dataverse.remove_table("powerpagesites");
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("tables.exist", "pass", &[]);
    dataverse.remove_table("adx_externalidentities");
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("tables.exist", "warn", &["adx_externalidentity", "sign-in"]);
    diagnosis.says("privileges.signIns", "pass", &["no such table"]);
    dataverse.remove_table("adx_invitations");
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says(
        "tables.exist",
        "fail",
        &["adx_invitation,", "DATAVERSE_URL"],
    );
    assert!(!diagnosis.text().contains("tables.concurrency"));
    diagnosis.says("invitations.unlimited", "notChecked", &["404"]);
}

#[tokio::test]
async fn missing_columns_are_named() {
    let world = World::start().await;
    let dataverse = &world.sandbox.dataverse;
    dataverse.redefine("contacts", "adx_identity_username", Redefinition::Missing);
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("tables.columns", "warn", &["contact.adx_identity_username"]);
    assert!(diagnosis.ok());
    dataverse.redefine("adx_invitations", "adx_redemptions", Redefinition::Missing);
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says(
        "tables.columns",
        "fail",
        &["adx_invitation.adx_redemptions"],
    );
    assert!(!diagnosis.ok());
    dataverse.redefine("adx_invitations", "mspp_websiteid", Redefinition::Missing);
    let text = Diagnosis::of(&world).await.check("tables.columns")["seen"].to_string();
    assert!(!text.contains("mspp_websiteid"), "no site is set: {text}");
}

#[tokio::test]
async fn the_language_of_a_contact_needs_one_column_of_either_data_model() {
    let world = World::start().await;
    let dataverse = &world.sandbox.dataverse;
    for (enhanced, standard) in [(true, false), (false, true), (true, true)] {
        dataverse.configure(|settings| {
            settings.enhanced_data_model = enhanced;
            settings.standard_data_model = standard;
        });
        let diagnosis = Diagnosis::of(&world).await;
        assert_eq!(diagnosis.not_passed(&["tables"]), [""; 0]);
    }
    let (number, row) = ("mspp_userpreferredlcid", "adx_preferredlanguageid");
    dataverse.redefine("contacts", row, Redefinition::Missing);
    Diagnosis::of(&world)
        .await
        .says("tables.columns", "pass", &[]);
    dataverse.redefine("contacts", number, Redefinition::Missing);
    let words = [number, row, "DEFAULT_LANGUAGE"];
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("tables.columns", "warn", &words);
    assert!(diagnosis.ok());
}

#[tokio::test]
async fn what_only_some_deployments_use_fails_only_there() {
    let (world, _) = start_with_everything().await;
    let dataverse = &world.sandbox.dataverse;
    dataverse.redefine("adx_invitations", "mspp_websiteid", Redefinition::Missing);
    dataverse.configure(|settings| settings.enhanced_data_model = false);
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("tables.columns", "fail", &["adx_invitation.mspp_websiteid"]);
    diagnosis.says("tables.webRoles", "fail", &["ALLOWED_WEB_ROLES"]);
}

#[tokio::test]
async fn names_in_another_case_are_named() {
    let world = World::start().await;
    world
        .sandbox
        .dataverse
        .lower_case_navigation("adx_invitations");
    let diagnosis = Diagnosis::of(&world).await;
    let words = [
        "adx_inviteContact (here: adx_invitecontact)",
        "adx_assignToAccount",
    ];
    diagnosis.says("tables.navigation", "fail", &words);
    let seen = diagnosis.check("tables.navigation")["seen"].to_string();
    assert!(
        !seen.contains("adx_invitercontact"),
        "spelled alike: {seen}"
    );
}

#[tokio::test]
async fn definitions_that_changed_are_named() {
    let world = World::start().await;
    let dataverse = &world.sandbox.dataverse;
    for behavior in ["DateOnly", "TimeZoneIndependent"] {
        let change = Redefinition::Behavior(behavior);
        dataverse.redefine("adx_invitations", "adx_expirydate", change);
        let diagnosis = Diagnosis::of(&world).await;
        diagnosis.says("tables.expiry", "warn", &[behavior]);
    }
    for (length, status) in [(42, "fail"), (43, "pass")] {
        let change = Redefinition::Length(length);
        dataverse.redefine("adx_invitations", "adx_invitationcode", change);
        let diagnosis = Diagnosis::of(&world).await;
        diagnosis.says("tables.codeLength", status, &[&length.to_string()]);
    }
    for (concurrency, status) in [(Some(false), "fail"), (None, "pass"), (Some(true), "pass")] {
        dataverse.set_optimistic_concurrency(concurrency);
        let diagnosis = Diagnosis::of(&world).await;
        diagnosis.says("tables.concurrency", status, &["concurrency"]);
    }
}
