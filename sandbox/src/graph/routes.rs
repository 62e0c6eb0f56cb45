//! Which address and method does what to a mailbox.
//!
//! The addresses of <https://learn.microsoft.com/graph/api/resources/message> that an app without a user
//! works with; every other one is refused with 501.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::input::MessageInput;
use super::mailbox::Mailbox;
use super::message::Folder;
use super::operation::{Answer, Body, Operation, Refusal};
use super::rules::{Rules, State};
use super::view::View;

/// Does an operation whose address is below `/users/{mailbox}`.
pub(super) fn apply(
    mailbox: &mut Mailbox,
    operation: &Operation,
    now: Timestamp,
    rules: &Rules,
) -> Result<Answer, Refusal> {
    check_state(mailbox.state, &operation.method)?;
    let path: Vec<&str> = operation.path.iter().skip(2).map(String::as_str).collect();
    match (operation.method.as_str(), path.as_slice()) {
        ("GET", ["messages"]) => list(mailbox, operation, None),
        ("GET", ["messages", id]) => read(mailbox, operation, id),
        ("GET", ["mailFolders", name]) => folder(mailbox, operation, name),
        ("GET", ["mailFolders", name, "messages"]) => {
            list(mailbox, operation, Some(folder_named(name)?))
        }
        ("POST", ["messages"]) => create(mailbox, operation, now),
        ("POST", ["messages", id, "send"]) => send(mailbox, operation, id, now, rules),
        ("POST", ["sendMail"]) => send_mail(mailbox, operation, now, rules),
        ("PATCH", ["messages", id]) => update(mailbox, operation, id, now),
        ("DELETE", ["messages", id]) => delete(mailbox, operation, id),
        (method, _) => Err(Refusal::unknown(format!(
            "{method} {}",
            operation.path.join("/")
        ))),
    }
}

fn check_state(state: State, method: &Method) -> Result<(), Refusal> {
    let (status, code, message) = match state {
        State::Full if [Method::POST, Method::PATCH].contains(method) => (
            StatusCode::INSUFFICIENT_STORAGE,
            "ErrorQuotaExceeded",
            "The mailbox quota has been exceeded.",
        ),
        State::Ok | State::Full => return Ok(()),
        State::AccessDenied => (
            StatusCode::FORBIDDEN,
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
        ),
        State::NoMailbox => (
            StatusCode::NOT_FOUND,
            "MailboxNotEnabledForRESTAPI",
            "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
        ),
    };
    Err(Refusal::new(status, code, message))
}

fn list(
    mailbox: &Mailbox,
    operation: &Operation,
    folder: Option<Folder>,
) -> Result<Answer, Refusal> {
    let view = View::read(operation, true)?;
    let messages = mailbox.messages.iter();
    let inside = messages.filter(|message| folder.is_none_or(|folder| message.folder == folder));
    let body = view.page(inside, operation);
    Ok(Answer::json(
        StatusCode::OK,
        in_context(body, operation, "messages"),
    ))
}

fn read(mailbox: &mut Mailbox, operation: &Operation, id: &str) -> Result<Answer, Refusal> {
    let view = View::read(operation, false)?;
    let body = view.show(mailbox.find(id, view.immutable_ids)?);
    Ok(Answer::json(
        StatusCode::OK,
        in_context(body, operation, "messages/$entity"),
    ))
}

fn folder(mailbox: &Mailbox, operation: &Operation, name: &str) -> Result<Answer, Refusal> {
    let folder = folder_named(name)?;
    refuse_options(operation)?;
    let messages = mailbox.messages.iter();
    let body = json!({
        "id": mailbox.folder_id(folder),
        "displayName": display_name(folder),
        "totalItemCount": messages.filter(|message| message.folder == folder).count(),
    });
    Ok(Answer::json(
        StatusCode::OK,
        in_context(body, operation, "mailFolders/$entity"),
    ))
}

fn create(mailbox: &mut Mailbox, operation: &Operation, now: Timestamp) -> Result<Answer, Refusal> {
    refuse_options(operation)?;
    let view = View::read(operation, false)?;
    let input = MessageInput::read(operation.json()?)?;
    let body = view.show(mailbox.create(input, now));
    Ok(Answer::json(
        StatusCode::CREATED,
        in_context(body, operation, "messages/$entity"),
    ))
}

fn update(
    mailbox: &mut Mailbox,
    operation: &Operation,
    id: &str,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    refuse_options(operation)?;
    let view = View::read(operation, false)?;
    let input = MessageInput::read(operation.json()?)?;
    let body = view.show(mailbox.update(id, view.immutable_ids, input, now)?);
    Ok(Answer::json(
        StatusCode::OK,
        in_context(body, operation, "messages/$entity"),
    ))
}

fn delete(mailbox: &mut Mailbox, operation: &Operation, id: &str) -> Result<Answer, Refusal> {
    refuse_options(operation)?;
    mailbox.delete(id, operation.prefers_immutable_ids()?)?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn send(
    mailbox: &mut Mailbox,
    operation: &Operation,
    id: &str,
    now: Timestamp,
    rules: &Rules,
) -> Result<Answer, Refusal> {
    refuse_options(operation)?;
    match &operation.body {
        Body::Empty => {}
        Body::Json(value) if *value == json!({}) => {}
        _ => return Err(Refusal::bad("The action send takes no parameters.")),
    }
    mailbox.send(id, operation.prefers_immutable_ids()?, now, rules)?;
    Ok(Answer::empty(StatusCode::ACCEPTED))
}

/// Parameters of actions are matched without case: clients of Microsoft's send `Message`.
fn send_mail(
    mailbox: &mut Mailbox,
    operation: &Operation,
    now: Timestamp,
    rules: &Rules,
) -> Result<Answer, Refusal> {
    refuse_options(operation)?;
    operation.prefers_immutable_ids()?;
    let Some(parameters) = operation.json()?.as_object() else {
        return Err(Refusal::bad("The body is not an object."));
    };
    let (mut input, mut save) = (None, true);
    for (name, value) in parameters {
        match name.to_ascii_lowercase().as_str() {
            "message" => input = Some(MessageInput::read(value)?),
            "savetosentitems" => save = flag(value)?,
            _ => {
                let message = format!("The parameter '{name}' is not in the action sendMail.");
                return Err(Refusal::bad(message));
            }
        }
    }
    let input = input.ok_or_else(|| Refusal::bad("The parameter message is missing."))?;
    mailbox.send_mail(input, save, now, rules)?;
    Ok(Answer::empty(StatusCode::ACCEPTED))
}

/// A boolean, which samples of the documentation also write as text.
fn flag(value: &Value) -> Result<bool, Refusal> {
    let text = value.as_str().map(str::to_ascii_lowercase);
    match (value, text.as_deref()) {
        (Value::Bool(value), _) => Ok(*value),
        (_, Some("true")) => Ok(true),
        (_, Some("false")) => Ok(false),
        _ => Err(Refusal::bad("saveToSentItems is not a boolean.")),
    }
}

fn folder_named(name: &str) -> Result<Folder, Refusal> {
    Folder::named(name).ok_or_else(|| Refusal::unknown(format!("the folder {name}")))
}

fn display_name(folder: Folder) -> &'static str {
    match folder {
        Folder::Drafts => "Drafts",
        Folder::SentItems => "Sent Items",
        Folder::Inbox => "Inbox",
        Folder::DeletedItems => "Deleted Items",
    }
}

fn refuse_options(operation: &Operation) -> Result<(), Refusal> {
    match operation.query.first() {
        Some((name, _)) => Err(Refusal::unknown(format!("the query option {name} here"))),
        None => Ok(()),
    }
}

fn in_context(mut body: Value, operation: &Operation, what: &str) -> Value {
    let mailbox = operation.path.get(1).map_or("", String::as_str);
    let context = format!("{}/$metadata#users('{mailbox}')/{what}", operation.root);
    body["@odata.context"] = context.into();
    body
}
