//! The tables of the sandbox, as the table reference documents them, and what the platform adds to each.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/reference/about-entity-reference>

use super::schema::{Access, Column, Kind, Model, Ownership, Requirement, State, Table, Target};
use super::{
    language_tables, message_tables, portal_tables, process_tables, role_tables, time_tables,
};

/// Shorthand for a lookup with one target that is emptied when its target goes.
pub(crate) const fn to(navigation: &'static str, table: &'static str) -> Target {
    Target {
        navigation,
        table,
        cascade_delete: false,
    }
}

pub(crate) const fn text(name: &'static str, max: usize) -> Column {
    Column::new(name, Kind::Text(max))
}

pub(crate) const fn memo(name: &'static str) -> Column {
    Column::new(name, Kind::Memo(1_073_741_823))
}

pub(crate) const fn boolean(name: &'static str) -> Column {
    Column::new(name, Kind::Boolean)
}

pub(crate) const fn lookup(name: &'static str, targets: &'static [Target]) -> Column {
    Column::new(name, Kind::Lookup(targets))
}

pub(crate) const fn choice(name: &'static str, options: &'static [(i64, &'static str)]) -> Column {
    Column::new(name, Kind::Choice(options))
}

pub(crate) const fn moment(name: &'static str) -> Column {
    Column::new(name, Kind::Moment)
}

/// The primary key: a caller may choose it when the row is made.
pub(crate) const fn key(name: &'static str) -> Column {
    Column::new(name, Kind::Guid)
        .access(Access::Create)
        .required(Requirement::System)
}

/// A table whose rows belong to the organization, in either data model.
pub(super) const fn organization_table(
    (logical, schema_name, set): (&'static str, &'static str, &'static str),
    (key, primary_name): (&'static str, &'static str),
    columns: &'static [Column],
    states: &'static [State],
) -> Table {
    Table {
        logical,
        schema_name,
        set,
        key,
        primary_name,
        columns,
        states,
        ownership: Ownership::Organization,
        model: Model::Any,
    }
}

const SMALLEST: i64 = i32::MIN as i64;
pub(crate) const LARGEST: i64 = i32::MAX as i64;

const fn system(column: Column) -> Column {
    column.access(Access::Read)
}

/// Columns of every table.
pub(crate) static SYSTEM_COLUMNS: &[Column] = &[
    system(moment("createdon")).schema("CreatedOn"),
    system(lookup("createdby", &[to("createdby", "systemuser")])).schema("CreatedBy"),
    system(lookup(
        "createdonbehalfby",
        &[to("createdonbehalfby", "systemuser")],
    ))
    .schema("CreatedOnBehalfBy"),
    system(moment("modifiedon")).schema("ModifiedOn"),
    system(lookup("modifiedby", &[to("modifiedby", "systemuser")])).schema("ModifiedBy"),
    system(lookup(
        "modifiedonbehalfby",
        &[to("modifiedonbehalfby", "systemuser")],
    ))
    .schema("ModifiedOnBehalfBy"),
    system(Column::new("versionnumber", Kind::Version)).schema("VersionNumber"),
    Column::new("importsequencenumber", Kind::Integer(SMALLEST, LARGEST))
        .schema("ImportSequenceNumber")
        .access(Access::Create),
    moment("overriddencreatedon")
        .schema("OverriddenCreatedOn")
        .access(Access::Create),
    Column::new("timezoneruleversionnumber", Kind::Integer(-1, LARGEST))
        .schema("TimeZoneRuleVersionNumber"),
    Column::new("utcconversiontimezonecode", Kind::Integer(-1, LARGEST))
        .schema("UTCConversionTimeZoneCode"),
];

/// Columns of tables whose rows belong to a user or team.
pub(crate) static OWNER_COLUMNS: &[Column] = &[
    lookup(
        "ownerid",
        &[to("ownerid", "systemuser"), to("ownerid", "team")],
    )
    .schema("OwnerId")
    .required(Requirement::System),
    system(Column::new("owneridtype", Kind::TableName))
        .schema("OwnerIdType")
        .required(Requirement::System),
    system(lookup("owninguser", &[to("owninguser", "systemuser")])).schema("OwningUser"),
    system(lookup("owningteam", &[to("owningteam", "team")])).schema("OwningTeam"),
    system(lookup(
        "owningbusinessunit",
        &[to("owningbusinessunit", "businessunit")],
    ))
    .schema("OwningBusinessUnit"),
];

/// Columns of tables whose rows have a state.
pub(crate) static STATE_COLUMNS: &[Column] = &[
    Column::new("statecode", Kind::State)
        .schema("StateCode")
        .required(Requirement::System),
    Column::new("statuscode", Kind::Status).schema("StatusCode"),
];

/// The usual two states.
pub(crate) static ACTIVE_INACTIVE: &[State] = &[
    State {
        value: 0,
        label: "Active",
        statuses: &[(1, "Active")],
    },
    State {
        value: 1,
        label: "Inactive",
        statuses: &[(2, "Inactive")],
    },
];

/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/contact>;
/// the `adx_` columns come with the portal solutions.
static CONTACT: Table = Table {
    logical: "contact",
    schema_name: "Contact",
    set: "contacts",
    key: "contactid",
    primary_name: "fullname",
    columns: &[
        key("contactid").schema("ContactId"),
        system(text("fullname", 160)).schema("FullName"),
        text("firstname", 50).schema("FirstName"),
        text("lastname", 50)
            .schema("LastName")
            .required(Requirement::Application),
        text("emailaddress1", 100).schema("EMailAddress1"),
        text("emailaddress2", 100).schema("EMailAddress2"),
        text("emailaddress3", 100).schema("EMailAddress3"),
        text("mobilephone", 50).schema("MobilePhone"),
        text("telephone1", 50).schema("Telephone1"),
        text("jobtitle", 100).schema("JobTitle"),
        text("externaluseridentifier", 50).schema("ExternalUserIdentifier"),
        Column::new("donotemail", Kind::Boolean)
            .schema("DoNotEMail")
            .or(0),
        Column::new("donotbulkemail", Kind::Boolean)
            .schema("DoNotBulkEMail")
            .or(0),
        Column::new("donotsendmm", Kind::Boolean)
            .schema("DoNotSendMM")
            .or(0),
        system(boolean("merged")).schema("Merged").or(0),
        boolean("participatesinworkflow")
            .schema("ParticipatesInWorkflow")
            .or(0),
        lookup(
            "parentcustomerid",
            &[
                to("parentcustomerid_account", "account"),
                to("parentcustomerid_contact", "contact"),
            ],
        )
        .schema("ParentCustomerId"),
        text("adx_identity_username", 100).portal(),
        boolean("adx_identity_logonenabled").portal().or(0),
        text("adx_identity_passwordhash", 128).portal(),
        text("adx_identity_newpassword", 100).portal(),
        text("adx_identity_securitystamp", 100).portal(),
        moment("adx_identity_lastsuccessfullogin").portal(),
        boolean("adx_identity_emailaddress1confirmed")
            .portal()
            .or(0),
        boolean("adx_identity_mobilephoneconfirmed").portal().or(0),
        boolean("adx_identity_locallogindisabled").portal().or(0),
        boolean("adx_identity_lockoutenabled").portal().or(0),
        moment("adx_identity_lockoutenddate").portal(),
        Column::new("adx_identity_accessfailedcount", Kind::Integer(0, LARGEST)).portal(),
        boolean("adx_identity_twofactorenabled").portal().or(0),
        language_tables::PREFERRED_ROW,
        language_tables::PREFERRED_CHOICE,
        boolean("adx_profilealert").portal(),
        moment("adx_profilealertdate").portal(),
        Column::new("adx_profilealertinstructions", Kind::Memo(4096)).portal(),
        moment("adx_profilemodifiedon").portal(),
        moment("adx_profilelastactivity").portal(),
        boolean("adx_profileisanonymous").portal(),
        Column::new("adx_publicprofilecopy", Kind::Memo(64000)).portal(),
        text("adx_organizationname", 250).portal(),
        Column::new("adx_timezone", Kind::Integer(-1500, 1500)).portal(),
        text("adx_createdbyusername", 100).portal(),
        text("adx_createdbyipaddress", 100).portal(),
        text("adx_modifiedbyusername", 100).portal(),
        text("adx_modifiedbyipaddress", 100).portal(),
    ],
    states: ACTIVE_INACTIVE,
    ownership: Ownership::User,
    model: Model::Any,
};

/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/account>
static ACCOUNT: Table = Table {
    logical: "account",
    schema_name: "Account",
    set: "accounts",
    key: "accountid",
    primary_name: "name",
    columns: &[
        key("accountid").schema("AccountId"),
        text("name", 160)
            .schema("Name")
            .required(Requirement::Application),
        text("accountnumber", 20).schema("AccountNumber"),
        text("emailaddress1", 100).schema("EMailAddress1"),
        text("telephone1", 50).schema("Telephone1"),
        lookup("primarycontactid", &[to("primarycontactid", "contact")]).schema("PrimaryContactId"),
        lookup("parentaccountid", &[to("parentaccountid", "account")]).schema("ParentAccountId"),
    ],
    states: ACTIVE_INACTIVE,
    ownership: Ownership::User,
    model: Model::Any,
};

/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/systemuser>
static SYSTEM_USER: Table = Table {
    logical: "systemuser",
    schema_name: "SystemUser",
    set: "systemusers",
    key: "systemuserid",
    primary_name: "fullname",
    columns: &[
        key("systemuserid").schema("SystemUserId"),
        text("fullname", 200).schema("FullName"),
        text("domainname", 1024).schema("DomainName"),
        text("internalemailaddress", 100).schema("InternalEMailAddress"),
        Column::new("applicationid", Kind::Guid).schema("ApplicationId"),
        Column::new("azureactivedirectoryobjectid", Kind::Guid)
            .schema("AzureActiveDirectoryObjectId"),
        boolean("isdisabled").schema("IsDisabled").or(0),
        lookup("businessunitid", &[to("businessunitid", "businessunit")]).schema("BusinessUnitId"),
    ],
    states: &[],
    ownership: Ownership::Organization,
    model: Model::Any,
};

/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/team>
static TEAM: Table = Table {
    logical: "team",
    schema_name: "Team",
    set: "teams",
    key: "teamid",
    primary_name: "name",
    columns: &[
        key("teamid").schema("TeamId"),
        text("name", 160)
            .schema("Name")
            .required(Requirement::System),
        boolean("isdefault").schema("IsDefault").or(0),
        lookup("businessunitid", &[to("businessunitid", "businessunit")]).schema("BusinessUnitId"),
    ],
    states: &[],
    ownership: Ownership::Organization,
    model: Model::Any,
};

/// Every table of the sandbox.
pub(crate) static TABLES: &[&Table] = &[
    &ACCOUNT,
    &CONTACT,
    &SYSTEM_USER,
    &TEAM,
    &portal_tables::INVITATION,
    &portal_tables::INVITE_REDEMPTION,
    &portal_tables::EXTERNAL_IDENTITY,
    &language_tables::PORTAL_LANGUAGE,
    &portal_tables::WEB_ROLE,
    &portal_tables::SITE,
    &portal_tables::SITE_SETTING,
    &portal_tables::WEBSITE,
    &portal_tables::SITE_COMPONENT,
    &process_tables::WORKFLOW,
    &process_tables::SAVED_QUERY,
    &process_tables::USER_QUERY,
    &process_tables::CALLBACK_REGISTRATION,
    &message_tables::MESSAGE,
    &message_tables::MESSAGE_FILTER,
    &message_tables::PLUGIN_TYPE,
    &message_tables::STEP,
    &time_tables::USER_SETTINGS,
    &time_tables::TIME_ZONE,
    &role_tables::ROLE,
    &role_tables::PRIVILEGE,
    &role_tables::BUSINESS_UNIT,
    &role_tables::ORGANIZATION,
    &role_tables::ENTITY,
    &role_tables::ATTRIBUTE,
    &role_tables::RELATIONSHIP,
];
