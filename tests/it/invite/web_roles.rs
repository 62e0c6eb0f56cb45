//! Web roles: found in either data model, allowed by a setting, and given in the same step as the row.

use sandbox::{Fault, Rule, Service};
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use crate::trouble::instead;
use crate::world::{Setup, World};

const CUSTOMER: Uuid = uuid!("cccccccc-0000-4000-8000-000000000001");
const PARTNER: Uuid = uuid!("cccccccc-0000-4000-8000-000000000002");
const PAGE: Uuid = uuid!("cccccccc-0000-4000-8000-000000000003");
const CLASSIC: Uuid = uuid!("cccccccc-0000-4000-8000-000000000004");
const OTHER_SITE: Uuid = uuid!("cccccccc-0000-4000-8000-000000000005");
const NOBODY: Uuid = uuid!("cccccccc-0000-4000-8000-00000000000f");
const SITE: Uuid = uuid!("cccccccc-0000-4000-8000-0000000000a1");

const ENHANCED: &str = "adx_invitation_mspp_webrole_powerpagecomponent";
const STANDARD: &str = "adx_invitation_webrole";

async fn with_roles(setup: Setup) -> World {
    let allowed = [CUSTOMER, PARTNER, PAGE, CLASSIC, OTHER_SITE, NOBODY];
    let allowed = allowed.map(|id| id.to_string()).join(",");
    let world = setup.setting("ALLOWED_WEB_ROLES", &allowed).start().await;
    for (id, kind) in [(CUSTOMER, 11), (PARTNER, 11), (PAGE, 2)] {
        let row =
            json!({"powerpagecomponentid": id, "name": "A role", "powerpagecomponenttype": kind});
        world.sandbox.dataverse.insert("powerpagecomponents", &row);
    }
    world
}

fn asking(contacts: &[Uuid], roles: &[Uuid]) -> Value {
    json!({"contactIds": contacts, "webRoleIds": roles})
}

/// The roles of a contact's only row.
fn roles_of(world: &World, contact: Uuid, relationship: &str) -> Vec<Uuid> {
    let id: Uuid = world.row(contact)["adx_invitationid"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let links = world.sandbox.dataverse.links(relationship);
    let mut roles: Vec<_> = links
        .into_iter()
        .filter(|(row, _)| *row == id)
        .map(|(_, role)| role)
        .collect();
    roles.sort();
    roles
}

#[tokio::test]
async fn each_invitation_gives_the_roles_asked_for() {
    let world = with_roles(Setup::default()).await;
    let people = world.contacts(3);
    let answer = world
        .invite(&asking(&people, &[CUSTOMER, PARTNER, CUSTOMER]))
        .await;
    assert_eq!(answer.outcomes(), ["sent"; 3]);
    for contact in &people {
        assert_eq!(roles_of(&world, *contact, ENHANCED), [CUSTOMER, PARTNER]);
    }
    world.assert_each_has_one_letter_and_row(&people);
}

#[tokio::test]
async fn the_standard_data_model_has_a_table_of_roles() {
    let world = with_roles(Setup::default()).await;
    world.sandbox.dataverse.configure(|settings| {
        settings.standard_data_model = true;
        settings.enhanced_data_model = false;
    });
    let row = json!({"adx_webroleid": CLASSIC, "adx_name": "Customer"});
    world.sandbox.dataverse.insert("adx_webroles", &row);
    let ann = world.contact("Ann");
    let answer = world.invite(&asking(&[ann], &[CLASSIC])).await;
    assert_eq!(answer.outcomes(), ["sent"]);
    assert_eq!(roles_of(&world, ann, STANDARD), [CLASSIC]);
}

#[tokio::test]
async fn an_environment_with_both_models_gives_a_role_from_each() {
    let world = with_roles(Setup::default()).await;
    let dataverse = &world.sandbox.dataverse;
    dataverse.configure(|settings| settings.standard_data_model = true);
    let row = json!({"adx_webroleid": CLASSIC, "adx_name": "Customer"});
    dataverse.insert("adx_webroles", &row);
    let ann = world.contact("Ann");
    let answer = world.invite(&asking(&[ann], &[CUSTOMER, CLASSIC])).await;
    assert_eq!(answer.outcomes(), ["sent"]);
    assert_eq!(roles_of(&world, ann, ENHANCED), [CUSTOMER]);
    assert_eq!(roles_of(&world, ann, STANDARD), [CLASSIC]);
}

#[tokio::test]
async fn a_role_that_does_not_exist_or_is_another_component_fails_every_entry() {
    let setup = Setup::default().setting("PORTAL_WEBSITE_ID", &SITE.to_string());
    let world = with_roles(setup).await;
    let dataverse = &world.sandbox.dataverse;
    let other = dataverse.insert("powerpagesites", &json!({"name": "Another site"}));
    let row = json!({
        "powerpagecomponentid": OTHER_SITE, "name": "Customer", "powerpagecomponenttype": 11,
        "_powerpagesiteid_value": other,
    });
    dataverse.insert("powerpagecomponents", &row);
    let people = world.contacts(2);
    for roles in [[NOBODY, CUSTOMER], [CUSTOMER, PAGE], [CUSTOMER, OTHER_SITE]] {
        let answer = world.invite(&asking(&people, &roles)).await;
        assert_eq!(answer.outcomes(), ["failed roleNotFound"; 2], "{roles:?}");
    }
    assert_eq!(world.sandbox.dataverse.writes(), 0);
}

#[tokio::test]
async fn roles_that_no_setting_allows_are_refused() {
    let setup = Setup::default().setting("ALLOWED_WEB_ROLES", &CUSTOMER.to_string());
    let world = setup.start().await;
    let ann = world.contact("Ann");
    let answer = world.invite(&asking(&[ann], &[CUSTOMER, PARTNER])).await;
    answer.assert_problem(403, "notAllowed");
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("ALLOWED_WEB_ROLES"), "{detail}");
    world.assert_untouched();
}

#[tokio::test]
async fn a_list_of_roles_is_read_strictly() {
    let world = with_roles(Setup::default()).await;
    let ann = world.contact("Ann");
    let many: Vec<_> = (0..11).map(Uuid::from_u128).collect();
    for (roles, field) in [
        (json!(CUSTOMER), "webRoleIds"),
        (json!(many), "webRoleIds"),
        (json!([CUSTOMER, "admin"]), "webRoleIds[1]"),
        (json!([7]), "webRoleIds[0]"),
    ] {
        let answer = world
            .invite(&json!({"contactIds": [ann], "webRoleIds": roles}))
            .await;
        answer.assert_problem(400, "invalidRequest");
        assert_eq!(answer.wrong_fields(), [field]);
    }
    world.assert_untouched();
}

/// Every step of the transaction may fail: then there is neither row nor role, and the other contacts have both.
#[tokio::test]
async fn a_row_that_cannot_get_its_role_is_not_there_at_all() {
    let world = with_roles(Setup::default()).await;
    let people = world.contacts(5);
    let refused = Rule::on(Service::Dataverse, instead(403, false));
    world
        .sandbox
        .faults
        .add(refused.path(ENHANCED).inside_batch().skip(1).times(1));
    let answer = world.invite(&asking(&people, &[CUSTOMER])).await;
    let outcomes = answer.outcomes();
    assert_eq!(
        outcomes.iter().filter(|outcome| *outcome == "sent").count(),
        4
    );
    let place = outcomes
        .iter()
        .position(|outcome| outcome == "failed dataverseRefused");
    let refused = people[place.unwrap_or_else(|| panic!("{outcomes:?}"))];
    assert_eq!(world.rows(refused), [Value::Null; 0]);
    assert_eq!(world.sandbox.dataverse.links(ENHANCED).len(), 4);
}

#[tokio::test]
async fn an_answer_that_is_lost_makes_no_second_row_and_no_second_role() {
    let world = with_roles(Setup::default()).await;
    let people = world.contacts(3);
    let lost = Rule::on(Service::Dataverse, Fault::DropAfter).path(ENHANCED);
    world.sandbox.faults.add(lost.inside_batch().times(2));
    let answer = world.invite(&asking(&people, &[CUSTOMER, PARTNER])).await;
    assert_eq!(answer.outcomes(), ["sent"; 3]);
    world.assert_each_has_one_letter_and_row(&people);
    assert_eq!(world.sandbox.dataverse.links(ENHANCED).len(), 6);
}

#[tokio::test]
async fn a_hundred_contacts_with_roles_fit_the_limits_of_a_batch() {
    let world = with_roles(Setup::default()).await;
    let people = world.contacts(101);
    let answer = world.invite(&asking(&people, &[CUSTOMER, PARTNER])).await;
    assert_eq!(answer.json()["counts"]["failed"], 0, "{}", answer.text);
    assert_eq!(world.sandbox.dataverse.links(ENHANCED).len(), 202);
}
