//! Owns what happens when makers put templates over the packaged ones: which of them are used, and which are refused.
//!
//! One that cannot be used is left out, and the packaged file stays; the sound ones beside it are used. Nothing that
//! the packaged set offers can go missing by it, because an override replaces or adds and never removes.

use std::collections::BTreeMap;
use std::fmt;

use super::source::{HTML, SUBJECT};
use super::{LetterError, Letters, source};

/// How many files there may be beside the packaged ones.
pub const MOST_OVERRIDES: usize = 200;

/// How many bytes one of them may have.
pub const LARGEST_OVERRIDE: u64 = 256 << 10;

/// How many characters of a reason are told.
const LONGEST_REASON: usize = 300;

/// How often templates are compiled to find the ones that are wrong.
const MOST_TRIES: usize = 100;

/// A template that is not used, and why. It never repeats a value of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its path, such as `en/invitation.html`.
    pub file: String,
    /// The line that is wrong, from 1, where it is one.
    pub line: Option<usize>,
    /// What is wrong, in words.
    pub reason: String,
}

impl Refused {
    /// One that cannot be used whatever stands in it.
    pub fn whole(file: &str, reason: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            reason: reason.into(),
        }
    }

    /// `alone` says that the error is surely this file's.
    fn because(file: &str, error: &LetterError, alone: bool) -> Self {
        let (line, reason) = match error {
            error if !alone => {
                let reason = "cannot be told apart from others, of which one is wrong";
                (None, format!("{reason}: {error}"))
            }
            LetterError::Template {
                file: named,
                line,
                problem,
                detail,
            } if named == file => {
                let detail = super::after_colon(detail.as_deref());
                (Some(*line), format!("{problem}{detail}"))
            }
            LetterError::Unsaid {
                file: named,
                problem,
            } if named == file => (None, problem.clone()),
            error => (None, error.to_string()),
        };
        Self {
            line,
            ..Self::whole(
                file,
                reason.chars().take(LONGEST_REASON).collect::<String>(),
            )
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "{}, line {line}: {}", self.file, self.reason),
            None => write!(formatter, "{}: {}", self.file, self.reason),
        }
    }
}

/// Whether a path is one that templates are read from; other files may lie beside them.
pub fn is_template(path: &str) -> bool {
    let named = path.ends_with(HTML) || path.ends_with(SUBJECT);
    named && path.matches('/').count() <= 1
}

type Sources = BTreeMap<String, String>;

impl Letters {
    /// These letters with other files in the place of theirs or beside them, and the files that cannot be used.
    pub fn overridden(&self, overrides: Sources) -> (Self, Vec<Refused>) {
        let (overrides, mut refused) = self.asked_for(overrides);
        let mut trial = Trial {
            packaged: self,
            overrides,
            tries: 0,
        };
        while !trial.overrides.is_empty() {
            let error = match trial.compile(|_| true) {
                Ok(letters) => return (letters, refused),
                Err(error) => error,
            };
            let blamed = trial.blamed(&error);
            let alone = blamed.len() == 1;
            for file in blamed {
                trial.overrides.remove(&file);
                refused.push(Refused::because(&file, &error, alone));
            }
        }
        (self.clone(), refused)
    }

    /// Takes out the overrides of languages that nobody gets letters in.
    fn asked_for(&self, overrides: Sources) -> (Sources, Vec<Refused>) {
        let mut all = Sources::clone(&self.sources);
        all.extend(overrides.clone());
        let needed = source::needed(&all, &self.languages);
        let (asked_for, others): (Sources, Sources) = overrides
            .into_iter()
            .partition(|(file, _)| needed.contains_key(file));
        let reason = "is of a language that LANGUAGES does not name";
        let refused = others.keys().map(|file| Refused::whole(file, reason));
        (asked_for, refused.collect())
    }
}

/// Overrides that do not all work.
struct Trial<'l> {
    packaged: &'l Letters,
    overrides: Sources,
    tries: usize,
}

impl Trial<'_> {
    /// Compiles the packaged templates with those overrides that are wanted.
    fn compile(&mut self, wanted: impl Fn(&str) -> bool) -> Result<Letters, LetterError> {
        self.tries += 1;
        let overrides = self.overrides.iter().filter(|(file, _)| wanted(file));
        let mut all = Sources::clone(&self.packaged.sources);
        all.extend(overrides.map(|(file, text)| (file.clone(), text.clone())));
        Letters::compile_languages(all, self.packaged.languages.clone())
    }

    /// The overrides that an error comes from: the one that it names, if that fails on its own too; else another
    /// one without which all is well; else the one without which the error is another; else all of them.
    fn blamed(&mut self, error: &LetterError) -> Vec<String> {
        let mut files: Vec<String> = self.overrides.keys().cloned().collect();
        if self.tries >= MOST_TRIES {
            return files;
        }
        let named = error.file().map(str::to_owned);
        let named = named.filter(|file| self.overrides.contains_key(file));
        if let Some(file) = &named
            && self
                .compile(|other| are_of_one_letter(file, other))
                .is_err()
        {
            return vec![file.clone()];
        }
        files.sort_by_key(|file| Some(file.as_str()) == named.as_deref());
        let mut eased = None;
        for file in &files {
            if self.tries >= MOST_TRIES {
                return files;
            }
            match self.compile(|other| other != file) {
                Ok(_) => return vec![file.clone()],
                Err(other) if other.to_string() != error.to_string() => {
                    eased.get_or_insert(file);
                }
                Err(_) => {}
            }
        }
        eased.map_or_else(|| files.clone(), |file| vec![file.clone()])
    }
}

/// The HTML and the subject of a letter stand or fall together; a shared part stands alone.
fn are_of_one_letter(file: &str, other: &str) -> bool {
    let letter = source::letter_of(file);
    file == other || (letter.is_some() && letter == source::letter_of(other))
}

#[cfg(test)]
mod tests;
