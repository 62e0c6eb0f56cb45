//! Owns the language of the site that a contact prefers: where it is stored, and what the stored value means.
//!
//! In the enhanced data model it is a choice whose values are numbers of languages, in the standard one a lookup. What
//! the lookup leads to is read apart: with `$expand`, a role that may not read languages could not read contacts either.
//! <https://learn.microsoft.com/power-pages/configure/enable-multiple-language-support#configure-users-default-language>

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::multipart::Step;
use super::odata::{Filter, Query};
use super::schema::Schema;
use super::used::SITE_LANGUAGES;
use super::{Dataverse, Page};
use crate::domain::batch::DataModel;
use crate::domain::ids::ContactId;
use crate::domain::language::SiteLanguage;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

/// Contacts whose preferences are read in one request, and in one query of it.
const CONTACTS: (usize, usize) = (1_000, 100);

/// How long the languages of the site are believed to be as they were read.
const KEPT: Duration = Duration::from_hours(1);

/// How soon they are read again for one that is not among them, or for a privilege that was missing.
const AGAIN: Duration = Duration::from_mins(1);

/// The language that a contact prefers, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreferredLanguage {
    /// Its number: `mspp_userpreferredlcid`.
    Number(i64),
    /// A row of `adx_portallanguage`: `adx_preferredlanguageid`.
    Row(Uuid),
}

/// The columns of a contact that hold it.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct LanguageColumns {
    mspp_userpreferredlcid: Option<i64>,
    #[serde(rename = "_adx_preferredlanguageid_value")]
    row: Option<Uuid>,
}

impl LanguageColumns {
    /// The names to select.
    pub(super) fn of(schema: &Schema) -> impl Iterator<Item = &'static str> {
        schema.preferred_languages.iter().map(|model| match model {
            DataModel::Enhanced => "mspp_userpreferredlcid",
            DataModel::Standard => "_adx_preferredlanguageid_value",
        })
    }

    /// The first column that says something.
    pub(super) fn read(self, schema: &Schema) -> Option<PreferredLanguage> {
        let mut models = schema.preferred_languages.iter();
        models.find_map(|model| match model {
            DataModel::Enhanced => self.mspp_userpreferredlcid.map(PreferredLanguage::Number),
            DataModel::Standard => self.row.map(PreferredLanguage::Row),
        })
    }
}

/// The languages of the site, as they were read last.
#[derive(Debug, Default)]
pub(super) struct SiteLanguages(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    read: Timestamp,
    /// By their rows; none where they may not be read.
    languages: Option<HashMap<Uuid, SiteLanguage>>,
}

impl Known {
    fn find(&self, row: Uuid) -> Option<&SiteLanguage> {
        self.languages.as_ref()?.get(&row)
    }

    fn holds(&self, row: Uuid, now: Timestamp) -> bool {
        let age = now.duration_since(self.read).unsigned_abs();
        let found = self.find(row).is_some();
        age < if found { KEPT } else { AGAIN }
    }
}

#[derive(Deserialize)]
struct LanguageRow {
    adx_portallanguageid: Uuid,
    adx_languagecode: Option<String>,
}

#[derive(Deserialize)]
struct ContactRow {
    contactid: Uuid,
    #[serde(flatten)]
    language: LanguageColumns,
}

impl Dataverse {
    /// The language of the site that a stored preference means; none where nobody can tell.
    ///
    /// # Errors
    ///
    /// Where another try may tell. A refusal is only logged: a letter in the default language is better than none.
    pub async fn site_language(
        &self,
        preferred: PreferredLanguage,
        budget: &Budget,
    ) -> Result<Option<SiteLanguage>, RemoteError> {
        let row = match preferred {
            PreferredLanguage::Number(lcid) => return Ok(SiteLanguage::of_lcid(lcid)),
            PreferredLanguage::Row(row) => row,
        };
        let mut known = self.languages.0.lock().await;
        let now = self.endpoint.now();
        if !known.as_ref().is_some_and(|known| known.holds(row, now)) {
            let refused_before = known.as_ref().is_some_and(|it| it.languages.is_none());
            *known = Some(Known {
                read: now,
                languages: self.read_site_languages(refused_before, budget).await?,
            });
        }
        Ok(known.as_ref().and_then(|known| known.find(row)).cloned())
    }

    async fn read_site_languages(
        &self,
        refused_before: bool,
        budget: &Budget,
    ) -> Result<Option<HashMap<Uuid, SiteLanguage>>, RemoteError> {
        const ACTION: &str = "read the languages of the site";
        let query =
            Query::over(SITE_LANGUAGES.set).select(&[SITE_LANGUAGES.key, "adx_languagecode"]);
        let url = self.url(&query.to_path());
        let page = match self.get::<Page<LanguageRow>>(ACTION, url, budget).await {
            Err(error @ (RemoteError::Refused { .. } | RemoteError::Unreadable { .. })) => {
                if !refused_before {
                    tracing::warn!(%error, "contacts' preferred languages cannot be told; their letters are in DEFAULT_LANGUAGE");
                }
                return Ok(None);
            }
            page => page?,
        };
        let rows = page.map(|page| page.value).unwrap_or_default();
        let named = rows.into_iter().filter_map(|row| {
            let language = SiteLanguage::new(row.adx_languagecode.as_deref()?)?;
            Some((row.adx_portallanguageid, language))
        });
        Ok(Some(named.collect()))
    }

    /// The preferences of contacts that have one.
    pub async fn preferred_languages(
        &self,
        contacts: &[ContactId],
        budget: &Budget,
    ) -> Result<HashMap<ContactId, PreferredLanguage>, RemoteError> {
        const ACTION: &str = "read the languages that contacts prefer";
        let schema = self.schema(budget).await?;
        let mut preferred = HashMap::new();
        if schema.preferred_languages.is_empty() {
            return Ok(preferred);
        }
        let columns: Vec<_> = ["contactid"]
            .into_iter()
            .chain(LanguageColumns::of(schema))
            .collect();
        let (a_request, a_query) = CONTACTS;
        for contacts in contacts.chunks(a_request) {
            let queries = contacts.chunks(a_query).map(|contacts| {
                let ids = contacts.iter().map(|contact| contact.uuid());
                let query = Query::over("contacts").select(&columns);
                Step::get(query.filter(&Filter::key_in("contactid", ids)).to_path())
            });
            let queries: Vec<_> = queries.collect();
            for part in self.batch(ACTION, &queries, false, budget).await? {
                let rows = self.all_rows::<ContactRow>(ACTION, &part, budget).await?;
                let stated = rows.into_iter().filter_map(|row| {
                    Some((ContactId::new(row.contactid), row.language.read(schema)?))
                });
                preferred.extend(stated);
            }
        }
        Ok(preferred)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan as _;

    #[test]
    fn languages_are_read_again_after_an_hour_and_for_an_unknown_one_after_a_minute() {
        let read = Timestamp::UNIX_EPOCH;
        let [norwegian, unknown] = [1, 2].map(Uuid::from_u128);
        let language = SiteLanguage::new("nb-NO").map(|language| (norwegian, language));
        let readable = Some(language.into_iter().collect());
        for (languages, row, seconds, holds) in [
            (&readable, norwegian, 3_599, true),
            (&readable, norwegian, 3_601, false),
            (&readable, unknown, 59, true),
            (&readable, unknown, 61, false),
            (&None, norwegian, 59, true),
            (&None, norwegian, 61, false),
            // Somebody has set the clock back.
            (&readable, norwegian, -3_601, false),
        ] {
            let languages = languages.clone();
            let known = Known { read, languages };
            assert_eq!(
                known.holds(row, read + seconds.seconds()),
                holds,
                "{seconds}"
            );
        }
    }
}
