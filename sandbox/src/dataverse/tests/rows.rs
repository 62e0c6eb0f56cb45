//! Making, changing and removing rows.

use super::*;
use crate::dataverse::Verb;

#[tokio::test(start_paused = true)]
async fn a_new_row_is_found_by_its_entity_id() {
    let world = World::new();
    let contact = world.contact("Anna");
    let made = world.post("adx_invitations", &invitation(contact)).await;
    assert_eq!((made.status.as_u16(), made.text.as_str()), (204, ""));
    let address = made.header("odata-entityid");
    let target = address
        .strip_prefix("http://dataverse.test/api/data/v9.2/")
        .unwrap();
    let row = world.get(target).await.body;
    assert_eq!(row["_adx_invitecontact_value"], json!(contact));
    assert_eq!(
        (&row["statecode"], &row["statuscode"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(row["createdon"], "2026-11-22T10:00:00Z");
    assert_eq!(row["_createdby_value"], json!(world.dataverse.caller()));
    assert_eq!(row["_ownerid_value"], json!(world.dataverse.caller()));
    assert_eq!(world.dataverse.writes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_row_is_shown_to_those_who_ask() {
    let world = World::new();
    let body = invitation(world.contact("Anna")).to_string();
    let headers = ["prefer: return=representation"];
    let target = "adx_invitations?$select=adx_invitationcode";
    let made = world.send("POST", target, &headers, &body).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.body["adx_invitationcode"], "code");
    assert_eq!(made.body["@odata.etag"], made.header("etag"));
    assert!(made.body["adx_invitationid"].is_string());
    assert!(made.body.get("adx_name").is_none());
}

#[tokio::test(start_paused = true)]
async fn wrong_payloads_write_nothing() {
    let world = World::new();
    let contact = world.contact("Anna");
    let nobody = Uuid::from_u128(7);
    for (change, status, code) in [
        (
            json!({"adx_invitecontact@odata.bind": format!("/contacts({contact})")}),
            400,
            "0x80048d19",
        ),
        (
            json!({"adx_inviterContact@odata.bind": format!("/contacts({contact})")}),
            400,
            "0x80048d19",
        ),
        (
            json!({"adx_inviteContact@odata.bind": format!("/accounts({contact})")}),
            400,
            "0x80048d19",
        ),
        (
            json!({"adx_inviteContact@odata.bind": format!("/contacts({nobody})")}),
            404,
            "0x80040217",
        ),
        (
            json!({"_adx_invitecontact_value": contact}),
            400,
            "0x80048d19",
        ),
        (json!({"adx_redeemlimit": 1}), 400, "0x80048d19"),
        (
            json!({"createdon": "2026-11-22T10:00:00Z"}),
            400,
            "0x80048d19",
        ),
        (json!({"adx_name": "x".repeat(201)}), 400, "0x80044331"),
        (json!({"adx_type": 1}), 400, "0x80044331"),
        (json!({"adx_maximumredemptions": 0}), 400, "0x80044331"),
        (json!({"adx_type": null}), 400, "0x80040203"),
        (json!({"statuscode": 2}), 400, "0x80048408"),
        (
            json!({"@odata.type": "Microsoft.Dynamics.CRM.contact"}),
            400,
            "0x80048d19",
        ),
    ] {
        let mut body = invitation(contact);
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let answer = world.post("adx_invitations", &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (status, code),
            "{change}"
        );
    }
    assert!(world.dataverse.rows("adx_invitations").is_empty());
    assert_eq!(world.dataverse.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn conditions_decide_between_making_and_changing() {
    let world = World::new();
    let contact = world.contact("Anna");
    let id = Uuid::from_u128(9);
    let target = format!("adx_invitations({id})");
    let body = invitation(contact);
    let missing = world.patch(&target, &["if-match: *"], &body).await;
    assert_eq!(
        (missing.status.as_u16(), missing.code()),
        (404, "0x80040217")
    );
    let made = world.patch(&target, &["if-none-match: *"], &body).await;
    assert_eq!(made.status, 204);
    let again = world.patch(&target, &["if-none-match: *"], &body).await;
    assert_eq!((again.status.as_u16(), again.code()), (412, "0x80040237"));
    let twice = json!({"adx_invitationid": id, "adx_name": "x", "adx_type": 756_150_000});
    assert_eq!(world.post("adx_invitations", &twice).await.status, 412);
    let changed = world
        .patch(
            &target,
            &["if-match: *"],
            &json!({"statuscode": 756_150_000}),
        )
        .await;
    assert_eq!(changed.status, 204);
    assert_eq!(
        world.dataverse.row("adx_invitations", id).unwrap()["statuscode"],
        756_150_000
    );
    assert_eq!(world.dataverse.writes(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_change_without_a_condition_makes_a_missing_row_again() {
    let world = World::new();
    let id = world.invitation(world.contact("Anna"));
    assert!(world.dataverse.delete("adx_invitations", id));
    let body = json!({"adx_name": "Again", "adx_type": 756_150_000});
    let headers = ["prefer: return=representation", "if-none-match: null"];
    let target = format!("adx_invitations({id})");
    assert_eq!(world.patch(&target, &headers, &body).await.status, 201);
    assert_eq!(world.patch(&target, &headers, &body).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_old_etag_does_not_overwrite() {
    let world = World::new();
    let id = world.invitation(world.contact("Anna"));
    let target = format!("adx_invitations({id})");
    let etag = world.get(&target).await.header("etag").to_owned();
    let condition = format!("if-match: {etag}");
    assert_eq!(
        world
            .send("GET", &target, &[&format!("if-none-match: {etag}")], "")
            .await
            .status,
        304
    );
    world
        .dataverse
        .change("adx_invitations", id, &json!({"adx_redemptions": 1}));
    let sent = json!({"statuscode": 756_150_000});
    let late = world.patch(&target, &[&condition], &sent).await;
    assert_eq!((late.status.as_u16(), late.code()), (412, "0x80060882"));
    assert_eq!(
        world
            .send("DELETE", &target, &[&condition], "")
            .await
            .status,
        412
    );
    let fresh = format!("if-match: {}", world.get(&target).await.header("etag"));
    assert_eq!(world.patch(&target, &[&fresh], &sent).await.status, 204);
    assert_eq!(
        world.patch(&target, &["if-match: 12"], &sent).await.status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn equal_values_keep_the_etag_only_where_told_so() {
    let world = World::new();
    let id = world.invitation(world.contact("Anna"));
    let target = format!("adx_invitations({id})");
    let version = async || world.get(&target).await.header("etag").to_owned();
    let before = version().await;
    world
        .patch(&target, &[], &json!({"adx_invitationcode": "code"}))
        .await;
    let after = version().await;
    assert_ne!(before, after);
    world
        .dataverse
        .configure(|settings| settings.equal_values_keep_etag = true);
    world
        .patch(&target, &[], &json!({"adx_invitationcode": "code"}))
        .await;
    assert_eq!(version().await, after);
    assert_eq!(world.dataverse.writes(), 1);
}

#[tokio::test(start_paused = true)]
async fn states_and_status_reasons_stay_in_step() {
    let world = World::new();
    let id = world.invitation(world.contact("Anna"));
    let target = format!("adx_invitations({id})");
    let standing = async |body: Value| {
        let status = world.patch(&target, &[], &body).await.status.as_u16();
        let row = world.dataverse.row("adx_invitations", id).unwrap();
        (
            status,
            row["statecode"].as_i64().unwrap(),
            row["statuscode"].as_i64().unwrap(),
        )
    };
    assert_eq!(standing(json!({"statuscode": 2})).await, (400, 0, 1));
    assert_eq!(standing(json!({"statecode": 1})).await, (204, 1, 2));
    assert_eq!(
        standing(json!({"statecode": 1, "statuscode": 1})).await,
        (400, 1, 2)
    );
    let redeemed = json!({"statecode": 0, "statuscode": 756_150_001});
    assert_eq!(standing(redeemed).await, (204, 0, 756_150_001));
}

#[tokio::test(start_paused = true)]
async fn a_process_may_give_new_invitations_its_own_code() {
    let world = World::new();
    world.dataverse.overwrite_codes_at_create(true);
    let body = invitation(world.contact("Anna")).to_string();
    let headers = ["prefer: return=representation"];
    let made = world.send("POST", "adx_invitations", &headers, &body).await;
    let code = made.body["adx_invitationcode"].as_str().unwrap();
    assert_eq!(code.len(), 172);
    assert!(code.ends_with('-') && !code.contains(['+', '/', '=']));
}

#[tokio::test(start_paused = true)]
async fn privileges_are_asked_for() {
    let world = World::new();
    let contact = world.contact("Anna");
    let id = world.invitation(contact);
    for (set, verb, method, target) in [
        (
            "adx_invitations",
            Verb::Create,
            "POST",
            "adx_invitations".to_owned(),
        ),
        (
            "adx_invitations",
            Verb::Append,
            "POST",
            "adx_invitations".to_owned(),
        ),
        (
            "contacts",
            Verb::AppendTo,
            "POST",
            "adx_invitations".to_owned(),
        ),
        (
            "adx_invitations",
            Verb::Write,
            "PATCH",
            format!("adx_invitations({id})"),
        ),
        (
            "adx_invitations",
            Verb::Delete,
            "DELETE",
            format!("adx_invitations({id})"),
        ),
        (
            "contacts",
            Verb::Read,
            "GET",
            format!("contacts({contact})"),
        ),
        ("contacts", Verb::Read, "GET", "contacts".to_owned()),
    ] {
        world.dataverse.deny(set, verb);
        let body = if method == "GET" {
            String::new()
        } else {
            invitation(contact).to_string()
        };
        let refused = world.send(method, &target, &[], &body).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (403, "0x80040220"),
            "{set} {verb:?}"
        );
        world.dataverse.permit(set, verb);
    }
    assert_eq!(world.dataverse.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_batch_number_is_written_once() {
    let world = World::new();
    let mut body = invitation(world.contact("Anna"));
    body["importsequencenumber"] = json!(1_000_000_000);
    let target = "adx_invitations(00000000-0000-0000-0000-000000000009)";
    assert_eq!(world.patch(target, &[], &body).await.status, 204);
    assert_eq!(
        world
            .patch(target, &[], &json!({"importsequencenumber": 2}))
            .await
            .status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_name_follows_its_parts() {
    let world = World::new();
    let id = world.contact("Anna");
    world
        .patch(&format!("contacts({id})"), &[], &json!({"firstname": null}))
        .await;
    assert_eq!(
        world.dataverse.row("contacts", id).unwrap()["fullname"],
        "Berg"
    );
}
