//! Lays out an app root as the deployed package has it: host.json, one folder a function, the letter
//! templates and the executable, and nothing else of the repository.

use std::{fs, io, path::Path};

use tempfile::TempDir;

/// Copies what the package holds from the repository into a new folder, with the executable under the
/// name that host.json gives it; the folder is deleted when the value is dropped.
pub fn stage(repository: &Path, executable: &Path) -> io::Result<TempDir> {
    let root = tempfile::Builder::new()
        .prefix("portal-invite-app-")
        .tempdir()?;
    fs::copy(repository.join("host.json"), root.path().join("host.json"))?;
    for entry in fs::read_dir(repository)? {
        let entry = entry?;
        let is_function = entry.path().join("function.json").is_file();
        if is_function || entry.file_name() == "templates" {
            copy_folder(&entry.path(), &root.path().join(entry.file_name()))?;
        }
    }
    place_executable(executable, &root.path().join(executable_name(root.path())?))?;
    Ok(root)
}

fn executable_name(root: &Path) -> io::Result<String> {
    let host: serde_json::Value = serde_json::from_slice(&fs::read(root.join("host.json"))?)?;
    let name = host["customHandler"]["description"]["defaultExecutablePath"].as_str();
    name.map(str::to_owned).ok_or_else(|| {
        io::Error::other("host.json has no customHandler.description.defaultExecutablePath")
    })
}

/// A hard link where the file systems allow it: the executable is large and many tests stage it.
fn place_executable(from: &Path, to: &Path) -> io::Result<()> {
    let from = fs::canonicalize(from)?;
    fs::hard_link(&from, to).or_else(|_| fs::copy(&from, to).map(drop))
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_package_holds_is_laid_out() {
        let repository = tempfile::tempdir().unwrap();
        let file = |path: &str, text: &str| {
            let path = repository.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        file(
            "host.json",
            r#"{"customHandler":{"description":{"defaultExecutablePath":"handler"}}}"#,
        );
        file("function-a/function.json", "{}");
        file("templates/en/invitation.html", "hello");
        file("src/main.rs", "");
        file("target/built", "binary");
        let root = stage(repository.path(), &repository.path().join("target/built")).unwrap();
        let exists = |path: &str| root.path().join(path).exists();
        assert!(exists("host.json") && exists("function-a/function.json"));
        assert!(exists("templates/en/invitation.html") && !exists("src") && !exists("target"));
        assert_eq!(fs::read(root.path().join("handler")).unwrap(), b"binary");
    }
}
