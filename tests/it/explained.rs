//! The log lines that somebody has to act on: docs/OPERATIONS.md lists each, and none that the code does not have.

use std::collections::BTreeSet;
use std::path::Path;

const OPERATIONS: &str = include_str!("../../docs/OPERATIONS.md");

/// The files of the program, test modules included.
fn sources(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let texts = paths.flat_map(|path| match path.extension() {
        _ if path.is_dir() => sources(&path),
        Some(end) if end == "rs" => vec![std::fs::read_to_string(&path).unwrap()],
        _ => Vec::new(),
    });
    texts.collect()
}

/// The last text among a macro's arguments.
fn last_text(arguments: &str) -> Option<&str> {
    let (mut depth, mut text, mut last) = (1, None, None);
    let mut escaped = false;
    for (place, letter) in arguments.char_indices() {
        match (text, letter) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(start), '"') => {
                last = Some(&arguments[start..place]);
                text = None;
            }
            (None, '"') => text = Some(place + 1),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    last
}

/// What a message begins with; the rest is advice.
fn beginning(message: &str) -> &str {
    message.split([';', ':']).next().unwrap_or(message).trim()
}

/// What the code logs at this level.
fn logged(level: &str) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let call = format!("tracing::{level}!(");
    let texts = sources(&root).into_iter().flat_map(|source| {
        let calls = source.split(&call).skip(1);
        let messages = calls.map(|arguments| {
            let message = last_text(arguments);
            let message = message.unwrap_or_else(|| panic!("no message in {arguments:.80}"));
            beginning(message).to_owned()
        });
        messages.collect::<Vec<_>>()
    });
    texts.collect()
}

/// What the table of log lines has at this level.
fn listed(level: &str) -> BTreeSet<String> {
    let (_, section) = OPERATIONS
        .split_once("## What each line means\n")
        .expect("the section is there");
    let section = section.split("\n## ").next().unwrap();
    let start = format!("| {level} | ");
    let rows = section.lines().filter_map(|row| row.strip_prefix(&start));
    rows.map(|row| beginning(row.split(" | ").next().unwrap()).to_owned())
        .collect()
}

#[test]
fn each_warning_and_error_of_the_log_is_listed_and_no_other_is() {
    for level in ["warn", "error"] {
        let (logged, listed) = (logged(level), listed(level));
        let unlisted: Vec<_> = logged.difference(&listed).collect();
        let unknown: Vec<_> = listed.difference(&logged).collect();
        assert!(
            unlisted.is_empty() && unknown.is_empty(),
            "{level}: not in docs/OPERATIONS.md: {unlisted:#?}; in no source: {unknown:#?}"
        );
        assert!(logged.len() > 8, "{level}: {logged:?}");
    }
}
