//! What is refused, how the caller learns what was wrong, and that nothing is written then.

use http::Method;
use sandbox::host::Forwarding;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Answer, Setup, World};

async fn post_raw(world: &World, body: impl Into<Vec<u8>>) -> Answer {
    let json = [("content-type", "application/json")];
    world
        .request(Method::POST, "/api/invitations", &json, Some(body.into()))
        .await
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let world = World::start().await;
    let deep = "[".repeat(100_000);
    let bodies = [
        "",
        "contactIds=1",
        "{\"contactIds\":[",
        "[]",
        "null",
        "\"text\"",
        deep.as_str(),
    ];
    for body in bodies {
        post_raw(&world, body)
            .await
            .assert_problem(400, "invalidJson");
    }
    post_raw(&world, [b'{', 0xff, b'}'])
        .await
        .assert_problem(400, "invalidJson");
    world.assert_untouched();
}

#[tokio::test]
async fn each_field_of_the_wrong_kind_is_named() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let wrong = [
        ("whenPending", json!("perhaps")),
        ("whenPending", json!(1)),
        ("inviterContactId", json!("Ida")),
        ("assignToAccountId", json!(["x"])),
        ("redemptionWorkflowId", json!("{}")),
        ("language", json!(1)),
        ("template", json!({})),
        ("subject", json!("x".repeat(256))),
        ("message", json!("x".repeat(2_001))),
        ("message", json!(["x"])),
        ("returnUrl", json!("https://evil.example/")),
        ("returnUrl", json!("//evil.example/")),
        ("returnUrl", json!("/\\evil.example/")),
        ("returnUrl", json!("orders")),
        ("sendEmail", json!("false")),
        ("includeRegistered", json!(1)),
        ("requestedBy", json!("x".repeat(101))),
        ("dryRun", json!("true")),
        ("contactids", json!([ann])),
        ("webRole", json!("x")),
        ("", json!("x")),
    ];
    for (field, value) in wrong {
        let mut body = json!({ "contactIds": [ann] });
        body[field] = value.clone();
        let answer = world.invite(&body).await;
        answer.assert_problem(400, "invalidRequest");
        assert_eq!(answer.wrong_fields(), [field], "{value}");
    }
    world.assert_untouched();
}

#[tokio::test]
async fn what_is_wrong_is_said_so_that_a_maker_can_put_it_right() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let guid = "must be a guid with hyphens and without braces";
    let wrong = [
        (json!({"contactIds": [format!("{{{ann}}}")]}), guid),
        (json!({"contactIds": [ann], "webRoleIds": ["x"]}), guid),
        (
            json!({"contactIds": [ann], "view": null, "inviterContactId": "x"}),
            guid,
        ),
        (
            json!({"contactIds": [ann], "expiresOn": "2020-02-29"}),
            "must not be a day that is over",
        ),
        (
            json!({"contactIds": [ann], "language": "xx"}),
            "is not one of the languages that the setting LANGUAGES names",
        ),
        (
            json!({"view": ann}),
            "must be an object with the id of a view",
        ),
    ];
    for (body, says) in wrong {
        let answer = world.invite(&body).await;
        assert_eq!(answer.json()["errors"][0]["message"], says, "{body}");
    }
    let answer = world.get("/api/batches/1000000001?outcome=send").await;
    assert_eq!(
        answer.json()["errors"][0]["message"],
        "must be sent, created, kept, pending, planned, skipped, failed or unconfirmed"
    );
}

#[tokio::test]
async fn every_mistake_is_told_at_once() {
    let world = World::start().await;
    let body = json!({
        "contactIds": ["x"], "validDays": 0, "returnUrl": "x", "sendEmail": 1, "colour": "red"
    });
    let answer = world.invite(&body).await;
    answer.assert_problem(400, "invalidRequest");
    assert_eq!(
        answer.wrong_fields(),
        [
            "contactIds[0]",
            "validDays",
            "returnUrl",
            "sendEmail",
            "colour"
        ]
    );
}

#[tokio::test]
async fn contacts_must_be_a_list_of_ids() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let wrong = [
        (json!({}), "contactIds"),
        (json!({"contactIds": null}), "contactIds"),
        (json!({"contactIds": []}), "contactIds"),
        (json!({"contactIds": ann}), "contactIds"),
        (json!({"contactIds": {"0": ann}}), "contactIds"),
        (json!({"contactIds": [ann, "x"]}), "contactIds[1]"),
        (json!({"contactIds": [ann, 7, ann]}), "contactIds[1]"),
        (json!({"contactIds": [[ann]]}), "contactIds[0]"),
        (json!({"contactIds": [format!("{ann} ")]}), "contactIds[0]"),
    ];
    for (body, field) in wrong {
        let answer = world.invite(&body).await;
        answer.assert_problem(400, "invalidRequest");
        assert_eq!(answer.wrong_fields(), [field], "{body}");
    }
    world.assert_untouched();
}

#[tokio::test]
async fn more_contacts_than_fit_are_refused_before_anything_is_read() {
    let world = World::start().await;
    let contacts: Vec<Uuid> = (0..20_001).map(Uuid::from_u128).collect();
    let answer = world.invite_contacts(&contacts).await;
    answer.assert_problem(413, "tooManyContacts");
    assert!(answer.text.contains("20000"), "{}", answer.text);
    let asked = world.sandbox.traffic.count(sandbox::Service::Dataverse);
    assert_eq!(asked, 0);
    world.assert_untouched();
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_either_host() {
    for forwarding in [Forwarding::Proxy, Forwarding::Forward] {
        let setup = Setup {
            forwarding,
            ..Setup::default()
        };
        let world = setup.start().await;
        let mut body = json!({"contactIds": [world.contact("Ann")]}).to_string();
        body.push_str(&" ".repeat(2 * 1024 * 1024));
        let answer = post_raw(&world, body).await;
        answer.assert_problem(413, "bodyTooLarge");
        world.assert_untouched();
    }
}

#[tokio::test]
async fn a_wrong_method_or_path_finds_no_function() {
    let world = World::start().await;
    for (method, path) in [
        (Method::GET, "/api/invitations/new"),
        (Method::PUT, "/api/invitations"),
        (Method::POST, "/api/batches/1234567890"),
        (Method::GET, "/api/nothing"),
        (Method::POST, "/api/function-dispatch"),
        (Method::POST, "/function-dispatch"),
    ] {
        let answer = world.request(method.clone(), path, &[], None).await;
        assert_eq!(answer.status, 404, "{method} {path}");
    }
    world.assert_untouched();
}

#[tokio::test]
async fn the_handler_itself_refuses_wrong_methods_and_paths() {
    let world = World::start().await;
    let handler = world.host.handler_url().unwrap();
    let at = |path: &str| handler.join(path).unwrap();
    for (method, path) in [
        (Method::PUT, "/api/invitations"),
        (Method::POST, "/api/batches/1234567890"),
        (Method::GET, "/function-dispatch"),
    ] {
        let answer = world.request(method, at(path).as_str(), &[], None).await;
        answer.assert_problem(405, "methodNotAllowed");
    }
    for path in ["/api", "/api/nothing", "/api/invitations/x/y"] {
        let answer = world.get(at(path).as_str()).await;
        answer.assert_problem(404, "notFound");
    }
    world.assert_untouched();
}

#[tokio::test]
async fn a_batch_that_does_not_exist_is_not_found() {
    let world = World::start().await;
    for number in [
        "1234567890",
        "12",
        "-1",
        "abc",
        "99999999999999999999",
        "%ff",
    ] {
        let answer = world.get(&format!("/api/batches/{number}")).await;
        answer.assert_problem(404, "batchNotFound");
    }
}

#[tokio::test]
async fn a_query_that_makes_no_sense_is_refused() {
    let world = World::start().await;
    let batch = world.invite_contacts(&[world.contact("Ann")]).await.batch();
    for (query, field) in [
        ("outcome=happy", Some("outcome")),
        ("outcome=", Some("outcome")),
        ("top=0", Some("top")),
        ("top=5001", Some("top")),
        ("top=ten", Some("top")),
        ("cursor=-1", Some("cursor")),
        ("cursor=x", Some("cursor")),
        ("top=1&top=2", None),
    ] {
        let answer = world.get(&format!("/api/batches/{batch}?{query}")).await;
        answer.assert_problem(400, "invalidRequest");
        let fields = answer.wrong_fields();
        assert_eq!(fields.first().map(String::as_str), field, "{query}");
    }
}

#[tokio::test]
async fn null_means_not_given() {
    let world = World::start().await;
    let body = json!({
        "contactIds": [world.contact("Ann")],
        "validDays": null, "expiresOn": null, "whenPending": null, "message": null,
        "returnUrl": null, "sendEmail": null, "dryRun": null, "inviterContactId": Value::Null,
    });
    assert_eq!(world.invite(&body).await.outcomes(), ["sent"]);
}
