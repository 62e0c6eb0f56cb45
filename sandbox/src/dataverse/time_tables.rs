//! The tables of time zones: which there are, and which one each user works in.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/specify-time-zone-settings-user>

use super::cell::Cell;
use super::schema::{Column, Kind, Model, Ownership, Table};
use super::state::State;
use super::store::Cells;
use super::tables::{LARGEST, key, text};

const fn code() -> Column {
    Column::new("timezonecode", Kind::Integer(-1, LARGEST)).schema("TimeZoneCode")
}

/// One row a user, with the user's own key.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/usersettings>
pub(super) static USER_SETTINGS: Table = Table {
    logical: "usersettings",
    schema_name: "UserSettings",
    set: "usersettingscollection",
    key: "systemuserid",
    primary_name: "",
    columns: &[key("systemuserid").schema("SystemUserId"), code()],
    states: &[],
    ownership: Ownership::Organization,
    model: Model::Any,
};

/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/timezonedefinition>
pub(super) static TIME_ZONE: Table = Table {
    logical: "timezonedefinition",
    schema_name: "TimeZoneDefinition",
    set: "timezonedefinitions",
    key: "timezonedefinitionid",
    primary_name: "userinterfacename",
    columns: &[
        key("timezonedefinitionid").schema("TimeZoneDefinitionId"),
        text("userinterfacename", 100).schema("UserInterfaceName"),
        text("standardname", 100).schema("StandardName"),
        code(),
    ],
    states: &[],
    ownership: Ownership::Organization,
    model: Model::Any,
};

/// Some of the zones. The codes are Microsoft's own numbering, which callers have to look up.
const ZONES: [(i64, &str, &str); 3] = [
    (92, "(GMT) Coordinated Universal Time", "UTC"),
    (
        110,
        "(GMT+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna",
        "W. Europe Standard Time",
    ),
    (
        35,
        "(GMT-05:00) Eastern Time (US & Canada)",
        "Eastern Standard Time",
    ),
];

impl State {
    /// Puts the zones there, and the caller into the first of them.
    pub(super) fn seed_zones(&mut self) {
        for (code, shown, standard) in ZONES {
            let id = self.mint();
            let cells = Cells::from([
                ("timezonedefinitionid", Cell::Guid(id)),
                ("userinterfacename", Cell::Text(shown.to_owned())),
                ("standardname", Cell::Text(standard.to_owned())),
                ("timezonecode", Cell::Integer(code)),
            ]);
            self.store.put("timezonedefinition", id, cells);
        }
        let own = Cells::from([
            ("systemuserid", Cell::Guid(self.caller)),
            ("timezonecode", Cell::Integer(ZONES[0].0)),
        ]);
        self.store.put("usersettings", self.caller, own);
    }
}
