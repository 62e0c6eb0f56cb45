//! function-views: the views that a request can name, of both kinds and in order, and none that it would be refused for.

use http::Method;
use sandbox::dataverse::Verb;
use sandbox::{Fault, Rule, Service};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

const CONTACTS: &str =
    "<fetch><entity name=\"contact\"><attribute name=\"contactid\"/></entity></fetch>";

/// A view of contacts, and what makes it differ.
fn insert(world: &World, set: &str, name: &str, differs: &Value) -> Uuid {
    let mut row = json!({"name": name, "returnedtypecode": "contact", "fetchxml": CONTACTS});
    let row_of = row.as_object_mut().unwrap();
    row_of.extend(differs.as_object().unwrap().clone());
    world.sandbox.dataverse.insert(set, &row)
}

/// The views as they are listed.
async fn listed(world: &World) -> Vec<Value> {
    let answer = world.get("/api/views").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let list = answer.json();
    assert_eq!(list.as_object().unwrap().len(), 1, "{list}");
    list["value"].as_array().unwrap().clone()
}

/// Their names, in order.
async fn names(world: &World) -> Vec<Value> {
    let views = listed(world).await.into_iter();
    views.map(|view| view["name"].clone()).collect()
}

#[tokio::test]
async fn both_kinds_are_listed_by_name_and_each_can_be_invited_from() {
    let world = World::start().await;
    world.contact("Ann");
    let none = json!({});
    let mine = insert(&world, "userqueries", "All of mine", &none);
    let south = insert(&world, "savedqueries", "south", &none);
    let north = insert(&world, "savedqueries", "North", &none);
    let ours = insert(&world, "userqueries", "ours", &none);
    let view = |id: Uuid, name: &str, personal: bool| json!({"id": id, "name": name, "personal": personal});
    let expected = [
        view(north, "North", false),
        view(south, "south", false),
        view(mine, "All of mine", true),
        view(ours, "ours", true),
    ];
    let views = listed(&world).await;
    assert_eq!(views, expected);
    for view in views {
        for named in [
            json!({"id": view["id"]}),
            json!({"id": view["id"], "personal": view["personal"]}),
        ] {
            let answer = world.invite(&json!({"view": named, "dryRun": true})).await;
            assert_eq!(answer.outcomes(), ["planned"], "{view}");
        }
    }
}

#[tokio::test]
async fn what_no_request_can_invite_from_is_not_listed() {
    let world = World::start().await;
    let secret = CONTACTS.replace("contactid", "adx_identity_passwordhash");
    for set in ["savedqueries", "userqueries"] {
        insert(&world, set, set, &json!({}));
        for (name, differs) in [
            ("of accounts", json!({"returnedtypecode": "account"})),
            ("quick find", json!({"querytype": 4})),
            ("turned off", json!({"statecode": 1, "statuscode": 2})),
            ("of secrets", json!({ "fetchxml": secret })),
            ("of nothing", json!({"fetchxml": null})),
        ] {
            insert(&world, set, name, &differs);
        }
    }
    let own = insert(&world, "userqueries", "somebody's own", &json!({}));
    world.sandbox.dataverse.keep_private(own);
    assert_eq!(names(&world).await, ["savedqueries", "userqueries"]);
    world.sandbox.dataverse.share(own);
    let shared = ["savedqueries", "somebody's own", "userqueries"];
    assert_eq!(names(&world).await, shared);
    let answer = world.get("/api/views").await;
    assert!(!answer.text.contains("fetch"), "{}", answer.text);
}

#[tokio::test]
async fn a_kind_that_may_not_be_read_is_left_out_with_a_warning() {
    let world = World::start().await;
    let dataverse = &world.sandbox.dataverse;
    insert(&world, "savedqueries", "saved", &json!({}));
    insert(&world, "userqueries", "personal", &json!({}));
    let warnings = || {
        let lines = world.log().into_iter();
        let text = "views of one kind cannot be read and are left out";
        let warnings = lines.filter(|line| line["message"] == text && line["level"] == "WARN");
        warnings
            .map(|line| line["error"].to_string())
            .collect::<Vec<_>>()
    };
    for (set, privilege, left) in [
        ("savedqueries", "prvReadQuery", "personal"),
        ("userqueries", "prvReadUserQuery", "saved"),
    ] {
        let before = warnings().len();
        dataverse.deny(set, Verb::Read);
        assert_eq!(names(&world).await, [left]);
        let warnings = warnings();
        assert_eq!(warnings.len(), before + 1);
        assert!(warnings[before].contains(privilege), "{warnings:?}");
        dataverse.permit(set, Verb::Read);
    }
    dataverse.deny("savedqueries", Verb::Read);
    dataverse.deny("userqueries", Verb::Read);
    world.get("/api/views").await.assert_problem(502, "refused");
}

#[tokio::test]
async fn a_kind_that_cannot_be_read_just_now_is_not_left_out() {
    let world = World::start().await;
    insert(&world, "savedqueries", "saved", &json!({}));
    let broken = Fault::Answer {
        status: 503,
        retry_after_seconds: Some(60),
        code: "0x80040216".to_owned(),
        effect: false,
    };
    let rule = Rule::on(Service::Dataverse, broken).path("userqueries");
    world.sandbox.faults.add(rule.inside_batch());
    world
        .get("/api/views")
        .await
        .assert_problem(503, "unavailable");
}

#[tokio::test]
async fn a_thousand_views_of_a_kind_are_listed_by_one_request() {
    let world = World::start().await;
    for number in (0..1_001).rev() {
        insert(&world, "savedqueries", &format!("{number:04}"), &json!({}));
    }
    insert(&world, "userqueries", "personal", &json!({}));
    let asked = world.count(|fault| Rule::on(Service::Dataverse, fault).method(Method::POST));
    let names = names(&world).await;
    assert_eq!(asked.count(), 1);
    assert_eq!(names.len(), 1_001);
    assert_eq!(
        [&names[0], &names[999], &names[1_000]],
        ["0000", "0999", "personal"]
    );
}
