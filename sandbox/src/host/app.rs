//! The function app: host.json and one folder a function, found as the host finds them. A function
//! that is in error is left out and reported; the others still load, as on the real host.

use std::path::Path;

use jiff::tz::TimeZone;

use super::{
    error::HostError,
    function::{Function, HttpTrigger, Trigger},
    host_json::{HostJson, Settings},
};

/// What the host read from the app root.
#[derive(Debug)]
pub(super) struct FunctionApp {
    pub(super) host: HostJson,
    /// In the order of their names.
    pub(super) functions: Vec<Function>,
    /// `name: reason` for each function that is in error.
    pub(super) errors: Vec<String>,
}

impl FunctionApp {
    /// Reads the app; refuses one without host.json or without a single sound function.
    pub(super) fn load(root: &Path, settings: &Settings) -> Result<Self, HostError> {
        let host = HostJson::load(root, settings)?;
        let zone = time_zone(settings)?;
        let mut app = Self {
            host,
            functions: Vec::new(),
            errors: Vec::new(),
        };
        for (name, text) in function_files(root)? {
            let loaded = Function::parse(&name, &text, settings, &zone)
                .and_then(|function| app.check(&function).map(|()| function));
            match loaded {
                Ok(function) => app.functions.push(function),
                Err(reason) => app.errors.push(format!("{name}: {reason}")),
            }
        }
        if app.functions.is_empty() {
            return Err(HostError::NoFunctions(app.errors));
        }
        Ok(app)
    }

    /// Rules that involve the rest of the app: no two functions on one route, and http functions are forwarded.
    fn check(&self, function: &Function) -> Result<(), String> {
        let Trigger::Http(http) = &function.trigger else {
            return Ok(());
        };
        let handler = &self.host.handler;
        if !handler.enable_forwarding_http_request && !handler.enable_proxying_http_request {
            return Err("http functions that are not forwarded are not imitated here".to_owned());
        }
        match self
            .http_functions()
            .find(|(_, other)| overlaps(http, other))
        {
            Some((other, _)) => Err(format!("its route conflicts with that of {}", other.name)),
            None => Ok(()),
        }
    }

    /// The HTTP functions with their triggers.
    pub(super) fn http_functions(&self) -> impl Iterator<Item = (&Function, &HttpTrigger)> {
        (self.functions.iter()).filter_map(|function| match &function.trigger {
            Trigger::Http(http) => Some((function, http)),
            Trigger::Timer(_) => None,
        })
    }

    /// A function by its name, without regard to case.
    pub(super) fn function(&self, name: &str) -> Option<&Function> {
        (self.functions.iter()).find(|function| function.name.eq_ignore_ascii_case(name))
    }
}

fn overlaps(one: &HttpTrigger, other: &HttpTrigger) -> bool {
    let shares_method = one.methods.is_empty()
        || other.methods.is_empty()
        || one.methods.iter().any(|it| other.methods.contains(it));
    shares_method && one.route.is_same_as(&other.route)
}

/// Schedules are in UTC unless this setting names a zone
/// (<https://learn.microsoft.com/azure/azure-functions/functions-app-settings#website_time_zone>).
fn time_zone(settings: &Settings) -> Result<TimeZone, HostError> {
    match settings.get("WEBSITE_TIME_ZONE") {
        None => Ok(TimeZone::UTC),
        Some(name) => TimeZone::get(name)
            .map_err(|error| HostError::HostJson(format!("WEBSITE_TIME_ZONE: {error}"))),
    }
}

/// Name and text of each function.json one level below the root, by name.
fn function_files(root: &Path) -> Result<Vec<(String, String)>, HostError> {
    let read = |source| HostError::Read {
        path: root.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root).map_err(read)? {
        let entry = entry.map_err(read)?;
        let path = entry.path().join("function.json");
        if path.is_file() {
            let text = std::fs::read_to_string(&path)
                .map_err(|source| HostError::Read { path, source })?;
            files.push((entry.file_name().to_string_lossy().into_owned(), text));
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn http(route: &str) -> String {
        format!(
            r#"{{"bindings":[{{"name":"req","type":"httpTrigger","direction":"in","methods":["get"],"route":"{route}"}},
                {{"name":"res","type":"http","direction":"out"}}]}}"#
        )
    }

    fn app(flags: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let host = format!(
            r#"{{"version":"2.0","customHandler":{{"description":{{"defaultExecutablePath":"h"}}{flags}}}}}"#
        );
        write(root.path(), "host.json", &host);
        root
    }

    #[test]
    fn one_bad_function_does_not_stop_the_others() {
        let root = app(r#","enableForwardingHttpRequest":true"#);
        write(root.path(), "b/function.json", &http("x"));
        write(root.path(), "c/function.json", &http("X"));
        write(root.path(), "d/function.json", "{");
        write(root.path(), "a/deep/function.json", &http("y"));
        let app = FunctionApp::load(root.path(), &Settings::new()).unwrap();
        assert_eq!(app.functions.len(), 1);
        assert_eq!(app.function("B").unwrap().trigger_type(), "httpTrigger");
        assert!(app.errors[0].starts_with("c: its route conflicts with that of b"));
        assert!(app.errors[1].starts_with("d: "));
    }

    #[test]
    fn an_app_without_a_sound_function_does_not_start() {
        let root = app("");
        write(root.path(), "b/function.json", &http("x"));
        let refused = FunctionApp::load(root.path(), &Settings::new());
        assert!(matches!(refused, Err(HostError::NoFunctions(errors)) if errors.len() == 1));
    }
}
