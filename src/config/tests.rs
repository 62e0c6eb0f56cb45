//! Tests of the settings: defaults, and every mistake at once by name.

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    let required = [
        ("DATAVERSE_URL", "https://contoso.crm4.dynamics.com"),
        ("PORTAL_URL", "https://portal.contoso.com"),
        ("MAIL_SENDERS", "invitations@contoso.com"),
    ];
    let all = required.iter().chain(pairs);
    Environment::Given(
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    )
}

fn mistakes(pairs: &[(&str, &str)]) -> Vec<&'static str> {
    let error = Config::from_environment(&environment(pairs)).unwrap_err();
    error.mistakes.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn three_settings_are_enough() {
    let config = Config::from_environment(&environment(&[])).unwrap();
    assert_eq!(config.mail_rate_per_minute, 30);
    assert_eq!(config.invitation_valid_days.get(), 14);
    assert_eq!(config.brand.name, "portal.contoso.com");
    assert_eq!(config.default_language, "en");
    assert_eq!(config.inline_time.as_secs(), 60);
    assert_eq!(config.graph_url.as_str(), "https://graph.microsoft.com/");
    assert_eq!(
        config.credential,
        Credential::ManagedIdentity { client_id: None }
    );
    assert_eq!(config.sweep_scope, SweepScope::All);
    assert!(!config.allow_links && config.allowed_workflows.is_empty());
}

#[test]
fn every_mistake_is_reported_at_once_without_its_value() {
    let error = Config::from_environment(&Environment::Given(BTreeMap::from([
        (
            "DATAVERSE_URL".to_owned(),
            "http://secret-host.example".to_owned(),
        ),
        ("MAIL_SENDERS".to_owned(), " ".to_owned()),
        ("MAIL_RATE_PER_MINUTE".to_owned(), "0".to_owned()),
        ("INLINE_SECONDS".to_owned(), "91".to_owned()),
        ("PORTAL_TIME_ZONE".to_owned(), "Europe/Atlantis".to_owned()),
    ])))
    .unwrap_err();
    insta::assert_snapshot!(error, @r"
    6 app settings need attention:
      DATAVERSE_URL: must start with https://
      PORTAL_URL: is required and not set
      MAIL_SENDERS: is required and not set
      MAIL_RATE_PER_MINUTE: must be a whole number from 1 to 1000
      PORTAL_TIME_ZONE: is no IANA time zone name, such as Europe/Oslo
      INLINE_SECONDS: must be a whole number from 1 to 90
    ");
}

#[test]
fn each_setting_refuses_what_it_cannot_mean() {
    for (name, value) in [
        ("DATAVERSE_URL", "contoso.crm4.dynamics.com"),
        ("PORTAL_URL", "http://portal.contoso.com"),
        ("MAIL_SENDERS", "a@contoso.com,nobody"),
        ("MAIL_SENDERS", "a@contoso.com,A@contoso.com"),
        ("AZURE_CREDENTIAL", "password"),
        ("MAIL_DELIVERY", "smtp"),
        ("MAIL_RATE_PER_MINUTE", "-1"),
        ("MAIL_REPLY_TO", "nobody"),
        ("INVITATION_VALID_DAYS", "366"),
        (
            "INVITATION_OWNER",
            "user/7f1c1d7e-0000-4000-8000-000000000001",
        ),
        ("INVITATION_OWNER", "team/7"),
        ("PORTAL_WEBSITE_ID", "x"),
        ("LANGUAGES", "en=en/US"),
        ("LANGUAGES", "en,en"),
        ("DEFAULT_LANGUAGE", "fr"),
        ("BRAND_COLOR", "blue"),
        ("BRAND_LOGO_URL", "http://contoso.com/logo.png"),
        ("SUPPORT_EMAIL", "@"),
        ("ALLOW_LINKS", "yes"),
        ("ALLOWED_WORKFLOWS", "x"),
        ("SWEEP_SCOPE", "some"),
        ("INLINE_SECONDS", "0"),
        ("GRAPH_URL", "graph"),
        ("BATCH_KEEP_DAYS", "0"),
    ] {
        assert_eq!(mistakes(&[(name, value)]), [name], "{name}={value}");
    }
}

#[test]
fn loopback_addresses_may_be_plain_http() {
    for url in [
        "http://localhost:9000",
        "http://127.0.0.1:9000",
        "http://[::1]:9000",
    ] {
        assert!(
            Config::from_environment(&environment(&[("DATAVERSE_URL", url), ("PORTAL_URL", url)]))
                .is_ok()
        );
    }
}

fn place(pairs: &[(&str, &str)]) -> Place {
    Config::from_environment(&environment(pairs))
        .unwrap()
        .batch_store
}

fn container(url: &str, client_id: Option<&str>) -> Place {
    Place::Container {
        url: url.parse().unwrap(),
        client_id: client_id.map(str::to_owned),
    }
}

const SERVICE: (&str, &str) = (
    "AzureWebJobsStorage__blobServiceUri",
    "https://contoso.blob.core.usgovcloudapi.net/",
);
const ACCOUNT: (&str, &str) = ("AzureWebJobsStorage__accountName", "contoso1");

#[test]
fn journals_are_kept_in_the_app_s_own_storage_account() {
    let public = "https://contoso1.blob.core.windows.net/portal-invite";
    assert_eq!(place(&[ACCOUNT]), container(public, None));
    let sovereign = "https://contoso.blob.core.usgovcloudapi.net/portal-invite";
    assert_eq!(place(&[ACCOUNT, SERVICE]), container(sovereign, None));
    let emulated = (
        "AzureWebJobsStorage__blobServiceUri",
        "https://127.0.0.1:10000/account",
    );
    assert_eq!(
        place(&[emulated, ("AzureWebJobsStorage__clientId", "me")]),
        container("https://127.0.0.1:10000/account/portal-invite", Some("me"))
    );
}

#[test]
fn a_named_directory_goes_before_a_storage_account() {
    let directory = ("BATCH_STORE", "/mounts/journals");
    let named = Place::Directory("/mounts/journals".into());
    assert_eq!(place(&[directory, ACCOUNT]), named);
    assert_eq!(place(&[directory, ("WEBSITE_INSTANCE_ID", "abc")]), named);
    assert_eq!(place(&[]), Place::Directory(".portal-invite".into()));
}

#[test]
fn on_azure_journals_need_a_place_that_outlives_the_instance() {
    let pairs = [
        ("WEBSITE_INSTANCE_ID", "abc"),
        ("AzureWebJobsStorage", "AccountKey=hidden"),
    ];
    let error = Config::from_environment(&environment(&pairs)).unwrap_err();
    let [(name, problem)] = &error.mistakes[..] else {
        panic!("one mistake, not {error}")
    };
    assert_eq!(*name, "BATCH_STORE");
    assert!(
        problem.contains("AzureWebJobsStorage__accountName"),
        "{problem}"
    );
    assert!(
        problem.contains("a connection string is not used"),
        "{problem}"
    );
    assert!(!error.to_string().contains("hidden"));
}

#[test]
fn a_storage_account_is_named_as_azure_names_it_and_reached_by_https() {
    for (name, value) in [
        ("AzureWebJobsStorage__accountName", "Contoso"),
        ("AzureWebJobsStorage__accountName", "co"),
        ("AzureWebJobsStorage__accountName", "contoso.example/x"),
        (
            "AzureWebJobsStorage__blobServiceUri",
            "http://127.0.0.1:10000/account",
        ),
        (
            "AzureWebJobsStorage__blobServiceUri",
            "https://a.blob.core.windows.net/?sig=secret",
        ),
        ("AzureWebJobsStorage__blobServiceUri", "contoso"),
    ] {
        let on_azure = ("WEBSITE_INSTANCE_ID", "abc");
        assert_eq!(
            mistakes(&[(name, value), on_azure]),
            [name],
            "{name}={value}"
        );
    }
}

#[test]
fn languages_map_to_paths_and_the_first_is_the_default() {
    let config = Config::from_environment(&environment(&[("LANGUAGES", "da=da-DK, en")])).unwrap();
    assert_eq!(config.default_language, "da");
    assert_eq!(
        config.languages["da"].as_ref().map(LanguagePath::as_str),
        Some("da-DK")
    );
    assert!(config.languages["en"].is_none());
}
