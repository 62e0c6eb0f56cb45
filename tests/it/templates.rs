//! Templates in the store: used without a deployment, refused by name where they are broken, and never in the way.

use std::fs;

use serde_json::{Value, json};

use crate::doctor::Diagnosis;
use crate::world::World;

/// What stands in every packaged letter, and in none of these.
const PACKAGED: &str = "<table";

const LINK: &str = "<a href=\"{{ link }}\">Open</a>";

impl World {
    fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        let file = self.store.path().join("templates").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// The letter that somebody new gets.
    async fn letter_to(&self, first: &str, more: &Value) -> String {
        let mut body = json!({"contactIds": [self.contact(first)]});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let answer = self.invite(&body).await;
        assert_eq!(answer.outcomes(), ["sent"], "{}", answer.text);
        self.sandbox.graph.letters().pop().unwrap().html
    }

    async fn plain_letter_to(&self, first: &str) -> String {
        self.letter_to(first, &json!({})).await
    }

    fn refusals(&self) -> Vec<Value> {
        let mut log = self.log();
        log.retain(|line| line["message"] == "a template of the store is refused");
        log
    }
}

#[tokio::test]
async fn a_template_that_the_doctor_has_seen_in_the_store_is_used_from_then_on() {
    let world = World::start().await;
    let packaged = world.plain_letter_to("Ann").await;
    assert!(packaged.contains(PACKAGED));
    Diagnosis::of(&world)
        .await
        .says("store.templates", "pass", &["packaged ones: 0."]);

    world.put("en/invitation.html", format!("<p>From the store</p>{LINK}"));
    world.put("README.md", "no template");
    assert_eq!(world.plain_letter_to("Ben").await.len(), packaged.len());
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("store.templates", "pass", &["packaged ones: 1."]);
    let letter = world.plain_letter_to("Cid").await;
    assert!(letter.contains("<p>From the store</p>"), "{letter}");

    fs::remove_file(world.store.path().join("templates/en/invitation.html")).unwrap();
    Diagnosis::of(&world).await;
    assert_eq!(world.plain_letter_to("Dan").await.len(), packaged.len());
    assert!(world.refusals().is_empty());
}

#[tokio::test]
async fn a_broken_template_is_named_once_and_the_packaged_one_is_used_until_it_is_cured() {
    let world = World::start().await;
    world.put(
        "en/invitation.html",
        format!("{LINK}\n{{{{ contact_nam }}}}"),
    );
    world.put("en/invitation.subject.txt", "A subject from the store");
    let letter = world.plain_letter_to("Ann").await;
    assert!(letter.contains(PACKAGED), "{letter}");
    assert_eq!(
        world.sandbox.graph.letters()[0].subject,
        "A subject from the store"
    );

    let broken = [
        "Refused: 1.",
        "en/invitation.html, line 2: undefined value",
        "packaged ones: 1.",
    ];
    for _ in 0..2 {
        let diagnosis = Diagnosis::of(&world).await;
        diagnosis.says("store.templates", "warn", &broken);
        assert!(diagnosis.ok());
    }
    let [told] = &world.refusals()[..] else {
        panic!("{:?}", world.refusals())
    };
    assert_eq!(
        (
            &told["level"],
            &told["file"],
            &told["line"],
            &told["reason"]
        ),
        (
            &json!("WARN"),
            &json!("en/invitation.html"),
            &json!(2),
            &json!("undefined value")
        )
    );

    world.put("en/invitation.html", format!("<b>Cured</b>{LINK}"));
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("store.templates", "pass", &["packaged ones: 2."]);
    assert!(world.plain_letter_to("Ben").await.contains("<b>Cured</b>"));
}

#[tokio::test]
async fn a_template_that_is_only_in_the_store_can_be_asked_for() {
    let world = World::start().await;
    world.put("en/welcome.html", format!("<i>Welcome</i>{LINK}"));
    world.put("en/welcome.subject.txt", "Welcome");
    let letter = world
        .letter_to("Ann", &json!({"template": "welcome"}))
        .await;
    assert!(letter.contains("<i>Welcome</i>"), "{letter}");
    let unknown = json!({"contactIds": [world.contact("Ben")], "template": "farewell"});
    let answer = world.invite(&unknown).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert_eq!(answer.json()["errors"][0]["field"], "template");
}

#[tokio::test]
async fn files_that_no_letter_is_made_of_are_refused() {
    let world = World::start().await;
    world.put("en/invitation.html", vec![b' '; (256 << 10) + 1]);
    world.put("en/reminder.html", b"caf\xe9");
    world.put("en/reminder.subject.txt", "\u{feff}Soon");
    let refused = [
        "Refused: 2.",
        "en/invitation.html: is larger than 256 KiB",
        "en/reminder.html: is not text in UTF-8",
        "packaged ones: 1.",
    ];
    Diagnosis::of(&world)
        .await
        .says("store.templates", "warn", &refused);
    for number in 0..200 {
        world.put(&format!("en/note{number}.md"), "");
    }
    let refused = ["templates/: holds more than 200 files", "packaged ones: 0."];
    Diagnosis::of(&world)
        .await
        .says("store.templates", "warn", &refused);
    let letter = world.plain_letter_to("Ann").await;
    assert!(letter.contains(PACKAGED), "{letter}");
}

/// What fails only on the values of a real letter shows them to nobody.
#[tokio::test]
async fn a_template_cannot_bring_a_code_into_a_log_or_a_journal() {
    let world = World::start().await;
    let trap = "{% if contact_name == 'Ann Tester' %}{% include link %}{% endif %}";
    world.put("en/invitation.html", format!("{LINK}{trap}"));
    let answer = world.invite_contacts(&[world.contact("Ann")]).await;
    assert_eq!(answer.outcomes(), ["failed conflict"], "{}", answer.text);
    let log = world.log();
    let told = log
        .iter()
        .find(|line| line["message"] == "a letter could not be made");
    let error = told.unwrap()["error"].as_str().unwrap();
    assert_eq!(
        error,
        "template en/invitation.html, line 1: template not found"
    );
    let log: Vec<String> = log.iter().map(Value::to_string).collect();
    let journal = world
        .store
        .path()
        .join(format!("done/{}.jsonl", answer.batch()));
    let journal = fs::read_to_string(journal).unwrap();
    for text in [log.concat(), journal, answer.text] {
        assert!(
            !text.contains("invitation=") && !text.contains("/register"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn templates_that_cannot_be_looked_at_keep_letters_back_and_the_doctor_says_why() {
    let world = World::start().await;
    fs::write(world.store.path().join("templates"), "no folder").unwrap();
    let ann = world.contact("Ann");
    let answer = world.invite_contacts(&[ann]).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert!(world.sandbox.graph.letters().is_empty());
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says(
        "store.templates",
        "notChecked",
        &["list files", "store.readable"],
    );

    fs::remove_file(world.store.path().join("templates")).unwrap();
    world.dispatch_until_idle().await;
    world.assert_each_has_one_letter_and_row(&[ann]);
}
