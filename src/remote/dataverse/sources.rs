//! Owns finding out which contacts a view, FetchXML or a filter names: their ids, page by page, in its order.
//!
//! Each page is asked for inside a `$batch`, because the address of a plain GET is too short for a long query.
//! Columns of sign-ins hold password hashes and security stamps. Whoever may ask "which contacts have a hash that
//! begins with x" reads them letter by letter, so whatever names such a column is refused here.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/page-results>

use std::collections::HashSet;

use http::header::HeaderName;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::Dataverse;
use super::fetch_xml::{self, FetchXml, FetchXmlError};
use super::multipart::{Operation, Part, Step};
use super::odata::Query;
use crate::domain::ids::{ContactId, ViewId};
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

/// The most rows that Dataverse puts on a page.
pub(super) const PAGE_SIZE: usize = 5_000;

/// How the names of columns begin that hold the secrets of sign-ins.
pub(super) const GUARDED: &str = "adx_identity_";

const READ: &str = "read which contacts to invite";

const HINT: &str = "(A personal view must be shared with the app's user.)";

/// A question that contacts are the answer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactQuery {
    /// A view that is kept in Dataverse.
    View {
        /// Which one.
        id: ViewId,
        /// Whether it is somebody's own (`userquery`) or the system's (`savedquery`); `None` for whichever has the id,
        /// the system's first.
        personal: Option<bool>,
    },
    /// A whole FetchXML query over contacts.
    FetchXml(String),
    /// What `$filter` over contacts takes.
    Filter(String),
}

/// Why there is no list of contacts. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The query cannot be used as it is; the text reads after the name of a field.
    #[error("{0}")]
    Rejected(String),
    /// It names more contacts than wanted.
    #[error("the query names more contacts than fit in one request")]
    TooMany,
    /// Dataverse could not be asked.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

impl From<FetchXmlError> for QueryError {
    fn from(error: FetchXmlError) -> Self {
        Self::Rejected(error.to_string())
    }
}

#[derive(Deserialize)]
struct ViewRow {
    returnedtypecode: Option<String>,
    fetchxml: Option<String>,
}

#[derive(Deserialize)]
struct IdRow {
    contactid: Uuid,
}

/// A page of ids, and how the next one is asked for: FetchXML has no link.
#[derive(Deserialize)]
struct IdPage {
    value: Vec<IdRow>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(rename = "@Microsoft.Dynamics.CRM.morerecords", default)]
    more: bool,
    #[serde(rename = "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie")]
    cookie: Option<String>,
}

/// How the pages of a query are asked for.
enum Pages {
    /// The first page here; each names the next one by a link.
    Linked {
        first: String,
        /// Nothing documents the links of a view. Where they are missing, its own FetchXML goes on.
        otherwise: Option<FetchXml>,
    },
    /// By number and cookie.
    Fetched(FetchXml),
}

impl Dataverse {
    /// The contacts that a query names, each once, in its order; reading stops where there are more than `most`.
    pub async fn contacts_of(
        &self,
        query: &ContactQuery,
        most: usize,
        budget: &Budget,
    ) -> Result<Vec<ContactId>, QueryError> {
        let pages = self.pages(query, budget).await?;
        let mut path = Some(pages.first());
        let mut number = 1;
        let mut seen = HashSet::new();
        let mut contacts = Vec::new();
        while let Some(page) = path.take() {
            let page: IdPage = self.ask(page, Some(pages.preferences()), budget).await?;
            // A join repeats a contact for each row it is joined to.
            let ids = page.value.iter().map(|row| ContactId::new(row.contactid));
            contacts.extend(ids.filter(|contact| seen.insert(*contact)));
            if contacts.len() > most {
                return Err(QueryError::TooMany);
            }
            number += 1;
            path = self.next_page(&pages, &page, number)?;
        }
        Ok(contacts)
    }

    /// How to read a query, unless it would read guarded columns or another table.
    async fn pages(&self, query: &ContactQuery, budget: &Budget) -> Result<Pages, QueryError> {
        match query {
            ContactQuery::FetchXml(text) => Ok(Pages::Fetched(FetchXml::parse(text)?)),
            ContactQuery::Filter(text) if fetch_xml::names_guarded(text) => {
                Err(FetchXmlError::Guarded.into())
            }
            ContactQuery::Filter(text) => Ok(Pages::Linked {
                first: Query::over("contacts")
                    .select(&["contactid"])
                    .option("$filter", text.clone())
                    .to_path(),
                otherwise: None,
            }),
            ContactQuery::View { id, personal } => self.pages_of_view(*id, *personal, budget).await,
        }
    }

    /// A view shows the columns that it was made with: nothing says that `$select` narrows them.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/retrieve-and-execute-predefined-queries>
    async fn pages_of_view(
        &self,
        id: ViewId,
        personal: Option<bool>,
        budget: &Budget,
    ) -> Result<Pages, QueryError> {
        let (view, option) = match personal {
            Some(personal) => self.view(id, personal, budget).await?,
            None => self.either_view(id, budget).await?,
        };
        if view.returnedtypecode.as_deref() != Some("contact") {
            return Err(FetchXmlError::OtherTable.into());
        }
        let fetch_xml = view.fetchxml.unwrap_or_default();
        fetch_xml::check_columns(&fetch_xml)?;
        Ok(Pages::Linked {
            first: format!("contacts?{option}={id}"),
            otherwise: FetchXml::parse(&fetch_xml).ok(),
        })
    }

    /// A view's row, and the option by which its contacts are asked for.
    async fn view(
        &self,
        id: ViewId,
        personal: bool,
        budget: &Budget,
    ) -> Result<(ViewRow, &'static str), QueryError> {
        let (set, option) = if personal {
            ("userqueries", "userQuery")
        } else {
            ("savedqueries", "savedQuery")
        };
        let path = format!("{set}({id})?$select=returnedtypecode,fetchxml");
        match self.ask(path, None, budget).await {
            Ok(row) => Ok((row, option)),
            Err(QueryError::Rejected(text)) => Err(QueryError::Rejected(format!("{text} {HINT}"))),
            Err(error) => Err(error),
        }
    }

    /// The system's view with an id, else the personal one; where neither can be read, what was said of the first.
    async fn either_view(
        &self,
        id: ViewId,
        budget: &Budget,
    ) -> Result<(ViewRow, &'static str), QueryError> {
        let rejected = match self.view(id, false, budget).await {
            Err(QueryError::Rejected(text)) => QueryError::Rejected(text),
            found => return found,
        };
        match self.view(id, true, budget).await {
            Err(QueryError::Rejected(_)) => Err(rejected),
            found => found,
        }
    }

    /// Reads something; what Dataverse does not like about the question is told to whoever asked it.
    async fn ask<T: DeserializeOwned>(
        &self,
        path: String,
        preferences: Option<String>,
        budget: &Budget,
    ) -> Result<T, QueryError> {
        let operation = Operation {
            condition: preferences.map(|value| (HeaderName::from_static("prefer"), value)),
            ..Operation::get(path)
        };
        let step = Step::Single(operation);
        let parts = self.batch(READ, &[step], false, budget).await?;
        match parts.first() {
            Some(part) if part.status.is_success() => Ok(self.json(READ, &part.body)?),
            Some(part) if is_about_the_question(part) => {
                let refusal = super::refusal(part);
                let text = format!("was refused by Dataverse: {refusal}");
                Err(QueryError::Rejected(text))
            }
            Some(part) => Err(self.part_error(READ, part).into()),
            None => Err(self.endpoint.unreadable(READ, "no answer").into()),
        }
    }

    fn next_page(
        &self,
        pages: &Pages,
        page: &IdPage,
        number: usize,
    ) -> Result<Option<String>, RemoteError> {
        if let Some(link) = &page.next {
            // The token goes to our own environment only.
            let path = link.strip_prefix(self.root.as_str());
            let elsewhere = || self.endpoint.unreadable(READ, "the next page is elsewhere");
            return Ok(Some(path.ok_or_else(elsewhere)?.to_owned()));
        }
        match pages {
            _ if !page.more => Ok(None),
            Pages::Fetched(fetch)
            | Pages::Linked {
                otherwise: Some(fetch),
                ..
            } => {
                // Where the query has no cookie, the number of the page alone does.
                let cookie = page.cookie.as_deref().and_then(fetch_xml::cookie);
                Ok(fetch.page(number, cookie.as_deref()).map(fetch_path))
            }
            Pages::Linked { .. } => Err(self.endpoint.unreadable(READ, "the next page is missing")),
        }
    }
}

impl Pages {
    fn first(&self) -> String {
        match self {
            Self::Linked { first, .. } => first.clone(),
            Self::Fetched(fetch) => fetch_path(fetch.first_page()),
        }
    }

    /// <https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/page-results>
    fn preferences(&self) -> String {
        let annotations = "odata.include-annotations=\"Microsoft.Dynamics.CRM.fetchxmlpagingcookie,\
                           Microsoft.Dynamics.CRM.morerecords\"";
        match self {
            Self::Linked { .. } => format!("odata.maxpagesize={PAGE_SIZE},{annotations}"),
            Self::Fetched(_) => annotations.to_owned(),
        }
    }
}

fn fetch_path(fetch_xml: String) -> String {
    Query::over("contacts")
        .option("fetchXml", fetch_xml)
        .to_path()
}

/// Whether a refusal is due to what was asked, and not to the service or to the way there.
fn is_about_the_question(part: &Part) -> bool {
    matches!(part.status.as_u16(), 400 | 403 | 404 | 413 | 414)
}
