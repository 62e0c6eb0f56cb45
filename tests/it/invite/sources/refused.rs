//! Sources that are refused: what the caller is told, and that nothing was written.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{fetch, silent, view};
use crate::world::{Answer, World};

/// The one mistake that a refused source has: its field and what is said of it.
#[track_caller]
fn rejected(answer: &Answer) -> (String, String) {
    answer.assert_problem(422, "sourceRejected");
    let errors = answer.json()["errors"].clone();
    assert_eq!(errors.as_array().unwrap().len(), 1, "{errors}");
    let text = |field: &str| errors[0][field].as_str().unwrap().to_owned();
    (text("field"), text("message"))
}

async fn assert_rejected(world: &World, source: Value, field: &str, says: &str) {
    let answer = world.invite(&source).await;
    let (named, message) = rejected(&answer);
    assert_eq!(named, field, "{source}");
    assert!(message.contains(says), "{source}: {message}");
    world.assert_untouched();
}

#[tokio::test]
async fn a_request_has_exactly_one_source() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let view = json!({"id": Uuid::from_u128(1)});
    let wrong = [
        (json!({}), vec!["contactIds"]),
        (json!({"view": null, "filter": null}), vec!["contactIds"]),
        (json!({"contactIds": [ann], "view": view}), vec!["view"]),
        (
            json!({"view": view, "fetchXml": "<fetch/>"}),
            vec!["fetchXml"],
        ),
        (
            json!({"fetchXml": "<fetch/>", "filter": "x"}),
            vec!["filter"],
        ),
        (
            json!({"contactIds": [ann], "view": view, "fetchXml": "<fetch/>", "filter": "x"}),
            vec!["view", "fetchXml", "filter"],
        ),
        (json!({"view": {}}), vec!["view.id"]),
        (json!({"view": {"id": "x"}}), vec!["view.id"]),
        (json!({"view": {"id": null}}), vec!["view.id"]),
        (
            json!({"view": {"id": ann, "personal": "yes"}}),
            vec!["view.personal"],
        ),
        (json!({"view": {"id": ann, "name": "x"}}), vec!["view.name"]),
        (json!({"view": ann}), vec!["view"]),
        (json!({"fetchXml": 1}), vec!["fetchXml"]),
        (json!({"fetchXml": " "}), vec!["fetchXml"]),
        (json!({"filter": ""}), vec!["filter"]),
        (json!({"filter": ["x"]}), vec!["filter"]),
        (json!({"filter": "x".repeat(65_537)}), vec!["filter"]),
    ];
    for (body, fields) in wrong {
        let answer = world.invite(&body).await;
        answer.assert_problem(400, "invalidRequest");
        assert_eq!(answer.wrong_fields(), fields, "{body}");
    }
    let asked = world.sandbox.traffic.count(sandbox::Service::Dataverse);
    assert_eq!(asked, 0);
    world.assert_untouched();
}

#[tokio::test]
async fn what_dataverse_says_of_a_source_reaches_the_caller() {
    let world = World::start().await;
    world.contact("Ann");
    let unknown = "<filter><condition attribute=\"nosuch\" operator=\"null\"/></filter>";
    let source = json!({"fetchXml": fetch(unknown)});
    assert_rejected(&world, source, "fetchXml", "attribute with Name = 'nosuch'").await;
    let source = json!({"filter": "firstname eq"});
    assert_rejected(&world, source, "filter", "Syntax error at position").await;
    let source = json!({"filter": "nosuch eq 1", "dryRun": true});
    assert_rejected(&world, source, "filter", "'nosuch'").await;
    let broken = view(&world, "savedqueries", "contact", &fetch(unknown));
    let source = json!({"view": {"id": broken}});
    assert_rejected(&world, source, "view", "'nosuch'").await;
    world
        .sandbox
        .dataverse
        .deny("contacts", sandbox::dataverse::Verb::Read);
    let source = json!({"filter": "firstname eq 'Ann'"});
    assert_rejected(&world, source, "filter", "prvReadContact").await;
}

#[tokio::test]
async fn addresses_in_what_dataverse_says_are_taken_out() {
    let world = World::start().await;
    let answer = world
        .invite(&json!({"filter": "emailaddress1 eq 'ann@customer.example"}))
        .await;
    let (_, message) = rejected(&answer);
    assert!(!message.contains("customer.example"), "{message}");
}

#[tokio::test]
async fn a_view_must_exist_show_contacts_and_be_shared() {
    let world = World::start().await;
    world.contact("Ann");
    let nowhere = Uuid::from_u128(7);
    for personal in [json!(false), json!(true), Value::Null] {
        let source = json!({"view": {"id": nowhere, "personal": personal}});
        assert_rejected(&world, source.clone(), "view", "Does Not Exist").await;
        assert_rejected(&world, source, "view", "must be shared with the app's user").await;
    }
    let accounts = "<fetch><entity name=\"account\"/></fetch>";
    for (set, personal) in [("savedqueries", false), ("userqueries", true)] {
        let id = view(&world, set, "account", accounts);
        let source = json!({"view": {"id": id, "personal": personal}});
        assert_rejected(&world, source, "view", "rows of contact").await;
    }
    let own = view(&world, "userqueries", "contact", &fetch(""));
    world.sandbox.dataverse.keep_private(own);
    let sources = [json!({"id": own, "personal": true}), json!({"id": own})]
        .map(|view| json!({"view": view, "dryRun": true}));
    for source in sources.clone() {
        let hint = "must be shared with the app's user";
        assert_rejected(&world, source, "view", hint).await;
    }
    world.sandbox.dataverse.share(own);
    for source in sources {
        assert_eq!(world.invite(&source).await.outcomes(), ["planned"]);
    }
}

#[tokio::test]
async fn no_source_may_ask_about_the_secrets_of_sign_ins() {
    let world = World::start().await;
    let hash = json!({"adx_identity_passwordhash": "AHash", "adx_identity_securitystamp": "stamp"});
    world.contact_with("Ann", &hash);
    let condition = |name: &str| {
        fetch(&format!(
            "<filter><condition attribute=\"{name}\" operator=\"like\" value=\"A%\"/></filter>"
        ))
    };
    let names = [
        "adx_identity_passwordhash",
        "ADX_Identity_PasswordHash",
        "&#97;dx_identity_passwordhash",
        "adx&#x5F;identity_securitystamp",
    ];
    for name in names {
        let source = json!({"fetchXml": condition(name)});
        assert_rejected(&world, source, "fetchXml", "adx_identity_").await;
        for (set, personal) in [("savedqueries", false), ("userqueries", true)] {
            let id = view(&world, set, "contact", &condition(name));
            let source = json!({"view": {"id": id, "personal": personal}});
            assert_rejected(&world, source, "view", "adx_identity_").await;
        }
    }
    for filter in [
        "startswith(adx_identity_passwordhash,'A')",
        "ADX_IDENTITY_PASSWORDHASH eq 'AHash'",
        "parentcustomerid_contact/adx_identity_securitystamp ne null",
    ] {
        let source = json!({"filter": filter, "dryRun": true});
        assert_rejected(&world, source, "filter", "adx_identity_").await;
    }
    let order = fetch("<order attribute=\"adx_identity_passwordhash\"/>");
    assert_rejected(
        &world,
        json!({"fetchXml": order}),
        "fetchXml",
        "adx_identity_",
    )
    .await;
}

#[tokio::test]
async fn fetch_xml_that_gives_no_list_of_contacts_is_refused() {
    let world = World::start().await;
    let contact = fetch("");
    let with = |attribute: &str| contact.replace("<fetch>", &format!("<fetch {attribute}>"));
    let wrong = [
        ("<fetch>".to_owned(), "well-formed"),
        (
            format!("<!DOCTYPE fetch [<!ENTITY e 'x'>]>{contact}"),
            "well-formed",
        ),
        (contact.replace("fetch>", "fetsch>"), "<fetch>"),
        ("<fetch/>".to_owned(), "<fetch>"),
        (
            "<fetch><entity name=\"account\"/></fetch>".to_owned(),
            "rows of contact",
        ),
        (with("aggregate='true'"), "aggregate"),
        (with("distinct='1'"), "distinct"),
        (with("page='2'"), "top limits the rows"),
        (with("count='50'"), "top limits the rows"),
    ];
    for (xml, says) in wrong {
        assert_rejected(&world, json!({"fetchXml": xml}), "fetchXml", says).await;
    }
    let asked = world.sandbox.traffic.count(sandbox::Service::Dataverse);
    assert_eq!(asked, 0, "none of it reached Dataverse");
}

#[tokio::test]
async fn more_contacts_than_fit_are_refused_and_nothing_is_written() {
    let world = World::start().await;
    silent(&world, 20_001);
    let id = view(&world, "savedqueries", "contact", &fetch(""));
    for source in [
        json!({"view": {"id": id}}),
        json!({"fetchXml": fetch("")}),
        json!({"filter": "lastname eq 'Tester'"}),
    ] {
        let answer = world.invite_keyed("k", &source).await;
        answer.assert_problem(413, "tooManyContacts");
        world.assert_untouched();
    }
}
