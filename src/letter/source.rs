//! Owns the template files: which there are, and how minijinja is set up to fill them.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
    escape_formatter,
};

use super::LetterError;

/// What follows a letter's name in the name of its HTML file.
pub(super) const HTML: &str = ".html";
/// What follows a letter's name in the name of its subject file.
pub(super) const SUBJECT: &str = ".subject.txt";

/// What filling one file may cost, in steps and in pieces of 64 bytes: a loop that runs away ends here, well within a
/// second. Ten times the largest digest or letter that anybody gets.
/// <https://docs.rs/minijinja/latest/minijinja/struct.Environment.html#method.set_fuel>
pub(super) const FUEL: u64 = 500_000;

/// Reads the templates of a directory and of the directories in it; other files are left alone.
pub(super) fn read(directory: &Path) -> Result<BTreeMap<String, String>, LetterError> {
    let mut sources = BTreeMap::new();
    for (name, path) in entries(directory)? {
        if !path.is_dir() {
            read_file(name, path, &mut sources)?;
            continue;
        }
        for (file, path) in entries(&path)? {
            read_file(format!("{name}/{file}"), path, &mut sources)?;
        }
    }
    Ok(sources)
}

fn entries(directory: &Path) -> Result<Vec<(String, PathBuf)>, LetterError> {
    let list = |directory| -> io::Result<Vec<_>> {
        let entries: Vec<_> = fs::read_dir(directory)?.collect::<Result<_, _>>()?;
        let named = entries
            .iter()
            .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())));
        Ok(named.collect())
    };
    list(directory).map_err(|source| unreadable(directory.to_owned(), source))
}

fn read_file(
    name: String,
    path: PathBuf,
    sources: &mut BTreeMap<String, String>,
) -> Result<(), LetterError> {
    if name.ends_with(HTML) || name.ends_with(SUBJECT) {
        let text = fs::read_to_string(&path).map_err(|source| unreadable(path, source))?;
        sources.insert(name, text);
    }
    Ok(())
}

fn unreadable(path: PathBuf, source: io::Error) -> LetterError {
    LetterError::Unreadable { path, source }
}

/// The language and name of the letter that a file belongs to. Files outside a language's directory are shared parts.
pub(super) fn letter_of(file: &str) -> Option<(String, String)> {
    let (language, file) = file.split_once('/')?;
    let name = file
        .strip_suffix(HTML)
        .or_else(|| file.strip_suffix(SUBJECT))?;
    Some((language.to_owned(), name.to_owned()))
}

/// The files of some languages, of those that they build on, and what all share. Trying out the rest at each start
/// would take time for nothing.
pub(super) fn needed(
    sources: &BTreeMap<String, String>,
    languages: &BTreeSet<String>,
) -> BTreeMap<String, String> {
    let mut needed: BTreeSet<&str> = languages.iter().map(String::as_str).collect();
    loop {
        let is_needed =
            |file: &str| language_of(file).is_none_or(|language| needed.contains(language));
        let kept = sources.iter().filter(|(file, _)| is_needed(file));
        let kept: BTreeMap<_, _> = kept.collect();
        let others = sources.keys().filter_map(|file| language_of(file));
        let named = |language: &&str| {
            let paths = [format!("\"{language}/"), format!("'{language}/")];
            let mut texts = kept.values();
            texts.any(|text| paths.iter().any(|path| text.contains(path)))
        };
        let others: BTreeSet<&str> = others.filter(|other| !needed.contains(other)).collect();
        let more: Vec<&str> = others.into_iter().filter(named).collect();
        if more.is_empty() {
            let kept = kept.into_iter();
            return kept
                .map(|(file, text)| (file.clone(), text.clone()))
                .collect();
        }
        needed.extend(more);
    }
}

/// The language that a file belongs to.
pub(super) fn language_of(file: &str) -> Option<&str> {
    file.split_once('/').map(|(language, _)| language)
}

/// Compiles templates so that HTML is escaped and a missing value is an error.
pub(super) fn environment(
    sources: BTreeMap<String, String>,
) -> Result<Environment<'static>, LetterError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|file| {
        if file.ends_with(HTML) {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    environment.set_formatter(print);
    // Debug information would carry the values of a letter into an error.
    environment.set_debug(false);
    environment.set_fuel(Some(FUEL));
    for (file, source) in sources {
        let added = environment.add_template_owned(file.clone(), source);
        added.map_err(|error| wrong(&file, &error))?;
    }
    Ok(environment)
}

/// Absent values are there as none, so that a template can ask for them; printing one is a mistake.
fn print(output: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_none() {
        return Err(Error::new(
            ErrorKind::UndefinedError,
            "prints a value that may be absent",
        ));
    }
    if matches!(state.auto_escape(), AutoEscape::Html) && !value.is_safe() {
        return match value.as_str() {
            Some(text) => escape(text, output),
            None => escape(&value.to_string(), output),
        };
    }
    escape_formatter(output, state, value)
}

/// Writes a text as HTML. minijinja would also make a reference of each slash, which link scanners stumble over.
fn escape(text: &str, output: &mut Output<'_>) -> Result<(), Error> {
    let mut rest = text;
    while let Some(place) = rest.find(['&', '<', '>', '"', '\'']) {
        let (plain, special) = rest.split_at(place);
        output.write_str(plain)?;
        output.write_str(match special.as_bytes()[0] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        })?;
        rest = &special[1..];
    }
    output.write_str(rest)?;
    Ok(())
}

/// Names the innermost place: an error in a part is reported once more by each template around it. Words that a
/// shared part asks for in vain are the letter's own fault.
pub(super) fn wrong(file: &str, error: &Error) -> LetterError {
    let mut innermost = error;
    while let Some(source) = innermost.source().and_then(|source| source.downcast_ref()) {
        innermost = source;
    }
    let detail = match innermost.kind() {
        ErrorKind::OutOfFuel => Some("a loop that is too long, or a text that is too large"),
        _ => innermost.detail(),
    };
    if let (ErrorKind::UnknownBlock, Some(problem)) = (innermost.kind(), detail) {
        return LetterError::Unsaid {
            file: file.to_owned(),
            problem: problem.to_owned(),
        };
    }
    LetterError::Template {
        file: innermost.name().unwrap_or(file).to_owned(),
        line: innermost.line().unwrap_or(1),
        problem: innermost.kind(),
        detail: detail.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests;
