//! Table definitions: what a table is called, which columns it has, which many-to-many relationships.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query-metadata-web-api>

use http::StatusCode;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::errors::Refusal;
use super::execution::Execution;
use super::options::Options;
use super::reply::{Operation, Reply};
use super::schema::{Access, Column, Entity, Kind, ManyToMany, Ownership, Requirement};

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
        let entity = self.state.entity(logical).ok_or_else(|| {
            tracing::error!(
                logical,
                "the sandbox has no such table; Dataverse answers 404"
            );
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
            Some("Attributes") => {
                let columns = entity
                    .columns()
                    .map(|column| describe_column(entity, column));
                self.show_definitions(columns, select, logical, "Attributes")
            }
            Some("ManyToManyRelationships") => {
                let relationships = self.state.relationships(entity).map(describe_relationship);
                self.show_definitions(relationships, select, logical, "ManyToManyRelationships")
            }
            Some(other) => Err(Refusal::unsupported(format!(
                "the metadata collection '{other}'"
            ))),
        }
    }

    fn metadata_context(&self, what: &str) -> Value {
        Value::from(format!("{}$metadata#{what}", self.root))
    }

    fn show_definitions(
        &self,
        definitions: impl Iterator<Item = Map<String, Value>>,
        select: Option<&str>,
        logical: &str,
        part: &str,
    ) -> Result<Reply, Refusal> {
        let kind = if part == "Attributes" {
            "AttributeMetadata"
        } else {
            "ManyToManyRelationshipMetadata"
        };
        let chosen: Result<Vec<_>, _> = definitions
            .map(|definition| choose(definition, select, kind))
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
        ]);
        if let Some(enabled) = self.state.optimistic_concurrency {
            definition.insert("IsOptimisticConcurrencyEnabled".to_owned(), json!(enabled));
        }
        definition
    }
}

/// A stable identifier for a definition.
fn metadata_id(name: &str) -> Value {
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

fn describe_column(entity: Entity, column: &Column) -> Map<String, Value> {
    let kind = kind_name(column);
    let required = match column.requirement {
        Requirement::None => "None",
        Requirement::Application => "ApplicationRequired",
        Requirement::System => "SystemRequired",
    };
    Map::from_iter([
        ("@odata.type".to_owned(), json!(metadata_type(kind))),
        (
            "MetadataId".to_owned(),
            metadata_id(&format!("{}.{}", entity.table.logical, column.name)),
        ),
        ("LogicalName".to_owned(), json!(column.name)),
        ("SchemaName".to_owned(), json!(column.schema_name)),
        ("EntityLogicalName".to_owned(), json!(entity.table.logical)),
        ("AttributeType".to_owned(), json!(kind)),
        ("AttributeOf".to_owned(), Value::Null),
        (
            "IsPrimaryId".to_owned(),
            json!(column.name == entity.table.key),
        ),
        (
            "IsPrimaryName".to_owned(),
            json!(column.name == entity.table.primary_name),
        ),
        ("IsValidForRead".to_owned(), json!(true)),
        (
            "IsValidForCreate".to_owned(),
            json!(column.access != Access::Read),
        ),
        (
            "IsValidForUpdate".to_owned(),
            json!(column.access == Access::Write),
        ),
        ("RequiredLevel".to_owned(), json!({ "Value": required })),
    ])
}

fn kind_name(column: &Column) -> &'static str {
    match column.kind {
        Kind::Text(_) => "String",
        Kind::Memo(_) => "Memo",
        Kind::Integer(..) => "Integer",
        Kind::Version => "BigInt",
        Kind::Boolean => "Boolean",
        Kind::Choice(_) => "Picklist",
        Kind::State => "State",
        Kind::Status => "Status",
        Kind::Moment => "DateTime",
        Kind::Guid => "Uniqueidentifier",
        Kind::TableName => "EntityName",
        Kind::Lookup(_) if column.name == "ownerid" => "Owner",
        Kind::Lookup(_) if column.name == "parentcustomerid" => "Customer",
        Kind::Lookup(_) => "Lookup",
    }
}

fn metadata_type(kind: &str) -> String {
    let class = match kind {
        "Owner" | "Customer" => "Lookup",
        "Uniqueidentifier" => "UniqueIdentifier",
        "BigInt" => "BigInt",
        other => other,
    };
    format!("#Microsoft.Dynamics.CRM.{class}AttributeMetadata")
}

fn describe_relationship(relationship: &ManyToMany) -> Map<String, Value> {
    let name = relationship.schema_name;
    Map::from_iter([
        ("MetadataId".to_owned(), metadata_id(name)),
        ("SchemaName".to_owned(), json!(name)),
        ("Entity1LogicalName".to_owned(), json!(relationship.first)),
        ("Entity2LogicalName".to_owned(), json!(relationship.second)),
        ("IntersectEntityName".to_owned(), json!(name)),
        (
            "RelationshipType".to_owned(),
            json!("ManyToManyRelationship"),
        ),
    ])
}
