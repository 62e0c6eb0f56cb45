//! Route templates of HTTP functions, matched as ASP.NET routing does: without regard to case, the most
//! specific template first. Only whole-segment parameters and the three constraints that people
//! write most are known; anything else is refused at load.
//! <https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger#customize-the-http-endpoint>

use percent_encoding::percent_decode_str;

/// A parsed template such as `batches/{number}` or `invitations/{id:guid?}`.
#[derive(Clone, Debug)]
pub(super) struct Route {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter {
        name: String,
        constraint: Option<Constraint>,
        optional: bool,
    },
    CatchAll {
        name: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Constraint {
    Alphabetic,
    Guid,
    Integer,
}

impl Route {
    /// Reads a template; the error is a fragment that says what is wrong with it.
    pub(super) fn parse(template: &str) -> Result<Self, String> {
        if template.starts_with(['/', '~']) {
            return Err(format!("route {template:?} must not start with '/' or '~'"));
        }
        let segments = (template.split('/').map(Segment::parse))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|reason| format!("route {template:?}: {reason}"))?;
        let route = Self { segments };
        route
            .check()
            .map_err(|reason| format!("route {template:?}: {reason}"))?;
        Ok(route)
    }

    fn check(&self) -> Result<(), String> {
        let is_reserved = |text: &str| ["admin", "runtime"].contains(&text);
        if matches!(self.segments.first(), Some(Segment::Literal(text)) if is_reserved(text)) {
            return Err("conflicts with a built-in route".to_owned());
        }
        let (_, all_but_last) = self.segments.split_last().ok_or("is empty")?;
        if all_but_last.iter().any(Segment::must_be_last) {
            return Err("an optional or catch-all parameter must come last".to_owned());
        }
        let mut names: Vec<&str> = self.segments.iter().filter_map(Segment::name).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("a parameter name appears twice".to_owned());
        }
        Ok(())
    }

    /// Whether the path (without the route prefix, percent-encoded as it came) is this template's.
    pub(super) fn matches(&self, path: &str) -> bool {
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut parts = path.split('/').filter(|_| !path.is_empty());
        for segment in &self.segments {
            let part = parts
                .next()
                .map(|part| percent_decode_str(part).decode_utf8_lossy());
            match (segment, part) {
                (Segment::CatchAll { .. }, _) => return true,
                (Segment::Literal(text), Some(part)) if part.to_lowercase() == *text => {}
                (Segment::Parameter { constraint, .. }, Some(part))
                    if !part.is_empty() && constraint.is_none_or(|it| it.allows(&part)) => {}
                (Segment::Parameter { optional: true, .. }, None) => {}
                _ => return false,
            }
        }
        parts.next().is_none()
    }

    /// Sorts more specific templates before vaguer ones.
    pub(super) fn precedence(&self) -> Vec<u8> {
        self.segments.iter().map(Segment::rank).collect()
    }

    /// Whether the two templates match the same paths, whatever their parameters are called.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        let literals = |route: &Self| -> Vec<Option<String>> {
            (route.segments.iter())
                .map(|segment| match segment {
                    Segment::Literal(text) => Some(text.clone()),
                    _ => None,
                })
                .collect()
        };
        self.precedence() == other.precedence() && literals(self) == literals(other)
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, String> {
        let Some(inner) = text.strip_prefix('{').and_then(|it| it.strip_suffix('}')) else {
            return match text {
                "" => Err("has an empty segment".to_owned()),
                _ if text.contains(['{', '}', '?', '*']) => {
                    Err(format!("{text:?} is a form that the sandbox does not know"))
                }
                _ => Ok(Self::Literal(text.to_lowercase())),
            };
        };
        if let Some(name) = inner.strip_prefix('*') {
            let name = parameter_name(name.trim_start_matches('*'))?;
            return Ok(Self::CatchAll { name });
        }
        let (inner, optional) = match inner.strip_suffix('?') {
            Some(inner) => (inner, true),
            None => (inner, false),
        };
        let (name, constraint) = match inner.split_once(':') {
            Some((name, constraint)) => (name, Some(Constraint::parse(constraint)?)),
            None => (inner, None),
        };
        Ok(Self::Parameter {
            name: parameter_name(name)?,
            constraint,
            optional,
        })
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Literal(_) => None,
            Self::Parameter { name, .. } | Self::CatchAll { name } => Some(name),
        }
    }

    fn must_be_last(&self) -> bool {
        matches!(
            self,
            Self::CatchAll { .. } | Self::Parameter { optional: true, .. }
        )
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Literal(_) => 1,
            Self::Parameter {
                constraint: Some(_),
                ..
            } => 2,
            Self::Parameter {
                constraint: None, ..
            } => 3,
            Self::CatchAll { .. } => 5,
        }
    }
}

fn parameter_name(name: &str) -> Result<String, String> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if name.is_empty() || !name.chars().all(is_word) {
        return Err(format!(
            "{name:?} is not a parameter name the sandbox knows"
        ));
    }
    Ok(name.to_lowercase())
}

impl Constraint {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "alpha" => Ok(Self::Alphabetic),
            "guid" => Ok(Self::Guid),
            "int" => Ok(Self::Integer),
            _ => Err(format!(
                "constraint {text:?} is one that the sandbox does not know"
            )),
        }
    }

    fn allows(self, value: &str) -> bool {
        match self {
            Self::Alphabetic => value.chars().all(|it| it.is_ascii_alphabetic()),
            Self::Guid => uuid::Uuid::try_parse(value).is_ok(),
            Self::Integer => value.parse::<i32>().is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_match_without_regard_to_case() {
        for (template, path, expected) in [
            ("invitations", "Invitations", true),
            ("invitations", "invitations/", true),
            ("invitations", "invitations/1", false),
            ("batches/{number}", "batches/12", true),
            ("batches/{number}", "batches/a%2Fb", true),
            ("batches/{number}", "batches", false),
            ("batches/{number}", "batches//", false),
            ("batches/{number:int}", "batches/x", false),
            ("invitations/{id?}", "invitations", true),
            ("invitations/{id?}", "invitations/1", true),
            (
                "invitations/{id:guid}/resend",
                "invitations/5f6d41f5-c638-4ef0-94be-15784b3c4be9/resend",
                true,
            ),
            (
                "invitations/{id:guid}/resend",
                "invitations/5f6d/resend",
                false,
            ),
            ("{*rest}", "", true),
            ("{*rest}", "a/b/c", true),
            ("a/{name:alpha}", "a/b1", false),
        ] {
            assert_eq!(
                Route::parse(template).unwrap().matches(path),
                expected,
                "{template} {path}"
            );
        }
    }

    #[test]
    fn bad_templates_are_refused() {
        for template in [
            "/a",
            "~/a",
            "a//b",
            "",
            "a/{id",
            "x{id}",
            "{a}/{A}",
            "{a?}/b",
            "{*a}/b",
            "admin/x",
            "runtime",
            "{id:weird}",
            "{}",
            "a?b",
        ] {
            assert!(Route::parse(template).is_err(), "{template}");
        }
    }

    #[test]
    fn literals_come_before_parameters() {
        let rank = |template| Route::parse(template).unwrap().precedence();
        assert!(rank("a/b") < rank("a/{x:int}"));
        assert!(rank("a/{x:int}") < rank("a/{x}"));
        assert!(rank("a/{x}") < rank("a/{*x}"));
    }

    #[test]
    fn names_of_parameters_do_not_make_routes_differ() {
        let same = |a, b| {
            Route::parse(a)
                .unwrap()
                .is_same_as(&Route::parse(b).unwrap())
        };
        assert!(same("a/{x}", "A/{y}"));
        assert!(!same("a/{x}", "b/{x}"));
    }
}
