//! Settings of the site: each that stops a redemption is named, in both data models.

use sandbox::dataverse::Verb;
use serde_json::json;
use uuid::Uuid;

use super::Diagnosis;
use super::dataverse::start_with_everything;
use crate::world::World;

#[tokio::test]
async fn each_setting_that_stops_redemption_is_named() {
    let world = World::start().await;
    let dataverse = &world.sandbox.dataverse;
    let site = &dataverse.rows("powerpagesites")[0]["powerpagesiteid"];
    let site: Uuid = site.as_str().unwrap().parse().unwrap();
    let registration = "Authentication/Registration/";
    for (name, id) in [("Enabled", "enabled"), ("InvitationEnabled", "invitations")] {
        let setting = format!("{registration}{name}");
        dataverse.set_site_setting(site, &setting, " False ");
        let id = format!("registration.{id}");
        let diagnosis = Diagnosis::of(&world).await;
        diagnosis.says(&id, "fail", &[name, "404", "restart the site"]);
        assert_eq!(diagnosis.not_passed(&["registration"]), [id]);
        dataverse.set_site_setting(site, &setting, "true");
    }
    dataverse.set_site_setting(
        site,
        &format!("{registration}OpenRegistrationEnabled"),
        "false",
    );
    dataverse.set_site_setting(site, &format!("{registration}LocalLoginEnabled"), "false");
    let diagnosis = Diagnosis::of(&world).await;
    assert_eq!(diagnosis.not_passed(&["registration"]), [""; 0]);
    diagnosis.says("registration.site", "pass", &["only invited people"]);
    dataverse.set_site_setting(
        site,
        &format!("{registration}ExternalLoginEnabled"),
        "false",
    );
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("registration.signIn", "fail", &["ExternalLoginEnabled"]);
    let unique = "Authentication/UserManager/UserValidator/RequireUniqueEmail";
    dataverse.set_site_setting(site, unique, "false");
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("registration.uniqueEmail", "warn", &["RequireUniqueEmail"]);
    dataverse.set_site_setting(site, unique, "perhaps");
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says(
        "registration.uniqueEmail",
        "warn",
        &["neither true nor false"],
    );
}

#[tokio::test]
async fn only_the_deployments_own_site_counts_where_it_is_named() {
    let (named, site) = start_with_everything().await;
    let unnamed = World::start().await;
    let invitations = "Authentication/Registration/InvitationEnabled";
    for world in [&named, &unnamed] {
        let dataverse = &world.sandbox.dataverse;
        let other = dataverse.add_site("Another site");
        dataverse.set_site_setting(other, invitations, "false");
    }
    let diagnosis = Diagnosis::of(&named).await;
    assert_eq!(diagnosis.not_passed(&["registration"]), [""; 0]);
    let diagnosis = Diagnosis::of(&unnamed).await;
    let words = ["Another site, of 2", "PORTAL_WEBSITE_ID"];
    diagnosis.says("registration.invitations", "warn", &words);
    named
        .sandbox
        .dataverse
        .set_site_setting(site, invitations, "false");
    let diagnosis = Diagnosis::of(&named).await;
    diagnosis.says("registration.invitations", "fail", &["InvitationEnabled"]);
    named.sandbox.dataverse.delete("powerpagesites", site);
    let diagnosis = Diagnosis::of(&named).await;
    diagnosis.says("registration.site", "fail", &["PORTAL_WEBSITE_ID"]);
}

#[tokio::test]
async fn settings_of_the_standard_data_model_count_too() {
    let world = World::start().await;
    let dataverse = &world.sandbox.dataverse;
    for row in dataverse.rows("powerpagecomponents") {
        let id = row["powerpagecomponentid"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        dataverse.delete("powerpagecomponents", id);
    }
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("registration.site", "warn", &["No setting of registration"]);
    dataverse.configure(|settings| settings.standard_data_model = true);
    let site = dataverse.insert("adx_websites", &json!({"adx_name": "Old portal"}));
    let setting = |name: &str, value: &str| {
        let name = format!("Authentication/Registration/{name}");
        let row = json!({"adx_name": name, "adx_value": value, "_adx_websiteid_value": site});
        dataverse.insert("adx_sitesettings", &row)
    };
    setting("Enabled", "true");
    let diagnosis = Diagnosis::of(&world).await;
    assert_eq!(diagnosis.not_passed(&["registration"]), [""; 0]);
    diagnosis.says("registration.site", "pass", &["Old portal"]);
    setting("InvitationEnabled", "FALSE");
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says("registration.invitations", "fail", &["InvitationEnabled"]);
}

#[tokio::test]
async fn settings_that_may_not_be_read_are_not_checked() {
    let world = World::start().await;
    world
        .sandbox
        .dataverse
        .deny("powerpagecomponents", Verb::Read);
    let diagnosis = Diagnosis::of(&world).await;
    diagnosis.says(
        "registration.site",
        "notChecked",
        &["prvReadpowerpagecomponent"],
    );
    assert!(diagnosis.ok());
}
