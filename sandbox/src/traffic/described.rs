//! What a `$batch` held, in a few words: its first operations, and all of them counted by kind.

use std::collections::BTreeMap;

use http::Method;

use crate::mask;

/// How many operations are told one by one.
const TOLD: usize = 20;
/// Where the services' own paths begin.
const ROOTS: [&str; 3] = ["/api/data/v9.2/", "/v1.0/", "/"];

/// One operation of a `$batch`, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its method.
    pub method: Method,
    /// Its path and query, below the service's root.
    pub target: String,
    /// Status of its answer; where a changeset failed, of the operation that failed it.
    pub status: u16,
    /// Whether it was to be carried out only where there is no such row yet.
    pub creates: bool,
    /// Whether its answer is that of a scripted fault.
    pub struck: bool,
}

/// Operations that differ only in the ids they name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// Path below the service's root, with `…` for each id and without the query.
    pub shape: String,
    /// Their method.
    pub method: String,
    /// Whether they were to be carried out only where there are no such rows yet.
    pub creates: bool,
    /// Status of their answers.
    pub status: u16,
}

/// What a `$batch` held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// The first operations, at most 20, decoded and without codes.
    pub first: Vec<Step>,
    /// All operations, counted by kind.
    pub kinds: BTreeMap<Kind, usize>,
}

impl Described {
    pub(super) fn of(steps: &[Step]) -> Self {
        let mut kinds = BTreeMap::new();
        for step in steps {
            let kind = Kind {
                creates: step.creates,
                ..Kind::of(&step.method, &step.target, step.status)
            };
            *kinds.entry(kind).or_default() += 1;
        }
        let first = steps.iter().take(TOLD).map(|step| Step {
            target: mask::readable(&step.target),
            ..step.clone()
        });
        Self {
            first: first.collect(),
            kinds,
        }
    }
}

impl Kind {
    /// The kind of an operation, or of a request by itself.
    pub(crate) fn of(method: &Method, target: &str, status: u16) -> Self {
        Self {
            shape: shape(target),
            method: method.to_string(),
            creates: method == Method::POST,
            status,
        }
    }
}

fn shape(target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let path = mask::readable(path);
    let below = ROOTS.iter().find_map(|root| path.strip_prefix(root));
    let segments = below.unwrap_or(&path).split('/').map(without_id);
    segments.collect::<Vec<_>>().join("/")
}

/// A segment of a path, or the key in its parentheses, that names one thing of many.
fn without_id(segment: &str) -> String {
    match segment.split_once('(') {
        Some((set, key)) if is_id(key.trim_end_matches(')')) => format!("{set}(…)"),
        None if is_id(segment) => "…".to_owned(),
        _ => segment.to_owned(),
    }
}

/// Ids of rows, messages and batches, and addresses of mailboxes.
fn is_id(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let long = text.len() >= 24 && digits > 0 && !text.contains('=');
    let stem = text.split('.').next().unwrap_or_default();
    let number = stem.len() > 5 && stem.len() == digits;
    long || number || text.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(target: &str, status: u16) -> Step {
        Step {
            method: Method::PATCH,
            target: target.to_owned(),
            status,
            creates: true,
            struck: false,
        }
    }

    #[test]
    fn operations_are_counted_by_what_they_do_and_told_up_to_the_twentieth() {
        let id = |number| format!("adx_invitations(00000000-0000-4000-8000-{number:012})?x=1");
        let mut steps: Vec<Step> = (0..99).map(|number| step(&id(number), 201)).collect();
        steps.push(step(&id(99), 412));
        let described = Described::of(&steps);
        let kinds: Vec<_> = (described.kinds.iter())
            .map(|(kind, count)| (kind.shape.as_str(), kind.status, *count))
            .collect();
        let shape = "adx_invitations(…)";
        assert_eq!(kinds, [(shape, 201, 99), (shape, 412, 1)]);
        assert_eq!(described.first.len(), 20);
        assert_eq!(described.first[19].target, id(19));
    }

    #[test]
    fn no_code_is_told() {
        let steps = [step(
            "adx_invitations?$filter=adx_invitationcode%20eq%20'SECRET'",
            200,
        )];
        let told = format!("{:?}", Described::of(&steps));
        assert!(
            told.contains("adx_invitationcode") && !told.contains("SECRET"),
            "{told}"
        );
    }

    #[test]
    fn shapes_are_paths_without_ids() {
        for (target, expected) in [
            ("/api/data/v9.2/contacts?$top=1", "contacts"),
            (
                "/v1.0/users/a%40b.example/messages/AAMkAGI2TG93AAAAAAAA12345/send",
                "users/…/messages/…/send",
            ),
            ("/v1.0/users/a@b.example/sendMail", "users/…/sendMail"),
            (
                "EntityDefinitions(LogicalName='adx_invitation')/Keys",
                "EntityDefinitions(LogicalName='adx_invitation')/Keys",
            ),
            (
                "adx_invitations(086f244b-0732-5cc3-b0e7-ad2e9d30d5dd)/x",
                "adx_invitations(…)/x",
            ),
            ("/batches/open/1734829102.jsonl", "batches/open/…"),
            ("$batch", "$batch"),
        ] {
            assert_eq!(shape(target), expected);
        }
    }
}
