//! Owns reading a site's settings, in both data models.
//!
//! The enhanced model keeps a setting as a site component whose content is JSON, the standard one as a row of
//! `adx_sitesetting`. <https://learn.microsoft.com/power-pages/configure/configure-site-settings>

use http::header::HeaderName;
use serde::Deserialize;
use serde_json::Value as Json;
use uuid::Uuid;

use super::Dataverse;
use super::multipart::{Operation, Part, Step};
use super::odata::{Filter, Query, Value};
use crate::domain::ids::WebsiteId;
use crate::domain::invitation::STATE_ACTIVE;
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;

/// `powerpagecomponenttype` of a site setting.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/powerpagecomponent>
const COMPONENT_IS_SITE_SETTING: i64 = 9;

/// A setting as one site has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteSetting {
    /// The site.
    pub site: Option<Uuid>,
    /// The site's name.
    pub site_name: Option<String>,
    /// The setting's name.
    pub name: String,
    /// The value; `None` where it is kept elsewhere, such as in an environment variable.
    pub value: Option<String>,
}

/// What an environment says of its sites.
#[derive(Debug)]
pub struct SiteSettings {
    /// The settings asked for that somebody set.
    pub settings: Vec<SiteSetting>,
    /// Whether the site asked for exists, where one was.
    pub site_exists: Option<Result<bool, RemoteError>>,
}

#[derive(Deserialize)]
struct Component {
    name: String,
    content: Option<String>,
    #[serde(rename = "_powerpagesiteid_value")]
    site: Option<Uuid>,
    #[serde(rename = "_powerpagesiteid_value@OData.Community.Display.V1.FormattedValue")]
    site_name: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    adx_name: String,
    adx_value: Option<String>,
    #[serde(rename = "_adx_websiteid_value")]
    site: Option<Uuid>,
    #[serde(rename = "_adx_websiteid_value@OData.Community.Display.V1.FormattedValue")]
    site_name: Option<String>,
}

const READ: &str = "read the site's settings";

impl Dataverse {
    /// The settings of these names, of one site or of all.
    pub async fn site_settings(
        &self,
        names: &[&str],
        website: Option<WebsiteId>,
        budget: &Budget,
    ) -> Result<SiteSettings, RemoteError> {
        let active = || Filter::equals("statecode", i64::from(STATE_ACTIVE));
        let kind = Filter::equals("powerpagecomponenttype", COMPONENT_IS_SITE_SETTING);
        let components = Query::over("powerpagecomponents")
            .select(&["name", "content", "_powerpagesiteid_value"])
            .filter(&of_site(
                active().and(kind).and(named("name", names)),
                "_powerpagesiteid_value",
                website,
            ));
        let rows = Query::over("adx_sitesettings")
            .select(&["adx_name", "adx_value", "_adx_websiteid_value"])
            .filter(&of_site(
                active().and(named("adx_name", names)),
                "_adx_websiteid_value",
                website,
            ));
        let site = website.map(|id| format!("powerpagesites({id})?$select=name"));
        let queries = [components.to_path(), rows.to_path()];
        let steps: Vec<_> = queries.into_iter().chain(site).map(annotated).collect();
        let parts = self.batch(READ, &steps, false, budget).await?;
        let [components, rows, site @ ..] = parts.as_slice() else {
            return Err(self
                .endpoint
                .unreadable(READ, "fewer answers than questions"));
        };
        let mut settings = self.components(components)?;
        settings.extend(self.setting_rows(rows)?);
        Ok(SiteSettings {
            settings,
            site_exists: site.first().map(|part| {
                let found = self.found::<serde::de::IgnoredAny>(READ, part);
                found.map(|found| found.is_some())
            }),
        })
    }

    fn components(&self, part: &Part) -> Result<Vec<SiteSetting>, RemoteError> {
        let rows = self.rows_if_any::<Component>(part)?;
        let setting = |row: Component| SiteSetting {
            site: row.site,
            site_name: row.site_name,
            name: row.name,
            value: row.content.as_deref().and_then(content),
        };
        Ok(rows.into_iter().map(setting).collect())
    }

    fn setting_rows(&self, part: &Part) -> Result<Vec<SiteSetting>, RemoteError> {
        let rows = self.rows_if_any::<Row>(part)?;
        let setting = |row: Row| SiteSetting {
            site: row.site,
            site_name: row.site_name,
            name: row.adx_name,
            value: Some(row.adx_value.unwrap_or_default()),
        };
        Ok(rows.into_iter().map(setting).collect())
    }

    /// The rows of a part; none where the data model has no such table.
    fn rows_if_any<T: serde::de::DeserializeOwned>(
        &self,
        part: &Part,
    ) -> Result<Vec<T>, RemoteError> {
        match part.status.as_u16() {
            404 => Ok(Vec::new()),
            _ => Ok(self.page::<T>(READ, part)?.value),
        }
    }
}

fn named(column: &str, names: &[&str]) -> Filter {
    let one = |name: &&str| Filter::equals(column, Value::Text((*name).to_owned()));
    Filter::any(names.iter().map(one))
}

fn of_site(filter: Filter, column: &str, website: Option<WebsiteId>) -> Filter {
    match website {
        Some(website) => filter.and(Filter::equals(column, website.uuid())),
        None => filter,
    }
}

/// A read that also wants to know how people call what a row refers to.
pub(super) fn annotated(path: String) -> Step {
    let annotations =
        "odata.include-annotations=\"OData.Community.Display.V1.FormattedValue\"".to_owned();
    Step::Single(Operation {
        condition: Some((HeaderName::from_static("prefer"), annotations)),
        ..Operation::get(path)
    })
}

/// The value in a component's content, `{"value":"true"}`.
fn content(text: &str) -> Option<String> {
    let content: Json = serde_json::from_str(text).ok()?;
    match content.get("value")? {
        Json::String(text) => Some(text.clone()),
        Json::Null => None,
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::content;

    #[test]
    fn a_setting_that_is_kept_elsewhere_has_no_value_here() {
        assert_eq!(content(r#"{"value":"False"}"#).as_deref(), Some("False"));
        assert_eq!(content(r#"{"value":false}"#).as_deref(), Some("false"));
        assert_eq!(content(r#"{"source":1,"value":null}"#), None);
        assert_eq!(content("not JSON"), None);
    }
}
