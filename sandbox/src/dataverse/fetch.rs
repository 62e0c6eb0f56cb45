//! Reads FetchXML: the elements `fetch`, `entity`, `attribute`, `order`, `filter` and `condition`.
//!
//! Joins, aggregates and other operators exist in Dataverse; here they are refused.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/reference/>

use std::collections::BTreeSet;

use roxmltree::{Document, Node};

use super::condition::Condition;
use super::cookie::Cookie;
use super::errors::{ARGUMENT, Refusal};
use super::fetch_value::cell;
use super::filter::Operator;
use super::pattern::Pattern;
use super::schema::{Column, Entity};

/// A query in FetchXML, made ready for its table.
#[derive(Debug)]
pub(crate) struct Fetch {
    /// The columns to show; none means all.
    pub(crate) columns: Option<Vec<&'static Column>>,
    pub(crate) condition: Condition,
    /// Columns to sort by, each with whether it goes down.
    pub(crate) order: Vec<(&'static Column, bool)>,
    /// Rows a page, where the query says so.
    pub(crate) count: Option<usize>,
    /// Number of the page, from 1.
    pub(crate) page: usize,
    /// Where the page before ended.
    pub(crate) cookie: Option<Cookie>,
    /// At most this many rows in all.
    pub(crate) top: Option<usize>,
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::bad(ARGUMENT, message)
}

/// Reads FetchXML for rows of `entity`.
pub(crate) fn parse(entity: Entity, xml: &str) -> Result<Fetch, Refusal> {
    let document =
        Document::parse(xml).map_err(|error| invalid(format!("Invalid XML: {error}")))?;
    let root = document.root_element();
    if root.tag_name().name() != "fetch" {
        return Err(invalid("Invalid Xml: the root element must be 'fetch'."));
    }
    let mut elements = root.children().filter(Node::is_element);
    let (Some(element), None) = (elements.next(), elements.next()) else {
        return Err(invalid("The fetch element must hold exactly one entity."));
    };
    if element.tag_name().name() != "entity" {
        return Err(Refusal::unsupported(format!(
            "<{}> in FetchXML",
            element.tag_name().name()
        )));
    }
    if element.attribute("name") != Some(entity.table.logical) {
        return Err(invalid(format!(
            "The entity name in the query does not match the entity set '{}'.",
            entity.table.set
        )));
    }
    let mut fetch = read_root(entity, root)?;
    read_entity(entity, element, &mut fetch)?;
    Ok(fetch)
}

/// The attributes of `fetch` itself.
fn read_root(entity: Entity, root: Node<'_, '_>) -> Result<Fetch, Refusal> {
    let mut fetch = Fetch {
        columns: None,
        condition: Condition::TRUE,
        order: Vec::new(),
        count: None,
        page: 1,
        cookie: None,
        top: None,
    };
    for attribute in root.attributes() {
        let (name, value) = (attribute.name(), attribute.value());
        let number = || {
            let number = value.parse().ok().filter(|number| *number > 0);
            number.ok_or_else(|| invalid(format!("Invalid value '{value}' of '{name}'.")))
        };
        match (name, value) {
            ("count", _) => fetch.count = Some(number()?),
            ("page", _) => fetch.page = number()?,
            ("top", _) => fetch.top = Some(number()?),
            ("paging-cookie", _) => fetch.cookie = Some(Cookie::read(entity, value)?),
            ("version" | "mapping" | "output-format" | "no-lock", _)
            | ("returntotalrecordcount" | "distinct" | "aggregate", "false" | "0") => {}
            _ => {
                return Err(Refusal::unsupported(format!(
                    "{name}=\"{value}\" in FetchXML"
                )));
            }
        }
    }
    if fetch.top.is_some() && (fetch.count.is_some() || fetch.page > 1) {
        return Err(invalid(
            "The top attribute can't be specified with paging attributes.",
        ));
    }
    Ok(fetch)
}

fn read_entity(entity: Entity, element: Node<'_, '_>, fetch: &mut Fetch) -> Result<(), Refusal> {
    let mut conditions = Vec::new();
    let mut columns = Vec::new();
    let mut all = false;
    for child in element.children().filter(Node::is_element) {
        match child.tag_name().name() {
            "attribute" => columns.push(column(entity, child, "name")?),
            "all-attributes" => all = true,
            "order" => {
                let descending = matches!(child.attribute("descending"), Some("true" | "1"));
                fetch
                    .order
                    .push((column(entity, child, "attribute")?, descending));
            }
            "filter" => conditions.push(filter(entity, child, 0)?),
            other => return Err(Refusal::unsupported(format!("<{other}> in FetchXML"))),
        }
    }
    fetch.columns = (!all).then_some(columns);
    fetch.condition = Condition::All(conditions);
    Ok(())
}

fn column(entity: Entity, node: Node<'_, '_>, attribute: &str) -> Result<&'static Column, Refusal> {
    let name = node.attribute(attribute).unwrap_or_default();
    entity.column(name).ok_or_else(|| {
        let table = entity.table.logical;
        invalid(format!(
            "'{table}' entity doesn't contain attribute with Name = '{name}'."
        ))
    })
}

fn filter(entity: Entity, node: Node<'_, '_>, depth: usize) -> Result<Condition, Refusal> {
    if depth > 32 {
        return Err(invalid("Filters are nested too deeply."));
    }
    let mut terms = Vec::new();
    for child in node.children().filter(Node::is_element) {
        terms.push(match child.tag_name().name() {
            "filter" => filter(entity, child, depth + 1)?,
            "condition" => condition(entity, child)?,
            other => return Err(Refusal::unsupported(format!("<{other}> in a filter"))),
        });
    }
    match node.attribute("type") {
        None | Some("and") => Ok(Condition::All(terms)),
        Some("or") => Ok(Condition::Any(terms)),
        Some(other) => Err(invalid(format!("Invalid filter type '{other}'."))),
    }
}

fn condition(entity: Entity, node: Node<'_, '_>) -> Result<Condition, Refusal> {
    let column = column(entity, node, "attribute")?;
    let operator = node.attribute("operator").unwrap_or_default();
    let one = || {
        let value = node.attribute("value");
        value.ok_or_else(|| invalid(format!("The operator '{operator}' needs a value.")))
    };
    let compare = |operator| {
        Ok(Condition::Compare(
            column.name,
            operator,
            cell(entity, column, one()?)?,
        ))
    };
    let negated = |condition| Condition::Not(Box::new(condition));
    match operator {
        "eq" => compare(Operator::Equal),
        "ne" | "neq" => compare(Operator::NotEqual),
        "gt" => compare(Operator::Greater),
        "ge" => compare(Operator::GreaterOrEqual),
        "lt" => compare(Operator::Less),
        "le" => compare(Operator::LessOrEqual),
        "null" => Ok(Condition::Null(column.name)),
        "not-null" => Ok(negated(Condition::Null(column.name))),
        "in" => among(entity, column, node),
        "not-in" => Ok(negated(among(entity, column, node)?)),
        "like" => like(column, one()?),
        "not-like" => Ok(negated(like(column, one()?)?)),
        other => Err(Refusal::unsupported(format!(
            "the FetchXML operator '{other}'"
        ))),
    }
}

fn like(column: &'static Column, value: &str) -> Result<Condition, Refusal> {
    let unsupported = || Refusal::unsupported(format!("the pattern '{value}'"));
    Ok(Condition::Like(
        column.name,
        Pattern::like(value).ok_or_else(unsupported)?,
    ))
}

/// The values of `in`, each in an element of its own.
fn among(
    entity: Entity,
    column: &'static Column,
    node: Node<'_, '_>,
) -> Result<Condition, Refusal> {
    let mut ids = BTreeSet::new();
    let mut others = Vec::new();
    for child in node
        .children()
        .filter(|child| child.tag_name().name() == "value")
    {
        let cell = cell(entity, column, child.text().unwrap_or_default())?;
        match cell.id() {
            Some(id) => _ = ids.insert(id),
            None => others.push(Condition::Compare(column.name, Operator::Equal, cell)),
        }
    }
    if ids.is_empty() && others.is_empty() {
        return Err(invalid("The operator 'in' needs at least one value."));
    }
    others.push(Condition::Among(column.name, ids));
    Ok(Condition::Any(others))
}

#[cfg(test)]
mod tests {
    use super::super::cell::Cell;
    use super::super::store::{Cells, Row};
    use super::super::tables::TABLES;
    use super::*;
    use uuid::Uuid;

    fn contact() -> Entity {
        let table = TABLES
            .iter()
            .find(|table| table.logical == "contact")
            .unwrap();
        Entity::new(table)
    }

    fn holds(conditions: &str) -> bool {
        let xml = format!(
            "<fetch><entity name=\"contact\"><filter type=\"and\">{conditions}</filter></entity></fetch>"
        );
        let cells = Cells::from([
            ("fullname", Cell::Text("Anna".to_owned())),
            ("statecode", Cell::Integer(0)),
            ("donotemail", Cell::Boolean(false)),
            (
                "parentcustomerid",
                Cell::Reference("account", Uuid::from_u128(2)),
            ),
        ]);
        let row = Row {
            id: Uuid::from_u128(1),
            version: 1,
            cells,
        };
        parse(contact(), &xml).unwrap().condition.holds(&row)
    }

    #[test]
    fn conditions_hold_as_they_say() {
        for (condition, expected) in [
            (
                r#"<condition attribute="statecode" operator="eq" value="0"/>"#,
                true,
            ),
            (
                r#"<condition attribute="donotemail" operator="eq" value="1"/>"#,
                false,
            ),
            (
                r#"<condition attribute="fullname" operator="like" value="a%"/>"#,
                true,
            ),
            (
                r#"<condition attribute="emailaddress1" operator="not-null"/>"#,
                false,
            ),
            (
                r#"<condition attribute="parentcustomerid" operator="in"><value>{00000000-0000-0000-0000-000000000002}</value></condition>"#,
                true,
            ),
            (
                r#"<filter type="or"><condition attribute="statecode" operator="gt" value="0"/><condition attribute="fullname" operator="eq" value="anna"/></filter>"#,
                true,
            ),
        ] {
            assert_eq!(holds(condition), expected, "{condition}");
        }
    }

    #[test]
    fn paging_order_and_columns_are_read() {
        let xml = r#"<fetch count="2" page="3"><entity name="contact"><attribute name="fullname"/><order attribute="createdon" descending="true"/></entity></fetch>"#;
        let fetch = parse(contact(), xml).unwrap();
        assert_eq!((fetch.count, fetch.page), (Some(2), 3));
        assert_eq!(fetch.columns.unwrap()[0].name, "fullname");
        assert!(fetch.order[0].1);
    }

    #[test]
    fn what_is_wrong_or_unknown_is_refused() {
        for (xml, status) in [
            ("<fetch>", 400),
            (r#"<fetch><entity name="account"/></fetch>"#, 400),
            (
                r#"<fetch><entity name="contact"><attribute name="x"/></entity></fetch>"#,
                400,
            ),
            (
                r#"<fetch aggregate="true"><entity name="contact"/></fetch>"#,
                501,
            ),
            (
                r#"<fetch><entity name="contact"><link-entity name="account"/></entity></fetch>"#,
                501,
            ),
        ] {
            assert_eq!(parse(contact(), xml).unwrap_err().status, status, "{xml}");
        }
    }
}
