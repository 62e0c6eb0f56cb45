//! What the doctor finds in Dataverse: definitions, privileges, settings of the site, and the invitations themselves.

use std::collections::BTreeSet;

use sandbox::Service;
use sandbox::dataverse::{Redefinition, Verb};
use sandbox::faults::{Fault, Rule};
use serde_json::json;
use uuid::Uuid;

use super::Diagnosis;
use crate::leaks::Secrets;
use crate::world::{SENDER, Setup, World};

pub(super) const AREAS: [&str; 5] = [
    "tables",
    "privileges",
    "registration",
    "senders",
    "invitations",
];
const SINGLE: i32 = 756_150_000;
const SENT: i32 = 756_150_000;
const PAST: &str = "2020-02-29T22:00:00Z";
const FUTURE: &str = "2099-12-31T22:00:00Z";

async fn start() -> World {
    World::start().await
}

/// A deployment that uses everything that needs a privilege.
async fn start_with_everything() -> (World, Uuid) {
    let site = "5b1f0a0e-0000-4000-8000-000000000001";
    let some_id = "5b1f0a0e-0000-4000-8000-000000000002";
    let world = Setup::default()
        .setting("PORTAL_WEBSITE_ID", site)
        .setting("ALLOWED_WEB_ROLES", some_id)
        .setting("ALLOWED_WORKFLOWS", some_id)
        .setting("INVITATION_OWNER", &format!("team/{some_id}"))
        .start()
        .await;
    let id: Uuid = site.parse().unwrap();
    let row = json!({"powerpagesiteid": id, "name": "Contoso Customers"});
    world.sandbox.dataverse.insert("powerpagesites", &row);
    let setting = "Authentication/Registration/Enabled";
    world
        .sandbox
        .dataverse
        .set_site_setting(id, setting, "true");
    (world, id)
}

fn invitation(world: &World, code: &str, columns: &serde_json::Value) -> Uuid {
    let mut row = json!({
        "adx_name": "Planted",
        "adx_type": SINGLE,
        "adx_invitationcode": code,
        "adx_expirydate": FUTURE,
        "adx_maximumredemptions": 1,
        "statuscode": SENT,
    });
    for (name, value) in columns.as_object().unwrap() {
        row[name] = value.clone();
    }
    world.sandbox.dataverse.insert("adx_invitations", &row)
}

#[tokio::test]
async fn a_healthy_installation_passes_without_a_word_of_advice() {
    for world in [start().await, start_with_everything().await.0] {
        let diagnosis = Diagnosis::of(&world).await;
        assert_eq!(
            diagnosis.not_passed(&AREAS),
            [""; 0],
            "{}",
            diagnosis.text()
        );
        assert!(diagnosis.ok());
        for area in AREAS {
            let own = |check: &&serde_json::Value| {
                check["id"]
                    .as_str()
                    .unwrap()
                    .starts_with(&format!("{area}."))
            };
            assert!(diagnosis.checks().iter().any(|check| own(&check)), "{area}");
        }
    }
}

#[tokio::test]
async fn it_writes_nothing_and_tells_no_code() {
    let world = start().await;
    let contacts = world.contacts(3);
    world.invite_contacts(&contacts).await;
    let code = "TheRecognisableCodeOfAnInvitationThatIsShared";
    for _ in 0..2 {
        invitation(&world, code, &json!({"adx_maximumredemptions": null}));
    }
    let secrets = Secrets::of(&world.sandbox, &[SENDER]);
    let (writes, letters) = (
        world.sandbox.dataverse.writes(),
        world.sandbox.graph.letters().len(),
    );
    world.sandbox.traffic.clear();
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("invitations.sharedCodes", "warn", &["1 are on several"]);
    assert_eq!(world.sandbox.dataverse.writes(), writes);
    assert_eq!(world.sandbox.graph.letters().len(), letters);
    assert_eq!(world.sandbox.graph.drafts(SENDER).len(), 0);
    assert!(secrets.codes.contains(code));
    secrets.assert_absent("the diagnosis", &diagnosis.text());
    let requests = world.sandbox.traffic.count(Service::Dataverse);
    println!("{requests} Dataverse requests");
    assert!(requests <= 16, "{requests} Dataverse requests");
}

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
    let invited = world.invite_contacts(&contacts).await;
    assert_eq!(invited.status, 200, "{}", invited.text);
    let again =
        json!({"view": {"id": view}, "whenPending": "replace", "inviterContactId": inviter});
    world.invite_keyed("again", &again).await;
    world.dispatch_until_idle().await;
    world.sweep().await;
    dataverse.configure(|settings| settings.notes_columns = false);
    let named = dataverse.columns_named();
    assert!(named.contains(&("adx_invitations", "adx_invitercontact")));
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

#[tokio::test]
async fn missing_columns_and_tables_are_named() {
    let world = start().await;
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
    let world = start().await;
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
    let world = start().await;
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

#[tokio::test]
async fn each_missing_privilege_is_named() {
    let (world, _) = start_with_everything().await;
    let dataverse = &world.sandbox.dataverse;
    for (set, verb, id, name) in [
        (
            "adx_invitations",
            Verb::Create,
            "invitations",
            "prvCreateadx_invitation",
        ),
        (
            "adx_invitations",
            Verb::Read,
            "invitations",
            "prvReadadx_invitation",
        ),
        (
            "adx_invitations",
            Verb::Write,
            "invitations",
            "prvWriteadx_invitation",
        ),
        (
            "adx_invitations",
            Verb::Append,
            "invitations",
            "prvAppendadx_invitation",
        ),
        (
            "adx_invitations",
            Verb::AppendTo,
            "invitations",
            "prvAppendToadx_invitation",
        ),
        (
            "adx_invitations",
            Verb::Assign,
            "invitations",
            "prvAssignadx_invitation",
        ),
        ("contacts", Verb::Read, "contacts", "prvReadContact"),
        ("contacts", Verb::AppendTo, "contacts", "prvAppendToContact"),
        (
            "adx_externalidentities",
            Verb::Read,
            "signIns",
            "prvReadadx_externalidentity",
        ),
        (
            "powerpagesites",
            Verb::Read,
            "sites",
            "prvReadpowerpagesite",
        ),
        (
            "powerpagesites",
            Verb::AppendTo,
            "sites",
            "prvAppendTopowerpagesite",
        ),
        ("workflows", Verb::Read, "workflows", "prvReadWorkflow"),
        (
            "workflows",
            Verb::AppendTo,
            "workflows",
            "prvAppendToWorkflow",
        ),
        (
            "powerpagecomponents",
            Verb::Read,
            "webRoles",
            "prvReadpowerpagecomponent",
        ),
        (
            "powerpagecomponents",
            Verb::AppendTo,
            "webRoles",
            "prvAppendTopowerpagecomponent",
        ),
    ] {
        dataverse.deny(set, verb);
        let diagnosis = Diagnosis::of(&world).await;
        let id = format!("privileges.{id}");
        diagnosis.says(&id, "fail", &[name, "organisation level", "some minutes"]);
        assert_eq!(
            diagnosis.not_passed(&["privileges"]),
            [id],
            "{set} {verb:?}"
        );
        dataverse.permit(set, verb);
    }
}

#[tokio::test]
async fn privileges_that_nobody_needs_are_not_asked_for() {
    let world = start().await;
    let dataverse = &world.sandbox.dataverse;
    for (set, verb) in [
        ("adx_invitations", Verb::AppendTo),
        ("adx_invitations", Verb::Assign),
        ("adx_invitations", Verb::Delete),
        ("contacts", Verb::Write),
        ("powerpagesites", Verb::Read),
        ("workflows", Verb::AppendTo),
    ] {
        dataverse.deny(set, verb);
    }
    let diagnosis = Diagnosis::of(&world).await;
    assert_eq!(diagnosis.not_passed(&["privileges"]), [""; 0]);
}

#[tokio::test]
async fn a_feature_may_be_left_out_but_not_half_granted() {
    let world = start().await;
    let dataverse = &world.sandbox.dataverse;
    dataverse.deny("accounts", Verb::AppendTo);
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says(
        "privileges.accounts",
        "warn",
        &["Half", "prvAppendToAccount"],
    );
    dataverse.deny("accounts", Verb::Read);
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says(
        "privileges.accounts",
        "pass",
        &["assignToAccountId are refused"],
    );
}

#[tokio::test]
async fn a_privilege_over_part_of_the_rows_warns() {
    let world = start().await;
    world.sandbox.dataverse.confine("contacts", Verb::Read);
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says(
        "privileges.contacts",
        "warn",
        &["part of the rows", "prvReadContact"],
    );
    assert!(diagnosis.ok());
}

#[tokio::test]
async fn privileges_that_may_not_be_listed_are_not_checked() {
    let world = start().await;
    let dataverse = &world.sandbox.dataverse;
    dataverse.deny("systemusers", Verb::Read);
    let diagnosis = Diagnosis::of(&world).await;
    let words = ["prvReadUser", "Not known", "prvCreateadx_invitation"];
    diagnosis.says("privileges.invitations", "notChecked", &words);
    // What is tried is known all the same.
    dataverse.deny("contacts", Verb::Read);
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("privileges.contacts", "fail", &["prvReadContact"]);
}

#[tokio::test]
async fn each_setting_that_stops_redemption_is_named() {
    let world = start().await;
    let dataverse = &world.sandbox.dataverse;
    let site = &dataverse.rows("powerpagesites")[0]["powerpagesiteid"];
    let site: Uuid = site.as_str().unwrap().parse().unwrap();
    let registration = "Authentication/Registration/";
    for (name, id) in [("Enabled", "enabled"), ("InvitationEnabled", "invitations")] {
        let setting = format!("{registration}{name}");
        dataverse.set_site_setting(site, &setting, " False ");
        let id = format!("registration.{id}");
        let diagnosis = Diagnosis::of(&world).await;
        diagnosis.says(&id, "fail", &[name, "404", "restart the site"]);
        assert_eq!(diagnosis.not_passed(&["registration"]), [id]);
        dataverse.set_site_setting(site, &setting, "true");
    }
    dataverse.set_site_setting(
        site,
        &format!("{registration}OpenRegistrationEnabled"),
        "false",
    );
    dataverse.set_site_setting(site, &format!("{registration}LocalLoginEnabled"), "false");
    let diagnosis = Diagnosis::of(&world).await;
    assert_eq!(diagnosis.not_passed(&["registration"]), [""; 0]);
    diagnosis.says("registration.site", "pass", &["only invited people"]);
    dataverse.set_site_setting(
        site,
        &format!("{registration}ExternalLoginEnabled"),
        "false",
    );
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("registration.signIn", "fail", &["ExternalLoginEnabled"]);
    let unique = "Authentication/UserManager/UserValidator/RequireUniqueEmail";
    dataverse.set_site_setting(site, unique, "false");
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("registration.uniqueEmail", "warn", &["RequireUniqueEmail"]);
    dataverse.set_site_setting(site, unique, "perhaps");
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says(
        "registration.uniqueEmail",
        "warn",
        &["neither true nor false"],
    );
}

#[tokio::test]
async fn only_the_deployments_own_site_counts_where_it_is_named() {
    let (named, site) = start_with_everything().await;
    let unnamed = start().await;
    let invitations = "Authentication/Registration/InvitationEnabled";
    for world in [&named, &unnamed] {
        let dataverse = &world.sandbox.dataverse;
        let other = dataverse.add_site("Another site");
        dataverse.set_site_setting(other, invitations, "false");
    }
    let diagnosis = Diagnosis::of(&named).await;
    assert_eq!(diagnosis.not_passed(&["registration"]), [""; 0]);
    let diagnosis = Diagnosis::of(&unnamed).await;
    let words = ["Another site, of 2", "PORTAL_WEBSITE_ID"];
    diagnosis.says("registration.invitations", "warn", &words);
    named
        .sandbox
        .dataverse
        .set_site_setting(site, invitations, "false");
    let diagnosis = Diagnosis::of(&named).await;
    diagnosis.says("registration.invitations", "fail", &["InvitationEnabled"]);
    named.sandbox.dataverse.delete("powerpagesites", site);
    let diagnosis = Diagnosis::of(&named).await;
    diagnosis.says("registration.site", "fail", &["PORTAL_WEBSITE_ID"]);
}

#[tokio::test]
async fn settings_of_the_standard_data_model_count_too() {
    let world = start().await;
    let dataverse = &world.sandbox.dataverse;
    for row in dataverse.rows("powerpagecomponents") {
        let id = row["powerpagecomponentid"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        dataverse.delete("powerpagecomponents", id);
    }
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("registration.site", "warn", &["No setting of registration"]);
    dataverse.configure(|settings| settings.standard_data_model = true);
    let site = dataverse.insert("adx_websites", &json!({"adx_name": "Old portal"}));
    let setting = |name: &str, value: &str| {
        let name = format!("Authentication/Registration/{name}");
        let row = json!({"adx_name": name, "adx_value": value, "_adx_websiteid_value": site});
        dataverse.insert("adx_sitesettings", &row)
    };
    setting("Enabled", "true");
    let diagnosis = Diagnosis::of(&world).await;
    assert_eq!(diagnosis.not_passed(&["registration"]), [""; 0]);
    diagnosis.says("registration.site", "pass", &["Old portal"]);
    setting("InvitationEnabled", "FALSE");
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("registration.invitations", "fail", &["InvitationEnabled"]);
}

#[tokio::test]
async fn settings_that_may_not_be_read_are_not_checked() {
    let world = start().await;
    world
        .sandbox
        .dataverse
        .deny("powerpagecomponents", Verb::Read);
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says(
        "registration.site",
        "notChecked",
        &["prvReadpowerpagecomponent"],
    );
    assert!(diagnosis.ok());
}

#[tokio::test]
async fn codes_that_two_share_are_counted_and_not_told() {
    let world = start().await;
    let first = invitation(&world, "OneCodeForTwo", &json!({}));
    let second = invitation(&world, "onecodefortwo", &json!({"statuscode": 1}));
    invitation(&world, "ACodeOfItsOwn", &json!({}));
    let closed = json!({"statecode": 1, "statuscode": 2});
    invitation(&world, "ACodeOfItsOwn", &closed);
    let diagnosis = Diagnosis::of(&world).await;
    let (first, other) = (first.to_string(), second.to_string());
    let words = [first.as_str(), &other, "Of 3 codes, 1 are"];
    diagnosis.says("invitations.sharedCodes", "warn", &words);
    assert!(!diagnosis.text().to_lowercase().contains("onecodefortwo"));
    world
        .sandbox
        .dataverse
        .change("adx_invitations", second, &closed);
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("invitations.sharedCodes", "pass", &["No two of 2"]);
}

#[tokio::test]
async fn codes_are_compared_over_every_page() {
    let world = start().await;
    for number in 0..5_100 {
        invitation(&world, &format!("code {number}"), &json!({}));
    }
    invitation(&world, "code 0", &json!({}));
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("invitations.sharedCodes", "warn", &["Of 5101 codes"]);
}

#[tokio::test]
async fn links_without_end_are_counted() {
    let world = start().await;
    let endless = |more: serde_json::Value| {
        let mut columns = json!({"adx_maximumredemptions": null});
        for (name, value) in more.as_object().unwrap() {
            columns[name] = value.clone();
        }
        columns
    };
    // Group invitations, closed ones and expired ones are no danger, or meant so.
    invitation(&world, "a", &endless(json!({"adx_type": 756_150_001})));
    invitation(
        &world,
        "b",
        &endless(json!({"statecode": 1, "statuscode": 2})),
    );
    invitation(&world, "c", &endless(json!({"adx_expirydate": PAST})));
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("invitations.unlimited", "pass", &[]);
    invitation(&world, "d", &endless(json!({})));
    invitation(&world, "e", &endless(json!({"adx_expirydate": null})));
    invitation(&world, "f", &endless(json!({"statuscode": 756_150_001})));
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says(
        "invitations.unlimited",
        "warn",
        &["3 open", "Maximum Redemptions to 1"],
    );
}

#[tokio::test]
async fn what_the_first_sweep_would_close_is_counted_by_its_scope() {
    for (scope, count) in [("all", 3), ("ours", 1)] {
        let world = Setup::default().setting("SWEEP_SCOPE", scope).start().await;
        for number in [None, None, Some(1_500_000_000)] {
            let columns = json!({"adx_expirydate": PAST, "importsequencenumber": number});
            invitation(&world, &format!("{number:?} {}", Uuid::new_v4()), &columns);
        }
        let hours_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(3);
        let just_expired = json!({"adx_expirydate": hours_ago.to_string()});
        invitation(&world, "just expired", &just_expired);
        let diagnosis = Diagnosis::of(&world).await;
        let words = [&format!("{count} invitations expired"), "sweep --dry-run"];
        diagnosis.says("invitations.overdue", "warn", &words.map(|word| word));
        world.sweep().await;
        let diagnosis = Diagnosis::of(&world).await;
        diagnosis.says("invitations.overdue", "pass", &[scope]);
    }
}

#[tokio::test]
async fn dataverse_out_of_reach_is_told_as_that() {
    let world = start().await;
    let fault = Fault::Answer {
        status: 400,
        retry_after_seconds: None,
        code: "0x80040216".to_owned(),
        effect: false,
    };
    world
        .sandbox
        .faults
        .add(Rule::on(Service::Dataverse, fault));
    let diagnosis = Diagnosis::of(&world).await;
    for id in [
        "privileges.invitations",
        "registration.site",
        "senders.workflows",
    ] {
        diagnosis.says(id, "notChecked", &["0x80040216"]);
    }
    diagnosis.says("tables.exist", "fail", &["0x80040216"]);
}
