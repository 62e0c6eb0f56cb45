//! The list of invitations: what an entry says, which filter shows what, and what is refused.

mod cursors;
mod walk;

use std::collections::BTreeMap;

use sandbox::dataverse::Verb;
use sandbox::{Fault, Rule, Service};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Answer, Setup, World};

const PAST: &str = "2020-02-29T22:00:00Z";
const FUTURE: &str = "2099-12-31T22:00:00Z";
const SENT: i32 = 756_150_000;
const REDEEMED: i32 = 756_150_001;
const GROUP: i32 = 756_150_001;

/// A row with a code, and what makes it differ from one that waits to be redeemed.
fn row(differs: &Value) -> Value {
    let mut row = json!({
        "adx_name": "A row", "adx_type": SENT, "adx_invitationcode": "secret-code",
        "adx_expirydate": FUTURE, "adx_maximumredemptions": 1, "statecode": 0, "statuscode": SENT,
    });
    for (name, value) in differs.as_object().unwrap() {
        row[name] = value.clone();
    }
    row
}

fn insert(world: &World, differs: &Value) -> Uuid {
    world
        .sandbox
        .dataverse
        .insert("adx_invitations", &row(differs))
}

/// A row of each kind that matters, by how it stands.
fn one_of_each(world: &World) -> Vec<(&'static str, Uuid)> {
    let closed = |more: Value| {
        let mut row = json!({"statecode": 1, "statuscode": 2, "adx_expirydate": PAST});
        row.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        row
    };
    let kinds = [
        ("unsent", json!({"statuscode": 1})),
        ("unsent", json!({"statuscode": 1, "adx_expirydate": null})),
        ("pending", json!({})),
        ("pending", json!({"adx_expirydate": null})),
        (
            "pending",
            json!({"adx_type": GROUP, "adx_redemptions": 3, "adx_maximumredemptions": 9}),
        ),
        (
            "redeemed",
            json!({"statuscode": REDEEMED, "adx_redemptions": 1}),
        ),
        ("redeemed", json!({"adx_redemptions": 1})),
        (
            "redeemed",
            json!({"adx_redemptions": 1, "adx_expirydate": PAST}),
        ),
        ("redeemed", closed(json!({"adx_redemptions": 1}))),
        ("expired", json!({"adx_expirydate": PAST})),
        ("expired", json!({"statuscode": 1, "adx_expirydate": PAST})),
        ("expired", closed(json!({}))),
        ("revoked", closed(json!({"adx_invitationcode": null}))),
        ("revoked", closed(json!({"adx_expirydate": FUTURE}))),
        ("revoked", closed(json!({"adx_expirydate": null}))),
    ];
    kinds
        .iter()
        .map(|(standing, differs)| (*standing, insert(world, differs)))
        .collect()
}

impl Answer {
    fn entries(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["value"].as_array().unwrap().clone()
    }

    fn ids(&self) -> Vec<Uuid> {
        let id = |entry: &Value| entry["invitationId"].as_str().unwrap().parse().unwrap();
        self.entries().iter().map(id).collect()
    }

    /// The entries' ids, sorted.
    fn set(&self) -> Vec<Uuid> {
        let mut ids = self.ids();
        ids.sort();
        ids
    }
}

fn sorted(ids: impl IntoIterator<Item = Uuid>) -> Vec<Uuid> {
    let mut ids: Vec<_> = ids.into_iter().collect();
    ids.sort();
    ids
}

impl World {
    async fn list(&self, query: &str) -> Answer {
        self.get(&format!("/api/invitations{query}")).await
    }
}

#[tokio::test]
async fn each_row_stands_alike_in_the_whole_list_in_its_filter_and_by_itself() {
    let world = World::start().await;
    let rows = one_of_each(&world);
    let all: BTreeMap<Uuid, Value> = (world.list("").await.entries().into_iter())
        .map(|entry| {
            (
                entry["invitationId"].as_str().unwrap().parse().unwrap(),
                entry,
            )
        })
        .collect();
    assert_eq!(all.len(), rows.len());
    for (standing, id) in &rows {
        assert_eq!(all[id]["standing"], *standing, "{}", all[id]);
        let one = world.list(&format!("/{id}")).await;
        assert_eq!((one.status, &one.json()), (200, &all[id]));
    }
    for standing in ["unsent", "pending", "redeemed", "expired", "revoked"] {
        let wanted = rows.iter().filter(|(name, _)| *name == standing);
        let answer = world.list(&format!("?standing={standing}")).await;
        assert_eq!(
            answer.set(),
            sorted(wanted.map(|(_, id)| *id)),
            "{standing}"
        );
    }
}

#[tokio::test]
async fn an_entry_tells_who_was_invited_who_redeemed_and_when() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let batch = world.invite_contacts(&[ann]).await.batch();
    let row = world.row(ann);
    let entry = world.list("").await.entries().remove(0);
    let expected = json!({
        "invitationId": row["adx_invitationid"], "type": "single",
        "contactId": ann, "contactName": "Ann Tester", "standing": "pending",
        "createdOn": row["createdon"], "expiresOn": row["adx_expirydate"],
        "redemptions": 0, "batch": batch,
    });
    assert_eq!(entry, expected);
    let code = row["adx_invitationcode"].as_str().unwrap();
    let portal = &world.sandbox.portal;
    portal.redeem(code, "ann", "ann@customer.example").unwrap();
    // Later changes must not pass for the redemption.
    world.sandbox.age(jiff::SignedDuration::from_hours(5));
    let id = row["adx_invitationid"].as_str().unwrap().parse().unwrap();
    let touched = json!({"adx_name": "Filed away"});
    world
        .sandbox
        .dataverse
        .change("adx_invitations", id, &touched);
    let redemption = world
        .sandbox
        .dataverse
        .rows("adx_inviteredemptions")
        .remove(0);
    let entry = world.list("").await.entries().remove(0);
    assert_eq!(entry["standing"], "redeemed");
    assert_eq!(entry["redemptions"], 1);
    assert_eq!(entry["redeemedOn"], redemption["createdon"]);
    assert_eq!(
        entry["redeemedBy"],
        json!({"contactId": ann, "name": "Ann Tester"})
    );
}

#[tokio::test]
async fn a_code_used_twice_shows_the_last_redemption() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    world.invite_contacts(&[ann]).await;
    let row = world.row(ann);
    let id: Uuid = row["adx_invitationid"].as_str().unwrap().parse().unwrap();
    for day in [
        "2026-03-01T10:00:00Z",
        "2026-03-09T10:00:00Z",
        "2026-03-04T10:00:00Z",
    ] {
        let redemption =
            json!({"subject": "ann", "createdon": day, "_regardingobjectid_value": id});
        world
            .sandbox
            .dataverse
            .insert("adx_inviteredemptions", &redemption);
    }
    let counted = json!({"adx_redemptions": 3, "_adx_redeemedcontact_value": ann});
    world
        .sandbox
        .dataverse
        .change("adx_invitations", id, &counted);
    let entry = world.list(&format!("/{id}")).await.json();
    assert_eq!(entry["redeemedOn"], "2026-03-09T10:00:00Z");
}

#[tokio::test]
async fn without_the_right_to_read_redemptions_only_their_moment_is_missing() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    insert(
        &world,
        &json!({"adx_redemptions": 1, "_adx_redeemedcontact_value": ann}),
    );
    world
        .sandbox
        .dataverse
        .deny("adx_inviteredemptions", Verb::Read);
    let entry = world.list("").await.entries().remove(0);
    assert_eq!(entry["redeemedBy"]["contactId"], json!(ann));
    assert_eq!(entry["redeemedOn"], Value::Null);
    let warned = |line: &Value| line.to_string().contains("prvReadActivity");
    assert!(
        world.log().iter().any(warned),
        "the log names the privilege"
    );
}

#[tokio::test]
async fn filters_narrow_the_list_alone_and_together() {
    let world = World::start().await;
    let (ann, bob) = (world.contact("Ann"), world.contact("Bob"));
    let batch = 1_234_567_890;
    let of = |contact: Uuid, more: Value| {
        let mut row = json!({"_adx_invitecontact_value": contact});
        row.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        insert(&world, &row)
    };
    let ours = of(ann, json!({"importsequencenumber": batch}));
    let theirs = of(ann, json!({"statuscode": 1}));
    let others = of(bob, json!({"importsequencenumber": batch}));
    let group = insert(
        &world,
        &json!({"adx_type": GROUP, "importsequencenumber": 7}),
    );
    for (query, expected) in [
        (String::new(), vec![ours, theirs, others, group]),
        (format!("?contactId={ann}"), vec![ours, theirs]),
        (format!("?batch={batch}"), vec![ours, others]),
        (format!("?batch={batch}&contactId={ann}"), vec![ours]),
        (format!("?contactId={ann}&standing=unsent"), vec![theirs]),
        (format!("?batch={}", batch + 1), vec![]),
        (
            format!("?contactId={}&code=x&clientId=y", Uuid::nil()),
            vec![],
        ),
    ] {
        let answer = world.list(&query).await;
        assert_eq!(answer.set(), sorted(expected), "{query}");
        assert_eq!(answer.json()["nextCursor"], Value::Null);
    }
    let entry = world.list(&format!("/{group}")).await.json();
    assert_eq!(
        (&entry["type"], &entry["batch"]),
        (&json!("group"), &Value::Null)
    );
}

#[tokio::test]
async fn another_site_s_invitations_are_neither_listed_nor_found() {
    let (ours, theirs) = (Uuid::from_u128(0xa11), Uuid::from_u128(0xb0b));
    let setup = Setup::default().setting("PORTAL_WEBSITE_ID", &ours.to_string());
    let world = setup.start().await;
    for site in [ours, theirs] {
        let site = json!({"powerpagesiteid": site, "name": "A site"});
        world.sandbox.dataverse.insert("powerpagesites", &site);
    }
    let own = insert(&world, &json!({"_mspp_websiteid_value": ours}));
    let unbound = insert(&world, &json!({}));
    let foreign = insert(&world, &json!({"_mspp_websiteid_value": theirs}));
    assert_eq!(world.list("").await.set(), sorted([own, unbound]));
    for (id, status) in [(own, 200), (unbound, 200), (foreign, 404)] {
        assert_eq!(world.list(&format!("/{id}")).await.status, status);
    }
    let foreign = world.list(&format!("/{foreign}")).await;
    foreign.assert_problem(404, "invitationNotFound");
}

#[tokio::test]
async fn an_unknown_invitation_is_a_problem_with_its_own_code() {
    let world = World::start().await;
    for id in [
        Uuid::from_u128(1).to_string(),
        "nonsense".to_owned(),
        "%FF".to_owned(),
    ] {
        let answer = world.list(&format!("/{id}")).await;
        answer.assert_problem(404, "invitationNotFound");
    }
}

#[tokio::test]
async fn every_mistake_in_the_parameters_is_told_at_once() {
    let world = World::start().await;
    let query = "?standing=lost&contactId=1&batch=5&top=1001&cursor=x&stading=pending&top=3";
    let answer = world.list(query).await;
    answer.assert_problem(400, "invalidRequest");
    let mut fields = answer.wrong_fields();
    fields.sort();
    let expected = ["batch", "contactId", "cursor", "stading", "standing", "top"];
    assert_eq!(fields, expected);
    for query in [
        "?top=0",
        "?top=",
        "?top=1001",
        "?top=1.5",
        "?standing=",
        "?contactId={x}",
    ] {
        world
            .list(query)
            .await
            .assert_problem(400, "invalidRequest");
    }
    assert_eq!(world.list("?top=1000").await.status, 200);
    assert_eq!(world.list("/?top=1").await.status, 200);
}

#[tokio::test]
async fn no_answer_and_no_line_of_the_log_holds_a_code() {
    let world = World::start().await;
    let rows = one_of_each(&world);
    let mut texts = vec![world.list("").await.text];
    for (_, id) in rows {
        texts.push(world.list(&format!("/{id}")).await.text);
    }
    let log = world.log().into_iter().map(|line| line.to_string());
    for text in texts.into_iter().chain(log) {
        assert!(!text.contains("secret-code"), "{text}");
    }
}

#[tokio::test]
async fn trouble_with_dataverse_is_not_an_empty_list() {
    let world = World::start().await;
    insert(&world, &json!({}));
    world.sandbox.dataverse.deny("adx_invitations", Verb::Read);
    world.list("").await.assert_problem(502, "refused");
    world
        .sandbox
        .dataverse
        .permit("adx_invitations", Verb::Read);
    let down = Fault::Answer {
        status: 400,
        retry_after_seconds: None,
        code: "0x80040203".to_owned(),
        effect: false,
    };
    let rule = Rule::on(Service::Dataverse, down).path("adx_invitations");
    world.sandbox.faults.add(rule.inside_batch().times(1));
    world.list("").await.assert_problem(502, "refused");
    assert_eq!(world.list("").await.ids().len(), 1);
}
