//! Reads rows: one, a page of many, a stored view, FetchXML, or the rows behind a navigation property.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/overview>

use http::StatusCode;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::condition::Condition;
use super::cookie;
use super::errors::{ARGUMENT, NOT_FOUND, QUERY, Refusal};
use super::execution::Execution;
use super::fetch::{self, Fetch};
use super::options::Options;
use super::paging::{self, LARGEST_PAGE, Page};
use super::privileges::Verb;
use super::render::{self, Shape};
use super::reply::{Operation, Preferences, Reply};
use super::schema::{Column, Entity};
use super::store::Row;

/// The rows that a request asks for, before they are cut into pages.
#[derive(Debug)]
struct Selection {
    condition: Condition,
    order: Vec<(&'static Column, bool)>,
    shape: Shape,
}

impl Execution<'_> {
    /// One row by its key.
    pub(crate) fn get(
        &self,
        operation: &Operation,
        preferences: &Preferences,
        entity: Entity,
        id: Uuid,
    ) -> Result<Reply, Refusal> {
        self.state.allow(entity, Verb::Read)?;
        let options = Options::read(operation.split().1)?;
        options.only_shape()?;
        let shape = self.shape(entity, &options)?;
        let row = self.state.store.row(entity.table.logical, id);
        let row = row.ok_or_else(|| Refusal::no_row(entity.table.logical, id))?;
        self.state.see(entity.table.logical, id)?;
        if operation.header("if-none-match") == Some(&row.etag()) {
            return Ok(Reply::new(StatusCode::NOT_MODIFIED));
        }
        Ok(self.show_one(StatusCode::OK, entity, row, &shape, preferences))
    }

    /// An answer that holds one row.
    pub(crate) fn show_one(
        &self,
        status: StatusCode,
        entity: Entity,
        row: &Row,
        shape: &Shape,
        preferences: &Preferences,
    ) -> Reply {
        let mut body = self.context(entity, shape, "/$entity");
        body.extend(render::row(self.state, entity, row, shape, preferences));
        Reply::new(status)
            .with_header("etag", &row.etag())
            .with_body(Value::Object(body))
            .showing(1)
    }

    /// Which columns and rows behind lookups a request wants to see.
    pub(crate) fn shape(&self, entity: Entity, options: &Options) -> Result<Shape, Refusal> {
        let expand = options.expand.as_deref();
        let expand = expand.map(|text| render::expansions(self.state, entity, text));
        Ok(Shape {
            columns: options.columns(entity)?,
            expand: expand.transpose()?.unwrap_or_default(),
            omit_null: false,
        })
    }

    fn context(&self, entity: Entity, shape: &Shape, end: &str) -> Map<String, Value> {
        let names = shape.columns.as_ref().map(|columns| {
            let names: Vec<_> = columns.iter().map(|column| column.property()).collect();
            format!("({})", names.join(","))
        });
        let (root, set) = (self.root, entity.table.set);
        let context = format!("{root}$metadata#{set}{}{end}", names.unwrap_or_default());
        Map::from_iter([("@odata.context".to_owned(), Value::from(context))])
    }

    /// Rows of a table.
    pub(crate) fn list(
        &self,
        operation: &Operation,
        preferences: &Preferences,
        entity: Entity,
    ) -> Result<Reply, Refusal> {
        self.state.allow(entity, Verb::Read)?;
        self.list_where(operation, preferences, entity, Condition::TRUE)
    }

    fn list_where(
        &self,
        operation: &Operation,
        preferences: &Preferences,
        entity: Entity,
        restriction: Condition,
    ) -> Result<Reply, Refusal> {
        let options = Options::read(operation.split().1)?;
        let stored = self.stored_fetch(entity, &options)?;
        if let Some(xml) = options.fetch_xml.as_ref().or(stored.as_ref()) {
            let plain = Options::read("")?;
            let mixed = [
                &options.select,
                &options.filter,
                &options.order_by,
                &options.expand,
            ];
            if mixed.iter().any(|option| option.is_some()) || options.top.is_some() || options.count
            {
                return Err(Refusal::unsupported(
                    "other query options together with a stored query",
                ));
            }
            let fetch = fetch::parse(entity, xml)?;
            if stored.is_none() || !self.state.settings.views_link_pages {
                return self.show_fetched(entity, fetch, restriction, preferences);
            }
            let selection = fetched(fetch, restriction);
            return self.show_page(
                operation,
                preferences,
                entity,
                &selection,
                &Options {
                    skip_token: options.skip_token,
                    ..plain
                },
            );
        }
        let selection = Selection {
            condition: Condition::All(vec![restriction, options.condition(self.state, entity)?]),
            order: options.order(entity)?,
            shape: self.shape(entity, &options)?,
        };
        self.show_page(operation, preferences, entity, &selection, &options)
    }

    /// The FetchXML of the view that a request names.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/retrieve-and-execute-predefined-queries>
    fn stored_fetch(&self, entity: Entity, options: &Options) -> Result<Option<String>, Refusal> {
        let (table, id) = match (options.saved_query, options.user_query) {
            (None, None) => return Ok(None),
            (Some(id), None) => ("savedquery", id),
            (None, Some(id)) => ("userquery", id),
            _ => return Err(Refusal::bad(QUERY, "Only one stored query can be applied.")),
        };
        let view = self.state.store.row(table, id).ok_or_else(|| {
            let message = format!("{table} With Id = {id} Does Not Exist");
            Refusal::new(StatusCode::NOT_FOUND, NOT_FOUND, message)
        })?;
        self.state.see(table, id)?;
        if view.text("returnedtypecode") != Some(entity.table.logical) {
            let message = format!("The view {id} is not for '{}'.", entity.table.set);
            return Err(Refusal::bad(ARGUMENT, message));
        }
        Ok(Some(view.text("fetchxml").unwrap_or_default().to_owned()))
    }

    /// The rows that a selection names, in no order.
    fn select(&self, entity: Entity, selection: &Selection) -> Vec<&Row> {
        let (table, store) = (entity.table.logical, &self.state.store);
        let meets = |row: &&Row| self.state.sees(table, row) && selection.condition.holds(row);
        match selection.condition.named() {
            Some((column, ids)) => {
                let rows = ids.iter().flat_map(|id| store.holding(table, column, *id));
                rows.filter(meets).collect()
            }
            None => store.rows(table).filter(meets).collect(),
        }
    }

    fn show_page(
        &self,
        operation: &Operation,
        preferences: &Preferences,
        entity: Entity,
        selection: &Selection,
        options: &Options,
    ) -> Result<Reply, Refusal> {
        let rows = self.select(entity, selection);
        let count = rows.len();
        let row = |id| self.state.store.row(entity.table.logical, id);
        let page = Page::cut(rows, &selection.order, options, preferences, row)?;
        let mut body = self.context(entity, &selection.shape, "");
        if options.count {
            paging::count(&mut body, count, preferences);
        }
        body.insert(
            "value".to_owned(),
            self.show_rows(entity, &page.rows, &selection.shape, preferences),
        );
        if let Some(token) = page.next {
            let link = paging::next_link(self.root, &operation.target, &token);
            body.insert("@odata.nextLink".to_owned(), Value::from(link));
        }
        let reply = Reply::new(StatusCode::OK).with_body(Value::Object(body));
        let mut reply = reply.showing(page.rows.len());
        if let Some(size) = preferences.max_page_size {
            reply = reply.with_header("preference-applied", &format!("odata.maxpagesize={size}"));
        }
        Ok(reply)
    }

    fn show_rows(
        &self,
        entity: Entity,
        rows: &[&Row],
        shape: &Shape,
        preferences: &Preferences,
    ) -> Value {
        let show = |row: &&Row| render::row(self.state, entity, row, shape, preferences).into();
        Value::Array(rows.iter().map(show).collect())
    }

    /// FetchXML pages by its own `page` and `count`.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/page-results>
    fn show_fetched(
        &self,
        entity: Entity,
        mut fetch: Fetch,
        restriction: Condition,
        preferences: &Preferences,
    ) -> Result<Reply, Refusal> {
        let size = paging::page_size(fetch.top.or(fetch.count).or(preferences.max_page_size))?;
        let (page, cookie, paged) = (fetch.page, fetch.cookie.take(), fetch.top.is_none());
        let selection = fetched(fetch, restriction);
        let rows = self.select(entity, &selection);
        // A cookie of any other page than the one before is ignored.
        let cookie = cookie.filter(|cookie| cookie.page + 1 == page);
        let last =
            cookie.and_then(|cookie| self.state.store.row(entity.table.logical, cookie.last));
        let last = last.ok_or((page - 1).saturating_mul(size));
        let (shown, more) = paging::slice(rows, &selection.order, last, size);
        let mut body = self.context(entity, &selection.shape, "");
        if paged && more {
            let by = (entity, selection.order.as_slice());
            cookie::more_records(&mut body, by, page, &shown, preferences);
        }
        body.insert(
            "value".to_owned(),
            self.show_rows(entity, &shown, &selection.shape, preferences),
        );
        let reply = Reply::new(StatusCode::OK).with_body(Value::Object(body));
        Ok(reply.showing(shown.len()))
    }

    /// The number of rows in a table, at most 5,000.
    pub(crate) fn count(&self, operation: &Operation, entity: Entity) -> Result<Reply, Refusal> {
        self.state.allow(entity, Verb::Read)?;
        let condition = Options::read(operation.split().1)?.condition(self.state, entity)?;
        let rows = self.state.store.rows(entity.table.logical);
        let count = rows
            .filter(|row| condition.holds(row))
            .count()
            .min(LARGEST_PAGE);
        let mut reply = Reply::new(StatusCode::OK).with_header("content-type", "text/plain");
        reply.body = count.to_string().into();
        Ok(reply)
    }

    /// What a navigation property of a row leads to.
    pub(crate) fn navigate(
        &self,
        operation: &Operation,
        preferences: &Preferences,
        (entity, id): (Entity, Uuid),
        name: &str,
    ) -> Result<Reply, Refusal> {
        self.state.allow(entity, Verb::Read)?;
        let row = self.state.store.row(entity.table.logical, id);
        let row = row.ok_or_else(|| Refusal::no_row(entity.table.logical, id))?;
        if let Some((relationship, first)) = self.state.collection(entity, name) {
            let other = if first {
                relationship.second
            } else {
                relationship.first
            };
            let other = self
                .state
                .entity(other)
                .ok_or_else(|| Refusal::no_segment(name))?;
            let links = self.state.store.links(relationship.schema_name);
            let pairs = links.map(|(one, two)| if first { (one, two) } else { (two, one) });
            let ids = pairs
                .filter(|(own, _)| *own == id)
                .map(|(_, other)| other)
                .collect();
            self.state.allow(other, Verb::Read)?;
            let linked = Condition::Among(other.table.key, ids);
            return self.list_where(operation, preferences, other, linked);
        }
        let (column, targets) = entity
            .navigation(name)
            .ok_or_else(|| Refusal::no_segment(name))?;
        let target = targets
            .iter()
            .find_map(|target| self.state.entity(target.table));
        match (row.id_in(column.name), target) {
            (Some(id), Some(other)) => self.get(operation, preferences, other, id),
            _ => Ok(Reply::new(StatusCode::NO_CONTENT)),
        }
    }
}

fn fetched(fetch: Fetch, restriction: Condition) -> Selection {
    Selection {
        condition: Condition::All(vec![restriction, fetch.condition]),
        order: fetch.order,
        shape: Shape {
            columns: fetch.columns,
            expand: Vec::new(),
            omit_null: true,
        },
    }
}
