//! The documentation as its reader meets it: no link in it leads to a page or a heading that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Every file of the repository, and nothing that was installed or built.
fn files() -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(Path::new(ROOT).join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            match entry.file_name().to_str() {
                Some("target" | "node_modules" | ".git" | ".portal-invite") => {}
                _ if entry.file_type().unwrap().is_dir() => folders.push(path),
                _ => drop(files.insert(path)),
            }
        }
    }
    files
}

/// The text without blocks of code, in which nothing is a heading or a link.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The names by which GitHub's pages know their headings: small letters, hyphens for spaces, nothing else but words.
fn headings(text: &str) -> BTreeSet<String> {
    let titles = prose(text);
    let titles = titles.lines().filter(|line| line.starts_with('#'));
    let named = titles.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    named
        .map(|title| {
            let kept = title
                .chars()
                .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
            kept.collect::<String>().replace(' ', "-")
        })
        .collect()
}

/// Where the links of a page lead that do not leave the repository.
fn links(text: &str) -> Vec<String> {
    let text = prose(text);
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()));
    targets.filter(|link| !link.contains("://")).collect()
}

/// A path without its `..`.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(tidy.pop(), "{} leaves the tree", path.display()),
            part => tidy.push(part),
        }
    }
    tidy
}

#[test]
fn every_link_of_the_documentation_leads_to_a_page_and_a_heading_that_are_there() {
    let files = files();
    let pages: BTreeMap<_, _> = (files.iter())
        .filter(|file| file.extension().is_some_and(|end| end == "md"))
        .map(|file| {
            (
                file,
                std::fs::read_to_string(Path::new(ROOT).join(file)).unwrap(),
            )
        })
        .collect();
    let mut followed = 0;
    let mut broken = Vec::new();
    for (page, text) in &pages {
        for link in links(text) {
            followed += 1;
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => (*page).clone(),
                file => tidy(&page.with_file_name(file)),
            };
            let there = files.iter().any(|file| file.starts_with(&target));
            let known = |page: &String| headings(page).contains(heading);
            if !there || !heading.is_empty() && !pages.get(&target).is_some_and(known) {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert_eq!(broken, [""; 0]);
    assert!(followed > 100, "only {followed} links were found");
}
