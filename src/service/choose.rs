//! Owns which letter an entry gets: in which language, and from which template.
//!
//! Both are decided when the letter is made, from the contact as it is stored by then: a batch may wait for hours.

use crate::domain::batch::{LetterTerms, Plan};
use crate::domain::language::SiteLanguage;
use crate::domain::redeem_link::LanguagePath;
use crate::letter::Letters;
use crate::remote::budget::Budget;
use crate::remote::dataverse::languages::PreferredLanguage;
use crate::remote::error::RemoteError;
use crate::service::Parts;

/// A letter of the template set, and the pages of the site that it leads to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'p> {
    pub(super) language: &'p str,
    pub(super) template: &'p str,
    /// The site's path for the language, where it has one.
    pub(super) path: Option<&'p LanguagePath>,
}

impl Parts {
    /// The letter about a plan, for a contact that prefers a language.
    pub(super) async fn choose<'p>(
        &'p self,
        letters: &Letters,
        (terms, plan): (&'p LetterTerms, &Plan),
        preferred: Option<PreferredLanguage>,
        budget: &Budget,
    ) -> Result<Choice<'p>, RemoteError> {
        let preferred = self.preference(terms, preferred, budget).await?;
        let (policy, templates) = (&self.policy, terms.templates(plan));
        let has = |language: &str, template: &&str| letters.has(language, template);
        // A template that was asked for by name need not be there in every language.
        let serves = |language: &str| templates.clone().any(|template| has(language, &template));
        let languages = policy.languages.iter();
        let languages = languages.filter(|(language, _)| serves(language));
        let languages = languages.map(|(language, path)| (language.as_str(), path.as_ref()));
        let asked = terms
            .language
            .as_deref()
            .filter(|language| serves(language));
        let own = || (preferred.as_ref()).and_then(|preferred| preferred.served_by(languages));
        let language = asked.or_else(own).unwrap_or(&policy.default_language);
        let template = templates.clone().find(|template| has(language, template));
        Ok(Choice {
            language,
            template: template.unwrap_or(LetterTerms::INVITATION),
            path: policy.languages.get(language).and_then(Option::as_ref),
        })
    }

    /// Whether what a contact prefers can change its letter's language.
    pub(super) fn minds_preferences(&self, terms: &LetterTerms) -> bool {
        terms.language.is_none() && self.policy.languages.len() > 1
    }

    /// The language of the site that a contact prefers, where the letter's language depends on it.
    async fn preference(
        &self,
        terms: &LetterTerms,
        preferred: Option<PreferredLanguage>,
        budget: &Budget,
    ) -> Result<Option<SiteLanguage>, RemoteError> {
        match preferred.filter(|_| self.minds_preferences(terms)) {
            Some(preferred) => self.dataverse.site_language(preferred, budget).await,
            None => Ok(None),
        }
    }
}
