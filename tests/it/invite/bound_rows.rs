//! What a request or a setting binds on each row: inviter, account, workflow, owner and site.

use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use crate::world::{Setup, World};

const WORKFLOW: Uuid = uuid!("aaaaaaaa-0000-4000-8000-000000000001");
const DRAFT: Uuid = uuid!("aaaaaaaa-0000-4000-8000-000000000002");
const TEAM: Uuid = uuid!("aaaaaaaa-0000-4000-8000-000000000003");
const SITE: Uuid = uuid!("aaaaaaaa-0000-4000-8000-000000000004");
const USER: Uuid = uuid!("aaaaaaaa-0000-4000-8000-000000000005");
const NOBODY: Uuid = uuid!("aaaaaaaa-0000-4000-8000-00000000000f");

async fn with_workflows() -> World {
    let allowed = format!("{WORKFLOW},{DRAFT},{NOBODY}");
    let world = Setup::default().setting("ALLOWED_WORKFLOWS", &allowed);
    let world = world.start().await;
    for (id, state, status) in [(WORKFLOW, 1, 2), (DRAFT, 0, 1)] {
        let row =
            json!({"workflowid": id, "name": "Welcome", "statecode": state, "statuscode": status});
        world.sandbox.dataverse.insert("workflows", &row);
    }
    world
}

fn account(world: &World, state: i32) -> Uuid {
    let row = json!({"name": "Contoso", "statecode": state});
    world.sandbox.dataverse.insert("accounts", &row)
}

#[tokio::test]
async fn inviter_account_and_workflow_stand_on_the_row() {
    let world = with_workflows().await;
    let [ann, ida] = ["Ann", "Ida"].map(|name| world.contact(name));
    let account = account(&world, 0);
    let body = json!({
        "contactIds": [ann],
        "inviterContactId": ida,
        "assignToAccountId": account,
        "redemptionWorkflowId": WORKFLOW,
    });
    assert_eq!(world.invite(&body).await.outcomes(), ["sent"]);
    let row = world.row(ann);
    assert_eq!(row["_adx_invitercontact_value"], json!(ida));
    assert_eq!(row["_adx_assigntoaccount_value"], json!(account));
    assert_eq!(row["_adx_redemptionworkflow_value"], json!(WORKFLOW));
    let letter = world.letter(ann);
    assert_eq!(letter.subject, "Ida Tester invites you to Contoso");
    assert!(letter.html.contains("Ida Tester invites you to Contoso"));
}

#[tokio::test]
async fn each_of_them_can_be_asked_for_alone() {
    let world = with_workflows().await;
    let account = account(&world, 0);
    let ida = world.contact("Ida");
    for (name, field, column, id) in [
        ("Ann", "inviterContactId", "invitercontact", ida),
        ("Ben", "assignToAccountId", "assigntoaccount", account),
        (
            "Cid",
            "redemptionWorkflowId",
            "redemptionworkflow",
            WORKFLOW,
        ),
    ] {
        let contact = world.contact(name);
        let mut body = json!({ "contactIds": [contact] });
        body[field] = json!(id);
        assert_eq!(world.invite(&body).await.outcomes(), ["sent"], "{field}");
        let row = world.row(contact);
        assert_eq!(row[format!("_adx_{column}_value")], json!(id));
    }
}

#[tokio::test]
async fn what_nobody_asked_for_is_not_on_the_row() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    world.invite_contacts(&[ann]).await;
    let row = world.row(ann);
    for column in ["invitercontact", "assigntoaccount", "redemptionworkflow"] {
        assert_eq!(row[format!("_adx_{column}_value")], Value::Null);
    }
    assert_eq!(row["_mspp_websiteid_value"], Value::Null);
    let app = world.sandbox.dataverse.caller();
    assert_eq!(row["_ownerid_value"], json!(app));
}

/// Nobody can be invited where a row to bind is missing, and nothing is written on the way to saying so.
async fn assert_missing(world: &World, field: &str, id: Uuid, reason: &str) {
    let people = [
        Uuid::from_u128(7),
        world.contact("Ann"),
        world.contact("Ben"),
    ];
    let mut body = json!({ "contactIds": people });
    body[field] = json!(id);
    let answer = world.invite(&body).await;
    let failed = format!("failed {reason}");
    assert_eq!(
        answer.outcomes(),
        ["failed contactNotFound", &failed, &failed]
    );
    assert_eq!(world.sandbox.dataverse.writes(), 0);
    assert_eq!(world.sandbox.graph.letters(), []);
}

#[tokio::test]
async fn an_inviter_that_does_not_exist_fails_every_entry() {
    let world = World::start().await;
    assert_missing(&world, "inviterContactId", NOBODY, "inviterNotFound").await;
}

#[tokio::test]
async fn an_account_that_does_not_exist_or_is_closed_fails_every_entry() {
    let world = World::start().await;
    assert_missing(&world, "assignToAccountId", NOBODY, "accountNotFound").await;
    let closed = account(&world, 1);
    assert_missing(&world, "assignToAccountId", closed, "accountNotFound").await;
}

#[tokio::test]
async fn a_workflow_that_does_not_exist_or_is_a_draft_fails_every_entry() {
    let world = with_workflows().await;
    assert_missing(&world, "redemptionWorkflowId", NOBODY, "workflowNotFound").await;
    assert_missing(&world, "redemptionWorkflowId", DRAFT, "workflowNotFound").await;
}

#[tokio::test]
async fn a_workflow_that_the_settings_do_not_name_is_refused() {
    let world = World::start().await;
    let row = json!({"workflowid": WORKFLOW, "name": "Welcome", "statecode": 1, "statuscode": 2});
    world.sandbox.dataverse.insert("workflows", &row);
    let ann = world.contact("Ann");
    let body = json!({"contactIds": [ann], "redemptionWorkflowId": WORKFLOW});
    let answer = world.invite(&body).await;
    answer.assert_problem(403, "notAllowed");
    let detail = answer.json()["detail"].to_string();
    assert!(detail.contains("ALLOWED_WORKFLOWS"), "{detail}");
    assert!(detail.contains("redemptionWorkflowId"), "{detail}");
    world.assert_untouched();
}

#[tokio::test]
async fn a_team_owns_the_rows_where_the_settings_say_so() {
    let owner = format!("team/{TEAM}");
    let world = Setup::default().setting("INVITATION_OWNER", &owner);
    let world = world.start().await;
    let team = json!({"teamid": TEAM, "name": "Partner desk"});
    world.sandbox.dataverse.insert("teams", &team);
    let ann = world.contact("Ann");
    assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
    let row = world.row(ann);
    assert_eq!(row["_ownerid_value"], json!(TEAM));
    assert_eq!(row["_owningteam_value"], json!(TEAM));
}

#[tokio::test]
async fn a_user_owns_the_rows_where_the_settings_say_so() {
    let owner = format!("systemuser/{USER}");
    let world = Setup::default().setting("INVITATION_OWNER", &owner);
    let world = world.start().await;
    let user = json!({"systemuserid": USER, "fullname": "Uma"});
    world.sandbox.dataverse.insert("systemusers", &user);
    let ann = world.contact("Ann");
    assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
    let row = world.row(ann);
    assert_eq!(row["_ownerid_value"], json!(USER));
    assert_eq!(row["_owninguser_value"], json!(USER));
}

#[tokio::test]
async fn rows_name_their_site_and_other_sites_rows_do_not_stand_in_the_way() {
    let world = Setup::default().setting("PORTAL_WEBSITE_ID", &SITE.to_string());
    let world = world.start().await;
    for id in [SITE, NOBODY] {
        let site = json!({"powerpagesiteid": id, "name": "Site"});
        world.sandbox.dataverse.insert("powerpagesites", &site);
    }
    let ann = world.contact("Ann");
    let elsewhere = json!({
        "adx_name": "Elsewhere",
        "adx_type": 756_150_000,
        "adx_invitationcode": "elsewhere",
        "_adx_invitecontact_value": ann,
        "_mspp_websiteid_value": NOBODY,
    });
    let elsewhere = world
        .sandbox
        .dataverse
        .insert("adx_invitations", &elsewhere);
    assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
    let rows = world.rows(ann);
    assert_eq!(rows.len(), 2);
    let own = rows
        .iter()
        .find(|row| row["adx_invitationid"] != json!(elsewhere));
    assert_eq!(own.unwrap()["_mspp_websiteid_value"], json!(SITE));
}
