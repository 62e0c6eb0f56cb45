//! Owns what is learned of an environment once: which portal columns it has, and whether `ETags` protect rows.
//!
//! Portal columns exist only where the portal solutions are installed, and a query that names a missing column
//! fails whole. <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query-metadata-web-api>

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::bound::role_relationship;
use super::used::preferred_language;
use super::{Dataverse, Part, Step};
use crate::domain::batch::DataModel;
use crate::remote::budget::Budget;
use crate::remote::error::{Refusal, RemoteError, Service};

/// What an environment has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// `adx_invitation.mspp_websiteid`.
    pub invitation_website: bool,
    /// `contact.adx_identity_username`.
    pub contact_username: bool,
    /// The table `adx_externalidentity`.
    pub external_identities: bool,
    /// The data models whose column for the preferred language contacts have, the one that counts first.
    pub preferred_languages: Vec<DataModel>,
    /// The data models whose web roles an invitation can give; an environment may have both.
    pub role_models: Vec<DataModel>,
}

#[derive(Deserialize)]
struct Table {
    #[serde(rename = "IsOptimisticConcurrencyEnabled")]
    optimistic_concurrency: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Column {
    logical_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Relationship {
    schema_name: String,
}

const READ: &str = "read the table definitions";

impl Dataverse {
    /// The environment's schema, read once a process.
    ///
    /// # Errors
    ///
    /// Also when the definitions say that optimistic concurrency is off for invitations: without it a redemption
    /// could be overwritten, so nothing is sent then.
    pub async fn schema(&self, budget: &Budget) -> Result<&Schema, RemoteError> {
        self.schema
            .get_or_try_init(|| self.read_schema(budget))
            .await
    }

    async fn read_schema(&self, budget: &Budget) -> Result<Schema, RemoteError> {
        let columns = |table: &str| {
            format!("EntityDefinitions(LogicalName='{table}')/Attributes?$select=LogicalName")
        };
        let operations = [
            "EntityDefinitions(LogicalName='adx_invitation')?$select=LogicalName,IsOptimisticConcurrencyEnabled".to_owned(),
            columns("adx_invitation"),
            columns("contact"),
            "EntityDefinitions(LogicalName='adx_externalidentity')?$select=LogicalName".to_owned(),
            "EntityDefinitions(LogicalName='adx_invitation')/ManyToManyRelationships?$select=SchemaName".to_owned(),
        ]
        .map(Step::get);
        let parts = self.batch(READ, &operations, false, budget).await?;
        let [table, invitation, contact, external, relationships] = parts.as_slice() else {
            return Err(self
                .endpoint
                .unreadable(READ, "fewer answers than operations"));
        };
        self.require_concurrency(table)?;
        let relationships = self.page::<Relationship>(READ, relationships)?.value;
        let relates = |model: &DataModel| {
            let name = role_relationship(*model);
            let mut names = relationships.iter();
            names.any(|relationship| relationship.schema_name.eq_ignore_ascii_case(name))
        };
        let contact = self.column_names(contact)?;
        let models = [DataModel::Enhanced, DataModel::Standard];
        let role_models: Vec<_> = models.into_iter().filter(relates).collect();
        Ok(Schema {
            invitation_website: self.column_names(invitation)?.contains("mspp_websiteid"),
            contact_username: contact.contains("adx_identity_username"),
            external_identities: self
                .found::<serde::de::IgnoredAny>(READ, external)?
                .is_some(),
            preferred_languages: preferred_languages(&contact, &role_models),
            role_models,
        })
    }

    /// Refuses only an explicit "off": the property may be missing or wrapped as a managed property.
    fn require_concurrency(&self, part: &Part) -> Result<(), RemoteError> {
        if !part.status.is_success() {
            return Err(self.part_error(READ, part));
        }
        let table: Table = self.json(READ, &part.body)?;
        let setting = table.optimistic_concurrency.unwrap_or_default();
        if setting == Value::Bool(false) || setting["Value"] == Value::Bool(false) {
            return Err(RemoteError::Refused {
                service: Service::Dataverse,
                action: "protect invitations from concurrent changes",
                refusal: Refusal {
                    status: 412,
                    code: "OptimisticConcurrencyNotEnabled".to_owned(),
                    message:
                        "optimistic concurrency is off for the table adx_invitation; turn it on"
                            .to_owned(),
                },
            });
        }
        Ok(())
    }

    fn column_names(&self, part: &Part) -> Result<BTreeSet<String>, RemoteError> {
        let columns = self.page::<Column>(READ, part)?.value;
        Ok(columns
            .into_iter()
            .map(|column| column.logical_name)
            .collect())
    }
}

/// The site writes the column of its own data model. Which that is cannot be told where the environment has both; then
/// the newer model is the likelier one.
fn preferred_languages(contact: &BTreeSet<String>, role_models: &[DataModel]) -> Vec<DataModel> {
    let mut models = vec![DataModel::Enhanced, DataModel::Standard];
    if role_models == [DataModel::Standard] {
        models.reverse();
    }
    models.retain(|model| contact.contains(preferred_language(*model)));
    models
}

#[cfg(test)]
mod tests {
    use super::*;
    use DataModel::{Enhanced, Standard};

    #[test]
    fn the_language_column_of_the_sites_data_model_counts_first() {
        let both = ["mspp_userpreferredlcid", "adx_preferredlanguageid"];
        for (columns, role_models, expected) in [
            (&both[..], &[Enhanced][..], &[Enhanced, Standard][..]),
            (&both, &[Standard], &[Standard, Enhanced]),
            (&both, &[Enhanced, Standard], &[Enhanced, Standard]),
            (&both[..1], &[Standard], &[Enhanced]),
            (&both[1..], &[Enhanced], &[Standard]),
            (&[], &[Enhanced], &[]),
        ] {
            let columns = columns.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(preferred_languages(&columns, role_models), expected);
        }
    }
}
