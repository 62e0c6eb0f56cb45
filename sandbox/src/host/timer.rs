//! Timer functions: when they run, what they are sent, and the status the host keeps of them between
//! runs and starts (in blob storage there, in an optional file here).
//! <https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer> describes the trigger;
//! the shape of the dates comes from Azure/azure-functions-host issue 7391.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Inner,
    calls::{Cause, Ending},
    error::HostError,
    function::{TimerTrigger, Trigger},
    invoke::{Invocation, invoke},
};

/// What the host remembers of a monitored timer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Status {
    /// When it ran last; `None` before the first run.
    last: Option<Timestamp>,
    /// When it was then due next.
    next: Timestamp,
}

/// Statuses by function name, and one lock a timer so that its runs never overlap.
#[derive(Debug, Default)]
pub(super) struct Timers {
    file: Option<PathBuf>,
    statuses: Mutex<BTreeMap<String, Status>>,
    running: BTreeMap<String, tokio::sync::Mutex<()>>,
}

impl Timers {
    /// Reads the statuses of an earlier start, if there is a file with some.
    pub(super) fn load(file: Option<PathBuf>, functions: impl Iterator<Item = String>) -> Self {
        let statuses = (file.as_ref().and_then(|path| std::fs::read(path).ok()))
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        Self {
            file,
            statuses: Mutex::new(statuses),
            running: functions
                .map(|name| (name, tokio::sync::Mutex::default()))
                .collect(),
        }
    }

    fn statuses(&self) -> MutexGuard<'_, BTreeMap<String, Status>> {
        self.statuses.lock()
    }

    fn record(&self, function: &str, status: Status) {
        let mut statuses = self.statuses();
        statuses.insert(function.to_owned(), status);
        let Some(file) = &self.file else { return };
        let written = serde_json::to_vec(&*statuses)
            .map_err(std::io::Error::from)
            .and_then(|text| std::fs::write(file, text));
        if let Err(error) = written {
            tracing::error!(
                "failed to keep the timers' status in {}: {error}",
                file.display()
            );
        }
    }
}

/// Runs a timer by its schedule for as long as the task lives; a run missed while the host was down comes first, once.
pub(super) async fn keep_firing(inner: Arc<Inner>, function: String, timer: Box<TimerTrigger>) {
    let start = inner.clock.now();
    let was_missed =
        (inner.timers.statuses().get(&function)).is_some_and(|status| status.next < start);
    if was_missed || timer.run_on_startup {
        report(
            &function,
            fire(&inner, &function, was_missed).await.as_ref(),
        );
    }
    let mut last = start;
    while let Some(next) = timer.schedule.next_after(last.max(inner.clock.now())) {
        let pause = next.duration_since(inner.clock.now());
        tokio::time::sleep(Duration::try_from(pause).unwrap_or_default()).await;
        report(&function, fire(&inner, &function, false).await.as_ref());
        last = next;
    }
}

pub(super) fn report(function: &str, result: Result<&Invocation, &HostError>) {
    match result {
        Ok(_) => tracing::info!("Executed '{function}' (Succeeded)"),
        Err(error) => tracing::error!("Executed '{function}' (Failed): {error}"),
    }
}

/// Runs a timer function now, after a run of it that may be under way.
pub(super) async fn fire(
    inner: &Inner,
    name: &str,
    is_past_due: bool,
) -> Result<Invocation, HostError> {
    let unknown = || HostError::UnknownFunction(name.to_owned());
    let function = inner
        .app
        .function(name)
        .filter(|it| !it.disabled)
        .ok_or_else(unknown)?;
    let (Trigger::Timer(timer), Some(running)) =
        (&function.trigger, inner.timers.running.get(&function.name))
    else {
        return Err(unknown());
    };
    let _alone = running.lock().await;
    run(inner, &function.name, timer, is_past_due).await
}

/// One run, with the host's status of the timer before and after it.
async fn run(
    inner: &Inner,
    name: &str,
    timer: &TimerTrigger,
    is_past_due: bool,
) -> Result<Invocation, HostError> {
    let (now, id) = (inner.clock.now(), inner.invocation_id());
    let is_monitored = timer.use_monitor && !timer.schedule.is_more_than_once_a_minute(now);
    let before = is_monitored
        .then(|| known_status(inner, name, timer, now))
        .flatten();
    let envelope = envelope(name, timer, before, is_past_due, now, id);
    let begun = (inner.calls).begin(&inner.clock, id, name, Cause::Timer);
    if let Err(error) = inner.handler.ready().await {
        begun.end(Ending::failed(&error));
        return Err(error);
    }
    let call = invoke(&inner.client, inner.port, name, id, envelope);
    let result = inner.within_function_timeout(name, call).await;
    begun.end(Ending::of_timer(&result));
    if let (true, Some(next)) = (is_monitored, timer.schedule.next_after(now)) {
        let last = Some(now);
        inner.timers.record(name, Status { last, next });
    }
    result
}

/// The stored status, or the one that the host makes up before the first run.
fn known_status(
    inner: &Inner,
    function: &str,
    timer: &TimerTrigger,
    now: Timestamp,
) -> Option<Status> {
    let stored = inner.timers.statuses().get(function).copied();
    stored.or_else(|| {
        Some(Status {
            last: None,
            next: timer.schedule.next_after(now)?,
        })
    })
}

fn envelope(
    function: &str,
    timer: &TimerTrigger,
    status: Option<Status>,
    is_past_due: bool,
    now: Timestamp,
    id: Uuid,
) -> Value {
    let zone = timer.schedule.zone();
    let status = status.map(|status| {
        let last = date(status.last, zone);
        json!({"Last": last, "Next": date(Some(status.next), zone), "LastUpdated": last})
    });
    json!({
        "Data": {timer.binding.as_str(): {
            "Schedule": {"AdjustForDST": true},
            "ScheduleStatus": status,
            "IsPastDue": is_past_due,
        }},
        "Metadata": {"sys": {"MethodName": function, "UtcNow": date(Some(now), &TimeZone::UTC), "RandGuid": id}},
    })
}

/// A .NET date as Newtonsoft writes it: local, with an offset, up to seven digits of a second without
/// trailing zeros; the zero date has no offset.
fn date(moment: Option<Timestamp>, zone: &TimeZone) -> String {
    let Some(moment) = moment else {
        return "0001-01-01T00:00:00".to_owned();
    };
    let local = moment.to_zoned(zone.clone());
    let ticks = format!(".{:07}", local.subsec_nanosecond() / 100);
    let fraction = ticks.trim_end_matches('0').trim_end_matches('.');
    format!(
        "{}{fraction}{}",
        local.strftime("%Y-%m-%dT%H:%M:%S"),
        local.strftime("%:z")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_an_offset_and_up_to_seven_digits() {
        let zone = TimeZone::get("Europe/Copenhagen").unwrap();
        let written = |text: &str| date(Some(text.parse().unwrap()), &zone);
        assert_eq!(written("2026-07-01T00:00:00Z"), "2026-07-01T02:00:00+02:00");
        assert_eq!(
            written("2026-12-01T00:00:00.1203Z"),
            "2026-12-01T01:00:00.1203+01:00"
        );
        assert_eq!(
            written("2026-12-01T00:00:00.123456789Z"),
            "2026-12-01T01:00:00.1234567+01:00"
        );
        assert_eq!(date(None, &zone), "0001-01-01T00:00:00");
    }

    #[test]
    fn a_status_survives_in_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = Some(folder.path().join("timers.json"));
        let next = "2026-12-01T00:00:00Z".parse().unwrap();
        let timers = Timers::load(file.clone(), std::iter::empty());
        timers.record("sweep", Status { last: None, next });
        let again = Timers::load(file, std::iter::empty());
        assert_eq!(again.statuses()["sweep"].next, next);
    }
}
