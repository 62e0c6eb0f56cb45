//! Owns how a letter reads: it turns an invitation and a template into a subject and HTML.
//!
//! Templates are minijinja files, one directory a language. Each is rendered at load with and without the optional
//! values, so a mistake in one stops the start and not a letter. Every value is escaped, a value that is missing is
//! an error instead of a gap, and a letter in which the redeem link does not stand is never handed out.

mod color;
mod digest;
mod moment;
mod overrides;
mod source;
mod values;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::{Environment, ErrorKind, Value, context};
use thiserror::Error;
use url::Url;

use crate::domain::redeem_link::RedeemLink;
use digest::DIGEST;
pub use digest::{
    DigestContent, DigestCount, DigestFailures, DigestGap, DigestList, DigestReason, DigestRow,
    Unseen,
};
pub use overrides::{LARGEST_OVERRIDE, MOST_OVERRIDES, Refused, is_template};
use source::{HTML, SUBJECT};
pub use values::line;

/// Why a letter could not be made. No variant repeats a value: a letter's values are personal.
#[derive(Debug, Error)]
pub enum LetterError {
    /// The template directory could not be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// What was to be read.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A template is wrong.
    #[error("template {file}, line {line}: {problem}{}", after_colon(detail.as_deref()))]
    Template {
        /// The file, relative to the template directory.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: ErrorKind,
        /// More of it, where it was filled with sample values: it may repeat them.
        detail: Option<String>,
    },
    /// A language without words that its letter needs.
    #[error("template {file}: {problem}")]
    Unsaid {
        /// The language's file, relative to the template directory.
        file: String,
        /// Which block is missing.
        problem: String,
    },
    /// A letter without its HTML or its subject.
    #[error("template {0} is missing")]
    Missing(String),
    /// A letter that nobody could follow.
    #[error("template {0} does not link to {{{{ link }}}}")]
    NoLink(String),
}

impl LetterError {
    /// The template that it names, by its path in the template directory.
    fn file(&self) -> Option<&str> {
        match self {
            Self::Template { file, .. }
            | Self::Unsaid { file, .. }
            | Self::Missing(file)
            | Self::NoLink(file) => Some(file),
            Self::Unreadable { .. } => None,
        }
    }

    /// The same, without what may repeat the values of a letter, its link among them.
    fn without_values(mut self) -> Self {
        match &mut self {
            Self::Template { detail, .. } => *detail = None,
            Self::Unsaid { problem, .. } => "a block is missing".clone_into(problem),
            Self::Unreadable { .. } | Self::Missing(_) | Self::NoLink(_) => {}
        }
        self
    }
}

fn after_colon(detail: Option<&str>) -> String {
    detail.map_or_else(String::new, |detail| format!(": {detail}"))
}

/// How letters look and whom they name.
#[derive(Clone, Debug)]
pub struct Brand {
    /// The name on top of the letter.
    pub name: String,
    /// The button's colour, `#rrggbb`.
    pub color: String,
    /// A picture on top of the letter, beside the name.
    pub logo_url: Option<Url>,
    /// Whom to ask.
    pub support_email: Option<String>,
}

/// What one letter says. It has no `Debug`: everything in it is personal or secret.
#[expect(
    missing_debug_implementations,
    reason = "everything in it is personal or secret"
)]
#[derive(Clone, Copy)]
pub struct LetterContent<'a> {
    /// A language of the template set.
    pub language: &'a str,
    /// A template of that language.
    pub template: &'a str,
    /// Whose letter it is.
    pub brand: &'a Brand,
    /// Whom it greets.
    pub contact_name: &'a str,
    /// Who invites, where a person does.
    pub inviter_name: Option<&'a str>,
    /// What that person adds: plain text whose line breaks are kept.
    pub message: Option<&'a str>,
    /// A subject that replaces the template's; one without a visible character replaces nothing.
    pub subject: Option<&'a str>,
    /// What the button leads to.
    pub link: &'a RedeemLink,
    /// Whether it takes the place of an earlier invitation, whose link no longer works.
    pub replaces: bool,
    /// Until when the link works.
    pub expires: Option<Timestamp>,
    /// The time zone to say so in.
    pub zone: &'a TimeZone,
}

/// A letter ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// One line, at most 255 UTF-16 units.
    pub subject: String,
    /// A whole HTML document that needs nothing from elsewhere.
    pub html: String,
}

impl fmt::Debug for Letter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Letter([redacted], {} bytes)", self.html.len())
    }
}

/// Every template, tried out.
#[derive(Clone)]
pub struct Letters {
    environment: Environment<'static>,
    /// All files, also of languages that nobody asked for.
    sources: Arc<BTreeMap<String, String>>,
    /// The languages that were asked for.
    languages: BTreeSet<String>,
    /// Language and name of each letter.
    known: BTreeSet<(String, String)>,
    /// The languages that a digest is written in.
    digests: BTreeSet<String>,
}

impl fmt::Debug for Letters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Letters").field(&self.known).finish()
    }
}

impl Letters {
    /// Reads a template directory and tries every letter in it.
    pub fn load(directory: &Path) -> Result<Self, LetterError> {
        Self::compile(Self::read(directory)?)
    }

    /// The same for some languages, those that they build on, and English, in which a digest can always be written.
    pub fn load_languages<'l>(
        directory: &Path,
        languages: impl IntoIterator<Item = &'l str>,
    ) -> Result<Self, LetterError> {
        let languages = languages.into_iter().chain([digest::FALLBACK]);
        let languages = languages.map(str::to_owned).collect();
        Self::compile_languages(Self::read(directory)?, languages)
    }

    /// Reads the template files of a directory, by their paths in it such as `en/invitation.html`.
    pub fn read(directory: &Path) -> Result<BTreeMap<String, String>, LetterError> {
        source::read(directory)
    }

    /// Compiles templates and tries every letter among them.
    pub fn compile(sources: BTreeMap<String, String>) -> Result<Self, LetterError> {
        let languages = sources.keys().filter_map(|file| source::language_of(file));
        let languages = languages.map(str::to_owned).collect();
        Self::compile_languages(sources, languages)
    }

    fn compile_languages(
        sources: BTreeMap<String, String>,
        languages: BTreeSet<String>,
    ) -> Result<Self, LetterError> {
        let needed = source::needed(&sources, &languages);
        let letters = needed.keys().filter_map(|file| source::letter_of(file));
        let (digests, known): (BTreeSet<_>, _) = letters.partition(|(_, name)| name == DIGEST);
        let letters = Self {
            environment: source::environment(needed)?,
            sources: Arc::new(sources),
            languages,
            known,
            digests: digests.into_iter().map(|(language, _)| language).collect(),
        };
        for (language, template) in &letters.known {
            letters.try_out(language, template)?;
        }
        for language in &letters.digests {
            letters.try_out_digest(language, &plain_brand())?;
        }
        Ok(letters)
    }

    /// The languages that have a letter, in order.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        let languages: BTreeSet<_> = self
            .known
            .iter()
            .map(|(language, _)| language.as_str())
            .collect();
        languages.into_iter()
    }

    /// Language and name of each letter, in order.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        let known = self.known.iter();
        known.map(|(language, template)| (language.as_str(), template.as_str()))
    }

    /// Whether a letter of this name is in any language.
    pub fn has_template(&self, template: &str) -> bool {
        self.known.iter().any(|(_, known)| known == template)
    }

    /// Whether a letter of this name is in this language.
    pub fn has(&self, language: &str, template: &str) -> bool {
        self.known
            .contains(&(language.to_owned(), template.to_owned()))
    }

    /// Makes a letter.
    pub fn render(&self, content: &LetterContent<'_>) -> Result<Letter, LetterError> {
        self.make(content).map_err(LetterError::without_values)
    }

    fn make(&self, content: &LetterContent<'_>) -> Result<Letter, LetterError> {
        let values = values::of(content);
        let subject = self.subject(content, &values)?;
        let file = format!("{}/{}{HTML}", content.language, content.template);
        let values =
            context! { subject => subject.as_str(), link => content.link.expose(), ..values };
        let html = self.fill(&file, values)?;
        let whole = content.link.stands_in(&html);
        whole
            .then_some(Letter { subject, html })
            .ok_or(LetterError::NoLink(file))
    }

    /// The subject's template knows no link: a subject is shown where a letter is not.
    fn subject(&self, content: &LetterContent<'_>, values: &Value) -> Result<String, LetterError> {
        let given = content.subject.map(values::subject_line);
        if let Some(subject) = given.filter(|subject| !subject.is_empty()) {
            return Ok(subject);
        }
        let file = format!("{}/{}{SUBJECT}", content.language, content.template);
        Ok(values::subject_line(&self.fill(&file, values.clone())?))
    }

    fn fill(&self, file: &str, values: Value) -> Result<String, LetterError> {
        let template = self.environment.get_template(file);
        let template = template.map_err(|_| LetterError::Missing(file.to_owned()))?;
        template
            .render(values)
            .map_err(|error| source::wrong(file, &error))
    }

    fn try_out(&self, language: &str, template: &str) -> Result<(), LetterError> {
        let plain = plain_brand();
        let bare = LetterContent {
            language,
            template,
            brand: &plain,
            contact_name: "",
            inviter_name: None,
            message: None,
            subject: None,
            link: &RedeemLink::sample(),
            replaces: false,
            expires: None,
            zone: &TimeZone::UTC,
        };
        self.make(&bare)?;
        let full = LetterContent {
            brand: &Brand {
                logo_url: Url::parse("https://portal.example/logo.png").ok(),
                support_email: Some("help@portal.example".to_owned()),
                ..plain.clone()
            },
            contact_name: "Sample",
            inviter_name: Some("Sample"),
            message: Some("Sample\n\nSample"),
            replaces: true,
            expires: Some(Timestamp::UNIX_EPOCH),
            ..bare
        };
        self.make(&full).map(drop)
    }
}

/// What a template is tried out with.
fn plain_brand() -> Brand {
    Brand {
        name: "Sample".to_owned(),
        color: "#0f6cbd".to_owned(),
        logo_url: None,
        support_email: None,
    }
}
