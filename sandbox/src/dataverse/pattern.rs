//! Patterns of text: SQL's `%` and `_`, and what the text functions of `$filter` mean in them.
//!
//! Text compares without case.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/reference/operators>

use super::filter::TextFunction;

/// A text pattern: pieces that must follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Piece>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    AnyText,
    AnyCharacter,
    Character(char),
}

impl Pattern {
    /// A SQL pattern: `%` is any text, `_` any character; sets in brackets are not known.
    pub(crate) fn like(pattern: &str) -> Option<Self> {
        let piece = |character| match character {
            '%' => Some(Piece::AnyText),
            '_' => Some(Piece::AnyCharacter),
            '[' => None,
            other => Some(Piece::Character(other)),
        };
        let pieces: Option<_> = pattern.to_lowercase().chars().map(piece).collect();
        pieces.map(Self)
    }

    /// The pattern of `contains`, `startswith` or `endswith`.
    pub(crate) fn function(function: TextFunction, text: &str) -> Self {
        let mut pieces: Vec<_> = text.to_lowercase().chars().map(Piece::Character).collect();
        if function != TextFunction::StartsWith {
            pieces.insert(0, Piece::AnyText);
        }
        if function != TextFunction::EndsWith {
            pieces.push(Piece::AnyText);
        }
        Self(pieces)
    }

    /// Whether the whole text fits.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<_> = text.to_lowercase().chars().collect();
        let (mut piece, mut at) = (0, 0);
        let mut retry = None;
        while at < text.len() {
            match self.0.get(piece) {
                Some(Piece::AnyText) => {
                    retry = Some((piece + 1, at));
                    piece += 1;
                }
                Some(Piece::AnyCharacter) => (piece, at) = (piece + 1, at + 1),
                Some(Piece::Character(wanted)) if *wanted == text[at] => {
                    (piece, at) = (piece + 1, at + 1);
                }
                _ => {
                    // Let the last wildcard swallow one character more and try again.
                    let Some((after, start)) = retry else {
                        return false;
                    };
                    retry = Some((after, start + 1));
                    (piece, at) = (after, start + 1);
                }
            }
        }
        self.0[piece..].iter().all(|piece| *piece == Piece::AnyText)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_patterns_match() {
        for (pattern, text, expected) in [
            ("%nn%", "Anna", true),
            ("a%a", "Anna", true),
            ("a_na", "Anna", true),
            ("a_a", "Anna", false),
            ("%", "", true),
            ("", "", true),
            ("%ab%ab", "abxab", true),
            ("%ab%ab", "ab", false),
        ] {
            assert_eq!(
                Pattern::like(pattern).unwrap().matches(text),
                expected,
                "{pattern} {text}"
            );
        }
        assert_eq!(Pattern::like("[a-c]%"), None);
    }
}
