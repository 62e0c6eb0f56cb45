//! What the environment holds before anybody does anything: contacts as real life leaves them, the accounts that they
//! belong to, views of them, web roles, and invitations of the time before.
//!
//! Everything follows from the seed, ids too; a larger number of contacts leaves the first ones as they are.

mod kinds;
mod names;
mod past;
mod people;

use serde_json::json;
use uuid::Uuid;

use self::kinds::Kind;
use self::past::Colleague;
use self::people::{Crowd, ORGANISATIONS, Person};
use crate::Sandbox;

/// Names of the site's web roles, which invitations may give.
const ROLES: [&str; 2] = ["Customer", "Partner"];

/// Names and conditions of the views of contacts.
const VIEWS: [(&str, &str); 4] = [
    (
        "Active contacts",
        r#"<condition attribute="statecode" operator="eq" value="0"/>"#,
    ),
    (
        "Contacts who prefer Norwegian",
        r#"<condition attribute="mspp_userpreferredlcid" operator="eq" value="1044"/>"#,
    ),
    (
        "Contacts at Fabrikam",
        r#"<condition attribute="emailaddress1" operator="like" value="%@fabrikam.example"/>"#,
    ),
    (
        "Contacts without an address",
        r#"<condition attribute="emailaddress1" operator="null"/>"#,
    ),
];

/// The contact to try first.
#[derive(Debug)]
pub(super) struct Someone {
    pub(super) id: Uuid,
    pub(super) name: String,
}

/// The ids of the site's web roles, before they are there: settings name them.
pub(super) fn roles(seed: u64) -> [Uuid; 2] {
    ROLES.map(|name| id(seed, "role", name))
}

/// Fills the environment; gives the first of the contacts.
pub(super) fn seed(sandbox: &Sandbox, seed: u64, count: usize) -> Option<Someone> {
    let dataverse = &sandbox.dataverse;
    for (name, _) in ORGANISATIONS {
        let row = json!({"accountid": id(seed, "account", name), "name": name});
        dataverse.insert("accounts", &row);
    }
    let people = Crowd::new(seed).take(count);
    let entered: Vec<_> = people
        .map(|person| (enter(sandbox, seed, &person), person))
        .collect();
    let mut colleague = Colleague::new(dataverse, seed);
    for (contact, person) in &entered {
        let (name, now) = (person.name.join(" "), sandbox.clock.now());
        colleague.invite(dataverse, *contact, &name, person.kind, now);
    }
    add_views(sandbox);
    add_roles(sandbox, seed);
    let (id, person) = entered.into_iter().next()?;
    Some(Someone {
        id,
        name: person.name.join(" "),
    })
}

fn enter(sandbox: &Sandbox, seed: u64, person: &Person) -> Uuid {
    let account = person
        .organisation
        .map(|place| id(seed, "account", ORGANISATIONS[place].0));
    let mut row = json!({
        "firstname": person.name[0],
        "lastname": person.name[1],
        "emailaddress1": person.address,
        "mspp_userpreferredlcid": person.language,
        "_parentcustomerid_value": account,
    });
    match person.kind {
        Kind::Registered => {
            row["adx_identity_username"] = json!(person.address);
            row["adx_identity_logonenabled"] = json!(true);
        }
        Kind::Inactive => row["statecode"] = json!(1),
        Kind::WantsNoMail => row["donotemail"] = json!(true),
        _ => {}
    }
    sandbox.dataverse.insert("contacts", &row)
}

fn add_views(sandbox: &Sandbox) {
    for (name, condition) in VIEWS {
        let fetch_xml = format!(
            r#"<fetch><entity name="contact"><attribute name="fullname"/><order attribute="fullname"/><filter>{condition}</filter></entity></fetch>"#
        );
        let row = json!({"name": name, "returnedtypecode": "contact", "fetchxml": fetch_xml});
        sandbox.dataverse.insert("savedqueries", &row);
    }
}

fn add_roles(sandbox: &Sandbox, seed: u64) {
    let state = sandbox.dataverse.state();
    let site = state.store.rows("powerpagesite").next().map(|site| site.id);
    drop(state);
    for (name, id) in ROLES.iter().zip(roles(seed)) {
        let row = json!({
            "powerpagecomponentid": id,
            "name": name,
            "powerpagecomponenttype": 11,
            "_powerpagesiteid_value": site,
        });
        sandbox.dataverse.insert("powerpagecomponents", &row);
    }
}

/// An id that others know before the row is there.
fn id(seed: u64, kind: &str, name: &str) -> Uuid {
    let text = format!("{seed}/{kind}/{name}");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Options;

    fn filled(seed: u64, count: usize) -> Sandbox {
        let sandbox = Sandbox::new(Options {
            seed,
            ..Options::default()
        });
        super::seed(&sandbox, seed, count);
        sandbox
    }

    /// Id, name, address and language of each contact.
    fn people(sandbox: &Sandbox) -> Vec<String> {
        let columns = [
            "contactid",
            "fullname",
            "emailaddress1",
            "mspp_userpreferredlcid",
        ];
        let rows = sandbox.dataverse.rows("contacts");
        let shown = rows
            .iter()
            .map(|row| columns.map(|column| row[column].to_string()).join(" "));
        shown.collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn any_number_of_any_seed_fits_the_tables(seed: u64, count in 0_usize..400) {
            let sandbox = filled(seed, count);
            prop_assert_eq!(sandbox.dataverse.rows("contacts").len(), count);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_people_and_more_of_them_change_none() {
        let few = people(&filled(7, 60));
        assert_eq!(few, people(&filled(7, 60)));
        let many = people(&filled(7, 200));
        assert!(few.iter().all(|person| many.contains(person)));
        assert!(!people(&filled(8, 60)).contains(&few[0]));
    }

    #[test]
    fn a_thousand_people_are_as_real_life_leaves_them() {
        let sandbox = filled(1, 1_000);
        let rows = sandbox.dataverse.rows("contacts");
        let share = |what: &str, test: &dyn Fn(&serde_json::Value) -> bool| {
            let found = rows.iter().filter(|row| test(row)).count();
            assert!((15..150).contains(&found), "{what}: {found}");
        };
        let text =
            |row: &serde_json::Value, column| row[column].as_str().unwrap_or_default().to_owned();
        share("no address", &|row| row["emailaddress1"].is_null());
        share("no @", &|row| {
            !row["emailaddress1"].is_null() && !text(row, "emailaddress1").contains('@')
        });
        share("bounces", &|row| {
            text(row, "emailaddress1").ends_with(".invalid")
        });
        share("registered", &|row| !row["adx_identity_username"].is_null());
        share("inactive", &|row| row["statecode"] == 1);
        share("no mail", &|row| row["donotemail"] == true);
        share("long", &|row| text(row, "fullname").chars().count() > 100);
        share("markup", &|row| {
            text(row, "fullname").contains(['<', '"', '='])
        });
        share("right to left", &|row| {
            text(row, "lastname").contains(|letter| ('\u{590}'..'\u{700}').contains(&letter))
        });
        let accounts: std::collections::BTreeSet<_> = rows
            .iter()
            .map(|row| text(row, "_parentcustomerid_value"))
            .collect();
        assert_eq!(accounts.len(), ORGANISATIONS.len() + 1);
    }

    #[test]
    fn those_invited_earlier_have_invitations_of_every_kind_and_the_first_ones_none() {
        let sandbox = filled(1, 48);
        let invitations = sandbox.dataverse.rows("adx_invitations");
        let now = sandbox.clock.now().to_string();
        let count = |status: i64, expired: bool| {
            let of_kind = |row: &&serde_json::Value| {
                let past = row["adx_expirydate"]
                    .as_str()
                    .is_some_and(|at| at < now.as_str());
                row["statuscode"] == status && past == expired
            };
            invitations.iter().filter(of_kind).count()
        };
        let redeemed = invitations
            .iter()
            .filter(|row| row["statuscode"] == 756_150_001);
        assert_eq!(redeemed.count(), 2);
        assert_eq!(
            (
                count(1, false),
                count(756_150_000, false),
                count(756_150_000, true)
            ),
            (1, 1, 1)
        );
        assert!(
            invitations
                .iter()
                .all(|row| row["importsequencenumber"].is_null())
        );
        assert_eq!(filled(1, 10).dataverse.rows("adx_invitations").len(), 0);
    }

    #[test]
    fn the_roles_that_settings_name_are_those_of_the_site() {
        let sandbox = filled(4, 1);
        for role in roles(4) {
            let row = sandbox.dataverse.row("powerpagecomponents", role).unwrap();
            assert_eq!(row["powerpagecomponenttype"], 11);
            assert!(row["_powerpagesiteid_value"].is_string());
        }
    }
}
