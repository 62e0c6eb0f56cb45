//! Reads the path of a request: which table, row, collection, link or definition it names.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors>

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::errors::{ARGUMENT, QUERY, Refusal};
use super::schema::Entity;
use super::state::State;

/// The path of the service root on every organization.
pub(crate) const ROOT_PATH: &str = "/api/data/v9.2/";

/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/replaceprivilegesrole>
const REPLACE: &str = "Microsoft.Dynamics.CRM.ReplacePrivilegesRole";

/// What earlier operations of a changeset made, by their `Content-ID`.
pub(crate) type References = BTreeMap<String, (Entity, Uuid)>;

/// What a path names.
#[derive(Debug)]
pub(crate) enum Resource {
    Batch,
    WhoAmI,
    /// The definition of a table by logical name, or a collection in it.
    Definition(String, Option<String>),
    /// The definitions of several tables.
    Definitions,
    Set(Entity),
    Count(Entity),
    Row(Entity, Uuid),
    /// A navigation property of a row.
    Navigation(Entity, Uuid, String),
    /// The function that lists what a user may do.
    Privileges(Entity, Uuid),
    /// The function that lists what a role gives.
    RolePrivileges(Uuid),
    /// The action that gives a role other privileges.
    ReplacePrivileges(Uuid),
    /// The link behind a navigation property, to one other row where the path has its key.
    Link(Entity, Uuid, String, Option<Uuid>),
}

/// Reads a path that follows the service root.
pub(crate) fn parse(
    state: &State,
    references: &References,
    path: &str,
) -> Result<Resource, Refusal> {
    let decode = |segment| percent_decode_str(segment).decode_utf8().map(Into::into);
    let segments: Result<Vec<String>, _> = path.split('/').map(decode).collect();
    let segments =
        segments.map_err(|_| Refusal::bad(QUERY, "Bad Request - Error in query syntax."))?;
    let [first, rest @ ..] = segments.as_slice() else {
        return Err(Refusal::no_segment(path));
    };
    match first.as_str() {
        "$batch" if rest.is_empty() => Ok(Resource::Batch),
        "WhoAmI" | "WhoAmI()" if rest.is_empty() => Ok(Resource::WhoAmI),
        "" | "$metadata" => Err(Refusal::unsupported(format!("GET of '{path}'"))),
        "EntityDefinitions" if rest.is_empty() => Ok(Resource::Definitions),
        _ if first.starts_with("EntityDefinitions") => definition(first, rest),
        _ if first.starts_with("RetrieveRolePrivilegesRole(") && rest.is_empty() => {
            role_privileges(first).map(Resource::RolePrivileges)
        }
        _ => row_or_set(state, references, first, rest),
    }
}

/// An unbound function takes its parameters by name.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/retrieveroleprivilegesrole>
fn role_privileges(segment: &str) -> Result<Uuid, Refusal> {
    let id = segment
        .strip_prefix("RetrieveRolePrivilegesRole(RoleId=")
        .and_then(|rest| Uuid::try_parse(rest.strip_suffix(')')?).ok());
    id.ok_or_else(|| Refusal::bad(QUERY, "Bad Request - Error in query syntax."))
}

fn definition(first: &str, rest: &[String]) -> Result<Resource, Refusal> {
    let name = first
        .strip_prefix("EntityDefinitions(LogicalName='")
        .and_then(|name| name.strip_suffix("')"));
    match (name, rest) {
        (Some(name), []) => Ok(Resource::Definition(name.to_owned(), None)),
        (Some(name), [_] | [_, _]) => {
            Ok(Resource::Definition(name.to_owned(), Some(rest.join("/"))))
        }
        _ => Err(Refusal::unsupported(format!("the metadata path '{first}'"))),
    }
}

fn row_or_set(
    state: &State,
    references: &References,
    first: &str,
    rest: &[String],
) -> Result<Resource, Refusal> {
    let (entity, id) = first_segment(state, references, first)?;
    let Some(id) = id else {
        return match rest {
            [] => Ok(Resource::Set(entity)),
            [last] if last == "$count" => Ok(Resource::Count(entity)),
            _ => Err(unknown(rest)),
        };
    };
    match rest {
        [] => Ok(Resource::Row(entity, id)),
        [name] if !name.contains(['(', '.', '$']) => {
            Ok(Resource::Navigation(entity, id, name.clone()))
        }
        [function] if entity.table.logical == "systemuser" && is_privileges(function) => {
            Ok(Resource::Privileges(entity, id))
        }
        [action] if entity.table.logical == "role" && action == REPLACE => {
            Ok(Resource::ReplacePrivileges(id))
        }
        [name, last] if last == "$ref" => {
            let (name, other) = key(name)?;
            Ok(Resource::Link(entity, id, name.to_owned(), other))
        }
        _ => Err(unknown(rest)),
    }
}

/// A bound function is called by its full name; one without parameters takes parentheses or none.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/use-web-api-functions#bound-functions>
fn is_privileges(segment: &str) -> bool {
    let name = segment.strip_suffix("()").unwrap_or(segment);
    name == "Microsoft.Dynamics.CRM.RetrieveUserPrivileges"
}

fn unknown(rest: &[String]) -> Refusal {
    Refusal::unsupported(format!("the path '{}'", rest.join("/")))
}

/// A table, or a row of it, or what `$1` stands for.
fn first_segment(
    state: &State,
    references: &References,
    segment: &str,
) -> Result<(Entity, Option<Uuid>), Refusal> {
    if let Some(content_id) = segment.strip_prefix('$') {
        let found = references.get(content_id);
        let message =
            format!("Content-ID Reference: '${content_id}' does not exist in the batch context.");
        let (entity, id) = found.ok_or_else(|| Refusal::bad(ARGUMENT, message))?;
        return Ok((*entity, Some(*id)));
    }
    let (set, id) = key(segment)?;
    Ok((state.entity_of_set(set)?, id))
}

/// Splits `name(key)`; a key is a GUID without quotation marks, or `column=GUID`.
fn key(segment: &str) -> Result<(&str, Option<Uuid>), Refusal> {
    let Some((name, rest)) = segment.split_once('(') else {
        return Ok((segment, None));
    };
    let syntax = || Refusal::bad(QUERY, "Bad Request - Error in query syntax.");
    let key = rest.strip_suffix(')').ok_or_else(syntax)?;
    if key.contains('=') {
        return Err(Refusal::unsupported(format!("the alternate key '{key}'")));
    }
    let id = (key.len() == 36)
        .then(|| Uuid::try_parse(key).ok())
        .flatten();
    Ok((name, Some(id.ok_or_else(syntax)?)))
}

/// The row that a reference in a body names: absolute, rooted, relative to the service, or `$1`.
pub(crate) fn reference(
    state: &State,
    references: &References,
    root: &str,
    uri: &str,
) -> Result<(Entity, Uuid), Refusal> {
    let relative = uri
        .strip_prefix(root)
        .or_else(|| uri.strip_prefix(ROOT_PATH))
        .or_else(|| uri.strip_prefix('/'))
        .unwrap_or(uri);
    if relative.contains("://") {
        let message = format!("'{uri}' is not a resource of this organization.");
        return Err(Refusal::bad(ARGUMENT, message));
    }
    match parse(state, references, relative)? {
        Resource::Row(entity, id) => Ok((entity, id)),
        _ => Err(Refusal::bad(
            ARGUMENT,
            format!("'{uri}' does not identify a record."),
        )),
    }
}
