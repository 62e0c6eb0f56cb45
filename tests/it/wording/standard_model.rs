//! The standard data model: a contact refers to a row of languages, which the role may not be allowed to read.

use std::collections::BTreeMap;

use sandbox::dataverse::Verb;
use sandbox::{Fault, Rule, Service};
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use super::{in_three_languages, last_letter, subject};
use crate::world::{Setup, World};

const LANGUAGES: &str = "adx_portallanguages";

/// A stage in the standard data model, with some languages of the site by their codes.
async fn standard() -> (World, BTreeMap<&'static str, Uuid>, TempDir) {
    let (world, templates) = in_three_languages(Setup::default()).await;
    let dataverse = &world.sandbox.dataverse;
    dataverse.configure(|settings| {
        settings.standard_data_model = true;
        settings.enhanced_data_model = false;
    });
    let codes = ["en-US", "nb-NO", "da-DK", "fi-FI"];
    let languages = codes.map(|code| (code, dataverse.add_portal_language(code)));
    (world, languages.into(), templates)
}

fn contact(world: &World, first: &str, language: Uuid) -> Uuid {
    let email = format!("{}@customer.example", first.to_lowercase());
    let columns = json!({"emailaddress1": email, "_adx_preferredlanguageid_value": language});
    world.contact_with(first, &columns)
}

/// How often the languages of the site were asked for.
fn readings(world: &World) -> usize {
    let entries = world.sandbox.traffic.entries();
    let asked = entries
        .iter()
        .filter(|entry| entry.path.contains(LANGUAGES));
    asked.count()
}

fn warnings(world: &World) -> usize {
    let lines = world.log();
    let warning = lines.iter().filter(|line| {
        let line = line.to_string();
        line.contains("preferred languages cannot be told") && line.contains("WARN")
    });
    warning.count()
}

#[tokio::test]
async fn the_row_that_a_contact_refers_to_tells_its_language() {
    let (world, languages, _templates) = standard().await;
    for (code, subject, path) in [
        ("nb-NO", "nb invitation", "/nb-NO/register"),
        ("da-DK", "da invitation", "/register"),
        ("fi-FI", "en invitation", "/en-US/register"),
    ] {
        let contact = contact(&world, code, languages[code]);
        let answer = world.invite_contacts(&[contact]).await;
        assert_eq!(answer.outcomes(), ["sent"]);
        let expected = (subject.to_owned(), path.to_owned());
        assert_eq!(last_letter(&world, contact), expected);
    }
    let others: Vec<_> = (0..15)
        .map(|place| contact(&world, &format!("Nora{place}"), languages["nb-NO"]))
        .collect();
    assert_eq!(world.invite_contacts(&others).await.status, 200);
    assert_eq!(readings(&world), 1);
}

#[tokio::test]
async fn without_the_privilege_letters_are_in_the_default_language_with_one_warning() {
    let (world, languages, _templates) = standard().await;
    world.sandbox.dataverse.deny(LANGUAGES, Verb::Read);
    let contacts = ["Nora", "Nils"].map(|name| contact(&world, name, languages["nb-NO"]));
    for contact in contacts {
        let answer = world.invite_contacts(&[contact]).await;
        assert_eq!(answer.outcomes(), ["sent"]);
        assert_eq!(subject(&world, contact), "en invitation");
    }
    assert_eq!((readings(&world), warnings(&world)), (1, 1));
}

#[tokio::test]
async fn a_language_that_is_gone_is_looked_for_once_and_the_default_serves() {
    let (world, languages, _templates) = standard().await;
    let nora = contact(&world, "Nora", languages["nb-NO"]);
    let gone = contact(&world, "Nils", Uuid::from_u128(7));
    assert_eq!(
        world.invite_contacts(&[nora, gone]).await.outcomes(),
        ["sent"; 2]
    );
    assert_eq!(subject(&world, nora), "nb invitation");
    assert_eq!(subject(&world, gone), "en invitation");
    assert_eq!((readings(&world), warnings(&world)), (1, 0));
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again() {
    let (world, languages, _templates) = standard().await;
    let lost = Rule::on(Service::Dataverse, Fault::DropBefore).path(LANGUAGES);
    world.sandbox.faults.add(lost.times(1));
    let nora = contact(&world, "Nora", languages["nb-NO"]);
    assert_eq!(world.invite_contacts(&[nora]).await.outcomes(), ["sent"]);
    assert_eq!(subject(&world, nora), "nb invitation");
}

#[tokio::test]
async fn languages_are_read_only_where_a_letter_depends_on_them() {
    let (world, languages, _templates) = standard().await;
    let nora = contact(&world, "Nora", languages["nb-NO"]);
    let check = json!({"contactIds": [nora], "dryRun": true});
    assert_eq!(world.invite(&check).await.outcomes(), ["planned"]);
    let asked = json!({"contactIds": [nora], "language": "da"});
    assert_eq!(world.invite(&asked).await.outcomes(), ["sent"]);
    assert_eq!(readings(&world), 0);
}

#[tokio::test]
async fn with_both_data_models_the_number_counts_before_the_row() {
    let (world, languages, _templates) = standard().await;
    let dataverse = &world.sandbox.dataverse;
    dataverse.configure(|settings| settings.enhanced_data_model = true);
    let nora = contact(&world, "Nora", languages["da-DK"]);
    dataverse.change("contacts", nora, &json!({"mspp_userpreferredlcid": 1044}));
    let dagny = contact(&world, "Dagny", languages["da-DK"]);
    assert_eq!(
        world.invite_contacts(&[nora, dagny]).await.outcomes(),
        ["sent"; 2]
    );
    assert_eq!(subject(&world, nora), "nb invitation");
    assert_eq!(subject(&world, dagny), "da invitation");
}
