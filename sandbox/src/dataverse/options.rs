//! The query options of a request, split and named but not yet understood.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/overview>

use url::form_urlencoded;
use uuid::Uuid;

use super::condition::{self, Condition};
use super::errors::{QUERY, Refusal};
use super::filter;
use super::schema::{Column, Entity};
use super::state::State;

/// Query options; each is given at most once.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) select: Option<String>,
    pub(crate) filter: Option<String>,
    pub(crate) order_by: Option<String>,
    pub(crate) expand: Option<String>,
    pub(crate) top: Option<usize>,
    pub(crate) count: bool,
    pub(crate) skip_token: Option<String>,
    pub(crate) fetch_xml: Option<String>,
    pub(crate) saved_query: Option<Uuid>,
    pub(crate) user_query: Option<Uuid>,
}

impl Options {
    pub(crate) fn read(query: &str) -> Result<Self, Refusal> {
        let mut options = Self::default();
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if seen.contains(&name) {
                let message = format!("Query option '{name}' was specified more than once.");
                return Err(Refusal::bad(QUERY, message));
            }
            options.set(&name, &value)?;
            seen.push(name);
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Refusal> {
        let text = || Some(value.to_owned());
        match name {
            "$select" => self.select = text(),
            "$filter" => self.filter = text(),
            "$orderby" => self.order_by = text(),
            "$expand" => self.expand = text(),
            "$skiptoken" => self.skip_token = text(),
            "$top" => self.top = Some(positive(name, value)?),
            "$count" => self.count = flag(value)?,
            "fetchXml" => self.fetch_xml = text(),
            "savedQuery" => self.saved_query = Some(id(value)?),
            "userQuery" => self.user_query = Some(id(value)?),
            // A shared variable for plug-ins, of which there are none here.
            "tag" => {}
            "$skip" => {
                let message = "Skip Clause is not supported in CRM";
                return Err(Refusal::bad(QUERY, message));
            }
            _ => return Err(Refusal::unsupported(format!("the query option '{name}'"))),
        }
        Ok(())
    }

    /// Whether the options ask for more than a shape of the answer.
    pub(crate) fn only_shape(&self) -> Result<(), Refusal> {
        let sets = [
            &self.filter,
            &self.order_by,
            &self.skip_token,
            &self.fetch_xml,
        ];
        let views = self.saved_query.or(self.user_query);
        if sets.iter().any(|option| option.is_some())
            || views.is_some()
            || self.top.is_some()
            || self.count
        {
            let message = "The query options can be applied only to collections.";
            return Err(Refusal::bad(QUERY, message));
        }
        Ok(())
    }

    /// The columns to show; none means all.
    pub(crate) fn columns(&self, entity: Entity) -> Result<Option<Vec<&'static Column>>, Refusal> {
        self.select
            .as_deref()
            .map(|text| columns(entity, text))
            .transpose()
    }

    pub(crate) fn condition(&self, state: &State, entity: Entity) -> Result<Condition, Refusal> {
        let Some(text) = &self.filter else {
            return Ok(Condition::TRUE);
        };
        let expression = filter::parse(text).map_err(|position| {
            Refusal::bad(
                QUERY,
                format!("Syntax error at position {position} in '{text}'."),
            )
        })?;
        condition::resolve(Some(state), entity, expression)
    }

    /// Columns to sort by, each with whether it goes down.
    pub(crate) fn order(&self, entity: Entity) -> Result<Vec<(&'static Column, bool)>, Refusal> {
        let Some(text) = &self.order_by else {
            return Ok(Vec::new());
        };
        let one = |part: &str| {
            let mut words = part.split_whitespace();
            let (name, direction, more) = (words.next(), words.next(), words.next());
            let column = condition::property(entity, name.unwrap_or_default())?;
            match (direction, more) {
                (None | Some("asc"), None) => Ok((column, false)),
                (Some("desc"), None) => Ok((column, true)),
                _ => Err(Refusal::bad(QUERY, format!("Syntax error in '{text}'."))),
            }
        };
        text.split(',').map(one).collect()
    }
}

/// The columns that a `$select` names.
pub(crate) fn columns(entity: Entity, text: &str) -> Result<Vec<&'static Column>, Refusal> {
    let names = text.split(',').map(str::trim);
    names
        .map(|name| condition::property(entity, name))
        .collect()
}

fn positive(name: &str, value: &str) -> Result<usize, Refusal> {
    let number = value.parse().ok().filter(|number| *number > 0);
    let message = format!("Invalid value '{value}' for {name} query option found.");
    number.ok_or_else(|| Refusal::bad(QUERY, message))
}

fn flag(value: &str) -> Result<bool, Refusal> {
    let message = format!("Invalid value '{value}' for $count query option found.");
    value.parse().map_err(|_| Refusal::bad(QUERY, message))
}

fn id(value: &str) -> Result<Uuid, Refusal> {
    let message = format!("'{value}' is not the id of a view.");
    Uuid::try_parse(value).map_err(|_| Refusal::bad(QUERY, message))
}
