//! Owns what a list of messages shows of a letter beside its subject: the first words of its body.
//!
//! Mail programs take them from the text, hidden or not; a letter fills the rest of the line with characters that
//! nobody sees, so that no address or greeting follows there.

use crate::domain::html::{Piece, pieces};

/// About as many characters as the widest list shows.
const WIDTH: usize = 140;

/// The first words of a letter, on one line.
pub(super) fn first_words(html: &str) -> String {
    let text = text_of_body(html);
    let seen = text
        .split(['\u{34f}', '\u{2007}', '\u{feff}'])
        .next()
        .unwrap_or_default();
    let words = seen.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", words[..end].trim_end()),
        None => words,
    }
}

/// A tag parts words.
fn text_of_body(html: &str) -> String {
    let mut in_body = false;
    let mut text = String::new();
    for piece in pieces(html) {
        match piece {
            Piece::Start(tag) if tag.is("body") => in_body = true,
            Piece::Start(_) | Piece::End if in_body => text.push(' '),
            Piece::Text(characters) if in_body => text.push_str(&characters.read()),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_shows_the_preheader_and_neither_its_padding_nor_what_follows() {
        let letter = "<head><title>Subject</title><style>p {}</style></head><body><div>Open it\n \
            &amp; see.&#847;&zwnj;&nbsp;&#847;</div><p>Hello</p></body>";
        assert_eq!(first_words(letter), "Open it & see.");
    }

    #[test]
    fn a_letter_without_a_preheader_shows_how_it_begins() {
        let letter = format!("<body><b>Hello</b><p>Anna,</p>{}</body>", "a ".repeat(200));
        let words = first_words(&letter);
        assert!(words.starts_with("Hello Anna, a a"), "{words}");
        assert!(words.ends_with(" a…"), "{words}");
        assert_eq!(words.chars().count(), 140);
    }
}
