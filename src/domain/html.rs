//! Owns reading HTML as far as letters need it: its tags with their attributes, and its text.
//!
//! A letter that is read back from a mailbox may hold anything; it is read in a loop, however deep or long. Tests hold
//! it against html5ever, whose table of 2,231 character names alone would be a twentieth of the executable.
//! <https://html.spec.whatwg.org/multipage/parsing.html#tokenization>

use std::borrow::Cow;

mod attributes;
mod characters;
mod raw;

use attributes::Attributes;
use characters::decoded;

/// What is not the name of a tag or of an attribute.
const SPACE: [char; 5] = ['\t', '\n', '\u{c}', '\r', ' '];

/// A part of a document, in its order; comments are left out.
#[derive(Debug)]
pub(crate) enum Piece<'a> {
    /// The start of an element.
    Start(Tag<'a>),
    /// The end of an element.
    End,
    /// Text between tags, or a part of it.
    Text(Text<'a>),
}

/// A tag that opens an element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag<'a> {
    name: &'a str,
    inside: &'a str,
}

/// Text as it is written; who looks for links never reads it, and a letter holds hundreds of references.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    written: &'a str,
    has_references: bool,
}

impl<'a> Text<'a> {
    /// Its characters, in place of references to them.
    pub(crate) fn read(&self) -> Cow<'a, str> {
        if self.has_references {
            decoded(self.written)
        } else {
            self.written.into()
        }
    }
}

impl<'a> Tag<'a> {
    /// Whether it opens an element of this name.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value of an attribute; the first one counts.
    pub(crate) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut attributes = Attributes::of(self.inside);
        let (_, value) = attributes.find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(decoded(value))
    }
}

/// The parts of a document.
pub(crate) fn pieces(html: &str) -> impl Iterator<Item = Piece<'_>> {
    Pieces {
        rest: html,
        raw: None,
    }
    .flatten()
}

struct Pieces<'a> {
    rest: &'a str,
    /// The element that was just opened, if what it holds is no HTML.
    raw: Option<Tag<'a>>,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Option<Piece<'a>>;

    /// None inside for what is neither a tag nor text.
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(tag) = self.raw.take() {
            return Some(Some(self.held_by(tag)));
        }
        let Some(markup) = self.rest.strip_prefix('<') else {
            let end = self.rest.find('<').unwrap_or(self.rest.len());
            return (end > 0).then(|| Some(self.text(end, true)));
        };
        let closing = markup.strip_prefix('/');
        match closing.unwrap_or(markup).chars().next() {
            Some(first) if first.is_ascii_alphabetic() => {
                self.rest = closing.unwrap_or(markup);
                let tag = self.tag()?;
                Some(Some(self.opened(tag, closing.is_some())))
            }
            _ if closing.is_some() || markup.starts_with(['!', '?']) => {
                self.rest = after_comment(markup);
                Some(None)
            }
            _ => Some(Some(self.text(1, false))),
        }
    }
}

impl<'a> Pieces<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn text(&mut self, length: usize, has_references: bool) -> Piece<'a> {
        let written = self.take(length);
        Piece::Text(Text {
            written,
            has_references,
        })
    }

    /// Reads from a tag's name to behind its end; a tag that does not end is none.
    fn tag(&mut self) -> Option<Tag<'a>> {
        let stop = |character| SPACE.contains(&character) || matches!(character, '/' | '>');
        let name = self.take(self.rest.find(stop)?);
        let mut attributes = Attributes::of(self.rest);
        attributes.by_ref().for_each(drop);
        let after = attributes.rest().strip_prefix('>')?;
        let inside = self.take(self.rest.len() - after.len());
        Some(Tag { name, inside })
    }

    fn opened(&mut self, tag: Tag<'a>, closing: bool) -> Piece<'a> {
        if closing {
            return Piece::End;
        }
        self.raw = raw::is_raw(tag.name).then_some(tag);
        Piece::Start(tag)
    }

    fn held_by(&mut self, tag: Tag<'_>) -> Piece<'a> {
        let length = raw::length(tag.name, self.rest);
        self.text(length, tag.is("title") || tag.is("textarea"))
    }
}

/// What follows `<` and a comment, a document type or anything that is read like them.
fn after_comment(markup: &str) -> &str {
    let Some(comment) = markup.strip_prefix("!--") else {
        return markup.split_once('>').map_or("", |(_, after)| after);
    };
    // An empty comment may be shortened to these two.
    let short = comment.strip_prefix('>').or(comment.strip_prefix("->"));
    short.unwrap_or_else(|| {
        let ends = ["-->", "--!>"].map(|end| comment.find(end).map(|at| at + end.len()));
        let end = ends.into_iter().flatten().min().unwrap_or(comment.len());
        &comment[end..]
    })
}

#[cfg(test)]
mod tests;
