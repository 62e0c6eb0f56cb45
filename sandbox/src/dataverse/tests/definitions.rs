//! Definitions, what a customer changes in them, and what the caller may do.

use super::*;
use crate::dataverse::{Redefinition, Verb};

const INVITATIONS: &str = "EntityDefinitions(LogicalName='adx_invitation')";

fn find<'a>(answer: &'a Answered, property: &str, value: &str) -> Option<&'a Value> {
    let all = answer.body["value"].as_array().unwrap();
    all.iter().find(|it| it[property] == value)
}

#[tokio::test(start_paused = true)]
async fn columns_of_one_type_tell_more() {
    let world = World::new();
    let texts = format!(
        "{INVITATIONS}/Attributes/Microsoft.Dynamics.CRM.StringAttributeMetadata?$select=LogicalName,MaxLength"
    );
    let dates = format!(
        "{INVITATIONS}/Attributes/Microsoft.Dynamics.CRM.DateTimeAttributeMetadata?$select=LogicalName,DateTimeBehavior"
    );
    let answer = world.get(&texts).await;
    let code = find(&answer, "LogicalName", "adx_invitationcode").unwrap();
    assert_eq!(code["MaxLength"], 200);
    assert!(find(&answer, "LogicalName", "adx_expirydate").is_none());
    let answer = world.get(&dates).await;
    let expiry = find(&answer, "LogicalName", "adx_expirydate").unwrap();
    assert_eq!(expiry["DateTimeBehavior"], json!({"Value": "UserLocal"}));
    for (column, change) in [
        ("adx_invitationcode", Redefinition::Length(36)),
        ("adx_expirydate", Redefinition::Behavior("DateOnly")),
    ] {
        world.dataverse.redefine("adx_invitations", column, change);
    }
    assert!(world.get(&texts).await.text.contains("\"MaxLength\":36"));
    assert!(world.get(&dates).await.text.contains("\"DateOnly\""));
    let unknown = format!("{INVITATIONS}/Attributes/Microsoft.Dynamics.CRM.MemoAttributeMetadata");
    assert_eq!(world.get(&unknown).await.status, 501);
}

#[tokio::test(start_paused = true)]
async fn a_narrowed_or_missing_column_is_so_for_rows_too() {
    let world = World::new();
    let row =
        json!({"adx_name": "x", "adx_type": 756_150_000, "adx_invitationcode": "y".repeat(43)});
    let row = row.to_string();
    let create = || world.send("POST", "adx_invitations", &[], &row);
    assert_eq!(create().await.status, 204);
    let narrow = Redefinition::Length(42);
    world
        .dataverse
        .redefine("adx_invitations", "adx_invitationcode", narrow);
    assert_eq!(create().await.code(), "0x80044331");
    let missing = Redefinition::Missing;
    world
        .dataverse
        .redefine("adx_invitations", "adx_invitationcode", missing);
    assert_eq!(create().await.code(), "0x80048d19");
    let query = world
        .get("adx_invitations?$select=adx_invitationcode")
        .await;
    assert_eq!(query.status, 400);
    world.dataverse.remove_table("adx_invitations");
    assert_eq!(create().await.status, 404);
    assert_eq!(world.get(INVITATIONS).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn lookups_tell_the_name_they_are_bound_by() {
    let world = World::new();
    let target = format!(
        "{INVITATIONS}/ManyToOneRelationships?$select=ReferencingAttribute,ReferencingEntityNavigationPropertyName"
    );
    let navigation = async || {
        let answer = world.get(&target).await;
        let lookup = find(&answer, "ReferencingAttribute", "adx_invitecontact").unwrap();
        lookup["ReferencingEntityNavigationPropertyName"].clone()
    };
    let contact = world.contact("Anna");
    let bind = async |name: &str| {
        let row = json!({
            "adx_name": "x", "adx_type": 756_150_000,
            format!("{name}@odata.bind"): format!("/contacts({contact})"),
        });
        let row = row.to_string();
        let sent = world.send("POST", "adx_invitations", &[], &row);
        sent.await.status.as_u16()
    };
    assert_eq!(navigation().await, "adx_inviteContact");
    assert_eq!(bind("adx_inviteContact").await, 204);
    assert_eq!(bind("adx_invitecontact").await, 400);
    world.dataverse.lower_case_navigation("adx_invitations");
    assert_eq!(navigation().await, "adx_invitecontact");
    assert_eq!(bind("adx_inviteContact").await, 400);
    assert_eq!(bind("adx_invitecontact").await, 204);
}

#[tokio::test(start_paused = true)]
async fn privileges_are_listed_by_id_and_reach() {
    let world = World::new();
    let list = format!(
        "systemusers({})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges",
        world.dataverse.caller()
    );
    let definition = world
        .get(&format!("{INVITATIONS}?$select=Privileges"))
        .await;
    let defined = definition.body["Privileges"].as_array().unwrap();
    let create = defined
        .iter()
        .find(|it| it["PrivilegeType"] == "Create")
        .unwrap();
    assert_eq!(create["Name"], "prvCreateadx_invitation");
    let depth = async || {
        let body = world.get(&format!("{list}()")).await.body;
        let granted = body["RolePrivileges"].as_array().unwrap().iter();
        let mut granted = granted.filter(|it| it["PrivilegeId"] == create["PrivilegeId"]);
        granted.next().map(|it| it["Depth"].clone())
    };
    assert_eq!(depth().await, Some(json!("Global")));
    world.dataverse.confine("adx_invitations", Verb::Create);
    assert_eq!(depth().await, Some(json!("Basic")));
    world.dataverse.deny("adx_invitations", Verb::Create);
    assert_eq!(depth().await, None);
    world.dataverse.deny("systemusers", Verb::Read);
    let refused = world.get(&list).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("prvReadUser"), "{}", refused.text);
    let other = "systemusers(00000000-0000-0000-0000-000000000001)/Microsoft.Dynamics.CRM.Else";
    assert_eq!(world.get(other).await.status, 501);
}

#[tokio::test(start_paused = true)]
async fn a_confined_privilege_shows_own_rows_only() {
    let world = World::new();
    world.contact("Anna");
    let colleague = world
        .dataverse
        .insert("systemusers", &json!({"fullname": "A colleague"}));
    let row = json!({"firstname": "Ben", "lastname": "B", "_ownerid_value": colleague});
    let ben = world.dataverse.insert("contacts", &row);
    let count = async || {
        world.get("contacts?$select=firstname").await.body["value"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count().await, 2);
    world.dataverse.confine("contacts", Verb::Read);
    assert_eq!(count().await, 1);
    let refused = world
        .get(&format!("contacts({ben})?$select=firstname"))
        .await;
    assert_eq!(refused.status, 403);
}

#[tokio::test(start_paused = true)]
async fn a_condition_leads_through_a_lookup() {
    let world = World::new();
    let insert = |set: &str, row: Value| world.dataverse.insert(set, &row);
    let create = insert("sdkmessages", json!({"name": "Create"}));
    let filter = |table: &str| {
        insert(
            "sdkmessagefilters",
            json!({"primaryobjecttypecode": table, "_sdkmessageid_value": create}),
        )
    };
    for table in ["contact", "adx_invitation"] {
        let row = json!({"name": table, "_sdkmessageid_value": create, "_sdkmessagefilterid_value": filter(table)});
        insert("sdkmessageprocessingsteps", row);
    }
    let target = |condition: &str| {
        let condition = condition.replace(' ', "%20");
        format!(
            "sdkmessageprocessingsteps?$select=name&$expand=sdkmessageid($select=name)&$filter={condition}"
        )
    };
    let one = target(
        "sdkmessagefilterid/primaryobjecttypecode eq 'contact' and sdkmessageid/name eq 'Create'",
    );
    let rows = world.get(&one).await.body["value"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!(
        (&rows[0]["name"], &rows[0]["sdkmessageid"]["name"]),
        (&json!("contact"), &json!("Create"))
    );
    let two = target("sdkmessagefilterid/sdkmessageid/name eq 'Create'");
    assert_eq!(
        world.get(&two).await.body["value"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let wrong = target("sdkmessagefilterid/nosuch eq 'x'");
    assert_eq!(world.get(&wrong).await.status, 400);
    world.dataverse.deny("sdkmessagefilters", Verb::Read);
    assert_eq!(world.get(&one).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn columns_are_noted_by_the_set_they_belong_to() {
    let world = World::new();
    world.get("contacts?$select=firstname").await;
    world
        .dataverse
        .configure(|settings| settings.notes_columns = true);
    world
        .get("contacts?$select=fullname&$filter=emailaddress1%20eq%20null")
        .await;
    let contact = world.contact("Anna");
    let row = json!({
        "adx_name": "x", "adx_type": 756_150_000,
        "adx_inviteContact@odata.bind": format!("/contacts({contact})"),
    });
    world
        .send("POST", "adx_invitations", &[], &row.to_string())
        .await;
    let noted: Vec<_> = world.dataverse.columns_named().into_iter().collect();
    let expected = [
        ("adx_invitations", "adx_invitecontact"),
        ("adx_invitations", "adx_name"),
        ("adx_invitations", "adx_type"),
        ("contacts", "emailaddress1"),
        ("contacts", "fullname"),
    ];
    assert_eq!(noted, expected);
}

#[tokio::test(start_paused = true)]
async fn each_data_model_has_its_own_column_for_the_language_of_a_contact() {
    let world = World::new();
    let (choice, lookup) = ("mspp_userpreferredlcid", "_adx_preferredlanguageid_value");
    for (enhanced, standard) in [(true, false), (false, true), (true, true), (false, false)] {
        world.dataverse.configure(|settings| {
            settings.enhanced_data_model = enhanced;
            settings.standard_data_model = standard;
        });
        for (column, there) in [(choice, enhanced), (lookup, standard)] {
            let answer = world.get(&format!("contacts?$select={column}")).await;
            assert_eq!(answer.status, if there { 200 } else { 400 }, "{column}");
            let name = column.trim_start_matches('_').trim_end_matches("_value");
            let columns = "EntityDefinitions(LogicalName='contact')/Attributes?$select=LogicalName";
            let columns = world.get(columns).await.text;
            assert_eq!(columns.contains(&format!("\"{name}\"")), there, "{name}");
        }
        let languages = world.get("adx_portallanguages").await;
        assert_eq!(languages.status, if standard { 200 } else { 404 });
    }
}

#[tokio::test(start_paused = true)]
async fn contacts_prefer_a_number_of_the_list_or_a_language_that_callers_may_see() {
    let world = World::new();
    let anna = format!("contacts({})", world.contact("Anna"));
    for (number, status) in [(1044, 204), (1045, 204), (1034, 400)] {
        let body = json!({"mspp_userpreferredlcid": number});
        assert_eq!(world.patch(&anna, &[], &body).await.status, status);
    }
    assert_eq!(world.get(&anna).await.body["mspp_userpreferredlcid"], 1045);
    world
        .dataverse
        .configure(|settings| settings.standard_data_model = true);
    let norwegian = world.dataverse.add_portal_language("nb-NO");
    let bind = "adx_preferredlanguageid@odata.bind";
    let body = json!({ bind: format!("/adx_portallanguages({norwegian})") });
    assert_eq!(world.patch(&anna, &[], &body).await.status, 204);
    let lookup = "_adx_preferredlanguageid_value";
    assert_eq!(world.get(&anna).await.body[lookup], json!(norwegian));
    let languages = world.get("adx_portallanguages").await.body;
    assert_eq!(languages["value"][0]["adx_languagecode"], "nb-NO");
    world.dataverse.deny("adx_portallanguages", Verb::Read);
    let answer = world.get("adx_portallanguages").await;
    assert_eq!(answer.status, 403);
    assert!(answer.text.contains("prvReadadx_portallanguage"));
    assert_eq!(world.get(&anna).await.body[lookup], json!(norwegian));
}
