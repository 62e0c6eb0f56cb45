//! Rights: with those that scripts/rights/privileges.json lists everything works, and each of them is missed.

mod least;
mod script;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

use crate::doctor::{Diagnosis, OF_DATAVERSE};
use crate::world::{Setup, World};

const SITE: Uuid = uuid!("dddddddd-0000-4000-8000-000000000001");
const TEAM: Uuid = uuid!("dddddddd-0000-4000-8000-000000000002");
const WORKFLOW: Uuid = uuid!("dddddddd-0000-4000-8000-000000000003");
const ROLE: Uuid = uuid!("dddddddd-0000-4000-8000-000000000004");
const ACCOUNT: Uuid = uuid!("dddddddd-0000-4000-8000-000000000005");
const VIEW: Uuid = uuid!("dddddddd-0000-4000-8000-000000000006");
const PERSONAL_VIEW: Uuid = uuid!("dddddddd-0000-4000-8000-000000000007");
const INVITER: Uuid = uuid!("dddddddd-0000-4000-8000-000000000008");

/// A line of the list of privileges.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    role: String,
    feature: String,
    table: String,
    verbs: Vec<String>,
    check: String,
    why: String,
}

fn entries() -> Vec<Entry> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/scripts/rights/privileges.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Which data model the site has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Model {
    Enhanced,
    Standard,
}

/// A deployment that uses everything that takes a right, where roles count.
struct Deployment {
    world: World,
    model: Model,
}

impl Deployment {
    async fn start(model: Model) -> Self {
        let setup = Setup::default()
            .setting("INVITATION_OWNER", &format!("team/{TEAM}"))
            .setting("ALLOWED_WORKFLOWS", &WORKFLOW.to_string())
            .setting("ALLOWED_WEB_ROLES", &ROLE.to_string())
            .setting("DIGEST_TO", "staff@contoso.example")
            .setting("PORTAL_TIME_ZONE", "UTC")
            .setting("LANGUAGES", "en=en-US,da=da-DK");
        let setup = match model {
            Model::Enhanced => setup.setting("PORTAL_WEBSITE_ID", &SITE.to_string()),
            Model::Standard => setup,
        };
        let world = setup.start().await;
        let deployment = Self { world, model };
        deployment.furnish();
        deployment.world.sandbox.enforce_roles();
        deployment
    }

    /// What requests refer to.
    fn furnish(&self) {
        let dataverse = &self.world.sandbox.dataverse;
        dataverse.configure(|settings| {
            settings.standard_data_model = self.model == Model::Standard;
            settings.enhanced_data_model = self.model == Model::Enhanced;
        });
        dataverse.insert("teams", &json!({"teamid": TEAM, "name": "Owners"}));
        let active =
            json!({"workflowid": WORKFLOW, "name": "Welcome", "statecode": 1, "statuscode": 2});
        dataverse.insert("workflows", &active);
        dataverse.insert(
            "accounts",
            &json!({"accountid": ACCOUNT, "name": "Contoso"}),
        );
        let inviter = json!({"contactid": INVITER, "firstname": "Ida", "lastname": "Tester"});
        dataverse.insert("contacts", &inviter);
        let xml = r#"<fetch><entity name="contact"><attribute name="fullname"/></entity></fetch>"#;
        for (set, key, id) in [
            ("savedqueries", "savedqueryid", VIEW),
            ("userqueries", "userqueryid", PERSONAL_VIEW),
        ] {
            let view =
                json!({key: id, "name": "A view", "returnedtypecode": "contact", "fetchxml": xml});
            dataverse.insert(set, &view);
        }
        // The time zone of the user that `admit` makes.
        let zone = json!({"systemuserid": self.application(), "timezonecode": 110});
        dataverse.insert("usersettingscollection", &zone);
        self.furnish_site();
    }

    fn furnish_site(&self) {
        let dataverse = &self.world.sandbox.dataverse;
        match self.model {
            Model::Enhanced => {
                let site = json!({"powerpagesiteid": SITE, "name": "Contoso"});
                dataverse.insert("powerpagesites", &site);
                dataverse.set_site_setting(SITE, "Authentication/Registration/Enabled", "true");
                let role = json!({
                    "powerpagecomponentid": ROLE, "name": "Customer", "powerpagecomponenttype": 11,
                    "_powerpagesiteid_value": SITE,
                });
                dataverse.insert("powerpagecomponents", &role);
            }
            Model::Standard => {
                dataverse.insert(
                    "adx_webroles",
                    &json!({"adx_webroleid": ROLE, "adx_name": "Customer"}),
                );
                dataverse.add_portal_language("da-DK");
                let site = dataverse.insert("adx_websites", &json!({"adx_name": "Contoso"}));
                let setting = json!({
                    "adx_name": "Authentication/Registration/Enabled", "adx_value": "true",
                    "_adx_websiteid_value": site,
                });
                dataverse.insert("adx_sitesettings", &setting);
            }
        }
    }

    fn application(&self) -> Uuid {
        self.world.sandbox.identity.client_id().parse().unwrap()
    }

    /// A request that uses every feature but views.
    fn everything(contact: Uuid) -> Value {
        json!({
            "contactIds": [contact],
            "inviterContactId": INVITER,
            "assignToAccountId": ACCOUNT,
            "redemptionWorkflowId": WORKFLOW,
            "webRoleIds": [ROLE],
        })
    }

    /// What does not work, each thing in a line; empty where everything does.
    async fn trouble(&self) -> Vec<String> {
        let (world, mut trouble) = (&self.world, Vec::new());
        let logged = world.log().len();
        let people = world.sandbox.dataverse.rows("contacts").len();
        let contact = world.contact(&format!("Ann{people}"));
        let answer = world.invite(&Self::everything(contact)).await;
        if answer.status != 200 || answer.outcomes() != ["sent"] {
            trouble.push(format!("invite: {}", answer.text));
        } else {
            let code = world.row(contact)["adx_invitationcode"].clone();
            let name = contact.simple().to_string();
            let redeemed = (world.sandbox.portal).redeem(
                code.as_str().unwrap(),
                &name,
                &format!("{name}@customer.example"),
            );
            redeemed.unwrap();
        }
        for view in [
            json!({"id": VIEW}),
            json!({"id": PERSONAL_VIEW, "personal": true}),
        ] {
            let answer = world.invite(&json!({"view": view, "dryRun": true})).await;
            if answer.status != 200 {
                trouble.push(format!("view: {}", answer.text));
            }
        }
        let list = world.get("/api/invitations").await;
        if list.status != 200 {
            trouble.push(format!("list: {}", list.text));
        }
        let warnings = world.log().into_iter().skip(logged);
        let warnings = warnings.filter(|line| line["level"] == "WARN");
        trouble.extend(warnings.map(|line| format!("log: {line}")));
        trouble
    }

    /// The ids of what the doctor does not pass and a role can help.
    async fn diagnosis(&self) -> Vec<String> {
        let diagnosis = Diagnosis::of(&self.world).await;
        let mut worse: Vec<_> = (diagnosis.not_passed(&OF_DATAVERSE).into_iter())
            .map(str::to_owned)
            .collect();
        if diagnosis.check("settings.timeZone")["status"] == "notChecked" {
            worse.push("settings.timeZone".to_owned());
        }
        worse
    }
}
