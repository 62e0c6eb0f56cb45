//! What the figures were taken on, in words.

use std::fmt::{self, Display, Formatter};
use std::process::Command;

use anyhow::ensure;
use serde::Serialize;

/// A machine, as far as it matters here.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    pub(crate) system: String,
    pub(crate) node: String,
    /// The commit that was measured.
    pub(crate) commit: String,
    pub(crate) day: String,
}

impl Machine {
    /// This one, today.
    pub(crate) fn here() -> anyhow::Result<Self> {
        let processors = std::fs::read_to_string("/proc/cpuinfo")?;
        let memory = std::fs::read_to_string("/proc/meminfo")?;
        let kib: u64 = value(&memory, "MemTotal").trim_end_matches(" kB").parse()?;
        Ok(Self {
            processor: value(&processors, "model name").to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            memory_gib: kib / 1_048_576,
            system: said("uname", &["--kernel-name", "--kernel-release", "--machine"]),
            node: said("node", &["--version"]),
            commit: said("git", &["describe", "--always", "--dirty", "--abbrev=12"]),
            day: said("date", &["--utc", "+%Y-%m-%d"]),
        })
    }
}

/// What follows a name and a colon.
fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once(':'));
    value.map_or("", |(_, value)| value.trim())
}

/// What a command says, or that it is unknown.
fn said(command: &str, arguments: &[&str]) -> String {
    let output = Command::new(command).args(arguments).output();
    let text = output.ok().filter(|output| output.status.success());
    let text = text.and_then(|output| String::from_utf8(output.stdout).ok());
    text.map_or("unknown".to_owned(), |text| text.trim().to_owned())
}

/// Keeps this process to one core, so that the other is left to what it measures.
pub(crate) fn stay_on(core: usize) -> anyhow::Result<()> {
    keep_to(&core.to_string())
}

/// Lets this process use every core again.
pub(crate) fn stay_on_any() -> anyhow::Result<()> {
    keep_to("0-1023")
}

fn keep_to(cores: &str) -> anyhow::Result<()> {
    let process = std::process::id().to_string();
    let output = Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", cores, &process])
        .output()?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "taskset {cores}: {words}");
    Ok(())
}

impl Display for Machine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Measured on {} at commit {}: {}, {} cores, {} GiB, {}; Node.js {}.",
            self.day,
            self.commit,
            self.processor,
            self.cores,
            self.memory_gib,
            self.system,
            self.node
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_what_stands_behind_its_name() {
        let text = "processor\t: 0\nmodel name\t: A chip: the quick one\nMemTotal:  24000 kB\n";
        assert_eq!(value(text, "model name"), "A chip: the quick one");
        assert_eq!(value(text, "MemTotal"), "24000 kB");
        assert_eq!(value(text, "flags"), "");
    }
}
