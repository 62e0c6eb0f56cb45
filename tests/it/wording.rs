//! Which letter somebody gets: its language, by request, contact or setting, and its template, by what it tells of.
//!
//! The letters here say their own language and name and nothing else, so that a subject tells where it comes from.

mod language;
mod standard_model;
mod template;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::world::{Setup, World};

/// A template directory with these letters, each a language and a name.
fn letters(letters: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (language, name) in letters {
        let folder = directory.path().join(language);
        std::fs::create_dir_all(&folder).unwrap();
        let write = |end: &str, text: String| {
            std::fs::write(folder.join(format!("{name}{end}")), text).unwrap();
        };
        write(".html", format!("<a href=\"{{{{ link }}}}\">{name}</a>"));
        write(".subject.txt", format!("{language} {name}"));
    }
    directory
}

/// Invitation and reminder in these languages, and whatever else there is.
pub(crate) fn usual_and(
    languages: &[&'static str],
    more: &[(&'static str, &'static str)],
) -> TempDir {
    let usual = languages
        .iter()
        .flat_map(|language| [(*language, "invitation"), (*language, "reminder")]);
    letters(&usual.chain(more.iter().copied()).collect::<Vec<_>>())
}

/// A stage with letters in English, Norwegian and Danish; the site has pages for the first two.
async fn in_three_languages(setup: Setup) -> (World, TempDir) {
    let templates = usual_and(&["en", "nb", "da"], &[]);
    let setup = setup
        .setting("TEMPLATE_DIR", templates.path().to_str().unwrap())
        .setting("LANGUAGES", "en=en-US,nb=nb-NO,da")
        .setting("RESEND_COOLDOWN_MINUTES", "0");
    (setup.start().await, templates)
}

/// A contact that prefers a language by its number.
fn contact(world: &World, first: &str, language: Option<i64>) -> Uuid {
    let email = format!("{}@customer.example", first.to_lowercase());
    let columns = json!({"emailaddress1": email, "mspp_userpreferredlcid": language});
    world.contact_with(first, &columns)
}

/// The subject of the last letter to a contact, and the path of the link in it.
fn last_letter(world: &World, contact: Uuid) -> (String, String) {
    let row = world.sandbox.dataverse.row("contacts", contact).unwrap();
    let mut letters = world.sandbox.graph.letters();
    letters.retain(|letter| row["emailaddress1"] == letter.to[0].as_str());
    let letter = letters.pop().expect("a letter to the contact");
    let link = letter.html.split("href=\"").nth(1).unwrap();
    let link = &link[..link.find('"').unwrap()];
    let link: url::Url = link.parse().unwrap();
    (letter.subject, link.path().to_owned())
}

fn subject(world: &World, contact: Uuid) -> String {
    last_letter(world, contact).0
}

fn id_of(world: &World, contact: Uuid) -> Uuid {
    let row = world.row(contact);
    row["adx_invitationid"].as_str().unwrap().parse().unwrap()
}

/// Sends the letter of a contact's only invitation again.
async fn resend(world: &World, contact: Uuid, body: &Value) {
    world.sandbox.age(SignedDuration::from_secs(2));
    let path = format!("/api/invitations/{}/resend", id_of(world, contact));
    let answer = world.post(&path, &[], body).await;
    assert_eq!(answer.outcomes(), ["sent"], "{}", answer.text);
}

/// Lets a contact's only invitation come so near its expiry that a reminder is due, then sends it.
async fn remind(world: &World, contacts: &[Uuid]) -> Value {
    let soon = world.sandbox.clock.now() + SignedDuration::from_hours(12 * 24 + 48);
    for contact in contacts {
        let id = id_of(world, *contact);
        let values = json!({"adx_expirydate": soon.strftime("%Y-%m-%dT%H:00:00Z").to_string()});
        world
            .sandbox
            .dataverse
            .change("adx_invitations", id, &values);
    }
    world.sandbox.age(SignedDuration::from_hours(24 * 12));
    let run = world.host.fire("function-remind").await.unwrap();
    world.dispatch_until_idle().await;
    run.body["tally"].clone()
}
