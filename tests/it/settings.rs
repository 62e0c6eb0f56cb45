//! The settings wherever they are listed: the README is compared with what the program asks for, everything else with
//! the README. The Bicep of `infra/` is compared with it in `tests/deploy`, the sandbox's list in the sandbox.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use portal_invite::config::{Config, Environment};
use serde_json::Value;

/// What a container of the platform or the Functions host sets, or the person who connects its storage.
/// <https://learn.microsoft.com/azure/azure-functions/functions-app-settings>
const OF_THE_HOST: [&str; 4] = [
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__clientId",
    "WEBSITE_INSTANCE_ID",
];

/// What the host itself takes from the file that `func start` reads.
/// <https://learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file>
const AT_A_DESK: [&str; 2] = ["AzureWebJobsStorage", "FUNCTIONS_WORKER_RUNTIME"];

/// The log's level, which is read before the settings are.
const OF_THE_LOG: &str = "RUST_LOG";

fn text(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

/// What stands in backquotes and is written like a setting.
fn quoted(text: &str) -> impl Iterator<Item = String> {
    let is_setting = |name: &&str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let parts = text.split('`').skip(1).step_by(2);
    parts.filter(is_setting).map(str::to_owned)
}

/// Names in the first column of the README's table of settings, and those in the text around it.
fn documented() -> BTreeSet<String> {
    let readme = text("README.md");
    let (_, section) = readme.split_once("\n## Settings\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let (rows, text): (Vec<_>, Vec<_>) = section.lines().partition(|line| line.starts_with('|'));
    let cells = rows.into_iter().filter_map(|row| row.split('|').nth(1));
    let around = text.into_iter().flat_map(quoted);
    let around = around.filter(|name| name.contains('_'));
    cells.flat_map(quoted).chain(around).collect()
}

/// The settings that timers take their schedules from.
fn schedules() -> BTreeSet<String> {
    let folders = std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    let files = folders.map(|folder| folder.unwrap().path().join("function.json"));
    let functions = files.filter_map(|file| std::fs::read_to_string(file).ok());
    let between = |text: String| text.split('%').nth(1).map(str::to_owned);
    functions.filter_map(between).collect()
}

fn example() -> BTreeMap<String, String> {
    let file: Value = serde_json::from_str(&text("local.settings.example.json")).unwrap();
    serde_json::from_value(file["Values"].clone()).unwrap()
}

#[test]
fn the_readme_lists_every_setting_and_no_other() {
    let asked = Config::names().into_iter();
    let own = asked.filter(|name| !OF_THE_HOST.contains(name));
    let mut read: BTreeSet<String> = own.map(str::to_owned).collect();
    assert!(read.contains("DATAVERSE_URL") && schedules().len() > 1);
    read.extend(schedules());
    read.insert(OF_THE_LOG.to_owned());
    assert_eq!(documented(), read);
}

#[test]
fn each_name_of_the_host_is_one_that_the_program_asks_for() {
    let asked = Config::names();
    for name in OF_THE_HOST {
        assert!(asked.contains(name), "{name}");
    }
}

#[test]
fn the_example_has_every_setting_and_no_other() {
    let mut expected = documented();
    expected.extend(AT_A_DESK.map(str::to_owned));
    let listed: BTreeSet<String> = example().into_keys().collect();
    assert_eq!(listed, expected);
}

#[test]
fn the_program_starts_with_the_settings_of_the_example() {
    let config = Config::from_environment(&Environment::Given(example())).unwrap();
    assert_eq!(config.mail_senders.len(), 1);
    assert!(!config.on_azure);
}
