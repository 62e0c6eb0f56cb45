//! Tests of the bounds that a template is filled within: how much it may do, and what an error may say of a letter.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::{
    Brand, DigestContent, DigestCount, DigestFailures, DigestGap, DigestList, DigestRow,
    LetterContent, Letters, Unseen, plain_brand,
};
use super::*;
use crate::domain::invitation_code::InvitationCode;
use crate::domain::outcome::ReasonCode;
use crate::domain::redeem_link::{PortalUrl, RedeemLink, ReturnPath};

/// The packaged templates, with so much of everything to fill one with.
fn packaged(fuel: u64) -> Letters {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates"));
    let mut letters = Letters::load(directory).unwrap();
    letters.environment.set_fuel(Some(fuel));
    letters
}

fn link() -> RedeemLink {
    let portal = PortalUrl::parse("https://portal.example.com").unwrap();
    let path = ReturnPath::parse(&format!("/{}", "a".repeat(300))).unwrap();
    RedeemLink::new(
        &portal,
        None,
        &InvitationCode::from_random([7; 32]),
        Some(&path),
    )
}

const UTC: &TimeZone = &TimeZone::UTC;

fn content<'a>(name: &'a str, brand: &'a Brand, link: &'a RedeemLink) -> LetterContent<'a> {
    LetterContent {
        language: "xx",
        template: "note",
        brand,
        contact_name: name,
        inviter_name: Some(name),
        message: None,
        subject: None,
        link,
        replaces: true,
        expires: Some(Timestamp::UNIX_EPOCH),
        zone: UTC,
    }
}

/// As many rows as a digest names, with ten times as long a text in each as usual.
fn largest_digest() -> DigestContent {
    let text = || Some("x".repeat(500));
    let row = || DigestRow {
        name: text(),
        contact: text(),
        contact_url: text(),
        invitation_url: text(),
        reason: Some(ReasonCode::DataverseRefused.into()),
        other: text(),
        other_url: text(),
        redemptions: 2,
    };
    let list = || DigestList {
        count: 11,
        rows: (0..10).map(|_| row()).collect(),
        hidden: 1,
        more: true,
    };
    let counts = |count| {
        let one = || DigestCount {
            what: "x".repeat(50),
            count: 1,
        };
        (0..count).map(|_| one()).collect()
    };
    let failures = || DigestFailures {
        reason: ReasonCode::DataverseRefused.into(),
        count: 1,
    };
    let gap = || DigestGap {
        what: Unseen::Mailbox,
        mailbox: Some("x".repeat(100)),
        error: Some("x".repeat(200)),
    };
    DigestContent {
        reasons: (0..30).map(|_| failures()).collect(),
        failed: list(),
        unconfirmed: list(),
        stuck: counts(200),
        redeemed: list(),
        strangers: list(),
        overused: list(),
        expired: list(),
        returned: list(),
        drafts: counts(50),
        unseen: (0..100).map(|_| gap()).collect(),
        ..DigestContent::default()
    }
}

#[test]
fn the_largest_digest_and_letter_take_a_tenth_of_what_a_template_may_do() {
    let letters = packaged(FUEL / 10);
    let time = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, UTC);
    for language in &letters.digests {
        letters
            .render_digest(language, &plain_brand(), &largest_digest(), time)
            .unwrap();
    }
    let (name, message, link) = ("x".repeat(200), "x\n".repeat(1_000), link());
    for (language, template) in &letters.known {
        let brand = plain_brand();
        let largest = LetterContent {
            language,
            template,
            message: Some(&message),
            ..content(&name, &brand, &link)
        };
        letters.render(&largest).unwrap();
    }
}

fn note(html: &str) -> Result<Letters, LetterError> {
    let files = [("xx/note.html", html), ("xx/note.subject.txt", "x")];
    let files = files.map(|(file, text)| (file.to_owned(), text.to_owned()));
    Letters::compile(files.into())
}

#[test]
fn a_template_that_runs_away_is_a_mistake_and_hangs_nothing() {
    let endless = [
        "{% for a in range(9000) %}{% for b in range(9000) %}{% for c in range(9000) %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in range(9000) %}{% set x = range(90000)|list|sort|join %}{% endfor %}",
        "{{ 'x' * 9000000000 }}",
        "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
        "{% include 'xx/note.html' %}",
    ];
    for html in endless {
        let mistake = note(&format!("\n{html}<a href='{{{{ link }}}}'>x</a>")).unwrap_err();
        let place = "template xx/note.html, line 2: ";
        assert!(mistake.to_string().starts_with(place), "{mistake}");
    }
}

/// Sample values do not show everything: what fails on those of a letter must not repeat them.
#[test]
fn an_error_about_a_letter_never_repeats_its_values() {
    let (brand, link) = (plain_brand(), link());
    let mishaps = [
        "{% include link %}",
        "{% extends link %}",
        "{{ link|int }}",
        "{{ link() }}",
        "{{ self[link]() }}",
        "{{ link|int(base=contact_name) }}",
        "{{ {}[link].x }}",
        "{{ [1][link] + link }}",
        "{{ range(link) }}",
        "{{ dict(link) }}",
    ];
    for mishap in mishaps {
        let html = format!(
            "<a href='{{{{ link }}}}'>x</a>{{% if contact_name == 'Anna' %}}{mishap}{{% endif %}}"
        );
        let letters = note(&html).unwrap();
        let error = letters.render(&content("Anna", &brand, &link)).unwrap_err();
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(
                !shown.contains("invitation=") && !shown.contains("portal.example"),
                "{mishap}: {shown}"
            );
        }
    }
}
