//! Languages of sites: the table of the standard data model, and the choice that contacts have in the enhanced one.
//! <https://learn.microsoft.com/power-pages/configure/enable-multiple-language-support>

use serde_json::json;
use uuid::Uuid;

use super::Dataverse;
use super::schema::{Column, Kind, Model, Ownership, Requirement, Table};
use super::tables::{ACTIVE_INACTIVE, LARGEST, choice, key, lookup, text, to};

/// The global choice `powerpagelanguages`.
const CHOICES: &[(i64, &str)] = &[
    (1025, "Arabic"),
    (1026, "Bulgarian - Bulgaria"),
    (1027, "Catalan - Catalan"),
    (1028, "Chinese - Traditional"),
    (1029, "Czech - Czech Republic"),
    (1030, "Danish - Denmark"),
    (1031, "German - Germany"),
    (1032, "Greek - Greece"),
    (1033, "English"),
    (1035, "Finnish - Finland"),
    (1036, "French - France"),
    (1037, "Hebrew"),
    (1038, "Hungarian - Hungary"),
    (1040, "Italian - Italy"),
    (1041, "Japanese - Japan"),
    (1042, "Korean - Korea"),
    (1043, "Dutch - Netherlands"),
    (1044, "Norwegian (Bokmål) - Norway"),
    (1045, "Polish - Poland"),
    (1046, "Portuguese - Brazil"),
    (1048, "Romanian - Romania"),
    (1049, "Russian - Russia"),
    (1050, "Croatian - Croatia"),
    (1051, "Slovak - Slovakia"),
    (1053, "Swedish - Sweden"),
    (1054, "Thai - Thailand"),
    (1055, "Turkish - Türkiye"),
    (1057, "Indonesian - Indonesia"),
    (1058, "Ukrainian - Ukraine"),
    (1060, "Slovenian - Slovenia"),
    (1061, "Estonian - Estonia"),
    (1062, "Latvian - Latvia"),
    (1063, "Lithuanian - Lithuania"),
    (1066, "Vietnamese - Vietnam"),
    (1069, "Basque - Basque"),
    (1081, "Hindi - India"),
    (1086, "Malay - Malaysia"),
    (1087, "Kazakh - Kazakhstan"),
    (1110, "Galician - Spain"),
    (2052, "Chinese - China"),
    (2070, "Portuguese - Portugal"),
    (2074, "Serbian (Latin) - Serbia"),
    (3076, "Chinese - Hong Kong SAR"),
    (3082, "Spanish (Traditional Sort) - Spain"),
    (3098, "Serbian (Cyrillic) - Serbia"),
];

/// The language that a contact prefers, in the standard data model.
pub(super) const PREFERRED_ROW: Column = lookup(
    "adx_preferredlanguageid",
    &[to("adx_preferredlanguageid", "adx_portallanguage")],
)
.portal()
.of(Model::Standard);

/// The same in the enhanced one.
pub(super) const PREFERRED_CHOICE: Column = choice("mspp_userpreferredlcid", CHOICES)
    .portal()
    .of(Model::Enhanced);

/// The languages of the standard data model, whichever of them a site is published in.
pub(super) static PORTAL_LANGUAGE: Table = Table {
    logical: "adx_portallanguage",
    schema_name: "adx_portallanguage",
    set: "adx_portallanguages",
    key: "adx_portallanguageid",
    primary_name: "adx_name",
    columns: &[
        key("adx_portallanguageid").schema("adx_portallanguageId"),
        text("adx_name", 100).required(Requirement::Application),
        text("adx_displayname", 100),
        text("adx_languagecode", 10).required(Requirement::Application),
        Column::new("adx_lcid", Kind::Integer(0, LARGEST)),
        Column::new("adx_systemlanguage", Kind::Integer(0, LARGEST)),
    ],
    states: ACTIVE_INACTIVE,
    ownership: Ownership::Organization,
    model: Model::Standard,
};

impl Dataverse {
    /// Adds a language of the standard data model, such as `nb-NO`.
    pub fn add_portal_language(&self, code: &str) -> Uuid {
        let row = json!({"adx_name": code, "adx_displayname": code, "adx_languagecode": code});
        self.insert("adx_portallanguages", &row)
    }
}
