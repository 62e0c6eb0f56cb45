//! Owns comparing an environment's table definitions with what this service uses of them.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query-metadata-web-api>

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::bound::role_relationship;
use super::multipart::{Part, Step};
use super::used::{INVITATIONS, Need, TABLES, UsedTable};
use super::{Dataverse, Page};
use crate::domain::batch::DataModel;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

/// A name that is used and not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// The name, behind that of its table where it is not a table's own.
    pub name: String,
    /// Who needs it.
    pub need: Need,
}

/// How an environment's tables differ from what is used, and the definitions on which more than a name depends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    /// Tables that do not exist.
    pub tables: Vec<Lacking>,
    /// Columns that do not exist, of tables that do.
    pub columns: Vec<Lacking>,
    /// Navigation properties and collections that do not exist, or are spelled otherwise.
    pub navigation: Vec<Lacking>,
    /// The data models whose web roles an invitation can give.
    pub role_models: Vec<DataModel>,
    /// `DateTimeBehavior` of `adx_expirydate`, where the definitions say it.
    pub expiry_behavior: Option<String>,
    /// The longest code that `adx_invitationcode` takes, in characters.
    pub code_length: Option<u32>,
    /// Whether `ETags` protect invitations, where the definitions say it.
    pub optimistic_concurrency: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Table {
    is_optimistic_concurrency_enabled: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Column {
    logical_name: String,
    max_length: Option<u32>,
    date_time_behavior: Option<Behavior>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Behavior {
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Lookup {
    referencing_attribute: String,
    referencing_entity_navigation_property_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Relationship {
    schema_name: String,
}

const READ: &str = "read the table definitions";

/// What is asked of the table of invitations beside its columns, in this order.
const QUESTIONS: [&str; 5] = [
    "?$select=LogicalName,IsOptimisticConcurrencyEnabled",
    "/Attributes/Microsoft.Dynamics.CRM.StringAttributeMetadata?$select=LogicalName,MaxLength",
    "/Attributes/Microsoft.Dynamics.CRM.DateTimeAttributeMetadata?$select=LogicalName,DateTimeBehavior",
    "/ManyToOneRelationships?$select=ReferencingAttribute,ReferencingEntityNavigationPropertyName",
    "/ManyToManyRelationships?$select=SchemaName",
];

fn definition(table: &UsedTable) -> String {
    format!("EntityDefinitions(LogicalName='{}')", table.name)
}

impl Dataverse {
    /// Reads the definitions of every table that is used, and compares them.
    pub async fn definitions(&self, budget: &Budget) -> Result<Definitions, RemoteError> {
        let about_invitations = QUESTIONS.map(|question| definition(&INVITATIONS) + question);
        let columns = TABLES.map(|table| definition(table) + "/Attributes?$select=LogicalName");
        let steps: Vec<_> = (about_invitations.into_iter().chain(columns))
            .map(Step::get)
            .collect();
        let parts = self.batch(READ, &steps, false, budget).await?;
        let mut found = Definitions::default();
        for (table, part) in TABLES.iter().zip(parts.iter().skip(QUESTIONS.len())) {
            self.compare_columns(table, part, &mut found)?;
        }
        // Without the table nothing else about it can be told.
        if !found
            .tables
            .iter()
            .any(|lacking| lacking.name == INVITATIONS.name)
        {
            self.compare_invitations(&parts, &mut found)?;
        }
        Ok(found)
    }

    fn compare_columns(
        &self,
        table: &UsedTable,
        part: &Part,
        found: &mut Definitions,
    ) -> Result<(), RemoteError> {
        let Some(page) = self.found::<Page<Column>>(READ, part)? else {
            found.tables.push(Lacking {
                name: table.name.to_owned(),
                need: table.need,
            });
            return Ok(());
        };
        let there: BTreeSet<_> = page.value.into_iter().map(|it| it.logical_name).collect();
        let lacking = table.columns().filter(|(name, _)| !there.contains(*name));
        found.columns.extend(lacking.map(|(name, need)| Lacking {
            name: format!("{}.{name}", table.name),
            need,
        }));
        Ok(())
    }

    fn compare_invitations(
        &self,
        parts: &[Part],
        found: &mut Definitions,
    ) -> Result<(), RemoteError> {
        let [table, texts, dates, lookups, collections, ..] = parts else {
            return Err(self
                .endpoint
                .unreadable(READ, "fewer answers than questions"));
        };
        let table = self.found::<Table>(READ, table)?;
        // The property may be a bare value or wrapped as a managed one.
        let concurrency = table.and_then(|table| table.is_optimistic_concurrency_enabled);
        found.optimistic_concurrency = concurrency
            .and_then(|setting| setting.as_bool().or_else(|| setting["Value"].as_bool()));
        let text = self.column(texts, "adx_invitationcode")?;
        found.code_length = text.and_then(|column| column.max_length);
        let date = self.column(dates, "adx_expirydate")?;
        let behavior = date.and_then(|column| column.date_time_behavior);
        found.expiry_behavior = behavior.map(|behavior| behavior.value);
        self.compare_lookups(lookups, found)?;
        let there: Vec<Relationship> = self.listed(collections)?;
        let relates = |model: &DataModel| {
            let name = role_relationship(*model);
            there
                .iter()
                .any(|relationship| relationship.schema_name == name)
        };
        let models = [DataModel::Enhanced, DataModel::Standard];
        found.role_models = models.into_iter().filter(relates).collect();
        Ok(())
    }

    fn compare_lookups(&self, part: &Part, found: &mut Definitions) -> Result<(), RemoteError> {
        let there: Vec<Lookup> = self.listed(part)?;
        for (column, name) in INVITATIONS.bound {
            let spelled = |lookup: &&Lookup| lookup.referencing_attribute == *column;
            let spellings: BTreeSet<_> = (there.iter().filter(spelled))
                .filter_map(|lookup| {
                    lookup
                        .referencing_entity_navigation_property_name
                        .as_deref()
                })
                .collect();
            // A column that is missing has no lookup either, and is told as a column.
            if !spellings.is_empty() && !spellings.contains(name) {
                let spellings = spellings.into_iter().collect::<Vec<_>>().join(", ");
                found.navigation.push(Lacking {
                    name: format!("{}.{name} (here: {spellings})", INVITATIONS.name),
                    need: INVITATIONS.need_of(column),
                });
            }
        }
        Ok(())
    }

    fn column(&self, part: &Part, name: &str) -> Result<Option<Column>, RemoteError> {
        let columns: Vec<Column> = self.listed(part)?;
        Ok(columns.into_iter().find(|it| it.logical_name == name))
    }

    fn listed<T: DeserializeOwned>(&self, part: &Part) -> Result<Vec<T>, RemoteError> {
        Ok(self.page::<T>(READ, part)?.value)
    }
}
