//! The command `sweep`: what the hourly timer does, by hand, or only shown.

use std::process::ExitCode;

use clap::Args;

use super::{app, say};
use crate::app::App;
use crate::config::{Config, Environment};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portal-invite sweep --dry-run         list what would be closed
  SWEEP_SCOPE=ours portal-invite sweep  leave what others made alone")]
pub(super) struct Arguments {
    /// Only show what would be closed.
    #[arg(long)]
    dry_run: bool,
}

impl Arguments {
    pub(super) async fn run(self, environment: &Environment) -> anyhow::Result<ExitCode> {
        let app = app(Config::from_environment(environment)?)?;
        if self.dry_run {
            preview(&app).await?;
        } else {
            sweep(&app).await?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn sweep(app: &App) -> anyhow::Result<()> {
    let tally = app.service().sweep().await?;
    say(&format!(
        "{} expired invitations closed, {} had changed, {} failed.{}",
        tally.closed,
        tally.changed,
        tally.failed,
        if tally.more {
            " There are more: run it again."
        } else {
            ""
        }
    ));
    Ok(())
}

async fn preview(app: &App) -> anyhow::Result<()> {
    let rows = app.service().preview_sweep().await?;
    for row in &rows {
        let expires = row
            .expires
            .map(|expires| expires.to_string())
            .unwrap_or_default();
        say(&format!("{}  expired {expires}  {}", row.id, row.name));
    }
    say(&format!(
        "{} invitations would be closed. Nothing was changed.",
        rows.len()
    ));
    Ok(())
}
