//! The paging cookie of FetchXML: the first and last row of a page, and how it travels.
//!
//! In an answer it stands percent-encoded twice in an element of its own; in the next request it stands, decoded,
//! in an attribute of `fetch`.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/page-results>

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::errors::{ARGUMENT, Refusal};
use super::reply::Preferences;
use super::schema::{Column, Entity};
use super::store::Row;

/// The page that a cookie came with, and its last row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    pub(crate) page: usize,
    pub(crate) last: Uuid,
}

impl Cookie {
    /// Reads a cookie that came back.
    pub(crate) fn read(entity: Entity, text: &str) -> Result<Self, Refusal> {
        let malformed = || Refusal::bad(ARGUMENT, "Malformed XML in the Paging Cookie");
        let document = roxmltree::Document::parse(text).map_err(|_| malformed())?;
        let cookie = document.root_element();
        let page = cookie.attribute("page").and_then(|page| page.parse().ok());
        let mut keys = cookie.children().filter(roxmltree::Node::is_element);
        let key = keys.find(|node| node.has_tag_name(entity.table.key));
        let last = key.and_then(|key| Uuid::try_parse(key.attribute("last")?).ok());
        match (page, last) {
            (Some(page), Some(last)) if cookie.has_tag_name("cookie") => Ok(Self { page, last }),
            _ => Err(malformed()),
        }
    }
}

/// Says that FetchXML has another page, to callers who asked for these annotations.
pub(crate) fn more_records(
    body: &mut Map<String, Value>,
    (entity, order): (Entity, &[(&'static Column, bool)]),
    page: usize,
    rows: &[&Row],
    preferences: &Preferences,
) {
    let cookie = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie";
    if let (true, [first, .., last] | [first @ last]) = (preferences.wants(cookie), rows) {
        let mut inner = format!("<cookie page=\"{page}\">");
        for (column, _) in order {
            inner += &bounds(column.name, &shown(last, column), &shown(first, column));
        }
        let (last, first) = (braced(last.id), braced(first.id));
        inner += &bounds(entity.table.key, &last, &first);
        inner += "</cookie>";
        let once = utf8_percent_encode(&inner, NON_ALPHANUMERIC).to_string();
        let twice = utf8_percent_encode(&once, NON_ALPHANUMERIC);
        let next = page + 1;
        let outer = format!(
            "<cookie pagenumber=\"{next}\" pagingcookie=\"{twice}\" istracking=\"False\" />"
        );
        body.insert(format!("@{cookie}"), Value::from(outer));
    }
    let more = "Microsoft.Dynamics.CRM.morerecords";
    if preferences.wants(more) {
        body.insert(format!("@{more}"), Value::from(true));
    }
}

fn bounds(name: &str, last: &str, first: &str) -> String {
    format!("<{name} last=\"{last}\" first=\"{first}\" />")
}

fn braced(id: Uuid) -> String {
    format!("{{{}}}", id.to_string().to_uppercase())
}

fn shown(row: &Row, column: &Column) -> String {
    let value = row.cells.get(column.name).map(super::cell::Cell::to_json);
    let text = match value {
        Some(Value::String(text)) => text,
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}
