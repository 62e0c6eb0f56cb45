//! What the doctor finds in Dataverse: definitions, privileges, settings of the site, and the invitations themselves.

use sandbox::Service;
use sandbox::dataverse::{Redefinition, Verb};
use sandbox::faults::{Fault, Rule};
use serde_json::json;
use uuid::Uuid;

use super::plant::{flow, listener, step, workflow};
use super::{Diagnosis, OF_DATAVERSE};
use crate::leaks::Secrets;
use crate::world::{SENDER, Setup, World};

const SINGLE: i32 = 756_150_000;
const SENT: i32 = 756_150_000;
pub(super) const PAST: &str = "2020-02-29T22:00:00Z";
const FUTURE: &str = "2099-12-31T22:00:00Z";

/// A deployment that uses everything that needs a privilege.
pub(super) async fn start_with_everything() -> (World, Uuid) {
    let site = "5b1f0a0e-0000-4000-8000-000000000001";
    let some_id = "5b1f0a0e-0000-4000-8000-000000000002";
    let world = Setup::default()
        .setting("PORTAL_WEBSITE_ID", site)
        .setting("ALLOWED_WEB_ROLES", some_id)
        .setting("ALLOWED_WORKFLOWS", some_id)
        .setting("DIGEST_TO", "staff@contoso.example")
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

pub(super) fn invitation(world: &World, code: &str, columns: &serde_json::Value) -> Uuid {
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
    for world in [World::start().await, start_with_everything().await.0] {
        let diagnosis = Diagnosis::of(&world).await;
        assert_eq!(
            diagnosis.not_passed(&OF_DATAVERSE),
            [""; 0],
            "{}",
            diagnosis.text()
        );
        assert!(diagnosis.ok());
        for area in OF_DATAVERSE {
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
    let world = World::start().await;
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
async fn every_fault_is_named_when_all_are_planted_together() {
    let (world, site) = start_with_everything().await;
    let dataverse = &world.sandbox.dataverse;
    invitation(&world, "shared", &json!({}));
    invitation(&world, "shared", &json!({"adx_maximumredemptions": null}));
    invitation(&world, "old", &json!({"adx_expirydate": PAST}));
    let by_create = json!({"triggeroncreate": true});
    workflow(dataverse, "Send Invitation", "adx_invitation", &by_create);
    workflow(dataverse, "Welcome", "contact", &by_create);
    flow(dataverse, "Mail", "adx_invitation", "SendEmailV2");
    listener(dataverse, "flow", "contact", &json!({}));
    let plugin = ("Contoso.Plugins", false);
    step(dataverse, ("Create", "adx_invitation"), plugin, &json!({}));
    let registration = "Authentication/Registration/";
    for name in [
        "Enabled",
        "InvitationEnabled",
        "LocalLoginEnabled",
        "ExternalLoginEnabled",
    ] {
        dataverse.set_site_setting(site, &format!("{registration}{name}"), "false");
    }
    let unique = "Authentication/UserManager/UserValidator/RequireUniqueEmail";
    dataverse.set_site_setting(site, unique, "false");
    for (set, verb) in [
        ("adx_invitations", Verb::Create),
        ("contacts", Verb::AppendTo),
        ("adx_externalidentities", Verb::Read),
        ("accounts", Verb::AppendTo),
        ("userqueries", Verb::Read),
        ("powerpagesites", Verb::AppendTo),
        ("workflows", Verb::AppendTo),
        ("powerpagecomponents", Verb::AppendTo),
    ] {
        dataverse.deny(set, verb);
    }
    for (column, change) in [
        ("adx_expirydate", Redefinition::Behavior("DateOnly")),
        ("adx_invitationcode", Redefinition::Length(36)),
        ("importsequencenumber", Redefinition::Missing),
    ] {
        dataverse.redefine("adx_invitations", column, change);
    }
    dataverse.lower_case_navigation("adx_invitations");
    dataverse.set_optimistic_concurrency(Some(false));
    let diagnosis = Diagnosis::of(&world).await;
    let expected = [
        "tables.columns",
        "tables.navigation",
        "tables.expiry",
        "tables.codeLength",
        "tables.concurrency",
        "privileges.invitations",
        "privileges.contacts",
        "privileges.signIns",
        "privileges.accounts",
        "privileges.views",
        "privileges.sites",
        "privileges.workflows",
        "privileges.webRoles",
        "registration.enabled",
        "registration.invitations",
        "registration.signIn",
        "registration.uniqueEmail",
        "senders.workflows",
        "senders.contactWorkflows",
        "senders.flows",
        "senders.listeners",
        "senders.plugins",
        "invitations.sharedCodes",
        "invitations.unlimited",
        "invitations.overdue",
    ];
    assert_eq!(diagnosis.not_passed(&OF_DATAVERSE), expected);
    assert!(!diagnosis.ok());
}

#[tokio::test]
async fn a_refusal_that_names_no_privilege_is_told_in_its_own_words() {
    let world = World::start().await;
    let fault = Fault::Answer {
        status: 403,
        retry_after_seconds: None,
        code: "0x80072560".to_owned(),
        effect: false,
    };
    world
        .sandbox
        .faults
        .add(Rule::on(Service::Dataverse, fault));
    let diagnosis = Diagnosis::of(&world).await;
    let words = ["403 0x80072560", "prvReadWorkflow"];
    diagnosis.says("senders.workflows", "notChecked", &words);
    let seen = diagnosis.check("privileges.invitations")["seen"].to_string();
    assert!(
        !seen.contains("prv"),
        "nobody said that one is missing: {seen}"
    );
}

#[tokio::test]
async fn dataverse_out_of_reach_is_told_as_that() {
    let world = World::start().await;
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
