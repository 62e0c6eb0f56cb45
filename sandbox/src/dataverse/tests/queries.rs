//! Reading rows, views and definitions.

use super::*;
use crate::dataverse::Settings;

pub(super) fn names(answer: &Answered) -> Vec<&str> {
    let rows = answer.body["value"].as_array().unwrap();
    rows.iter()
        .map(|row| row["firstname"].as_str().unwrap())
        .collect()
}

pub(super) fn people(world: &World) {
    for name in ["Anna", "Ben", "Carla", "David", "Eva"] {
        world.contact(name);
    }
}

#[tokio::test(start_paused = true)]
async fn rows_are_chosen_sorted_and_shown() {
    let world = World::new();
    people(&world);
    let target = "contacts?$select=firstname,emailaddress1&$filter=firstname%20gt%20'B'&$orderby=firstname%20desc&$count=true";
    let answer = world.get(target).await;
    assert_eq!(names(&answer), ["Eva", "David", "Carla", "Ben"]);
    assert_eq!(answer.body["@odata.count"], 4);
    let first = answer.body["value"][0].as_object().unwrap();
    let keys: Vec<_> = first.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["@odata.etag", "firstname", "emailaddress1", "contactid"]
    );
    assert_eq!(world.get("contacts/$count").await.text, "5");
}

#[tokio::test(start_paused = true)]
async fn pages_follow_one_another_until_the_last() {
    let world = World::new();
    people(&world);
    let headers = ["prefer: odata.maxpagesize=2"];
    let mut target = "contacts?$select=firstname&$orderby=firstname&$top=1".to_owned();
    let mut seen = Vec::new();
    loop {
        let answer = world.send("GET", &target, &headers, "").await;
        seen.push(names(&answer).join(","));
        let Some(next) = answer.body["@odata.nextLink"].as_str() else {
            break;
        };
        target = next
            .strip_prefix("http://dataverse.test/api/data/v9.2/")
            .unwrap()
            .to_owned();
        // Whoever leaves or comes between two pages moves nobody out of sight.
        if seen.len() == 1 {
            let ben = &answer.body["value"][0]["contactid"];
            world.dataverse.change(
                "contacts",
                ben.as_str().unwrap().parse().unwrap(),
                &json!({"firstname": "Zoe"}),
            );
        }
    }
    assert_eq!(seen, ["Anna,Ben", "Carla,David", "Eva,Zoe"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_page_size_top_is_the_limit() {
    let world = World::new();
    people(&world);
    let answer = world
        .get("contacts?$select=firstname&$orderby=firstname&$top=2")
        .await;
    assert_eq!(names(&answer), ["Anna", "Ben"]);
    assert!(answer.body.get("@odata.nextLink").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_page_never_exceeds_five_thousand_rows() {
    let world = World::new();
    for _ in 0..5_001 {
        world.dataverse.insert("accounts", &json!({"name": "x"}));
    }
    let answer = world.get("accounts?$select=name&$count=true").await;
    assert_eq!(answer.body["value"].as_array().unwrap().len(), 5_000);
    assert_eq!(answer.body["@odata.count"], 5_000);
    assert!(answer.body["@odata.nextLink"].is_string());
}

#[tokio::test(start_paused = true)]
async fn wrong_queries_are_refused() {
    let world = World::new();
    for (target, status) in [
        ("contacts?$skip=2", 400),
        ("contacts?$select=nosuch", 400),
        ("contacts?$select=parentcustomerid", 400),
        ("contacts?$filter=nosuch%20eq%201", 400),
        ("contacts?$filter=contactid%20eq", 400),
        ("contacts?$orderby=fullname%20up", 400),
        ("contacts?$top=0", 400),
        ("contacts?$skiptoken=x", 400),
        ("contacts?$select=fullname&$select=firstname", 400),
        ("contacts?$expand=nosuch", 400),
        ("contacts?$apply=aggregate($count%20as%20n)", 501),
        (
            "contacts?$expand=parentcustomerid_account($expand=primarycontactid)",
            501,
        ),
        ("adx_invitations?$expand=adx_invitation_invitecontacts", 501),
        (
            "contacts?savedQuery=00000000-0000-0000-0000-000000000001",
            404,
        ),
    ] {
        assert_eq!(world.get(target).await.status, status, "{target}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_portal_solutions_their_columns_are_unknown() {
    let world = World::new();
    let target = "contacts?$select=adx_identity_username";
    assert_eq!(world.get(target).await.status, 200);
    world
        .dataverse
        .configure(|settings: &mut Settings| settings.portal_columns = false);
    let answer = world.get(target).await;
    assert_eq!(answer.status, 400);
    let message = "Could not find a property named 'adx_identity_username' on type 'Microsoft.Dynamics.CRM.contact'.";
    assert_eq!(answer.body["error"]["message"], message);
    let columns = world
        .get("EntityDefinitions(LogicalName='contact')/Attributes?$select=LogicalName")
        .await;
    assert!(!columns.text.contains("adx_identity"));
}

#[tokio::test(start_paused = true)]
async fn the_contact_of_an_invitation_is_shown_within() {
    let world = World::new();
    let anna = world.contact("Anna");
    let id = world.invitation(anna);
    let target = format!(
        "adx_invitations({id})?$select=adx_name&$expand=adx_inviteContact($select=fullname),adx_redeemedContact"
    );
    let row = world.get(&target).await.body;
    assert_eq!(row["adx_inviteContact"]["fullname"], "Anna Berg");
    assert_eq!(row["adx_redeemedContact"], Value::Null);
    let followed = world
        .get(&format!("adx_invitations({id})/adx_inviteContact"))
        .await;
    assert_eq!(followed.body["contactid"], json!(anna));
    let annotated = world
        .send(
            "GET",
            &format!("adx_invitations({id})?$select=adx_type,_adx_invitecontact_value"),
            &["prefer: odata.include-annotations=\"*\""],
            "",
        )
        .await
        .body;
    let formatted = "OData.Community.Display.V1.FormattedValue";
    assert_eq!(annotated[format!("adx_type@{formatted}")], "Single");
    assert_eq!(
        annotated[format!("_adx_invitecontact_value@{formatted}")],
        "Anna Berg"
    );
    let logical = "_adx_invitecontact_value@Microsoft.Dynamics.CRM.lookuplogicalname";
    assert_eq!(annotated[logical], "contact");
}

#[tokio::test(start_paused = true)]
async fn fetch_xml_and_views_choose_rows() {
    let world = World::new();
    people(&world);
    let xml = r#"<fetch count="2" page="2"><entity name="contact"><attribute name="firstname"/><attribute name="mobilephone"/><order attribute="firstname"/></entity></fetch>"#;
    let query: String = url::form_urlencoded::byte_serialize(xml.as_bytes()).collect();
    let headers = ["prefer: odata.include-annotations=\"*\""];
    let answer = world
        .send("GET", &format!("contacts?fetchXml={query}"), &headers, "")
        .await;
    assert_eq!(names(&answer), ["Carla", "David"]);
    assert_eq!(answer.body["@Microsoft.Dynamics.CRM.morerecords"], true);
    let cookie = answer.body["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"]
        .as_str()
        .unwrap();
    assert!(cookie.starts_with("<cookie pagenumber=\"3\" pagingcookie=\"%253Ccookie"));
    assert!(answer.body["value"][0].get("mobilephone").is_none());
    let xml = r#"<fetch><entity name="contact"><attribute name="firstname"/><filter><condition attribute="firstname" operator="ge" value="D"/></filter><order attribute="firstname"/></entity></fetch>"#;
    for (set, option) in [("savedqueries", "savedQuery"), ("userqueries", "userQuery")] {
        let view = json!({"name": "D to Z", "returnedtypecode": "contact", "fetchxml": xml});
        let view = world.dataverse.insert(set, &view);
        let headers = ["prefer: odata.maxpagesize=1"];
        let page = world
            .send("GET", &format!("contacts?{option}={view}"), &headers, "")
            .await;
        assert_eq!(names(&page), ["David"]);
        let next = page.body["@odata.nextLink"].as_str().unwrap();
        let next = next
            .strip_prefix("http://dataverse.test/api/data/v9.2/")
            .unwrap();
        assert_eq!(names(&world.send("GET", next, &headers, "").await), ["Eva"]);
        assert_eq!(
            world.get(&format!("accounts?{option}={view}")).await.status,
            400
        );
    }
}

#[tokio::test(start_paused = true)]
async fn definitions_tell_what_the_environment_has() {
    let world = World::new();
    let target = "EntityDefinitions(LogicalName='adx_invitation')?$select=EntitySetName,IsOptimisticConcurrencyEnabled";
    let answer = world.get(target).await.body;
    assert_eq!(answer["EntitySetName"], "adx_invitations");
    assert_eq!(answer["IsOptimisticConcurrencyEnabled"], true);
    world.dataverse.set_optimistic_concurrency(None);
    assert!(
        world
            .get(target)
            .await
            .body
            .get("IsOptimisticConcurrencyEnabled")
            .is_none()
    );
    let target = "EntityDefinitions(LogicalName='adx_invitation')/ManyToManyRelationships?$select=SchemaName";
    let enhanced = world.get(target).await.text;
    assert!(enhanced.contains("adx_invitation_mspp_webrole_powerpagecomponent"));
    assert!(!enhanced.contains("adx_invitation_webrole"));
    world
        .dataverse
        .configure(|settings| settings.standard_data_model = true);
    assert!(
        world
            .get(target)
            .await
            .text
            .contains("adx_invitation_webrole")
    );
    let column = "EntityDefinitions(LogicalName='adx_invitation')/Attributes?$select=LogicalName,SchemaName,AttributeType";
    let columns = world.get(column).await.body;
    let code = columns["value"].as_array().unwrap().iter();
    let code = code
        .into_iter()
        .find(|column| column["LogicalName"] == "adx_invitationcode")
        .unwrap();
    assert_eq!(
        (&code["SchemaName"], &code["AttributeType"]),
        (&json!("adx_invitationCode"), &json!("String"))
    );
    for (target, status) in [
        ("(LogicalName='nosuch')", 404),
        ("", 501),
        ("(LogicalName='contact')/Keys", 501),
    ] {
        assert_eq!(
            world
                .get(&format!("EntityDefinitions{target}"))
                .await
                .status,
            status
        );
    }
}
