//! Owns the list of views that a request to invite can name.

use std::time::Duration;

use serde::Serialize;

use super::Service;
use crate::domain::ids::ViewId;
use crate::remote::budget::Budget;
use crate::remote::dataverse::views::{View, Views};
use crate::remote::error::RemoteError;

/// Somebody waits in front of a drop-down.
const TIME: Duration = Duration::from_secs(30);

/// A view as callers see it: without its query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ViewEntry {
    /// Its id, in Dataverse's words `savedqueryid` or `userqueryid`.
    pub id: ViewId,
    /// What people call it.
    pub name: String,
    /// Whether it is somebody's own and not the system's.
    pub personal: bool,
}

impl Service {
    /// The views of contacts that a request can name: the system's by name, then personal ones by name.
    ///
    /// # Errors
    ///
    /// Where neither kind may be read, or Dataverse cannot be asked. A kind that alone may not be read is left out.
    pub async fn views(&self) -> Result<Vec<ViewEntry>, RemoteError> {
        let budget = Budget::within(&self.0.clock, TIME);
        let Views { saved, personal } = self.0.dataverse.views(&budget).await?;
        let (saved, personal) = match (saved, personal) {
            (Err(error), Err(_)) => return Err(error),
            (saved, personal) => (readable(saved)?, readable(personal)?),
        };
        let saved = entries(saved, false);
        Ok([saved, entries(personal, true)].concat())
    }
}

/// A kind that may not be read has no views.
fn readable(views: Result<Vec<View>, RemoteError>) -> Result<Vec<View>, RemoteError> {
    match views {
        Err(error @ RemoteError::Refused { .. }) => {
            tracing::warn!(%error, "views of one kind cannot be read and are left out");
            Ok(Vec::new())
        }
        views => views,
    }
}

/// By name, as people sort: without regard to case.
fn entries(mut views: Vec<View>, personal: bool) -> Vec<ViewEntry> {
    views.sort_by_cached_key(|view| (view.name.to_lowercase(), view.id.uuid()));
    let entry = |View { id, name }| ViewEntry { id, name, personal };
    views.into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn views_are_sorted_by_name_without_regard_to_case_and_then_by_id() {
        let view = |(id, name): (u128, &str)| View {
            id: ViewId::new(Uuid::from_u128(id)),
            name: name.to_owned(),
        };
        let views = [(4, "beta"), (3, "Gamma"), (2, "Beta"), (1, "alpha")].map(view);
        let ids = entries(views.to_vec(), true)
            .into_iter()
            .map(|entry| entry.id.uuid().as_u128());
        assert_eq!(ids.collect::<Vec<_>>(), [1, 2, 4, 3]);
    }
}
