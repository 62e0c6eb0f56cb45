//! Tells of the letters that mailboxes send, for those who look at a terminal: the letters themselves are on the page.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use crate::Graph;

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// More letters than this in one look are only counted.
const TOLD_EACH: usize = 10;

/// The letters of every mailbox.
pub(super) struct Letters {
    graph: Graph,
}

impl Letters {
    pub(super) fn new(graph: Graph) -> Self {
        Self { graph }
    }

    /// Tells of each new letter, for as long as it is polled.
    pub(super) async fn tell(&self) -> Infallible {
        let mut seen = BTreeMap::new();
        loop {
            for line in lines(&self.graph.news(&mut seen)) {
                super::say(&line);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// A line each, and the number of those that are left out.
fn lines(letters: &[(Vec<String>, String)]) -> Vec<String> {
    let line = |(to, subject): &(Vec<String>, String)| format!("  to {}: {subject}", to.join(", "));
    let mut lines: Vec<String> = letters.iter().take(TOLD_EACH).map(line).collect();
    if letters.len() > TOLD_EACH {
        lines.push(format!("  and {} more", letters.len() - TOLD_EACH));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_letters_is_told_in_few_lines() {
        let letter = |number: usize| (vec![format!("{number}@post.test")], "Welcome".to_owned());
        let letters: Vec<_> = (0..12).map(letter).collect();
        assert_eq!(lines(&letters[..1]), ["  to 0@post.test: Welcome"]);
        assert_eq!(lines(&letters).len(), TOLD_EACH + 1);
        assert_eq!(lines(&letters)[TOLD_EACH], "  and 2 more");
    }
}
