//! Owns elements whose content is no HTML, and where they end.
//!
//! <https://html.spec.whatwg.org/multipage/parsing.html#script-data-state>

use super::SPACE;

/// Whether the content of this element is no HTML.
pub(super) fn is_raw(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "title",
        "textarea",
        "style",
        "xmp",
        "iframe",
        "noembed",
        "noframes",
        "script",
        "plaintext",
    ];
    NAMES.iter().any(|raw| name.eq_ignore_ascii_case(raw))
}

/// How much of the text belongs to the element: all up to its end tag, or to the end where it has none.
pub(super) fn length(name: &str, text: &str) -> usize {
    if name.eq_ignore_ascii_case("plaintext") {
        return text.len();
    }
    let end = if name.eq_ignore_ascii_case("script") {
        script_end(text)
    } else {
        tags(text).find(|at| closes(&text[*at..], name))
    };
    end.unwrap_or(text.len())
}

/// Inside a comment of a script, its end tag may close another script.
fn script_end(text: &str) -> Option<usize> {
    let (mut inner, mut comment_until) = (false, 0);
    tags(text).find(|&at| {
        let tag = &text[at..];
        if at >= comment_until {
            inner = false;
            if tag.starts_with("<!--") {
                let end = text[at + 2..].find("-->");
                comment_until = end.map_or(text.len(), |end| at + 2 + end);
            }
        } else if !inner {
            inner = begins(tag, "<", "script");
        } else if closes(tag, "script") {
            inner = false;
            return false;
        }
        !inner && closes(tag, "script")
    })
}

fn tags(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices('<').map(|(at, _)| at)
}

fn closes(tag: &str, name: &str) -> bool {
    begins(tag, "</", name)
}

fn begins(tag: &str, opening: &str, name: &str) -> bool {
    let tag = tag.strip_prefix(opening).unwrap_or_default();
    let Some((start, rest)) = tag.split_at_checked(name.len()) else {
        return false;
    };
    start.eq_ignore_ascii_case(name)
        && rest.starts_with(|next| SPACE.contains(&next) || matches!(next, '/' | '>'))
}
