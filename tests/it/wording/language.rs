//! The language of a letter: what the request says, else what the contact prefers, else the default.

use std::sync::Arc;

use http::Method;
use sandbox::{Fault, Rule, Service};
use serde_json::{Value, json};

use super::{contact, in_three_languages, last_letter, remind, resend, subject, usual_and};
use crate::world::Setup;

const NORWEGIAN: i64 = 1044;
const DANISH: i64 = 1030;
const FINNISH: i64 = 1035;

#[tokio::test]
async fn a_contact_is_written_to_in_the_language_it_prefers() {
    let (world, _templates) = in_three_languages(Setup::default()).await;
    let cases = [
        ("Nora", Some(NORWEGIAN), "nb invitation", "/nb-NO/register"),
        ("Dagny", Some(DANISH), "da invitation", "/register"),
        ("Aino", Some(FINNISH), "en invitation", "/en-US/register"),
        ("Ann", None, "en invitation", "/en-US/register"),
    ];
    let contacts = cases.map(|(name, language, ..)| contact(&world, name, language));
    let answer = world.invite_contacts(&contacts).await;
    assert_eq!(answer.outcomes(), ["sent"; 4]);
    for (contact, (name, _, subject, path)) in contacts.into_iter().zip(cases) {
        let expected = (subject.to_owned(), path.to_owned());
        assert_eq!(last_letter(&world, contact), expected, "{name}");
    }
}

#[tokio::test]
async fn the_request_decides_where_it_names_a_language() {
    let (world, _templates) = in_three_languages(Setup::default()).await;
    let contacts = [
        contact(&world, "Nora", Some(NORWEGIAN)),
        contact(&world, "Ann", None),
    ];
    let body = json!({"contactIds": contacts, "language": "da"});
    assert_eq!(world.invite(&body).await.outcomes(), ["sent"; 2]);
    for contact in contacts {
        let letter = last_letter(&world, contact);
        assert_eq!(letter, ("da invitation".into(), "/register".into()));
    }
}

#[tokio::test]
async fn the_default_is_the_settings() {
    let setup = Setup::default().setting("DEFAULT_LANGUAGE", "da");
    let (world, _templates) = in_three_languages(setup).await;
    let ann = contact(&world, "Ann", None);
    assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
    assert_eq!(subject(&world, ann), "da invitation");
}

#[tokio::test]
async fn what_the_contact_prefers_when_the_letter_is_made_counts() {
    let (world, _templates) = in_three_languages(Setup::default()).await;
    let nora = contact(&world, "Nora", Some(DANISH));
    let dataverse = world.sandbox.dataverse.clone();
    let change = Fault::Call(Arc::new(move || {
        let language = json!({"mspp_userpreferredlcid": NORWEGIAN});
        dataverse.change("contacts", nora, &language);
    }));
    let at_creation = Rule::on(Service::Dataverse, change).inside_batch();
    let at_creation = at_creation.method(Method::PATCH).path("adx_invitations(");
    world.sandbox.faults.add(at_creation.times(1));
    assert_eq!(world.invite_contacts(&[nora]).await.outcomes(), ["sent"]);
    assert_eq!(subject(&world, nora), "nb invitation");
}

#[tokio::test]
async fn a_link_that_is_handed_over_leads_to_the_pages_in_the_contacts_language() {
    let setup = Setup::default().setting("ALLOW_LINKS", "true");
    let (world, _templates) = in_three_languages(setup).await;
    let contacts = [
        contact(&world, "Nora", Some(NORWEGIAN)),
        contact(&world, "Dagny", Some(DANISH)),
        contact(&world, "Ann", None),
    ];
    let mut body = json!({"contactIds": contacts, "sendEmail": false});
    let paths = |answer: crate::world::Answer| {
        let links = answer.each("redeemUrl");
        let path = |link: &Value| {
            let link: url::Url = link.as_str().unwrap().parse().unwrap();
            link.path().to_owned()
        };
        links.iter().map(path).collect::<Vec<_>>()
    };
    let answer = world.invite_keyed("own", &body).await;
    let expected = ["/nb-NO/register", "/register", "/en-US/register"];
    assert_eq!(paths(answer), expected);
    body["language"] = json!("nb");
    body["whenPending"] = json!("replace");
    let answer = world.invite_keyed("asked", &body).await;
    assert_eq!(paths(answer), ["/nb-NO/register"; 3]);
}

#[tokio::test]
async fn a_letter_that_follows_is_in_the_language_preferred_by_then() {
    let (world, _templates) = in_three_languages(Setup::default()).await;
    let nora = contact(&world, "Nora", Some(DANISH));
    assert_eq!(world.invite_contacts(&[nora]).await.outcomes(), ["sent"]);
    assert_eq!(subject(&world, nora), "da invitation");
    let prefers = |language: Option<i64>| {
        let language = json!({ "mspp_userpreferredlcid": language });
        world.sandbox.dataverse.change("contacts", nora, &language);
    };
    prefers(Some(NORWEGIAN));
    resend(&world, nora, &json!({})).await;
    let letter = last_letter(&world, nora);
    assert_eq!(letter, ("nb invitation".into(), "/nb-NO/register".into()));
    resend(&world, nora, &json!({"language": "da"})).await;
    assert_eq!(subject(&world, nora), "da invitation");
    prefers(None);
    remind(&world, &[nora]).await;
    assert_eq!(subject(&world, nora), "en reminder", "as the first request");
}

#[tokio::test]
async fn a_language_that_was_asked_for_is_kept_by_what_follows() {
    let (world, _templates) = in_three_languages(Setup::default()).await;
    let nora = contact(&world, "Nora", Some(NORWEGIAN));
    let body = json!({"contactIds": [nora], "language": "da"});
    assert_eq!(world.invite(&body).await.outcomes(), ["sent"]);
    resend(&world, nora, &json!({})).await;
    assert_eq!(subject(&world, nora), "da invitation");
    remind(&world, &[nora]).await;
    assert_eq!(subject(&world, nora), "da reminder");
}

#[tokio::test]
async fn reminders_in_several_languages_are_one_batch() {
    let (world, _templates) = in_three_languages(Setup::default()).await;
    let contacts = [
        contact(&world, "Nora", Some(NORWEGIAN)),
        contact(&world, "Dagny", Some(DANISH)),
        contact(&world, "Ann", None),
    ];
    assert_eq!(
        world.invite_contacts(&contacts).await.outcomes(),
        ["sent"; 3]
    );
    let tally = remind(&world, &contacts).await;
    assert_eq!(
        (&tally["planned"], &tally["batches"]),
        (&json!(3), &json!(1))
    );
    let subjects = contacts.map(|contact| subject(&world, contact));
    assert_eq!(subjects, ["nb reminder", "da reminder", "en reminder"]);
}

#[tokio::test]
async fn a_language_without_the_template_asked_for_gives_way_to_the_default() {
    let templates = usual_and(&["en", "nb"], &[("en", "board")]);
    let world = Setup::default()
        .setting("TEMPLATE_DIR", templates.path().to_str().unwrap())
        .setting("LANGUAGES", "en,nb")
        .start()
        .await;
    let nora = contact(&world, "Nora", Some(NORWEGIAN));
    let mut body = json!({"contactIds": [nora], "template": "board", "language": "nb"});
    let answer = world.invite(&body).await;
    answer.assert_problem(400, "invalidRequest");
    assert_eq!(answer.wrong_fields(), ["template"]);
    body.as_object_mut().unwrap().remove("language");
    assert_eq!(world.invite(&body).await.outcomes(), ["sent"]);
    assert_eq!(subject(&world, nora), "en board");
}

#[tokio::test]
async fn a_batch_of_an_earlier_version_keeps_its_language() {
    let (world, _templates) = in_three_languages(Setup::default()).await;
    let nora = contact(&world, "Nora", Some(NORWEGIAN));
    let answer = world.invite_contacts(&[nora]).await;
    let file = format!("done/{}.jsonl", answer.batch());
    let journal = world.store.path().join(file);
    let lines = std::fs::read_to_string(&journal).unwrap();
    let earlier = lines.replacen(
        "\"language\":null,\"template\":null",
        "\"language\":\"da\",\"template\":\"invitation\"",
        1,
    );
    assert_ne!(earlier, lines);
    std::fs::write(&journal, earlier).unwrap();
    remind(&world, &[nora]).await;
    assert_eq!(subject(&world, nora), "da reminder");
}

#[tokio::test]
async fn an_environment_that_knows_no_preferences_uses_the_default() {
    let (world, _templates) = in_three_languages(Setup::default()).await;
    let dataverse = &world.sandbox.dataverse;
    let ann = contact(&world, "Ann", Some(NORWEGIAN));
    dataverse.configure(|settings| settings.portal_columns = false);
    assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
    assert_eq!(subject(&world, ann), "en invitation");
}

/// How many requests to Dataverse an invitation of Norwegians takes.
async fn cost(languages: &str, count: usize, send_email: bool) -> usize {
    let templates = usual_and(&["en", "nb"], &[]);
    let world = Setup::default()
        .setting("TEMPLATE_DIR", templates.path().to_str().unwrap())
        .setting("LANGUAGES", languages)
        .setting("ALLOW_LINKS", "true");
    let world = world.start().await;
    let contacts: Vec<_> = (0..count)
        .map(|place| contact(&world, &format!("Nora{place}"), Some(NORWEGIAN)))
        .collect();
    let body = json!({"contactIds": contacts, "sendEmail": send_email});
    let answer = world.invite(&body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    world.sandbox.traffic.count(Service::Dataverse)
}

#[tokio::test]
async fn a_preference_costs_a_letter_no_request_and_the_links_of_a_batch_one() {
    let one = cost("en=en-US", 20, true).await;
    assert_eq!(cost("en=en-US,nb=nb-NO", 20, true).await, one);
    let one = cost("en=en-US", 150, false).await;
    assert_eq!(cost("en,nb", 150, false).await, one, "no path to choose");
    assert_eq!(cost("en=en-US,nb=nb-NO", 150, false).await, one + 1);
}
