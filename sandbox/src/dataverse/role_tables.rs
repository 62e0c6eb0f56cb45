//! The tables that say who may do what: users' roles and the privileges in them, business units, and what stands for
//! the definitions of tables.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/role>

use super::schema::{Column, Kind, Requirement, Table};
use super::tables::{key, lookup, organization_table, text, to};

pub(super) static ROLE: Table = organization_table(
    ("role", "Role", "roles"),
    ("roleid", "name"),
    &[
        key("roleid").schema("RoleId"),
        text("name", 100)
            .schema("Name")
            .required(Requirement::System),
        lookup("businessunitid", &[to("businessunitid", "businessunit")])
            .schema("BusinessUnitId")
            .required(Requirement::System),
    ],
    &[],
);

/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/privilege>
pub(super) static PRIVILEGE: Table = organization_table(
    ("privilege", "Privilege", "privileges"),
    ("privilegeid", "name"),
    &[
        key("privilegeid").schema("PrivilegeId"),
        text("name", 100).schema("Name"),
    ],
    &[],
);

/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/businessunit>
pub(super) static BUSINESS_UNIT: Table = organization_table(
    ("businessunit", "BusinessUnit", "businessunits"),
    ("businessunitid", "name"),
    &[
        key("businessunitid").schema("BusinessUnitId"),
        text("name", 160).schema("Name"),
        lookup(
            "parentbusinessunitid",
            &[to("parentbusinessunitid", "businessunit")],
        )
        .schema("ParentBusinessUnitId"),
    ],
    &[],
);

/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/organization>
pub(super) static ORGANIZATION: Table = organization_table(
    ("organization", "Organization", "organizations"),
    ("organizationid", "name"),
    &[
        key("organizationid").schema("OrganizationId"),
        text("name", 160).schema("Name"),
    ],
    &[],
);

/// What reading a table's definition takes a privilege on.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/entity>
pub(super) static ENTITY: Table = organization_table(
    ("entity", "Entity", "entities"),
    ("entityid", "logicalname"),
    &[
        key("entityid").schema("EntityId"),
        Column::new("logicalname", Kind::TableName).schema("LogicalName"),
    ],
    &[],
);

/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/attribute>
pub(super) static ATTRIBUTE: Table = organization_table(
    ("attribute", "Attribute", "attributes"),
    ("attributeid", "logicalname"),
    &[
        key("attributeid").schema("AttributeId"),
        Column::new("logicalname", Kind::TableName).schema("LogicalName"),
    ],
    &[],
);

/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/relationship>
pub(super) static RELATIONSHIP: Table = organization_table(
    ("relationship", "Relationship", "relationships"),
    ("relationshipid", "name"),
    &[
        key("relationshipid").schema("RelationshipId"),
        text("name", 128).schema("Name"),
    ],
    &[],
);
