//! What is deployed, in bytes: the platform copies it to an instance before the handler starts.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::as_figure;
use crate::row::{Aim, Row, Unit};
use crate::stage::Subjects;
use crate::table::Chapter;

pub(crate) fn measure(subjects: &Subjects) -> anyhow::Result<Chapter> {
    let bytes =
        |path: &Path| anyhow::Ok(as_figure(usize::try_from(std::fs::metadata(path)?.len())?));
    let executable = Row::cost("executable", Unit::Bytes, bytes(&subjects.handler)?);
    let node = bytes(&node()?)? + bytes(&subjects.flow)?;
    let mut rows = vec![executable.flow(node).aim(Aim::AtMost(8e6))];
    if let Some(package) = &subjects.package {
        let zip = Row::cost("package, zipped", Unit::Bytes, bytes(package)?);
        rows.push(zip.aim(Aim::AtMost(4e6)));
    }
    Ok(Chapter {
        title: "Size",
        how: "Bytes of the files that scripts/package made. The flow's work needs Node.js, which the platform keeps at hand."
            .to_owned(),
        rows,
    })
}

/// The Node.js executable itself, which may be found by links.
fn node() -> anyhow::Result<PathBuf> {
    let output = Command::new("node")
        .args(["--print", "process.execPath"])
        .output()?;
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}
