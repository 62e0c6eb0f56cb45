//! What is told at the start below the address of the page, for those who look further than at that.

use super::samples::Someone;
use super::stage::Stage;

/// The banner, of several lines; `notes` tell which settings count.
pub(super) fn banner(
    stage: &Stage,
    first: Option<&Someone>,
    contacts: usize,
    notes: &[String],
) -> String {
    let url = stage.host.url();
    let store = stage.folder.path().join("store");
    let mut lines = Vec::new();
    let key = stage.host.key_header();
    let key = key.map(|(name, key)| format!("-H '{name}: {key}' \\\n    "));
    let key = key.unwrap_or_default();
    lines.extend(first.map(|first| without_a_browser(url.as_str(), &key, first)));
    lines.push(format!("Functions of {url}"));
    lines.extend((stage.host.list().iter()).map(|function| format!("  {function}")));
    lines.push(String::new());
    lines.push(format!(
        "{contacts} sample contacts. Journals are in {}.",
        store.display()
    ));
    lines.push("Files in its folder templates replace those of letters.".to_owned());
    lines.extend_from_slice(notes);
    lines.push(
        "\nCtrl-C ends everything and deletes the files. Letters, as they are sent:".to_owned(),
    );
    lines.join("\n")
}

fn without_a_browser(url: &str, key: &str, first: &Someone) -> String {
    let (id, name) = (first.id, &first.name);
    format!(
        "Or invite {name} from another terminal:\n\n  \
         curl -s {url}api/invitations -H 'Content-Type: application/json' \\\n    \
         {key}-d '{{\"contactIds\":[\"{id}\"]}}'\n"
    )
}
