//! Owns who Dataverse takes us for: the application user, its organisation and its time zone.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/whoami>

use serde::Deserialize;
use uuid::Uuid;

use super::Dataverse;
use super::odata::{Filter, Query};
use crate::remote::budget::Budget;
use crate::remote::claims::Claims;
use crate::remote::error::RemoteError;

/// Who Dataverse takes us for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Caller {
    /// The row of `systemuser`.
    #[serde(rename = "UserId")]
    pub user_id: Uuid,
    /// The organisation, one an environment.
    #[serde(rename = "OrganizationId")]
    pub organization_id: Uuid,
}

#[derive(Deserialize)]
struct Preferences {
    timezonecode: Option<i64>,
}

#[derive(Deserialize)]
struct Rows<T> {
    value: Vec<T>,
}

#[derive(Deserialize)]
struct Zone {
    standardname: Option<String>,
}

impl Dataverse {
    /// What the token for Dataverse says about whoever it was issued to.
    pub async fn claims(&self, budget: &Budget) -> Result<Option<Claims>, RemoteError> {
        self.endpoint.claims(budget).await
    }

    /// Who Dataverse takes us for.
    pub async fn who_am_i(&self, budget: &Budget) -> Result<Caller, RemoteError> {
        const ACTION: &str = "say who we are";
        let caller = self.get(ACTION, self.url("WhoAmI"), budget).await?;
        caller.ok_or_else(|| {
            self.endpoint
                .unreadable(ACTION, "there is no such function")
        })
    }

    /// The time zone that a user works in, by the name that Windows has for it; `None` where none is set.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/specify-time-zone-settings-user>
    pub async fn time_zone_of(
        &self,
        user: Uuid,
        budget: &Budget,
    ) -> Result<Option<String>, RemoteError> {
        const ACTION: &str = "read the user's time zone";
        let path = format!("usersettingscollection({user})?$select=timezonecode");
        let own: Option<Preferences> = self.get(ACTION, self.url(&path), budget).await?;
        let Some(code) = own.and_then(|own| own.timezonecode) else {
            return Ok(None);
        };
        let zones = Query::over("timezonedefinitions")
            .select(&["standardname"])
            .filter(&Filter::equals("timezonecode", code));
        let zones: Option<Rows<Zone>> =
            self.get(ACTION, self.url(&zones.to_path()), budget).await?;
        let zone = zones.and_then(|zones| zones.value.into_iter().next());
        Ok(zone.and_then(|zone| zone.standardname))
    }
}
