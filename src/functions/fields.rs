//! Owns reading a JSON object field by field, so that a caller learns of every mistake at once.

use serde_json::{Map, Value};

use crate::service::invite::FieldError;

/// The fields of a request that are not read yet, and what was wrong so far.
#[derive(Debug)]
pub(super) struct Fields {
    unread: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    pub(super) fn new(fields: Map<String, Value>) -> Self {
        Self {
            unread: fields,
            errors: Vec::new(),
        }
    }

    pub(super) fn wrong(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError {
            field: field.to_owned(),
            message: message.into(),
        });
    }

    /// Every mistake, unknown fields included.
    pub(super) fn finish(mut self) -> Vec<FieldError> {
        let unknown: Vec<_> = self.unread.keys().cloned().collect();
        for field in unknown {
            self.wrong(&field, "is not a field of this request");
        }
        self.errors
    }

    /// Whether a field is there and not read yet; null counts as absent.
    pub(super) fn has(&self, field: &str) -> bool {
        self.unread.get(field).is_some_and(|value| !value.is_null())
    }

    /// A field's value; null counts as absent.
    pub(super) fn take(&mut self, field: &str) -> Option<Value> {
        #[cfg(test)]
        super::description::note(field);
        self.unread.remove(field).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, field: &str, longest: usize) -> Option<String> {
        let value = self.take(field)?;
        match value {
            Value::String(text) if text.chars().count() <= longest => {
                Some(text).filter(|text| !text.trim().is_empty())
            }
            Value::String(_) => {
                self.refuse(field, format!("must have at most {longest} characters"))
            }
            _ => self.refuse(field, "must be text"),
        }
    }

    pub(super) fn boolean(&mut self, field: &str, default: bool) -> bool {
        self.choice(field).unwrap_or(default)
    }

    /// Yes, no, or nothing said.
    pub(super) fn choice(&mut self, field: &str) -> Option<bool> {
        match self.take(field)? {
            Value::Bool(value) => Some(value),
            _ => self.refuse(field, "must be true or false"),
        }
    }

    pub(super) fn number(&mut self, field: &str) -> Option<i64> {
        match self.take(field)?.as_i64() {
            Some(number) => Some(number),
            None => self.refuse(field, "must be a whole number"),
        }
    }

    /// A text field that is parsed further; the error's text reads after the field's name.
    pub(super) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        field: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match self.take(field)? {
            Value::String(text) => match parse(&text) {
                Ok(value) => Some(value),
                Err(error) => self.refuse(field, error.to_string()),
            },
            _ => self.refuse(field, "must be text"),
        }
    }

    fn refuse<T>(&mut self, field: &str, message: impl Into<String>) -> Option<T> {
        self.wrong(field, message);
        None
    }
}
