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

/// A parameter of the deployment that may not be just any value.
#[derive(Default)]
struct Limited {
    lowest: Option<i64>,
    highest: Option<i64>,
    words: Vec<String>,
}

/// The settings whose parameters have limits in the Bicep: each decorator is a line above its parameter, and the
/// description begins with the name of the setting.
fn limited() -> BTreeMap<String, Limited> {
    let (mut found, mut next, mut setting) = (BTreeMap::new(), Limited::default(), String::new());
    for line in text("infra/main.bicep").lines() {
        let argument = |name: &str| line.strip_prefix(name)?.strip_suffix(')');
        if let Some(described) = argument("@description('") {
            let name = described.split(':').next().unwrap();
            name.clone_into(&mut setting);
        } else if let Some(number) = argument("@minValue(") {
            next.lowest = number.parse().ok();
        } else if let Some(number) = argument("@maxValue(") {
            next.highest = number.parse().ok();
        } else if let Some(words) = argument("@allowed(") {
            next.words = (words.split('\'').skip(1).step_by(2).map(str::to_owned)).collect();
        } else if line.starts_with("param ") {
            found.insert(setting.clone(), std::mem::take(&mut next));
        }
    }
    found.retain(|name, limited| {
        documented().contains(name) && (limited.lowest.is_some() || !limited.words.is_empty())
    });
    found
}

fn accepts(name: &str, value: &str) -> bool {
    let mut settings = example();
    settings.insert(name.to_owned(), value.to_owned());
    Config::from_environment(&Environment::Given(settings)).is_ok()
}

#[test]
fn each_limit_of_the_deployment_is_the_programs_own() {
    let limited = limited();
    assert!(limited.values().any(|one| !one.words.is_empty()));
    for (name, one) in limited {
        if let (Some(lowest), Some(highest)) = (one.lowest, one.highest) {
            let edges = [lowest - 1, lowest, highest, highest + 1];
            let accepted = edges.map(|number| accepts(&name, &number.to_string()));
            assert_eq!(accepted, [false, true, true, false], "{name}");
        }
        for word in &one.words {
            assert!(accepts(&name, word), "{name}={word}");
        }
        assert!(!accepts(&name, "anything"), "{name}");
    }
}

#[test]
fn the_program_starts_with_the_settings_of_the_example() {
    let config = Config::from_environment(&Environment::Given(example())).unwrap();
    assert_eq!(config.mail_senders.len(), 1);
    assert!(!config.on_azure);
}
