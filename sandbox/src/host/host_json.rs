//! host.json: the part of it that decides how a custom handler is started and called.
//! <https://learn.microsoft.com/azure/azure-functions/functions-host-json> lists every member;
//! those that do not matter to a custom handler are left alone, unknown ones inside
//! `customHandler` are refused.

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde::Deserialize;

use super::error::HostError;

/// App settings by name, as the handler's environment has them.
pub(super) type Settings = BTreeMap<String, String>;

/// What host.json says.
#[derive(Clone, Debug)]
pub(super) struct HostJson {
    /// How long an invocation may run; `None` is without end.
    pub(super) function_timeout: Option<Duration>,
    /// First part of each HTTP function's path, without slashes; may be empty.
    pub(super) route_prefix: String,
    /// How to start and call the handler.
    pub(super) handler: CustomHandler,
}

/// The `customHandler` section, <https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers>.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CustomHandler {
    pub(super) description: Description,
    #[serde(default)]
    pub(super) enable_forwarding_http_request: bool,
    #[serde(default)]
    pub(super) enable_proxying_http_request: bool,
    #[serde(default, deserialize_with = "optional_time_span")]
    initialization_timeout: Option<Duration>,
}

impl CustomHandler {
    /// How long the handler may take to answer its first `GET /`.
    pub(super) fn initialization_timeout(&self) -> Duration {
        self.initialization_timeout
            .unwrap_or(Duration::from_secs(30))
    }
}

/// The handler's command line.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Description {
    pub(super) default_executable_path: String,
    #[serde(default)]
    pub(super) arguments: Vec<String>,
    pub(super) working_directory: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    version: String,
    function_timeout: Option<String>,
    custom_handler: Option<CustomHandler>,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Default, Deserialize)]
struct Extensions {
    #[serde(default)]
    http: HttpExtension,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpExtension {
    route_prefix: Option<String>,
}

impl HostJson {
    /// Reads `host.json` in the app root and expands `%NAME%` in the handler's command line.
    pub(super) fn load(root: &Path, settings: &Settings) -> Result<Self, HostError> {
        let path = root.join("host.json");
        let text =
            std::fs::read_to_string(&path).map_err(|source| HostError::Read { path, source })?;
        Self::parse(&text, settings).map_err(HostError::HostJson)
    }

    fn parse(text: &str, settings: &Settings) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if file.version != "2.0" {
            return Err(format!("version must be \"2.0\", not {:?}", file.version));
        }
        let mut handler = file
            .custom_handler
            .ok_or("customHandler.description is missing")?;
        let description = &mut handler.description;
        description.default_executable_path =
            expand(&description.default_executable_path, settings);
        for argument in &mut description.arguments {
            *argument = expand(argument, settings);
        }
        Ok(Self {
            function_timeout: function_timeout(file.function_timeout.as_deref())?,
            route_prefix: (file.extensions.http.route_prefix).map_or_else(
                || "api".to_owned(),
                |prefix| prefix.trim_matches('/').to_owned(),
            ),
            handler,
        })
    }
}

/// Replaces each `%NAME%` by the setting of that name; an unset one becomes empty.
fn expand(text: &str, settings: &Settings) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        let Some((name, after)) = after.split_once('%') else {
            break;
        };
        expanded.push_str(before);
        expanded.push_str(settings.get(name).map_or("", String::as_str));
        rest = after;
    }
    expanded + rest
}

/// `-1` is no limit, absent is 30 minutes, the default of every plan but the old Consumption plan
/// (<https://learn.microsoft.com/azure/azure-functions/functions-scale#timeout>).
fn function_timeout(text: Option<&str>) -> Result<Option<Duration>, String> {
    match text {
        None => Ok(Some(Duration::from_mins(30))),
        Some("-1") => Ok(None),
        Some(text) => match time_span(text) {
            Some(span) if span >= Duration::from_secs(1) => Ok(Some(span)),
            _ => Err(format!(
                "functionTimeout {text:?} is not a time span of a second or more"
            )),
        },
    }
}

/// A .NET time span as host.json has them: `hh:mm:ss`.
fn time_span(text: &str) -> Option<Duration> {
    let mut fields = text.splitn(3, ':').map(|field| field.parse::<u64>().ok());
    let (hours, minutes, seconds) = (fields.next()??, fields.next()??, fields.next()??);
    (hours < 24 && minutes < 60 && seconds < 60)
        .then(|| Duration::from_secs(hours * 3600 + minutes * 60 + seconds))
}

fn optional_time_span<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    time_span(&text)
        .map(Some)
        .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a time span hh:mm:ss")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(handler: &str, more: &str) -> Result<HostJson, String> {
        let text = format!(r#"{{"version":"2.0","customHandler":{handler}{more}}}"#);
        HostJson::parse(
            &text,
            &Settings::from([("NAME".to_owned(), "x".to_owned())]),
        )
    }

    #[test]
    fn defaults_are_those_of_the_host() {
        let host = parse(r#"{"description":{"defaultExecutablePath":"h"}}"#, "").unwrap();
        assert_eq!(host.function_timeout, Some(Duration::from_mins(30)));
        assert_eq!(host.route_prefix, "api");
        assert_eq!(
            host.handler.initialization_timeout(),
            Duration::from_secs(30)
        );
        assert!(!host.handler.enable_proxying_http_request);
    }

    #[test]
    fn time_spans_prefix_and_placeholders_are_read() {
        let handler = r#"{"description":{"defaultExecutablePath":"%NAME%/h","arguments":["%NONE%-%NAME%","5%"]},
            "initializationTimeout":"00:01:30"}"#;
        let more = r#","functionTimeout":"-1","extensions":{"http":{"routePrefix":""}}"#;
        let host = parse(handler, more).unwrap();
        assert_eq!(host.handler.description.default_executable_path, "x/h");
        assert_eq!(host.handler.description.arguments, ["-x", "5%"]);
        assert_eq!(
            host.handler.initialization_timeout(),
            Duration::from_secs(90)
        );
        assert_eq!(
            (host.function_timeout, host.route_prefix.as_str()),
            (None, "")
        );
    }

    #[test]
    fn what_the_host_refuses_is_refused() {
        let handler = r#"{"description":{"defaultExecutablePath":"h"}}"#;
        assert!(parse(handler, r#","functionTimeout":"00:00:00""#).is_err());
        assert!(parse(handler, r#","functionTimeout":"5 minutes""#).is_err());
        assert!(parse("null", "").is_err());
        assert!(parse(r#"{"description":{}}"#, "").is_err());
        assert!(HostJson::parse(r#"{"version":"1.0"}"#, &Settings::new()).is_err());
    }
}
