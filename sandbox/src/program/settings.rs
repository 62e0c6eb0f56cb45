//! The app settings that the handler gets besides what the services give it: those that make a first look good, then
//! `local.settings.json`, then the shell's environment, as `func start` has them.
//! <https://learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file>

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

const FILE: &str = "local.settings.json";
const EXAMPLE: &str = "local.settings.example.json";

/// Every setting that the handler or its host knows, as the README lists them: what is taken over from the shell.
const KNOWN: [&str; 36] = [
    "DATAVERSE_URL",
    "PORTAL_URL",
    "MAIL_SENDERS",
    "AZURE_CREDENTIAL",
    "AZURE_CLIENT_ID",
    "MAIL_DELIVERY",
    "MAIL_RATE_PER_MINUTE",
    "MAIL_REPLY_TO",
    "INVITATION_VALID_DAYS",
    "INVITATION_OWNER",
    "PORTAL_WEBSITE_ID",
    "PORTAL_TIME_ZONE",
    "LANGUAGES",
    "DEFAULT_LANGUAGE",
    "BRAND_NAME",
    "BRAND_COLOR",
    "BRAND_LOGO_URL",
    "SUPPORT_EMAIL",
    "TEMPLATE_DIR",
    "ALLOW_LINKS",
    "ALLOWED_WORKFLOWS",
    "ALLOWED_WEB_ROLES",
    "RESEND_COOLDOWN_MINUTES",
    "AUTO_INVITE_FILTER",
    "REMIND_DAYS_BEFORE",
    "DIGEST_TO",
    "SWEEP_SCOPE",
    "INLINE_SECONDS",
    "GRAPH_URL",
    "BATCH_STORE",
    "BATCH_KEEP_DAYS",
    "DISPATCH_SCHEDULE",
    "SWEEP_SCHEDULE",
    "REMIND_SCHEDULE",
    "DIGEST_SCHEDULE",
    "RUST_LOG",
];

/// What the sandbox alone decides: where the services are, who the handler is, and where journals lie.
const OWN: [&str; 8] = [
    "DATAVERSE_URL",
    "PORTAL_URL",
    "GRAPH_URL",
    "MAIL_SENDERS",
    "AZURE_CREDENTIAL",
    "AZURE_CLIENT_ID",
    "BATCH_STORE",
    "AzureWebJobsStorage",
];

/// Settings for the handler, and where they came from.
#[derive(Debug, Default)]
pub(super) struct Settings {
    values: BTreeMap<String, String>,
    /// A line each for who wonders which settings count.
    pub(super) notes: Vec<String>,
}

impl Settings {
    /// What the example settings say and the services do not: the runtime and the timers' schedules.
    pub(super) fn of_example(repository: &Path) -> anyhow::Result<Self> {
        let mut values = read(&repository.join(EXAMPLE))?;
        values.retain(|name, _| name == "FUNCTIONS_WORKER_RUNTIME" || name.ends_with("_SCHEDULE"));
        values.insert("BRAND_NAME".to_owned(), "Contoso".to_owned());
        let notes = Vec::new();
        Ok(Self { values, notes })
    }

    /// What a person at a desk set: `shell` are the variables of a shell in `directory`.
    pub(super) fn of_desk(
        repository: &Path,
        directory: &Path,
        shell: impl IntoIterator<Item = (String, String)>,
    ) -> anyhow::Result<Self> {
        let mut settings = Self::default();
        let file = repository.join(FILE);
        if file.is_file() {
            settings.take(FILE, repository, read(&file)?);
        } else {
            settings = Self::of_example(repository)?;
        }
        let known = |(name, _): &(String, String)| KNOWN.contains(&name.as_str());
        let shell = shell.into_iter().filter(known).collect();
        settings.take("your shell", directory, shell);
        settings.complete(repository)?;
        Ok(settings)
    }

    /// A setting's value, if there is one.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Sets what nobody has set.
    pub(super) fn or(&mut self, name: &str, value: impl Into<String>) {
        (self.values.entry(name.to_owned())).or_insert_with(|| value.into());
    }

    /// All settings by name.
    pub(super) fn into_values(self) -> impl Iterator<Item = (String, String)> {
        self.values.into_iter()
    }

    /// Takes settings over, and notes what is taken and what is not. A relative path starts in `directory`.
    fn take(&mut self, source: &str, directory: &Path, values: BTreeMap<String, String>) {
        let (mut ignored, mut taken) = (Vec::new(), Vec::new());
        for (name, value) in values {
            if is_own(&name) {
                let hint = if name == "MAIL_SENDERS" {
                    " (use --senders)"
                } else {
                    ""
                };
                ignored.push(name + hint);
                continue;
            }
            let value = match name.as_str() {
                "TEMPLATE_DIR" if !value.trim().is_empty() => {
                    directory.join(value.trim()).display().to_string()
                }
                _ => value,
            };
            taken.push(name.clone());
            self.values.insert(name, value);
        }
        if !taken.is_empty() {
            self.notes
                .push(format!("From {source}: {}.", taken.join(", ")));
        }
        if !ignored.is_empty() {
            let ignored = ignored.join(", ");
            self.notes.push(format!(
                "Not from {source}, the sandbox has its own: {ignored}."
            ));
        }
    }

    /// What makes a first look good: a brand, a letter in everybody's language, and batches that outlast their request.
    fn complete(&mut self, repository: &Path) -> anyhow::Result<()> {
        self.or("BRAND_NAME", "Contoso");
        self.or("SUPPORT_EMAIL", "help@contoso.example");
        self.or("INLINE_SECONDS", "5");
        let packaged = repository.join("templates");
        let templates = (self.get("TEMPLATE_DIR")).filter(|path| !path.trim().is_empty());
        let languages = languages(templates.map_or(&packaged, |path| Path::new(path)))?;
        if !languages.is_empty() {
            self.or("LANGUAGES", languages.join(","));
        }
        Ok(())
    }
}

/// Settings of the host's own storage have members: `AzureWebJobsStorage__accountName`.
fn is_own(name: &str) -> bool {
    OWN.contains(&name) || name.starts_with("AzureWebJobsStorage__")
}

/// The languages that a folder has letters in, English first: it is then the default.
fn languages(templates: &Path) -> anyhow::Result<Vec<String>> {
    if !templates.is_dir() {
        // The handler says what is wrong with it.
        return Ok(Vec::new());
    }
    let mut languages = Vec::new();
    for entry in fs::read_dir(templates).with_context(|| templates.display().to_string())? {
        let entry = entry?;
        if entry.path().is_dir() {
            languages.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    languages.sort_by_key(|language| (language != "en", language.clone()));
    Ok(languages)
}

/// The texts among a settings file's `Values`; an empty one sets nothing.
fn read(file: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let name = file.display();
    let text = fs::read(file).with_context(|| name.to_string())?;
    let file: Value =
        serde_json::from_slice(&text).with_context(|| format!("{name} is not JSON"))?;
    let values = (file["Values"].as_object()).with_context(|| format!("{name} has no Values"))?;
    let texts = values
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .filter(|(_, value)| !value.trim().is_empty());
    Ok(texts.collect())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn repository() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    fn desk(repository: &Path, shell: &[(&str, &str)]) -> Settings {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Settings::of_desk(repository, Path::new("/home/me"), shell.iter().map(owned)).unwrap()
    }

    /// A repository with an example, letters in two languages, and perhaps a settings file.
    fn small(file: Option<&str>) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for language in ["da", "en"] {
            fs::create_dir_all(root.path().join("templates").join(language)).unwrap();
        }
        let example = r#"{"Values": {"SWEEP_SCHEDULE": "0 15 * * * *", "DATAVERSE_URL": "https://x.example"}}"#;
        fs::write(root.path().join(EXAMPLE), example).unwrap();
        if let Some(text) = file {
            fs::write(root.path().join(FILE), text).unwrap();
        }
        root
    }

    /// Names in the first column of the settings' table, and those that the text below it has the host read.
    fn in_readme() -> Vec<String> {
        let readme = fs::read_to_string(repository().join("README.md")).unwrap();
        let (_, section) = readme.split_once("\n## Settings\n").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let cells = section
            .lines()
            .filter_map(|line| match line.strip_prefix("| ") {
                Some(row) => row.split(" |").next(),
                None => line
                    .split_once("(NCRONTAB")
                    .map(|(names, _)| names)
                    .or_else(|| line.split_once("`RUST_LOG`").map(|_| "`RUST_LOG`")),
            });
        let quoted = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
        quoted.map(str::to_owned).collect()
    }

    #[test]
    fn every_setting_of_the_readme_is_taken_over() {
        let (mut known, mut documented) = (KNOWN.map(str::to_owned).to_vec(), in_readme());
        known.sort_unstable();
        documented.sort_unstable();
        assert_eq!(known, documented);
    }

    #[test]
    fn the_shell_wins_over_the_file_and_the_file_over_the_first_look() {
        let file = r##"{"Values": {"BRAND_NAME": "File", "BRAND_COLOR": "#111111", "X": "1"}}"##;
        let root = small(Some(file));
        let settings = desk(root.path(), &[("BRAND_NAME", "Shell"), ("PATH", "/bin")]);
        let found = [
            "BRAND_NAME",
            "BRAND_COLOR",
            "X",
            "INLINE_SECONDS",
            "LANGUAGES",
            "PATH",
            "SWEEP_SCHEDULE",
        ];
        let found = found.map(|name| settings.get(name).unwrap_or("none"));
        assert_eq!(
            found,
            ["Shell", "#111111", "1", "5", "en,da", "none", "none"]
        );
        let without = desk(small(None).path(), &[]);
        assert_eq!(without.get("SWEEP_SCHEDULE"), Some("0 15 * * * *"));
        assert_eq!(without.get("DATAVERSE_URL"), None);
        assert_eq!(without.get("BRAND_NAME"), Some("Contoso"));
    }

    #[test]
    fn what_the_sandbox_gives_itself_is_not_taken_and_that_is_said() {
        let shell = [
            ("MAIL_SENDERS", "a@b.example"),
            ("AZURE_CREDENTIAL", "developer-tools"),
            ("BRAND_NAME", "Fjord"),
        ];
        let file = r#"{"Values": {"AzureWebJobsStorage__accountName": "a", "BATCH_STORE": "b"}}"#;
        let settings = desk(small(Some(file)).path(), &shell);
        assert!(OWN.iter().all(|name| settings.get(name).is_none()));
        assert_eq!(
            settings.notes,
            [
                "Not from local.settings.json, the sandbox has its own: AzureWebJobsStorage__accountName, BATCH_STORE.",
                "From your shell: BRAND_NAME.",
                "Not from your shell, the sandbox has its own: AZURE_CREDENTIAL, MAIL_SENDERS (use --senders).",
            ]
        );
    }

    #[test]
    fn templates_are_looked_for_where_their_setting_was_written() {
        let own = tempfile::tempdir().unwrap();
        fs::create_dir(own.path().join("fi")).unwrap();
        let path = own.path().to_str().unwrap();
        let settings = desk(&repository(), &[("TEMPLATE_DIR", path)]);
        assert_eq!(settings.get("LANGUAGES"), Some("fi"));
        assert_eq!(settings.get("TEMPLATE_DIR"), Some(path));
        let settings = desk(&repository(), &[("TEMPLATE_DIR", "my")]);
        assert_eq!(settings.get("TEMPLATE_DIR"), Some("/home/me/my"));
        assert_eq!(settings.get("LANGUAGES"), None);
        let root = small(Some(r#"{"Values": {"TEMPLATE_DIR": "mine"}}"#));
        let expected = root.path().join("mine");
        assert_eq!(
            desk(root.path(), &[]).get("TEMPLATE_DIR"),
            expected.to_str()
        );
    }

    #[test]
    fn a_copy_of_the_example_as_the_settings_file_changes_the_brand_alone() {
        let example = fs::read_to_string(repository().join(EXAMPLE)).unwrap();
        let settings = desk(small(Some(&example)).path(), &[]);
        assert_eq!(settings.get("LANGUAGES"), Some("en,da"));
        assert_eq!(settings.get("INLINE_SECONDS"), Some("5"));
        assert_eq!(settings.get("SUPPORT_EMAIL"), Some("help@contoso.com"));
        assert!(settings.get("DISPATCH_SCHEDULE").is_some());
    }

    #[test]
    fn every_packaged_language_has_its_letters_at_first() {
        let settings = desk(&repository(), &[]);
        assert_eq!(settings.get("LANGUAGES"), Some("en,ar,da,de,es,fr,nb,sv"));
    }
}
