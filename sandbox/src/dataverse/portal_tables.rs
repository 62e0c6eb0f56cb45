//! The tables that Power Pages adds: invitations, redemptions, external identities, roles and sites.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_invitation>

use super::schema::{Column, Kind, Model, Ownership, Requirement, State, Table, Target};
use super::tables::{ACTIVE_INACTIVE, LARGEST, choice, key, lookup, memo, moment, text, to};

const INVITATION_TYPES: &[(i64, &str)] = &[(756_150_000, "Single"), (756_150_001, "Group")];

/// A redeemed invitation stays active: only its status reason tells.
static INVITATION_STATES: &[State] = &[
    State {
        value: 0,
        label: "Active",
        statuses: &[(1, "New"), (756_150_000, "Sent"), (756_150_001, "Redeemed")],
    },
    State {
        value: 1,
        label: "Inactive",
        statuses: &[(2, "Inactive")],
    },
];

pub(super) static INVITATION: Table = Table {
    logical: "adx_invitation",
    schema_name: "adx_invitation",
    set: "adx_invitations",
    key: "adx_invitationid",
    primary_name: "adx_name",
    columns: &[
        key("adx_invitationid").schema("adx_invitationId"),
        text("adx_name", 200).required(Requirement::Application),
        choice("adx_type", INVITATION_TYPES).required(Requirement::Application),
        text("adx_invitationcode", 200).schema("adx_invitationCode"),
        moment("adx_expirydate").schema("adx_expiryDate"),
        lookup("adx_invitecontact", &[to("adx_inviteContact", "contact")])
            .schema("adx_inviteContact"),
        lookup("adx_invitercontact", &[to("adx_invitercontact", "contact")]),
        lookup(
            "adx_redeemedcontact",
            &[to("adx_redeemedContact", "contact")],
        )
        .schema("adx_redeemedContact"),
        lookup(
            "adx_assigntoaccount",
            &[to("adx_assignToAccount", "account")],
        )
        .schema("adx_assignToAccount"),
        lookup(
            "adx_redemptionworkflow",
            &[to("adx_redemptionWorkflow", "workflow")],
        )
        .schema("adx_redemptionWorkflow"),
        Column::new("adx_maximumredemptions", Kind::Integer(1, LARGEST))
            .schema("adx_maximumRedemptions"),
        Column::new("adx_redemptions", Kind::Integer(0, LARGEST)),
        lookup("mspp_websiteid", &[to("mspp_websiteid", "powerpagesite")]),
    ],
    states: INVITATION_STATES,
    ownership: Ownership::User,
    model: Model::Any,
};

pub(super) static INVITE_REDEMPTION: Table = Table {
    logical: "adx_inviteredemption",
    schema_name: "adx_inviteredemption",
    set: "adx_inviteredemptions",
    key: "activityid",
    primary_name: "subject",
    columns: &[
        key("activityid").schema("ActivityId"),
        text("subject", 200)
            .schema("Subject")
            .required(Requirement::Application),
        text("adx_ipaddress", 128).schema("adx_IpAddress"),
        lookup(
            "regardingobjectid",
            &[to(
                "regardingobjectid_adx_invitation_adx_inviteredemption",
                "adx_invitation",
            )],
        )
        .schema("RegardingObjectId"),
    ],
    states: &[
        State {
            value: 0,
            label: "Open",
            statuses: &[(1, "Open")],
        },
        State {
            value: 1,
            label: "Completed",
            statuses: &[(2, "Completed")],
        },
        State {
            value: 2,
            label: "Canceled",
            statuses: &[(3, "Canceled")],
        },
        State {
            value: 3,
            label: "Scheduled",
            statuses: &[(4, "Scheduled")],
        },
    ],
    ownership: Ownership::User,
    model: Model::Any,
};

/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_externalidentity>
pub(super) static EXTERNAL_IDENTITY: Table = Table {
    logical: "adx_externalidentity",
    schema_name: "adx_externalidentity",
    set: "adx_externalidentities",
    key: "adx_externalidentityid",
    primary_name: "adx_username",
    columns: &[
        key("adx_externalidentityid").schema("adx_externalidentityId"),
        text("adx_username", 100).required(Requirement::Application),
        text("adx_identityprovidername", 400).required(Requirement::Application),
        lookup(
            "adx_contactid",
            &[Target {
                navigation: "adx_contactid",
                table: "contact",
                cascade_delete: true,
            }],
        )
        .required(Requirement::Application),
    ],
    states: ACTIVE_INACTIVE,
    ownership: Ownership::Organization,
    model: Model::Any,
};

/// Web roles of the standard data model.
pub(super) static WEB_ROLE: Table = Table {
    logical: "adx_webrole",
    schema_name: "adx_webrole",
    set: "adx_webroles",
    key: "adx_webroleid",
    primary_name: "adx_name",
    columns: &[
        key("adx_webroleid").schema("adx_webroleId"),
        text("adx_name", 100).required(Requirement::Application),
    ],
    states: ACTIVE_INACTIVE,
    ownership: Ownership::Organization,
    model: Model::Standard,
};

/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/powerpagesite>
pub(super) static SITE: Table = Table {
    logical: "powerpagesite",
    schema_name: "powerpagesite",
    set: "powerpagesites",
    key: "powerpagesiteid",
    primary_name: "name",
    columns: &[
        key("powerpagesiteid").schema("powerpagesiteId"),
        text("name", 100).required(Requirement::Application),
        memo("content"),
    ],
    states: ACTIVE_INACTIVE,
    ownership: Ownership::User,
    model: Model::Any,
};

/// Websites of the standard data model.
pub(super) static WEBSITE: Table = Table {
    logical: "adx_website",
    schema_name: "adx_website",
    set: "adx_websites",
    key: "adx_websiteid",
    primary_name: "adx_name",
    columns: &[
        key("adx_websiteid").schema("adx_websiteId"),
        text("adx_name", 100).required(Requirement::Application),
    ],
    states: ACTIVE_INACTIVE,
    ownership: Ownership::Organization,
    model: Model::Standard,
};

/// Site settings of the standard data model.
/// <https://learn.microsoft.com/power-pages/configure/configure-site-settings>
pub(super) static SITE_SETTING: Table = Table {
    logical: "adx_sitesetting",
    schema_name: "adx_sitesetting",
    set: "adx_sitesettings",
    key: "adx_sitesettingid",
    primary_name: "adx_name",
    columns: &[
        key("adx_sitesettingid").schema("adx_sitesettingId"),
        text("adx_name", 100).required(Requirement::Application),
        memo("adx_value"),
        lookup("adx_websiteid", &[to("adx_websiteid", "adx_website")]),
    ],
    states: ACTIVE_INACTIVE,
    ownership: Ownership::Organization,
    model: Model::Standard,
};

/// The kinds of site component that matter here; a web role is one of them.
const COMPONENT_TYPES: &[(i64, &str)] = &[
    (2, "Web Page"),
    (3, "Web File"),
    (7, "Content Snippet"),
    (8, "Web Template"),
    (9, "Site Setting"),
    (11, "Web Role"),
    (18, "Table Permission"),
];

/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/powerpagecomponent>
pub(super) static SITE_COMPONENT: Table = Table {
    logical: "powerpagecomponent",
    schema_name: "powerpagecomponent",
    set: "powerpagecomponents",
    key: "powerpagecomponentid",
    primary_name: "name",
    columns: &[
        key("powerpagecomponentid").schema("powerpagecomponentId"),
        text("name", 100).required(Requirement::Application),
        choice("powerpagecomponenttype", COMPONENT_TYPES).required(Requirement::Application),
        memo("content"),
        lookup("powerpagesiteid", &[to("powerpagesiteid", "powerpagesite")])
            .schema("powerpagesiteId"),
    ],
    states: ACTIVE_INACTIVE,
    ownership: Ownership::User,
    model: Model::Any,
};
