//! What an environment holds once a Power Pages site was made in it: the site, its settings, and the stock processes.
//!
//! The process that mails invitations is turned off, as whoever installs the service is told to do.
//! <https://learn.microsoft.com/power-pages/security/authentication/set-authentication-identity>

use serde_json::json;
use uuid::Uuid;

use super::Dataverse;

const REGISTRATION: &str = "Authentication/Registration/";

/// The settings of registration as a new site has them.
const SETTINGS: [(&str, &str); 5] = [
    ("Enabled", "true"),
    ("InvitationEnabled", "true"),
    ("OpenRegistrationEnabled", "true"),
    ("LocalLoginEnabled", "true"),
    ("ExternalLoginEnabled", "true"),
];

/// Processes of the portal solutions on contacts: name, and whether they send mail.
const ON_CONTACTS: [(&str, bool); 3] = [
    ("Send Password Reset To Contact", true),
    ("Send Email Confirmation To Contact", true),
    ("Change Password for Portals Contact", false),
];

impl Dataverse {
    /// Makes a site with its settings, and the stock processes; gives the site.
    pub fn install_portal(&self) -> Uuid {
        let site = self.add_site("Contoso Portal");
        for (name, value) in SETTINGS {
            self.set_site_setting(site, &format!("{REGISTRATION}{name}"), value);
        }
        let unique = "Authentication/UserManager/UserValidator/RequireUniqueEmail";
        self.set_site_setting(site, unique, "true");
        for (name, mails) in ON_CONTACTS {
            self.add_stock_process(name, "contact", mails, true);
        }
        self.add_stock_process("Send Invitation", "adx_invitation", true, false);
        site
    }

    /// Adds a site of the enhanced data model.
    pub fn add_site(&self, name: &str) -> Uuid {
        self.insert("powerpagesites", &json!({ "name": name }))
    }

    /// Sets a setting of a site in the enhanced data model: a component whose content is JSON.
    pub fn set_site_setting(&self, site: Uuid, name: &str, value: &str) {
        let content = json!({ "value": value }).to_string();
        let old = self
            .rows("powerpagecomponents")
            .into_iter()
            .find(|row| row["name"] == name && row["_powerpagesiteid_value"] == site.to_string());
        let id = old.and_then(|row| row["powerpagecomponentid"].as_str()?.parse().ok());
        if let Some(id) = id {
            return self.change("powerpagecomponents", id, &json!({ "content": content }));
        }
        let row = json!({
            "name": name,
            "powerpagecomponenttype": 9,
            "content": content,
            "_powerpagesiteid_value": site,
        });
        self.insert("powerpagecomponents", &row);
    }

    fn add_stock_process(&self, name: &str, table: &str, mails: bool, active: bool) {
        let row = json!({
            "name": name,
            "primaryentity": table,
            "ondemand": true,
            "ismanaged": true,
            "scope": 4,
            "xaml": process_xaml(table, mails),
            "statecode": i32::from(active),
            "statuscode": if active { 2 } else { 1 },
        });
        self.insert("workflows", &row);
    }
}

/// The definition of a classic workflow with one step: it mails somebody, or it changes its row.
pub fn process_xaml(table: &str, mails: bool) -> String {
    let step = if mails {
        r#"<Assign x:TypeArguments="mxs:Entity" To="[CreatedEntities(&quot;SendEmailStep1_localParameter#Temp&quot;)]" Value="[New Entity(&quot;email&quot;)]" />
      <mxswa:SendEmail EntityId="{x:Null}" DisplayName="SendEmailStep1" Entity="[CreatedEntities(&quot;SendEmailStep1_localParameter#Temp&quot;)]" />"#
            .to_owned()
    } else {
        format!(
            r#"<mxswa:UpdateEntity DisplayName="UpdateStep1" Entity="[CreatedEntities(&quot;primaryEntity#Temp&quot;)]" EntityName="{table}" />"#
        )
    };
    format!(
        r#"<Activity x:Class="XrmWorkflow" xmlns="http://schemas.microsoft.com/netfx/2009/xaml/activities" xmlns:mxs="clr-namespace:Microsoft.Xrm.Sdk;assembly=Microsoft.Xrm.Sdk" xmlns:mxswa="clr-namespace:Microsoft.Xrm.Sdk.Workflow.Activities;assembly=Microsoft.Xrm.Sdk.Workflow" xmlns:x="http://schemas.microsoft.com/winfx/2006/xaml">
  <mxswa:Workflow>
    <Sequence DisplayName="Step1">
      {step}
    </Sequence>
  </mxswa:Workflow>
</Activity>"#
    )
}
