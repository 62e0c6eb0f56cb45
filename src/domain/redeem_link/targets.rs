//! Owns finding the links in a letter's HTML, as a mail program sees them: not those in comments, scripts or text.
//!
//! A letter that is read back from a mailbox may hold anything; html5ever reads it in a loop, however deep or long.
//! <https://html.spec.whatwg.org/multipage/parsing.html#tokenization>

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, StartTag, Tag, TagToken, Token, TokenSink, TokenSinkResult, Tokenizer,
    TokenizerOpts,
};

/// The addresses that links lead to, in order.
pub(super) fn link_targets(html: &str) -> impl Iterator<Item = StrTendril> {
    let tokenizer = Tokenizer::new(Targets::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    // It stops at the end of each script, for someone to run it.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner().into_iter()
}

#[derive(Default)]
struct Targets(RefCell<Vec<StrTendril>>);

impl TokenSink for Targets {
    type Handle = ();

    fn process_token(&self, token: Token, _line_number: u64) -> TokenSinkResult<()> {
        match token {
            TagToken(tag) if tag.kind == StartTag => self.open(&tag),
            _ => TokenSinkResult::Continue,
        }
    }
}

impl Targets {
    fn open(&self, tag: &Tag) -> TokenSinkResult<()> {
        match &*tag.name {
            "a" => {
                let mut attributes = tag.attrs.iter();
                let target = attributes.find(|attribute| &*attribute.name.local == "href");
                let target = target.map(|attribute| attribute.value.clone());
                self.0.borrow_mut().extend(target);
                TokenSinkResult::Continue
            }
            "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => {
                TokenSinkResult::RawData(RawKind::Rawtext)
            }
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "plaintext" => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        }
    }
}
