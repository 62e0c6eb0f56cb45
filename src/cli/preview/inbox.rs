//! Owns what a list of messages shows of a letter beside its subject: the first words of its body.
//!
//! Mail programs take them from the text, hidden or not; a letter fills the rest of the line with characters that
//! nobody sees, so that no address or greeting follows there.

use std::cell::{Cell, RefCell};

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, CharacterTokens, TagToken, Token, TokenSink, TokenSinkResult, Tokenizer,
    TokenizerOpts,
};

/// About as many characters as the widest list shows.
const WIDTH: usize = 140;

/// The first words of a letter, on one line.
pub(super) fn first_words(html: &str) -> String {
    let tokenizer = Tokenizer::new(Words::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let text = tokenizer.sink.text.into_inner();
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

/// The text of the body.
#[derive(Default)]
struct Words {
    in_body: Cell<bool>,
    text: RefCell<String>,
}

impl TokenSink for Words {
    type Handle = ();

    fn process_token(&self, token: Token, _line_number: u64) -> TokenSinkResult<()> {
        match token {
            TagToken(tag) if &*tag.name == "body" => self.in_body.set(true),
            TagToken(_) if self.in_body.get() => self.text.borrow_mut().push(' '),
            CharacterTokens(characters) if self.in_body.get() => {
                self.text.borrow_mut().push_str(&characters);
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
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
