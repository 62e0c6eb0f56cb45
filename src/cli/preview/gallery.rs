//! Owns the folder that shows all letters: a file a letter, and a page with all of them in frames.
//!
//! It writes into a folder that is empty, new, or was made by it, and never removes a file.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;
use url::Url;

use super::samples::{Samples, Shown, Variant};
use super::{inbox, refuse, say};
use crate::letter::Letter;

const PAGE: &str = "index.html";
const SOURCE: &str = include_str!("gallery.html");
/// What the page holds so that a later run knows the folder for its own.
const MARK: &str = "<meta name=\"generator\" content=\"portal-invite preview\">";

/// A letter on the page.
#[derive(Serialize)]
struct Card {
    language: String,
    template: String,
    variant: String,
    /// Whether it is the only one, or the usual one, of its template.
    usual: bool,
    /// Its path from the page.
    file: String,
    subject: String,
    preheader: String,
}

impl Card {
    fn of(shown: &Shown, letter: &Letter) -> Self {
        let Shown {
            language,
            template,
            variant,
        } = shown;
        let usual = *variant == Variant::Everything;
        let name = if usual {
            template.clone()
        } else {
            format!("{template}-{}", variant.name())
        };
        Self {
            language: language.clone(),
            template: template.clone(),
            variant: variant.name(),
            usual,
            file: format!("{language}/{name}.html"),
            subject: letter.subject.clone(),
            preheader: inbox::first_words(&letter.html),
        }
    }
}

/// Writes these letters and the page.
pub(super) fn write(
    directory: &Path,
    samples: &Samples<'_>,
    chosen: &[Shown],
) -> anyhow::Result<ExitCode> {
    let letters: Vec<_> = chosen
        .iter()
        .map(|shown| samples.letter(shown))
        .collect::<Result<_, _>>()?;
    let cards: Vec<_> = chosen
        .iter()
        .zip(&letters)
        .map(|(shown, letter)| Card::of(shown, letter))
        .collect();
    let page = page(samples, &cards)?;
    if !is_free(directory)? {
        let directory = directory.display();
        return Ok(refuse(&format!(
            "{directory} holds other files. Name an empty folder, or one that is not there yet."
        )));
    }
    // First, because it says whose folder this is, also after a run that did not get to its end.
    put(&directory.join(PAGE), &page)?;
    for (card, letter) in cards.iter().zip(&letters) {
        put(&directory.join(&card.file), &letter.html)?;
    }
    tell(directory, cards.len())?;
    Ok(ExitCode::SUCCESS)
}

fn page(samples: &Samples<'_>, cards: &[Card]) -> anyhow::Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let usual = cards
        .iter()
        .find(|card| card.language == samples.default_language());
    let first = usual.or(cards.first()).map(|card| &card.language);
    let values = context! {
        mark => Value::from_safe_string(MARK.to_owned()),
        brand => samples.brand_name(),
        first_language => first,
        cards => Value::from(Serde(cards)),
    };
    Ok(environment.render_named_str(PAGE, SOURCE, values)?)
}

/// Whether nothing in the folder can be somebody else's.
fn is_free(directory: &Path) -> anyhow::Result<bool> {
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let mut entries =
        fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let page = fs::read_to_string(directory.join(PAGE));
    Ok(entries.next().is_none() || page.is_ok_and(|page| page.contains(MARK)))
}

fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    let written = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, text));
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// The address, because many terminals open it at a click.
fn tell(directory: &Path, count: usize) -> anyhow::Result<()> {
    let page = directory.canonicalize()?.join(PAGE);
    let page =
        Url::from_file_path(&page).map_or_else(|()| page.display().to_string(), String::from);
    let letters = if count == 1 { "letter" } else { "letters" };
    say(&format!(
        "{count} {letters} written. Open this page in a browser:\n{page}"
    ));
    Ok(())
}
