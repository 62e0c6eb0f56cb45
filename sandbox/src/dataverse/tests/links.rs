//! Linking rows to one another.

use super::super::privileges::Verb;
use super::*;

#[tokio::test(start_paused = true)]
async fn web_roles_are_linked_and_unlinked() {
    let world = World::new();
    let id = world.invitation(world.contact("Anna"));
    let role = json!({"name": "Customer", "powerpagecomponenttype": 11});
    let role = world.dataverse.insert("powerpagecomponents", &role);
    let relationship = "adx_invitation_mspp_webrole_powerpagecomponent";
    let target = format!("adx_invitations({id})/{relationship}/$ref");
    let absolute = format!("http://dataverse.test/api/data/v9.2/powerpagecomponents({role})");
    let body = json!({"@odata.id": absolute});
    assert_eq!(world.post(&target, &body).await.status, 204);
    assert_eq!(world.dataverse.links(relationship), [(id, role)]);
    assert_eq!(world.post(&target, &body).await.code(), "0x80040237");
    let listed = world
        .get(&format!(
            "adx_invitations({id})/{relationship}?$select=name"
        ))
        .await;
    assert_eq!(listed.body["value"][0]["name"], "Customer");
    let wrong = json!({"@odata.id": format!("contacts({role})")});
    assert_eq!(world.post(&target, &wrong).await.status, 400);
    let gone = format!("adx_invitations({id})/{relationship}({role})/$ref");
    assert_eq!(world.send("DELETE", &gone, &[], "").await.status, 204);
    assert!(world.dataverse.links(relationship).is_empty());
    let classic = format!("adx_invitations({id})/adx_invitation_webrole/$ref");
    assert_eq!(world.post(&classic, &body).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_lookup_is_emptied_by_null_and_by_its_link() {
    let world = World::new();
    let (anna, ben) = (world.contact("Anna"), world.contact("Ben"));
    let id = world.invitation(anna);
    let target = format!("adx_invitations({id})");
    let lookup =
        || world.dataverse.row("adx_invitations", id).unwrap()["_adx_invitecontact_value"].clone();
    world
        .patch(&target, &[], &json!({"adx_inviteContact": null}))
        .await;
    assert_eq!(lookup(), Value::Null);
    let body = json!({"@odata.id": format!("contacts({ben})")}).to_string();
    let link = format!("{target}/adx_inviteContact/$ref");
    assert_eq!(world.send("PUT", &link, &[], &body).await.status, 204);
    assert_eq!(lookup(), json!(ben));
    assert_eq!(world.send("DELETE", &link, &[], "").await.status, 204);
    assert_eq!(lookup(), Value::Null);
}

#[tokio::test(start_paused = true)]
async fn linking_takes_append_on_both_tables_and_append_to_on_the_other() {
    for (set, verb, name) in [
        ("adx_invitations", Verb::Append, "prvAppendadx_invitation"),
        (
            "powerpagecomponents",
            Verb::Append,
            "prvAppendpowerpagecomponent",
        ),
        (
            "powerpagecomponents",
            Verb::AppendTo,
            "prvAppendTopowerpagecomponent",
        ),
    ] {
        let world = World::new();
        let invitation = world.invitation(world.contact("Anna"));
        let row = json!({"name": "A role", "powerpagecomponenttype": 11});
        let role = world.dataverse.insert("powerpagecomponents", &row);
        let link = format!(
            "adx_invitations({invitation})/adx_invitation_mspp_webrole_powerpagecomponent/$ref"
        );
        let root = "http://dataverse.test/api/data/v9.2";
        let body = json!({"@odata.id": format!("{root}/powerpagecomponents({role})")});
        world.dataverse.deny(set, verb);
        let refused = world.post(&link, &body).await;
        assert_eq!(refused.status, 403);
        assert!(
            refused.text.contains(&format!("missing {name} ")),
            "{}",
            refused.text
        );
        world.dataverse.permit(set, verb);
        assert_eq!(world.post(&link, &body).await.status, 204);
    }
}
