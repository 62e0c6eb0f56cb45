//! Order and pages of a result: `$top`, the page size a caller prefers, the link to the next page.
//!
//! A page begins after the last row of the one before, so rows that come or go meanwhile do no harm.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/page-results>

use std::cmp::Ordering;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::cell::in_database_order;
use super::errors::{ARGUMENT, Refusal};
use super::options::Options;
use super::reply::Preferences;
use super::schema::Column;
use super::store::Row;

/// The most rows in one answer.
pub(crate) const LARGEST_PAGE: usize = 5_000;

/// Compares rows by columns, each up or down; null comes first going up.
pub(crate) fn order(one: &Row, two: &Row, columns: &[(&'static Column, bool)]) -> Ordering {
    for (column, descending) in columns {
        let (first, second) = (one.cells.get(column.name), two.cells.get(column.name));
        let order = match (first, second) {
            (Some(first), Some(second)) => first.compare(second),
            _ => first.is_some().cmp(&second.is_some()),
        };
        if order.is_ne() {
            return if *descending { order.reverse() } else { order };
        }
    }
    in_database_order(one.id).cmp(&in_database_order(two.id))
}

/// At most `size` rows of a result in order, and whether more follow: those after `last`, or those after so many.
///
/// Only these are put in order: the result may be of a hundred thousand rows, and is found anew for each page.
pub(crate) fn slice<'a>(
    mut rows: Vec<&'a Row>,
    columns: &[(&'static Column, bool)],
    last: Result<&Row, usize>,
    size: usize,
) -> (Vec<&'a Row>, bool) {
    if let Ok(last) = last {
        rows.retain(|row| order(row, last, columns).is_gt());
    }
    let skipped = last.err().unwrap_or(0).min(rows.len());
    let end = rows.len().min(skipped.saturating_add(size));
    let more = end < rows.len();
    let by_columns = |one: &&Row, two: &&Row| order(one, two, columns);
    if more {
        rows.select_nth_unstable_by(end, by_columns);
        rows.truncate(end);
    }
    rows.sort_unstable_by(by_columns);
    rows.drain(..skipped);
    (rows, more)
}

/// One page of a result.
#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) rows: Vec<&'a Row>,
    /// What the next page is asked for with, when there is one.
    pub(crate) next: Option<String>,
}

impl<'a> Page<'a> {
    /// Cuts a page out of the whole result, which need not be in order; `row` finds a row of the table.
    pub(crate) fn cut(
        rows: Vec<&'a Row>,
        columns: &[(&'static Column, bool)],
        options: &Options,
        preferences: &Preferences,
        row: impl Fn(Uuid) -> Option<&'a Row>,
    ) -> Result<Self, Refusal> {
        let size = page_size(preferences.max_page_size)?;
        let (number, last) = match &options.skip_token {
            None => (1, Err(0)),
            Some(token) => {
                let (number, last) = read_token(token)?;
                // When that row is gone, count: as good as can be done without it.
                let counted = size.saturating_mul(number - 1);
                (number, row(last).ok_or(counted))
            }
        };
        if let (Some(top), None) = (options.top, preferences.max_page_size) {
            let (rows, _) = slice(rows, columns, last, top.min(LARGEST_PAGE));
            return Ok(Self { rows, next: None });
        }
        let (rows, more) = slice(rows, columns, last, size);
        let next = rows.last().filter(|_| more).map(|row| {
            format!(
                "<cookie pagenumber=\"{}\" last=\"{}\" istracking=\"False\" />",
                number + 1,
                row.id
            )
        });
        Ok(Self { rows, next })
    }
}

/// The rows of a page. Dataverse quietly cuts a larger one down; whoever asks for it is mistaken.
pub(crate) fn page_size(wanted: Option<usize>) -> Result<usize, Refusal> {
    match wanted.unwrap_or(LARGEST_PAGE) {
        size @ 1..=LARGEST_PAGE => Ok(size),
        size => Err(Refusal::unsupported(format!("a page of {size} rows"))),
    }
}

fn read_token(token: &str) -> Result<(usize, Uuid), Refusal> {
    let malformed = || Refusal::bad(ARGUMENT, "Malformed XML in the Paging Cookie");
    let document = roxmltree::Document::parse(token).map_err(|_| malformed())?;
    let cookie = document.root_element();
    let number = cookie
        .attribute("pagenumber")
        .and_then(|number| number.parse().ok());
    let last = cookie
        .attribute("last")
        .and_then(|last| Uuid::try_parse(last).ok());
    let number = number.filter(|number| *number > 1);
    number.zip(last).ok_or_else(malformed)
}

/// The request that led here, with the token of the next page.
pub(crate) fn next_link(root: &str, target: &str, token: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let kept = query.split('&').filter(|option| {
        let name = option
            .split('=')
            .next()
            .unwrap_or_default()
            .replace("%24", "$");
        !option.is_empty() && name != "$skiptoken"
    });
    let token = format!(
        "$skiptoken={}",
        utf8_percent_encode(token, NON_ALPHANUMERIC)
    );
    let options: Vec<_> = kept.chain([token.as_str()]).collect();
    format!("{root}{path}?{}", options.join("&"))
}

/// Adds `@odata.count`, which never exceeds the largest page.
pub(crate) fn count(body: &mut Map<String, Value>, rows: usize, preferences: &Preferences) {
    let count = rows.min(LARGEST_PAGE);
    body.insert("@odata.count".to_owned(), Value::from(count));
    let total = "Microsoft.Dynamics.CRM.totalrecordcount";
    if preferences.wants(total) {
        body.insert(format!("@{total}"), Value::from(count));
        let exceeded = Value::from(rows > LARGEST_PAGE);
        body.insert(format!("@{total}limitexceeded"), exceeded);
    }
}
