//! One row of the table: a figure, what the published flow needs for the same, and what we aim at.

use serde::{Serialize, Serializer};

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Unit {
    Milliseconds,
    Seconds,
    Bytes,
    Megabytes,
    Requests,
    Allocations,
    Letters,
    APerSecond,
    Percent,
    GbSeconds,
}

/// What a figure must keep to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Aim {
    AtMost(f64),
    AtLeast(f64),
}

/// What the flow needs for the same work.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Theirs {
    pub(crate) figure: f64,
    /// Worked out from a smaller measurement, because the flow's work grows with the contacts and takes hours.
    pub(crate) scaled: bool,
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) unit: Unit,
    pub(crate) ours: f64,
    /// The flow's work, one contact after another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flow: Option<Theirs>,
    /// The flow's work, fifty contacts at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flow_parallel: Option<Theirs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) aim: Option<Aim>,
    /// Whether a larger figure is the better one.
    #[serde(skip)]
    pub(crate) more_is_better: bool,
}

impl Aim {
    pub(crate) fn is_met(self, figure: f64) -> bool {
        match self {
            Self::AtMost(limit) => figure <= limit,
            Self::AtLeast(limit) => figure >= limit,
        }
    }
}

impl Row {
    /// A figure that is the better the smaller it is.
    pub(crate) fn cost(what: impl Into<String>, unit: Unit, ours: f64) -> Self {
        Self {
            what: what.into(),
            unit,
            ours,
            flow: None,
            flow_parallel: None,
            aim: None,
            more_is_better: false,
        }
    }

    /// A figure that is the better the larger it is.
    pub(crate) fn yielding(what: impl Into<String>, unit: Unit, ours: f64) -> Self {
        Self {
            more_is_better: true,
            ..Self::cost(what, unit, ours)
        }
    }

    pub(crate) fn flow(mut self, figure: f64) -> Self {
        self.flow = Some(measured(figure));
        self
    }

    pub(crate) fn flow_parallel(mut self, figure: f64) -> Self {
        self.flow_parallel = Some(measured(figure));
        self
    }

    /// The flow's figures, worked out from a smaller measurement.
    pub(crate) fn scaled(mut self, flow: f64, flow_parallel: f64) -> Self {
        let scaled = |figure| {
            Some(Theirs {
                figure,
                scaled: true,
            })
        };
        (self.flow, self.flow_parallel) = (scaled(flow), scaled(flow_parallel));
        self
    }

    pub(crate) fn aim(mut self, aim: Aim) -> Self {
        self.aim = Some(aim);
        self
    }

    /// How many times better ours is than theirs; `None` where either is nothing.
    pub(crate) fn ratio(&self, theirs: Option<Theirs>) -> Option<f64> {
        let theirs = theirs?.figure;
        let (better, worse) = if self.more_is_better {
            (theirs, self.ours)
        } else {
            (self.ours, theirs)
        };
        (better > 0.0 && worse > 0.0).then(|| worse / better)
    }

    /// Whether it keeps to its aim; `None` where it has none.
    pub(crate) fn meets_aim(&self) -> Option<bool> {
        self.aim.map(|aim| aim.is_met(self.ours))
    }
}

fn measured(figure: f64) -> Theirs {
    Theirs {
        figure,
        scaled: false,
    }
}

/// Figures as the JSON has them, with their ratios.
pub(crate) fn with_ratios<S: Serializer>(rows: &[Row], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Shown<'a> {
        ratio: Option<f64>,
        ratio_parallel: Option<f64>,
        meets_aim: Option<bool>,
        #[serde(flatten)]
        row: &'a Row,
    }
    serializer.collect_seq(rows.iter().map(|row| Shown {
        ratio: row.ratio(row.flow),
        ratio_parallel: row.ratio(row.flow_parallel),
        meets_aim: row.meets_aim(),
        row,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_says_how_many_times_better_ours_is() {
        let cost = Row::cost("time", Unit::Milliseconds, 2.0).flow(10.0);
        assert_eq!(cost.ratio(cost.flow), Some(5.0));
        let speed = Row::yielding("speed", Unit::APerSecond, 10.0).flow_parallel(4.0);
        assert_eq!(speed.ratio(speed.flow_parallel), Some(2.5));
        assert_eq!(speed.ratio(speed.flow), None);
    }

    #[test]
    fn nothing_is_not_infinitely_better() {
        let nothing = Row::cost("requests", Unit::Requests, 0.0).flow(3.0);
        assert_eq!(nothing.ratio(nothing.flow), None);
    }

    #[test]
    fn an_aim_is_met_from_its_side() {
        let row = |aim| Row::cost("size", Unit::Bytes, 8.0).aim(aim).meets_aim();
        assert_eq!(row(Aim::AtMost(8.0)), Some(true));
        assert_eq!(row(Aim::AtMost(7.9)), Some(false));
        assert_eq!(row(Aim::AtLeast(8.1)), Some(false));
        assert_eq!(Row::cost("size", Unit::Bytes, 8.0).meets_aim(), None);
    }
}
