//! Owns the comparison of the code with `connector/apiDefinition.swagger.json`, in both directions: fields of requests,
//! parameters, and every word that callers branch on.
//!
//! What the code knows is asked of the code: readers are run and say which fields they asked for, and serde says which
//! names it takes. Nothing here is a second list.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;

use axum::http::HeaderMap;
use serde::de::{DeserializeOwned, Visitor, value::Error};
use serde::{Deserializer, Serialize, forward_to_deserialize_any};
use serde_json::{Value, json};
use strum::VariantArray as _;
use uuid::Uuid;

use super::problem::Code;
use super::{batch, contact_created, invitations, invite, resend};
use crate::domain::ids::InvitationId;
use crate::domain::invitation::{Kind, Standing};
use crate::domain::outcome::{OutcomeKind, ReasonCode};
use crate::service::doctor;

type Names = BTreeSet<String>;

thread_local! {
    static ASKED: RefCell<Names> = const { RefCell::new(Names::new()) };
}

/// Called for each field that a reader asks for.
pub(super) fn note(field: &str) {
    ASKED.with_borrow_mut(|asked| asked.insert(field.to_owned()));
}

/// The fields that a reader asks for.
fn asked_by<T>(read: impl FnOnce() -> T) -> Names {
    ASKED.take();
    read();
    ASKED.take()
}

fn names<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Names {
    names
        .into_iter()
        .map(|name| name.as_ref().to_owned())
        .collect()
}

fn definition() -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("connector/apiDefinition.swagger.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// What stands at a place of the definition; the place must be there.
fn at(pointer: &str) -> Value {
    let found = definition().pointer(pointer).cloned();
    found.unwrap_or_else(|| panic!("the definition has nothing at {pointer}"))
}

fn properties(pointer: &str) -> Names {
    names(
        at(&format!("{pointer}/properties"))
            .as_object()
            .unwrap()
            .keys(),
    )
}

fn values(pointer: &str) -> Names {
    names(
        at(&format!("{pointer}/enum"))
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_str().unwrap()),
    )
}

/// The parameters of an operation that stand in its query.
fn query(path: &str) -> Names {
    let pointer = format!("/paths/{}/get/parameters", path.replace('/', "~1"));
    let parameters = at(&pointer);
    let of_query = parameters
        .as_array()
        .unwrap()
        .iter()
        .filter(|parameter| parameter["in"] == "query");
    names(of_query.map(|parameter| parameter["name"].as_str().unwrap()))
}

/// The words that serde takes for a type; it lists them when it refuses another one.
fn words<T: DeserializeOwned + Debug>() -> Names {
    let refusal = serde_json::from_value::<T>(json!("no such word"))
        .unwrap_err()
        .to_string();
    names(refusal.split('`').skip(3).step_by(2))
}

/// The words as which serde writes these values.
fn wire_names<T: Serialize>(values: &[T]) -> Names {
    let written = |value| serde_json::to_value(value).unwrap();
    names(values.iter().map(|value| match written(value) {
        Value::String(word) => word,
        other => panic!("{other} is no word"),
    }))
}

/// The fields that serde reads into a struct.
fn fields<T: DeserializeOwned>() -> Names {
    struct Asking<'a>(&'a mut Names);
    impl<'de> Deserializer<'de> for Asking<'_> {
        type Error = Error;

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Error> {
            *self.0 = names(fields);
            Err(serde::de::Error::custom("only the names matter"))
        }

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            Err(serde::de::Error::custom("not a struct"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }
    let mut found = Names::new();
    assert!(T::deserialize(Asking(&mut found)).is_err());
    found
}

#[test]
fn the_definition_names_the_fields_that_an_invitation_is_read_from() {
    let read =
        |body: Value| asked_by(|| invite::read(body.to_string().as_bytes(), &HeaderMap::new()));
    let whole = read(json!({}));
    assert_eq!(properties("/definitions/InviteRequest"), whole);
    let view = read(json!({"view": {"other": 1}}));
    let view: Names = view.difference(&whole).cloned().collect();
    assert_eq!(
        properties("/definitions/InviteRequest/properties/view"),
        view
    );
}

#[test]
fn the_definition_names_the_fields_that_sending_again_is_read_from() {
    let id = InvitationId::new(Uuid::nil());
    let asked = asked_by(|| resend::read(id, b"{}", &HeaderMap::new()));
    assert_eq!(properties("/definitions/ResendRequest"), asked);
}

#[test]
fn the_definition_names_the_parameters_that_are_read_from_queries() {
    let asked = asked_by(|| invitations::read(Vec::new()));
    assert_eq!(query("/api/invitations"), asked);
    assert_eq!(
        query("/api/batches/{number}"),
        fields::<batch::Parameters>()
    );
}

#[test]
fn the_definition_names_what_is_read_from_an_event() {
    let read = fields::<contact_created::ExecutionContext>();
    assert_eq!(properties("/definitions/ContactEvent"), read);
}

#[test]
fn the_definition_names_every_outcome_and_no_other() {
    let outcomes = words::<OutcomeKind>();
    assert_eq!(
        values("/definitions/ResultEntry/properties/outcome"),
        outcomes
    );
    assert_eq!(
        values("/paths/~1api~1batches~1{number}/get/parameters/1"),
        outcomes
    );
    let mut counted = outcomes;
    counted.insert("requested".to_owned());
    assert_eq!(properties("/definitions/Counts"), counted);
}

#[test]
fn the_definition_names_every_reason_and_no_other() {
    let reasons = words::<ReasonCode>();
    assert_eq!(values("/definitions/Reason/properties/code"), reasons);
    let mut verdicts = reasons;
    verdicts.extend(wire_names(contact_created::OwnReason::VARIANTS));
    let pointer = "/definitions/ContactVerdict/properties/reason/properties/code";
    assert_eq!(values(pointer), verdicts);
}

#[test]
fn the_definition_names_every_standing_and_no_other() {
    let standings = words::<Standing>();
    for pointer in [
        "/definitions/Invitation/properties/standing",
        "/definitions/RevokedInvitation/properties/standing",
        "/paths/~1api~1invitations/get/parameters/0",
    ] {
        assert_eq!(values(pointer), standings, "{pointer}");
    }
}

#[test]
fn the_definition_names_every_choice_about_pending_invitations_and_no_other() {
    let choices = names(invite::WHEN_PENDING.map(|(word, _)| word));
    let pointer = "/definitions/InviteRequest/properties/whenPending";
    assert_eq!(values(pointer), choices);
}

#[test]
fn the_definition_names_every_kind_of_invitation_check_and_identity() {
    for (pointer, found) in [
        ("Invitation/properties/type", words::<Kind>()),
        ("RevokedInvitation/properties/type", words::<Kind>()),
        (
            "Diagnosis/properties/checks/items/properties/status",
            words::<doctor::Status>(),
        ),
        (
            "Diagnosis/properties/identity/properties/kind",
            words::<doctor::Kind>(),
        ),
    ] {
        assert_eq!(
            values(&format!("/definitions/{pointer}")),
            found,
            "{pointer}"
        );
    }
}

#[test]
fn the_definition_names_every_code_of_a_problem_but_those_of_wrong_addresses() {
    let mut codes = wire_names(Code::VARIANTS);
    // The host lets no request through to an address or a method that no function is for.
    assert!(codes.remove("notFound") && codes.remove("methodNotAllowed"));
    assert_eq!(values("/definitions/Problem/properties/code"), codes);
}
