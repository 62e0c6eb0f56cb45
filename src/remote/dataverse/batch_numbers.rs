//! Owns which batches the newest invitations name.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Deserialize;

use super::odata::{Filter, Query};
use super::{Dataverse, Page};
use crate::domain::ids::BatchNumber;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

#[derive(Deserialize)]
struct Row {
    importsequencenumber: Option<i64>,
}

impl Dataverse {
    /// The batches that the newest `most` invitations since then name, each once, the newest first.
    pub async fn newest_batches(
        &self,
        since: Timestamp,
        most: usize,
        budget: &Budget,
    ) -> Result<Vec<BatchNumber>, RemoteError> {
        const ACTION: &str = "read the newest invitations";
        let first = i64::from(BatchNumber::MIN.get());
        let filter = Filter::at_least("importsequencenumber", first)
            .and(Filter::at_least("createdon", since));
        let query = Query::over("adx_invitations")
            .select(&["importsequencenumber"])
            .filter(&filter)
            .order("createdon desc")
            .option("$top", most.to_string());
        let page: Option<Page<Row>> = self.get(ACTION, self.url(&query.to_path()), budget).await?;
        let rows = page.map(|page| page.value).unwrap_or_default();
        let numbers = rows.into_iter().filter_map(|row| row.importsequencenumber);
        let mut seen = HashSet::new();
        Ok(numbers
            .filter_map(|number| BatchNumber::try_from(number).ok())
            .filter(|number| seen.insert(*number))
            .collect())
    }
}
