//! What browsers are told of contacts, of invitations and of what a request may name.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Open, open};

fn add(page: &Open, set: &str, row: &Value) -> Uuid {
    page.sandbox.dataverse.insert(set, row)
}

#[tokio::test]
async fn an_invitation_is_shown_without_its_code() {
    let page = open().await;
    let contact = add(&page, "contacts", &json!({"lastname": "Okafor"}));
    let id = add(
        &page,
        "adx_invitations",
        &json!({
            "adx_name": "Invitation",
            "adx_type": 756_150_000,
            "adx_invitationcode": "a-secret-code",
            "adx_expirydate": "2026-12-06T23:00:00Z",
            "_adx_invitecontact_value": contact,
            "importsequencenumber": 1_500_000_000,
        }),
    );
    let rows = page.rows("invitations", |rows| rows.len() == 1).await;
    assert_eq!(rows[0]["contact"], json!(contact));
    assert_eq!(rows[0]["batch"], 1_500_000_000);
    assert_eq!(rows[0]["status"], 1);
    assert_eq!(rows[0]["expires"], "2026-12-06T23:00:00Z");
    assert_eq!(rows[0]["hasCode"], true);
    assert!(!rows[0].to_string().contains("secret"), "{}", rows[0]);
    let closed = json!({"statecode": 1, "statuscode": 2, "adx_invitationcode": null});
    page.sandbox
        .dataverse
        .change("adx_invitations", id, &closed);
    let without = |rows: &[Value]| rows.first().is_some_and(|row| row["hasCode"] == false);
    let rows = page.rows("invitations", without).await;
    assert_eq!(rows[0]["state"], 1);
}

#[tokio::test]
async fn time_that_passes_reaches_the_list() {
    let page = open().await;
    let row = json!({"adx_name": "Invitation", "adx_type": 756_150_000, "adx_expirydate": "2026-12-06T23:00:00Z"});
    add(&page, "adx_invitations", &row);
    page.sandbox.age(jiff::SignedDuration::from_hours(24));
    let rows = page.rows("invitations", |rows| rows.len() == 1).await;
    assert_eq!(rows[0]["expires"], "2026-12-05T23:00:00Z");
}

#[tokio::test]
async fn a_sign_in_elsewhere_registers_a_contact() {
    let page = open().await;
    let identity = |contact: Uuid, state: i32, status: i32| {
        let row = json!({
            "adx_username": contact.to_string(), "adx_identityprovidername": "https://login.example/",
            "_adx_contactid_value": contact, "statecode": state, "statuscode": status,
        });
        add(&page, "adx_externalidentities", &row);
    };
    let named = json!({"lastname": "Local", "adx_identity_username": "local"});
    add(&page, "contacts", &named);
    identity(add(&page, "contacts", &json!({"lastname": "Away"})), 0, 1);
    identity(add(&page, "contacts", &json!({"lastname": "Former"})), 1, 2);
    add(&page, "contacts", &json!({"lastname": "Nobody"}));
    let rows = page.rows("contacts", |rows| rows.len() == 4).await;
    let registered = rows.iter().filter(|row| row["registered"] == true);
    let mut chosen: Vec<_> = registered
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    chosen.sort_unstable();
    assert_eq!(chosen, ["Away", "Local"]);
}

#[tokio::test]
async fn a_request_may_choose_among_views_roles_accounts_and_workflows() {
    let page = open().await;
    let view = |name: &str, table: &str| json!({"name": name, "returnedtypecode": table, "fetchxml": "<fetch/>"});
    let component = |name: &str, kind: i32| json!({"name": name, "powerpagecomponenttype": kind});
    add(&page, "savedqueries", &view("All contacts", "contact"));
    add(&page, "savedqueries", &view("All accounts", "account"));
    add(&page, "userqueries", &view("My contacts", "contact"));
    add(&page, "powerpagecomponents", &component("Customer", 11));
    add(&page, "powerpagecomponents", &component("Home", 2));
    add(&page, "accounts", &json!({"name": "Fabrikam"}));
    let rows = page.rows("choices", |rows| !rows.is_empty()).await;
    let chosen = |row: &&Value| !["host", "workflow"].contains(&row["kind"].as_str().unwrap());
    let mut shown: Vec<_> = (rows.iter().filter(chosen))
        .map(|row| format!("{}: {}", row["kind"], row["name"]).replace('"', ""))
        .collect();
    shown.sort();
    assert_eq!(
        shown,
        [
            "account: Fabrikam",
            "personal view: My contacts",
            "role: Customer",
            "view: All contacts"
        ]
    );
    let workflow = |row: &Value| row["kind"] == "workflow" && row["name"] == "Send Invitation";
    assert!(rows.iter().any(workflow), "{rows:?}");
    let host = rows.iter().find(|row| row["kind"] == "host").unwrap();
    assert_eq!(host["name"], page.host.url().as_str());
}
