//! Faults of services as people ask for them, and the rules that they come down to.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use serde::Deserialize;

use super::Refused;
use crate::faults::{Fault, Rule, Service};
use crate::host::Desk;

/// A fault with its figures.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Wanted {
    /// The next requests are refused, and are to wait.
    Throttle {
        service: Target,
        seconds: i64,
        requests: i64,
    },
    /// A service refuses every request, or breaks every connection.
    Outage { service: Target, breaks: bool },
    /// The next rows are written, or letters sent, and the answers are lost.
    Lost { service: Target, writes: i64 },
    /// Each request takes longer; in Exchange, each of a `$batch`.
    Slow { service: Target, milliseconds: i64 },
    /// The handler is killed at one of the next letters.
    Kill { letters: i64 },
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Target {
    Dataverse,
    Graph,
    Both,
}

impl Target {
    fn services(self) -> &'static [Service] {
        match self {
            Self::Dataverse => &[Service::Dataverse],
            Self::Graph => &[Service::Graph],
            Self::Both => &[Service::Dataverse, Service::Graph],
        }
    }
}

impl Wanted {
    /// The rules, labelled for people; an error names the figure that is out of bounds.
    pub(super) fn rules(&self, desk: &Desk) -> Result<Vec<Rule>, Refused> {
        let each = |target: &Target, rule: &dyn Fn(Service) -> Rule| {
            target
                .services()
                .iter()
                .map(|service| rule(*service))
                .collect()
        };
        Ok(match self {
            Self::Throttle {
                service,
                seconds,
                requests,
            } => {
                let seconds = within("The seconds to wait", *seconds, 1..=3600)?;
                let requests = within("The number of requests", *requests, 1..=10_000)?;
                each(service, &|service| {
                    throttle(service, seconds).times(requests)
                })
            }
            Self::Outage { service, breaks } => each(service, &|service| outage(service, *breaks)),
            Self::Lost { service, writes } => {
                let writes = within("The number of rows or letters", *writes, 1..=10_000)?;
                each(service, &|service| lost(service).times(writes))
            }
            Self::Slow {
                service,
                milliseconds,
            } => {
                let time = within("The milliseconds to wait", *milliseconds, 1..=60_000)?;
                each(service, &|service| slow(service, time))
            }
            Self::Kill { letters } => {
                let letters = within("The number of letters", *letters, 1..=10_000)?;
                vec![kill(desk.clone(), letters)]
            }
        })
    }
}

fn within(what: &str, number: i64, bounds: RangeInclusive<u32>) -> Result<u32, Refused> {
    let fits = u32::try_from(number).ok().filter(|it| bounds.contains(it));
    let (least, most) = bounds.into_inner();
    let text = || format!("{what} must be {least} to {most}.");
    fits.ok_or_else(|| (StatusCode::BAD_REQUEST, text()))
}

/// Dataverse counts whole requests, Graph the operations of a `$batch`.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/api-limits>
/// <https://learn.microsoft.com/graph/throttling#throttling-and-batching>
fn by_operation(service: Service, rule: Rule) -> Rule {
    match service {
        Service::Graph => rule.each_operation(),
        _ => rule,
    }
}

fn throttle(service: Service, seconds: u32) -> Rule {
    let fault = Fault::Answer {
        status: 429,
        retry_after_seconds: Some(seconds.into()),
        code: match service {
            Service::Dataverse => "0x80072322".to_owned(),
            _ => "TooManyRequests".to_owned(),
        },
        effect: false,
    };
    let label = format!("{}: 429, come back in {seconds} seconds", name(service));
    by_operation(service, Rule::on(service, fault)).label(label)
}

fn outage(service: Service, breaks: bool) -> Rule {
    let (fault, what) = if breaks {
        (Fault::DropBefore, "every connection breaks")
    } else {
        let fault = Fault::Answer {
            status: 503,
            retry_after_seconds: None,
            code: "ServiceUnavailable".to_owned(),
            effect: false,
        };
        (fault, "every request gets 503")
    };
    Rule::on(service, fault).label(format!("{}: {what}", name(service)))
}

/// In Exchange the answers to letters: whether one went out is what nobody must guess.
fn lost(service: Service) -> Rule {
    let rule = Rule::on(service, Fault::DropAfter)
        .writes()
        .each_operation();
    match service {
        Service::Graph => rule
            .path("/send")
            .label("Exchange: letters go out, the answers are lost"),
        _ => rule.label("Dataverse: rows are written, the answers are lost"),
    }
}

fn slow(service: Service, milliseconds: u32) -> Rule {
    let fault = Fault::Delay(Duration::from_millis(milliseconds.into()));
    let label = format!(
        "{}: each request takes {milliseconds} ms longer",
        name(service)
    );
    by_operation(service, Rule::on(service, fault)).label(label)
}

fn kill(desk: Desk, letters: u32) -> Rule {
    let fault = Fault::Call(Arc::new(move || desk.kill_handler()));
    let rule = Rule::on(Service::Graph, fault)
        .method(Method::POST)
        .path("/send");
    let rule = rule.each_operation().skip(letters - 1).times(1);
    rule.label(format!(
        "The handler is killed at letter {letters} from now"
    ))
}

fn name(service: Service) -> &'static str {
    match service {
        Service::Graph => "Exchange",
        _ => "Dataverse",
    }
}
