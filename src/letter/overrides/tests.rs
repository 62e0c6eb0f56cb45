//! Tests of overrides: sound ones are used, broken ones leave the packaged file and the sound ones beside them alone.

use std::path::Path;

use jiff::tz::TimeZone;

use super::super::{LetterContent, plain_brand};
use super::*;
use crate::domain::redeem_link::RedeemLink;

const LINK: &str = "<a href='{{ link }}'>go</a>";

fn packaged() -> Letters {
    Letters::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates"))).unwrap()
}

/// A small set in which a shared part says what the letters say.
fn small() -> Letters {
    let files = [
        ("frame.html", "<p>{% block words %}{% endblock %}</p>"),
        ("parts.html", "{% macro button() %}old{% endmacro %}"),
        (
            "en/note.html",
            "{% extends 'frame.html' %}{% block words %}<a href='{{ link }}'>packaged</a>{% endblock %}",
        ),
        ("en/note.subject.txt", "Packaged"),
    ];
    let languages = ["en", "nb", "da"].map(str::to_owned);
    Letters::compile_languages(sources(&files), languages.into()).unwrap()
}

fn sources(files: &[(&str, &str)]) -> Sources {
    let owned = |(file, text): &(&str, &str)| ((*file).to_owned(), (*text).to_owned());
    files.iter().map(owned).collect()
}

fn told(refused: &[Refused]) -> Vec<String> {
    refused.iter().map(ToString::to_string).collect()
}

fn rendered(letters: &Letters, language: &str, template: &str) -> (String, String) {
    let brand = plain_brand();
    let letter = letters.render(&LetterContent {
        language,
        template,
        brand: &brand,
        contact_name: "",
        inviter_name: None,
        message: None,
        subject: None,
        link: &RedeemLink::sample(),
        replaces: false,
        expires: None,
        zone: &TimeZone::UTC,
    });
    let letter = letter.unwrap();
    (letter.subject, letter.html)
}

#[test]
fn an_override_replaces_one_file_and_leaves_the_others() {
    let (letters, refused) = small().overridden(sources(&[("en/note.subject.txt", "Mine")]));
    assert_eq!(told(&refused), [""; 0]);
    let (subject, html) = rendered(&letters, "en", "note");
    assert_eq!(subject, "Mine");
    assert!(html.contains("packaged"), "{html}");
}

#[test]
fn a_broken_override_is_named_with_file_and_line_and_the_sound_one_beside_it_is_used() {
    let (letters, refused) = small().overridden(sources(&[
        ("en/note.html", &format!("{LINK}\n{{{{ nobody }}}}")),
        ("en/note.subject.txt", "Mine"),
        ("frame.html", "<b>{% block words %}{% endblock %}</b>"),
    ]));
    assert_eq!(told(&refused), ["en/note.html, line 2: undefined value"]);
    let (subject, html) = rendered(&letters, "en", "note");
    assert_eq!(subject, "Mine");
    assert!(
        html.starts_with("<b><a") && html.contains("packaged"),
        "{html}"
    );
}

#[test]
fn each_of_several_broken_overrides_is_refused_for_its_own_reason() {
    let (letters, refused) = small().overridden(sources(&[
        ("en/note.html", "no link"),
        ("en/note.subject.txt", "{{ link }}"),
        ("da/note.html", "{% if %}"),
        ("da/note.subject.txt", "Dansk"),
        ("da/other.html", LINK),
        ("da/other.subject.txt", "{{ contact_name }}!"),
    ]));
    let told = told(&refused);
    assert_eq!(told.len(), 4, "{told:?}");
    for (file, reason) in [
        ("da/note.html", ", line 1: syntax error"),
        ("da/note.subject.txt", ": template da/note.html is missing"),
        (
            "en/note.html",
            ": template en/note.html does not link to {{ link }}",
        ),
        ("en/note.subject.txt", ", line 1: undefined value"),
    ] {
        let line = format!("{file}{reason}");
        assert!(
            told.iter().any(|told| told.starts_with(&line)),
            "{line} in {told:?}"
        );
    }
    assert_eq!(rendered(&letters, "en", "note").0, "Packaged");
    assert!(letters.has("da", "other") && !letters.has("da", "note"));
}

#[test]
fn a_shared_part_that_breaks_a_packaged_letter_is_refused_and_the_letters_stay() {
    let (letters, refused) = small().overridden(sources(&[
        ("frame.html", "<b></b>"),
        ("en/note.subject.txt", "Mine"),
    ]));
    assert_eq!(
        told(&refused),
        ["frame.html: template en/note.html does not link to {{ link }}"]
    );
    let (subject, html) = rendered(&letters, "en", "note");
    assert_eq!(subject, "Mine");
    assert!(html.contains("packaged"), "{html}");
}

#[test]
fn a_sound_override_is_not_blamed_for_the_part_that_breaks_it() {
    let asks = format!("{{% from 'parts.html' import button %}}{LINK}{{{{ button() }}}}");
    let (letters, refused) = small().overridden(sources(&[
        ("en/note.html", &asks),
        ("parts.html", "{% macro bottom() %}new{% endmacro %}"),
    ]));
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].file, "parts.html");
    assert!(rendered(&letters, "en", "note").1.ends_with("old"));
}

#[test]
fn half_a_letter_is_refused_and_a_whole_one_is_added() {
    let (letters, refused) = small().overridden(sources(&[("nb/note.html", LINK)]));
    assert_eq!(
        told(&refused),
        ["nb/note.html: template nb/note.subject.txt is missing"]
    );
    assert!(!letters.has("nb", "note"));
    let whole = [("nb/note.html", LINK), ("nb/note.subject.txt", "Norsk")];
    let (letters, refused) = small().overridden(sources(&whole));
    assert_eq!(told(&refused), [""; 0]);
    assert_eq!(rendered(&letters, "nb", "note").0, "Norsk");
}

#[test]
fn words_that_the_frame_asks_for_in_vain_are_named() {
    let wordless = [("en/invitation.html", "{% extends 'invitation.html' %}")];
    let (letters, refused) = packaged().overridden(sources(&wordless));
    let told = told(&refused);
    assert_eq!(told.len(), 1, "{told:?}");
    let tells = told[0].starts_with("en/invitation.html: ") && told[0].contains("preheader");
    assert!(tells, "{told:?}");
    assert!(letters.has("en", "invitation"));
}

#[test]
fn an_override_of_a_language_that_nobody_asked_for_is_told_as_such_unless_another_builds_on_it() {
    let base = ("de/note.html", LINK);
    let (_, refused) = small().overridden(sources(&[base]));
    let reason = "de/note.html: is of a language that LANGUAGES does not name";
    assert_eq!(told(&refused), [reason]);
    let (letters, refused) = small().overridden(sources(&[
        base,
        ("de/note.subject.txt", "German"),
        ("en/note.html", "{% extends 'de/note.html' %}"),
    ]));
    assert_eq!(told(&refused), [""; 0]);
    assert!(!rendered(&letters, "en", "note").1.contains("packaged"));
}

#[test]
fn overrides_never_take_a_letter_away() {
    let packaged = packaged();
    let files = &packaged.sources;
    let empty = files.keys().map(|file| (file.clone(), String::new()));
    let (letters, refused) = packaged.overridden(empty.collect());
    let names = |letters: &Letters| -> Vec<(String, String)> {
        let names = letters.names();
        names
            .map(|(language, name)| (language.to_owned(), name.to_owned()))
            .collect()
    };
    assert_eq!(names(&letters), names(&packaged));
    assert_eq!(letters.digest_language("en"), Some("en"));
    assert!(!refused.is_empty());
}

#[test]
fn an_override_that_runs_away_is_refused() {
    let endless = "{% for a in range(2000) %}{% for b in range(2000) %}{% endfor %}{% endfor %}";
    let (letters, refused) = small().overridden(sources(&[("frame.html", endless)]));
    assert_eq!(
        told(&refused),
        [
            "frame.html, line 1: engine ran out of fuel: a loop that is too long, or a text that is too large"
        ]
    );
    assert_eq!(rendered(&letters, "en", "note").0, "Packaged");
}

#[test]
fn an_override_reaches_no_file_but_templates() {
    for path in [
        "/etc/passwd",
        "../Cargo.toml",
        "Cargo.toml",
        "en/../../Cargo.toml",
    ] {
        let html = format!("{LINK}{{% include '{path}' %}}");
        let (_, refused) = small().overridden(sources(&[("en/note.html", &html)]));
        assert!(
            refused[0].reason.starts_with("template not found"),
            "{refused:?}"
        );
    }
}

#[test]
fn many_broken_overrides_are_given_up_together() {
    let files: Sources = (0..MOST_OVERRIDES)
        .map(|number| (format!("xx/note{number}.html"), LINK.to_owned()))
        .collect();
    let (letters, refused) = small().overridden(files);
    assert_eq!(refused.len(), MOST_OVERRIDES);
    assert!(letters.has("en", "note") && !letters.has("xx", "note"));
}

#[test]
fn only_templates_count() {
    let taken = ["layout.html", "en/note.html", "en/note.subject.txt"];
    assert!(taken.iter().all(|path| is_template(path)));
    let left = [
        "README.md",
        "en/note.txt",
        "en/old/note.html",
        "en/note.html.bak",
        "en",
    ];
    assert!(!left.iter().any(|path| is_template(path)));
}
