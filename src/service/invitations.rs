//! Owns the list of invitations: one by its id, or page by page, the newest first.
//!
//! A row's place in the list is the second in which it was created, then its id. Neither ever changes, so a row that is
//! there during the whole walk is met exactly once, whatever becomes of it or of others meanwhile. No filter on the order
//! of ids is documented, and the database has an order of its own for them; hence a second is always read whole and put
//! in order here.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::{Parts, Service};
use crate::domain::ids::{BatchNumber, ContactId, InvitationId};
use crate::domain::invitation::{Invitation, Kind, Standing};
use crate::remote::budget::Budget;
use crate::remote::dataverse::listing::{InvitationQuery, LARGEST_PAGE, Listed, ListedPage};
use crate::remote::error::RemoteError;

/// An answer takes no longer than this.
const TIME: Duration = Duration::from_mins(1);

/// Pages of Dataverse read for one answer: what is wanted may be rare.
const MOST_READS: usize = 5;

/// Rows read beyond those that are wanted: the last second read may not be whole.
const BEYOND: usize = 250;

/// Which invitations a caller wants; `None` leaves a condition out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InvitationFilter {
    /// Those that stand so.
    pub standing: Option<Standing>,
    /// Those for this contact.
    pub contact: Option<ContactId>,
    /// Those that this batch created.
    pub batch: Option<BatchNumber>,
}

/// A row's place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The second in which it was created, since 1970; later ones come first.
    pub second: Reverse<i64>,
    /// Its id.
    pub id: InvitationId,
}

impl Place {
    fn of(row: &Listed) -> Self {
        Self {
            second: Reverse(row.invitation.created.as_second()),
            id: row.invitation.id,
        }
    }
}

/// Who redeemed an invitation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Redeemer {
    /// The contact.
    pub contact_id: ContactId,
    /// Its full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An invitation as callers see it: without its code.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InvitationEntry {
    /// Its id.
    pub invitation_id: InvitationId,
    /// For one contact, or for whoever has the code.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The contact it was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<ContactId>,
    /// That contact's full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_name: Option<String>,
    /// How it stands.
    pub standing: Standing,
    /// Since when it exists.
    pub created_on: Timestamp,
    /// Until when it can be redeemed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<Timestamp>,
    /// When it was redeemed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redeemed_on: Option<Timestamp>,
    /// Who redeemed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redeemed_by: Option<Redeemer>,
    /// How often it was redeemed.
    pub redemptions: i32,
    /// The batch that created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchNumber>,
}

/// A page of the list.
#[derive(Debug)]
pub struct InvitationList {
    /// The invitations; fewer than were asked for, even none, where many rows had to be looked at.
    pub entries: Vec<InvitationEntry>,
    /// Where to go on; `None` at the end of the list.
    pub next: Option<Place>,
}

impl Service {
    /// The invitation with an id; `None` where there is none, or another site has it.
    pub async fn invitation(
        &self,
        id: InvitationId,
    ) -> Result<Option<InvitationEntry>, RemoteError> {
        let reader = Reader::new(&self.0, InvitationFilter::default());
        let query = InvitationQuery {
            id: Some(id),
            ..reader.query()
        };
        let page = reader.list(&query, 1).await?;
        let found = reader.judged(page.rows).await?;
        Ok(reader.entries(found).await?.pop())
    }

    /// Up to `top` invitations after a place in the list, from the newest on without one.
    pub async fn invitations(
        &self,
        filter: InvitationFilter,
        top: usize,
        after: Option<Place>,
    ) -> Result<InvitationList, RemoteError> {
        let reader = Reader::new(&self.0, filter);
        let mut found = Vec::new();
        let mut before = after.map(|place| place.second.0.saturating_add(1));
        let mut place = after;
        for _ in 0..MOST_READS {
            let stretch = reader.stretch(before, top.saturating_add(BEYOND)).await?;
            let rows = stretch.rows.into_iter();
            let rows: Vec<_> = rows.filter(|row| Some(Place::of(row)) > after).collect();
            for chunk in rows.chunks(LARGEST_PAGE) {
                for (row, standing) in reader.judged(chunk.to_vec()).await? {
                    let wanted = filter.standing.is_none_or(|wanted| wanted == standing);
                    if wanted && found.len() == top {
                        let entries = reader.entries(found).await?;
                        return Ok(InvitationList {
                            entries,
                            next: place,
                        });
                    }
                    place = Some(Place::of(&row));
                    if wanted {
                        found.push((row, standing));
                    }
                }
            }
            before = stretch.before;
            if before.is_none() {
                place = None;
                break;
            }
        }
        let entries = reader.entries(found).await?;
        Ok(InvitationList {
            entries,
            next: place,
        })
    }
}

/// Rows of whole seconds, in the list's order.
struct Stretch {
    rows: Vec<Listed>,
    /// What is left was created before this second; `None` where nothing is left.
    before: Option<i64>,
}

/// Reads for one answer, all of it as of one moment.
struct Reader<'a> {
    parts: &'a Parts,
    filter: InvitationFilter,
    now: Timestamp,
    budget: Budget,
}

impl<'a> Reader<'a> {
    fn new(parts: &'a Parts, filter: InvitationFilter) -> Self {
        Self {
            parts,
            filter,
            now: parts.clock.now(),
            budget: Budget::within(&parts.clock, TIME),
        }
    }

    fn query(&self) -> InvitationQuery {
        InvitationQuery {
            id: None,
            standing: self.filter.standing,
            contact: self.filter.contact,
            batch: self.filter.batch,
            site: self.parts.policy.site.website(),
            now: self.now,
            since: None,
            before: None,
        }
    }

    /// The newest rows that were created before a second, as far as their seconds are whole.
    async fn stretch(&self, before: Option<i64>, size: usize) -> Result<Stretch, RemoteError> {
        let query = InvitationQuery {
            before: before.map(moment),
            ..self.query()
        };
        let page = self.list(&query, size).await?;
        let mut rows = page.rows;
        let last = rows.last().map(|row| row.invitation.created.as_second());
        let Some(last) = last.filter(|_| page.more) else {
            rows.sort_by_key(Place::of);
            return Ok(Stretch { rows, before: None });
        };
        rows.retain(|row| row.invitation.created.as_second() != last);
        let before = if rows.is_empty() {
            rows = self.second(last).await?;
            last
        } else {
            last.saturating_add(1)
        };
        rows.sort_by_key(Place::of);
        Ok(Stretch {
            rows,
            before: Some(before),
        })
    }

    /// Every row of a second that is too full for a page. Its pages follow each other by links, hence nothing that
    /// may change between them chooses the rows.
    async fn second(&self, second: i64) -> Result<Vec<Listed>, RemoteError> {
        let query = InvitationQuery {
            since: Some(moment(second)),
            before: Some(moment(second.saturating_add(1))),
            standing: None,
            ..self.query()
        };
        self.parts.dataverse.list_all(&query, &self.budget).await
    }

    async fn list(&self, query: &InvitationQuery, size: usize) -> Result<ListedPage, RemoteError> {
        let dataverse = &self.parts.dataverse;
        dataverse.list(query, size, &self.budget).await
    }

    /// Each row with how it stands.
    async fn judged(&self, rows: Vec<Listed>) -> Result<Vec<(Listed, Standing)>, RemoteError> {
        let standing = |row: &Invitation, has_code| row.standing_with(has_code, self.now);
        let in_doubt: Vec<_> = rows
            .iter()
            .map(|row| &row.invitation)
            .filter(|row| standing(row, true) != standing(row, false))
            .map(|row| row.id)
            .collect();
        let dataverse = &self.parts.dataverse;
        let coded = dataverse.with_code(&in_doubt, &self.budget).await?;
        let judged = rows.into_iter().map(|row| {
            let has_code = coded.contains(&row.invitation.id);
            let standing = standing(&row.invitation, has_code);
            (row, standing)
        });
        Ok(judged.collect())
    }

    async fn entries(
        &self,
        found: Vec<(Listed, Standing)>,
    ) -> Result<Vec<InvitationEntry>, RemoteError> {
        let redeemed: Vec<_> = found
            .iter()
            .filter(|(row, standing)| {
                *standing == Standing::Redeemed || row.invitation.redemptions > 0
            })
            .map(|(row, _)| row.invitation.id)
            .collect();
        let moments = self.redeemed_on(&redeemed).await?;
        let entries = found.into_iter();
        Ok(entries
            .map(|(row, standing)| entry(row, standing, &moments))
            .collect())
    }

    /// Without the privilege to read redemptions the list is still good for something.
    async fn redeemed_on(
        &self,
        ids: &[InvitationId],
    ) -> Result<HashMap<InvitationId, Timestamp>, RemoteError> {
        let dataverse = &self.parts.dataverse;
        match dataverse.redeemed_on(ids, &self.budget).await {
            Err(error @ RemoteError::Refused { .. }) => {
                tracing::warn!(%error, "when invitations were redeemed cannot be read");
                Ok(HashMap::new())
            }
            moments => moments,
        }
    }
}

fn entry(
    row: Listed,
    standing: Standing,
    moments: &HashMap<InvitationId, Timestamp>,
) -> InvitationEntry {
    let invitation = row.invitation;
    let redeemer = |contact_id| Redeemer {
        contact_id,
        name: row.redeemer_name,
    };
    InvitationEntry {
        invitation_id: invitation.id,
        kind: invitation.kind,
        contact_id: invitation.contact,
        contact_name: row.contact_name,
        standing,
        created_on: invitation.created,
        expires_on: invitation.expires,
        redeemed_on: moments.get(&invitation.id).copied(),
        redeemed_by: invitation.redeemed_contact.map(redeemer),
        redemptions: invitation.redemptions,
        batch: invitation.batch,
    }
}

fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}
