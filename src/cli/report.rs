//! Owns how a diagnosis reads on a terminal of 80 columns.
//!
//! What passed comes first, area by area; what needs someone comes last, the worst at the very end, because that
//! is what stands above the prompt.

use std::fmt::Write;

use jiff::tz::TimeZone;

use crate::service::doctor::{Check, Diagnosis, Kind, Status, Whose};

const WIDTH: usize = 80;

/// What it is written on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paper {
    /// A terminal that shows colours.
    Coloured,
    /// Anything else.
    Plain,
}

impl Paper {
    fn paint(self, status: Status, text: &str) -> String {
        let colour = match status {
            Status::Pass => 32,
            Status::NotChecked => 36,
            Status::Warn => 33,
            Status::Fail => 31,
        };
        match self {
            Self::Coloured => format!("\u{1b}[1;{colour}m{text}\u{1b}[0m"),
            Self::Plain => text.to_owned(),
        }
    }
}

/// The whole report, each line ended.
pub(super) fn render(diagnosis: &Diagnosis, paper: Paper) -> String {
    let mut report = String::new();
    let at = diagnosis.checked_on.to_zoned(TimeZone::UTC);
    let _ = writeln!(
        report,
        "portal-invite doctor, {}",
        at.strftime("%Y-%m-%d %H:%M UTC")
    );
    if let Some(whose) = &diagnosis.identity {
        report.push_str(&signed_in(whose));
    }
    report.push_str(&passed(diagnosis, paper));
    let sections = [
        (Status::NotChecked, "NOT CHECKED"),
        (Status::Warn, "WARNINGS"),
        (Status::Fail, "FAILED"),
    ];
    for (status, heading) in sections {
        report.push_str(&section(diagnosis, status, &paper.paint(status, heading)));
    }
    report.push('\n');
    report.push_str(&wrapped("", "", &summary(diagnosis)));
    report
}

fn signed_in(whose: &Whose) -> String {
    let kind = match whose.kind {
        Kind::ManagedIdentity => "a managed identity",
        Kind::Application => "an application",
        Kind::User => "a person",
    };
    let mut text = format!("\nSigned in as {kind}\n");
    let [user, organization] =
        [whose.dataverse_user_id, whose.organization_id].map(|id| id.map(|id| id.to_string()));
    let lines = [
        ("user name", &whose.user_name),
        ("client id", &whose.client_id),
        ("object id", &whose.object_id),
        ("tenant", &whose.tenant_id),
        ("Dataverse user", &user),
        ("organisation", &organization),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name:<14}  {value}");
        }
    }
    text
}

fn passed(diagnosis: &Diagnosis, paper: Paper) -> String {
    let checks: Vec<&Check> = with(diagnosis, Status::Pass).collect();
    let widest = checks
        .iter()
        .map(|check| check.id.len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    let mut area = "";
    for check in checks {
        if area_of(check) != area {
            area = area_of(check);
            text.push('\n');
        }
        let first = format!("  ok  {:<widest$}  ", check.id);
        let rest = " ".repeat(first.len());
        let lines = wrapped(&first, &rest, &check.seen);
        text.push_str(&lines.replacen("ok", &paper.paint(Status::Pass, "ok"), 1));
    }
    text
}

fn section(diagnosis: &Diagnosis, status: Status, heading: &str) -> String {
    let mut text = String::new();
    for check in with(diagnosis, status) {
        let _ = writeln!(text, "\n  {}", check.id);
        text.push_str(&wrapped("    ", "    ", &check.seen));
        if let Some(advice) = &check.advice {
            text.push_str(&wrapped("    > ", "      ", advice));
        }
    }
    if text.is_empty() {
        return text;
    }
    format!("\n{heading}\n{}", text.trim_start_matches('\n'))
}

fn with(diagnosis: &Diagnosis, status: Status) -> impl Iterator<Item = &Check> {
    let checks = diagnosis.checks.iter();
    checks.filter(move |check| check.status == status)
}

fn area_of(check: &Check) -> &str {
    check.id.split('.').next().unwrap_or_default()
}

fn summary(diagnosis: &Diagnosis) -> String {
    let [passed, unchecked, warnings, failed] =
        [Status::Pass, Status::NotChecked, Status::Warn, Status::Fail]
            .map(|status| with(diagnosis, status).count());
    let next = match (failed, warnings + unchecked) {
        (0, 0) => "Nothing to do.",
        (0, _) => {
            "Nothing needs to be done for letters to go out; docs/DOCTOR.md tells more of each check."
        }
        _ => {
            "Begin with the first that failed, and run the doctor again; docs/DOCTOR.md tells more of each check."
        }
    };
    format!(
        "{passed} passed, {unchecked} not checked, {warnings} to consider, {failed} failed. {next}"
    )
}

/// Words in lines that fit, the first line begun so and the others so; a word that is longer stands alone.
fn wrapped(first: &str, rest: &str, text: &str) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let fits = line.chars().count() + 1 + word.chars().count() <= WIDTH;
        if !is_empty && !fits {
            let _ = writeln!(lines, "{line}");
            rest.clone_into(&mut line);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    let _ = writeln!(lines, "{line}");
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn diagnosis() -> Diagnosis {
        let whose = Whose {
            kind: Kind::ManagedIdentity,
            user_name: None,
            client_id: Some("5f6a4c1e-0d2b-4c3a-9e8f-7a6b5c4d3e2f".to_owned()),
            object_id: None,
            tenant_id: Some("00000000-0000-4000-8000-000000000001".to_owned()),
            dataverse_user_id: Some(uuid::Uuid::nil()),
            organization_id: None,
        };
        let checks = vec![
            Check::pass("settings.valid", "Every setting can be read."),
            Check::warn(
                "settings.mailRate",
                "It is high.",
                "Set it to less than it is now. ".repeat(5),
            ),
            Check::pass(
                "settings.batchKeepDays",
                "Journals are kept 90 days; an invitation is valid 14 by default.",
            ),
            Check::fail(
                "portal.register",
                "/register is not there.",
                "Turn registration on.",
            ),
            Check::pass("portal.answers", "The site answers."),
            Check::not_checked("mailboxes.rights", "Nobody can know.", "Look in Exchange."),
        ];
        Diagnosis::of(Timestamp::UNIX_EPOCH, Some(whose), checks)
    }

    #[test]
    fn a_report_ends_with_what_failed_and_what_to_do() {
        insta::assert_snapshot!(render(&diagnosis(), Paper::Plain), @r"
        portal-invite doctor, 1970-01-01 00:00 UTC

        Signed in as a managed identity
          client id       5f6a4c1e-0d2b-4c3a-9e8f-7a6b5c4d3e2f
          tenant          00000000-0000-4000-8000-000000000001
          Dataverse user  00000000-0000-0000-0000-000000000000

          ok  settings.valid          Every setting can be read.
          ok  settings.batchKeepDays  Journals are kept 90 days; an invitation is valid
                                      14 by default.

          ok  portal.answers          The site answers.

        NOT CHECKED
          mailboxes.rights
            Nobody can know.
            > Look in Exchange.

        WARNINGS
          settings.mailRate
            It is high.
            > Set it to less than it is now. Set it to less than it is now. Set it to
              less than it is now. Set it to less than it is now. Set it to less than it
              is now.

        FAILED
          portal.register
            /register is not there.
            > Turn registration on.

        3 passed, 1 not checked, 1 to consider, 1 failed. Begin with the first that
        failed, and run the doctor again; docs/DOCTOR.md tells more of each check.
        ");
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        for line in render(&diagnosis(), Paper::Plain).lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn colours_change_nothing_else() {
        let coloured = render(&diagnosis(), Paper::Coloured);
        assert!(
            coloured.contains("\u{1b}[1;31mFAILED\u{1b}[0m"),
            "{coloured}"
        );
        let mut plain = coloured.replace("\u{1b}[0m", "");
        for colour in [31, 32, 33, 36] {
            plain = plain.replace(&format!("\u{1b}[1;{colour}m"), "");
        }
        assert_eq!(plain, render(&diagnosis(), Paper::Plain));
    }
}
