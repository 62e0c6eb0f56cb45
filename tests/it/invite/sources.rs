//! Whom to invite, when Dataverse is to say: views, FetchXML and filters, in their order and over several pages.

mod refused;

use std::sync::Arc;

use http::Method;
use sandbox::Service;
use sandbox::dataverse::Verb;
use sandbox::faults::{Fault, Rule};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::trouble::{instead, throttled};
use crate::world::World;

/// FetchXML over contacts, with conditions or whatever else stands in its entity.
fn fetch(inside: &str) -> String {
    format!(
        "<fetch><entity name=\"contact\"><attribute name=\"fullname\"/>{inside}</entity></fetch>"
    )
}

fn view(world: &World, set: &str, table: &str, fetch_xml: &str) -> Uuid {
    let row = json!({"name": "A view", "returnedtypecode": table, "fetchxml": fetch_xml});
    world.sandbox.dataverse.insert(set, &row)
}

/// Contacts that would not get a letter, which is of no importance here: the cheapest entries.
fn silent(world: &World, count: usize) -> Vec<Uuid> {
    let person = |place| world.contact_with(&format!("Silent{place:05}"), &json!({}));
    (0..count).map(person).collect()
}

async fn invited(world: &World, source: Value) -> Vec<Value> {
    let answer = world.invite(&source).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.each("contactId")
}

/// Requests that ask for a page: operations inside a `$batch`.
fn page(fault: Fault) -> Rule {
    let rule = Rule::on(Service::Dataverse, fault).method(Method::GET);
    rule.inside_batch().path("contacts?")
}

const BY_NAME_DOWN: &str = "<order attribute=\"firstname\" descending=\"true\"/>";

#[tokio::test]
async fn each_source_invites_its_contacts_in_its_order() {
    let world = World::start().await;
    let [ann, ben, cleo] = ["Ann", "Ben", "Cleo"].map(|name| world.contact(name));
    world.contact_with("Dan", &json!({"statecode": 1, "statuscode": 2}));
    let active =
        "<filter><condition attribute=\"statecode\" operator=\"eq\" value=\"0\"/></filter>";
    let xml = fetch(&format!("{BY_NAME_DOWN}{active}"));
    let system = view(&world, "savedqueries", "contact", &xml);
    let shared = view(&world, "userqueries", "contact", &xml);
    let sources = [
        json!({"fetchXml": xml}),
        json!({"view": {"id": system}}),
        json!({"view": {"id": system, "personal": false}}),
        json!({"view": {"id": shared, "personal": true}}),
        json!({"view": {"id": shared}}),
    ];
    for mut source in sources {
        source["dryRun"] = json!(true);
        assert_eq!(
            invited(&world, source.clone()).await,
            [json!(cleo), json!(ben), json!(ann)]
        );
        world.assert_untouched();
    }
    let filter = json!({"filter": "statecode eq 0 and startswith(firstname,'B') and lastname ne 'O''Neill & Sons'"});
    assert_eq!(invited(&world, filter).await, [json!(ben)]);
    let answer = world.invite(&json!({"view": {"id": system}})).await;
    assert_eq!(answer.outcomes(), ["sent", "kept", "sent"]);
    world.assert_each_has_one_letter_and_row(&[ann, ben, cleo]);
}

#[tokio::test]
async fn a_view_of_the_system_counts_before_a_personal_one_with_the_same_id() {
    let world = World::start().await;
    let [ann, ben] = ["Ann", "Ben"].map(|name| world.contact(name));
    let id = Uuid::from_u128(7);
    for (set, key, name) in [
        ("savedqueries", "savedqueryid", "Ann"),
        ("userqueries", "userqueryid", "Ben"),
    ] {
        let condition =
            format!("<condition attribute=\"firstname\" operator=\"eq\" value=\"{name}\"/>");
        let xml = fetch(&format!("<filter>{condition}</filter>"));
        let row = json!({key: id, "name": name, "returnedtypecode": "contact", "fetchxml": xml});
        world.sandbox.dataverse.insert(set, &row);
    }
    for (personal, contact) in [(json!(null), ann), (json!(false), ann), (json!(true), ben)] {
        let source = json!({"view": {"id": id, "personal": personal}, "dryRun": true});
        assert_eq!(invited(&world, source).await, [json!(contact)]);
    }
}

#[tokio::test]
async fn a_personal_view_is_found_by_its_id_where_views_of_the_system_may_not_be_read() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let id = view(&world, "userqueries", "contact", &fetch(""));
    let dataverse = &world.sandbox.dataverse;
    dataverse.deny("savedqueries", Verb::Read);
    let source = json!({"view": {"id": id}, "dryRun": true});
    assert_eq!(invited(&world, source.clone()).await, [json!(ann)]);
    dataverse.deny("userqueries", Verb::Read);
    let answer = world.invite(&source).await;
    answer.assert_problem(422, "sourceRejected");
    assert!(answer.text.contains("prvReadQuery"), "{}", answer.text);
}

#[tokio::test]
async fn a_source_is_read_to_its_last_page() {
    let world = World::start().await;
    let mut people = silent(&world, 5_002);
    people.reverse();
    let expected: Vec<_> = people.iter().map(|id| json!(id)).collect();
    let xml = fetch(BY_NAME_DOWN);
    let id = view(&world, "savedqueries", "contact", &xml);
    for (source, pages) in [
        (json!({"view": {"id": id}}), 2),
        (json!({"fetchXml": xml}), 2),
    ] {
        let asked = world.count(page);
        let mut source = source;
        source["dryRun"] = json!(true);
        let found = invited(&world, source.clone()).await;
        assert!(found == expected, "{} contacts of {source}", found.len());
        // The surveys read contacts too, by a thousand ids each.
        let surveys = 51;
        assert_eq!(asked.count(), pages + surveys, "{source}");
    }
    world
        .sandbox
        .dataverse
        .configure(|settings| settings.views_link_pages = false);
    let source = json!({"view": {"id": id}, "dryRun": true});
    assert!(
        invited(&world, source).await == expected,
        "by the view's own FetchXML"
    );
}

#[tokio::test]
async fn top_limits_fetch_xml_to_one_page() {
    let world = World::start().await;
    let people = silent(&world, 3);
    let order = "<order attribute=\"firstname\"/>";
    let xml = fetch(order).replace("<fetch>", "<fetch top='2'>");
    let found = invited(&world, json!({"fetchXml": xml, "dryRun": true})).await;
    assert_eq!(found, [json!(people[0]), json!(people[1])]);
}

#[tokio::test]
async fn a_contact_that_moves_to_a_later_page_is_one_entry() {
    let world = World::start().await;
    let people = silent(&world, 5_001);
    let first = people[0];
    let dataverse = world.sandbox.dataverse.clone();
    let rename = Fault::Call(Arc::new(move || {
        dataverse.change("contacts", first, &json!({"firstname": "Zoe"}));
    }));
    world.sandbox.faults.add(page(rename).skip(1).times(1));
    let xml = fetch("<order attribute=\"firstname\"/>");
    let id = view(&world, "savedqueries", "contact", &xml);
    let answer = world
        .invite(&json!({"view": {"id": id}, "dryRun": true}))
        .await;
    let json = answer.json();
    assert_eq!(json["counts"]["requested"], 5_001);
    assert_eq!(json["counts"]["skipped"], 5_001, "and none as a duplicate");
    assert!(!answer.text.contains("duplicateContact"));
}

#[tokio::test]
async fn an_empty_source_is_a_batch_of_nobody_and_the_same_one_again() {
    let world = World::start().await;
    world.contact("Ann");
    let nobody =
        "<filter><condition attribute=\"firstname\" operator=\"eq\" value=\"Nobody\"/></filter>";
    let xml = fetch(nobody);
    let id = view(&world, "savedqueries", "contact", &xml);
    for (key, source) in [
        ("view", json!({"view": {"id": id}})),
        ("fetch", json!({"fetchXml": xml})),
        ("filter", json!({"filter": "firstname eq 'Nobody'"})),
    ] {
        let answer = world.invite_keyed(key, &source).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json()["ok"], true);
        assert_eq!(answer.json()["results"], json!([]));
        assert_eq!(answer.json()["counts"]["requested"], 0);
        let again = world.invite_keyed(key, &source).await;
        assert_eq!(again.json(), answer.json());
        let asked = world.get(&format!("/api/batches/{}", answer.batch())).await;
        assert_eq!((asked.status, asked.json()), (200, answer.json()));
    }
    assert_eq!(world.stored("open"), [""; 0], "nothing is left to do");
    assert_eq!(world.sandbox.dataverse.writes(), 0);
}

#[tokio::test]
async fn the_same_key_stands_for_the_contacts_that_were_found_first() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let source = json!({"filter": "lastname eq 'Tester'"});
    let first = world.invite_keyed("k", &source).await;
    world.contact("Ben");
    let again = world.invite_keyed("k", &source).await;
    assert_eq!(again.json(), first.json());
    world.assert_each_has_one_letter_and_row(&[ann]);
    assert_eq!(world.sandbox.graph.letters().len(), 1);
}

#[tokio::test]
async fn a_long_filter_goes_through() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let others: Vec<_> = (0..700)
        .map(|n| format!("lastname eq 'Somebody {n:04} else altogether'"))
        .collect();
    let filter = format!("firstname eq 'Ann' or {}", others.join(" or "));
    assert!(filter.len() > 32_768);
    let found = invited(&world, json!({"filter": filter, "dryRun": true})).await;
    assert_eq!(found, [json!(ann)]);
}

#[tokio::test]
async fn throttling_between_two_pages_is_waited_out() {
    let world = World::start().await;
    silent(&world, 5_001);
    let rule = |fault| page(fault).skip(1);
    let struck = world.strike_once(rule, throttled(1));
    let source = json!({"fetchXml": fetch(BY_NAME_DOWN), "dryRun": true});
    assert_eq!(invited(&world, source).await.len(), 5_001);
    assert_eq!(struck.count(), 1);
}

#[tokio::test]
async fn a_service_that_breaks_between_two_pages_is_no_fault_of_the_source() {
    let world = World::start().await;
    silent(&world, 5_001);
    world.sandbox.faults.add(page(instead(500, false)).skip(1));
    let source = json!({"fetchXml": fetch(BY_NAME_DOWN)});
    let answer = world.invite(&source).await;
    answer.assert_problem(503, "unavailable");
    world.assert_untouched();
}
