//! Owns the step from contacts to the entries of a plan: what is read overlaps, what is decided keeps its order.

use std::collections::{BTreeSet, HashSet};

use futures::{StreamExt, stream};

use super::{InviteError, busy_when_late};
use crate::domain::batch::Entry;
use crate::domain::ids::ContactId;
use crate::remote::budget::Budget;
use crate::remote::dataverse::contacts::Survey;
use crate::remote::journal::StoreError;
use crate::service::Parts;
use crate::service::plan::{Journals, Planner};

/// Contacts read in one call.
const CONTACTS_A_SURVEY: usize = 1_000;

/// Journals looked for at once: each is a call to the store.
const JOURNALS_AT_ONCE: usize = 16;

/// Plans each contact. Only the surveys in flight are held beside the entries.
pub(super) async fn entries(
    parts: &Parts,
    planner: &mut Planner<'_>,
    contacts: &[ContactId],
    budget: &Budget,
) -> Result<Vec<Entry>, InviteError> {
    let chunk = |place: usize| {
        contacts
            .chunks(CONTACTS_A_SURVEY)
            .nth(place)
            .unwrap_or_default()
    };
    let chunk = &chunk;
    let codes = planner.codes();
    let places = 0..contacts.len().div_ceil(CONTACTS_A_SURVEY);
    let surveys = places.map(|place| async move {
        let contacts = distinct(chunk(place));
        let survey = parts.dataverse.survey(&contacts, codes, budget).await;
        survey.map(|survey| (place, survey))
    });
    let mut surveys = stream::iter(surveys).buffered(parts.dataverse.width());
    let mut entries = Vec::with_capacity(contacts.len());
    let mut journals = Journals::new();
    while let Some(survey) = surveys.next().await {
        let (place, survey) = survey.map_err(busy_when_late)?;
        find_journals(parts, &survey, &mut journals).await?;
        let contacts = chunk(place).iter();
        entries.extend(contacts.map(|contact| planner.entry(*contact, &survey, &journals)));
    }
    Ok(entries)
}

async fn find_journals(
    parts: &Parts,
    survey: &Survey,
    journals: &mut Journals,
) -> Result<(), StoreError> {
    let rows = survey.invitations.values().flatten();
    let unknown: BTreeSet<_> = rows
        .filter_map(|row| row.batch)
        .filter(|batch| !journals.contains_key(batch))
        .collect();
    let lookups = unknown
        .into_iter()
        .map(|batch| async move { Ok((batch, parts.store.whereabouts(batch).await?)) });
    let mut found = stream::iter(lookups).buffer_unordered(JOURNALS_AT_ONCE);
    while let Some(whereabouts) = found.next().await {
        let (batch, whereabouts) = whereabouts?;
        journals.insert(batch, whereabouts);
    }
    Ok(())
}

fn distinct(contacts: &[ContactId]) -> Vec<ContactId> {
    let mut seen = HashSet::new();
    contacts
        .iter()
        .copied()
        .filter(|contact| seen.insert(*contact))
        .collect()
}
