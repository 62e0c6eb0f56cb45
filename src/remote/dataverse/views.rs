//! Owns the list of views of contacts: those of the system and those that people keep, as far as a request can name them.
//!
//! Both kinds are asked for in one `$batch`, because somebody waits in front of a drop-down. Views that a request would
//! be refused for are left out by their FetchXML, which goes no further than here.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/retrieve-and-execute-predefined-queries>

use serde::Deserialize;
use uuid::Uuid;

use super::multipart::{Part, Step};
use super::odata::{Filter, Query, Value};
use super::used::{PERSONAL_VIEWS, UsedTable, VIEWS};
use super::{Dataverse, Page, fetch_xml};
use crate::domain::ids::ViewId;
use crate::domain::invitation::STATE_ACTIVE;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

/// Views of each kind that are read, the first by name; one page of Dataverse holds them.
const MOST: usize = 1_000;

/// What people see as views: others are dialogs, quick finds and the like.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/customize-entity-views>
const ORDINARY: i64 = 0;

const READ: &str = "read the views of contacts";

/// A view of contacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Its id.
    pub id: ViewId,
    /// What people call it.
    pub name: String,
}

/// The views of contacts; each kind alone, as each takes a privilege of its own.
#[derive(Debug)]
pub struct Views {
    /// The system's (`savedquery`).
    pub saved: Result<Vec<View>, RemoteError>,
    /// People's own (`userquery`), as far as they are shared with the app's user.
    pub personal: Result<Vec<View>, RemoteError>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(alias = "savedqueryid", alias = "userqueryid")]
    id: Uuid,
    name: Option<String>,
    fetchxml: Option<String>,
}

impl Row {
    fn view(self) -> Option<View> {
        fetch_xml::check_columns(&self.fetchxml?).ok()?;
        Some(View {
            id: ViewId::new(self.id),
            name: self.name?,
        })
    }
}

impl Dataverse {
    /// The active views of contacts that a request may name; one request, up to a thousand views of each kind.
    pub async fn views(&self, budget: &Budget) -> Result<Views, RemoteError> {
        let steps = [&VIEWS, &PERSONAL_VIEWS].map(|table| Step::get(of_contacts(table).to_path()));
        let parts = self.batch(READ, &steps, false, budget).await?;
        match parts.as_slice() {
            [saved, personal] => Ok(Views {
                saved: self.views_in(saved),
                personal: self.views_in(personal),
            }),
            _ => Err(self
                .endpoint
                .unreadable(READ, "fewer answers than questions")),
        }
    }

    fn views_in(&self, part: &Part) -> Result<Vec<View>, RemoteError> {
        let page: Page<Row> = self.page(READ, part)?;
        Ok(page.value.into_iter().filter_map(Row::view).collect())
    }
}

fn of_contacts(table: &UsedTable) -> Query {
    let filters = [
        Filter::equals("returnedtypecode", Value::Text("contact".to_owned())),
        Filter::equals("querytype", ORDINARY),
        Filter::equals("statecode", i64::from(STATE_ACTIVE)),
    ];
    Query::over(table.set)
        .select(&[table.key, "name", "fetchxml"])
        .filter(&Filter::all(filters))
        .order("name")
        .option("$top", MOST.to_string())
}
