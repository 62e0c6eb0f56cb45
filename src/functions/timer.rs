//! Owns the envelope in which the host delivers a timer, and the shape of the answer it can digest.
//!
//! The host writes the dates of a timer in several ways, some without an offset, and leaves the schedule status
//! out at times. An empty or `null` answer would leave the invocation hanging until the host kills the process,
//! so an answer is always an object; a failure is a status other than 2xx.
//! <https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers>

use axum::Json;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};

use super::problem::{Code, Problem};

/// What the host says about a run of a timer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TimerRun {
    /// Whether the run is late.
    pub(super) past_due: bool,
    /// When the timer last ran, where the host knows.
    pub(super) last: Option<Timestamp>,
}

impl TimerRun {
    /// Reads the envelope, whatever the binding is called.
    pub(super) fn read(body: &[u8]) -> Result<Self, Problem> {
        let not_json = |_| Problem::new(Code::InvalidJson);
        let envelope: Value = serde_json::from_slice(body).map_err(not_json)?;
        let data = envelope["Data"]
            .as_object()
            .and_then(|data| data.values().next());
        let timer = data.unwrap_or(&Value::Null);
        Ok(Self {
            past_due: timer["IsPastDue"].as_bool().unwrap_or(false),
            last: timer["ScheduleStatus"]["Last"].as_str().and_then(moment),
        })
    }
}

/// A date with or without an offset; the year 1 stands for "never".
fn moment(text: &str) -> Option<Timestamp> {
    let without_offset = |text: &str| {
        let local: DateTime = text.parse().ok()?;
        Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let moment = text.parse().ok().or_else(|| without_offset(text))?;
    (moment > Timestamp::UNIX_EPOCH).then_some(moment)
}

/// An answer that the host can digest, with the tally for people who look.
pub(super) fn answer(line: &str, tally: &impl Serialize) -> Json<Value> {
    Json(json!({"Outputs": {}, "Logs": [line], "ReturnValue": null, "tally": tally}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(last: &str) -> Option<Timestamp> {
        let body = format!(
            r#"{{"Data":{{"timer":{{"Schedule":{{"AdjustForDST":true}},"ScheduleStatus":{last},"IsPastDue":true}}}},"Metadata":{{"sys":{{}}}}}}"#
        );
        let run = TimerRun::read(body.as_bytes()).unwrap();
        assert!(run.past_due);
        run.last
    }

    #[test]
    fn dates_are_read_however_the_host_writes_them() {
        let expected = "2026-11-22T10:00:00Z".parse().ok();
        assert_eq!(read(r#"{"Last":"2026-11-22T10:00:00+00:00"}"#), expected);
        assert_eq!(
            read(r#"{"Last":"2026-11-22T12:00:00.0000000+02:00"}"#),
            expected
        );
        assert_eq!(read(r#"{"Last":"2026-11-22T10:00:00"}"#), expected);
        assert_eq!(read(r#"{"Last":"0001-01-01T00:00:00"}"#), None);
        assert_eq!(read(r#"{"Last":"0001-01-01T00:00:00+00:00"}"#), None);
        assert_eq!(read("null"), None);
    }

    #[test]
    fn only_json_is_an_envelope() {
        assert!(TimerRun::read(b"").is_err());
        assert_eq!(
            TimerRun::read(b"{}").unwrap(),
            TimerRun {
                past_due: false,
                last: None
            }
        );
    }
}
