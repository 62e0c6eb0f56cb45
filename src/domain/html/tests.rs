//! Holds the reader against html5ever, and shows what the two differ in.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, CharacterTokens, StartTag, TagToken, Token, TokenSink, TokenSinkResult, Tokenizer,
    TokenizerOpts,
};
use proptest::prelude::*;

use super::*;

/// What a browser reads, as far as it is compared: texts by what stands between tags, tags by name and target.
#[derive(Default)]
struct Browser(RefCell<Vec<String>>);

impl TokenSink for Browser {
    type Handle = ();

    fn process_token(&self, token: Token, _line_number: u64) -> TokenSinkResult<()> {
        match token {
            TagToken(tag) if tag.kind == StartTag => {
                let mut attributes = tag.attrs.iter();
                let target = attributes.find(|attribute| &*attribute.name.local == "href");
                let target = target.map(|attribute| &*attribute.value);
                self.0.borrow_mut().push(opened(&tag.name, target));
                return match &*tag.name {
                    "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
                    "style" | "xmp" | "iframe" | "noembed" | "noframes" => {
                        TokenSinkResult::RawData(RawKind::Rawtext)
                    }
                    "script" => TokenSinkResult::RawData(RawKind::ScriptData),
                    "plaintext" => TokenSinkResult::Plaintext,
                    _ => TokenSinkResult::Continue,
                };
            }
            TagToken(_) => self.0.borrow_mut().push("</>".to_owned()),
            CharacterTokens(characters) => put(&mut self.0.borrow_mut(), &characters),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

fn opened(name: &str, target: Option<&str>) -> String {
    format!("<{} {target:?}>", name.to_ascii_lowercase())
}

/// Texts that touch are one.
fn put(read: &mut Vec<String>, text: &str) {
    match read.last_mut() {
        Some(last) if !last.starts_with('<') || last == "<" => last.push_str(text),
        _ => read.push(format!("'{text}")),
    }
}

fn browser(html: &str) -> Vec<String> {
    let tokenizer = Tokenizer::new(Browser::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    // It stops at the end of each script, for someone to run it.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

fn ours(html: &str) -> Vec<String> {
    let mut read = Vec::new();
    for piece in pieces(html) {
        match piece {
            Piece::Start(tag) => {
                let target = tag.attribute("href");
                read.push(opened(tag.name, target.as_deref()));
            }
            Piece::End => read.push("</>".to_owned()),
            Piece::Text(text) if text.read().is_empty() => {}
            Piece::Text(text) => put(&mut read, &text.read()),
        }
    }
    read
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// The end is closed, because of a tag that does not end a browser drops what it had read.
    #[test]
    fn tags_and_text_are_read_as_a_browser_reads_them(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "<", ">", "</", "/", "=", "\"", "'", " ", "\n", "!", "-", "--", "<!--", "-->", "--!>", "<!", "<?", "a",
                "<a ", "href", "HREF=", "href=\"", "x", "ø", "</a>", "<b>", "<title>", "</title>", "<script>", "<script",
                "</script>", "</SCRIPT ", "<style>", "</style", "<textarea>", "</textarea>", "<plaintext>", "<!DOCTYPE",
                "&amp;", "&lt;", "&#39;", "&#x41;", "&eacute;", "&", "?a=1&b=2", "body",
            ]),
            0..24,
        ),
    ) {
        let html = format!("{}\"'>", parts.concat());
        prop_assert_eq!(ours(&html), browser(&html), "{}", html);
    }
}

#[test]
fn what_is_rarely_written_is_read_as_a_browser_reads_it() {
    for html in [
        "<!--><a href=x>",
        "<!---><a href=x>",
        "<!--a--!><a href=x>--><b>",
        "<!DOCTYPE html \"><a href=x>\">",
        "<?xml ><a href=x>?></ ><b></><b>",
        "<a =href=x href=y HREF=z>",
        "<a/href = 'x>y'/href=z>< b></a href=x>",
        "<title>&amp;<a href=x></title ><b>",
        "<style>&amp;<a href=x></styles></STYLE/><b>",
        "<script><!--<script></script><a href=x>--></script><b>",
        "<script><!--</script><b>--><script>",
        "<plaintext></plaintext><b>",
        "<b><a href=x",
    ] {
        assert_eq!(ours(html), browser(html), "{html}");
    }
}

#[test]
fn the_names_of_characters_are_those_of_a_browser() {
    let special = "amp AMP lt LT gt GT quot QUOT apos ensp emsp thinsp zwnj zwj lrm rlm ndash mdash lsquo rsquo sbquo \
        ldquo rdquo bdquo bull hellip lsaquo rsaquo euro trade";
    let names = characters::LATIN.split_ascii_whitespace();
    let names: Vec<_> = names.chain(special.split_ascii_whitespace()).collect();
    assert_eq!(names.len(), 96 + 30);
    for name in names {
        let html = format!("&{name};");
        assert_eq!(ours(&html), browser(&html), "{name}");
        assert_ne!(ours(&html), [format!("'{html}")], "{name} is known");
    }
}

#[test]
fn another_name_stays_as_it_is_written() {
    assert_eq!(
        ours("&notin;&x;&;&#;&#xd800;"),
        ["'&notin;&x;&;&#;&#xd800;"]
    );
}
