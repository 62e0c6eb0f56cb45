//! Table definitions: what a table is called, which columns it has, which many-to-many relationships.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query-metadata-web-api>

use http::StatusCode;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::errors::Refusal;
use super::execution::Execution;
use super::options::Options;
use super::reply::{Operation, Reply};
use super::schema::{Entity, Ownership};
use super::tables::TABLES;
use super::{metadata_parts as parts, privileges};

impl Execution<'_> {
    /// A definition by logical name, or one of the collections in it.
    pub(crate) fn definition(
        &self,
        operation: &Operation,
        logical: &str,
        part: Option<&str>,
    ) -> Result<Reply, Refusal> {
        let options = Options::read(operation.split().1)?;
        if options.only_shape().is_err() || options.expand.is_some() {
            return Err(Refusal::unsupported("this query option on metadata"));
        }
        self.state.allow_reading("entity")?;
        let entity = self.state.entity(logical).ok_or_else(|| {
            if TABLES.iter().all(|table| table.logical != logical) {
                tracing::error!(
                    logical,
                    "the sandbox has no such table; Dataverse answers 404"
                );
            }
            let message = format!("Could not find an entity with name {logical}.");
            Refusal::new(StatusCode::NOT_FOUND, "0x80060888", message)
        })?;
        let select = options.select.as_deref();
        match part {
            None => {
                let mut body = Map::new();
                body.insert(
                    "@odata.context".to_owned(),
                    self.metadata_context("EntityDefinitions/$entity"),
                );
                body.extend(choose(self.describe(entity), select, "EntityMetadata")?);
                Ok(Reply::new(StatusCode::OK).with_body(Value::Object(body)))
            }
            Some(part) => self.show_definitions(self.parts(entity, part)?, select, logical, part),
        }
    }

    /// The definitions of the tables that a filter names; those that are not here are left out.
    pub(crate) fn definitions(&self, operation: &Operation) -> Result<Reply, Refusal> {
        self.state.allow_reading("entity")?;
        let mut options = Options::read(operation.split().1)?;
        let filter = options.filter.take().unwrap_or_default();
        if options.only_shape().is_err() || options.expand.is_some() {
            return Err(Refusal::unsupported("this query option on metadata"));
        }
        let terms = filter.split(" or ").map(|term| {
            let name = term.strip_prefix("LogicalName eq '");
            name.and_then(|name| name.strip_suffix('\''))
                .ok_or_else(|| Refusal::unsupported(format!("the filter '{filter}' on metadata")))
        });
        let names: Vec<_> = terms.collect::<Result<_, _>>()?;
        let entities = names.iter().filter_map(|name| self.state.entity(name));
        let select = options.select.as_deref();
        let chosen = entities.map(|it| choose(self.describe(it), select, "EntityMetadata"));
        let body = json!({
            "@odata.context": self.metadata_context("EntityDefinitions"),
            "value": chosen.collect::<Result<Vec<_>, _>>()?,
        });
        Ok(Reply::new(StatusCode::OK).with_body(body))
    }

    /// The members of a collection of a definition; a collection of columns can be narrowed to those of one type.
    fn parts(&self, entity: Entity, part: &str) -> Result<Vec<Map<String, Value>>, Refusal> {
        let relates = part.ends_with("Relationships");
        self.state
            .allow_reading(if relates { "relationship" } else { "attribute" })?;
        let columns = || entity.columns().map(|it| parts::column(entity, it));
        let narrowed = part.strip_prefix("Attributes/");
        match (part, narrowed) {
            ("Attributes", _) => Ok(columns().collect()),
            (_, Some(parts::TEXTS | parts::DATES)) => {
                let kind = format!("#{}", narrowed.unwrap_or_default());
                let narrowed = columns().filter(|it| it["@odata.type"] == kind.as_str());
                Ok(narrowed.collect())
            }
            ("ManyToOneRelationships", _) => Ok(parts::many_to_one(entity)),
            ("ManyToManyRelationships", _) => {
                let relationships = self.state.relationships(entity);
                Ok(relationships.map(parts::many_to_many).collect())
            }
            _ => Err(Refusal::unsupported(format!(
                "the metadata collection '{part}'"
            ))),
        }
    }

    fn metadata_context(&self, what: &str) -> Value {
        Value::from(format!("{}$metadata#{what}", self.root))
    }

    fn show_definitions(
        &self,
        definitions: Vec<Map<String, Value>>,
        select: Option<&str>,
        logical: &str,
        part: &str,
    ) -> Result<Reply, Refusal> {
        let chosen: Result<Vec<_>, _> = definitions
            .into_iter()
            .map(|definition| choose(definition, select, part))
            .collect();
        let context = format!("EntityDefinitions('{logical}')/{part}");
        let body = json!({ "@odata.context": self.metadata_context(&context), "value": chosen? });
        Ok(Reply::new(StatusCode::OK).with_body(body))
    }

    fn describe(&self, entity: Entity) -> Map<String, Value> {
        let table = entity.table;
        let ownership = match table.ownership {
            Ownership::User => "UserOwned",
            Ownership::Organization => "OrganizationOwned",
        };
        let mut definition = Map::from_iter([
            ("MetadataId".to_owned(), metadata_id(table.logical)),
            ("LogicalName".to_owned(), json!(table.logical)),
            ("SchemaName".to_owned(), json!(table.schema_name)),
            ("EntitySetName".to_owned(), json!(table.set)),
            ("PrimaryIdAttribute".to_owned(), json!(table.key)),
            ("PrimaryNameAttribute".to_owned(), json!(table.primary_name)),
            ("OwnershipType".to_owned(), json!(ownership)),
            ("IsActivity".to_owned(), json!(table.key == "activityid")),
            ("Privileges".to_owned(), privileges::describe(table)),
        ]);
        if let Some(enabled) = self.state.optimistic_concurrency {
            definition.insert("IsOptimisticConcurrencyEnabled".to_owned(), json!(enabled));
        }
        definition
    }
}

/// A stable identifier for a definition.
pub(super) fn metadata_id(name: &str) -> Value {
    json!(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()))
}

/// Keeps the properties that `$select` names, and the identifier.
fn choose(
    mut definition: Map<String, Value>,
    select: Option<&str>,
    kind: &str,
) -> Result<Map<String, Value>, Refusal> {
    let Some(select) = select else {
        return Ok(definition);
    };
    let names: Vec<_> = select.split(',').map(str::trim).collect();
    for name in &names {
        // A definition has many more properties; those are not wrong, only not known here.
        let known = definition.contains_key(*name) || *name == "IsOptimisticConcurrencyEnabled";
        if !known {
            return Err(Refusal::unsupported(format!(
                "the property '{name}' of {kind}"
            )));
        }
    }
    let kept = |name: &str| name == "MetadataId" || name.starts_with('@') || names.contains(&name);
    definition.retain(|name, _| kept(name));
    Ok(definition)
}
