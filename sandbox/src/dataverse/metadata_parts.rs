//! The definitions inside a table's definition: its columns and its relationships.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query-metadata-web-api>

use serde_json::{Map, Value, json};

use super::metadata::metadata_id;
use super::schema::{Access, Column, Entity, Kind, ManyToMany, Requirement, Target};

/// Columns of text, which have a length.
pub(super) const TEXTS: &str = "Microsoft.Dynamics.CRM.StringAttributeMetadata";
/// Columns of dates, which have a behaviour.
pub(super) const DATES: &str = "Microsoft.Dynamics.CRM.DateTimeAttributeMetadata";

/// The definition of a column.
pub(super) fn column(entity: Entity, column: &Column) -> Map<String, Value> {
    let kind = kind_name(column);
    let required = match column.requirement {
        Requirement::None => "None",
        Requirement::Application => "ApplicationRequired",
        Requirement::System => "SystemRequired",
    };
    let mut definition = Map::from_iter([
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
    ]);
    match column.kind {
        Kind::Text(most) => {
            let length = entity.custom.length(column, most);
            definition.insert("MaxLength".to_owned(), json!(length));
        }
        Kind::Moment => {
            let behavior = json!({ "Value": entity.custom.behavior(column) });
            definition.insert("DateTimeBehavior".to_owned(), behavior);
        }
        _ => {}
    }
    definition
}

/// The many-to-one relationships of a table: one for each table that a lookup leads to.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/onetomanyrelationshipmetadata>
pub(super) fn many_to_one(entity: Entity) -> Vec<Map<String, Value>> {
    let table = entity.table.logical;
    let lookups = entity.columns().flat_map(|column| {
        let targets = column.targets().iter();
        targets.map(move |target| (column.name, target))
    });
    let describe = |(column, target): (&str, &Target)| {
        let name = format!("{}_{table}_{column}", target.table);
        Map::from_iter([
            ("MetadataId".to_owned(), metadata_id(&name)),
            ("SchemaName".to_owned(), json!(name)),
            ("ReferencingEntity".to_owned(), json!(table)),
            ("ReferencingAttribute".to_owned(), json!(column)),
            ("ReferencedEntity".to_owned(), json!(target.table)),
            (
                "ReferencingEntityNavigationPropertyName".to_owned(),
                json!(entity.spelling(target)),
            ),
        ])
    };
    lookups.map(describe).collect()
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

/// The definition of a many-to-many relationship.
pub(super) fn many_to_many(relationship: &ManyToMany) -> Map<String, Value> {
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
