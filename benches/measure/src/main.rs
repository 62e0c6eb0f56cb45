//! Measures portal-invite and, beside it, the published flow's work, and prints one table.
//!
//! scripts/bench builds what it needs and calls it. Everything runs on loopback, against the sandbox's services.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use sandbox::Model;

mod caller;
mod chapter;
mod clock;
mod machine;
mod program;
mod row;
mod sizes;
mod stage;
mod table;

use machine::Machine;
use sizes::Sizes;
use stage::Subjects;
use table::{Chapter, Report};

/// Measures portal-invite against the sandbox, beside the published flow's work.
#[derive(Debug, Parser)]
struct Arguments {
    /// The handler's executable.
    #[arg(long)]
    handler: PathBuf,
    /// The folder it runs in, with host.json and templates.
    #[arg(long)]
    app: PathBuf,
    /// The flow's work as a Node.js program.
    #[arg(long)]
    flow: PathBuf,
    /// A library that counts allocations when it is preloaded.
    #[arg(long)]
    counter: Option<PathBuf>,
    /// The zipped package.
    #[arg(long)]
    package: Option<PathBuf>,
    /// Measures so little that it takes seconds; the figures mean nothing.
    #[arg(long)]
    small: bool,
    /// The folder for bench.md and bench.json.
    #[arg(long)]
    into: PathBuf,
    /// Chapters to measure; all, when none is named.
    chapters: Vec<Name>,
}

/// A chapter's name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    Size,
    Start,
    One,
    Bulk,
    Dispatch,
    Sweep,
    Reading,
    Load,
}

impl Name {
    async fn measure(self, subjects: &Subjects, sizes: &Sizes) -> anyhow::Result<Chapter> {
        match self {
            Self::Size => chapter::size::measure(subjects),
            Self::Start => chapter::start::measure(subjects, sizes).await,
            Self::One => chapter::one::measure(subjects, sizes).await,
            Self::Bulk => chapter::bulk::measure(subjects, sizes).await,
            Self::Dispatch => chapter::ceiling::measure(subjects, sizes).await,
            Self::Sweep => chapter::sweep::measure(subjects, sizes).await,
            Self::Reading => chapter::lists::measure(subjects, sizes).await,
            Self::Load => chapter::load::measure(subjects, sizes).await,
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let subjects = Subjects {
        handler: fs::canonicalize(&arguments.handler)?,
        app: fs::canonicalize(&arguments.app)?,
        flow: fs::canonicalize(&arguments.flow)?,
        counter: arguments.counter.map(fs::canonicalize).transpose()?,
        package: arguments.package,
    };
    let sizes = if arguments.small {
        Sizes::small()
    } else {
        Sizes::full()
    };
    let mut report = Report {
        machine: Machine::here()?,
        latency: Model::default()
            .to_string()
            .lines()
            .map(str::to_owned)
            .collect(),
        chapters: Vec::new(),
    };
    let named = |name: &Name| arguments.chapters.is_empty() || arguments.chapters.contains(name);
    for name in Name::value_variants().iter().filter(|name| named(name)) {
        tell(&format!("{name:?} ..."));
        report.chapters.push(name.measure(&subjects, &sizes).await?);
        // A run that ends early keeps what it has.
        write(&report, &arguments.into)?;
    }
    print(&report);
    Ok(())
}

fn write(report: &Report, into: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(into)?;
    fs::write(into.join("bench.md"), report.to_string())?;
    let json = serde_json::to_string_pretty(report)?;
    Ok(fs::write(into.join("bench.json"), json)?)
}

/// Where programs are looked for.
#[expect(
    clippy::disallowed_methods,
    reason = "the measured programs get no more of the environment than this"
)]
fn path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

#[expect(clippy::print_stderr, reason = "progress is for who watches")]
fn tell(line: &str) {
    eprintln!("{line}");
}

#[expect(clippy::print_stdout, reason = "the table is this program's answer")]
fn print(report: &Report) {
    println!("{report}");
}
