//! Tests of the packaged digest: how it reads, and what a template set may leave out.

use std::path::Path;

use super::*;
use crate::letter::tests::packaged;

fn brand() -> Brand {
    Brand {
        name: "Fjord & Sons".to_owned(),
        ..super::super::plain_brand()
    }
}

fn page(table: &str, number: u128) -> String {
    let id = uuid::Uuid::from_u128(number);
    format!(
        "https://contoso.crm4.dynamics.com/main.aspx?pagetype=entityrecord&etn={table}&id=%7B{id}%7D"
    )
}

fn anna() -> DigestRow {
    DigestRow {
        name: Some("Anna <Berg>".to_owned()),
        contact: Some(uuid::Uuid::from_u128(1).to_string()),
        contact_url: Some(page("contact", 1)),
        invitation_url: Some(page("adx_invitation", 2)),
        ..DigestRow::default()
    }
}

fn list(row: DigestRow) -> DigestList {
    DigestList {
        count: 1,
        rows: vec![row],
        ..DigestList::default()
    }
}

fn counted(what: &str, count: usize) -> DigestCount {
    let what = what.to_owned();
    DigestCount { what, count }
}

fn everything() -> DigestContent {
    let nameless = DigestRow {
        name: None,
        reason: Some(ReasonCode::DataverseRefused.into()),
        ..anna()
    };
    let stranger = DigestRow {
        other: Some("Bert Boss".to_owned()),
        other_url: Some(page("contact", 3)),
        ..anna()
    };
    let twice = DigestRow {
        redemptions: 2,
        ..anna()
    };
    DigestContent {
        batches: 2,
        unread_batches: 1,
        sent: 40,
        created: 1,
        reasons: vec![DigestFailures {
            reason: ReasonCode::DataverseRefused.into(),
            count: 1,
        }],
        failed: list(nameless),
        unconfirmed: list(anna()),
        stuck: vec![counted("1734829102", 7)],
        redeemed: DigestList {
            count: 500,
            hidden: 499,
            more: true,
            ..list(anna())
        },
        strangers: list(stranger),
        overused: list(twice),
        expired: list(anna()),
        returned: list(anna()),
        strange_reports: 1,
        drafts: vec![counted("i***@contoso.com", 3)],
        unseen: vec![DigestGap {
            what: Unseen::Mailbox,
            mailbox: Some("o***@contoso.com".to_owned()),
            error: Some("Microsoft Graph refused".to_owned()),
        }],
    }
}

fn render(content: &DigestContent) -> Letter {
    let zone = TimeZone::get("Europe/Oslo").unwrap();
    let (from, until) = ("2026-11-21T06:00:00Z", "2026-11-22T06:00:04Z");
    let time = (from.parse().unwrap(), until.parse().unwrap(), &zone);
    packaged()
        .render_digest("en", &brand(), content, time)
        .unwrap()
}

#[test]
fn the_english_digest_with_everything() {
    let letter = render(&everything());
    insta::assert_snapshot!("english_digest_subject", letter.subject);
    insta::assert_snapshot!("english_digest", letter.html);
}

#[test]
fn the_english_digest_of_a_quiet_day_is_short() {
    let quiet = DigestContent {
        batches: 1,
        sent: 1,
        ..DigestContent::default()
    };
    let letter = render(&quiet);
    assert_eq!(
        letter.subject,
        "Invitations to Fjord & Sons: 1 sent, 0 redeemed"
    );
    for heading in ["<h2", "<ul", ", 0 to look at"] {
        assert!(!letter.html.contains(heading), "{heading}");
    }
}

#[test]
fn a_digest_is_no_letter_that_a_request_may_ask_for() {
    let letters = packaged();
    assert!(!letters.has("en", DIGEST) && !letters.has_template(DIGEST));
    assert_eq!(letters.digest_language("fi"), Some("en"));
}

#[test]
fn a_mistake_in_a_digest_is_told_at_the_start_and_its_absence_is_not() {
    let mut sources = Letters::read(Path::new("templates")).unwrap();
    sources.insert("en/digest.html".to_owned(), "{{ sent.of }}".to_owned());
    let mistake = Letters::compile(sources.clone()).unwrap_err();
    assert!(mistake.to_string().contains("en/digest.html"), "{mistake}");
    sources.retain(|file, _| !file.contains(DIGEST));
    let letters = Letters::compile(sources).unwrap();
    assert_eq!(letters.digest_language("en"), None);
}

/// Eight names in each list, each as long as few people's are.
#[test]
fn the_longest_digest_is_one_that_mail_programs_show_whole() {
    let long = || Some("Å".repeat(60));
    let full = |row: DigestRow| DigestList {
        count: 510,
        rows: vec![
            DigestRow {
                name: long(),
                ..row
            };
            8
        ],
        hidden: 502,
        more: true,
    };
    let refused = DigestRow {
        reason: Some(ReasonCode::PreparedElsewhere.into()),
        ..anna()
    };
    let stranger = DigestRow {
        other: long(),
        other_url: Some(page("contact", 3)),
        ..anna()
    };
    let twice = DigestRow {
        redemptions: 2,
        ..anna()
    };
    let failures = ReasonCode::ALL.map(|code| DigestFailures {
        reason: code.into(),
        count: 1,
    });
    let content = DigestContent {
        failed: full(refused),
        reasons: failures.into(),
        unconfirmed: full(anna()),
        redeemed: full(anna()),
        strangers: full(stranger),
        overused: full(twice),
        expired: full(anna()),
        returned: full(anna()),
        ..everything()
    };
    let time = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, &TimeZone::UTC);
    for language in &packaged().digests {
        let letter = packaged().render_digest(language, &brand(), &content, time);
        let bytes = letter.unwrap().html.len();
        assert!(bytes < 60_000, "{language}: {bytes}");
    }
}
