//! Pages by cookie, their size, and whose views callers see.

use super::queries::{names, people};
use super::*;

/// The cookie of a page, decoded as documented.
fn cookie_of(answer: &Answered) -> String {
    let annotation = &answer.body["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"];
    let outer = roxmltree::Document::parse(annotation.as_str().unwrap()).unwrap();
    let twice = outer.root_element().attribute("pagingcookie").unwrap();
    let decode = |text: &str| {
        let bytes = percent_encoding::percent_decode_str(text);
        bytes.decode_utf8().unwrap().into_owned()
    };
    decode(&decode(twice))
}

async fn fetch_page(world: &World, page: usize, cookie: &str) -> Answered {
    let cookie = cookie.replace('&', "&amp;").replace('<', "&lt;");
    let xml = format!(
        "<fetch count='2' page='{page}' paging-cookie='{cookie}'><entity name='contact'><attribute name='firstname'/><order attribute='firstname'/></entity></fetch>"
    );
    let query: String = url::form_urlencoded::byte_serialize(xml.as_bytes()).collect();
    let headers = ["prefer: odata.include-annotations=\"*\""];
    world
        .send("GET", &format!("contacts?fetchXml={query}"), &headers, "")
        .await
}

#[tokio::test(start_paused = true)]
async fn a_page_of_fetch_xml_begins_where_the_cookie_says() {
    let world = World::new();
    people(&world);
    let without_a_row = "<cookie page=\"1\"/>";
    assert_eq!(fetch_page(&world, 1, without_a_row).await.status, 400);
    let xml = "<fetch count='2'><entity name='contact'><attribute name='firstname'/><order attribute='firstname'/></entity></fetch>";
    let query: String = url::form_urlencoded::byte_serialize(xml.as_bytes()).collect();
    let headers = ["prefer: odata.include-annotations=\"*\""];
    let target = format!("contacts?fetchXml={query}");
    let first = world.send("GET", &target, &headers, "").await;
    let cookie = cookie_of(&first);
    assert!(
        cookie.starts_with(
            "<cookie page=\"1\"><firstname last=\"Ben\" first=\"Anna\" /><contactid last=\"{"
        ),
        "{cookie}"
    );
    world.contact("Aaron");
    assert_eq!(
        names(&fetch_page(&world, 2, &cookie).await),
        ["Carla", "David"]
    );
    let skipping = fetch_page(&world, 3, &cookie).await;
    assert_eq!(names(&skipping), ["David", "Eva"], "by number alone");
}

#[tokio::test(start_paused = true)]
async fn pages_larger_than_there_are_are_refused() {
    let world = World::new();
    for size in ["0", "5001"] {
        let header = format!("prefer: odata.maxpagesize={size}");
        let answer = world.send("GET", "contacts", &[&header], "").await;
        assert_eq!(answer.status, 501, "{size}");
    }
    let fetch =
        "contacts?fetchXml=%3Cfetch%20count='5001'%3E%3Centity%20name='contact'/%3E%3C/fetch%3E";
    assert_eq!(world.get(fetch).await.status, 501);
}

#[tokio::test(start_paused = true)]
async fn a_personal_view_is_seen_only_when_it_is_shared() {
    let world = World::new();
    people(&world);
    let xml = "<fetch><entity name=\"contact\"><attribute name=\"firstname\"/></entity></fetch>";
    let view = json!({"name": "Mine", "returnedtypecode": "contact", "fetchxml": xml});
    let view = world.dataverse.insert("userqueries", &view);
    world.dataverse.keep_private(view);
    let [apply, read] = [
        format!("contacts?userQuery={view}"),
        format!("userqueries({view})"),
    ];
    for target in [&apply, &read] {
        let answer = world.get(target).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["error"]["code"]),
            (403, &json!("0x80040220"))
        );
    }
    assert_eq!(world.get("userqueries").await.body["value"], json!([]));
    world.dataverse.share(view);
    for target in [&apply, &read] {
        assert_eq!(world.get(target).await.status, 200);
    }
    let unknown = world.get(&format!("contacts?savedQuery={view}")).await;
    assert_eq!(
        (unknown.status.as_u16(), &unknown.body["error"]["code"]),
        (404, &json!("0x80040217"))
    );
}
