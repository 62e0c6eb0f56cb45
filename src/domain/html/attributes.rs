//! Owns reading the attributes of a tag, quoted or not.

use super::SPACE;

/// The attributes in what follows a tag's name, with their values as they are written.
pub(super) struct Attributes<'a>(&'a str);

impl<'a> Attributes<'a> {
    pub(super) const fn of(inside: &'a str) -> Self {
        Self(inside)
    }

    /// What was not read yet: once there are no more, nothing, or `>` and what follows it.
    pub(super) const fn rest(&self) -> &'a str {
        self.0
    }

    fn value(&mut self) -> &'a str {
        let Some(value) = self.0.strip_prefix('=') else {
            return "";
        };
        let value = value.trim_start_matches(SPACE);
        let Some(quote) = value.chars().next().filter(|first| "\"'".contains(*first)) else {
            let end = value.find(|character| SPACE.contains(&character) || character == '>');
            let (value, rest) = value.split_at(end.unwrap_or(value.len()));
            self.0 = rest;
            return value;
        };
        let (value, rest) = value[1..].split_once(quote).unwrap_or_default();
        self.0 = rest;
        value
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let start = |character| SPACE.contains(&character) || character == '/';
        let rest = self.0.trim_start_matches(start);
        self.0 = rest;
        let first = rest.chars().next().filter(|first| *first != '>')?;
        // An equals sign that comes first belongs to the name.
        let stop = |character| start(character) || matches!(character, '=' | '>');
        let end = rest[first.len_utf8()..].find(stop);
        let end = end.map_or(rest.len(), |end| end + first.len_utf8());
        let (name, rest) = rest.split_at(end);
        self.0 = rest.trim_start_matches(SPACE);
        Some((name, self.value()))
    }
}
