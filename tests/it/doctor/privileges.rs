//! Privileges: each that is missing is named, each that nobody needs is not asked for.

use sandbox::dataverse::Verb;

use super::Diagnosis;
use super::dataverse::start_with_everything;
use crate::world::{Setup, World};

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
            Verb::Append,
            "webRoles",
            "prvAppendpowerpagecomponent",
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
async fn checks_of_invitations_name_the_privilege_to_read_them() {
    let world = World::start().await;
    world.sandbox.dataverse.deny("adx_invitations", Verb::Read);
    let diagnosis = Diagnosis::of(&world).await;
    for id in ["sharedCodes", "unlimited", "overdue"] {
        let id = format!("invitations.{id}");
        diagnosis.says(&id, "notChecked", &["prvReadadx_invitation is missing"]);
    }
}

#[tokio::test]
async fn privileges_that_nobody_needs_are_not_asked_for() {
    let world = World::start().await;
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
    let world = World::start().await;
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
async fn languages_of_the_site_are_wanted_where_letters_have_several() {
    let templates = crate::wording::usual_and(&["en", "nb"], &[]);
    let several = Setup::default()
        .setting("TEMPLATE_DIR", templates.path().to_str().unwrap())
        .setting("LANGUAGES", "en,nb");
    let world = several.start().await;
    let id = "privileges.languages";
    Diagnosis::of(&world)
        .await
        .says(id, "pass", &["no such table"]);
    let standard = |world: &World| {
        let dataverse = &world.sandbox.dataverse;
        dataverse.configure(|settings| settings.standard_data_model = true);
        dataverse.deny("adx_portallanguages", Verb::Read);
    };
    standard(&world);
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says(id, "warn", &["prvReadadx_portallanguage"]);
    assert!(diagnosis.ok());
    let world = World::start().await;
    standard(&world);
    let diagnosis = Diagnosis::of(&world).await;
    assert_eq!(diagnosis.not_passed(&["privileges"]), [""; 0]);
}

#[tokio::test]
async fn a_privilege_over_part_of_the_rows_warns() {
    let world = World::start().await;
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
    let world = World::start().await;
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
