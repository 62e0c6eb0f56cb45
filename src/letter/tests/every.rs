//! Tests of every packaged letter in every language: what plain text says of it, and what it says of its values.

use proptest::prelude::*;

use super::super::*;
use super::{brand, content, link, oslo, packaged, portal};
use crate::domain::invitation_code::InvitationCode;

/// The letter as whoever reads plain text gets it: Exchange derives that part from the HTML, much as this does.
fn text_of(html: &str) -> String {
    let reader = html2text::config::plain().no_table_borders();
    let reader = reader.link_footnotes(false);
    let text = reader.string_from_read(html.as_bytes(), 76).unwrap();
    // Nobody sees them, and a diff of snapshots should not show them either.
    let text = text.replace(['\u{2007}', '\u{feff}', '\u{34f}'], "");
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

#[test]
fn every_letter_in_plain_text() {
    let (brand, link, zone) = (brand(), link(), oslo());
    let letters = packaged();
    for (language, template) in letters.names() {
        let letter = letters.render(&LetterContent {
            language,
            template,
            replaces: true,
            ..content(&brand, &link, &zone)
        });
        let letter = letter.unwrap();
        let text = format!("Subject: {}\n\n{}", letter.subject, text_of(&letter.html));
        assert!(
            text.replace('\n', "").contains(link.expose()),
            "{language}/{template}"
        );
        insta::assert_snapshot!(format!("{language}_{template}_text"), text);
    }
}

/// Otherwise a tokenizer would have to find it, which takes longer than all else there is to do with a letter.
#[test]
fn every_letter_says_until_when_to_the_minute_or_nothing_of_it() {
    let (brand, link, zone) = (brand(), link(), oslo());
    for (language, template) in packaged().names() {
        let ends = content(&brand, &link, &zone);
        let ends = LetterContent {
            language,
            template,
            ..ends
        };
        let words = moment::in_words(&ends.expires.unwrap().to_zoned(oslo()), language);
        let html = packaged().render(&ends).unwrap().html;
        assert!(html.contains(&words), "{language}/{template}: {words}");
        assert_eq!(html.matches("2026").count(), html.matches(&words).count());
        let endless = LetterContent {
            expires: None,
            ..ends
        };
        let html = packaged().render(&endless).unwrap().html;
        assert!(!html.contains("2026"), "{language}/{template}");
    }
}

#[test]
fn every_letter_says_whether_an_earlier_link_works() {
    let (brand, link, zone) = (brand(), link(), oslo());
    for (language, template) in packaged().names() {
        let alone = content(&brand, &link, &zone);
        let alone = LetterContent {
            language,
            template,
            ..alone
        };
        let replaces = LetterContent {
            replaces: true,
            ..alone
        };
        let paragraphs = |content| {
            packaged()
                .render(content)
                .unwrap()
                .html
                .matches("<p ")
                .count()
        };
        assert_eq!(
            paragraphs(&replaces),
            paragraphs(&alone) + 1,
            "{language}/{template}"
        );
    }
}

proptest! {
    /// Whatever people are called or write, each letter has the tags of its template and no others, says what they
    /// wrote, keeps its direction, and its code can be read back.
    #[test]
    fn nothing_that_people_write_becomes_markup(
        name in hostile(), inviter in hostile(), message in hostile(), code: [u8; 32], letter: prop::sample::Index,
    ) {
        let letters = packaged();
        let known: Vec<_> = letters.names().collect();
        let (language, template) = known[letter.index(known.len())];
        let (brand, zone) = (Brand { name: name.clone(), ..brand() }, oslo());
        let code = InvitationCode::from_random(code);
        let link = RedeemLink::new(&portal(), None, &code, None);
        let tame = LetterContent {
            language, template, inviter_name: Some("B"), message: Some("m"), replaces: true,
            ..content(&brand, &link, &zone)
        };
        let wild = LetterContent {
            contact_name: &name, inviter_name: Some(&inviter), message: Some(&message), ..tame
        };
        let (tame, wild) = (letters.render(&tame).unwrap(), letters.render(&wild).unwrap());
        let breaks = |html: &str| html.matches("<br>").count();
        let line_breaks = breaks(&wild.html) - breaks(&tame.html);
        prop_assert_eq!(wild.html.matches('<').count() - line_breaks, tame.html.matches('<').count());
        prop_assert_eq!(wild.html.matches('"').count(), tame.html.matches('"').count());
        prop_assert!(RedeemLink::code_in(&wild.html, &portal()).unwrap().same_as(&code));
        prop_assert!(!wild.subject.contains(char::is_control) && wild.subject.encode_utf16().count() <= 255);
        let turns = ['\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}'];
        prop_assert!(!wild.html.contains(turns) && !wild.subject.contains(turns));
        prop_assert!(wild.html.len() < 60_000);
    }
}

/// Texts that would matter if they were not escaped, among others.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("</td></table>".to_owned()),
        Just("<script>alert(1)</script>".to_owned()),
        Just("\" onclick=\"x".to_owned()),
        Just("' href='x".to_owned()),
        Just("{{ link }}{% if %}".to_owned()),
        Just("<a href=\"https://portal.example.com/register?invitation=stolen\">".to_owned()),
        Just("<!-- ]]> --> &lt;b&gt; &amp;".to_owned()),
        Just("\r\n\u{0}\u{202e}\u{2067}".to_owned()),
        Just("Åsa 👩‍💻🇳🇴 صديق".to_owned()),
        Just("W".repeat(200)),
        any::<String>(),
    ];
    prop::collection::vec(pieces, 1..6).prop_map(|pieces| format!("x{}", pieces.concat()))
}
