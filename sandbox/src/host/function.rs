//! One function of the app: its function.json, checked as the host checks it. Only http and timer
//! triggers exist here; they are built into the host, everything else needs an extension bundle.
//! <https://learn.microsoft.com/azure/azure-functions/functions-triggers-bindings>

use http::Method;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::{host_json::Settings, route::Route, schedule::Schedule};

/// A function that the host could load.
#[derive(Clone, Debug)]
pub struct Function {
    /// Name of its folder.
    pub name: String,
    /// Turned off in function.json or by the setting `AzureWebJobs.{name}.Disabled`.
    pub disabled: bool,
    pub(super) trigger: Trigger,
}

impl Function {
    /// `httpTrigger` or `timerTrigger`.
    pub fn trigger_type(&self) -> &'static str {
        match self.trigger {
            Trigger::Http(_) => "httpTrigger",
            Trigger::Timer(_) => "timerTrigger",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Trigger {
    Http(HttpTrigger),
    Timer(Box<TimerTrigger>),
}

#[derive(Clone, Debug)]
pub(super) struct HttpTrigger {
    /// Empty means every method.
    pub(super) methods: Vec<Method>,
    pub(super) template: String,
    pub(super) route: Route,
    pub(super) level: AuthLevel,
}

#[derive(Clone, Debug)]
pub(super) struct TimerTrigger {
    pub(super) binding: String,
    pub(super) schedule: Schedule,
    pub(super) use_monitor: bool,
    pub(super) run_on_startup: bool,
}

/// Who may call an HTTP function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum AuthLevel {
    Anonymous,
    #[default]
    Function,
    Admin,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    bindings: Vec<Binding>,
    #[serde(default)]
    disabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Binding {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    direction: Direction,
    #[serde(default)]
    methods: Vec<String>,
    route: Option<String>,
    #[serde(default)]
    auth_level: AuthLevel,
    schedule: Option<String>,
    use_monitor: Option<bool>,
    #[serde(default)]
    run_on_startup: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    In,
    Out,
}

impl Function {
    /// Reads a function.json; the error is what the host would report as "the function is in error".
    pub(super) fn parse(
        name: &str,
        text: &str,
        settings: &Settings,
        zone: &TimeZone,
    ) -> Result<Self, String> {
        if !is_function_name(name) {
            return Err(format!("{name:?} is not a valid function name"));
        }
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        check_names(&file.bindings)?;
        let triggers = file.bindings.iter().filter(|it| it.is_trigger()).count();
        if triggers != 1 {
            return Err(format!(
                "{triggers} trigger bindings; there must be exactly one"
            ));
        }
        let disabled_by_setting = settings
            .get(&format!("AzureWebJobs.{name}.Disabled"))
            .is_some_and(|value| ["true", "1"].contains(&value.to_lowercase().as_str()));
        Ok(Self {
            name: name.to_owned(),
            disabled: file.disabled || disabled_by_setting,
            trigger: Trigger::new(name, &file.bindings, settings, zone)?,
        })
    }
}

impl Trigger {
    fn new(
        name: &str,
        bindings: &[Binding],
        settings: &Settings,
        zone: &TimeZone,
    ) -> Result<Self, String> {
        let is = |binding: &Binding, kind: &str, direction| {
            binding.kind.eq_ignore_ascii_case(kind) && binding.direction == direction
        };
        match bindings {
            [a, b] if is(a, "httpTrigger", Direction::In) && is(b, "http", Direction::Out) => {
                HttpTrigger::new(name, a).map(Self::Http)
            }
            [a, b] if is(b, "httpTrigger", Direction::In) && is(a, "http", Direction::Out) => {
                HttpTrigger::new(name, b).map(Self::Http)
            }
            [timer] if is(timer, "timerTrigger", Direction::In) => {
                TimerTrigger::new(timer, settings, zone).map(|it| Self::Timer(Box::new(it)))
            }
            _ => {
                let kinds: Vec<&str> = bindings.iter().map(|it| it.kind.as_str()).collect();
                Err(format!(
                    "the sandbox does not know this set of bindings: {}",
                    kinds.join(", ")
                ))
            }
        }
    }
}

impl HttpTrigger {
    fn new(function: &str, binding: &Binding) -> Result<Self, String> {
        let template = binding.route.clone().unwrap_or_else(|| function.to_owned());
        let methods = (binding.methods.iter())
            .map(|method| method.to_uppercase().parse())
            .collect::<Result<_, _>>()
            .map_err(|_| format!("methods {:?} are not all HTTP methods", binding.methods))?;
        Ok(Self {
            methods,
            route: Route::parse(&template)?,
            template,
            level: binding.auth_level,
        })
    }
}

impl TimerTrigger {
    fn new(binding: &Binding, settings: &Settings, zone: &TimeZone) -> Result<Self, String> {
        let written = binding.schedule.as_deref().ok_or("schedule is missing")?;
        let schedule = resolve(written, settings)?;
        Ok(Self {
            binding: binding.name.clone(),
            schedule: Schedule::parse(schedule, zone.clone())?,
            use_monitor: binding.use_monitor.unwrap_or(true),
            run_on_startup: binding.run_on_startup,
        })
    }
}

impl Binding {
    fn is_trigger(&self) -> bool {
        self.kind.to_lowercase().ends_with("trigger")
    }
}

/// `%NAME%` stands for the app setting NAME; without it the function cannot be indexed.
fn resolve<'a>(text: &'a str, settings: &'a Settings) -> Result<&'a str, String> {
    match text.strip_prefix('%').and_then(|it| it.strip_suffix('%')) {
        None => Ok(text),
        Some(name) => (settings
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty()))
        .ok_or_else(|| format!("'{text}' does not resolve to a value")),
    }
}

/// A letter, then up to 127 letters, digits, `_` or `-`; `host` is reserved.
fn is_function_name(name: &str) -> bool {
    let is_allowed = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
    is_word(name, is_allowed) && !name.eq_ignore_ascii_case("host")
}

/// Binding names: a letter, then up to 127 letters or digits, or `$return`; unique without regard to case.
fn check_names(bindings: &[Binding]) -> Result<(), String> {
    let mut seen: Vec<String> = Vec::new();
    for Binding { name, .. } in bindings {
        if name != "$return" && !is_word(name, |it| it.is_ascii_alphanumeric()) {
            return Err(format!("the binding name {name:?} is invalid"));
        }
        if seen.contains(&name.to_lowercase()) {
            return Err(format!("the binding name {name:?} appears twice"));
        }
        seen.push(name.to_lowercase());
    }
    Ok(())
}

fn is_word(text: &str, is_allowed: impl Fn(char) -> bool) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.len() <= 128
        && text.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, bindings: &str) -> Result<Function, String> {
        let settings = Settings::from([
            ("EACH_MINUTE".to_owned(), "0 * * * * *".to_owned()),
            ("AzureWebJobs.off.Disabled".to_owned(), "true".to_owned()),
        ]);
        let text = format!(r#"{{"bindings":[{bindings}]}}"#);
        Function::parse(name, &text, &settings, &TimeZone::UTC)
    }

    const REQUEST: &str = r#"{"name":"req","type":"httpTrigger","direction":"in"}"#;
    const RESPONSE: &str = r#"{"name":"res","type":"http","direction":"out"}"#;

    fn timer(rest: &str) -> String {
        format!(r#"{{"name":"timer","type":"timerTrigger","direction":"in"{rest}}}"#)
    }

    #[test]
    fn an_http_function_has_the_defaults_of_the_host() {
        let function = parse("hello", &format!("{REQUEST},{RESPONSE}")).unwrap();
        let Trigger::Http(http) = &function.trigger else {
            panic!("{function:?}")
        };
        assert!(http.methods.is_empty() && http.level == AuthLevel::Function);
        assert_eq!(
            (http.template.as_str(), function.disabled),
            ("hello", false)
        );
    }

    #[test]
    fn a_timer_takes_its_schedule_from_a_setting() {
        let function = parse("off", &timer(r#","schedule":"%EACH_MINUTE%""#)).unwrap();
        let Trigger::Timer(trigger) = &function.trigger else {
            panic!("{function:?}")
        };
        assert!(function.disabled && trigger.use_monitor && !trigger.run_on_startup);
        let error = parse("t", &timer(r#","schedule":"%NONE%""#)).unwrap_err();
        assert_eq!(error, "'%NONE%' does not resolve to a value");
    }

    #[test]
    fn what_the_host_refuses_is_refused() {
        let fine = format!("{REQUEST},{RESPONSE}");
        for (name, bindings) in [
            ("host", fine.clone()),
            ("1st", fine.clone()),
            ("a.b", fine.clone()),
            ("f", REQUEST.to_owned()),
            ("f", RESPONSE.to_owned()),
            (
                "f",
                format!("{fine},{}", timer(r#","schedule":"0 * * * * *""#)),
            ),
            ("f", fine.replace("\"req\"", "\"the_req\"")),
            ("f", fine.replace("\"req\"", "\"RES\"")),
            ("f", fine.replace("httpTrigger", "queueTrigger")),
            ("f", fine.replace("\"direction\":\"in\"", "\"route\":\"x\"")),
            ("f", fine.replace("\"in\"", "\"in\",\"authLevel\":\"none\"")),
            ("f", fine.replace("\"in\"", "\"in\",\"rout\":\"x\"")),
            ("f", timer("")),
            ("f", timer(r#","schedule":"0 * * * *""#)),
        ] {
            assert!(parse(name, &bindings).is_err(), "{name} {bindings}");
        }
    }
}
