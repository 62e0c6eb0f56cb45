//! Owns the list of what this service uses of Dataverse: tables, columns and navigation properties.
//!
//! Every name that the work itself puts into a query or a body stands in it, so that an environment which lacks one
//! is found out before a request fails. Navigation properties are case-sensitive, and not alike.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_invitation>

use crate::domain::batch::DataModel;

/// Who needs a table or a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Everything here.
    Always,
    /// Knowing who has a sign-in already; the portal solutions bring it.
    SignIns,
    /// Telling when invitations were redeemed; the portal solutions bring it.
    Redemptions,
    /// Writing to contacts in the language they prefer; each data model brings a column of its own for it.
    Languages,
    /// Deployments that name their site.
    Website,
    /// Invitations that give web roles, in this data model.
    Roles(DataModel),
}

/// A table, and what of it is used.
#[derive(Debug)]
pub(super) struct UsedTable {
    /// Logical name.
    pub(super) name: &'static str,
    /// Entity set.
    pub(super) set: &'static str,
    /// Primary key.
    pub(super) key: &'static str,
    pub(super) need: Need,
    /// Logical names.
    pub(super) columns: &'static [&'static str],
    /// Columns that not every deployment needs.
    pub(super) more: &'static [(&'static str, Need)],
    /// Lookups that are bound, and the names they are bound by.
    pub(super) bound: &'static [(&'static str, &'static str)],
}

impl UsedTable {
    /// The columns used, and who needs each.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&'static str, Need)> {
        let own = [self.key].into_iter().chain(self.columns.iter().copied());
        own.map(|column| (column, self.need))
            .chain(self.more.iter().copied())
    }

    /// Who needs a column.
    pub(super) fn need_of(&self, column: &str) -> Need {
        let mut more = self.more.iter();
        more.find(|(name, _)| *name == column)
            .map_or(self.need, |(_, need)| *need)
    }
}

const fn table(
    (name, set, key): (&'static str, &'static str, &'static str),
    need: Need,
    columns: &'static [&'static str],
) -> UsedTable {
    UsedTable {
        name,
        set,
        key,
        need,
        columns,
        more: &[],
        bound: &[],
    }
}

/// The table of invitations.
pub(super) const INVITATIONS: UsedTable = UsedTable {
    columns: &[
        "adx_name",
        "adx_type",
        "adx_expirydate",
        "adx_invitationcode",
        "adx_invitecontact",
        "adx_invitercontact",
        "adx_redeemedcontact",
        "adx_assigntoaccount",
        "adx_redemptionworkflow",
        "adx_maximumredemptions",
        "adx_redemptions",
        "statecode",
        "statuscode",
        "importsequencenumber",
        "createdon",
        "modifiedon",
        "ownerid",
    ],
    more: &[("mspp_websiteid", Need::Website)],
    bound: &[
        ("adx_invitecontact", "adx_inviteContact"),
        ("adx_invitercontact", "adx_invitercontact"),
        ("adx_assigntoaccount", "adx_assignToAccount"),
        ("adx_redemptionworkflow", "adx_redemptionWorkflow"),
        ("mspp_websiteid", "mspp_websiteid"),
    ],
    ..table(
        ("adx_invitation", "adx_invitations", "adx_invitationid"),
        Need::Always,
        &[],
    )
};

/// The table of contacts.
pub(super) const CONTACTS: UsedTable = UsedTable {
    more: &[
        ("adx_identity_username", Need::SignIns),
        (preferred_language(DataModel::Enhanced), Need::Languages),
        (preferred_language(DataModel::Standard), Need::Languages),
    ],
    ..table(
        ("contact", "contacts", "contactid"),
        Need::Always,
        &["fullname", "emailaddress1", "statecode", "donotemail"],
    )
};

/// The column of contacts that holds the language they prefer: a number in the enhanced data model, else a lookup.
pub(super) const fn preferred_language(model: DataModel) -> &'static str {
    match model {
        DataModel::Enhanced => "mspp_userpreferredlcid",
        DataModel::Standard => "adx_preferredlanguageid",
    }
}

/// The table of site languages, in the standard data model.
pub(super) const SITE_LANGUAGES: UsedTable = table(
    (
        "adx_portallanguage",
        "adx_portallanguages",
        "adx_portallanguageid",
    ),
    Need::Languages,
    &["adx_languagecode"],
);

/// The table of external sign-ins.
pub(super) const EXTERNAL_IDENTITIES: UsedTable = table(
    (
        "adx_externalidentity",
        "adx_externalidentities",
        "adx_externalidentityid",
    ),
    Need::SignIns,
    &["adx_contactid", "statecode"],
);

/// The table of redemptions, which are activities.
pub(super) const REDEMPTIONS: UsedTable = table(
    (
        "adx_inviteredemption",
        "adx_inviteredemptions",
        "activityid",
    ),
    Need::Redemptions,
    &["createdon", "regardingobjectid"],
);

/// The table of sites.
pub(super) const SITES: UsedTable = table(
    ("powerpagesite", "powerpagesites", "powerpagesiteid"),
    Need::Website,
    &["name"],
);

/// The table of accounts.
pub(super) const ACCOUNTS: UsedTable = table(
    ("account", "accounts", "accountid"),
    Need::Always,
    &["statecode"],
);

/// The table of processes.
pub(super) const PROCESSES: UsedTable = table(
    ("workflow", "workflows", "workflowid"),
    Need::Always,
    &["statecode"],
);

/// The tables of web roles.
pub(super) const fn roles(model: DataModel) -> &'static UsedTable {
    const ENHANCED: UsedTable = table(
        (
            "powerpagecomponent",
            "powerpagecomponents",
            "powerpagecomponentid",
        ),
        Need::Roles(DataModel::Enhanced),
        &["statecode", "powerpagecomponenttype", "powerpagesiteid"],
    );
    const STANDARD: UsedTable = table(
        ("adx_webrole", "adx_webroles", "adx_webroleid"),
        Need::Roles(DataModel::Standard),
        &["statecode"],
    );
    match model {
        DataModel::Enhanced => &ENHANCED,
        DataModel::Standard => &STANDARD,
    }
}

/// What both kinds of views have.
const VIEW_COLUMNS: &[&str] = &[
    "name",
    "returnedtypecode",
    "querytype",
    "fetchxml",
    "statecode",
];

/// The table of views.
pub(super) const VIEWS: UsedTable = table(
    ("savedquery", "savedqueries", "savedqueryid"),
    Need::Always,
    VIEW_COLUMNS,
);

/// The table of personal views.
pub(super) const PERSONAL_VIEWS: UsedTable = table(
    ("userquery", "userqueries", "userqueryid"),
    Need::Always,
    VIEW_COLUMNS,
);

/// Every table that is used, that of invitations first.
pub(super) const TABLES: [&UsedTable; 12] = [
    &INVITATIONS,
    &CONTACTS,
    &SITE_LANGUAGES,
    &EXTERNAL_IDENTITIES,
    &REDEMPTIONS,
    &SITES,
    &ACCOUNTS,
    &PROCESSES,
    &VIEWS,
    &PERSONAL_VIEWS,
    roles(DataModel::Enhanced),
    roles(DataModel::Standard),
];
