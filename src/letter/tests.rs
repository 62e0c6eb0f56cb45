//! Tests of the packaged letter, and of what a template may not do.

mod every;
mod languages;

use std::sync::LazyLock;

use super::*;
use crate::domain::invitation_code::InvitationCode;
use crate::domain::redeem_link::{LanguagePath, PortalUrl, ReturnPath};

/// The templates of the package, compiled once: that takes a while, and most tests want them.
pub(super) fn packaged() -> &'static Letters {
    static PACKAGED: LazyLock<Letters> = LazyLock::new(|| {
        Letters::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates"))).unwrap()
    });
    &PACKAGED
}

fn portal() -> PortalUrl {
    PortalUrl::parse("https://portal.example.com").unwrap()
}

fn link() -> RedeemLink {
    let code = InvitationCode::from_random([7; 32]);
    let path = ReturnPath::parse("/courses/?id=3&day=2").unwrap();
    let language = LanguagePath::parse("en-US").unwrap();
    RedeemLink::new(&portal(), Some(&language), &code, Some(&path))
}

fn brand() -> Brand {
    Brand {
        name: "Fjord & Sons".to_owned(),
        color: "#0f6cbd".to_owned(),
        logo_url: None,
        support_email: Some("help@example.com".to_owned()),
    }
}

fn content<'a>(brand: &'a Brand, link: &'a RedeemLink, zone: &'a TimeZone) -> LetterContent<'a> {
    LetterContent {
        language: "en",
        template: "invitation",
        brand,
        contact_name: "Anna Berg",
        inviter_name: Some("Bert <Boss>"),
        message: Some("Welcome!\n\nSee you on <b>Monday</b>."),
        subject: None,
        link,
        replaces: false,
        expires: Some("2026-12-06T22:00:00Z".parse().unwrap()),
        zone,
    }
}

fn oslo() -> TimeZone {
    TimeZone::get("Europe/Oslo").unwrap()
}

fn sources(html: &str, subject: &str) -> BTreeMap<String, String> {
    let files = [("xx/note.html", html), ("xx/note.subject.txt", subject)];
    files
        .map(|(file, text)| (file.to_owned(), text.to_owned()))
        .into()
}

fn mistake(html: &str, subject: &str) -> String {
    Letters::compile(sources(html, subject))
        .unwrap_err()
        .to_string()
}

const ANCHOR: &str = "<a href='{{ link }}'>go</a>";

#[test]
fn the_english_letter_with_everything() {
    let (brand, link, zone) = (brand(), link(), oslo());
    let letter = packaged().render(&content(&brand, &link, &zone)).unwrap();
    insta::assert_snapshot!("english_subject", letter.subject);
    insta::assert_snapshot!("english_letter", letter.html);
}

#[test]
fn the_english_letter_with_the_least() {
    let (mut brand, link, zone) = (brand(), link(), oslo());
    brand.support_email = None;
    let least = LetterContent {
        contact_name: "",
        inviter_name: None,
        message: None,
        expires: None,
        ..content(&brand, &link, &zone)
    };
    let letter = packaged().render(&least).unwrap();
    insta::assert_snapshot!("english_subject_least", letter.subject);
    insta::assert_snapshot!("english_letter_least", letter.html);
}

#[test]
fn the_packaged_letters_are_known_by_language_and_name() {
    let letters = packaged();
    assert!(letters.languages().any(|language| language == "en"));
    let languages: Vec<&str> = letters.languages().collect();
    assert!(!languages.contains(&"EN") && !languages.contains(&"layout.html"));
    assert!(letters.has_template("invitation") && !letters.has_template("layout"));
    assert!(
        letters.has("en", "invitation")
            && !letters.has("xx", "invitation")
            && !letters.has("en", "../layout")
    );
}

#[test]
fn an_unknown_letter_is_named() {
    let (brand, link, zone) = (brand(), link(), oslo());
    let unknown = LetterContent {
        template: "farewell",
        ..content(&brand, &link, &zone)
    };
    let error = packaged().render(&unknown).unwrap_err();
    assert_eq!(
        error.to_string(),
        "template en/farewell.subject.txt is missing"
    );
}

#[test]
fn a_given_subject_replaces_the_templates() {
    let (brand, link, zone) = (brand(), link(), oslo());
    let subject = |subject| {
        let content = LetterContent {
            subject: Some(subject),
            ..content(&brand, &link, &zone)
        };
        packaged().render(&content).unwrap().subject
    };
    assert_eq!(
        subject("Come <in>\r\nBcc: {{ link }}"),
        "Come <in> Bcc: {{ link }}"
    );
    assert_eq!(subject(" \n "), "Bert <Boss> invites you to Fjord & Sons");
}

#[test]
fn a_mistake_in_a_template_is_named_by_file_and_line() {
    assert_eq!(
        mistake(&format!("{ANCHOR}\n{{{{ contact_nam }}}}"), "x"),
        "template xx/note.html, line 2: undefined value"
    );
    assert!(
        mistake(&format!("\n{ANCHOR}{{% if %}}"), "x")
            .starts_with("template xx/note.html, line 2: syntax error")
    );
    assert!(
        mistake(ANCHOR, "\n\n{{ nobody }}")
            .starts_with("template xx/note.subject.txt, line 3: undefined")
    );
    assert!(
        mistake("{% include 'gone.html' %}", "x").starts_with("template xx/note.html, line 1: ")
    );
}

#[test]
fn a_language_that_lacks_words_is_named() {
    let mut sources = sources(ANCHOR, "x");
    for (file, text) in [
        (
            "xx/note.html",
            "{% extends 'note.html' %}{% block hello %}Hi{% endblock %}",
        ),
        (
            "note.html",
            "{{ self.hello() }}{{ self.goodbye() }}<a href='{{ link }}'>go</a>",
        ),
    ] {
        sources.insert(file.to_owned(), text.to_owned());
    }
    let error = Letters::compile(sources).unwrap_err().to_string();
    assert_eq!(error, "template xx/note.html: block 'goodbye' not found");
}

#[test]
fn languages_that_nobody_asked_for_cost_nothing() {
    let directory = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("part.html", "x"),
        ("en/note.html", ANCHOR),
        ("nb/note.html", ANCHOR),
        ("nn/note.html", "{% extends 'nb/note.html' %}"),
        ("xx/note.html", "{% if %}"),
    ] {
        let (language, _) = file.split_once('/').unwrap_or_default();
        std::fs::create_dir_all(directory.path().join(language)).unwrap();
        std::fs::write(directory.path().join(file), text).unwrap();
        let subject = file.replace(".html", ".subject.txt");
        std::fs::write(directory.path().join(subject), "x").unwrap();
    }
    let languages = |asked: &'static str| {
        let letters = Letters::load_languages(directory.path(), [asked])?;
        Ok::<_, LetterError>(letters.languages().map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(languages("en").unwrap(), ["en"]);
    assert_eq!(languages("nn").unwrap(), ["en", "nb", "nn"]);
    assert!(languages("xx").is_err());
}

#[test]
fn a_mistake_in_a_shared_part_is_named_where_it_is() {
    let mut sources = sources(&format!("{ANCHOR}\n{{% include 'part.html' %}}"), "x");
    sources.insert("part.html".to_owned(), "\n\n{{ nobody }}".to_owned());
    let error = Letters::compile(sources).unwrap_err().to_string();
    assert_eq!(error, "template part.html, line 3: undefined value");
}

#[test]
fn an_absent_value_is_never_printed() {
    for name in [
        "inviter_name",
        "message",
        "expires",
        "brand.support_email",
        "brand.logo_url",
    ] {
        let unguarded = format!("{ANCHOR}{{{{ {name} }}}}");
        assert!(
            mistake(&unguarded, "x").contains("prints a value that may be absent"),
            "{name}"
        );
        let guarded = format!("{ANCHOR}{{% if {name} %}}{{{{ {name} }}}}{{% endif %}}");
        assert!(Letters::compile(sources(&guarded, "x")).is_ok(), "{name}");
    }
}

#[test]
fn a_letter_has_both_files_and_a_link() {
    let mut lone = sources(ANCHOR, "x");
    lone.remove("xx/note.subject.txt");
    assert_eq!(
        Letters::compile(lone).unwrap_err().to_string(),
        "template xx/note.subject.txt is missing"
    );
    assert_eq!(
        mistake("{{ link }}", "x"),
        "template xx/note.html does not link to {{ link }}"
    );
}

#[test]
fn a_subject_cannot_give_the_link_away() {
    assert_eq!(
        mistake(ANCHOR, "{{ link }}"),
        "template xx/note.subject.txt, line 1: undefined value"
    );
}

#[test]
fn other_languages_find_the_parts_of_the_expiry() {
    let (brand, link, zone) = (brand(), link(), oslo());
    let subject = "{{ ['man', 'tir', 'ons', 'tor', 'fre', 'lør', 'søn'][expires.weekday - 1] if expires }} \
                   {{ expires.day if expires }}/{{ expires.month if expires }}-{{ expires.year if expires }} \
                   kl. {{ expires.time if expires }} ({{ expires.zone if expires }})";
    let subject = format!("{{% if expires %}}{subject}{{% endif %}}");
    let letters = Letters::compile(sources(ANCHOR, &subject)).unwrap();
    let note = LetterContent {
        language: "xx",
        template: "note",
        ..content(&brand, &link, &zone)
    };
    assert_eq!(
        letters.render(&note).unwrap().subject,
        "søn 6/12-2026 kl. 23:00 (Europe/Oslo, UTC+1)"
    );
}

#[test]
fn a_directory_without_templates_is_unreadable_or_empty() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(
        Letters::load(directory.path()).unwrap().languages().count(),
        0
    );
    let error = Letters::load(&directory.path().join("gone")).unwrap_err();
    assert!(matches!(error, LetterError::Unreadable { .. }));
}

#[test]
fn no_format_macro_prints_a_letter() {
    let (brand, link, zone) = (brand(), link(), oslo());
    let letter = packaged().render(&content(&brand, &link, &zone)).unwrap();
    let printed = format!("{letter:?} {link:?}");
    assert!(
        !printed.contains("Anna") && !printed.contains("invitation="),
        "{printed}"
    );
}
