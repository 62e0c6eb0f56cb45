//! Letters shown at a desk: one of them, or all of them with a page, and never over somebody's files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Ended, alone};

#[tokio::test]
async fn a_letter_is_shown_without_any_setting() {
    let Ended(code, output, error) = alone(&["preview"], &[]).await;
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(output.starts_with("<!DOCTYPE html>"), "{output}");
    assert!(output.contains("Amara Okafor") && output.contains("contoso.example"));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letter.html");
    let path = file.to_str().unwrap();
    let brand = [("BRAND_NAME", "Fabrikam"), ("BRAND_COLOR", "#8a1f5c")];
    let Ended(code, output, error) = alone(&["preview", "--out", path], &brand).await;
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(
        output.contains("Subject: ") && output.contains(path),
        "{output}"
    );
    let html = fs::read_to_string(file).unwrap();
    assert!(html.contains("Fabrikam") && html.contains("#8a1f5c"));
    let Ended(code, output, error) = alone(&["preview", "--out", "/dev/null/a"], &[]).await;
    assert_eq!((code, output.as_str()), (1, ""));
    assert!(error.contains("/dev/null/a"), "{error}");
}

#[tokio::test]
async fn a_letter_that_is_not_there_is_told_with_those_that_are() {
    for arguments in [["--language", "tlh"], ["--template", "farewell"]] {
        let arguments = ["preview", arguments[0], arguments[1]];
        let Ended(code, output, error) = alone(&arguments, &[]).await;
        assert_eq!((code, output.as_str()), (64, ""));
        assert!(
            error.contains(
                "--language en --template invitation --variant everything|least|replacing"
            ),
            "{error}"
        );
    }
    let wrong = [("BRAND_COLOR", "hunter2")];
    let Ended(code, _, error) = alone(&["preview"], &wrong).await;
    assert_eq!(code, 64);
    assert!(
        error.contains("BRAND_COLOR") && !error.contains("hunter2"),
        "{error}"
    );
}

/// Every file of a folder, by its path there.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            let inner = files(&path).into_iter();
            found.extend(inner.map(|(file, text)| (format!("{name}/{file}"), text)));
        } else {
            found.insert(name, fs::read_to_string(path).unwrap());
        }
    }
    found
}

async fn gallery(folder: &Path, more: &[&str]) -> Ended {
    let mut arguments = vec!["preview", "--all", "--out", folder.to_str().unwrap()];
    arguments.extend(more);
    alone(&arguments, &[]).await
}

#[tokio::test]
async fn a_gallery_holds_every_letter_and_a_page_that_shows_them_all() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("deep/letters");
    let Ended(code, output, error) = gallery(&folder, &[]).await;
    assert_eq!((code, error.as_str()), (0, ""));
    let mut files = files(&folder);
    let page = files.remove("index.html").unwrap();
    let count = format!("{} letters written.", files.len());
    assert!(output.starts_with(&count), "{output}");
    let address = output.lines().last().unwrap();
    assert!(address.starts_with("file:///") && address.ends_with("/deep/letters/index.html"));
    for template in ["invitation", "reminder", "digest"] {
        assert!(files.contains_key(&format!("en/{template}.html")));
        assert!(files.contains_key(&format!("en/{template}-least.html")));
    }
    for (file, letter) in &files {
        assert!(letter.starts_with("<!DOCTYPE html>"), "{file}");
        let (language, name) = file.split_once('/').unwrap();
        let frame = format!("src=\"{language}&#x2f;{name}\"");
        assert_eq!(page.matches(&frame).count(), 1, "{file}");
    }
    assert!(page.contains(">Kim Berg invites you to contoso.example<"));
    assert!(page.contains(">Your personal link works until "));
    assert!(
        !page.contains("https://"),
        "the page needs nothing from elsewhere"
    );
}

#[tokio::test]
async fn a_gallery_shows_the_brand_and_the_words_that_are_asked_for() {
    let parent = tempfile::tempdir().unwrap();
    let asked = [
        "--brand-name=Fjord & Sons",
        "--brand-color=#8A1F5C",
        "--logo-url=https://fjord.example/logo.png",
        "--support-email=help@fjord.example",
        "--contact-name=Anna <b>",
        "--inviter-name=Bert",
        "--message=First {{ line }}\nSecond line",
        "--template=invitation",
    ];
    let settings = [("BRAND_NAME", "Contoso"), ("BRAND_COLOR", "nonsense")];
    let mut arguments = vec!["preview", "--all", "--out", parent.path().to_str().unwrap()];
    arguments.extend(asked);
    let Ended(code, _, error) = alone(&arguments, &settings).await;
    assert_eq!((code, error.as_str()), (0, ""));
    let files = files(parent.path());
    assert!(
        files
            .keys()
            .all(|file| file.ends_with("index.html") || file.contains("/invitation"))
    );
    let letter = &files["en/invitation.html"];
    for word in [
        "Fjord &amp; Sons",
        "#8a1f5c",
        "https://fjord.example/logo.png",
        "mailto:help@fjord.example",
        "Anna &lt;b&gt;",
        "First {{ line }}<br>Second line",
    ] {
        // Slashes may be written as references.
        assert!(letter.replace("&#x2f;", "/").contains(word), "no {word}");
    }
    let least = &files["en/invitation-least.html"];
    assert!(!least.contains("Anna") && !least.contains("Bert") && !least.contains("Second"));
    assert!(!files["index.html"].contains("Contoso"));
}

#[tokio::test]
async fn a_gallery_is_made_anew_in_its_own_folder_and_never_over_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let narrow = ["--language=en", "--template=reminder", "--variant=least"];
    let Ended(code, output, _) = gallery(folder.path(), &narrow).await;
    assert!(
        code == 0 && output.starts_with("1 letter written."),
        "{output}"
    );
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    let again = gallery(folder.path(), &["--brand-name=Fabrikam"]).await;
    assert_eq!(again.0, 0, "{}", again.2);
    let made = files(folder.path());
    assert!(made["index.html"].contains("Fabrikam") && made["notes.txt"] == "mine");
    assert!(made["en/reminder-least.html"].contains("Fabrikam"));

    for foreign in ["index.html", "report.txt"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(foreign), "mine").unwrap();
        let Ended(code, output, error) = gallery(folder.path(), &[]).await;
        assert_eq!((code, output.as_str()), (64, ""));
        assert!(error.contains("holds other files"), "{error}");
        let kept = BTreeMap::from([(foreign.to_owned(), "mine".to_owned())]);
        assert_eq!(files(folder.path()), kept);
    }
}

#[tokio::test]
async fn what_cannot_be_shown_is_told_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in [
        "--language=tlh",
        "--template=farewell",
        "--brand-color=red",
        "--logo-url=x",
    ] {
        let Ended(code, output, error) = gallery(&folder.path().join("new"), &[wrong]).await;
        assert_eq!((code, output.as_str()), (64, ""), "{wrong}");
        assert!(error.lines().count() > 1, "{error}");
    }
    let Ended(code, _, error) = alone(&["preview", "--all"], &[]).await;
    assert_eq!(code, 64);
    assert!(error.contains("--out"), "{error}");
    assert!(files(folder.path()).is_empty());
    let Ended(code, output, error) = gallery(Path::new("/dev/null/letters"), &[]).await;
    assert_eq!((code, output.as_str()), (1, ""));
    assert!(error.contains("/dev/null/letters"), "{error}");
}

#[tokio::test]
async fn a_digest_is_shown_as_on_a_day_on_which_much_happened() {
    let Ended(code, output, error) = alone(&["preview", "--template", "digest"], &[]).await;
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(output.contains("Amara Okafor") && output.contains("main.aspx"));
    let quiet = ["preview", "--template=digest", "--variant=least"];
    let Ended(code, output, _) = alone(&quiet, &[]).await;
    assert_eq!(code, 0);
    assert!(!output.contains("Amara Okafor"), "{output}");
}
