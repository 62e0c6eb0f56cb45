//! The table as people read it: Markdown, ratios first.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::machine::Machine;
use crate::row::{Aim, Row, Theirs, Unit, with_ratios};

/// Rows that belong together.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Chapter {
    pub(crate) title: &'static str,
    /// How its figures were taken.
    pub(crate) how: String,
    #[serde(serialize_with = "rows")]
    pub(crate) rows: Vec<Row>,
}

/// Everything that one run measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// The latency model of the chapters that have one, a line a service.
    pub(crate) latency: Vec<String>,
    pub(crate) chapters: Vec<Chapter>,
}

#[expect(clippy::ptr_arg, reason = "serde passes the field as it is")]
fn rows<S: serde::Serializer>(rows: &Vec<Row>, serializer: S) -> Result<S::Ok, S::Error> {
    with_ratios(rows, serializer)
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.machine)?;
        writeln!(f, "Latency, where a chapter has any:\n")?;
        for line in &self.latency {
            writeln!(f, "- {line}")?;
        }
        for chapter in &self.chapters {
            write!(f, "\n{chapter}")?;
        }
        write!(f, "\n{}", self.verdict())
    }
}

impl Report {
    /// Which aims are met and which are missed.
    fn verdict(&self) -> String {
        let rows = || self.chapters.iter().flat_map(|chapter| &chapter.rows);
        let aims = rows().filter(|row| row.aim.is_some()).count();
        let missed: Vec<String> = rows()
            .filter(|row| row.meets_aim() == Some(false))
            .map(|row| format!("{} ({})", row.what, Shown(row.unit, row.ours)))
            .collect();
        if aims == 0 {
            return "Nothing here has an aim.\n".to_owned();
        }
        if missed.is_empty() {
            return format!("All {aims} aims are met.\n");
        }
        let met = aims - missed.len();
        format!(
            "{met} of {aims} aims are met; missed: {}.\n",
            missed.join(", ")
        )
    }
}

impl Display for Chapter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "### {}\n\n{}\n", self.title, self.how)?;
        writeln!(
            f,
            "| × | × 50 at once | what | portal-invite | flow | flow, 50 at once | aim |"
        )?;
        writeln!(f, "|---:|---:|---|---:|---:|---:|---:|")?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

impl Display for Row {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ratio = |theirs| match self.ratio(theirs) {
            Some(ratio) => format!("**{}**", significant(ratio)),
            None => "–".to_owned(),
        };
        let theirs = |theirs: Option<Theirs>| match theirs {
            Some(Theirs { figure, scaled }) => {
                format!(
                    "{}{}",
                    if scaled { "~" } else { "" },
                    Shown(self.unit, figure)
                )
            }
            None => "–".to_owned(),
        };
        let aim = match self.aim {
            None => String::new(),
            Some(Aim::AtMost(limit)) => format!("≤ {}", Shown(self.unit, limit)),
            Some(Aim::AtLeast(limit)) => format!("≥ {}", Shown(self.unit, limit)),
        };
        let met = match self.meets_aim() {
            None => "",
            Some(true) => " ✓",
            Some(false) => " **missed**",
        };
        let cells = [
            ratio(self.flow),
            ratio(self.flow_parallel),
            self.what.clone(),
            Shown(self.unit, self.ours).to_string(),
            theirs(self.flow),
            theirs(self.flow_parallel),
            aim + met,
        ];
        write!(f, "| {} |", cells.join(" | "))
    }
}

/// A figure with its unit.
struct Shown(Unit, f64);

impl Display for Shown {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let figure = self.1;
        match self.0 {
            Unit::Milliseconds => write!(f, "{} ms", significant(figure)),
            Unit::Seconds => write!(f, "{} s", significant(figure)),
            Unit::Bytes => write!(f, "{}", grouped(figure)),
            Unit::Megabytes => write!(f, "{} MB", significant(figure)),
            Unit::Requests | Unit::Allocations | Unit::Letters | Unit::GbSeconds => {
                write!(f, "{}", significant(figure))
            }
            Unit::APerSecond => write!(f, "{} a second", significant(figure)),
            Unit::Percent => write!(f, "{figure:.2} %"),
        }
    }
}

/// Three digits that count, and whole numbers above.
fn significant(figure: f64) -> String {
    match figure.abs() {
        0.0 => "0".to_owned(),
        size if size < 0.1 => format!("{figure:.4}"),
        size if size < 1.0 => format!("{figure:.3}"),
        size if size < 10.0 => format!("{figure:.2}"),
        size if size < 100.0 => format!("{figure:.1}"),
        _ => grouped(figure),
    }
}

/// A whole number with a comma before each three digits.
pub(crate) fn grouped(number: impl Display) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_begins_with_its_ratios() {
        let row = Row::cost("a letter", Unit::Milliseconds, 0.25)
            .flow(12.5)
            .flow_parallel(5.0)
            .aim(Aim::AtMost(0.2));
        let text = "| **50.0** | **20.0** | a letter | 0.250 ms | 12.5 ms | 5.00 ms | ≤ 0.200 ms **missed** |";
        assert_eq!(row.to_string(), text);
    }

    #[test]
    fn what_was_not_measured_says_so() {
        let scaled = Row::cost("all", Unit::Seconds, 2.0).scaled(4_000.0, 80.0);
        let text = "| **2,000** | **40.0** | all | 2.00 s | ~4,000 s | ~80.0 s |  |";
        assert_eq!(scaled.to_string(), text);
        let alone = Row::cost("binary", Unit::Bytes, 7_654_321.0);
        assert_eq!(
            alone.to_string(),
            "| – | – | binary | 7,654,321 | – | – |  |"
        );
    }

    #[test]
    fn the_verdict_names_what_is_missed() {
        let rows = |size| {
            let row = Row::cost("zip", Unit::Bytes, size);
            vec![row.aim(Aim::AtMost(4.0))]
        };
        let report = |size| Report {
            machine: Machine::default(),
            latency: Vec::new(),
            chapters: vec![Chapter {
                title: "Size",
                how: String::new(),
                rows: rows(size),
            }],
        };
        assert_eq!(report(4.0).verdict(), "All 1 aims are met.\n");
        assert_eq!(
            report(5.0).verdict(),
            "0 of 1 aims are met; missed: zip (5).\n"
        );
    }
}
