//! What callers may write of a message, as <https://learn.microsoft.com/graph/api/resources/message> has it.
//!
//! Reads JSON strictly: a property that messages do not have is refused as Graph does, one that they have
//! and the sandbox does not is refused with 501.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::operation::Refusal;

/// Longest subject, in characters.
const SUBJECT_CHARACTERS: usize = 255;
/// Most entries of `internetMessageHeaders`.
const MOST_HEADERS: usize = 5;

/// One address in a list of recipients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Recipient {
    #[serde(rename = "@odata.type", default, skip_serializing)]
    kind: Option<String>,
    pub(super) email_address: EmailAddress,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EmailAddress {
    #[serde(rename = "@odata.type", default, skip_serializing)]
    kind: Option<String>,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) address: Option<String>,
}

impl Recipient {
    pub(super) fn new(name: &str, address: &str) -> Self {
        let email_address = EmailAddress {
            kind: None,
            name: Some(name.to_owned()),
            address: Some(address.to_owned()),
        };
        Self {
            kind: None,
            email_address,
        }
    }

    pub(super) fn address(&self) -> &str {
        self.email_address.address.as_deref().unwrap_or_default()
    }

    /// Whether mail can be sent there: a local part and a domain, without spaces.
    pub(super) fn is_well_formed(&self) -> bool {
        let address = self.address();
        let parts = address.rsplit_once('@');
        !address.contains(|c: char| c.is_whitespace() || c.is_control())
            && parts.is_some_and(|(local, domain)| {
                let dotted = !domain.starts_with('.') && !domain.ends_with('.');
                !local.is_empty() && !local.contains('@') && domain.contains('.') && dotted
            })
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BodyInput {
    #[serde(rename = "@odata.type")]
    _kind: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) content: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderInput {
    #[serde(rename = "@odata.type")]
    _kind: Option<String>,
    pub(super) name: String,
    pub(super) value: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PropertyInput {
    #[serde(rename = "@odata.type")]
    _kind: Option<String>,
    pub(super) id: String,
    pub(super) value: String,
}

/// The writable properties; those below `attachments` are known to Graph only.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MessageInput {
    #[serde(rename = "@odata.type")]
    _kind: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) importance: Option<String>,
    pub(super) body: Option<BodyInput>,
    pub(super) to_recipients: Option<Vec<Recipient>>,
    pub(super) cc_recipients: Option<Vec<Recipient>>,
    pub(super) bcc_recipients: Option<Vec<Recipient>>,
    pub(super) reply_to: Option<Vec<Recipient>>,
    pub(super) from: Option<Recipient>,
    pub(super) sender: Option<Recipient>,
    pub(super) categories: Option<Vec<String>>,
    pub(super) internet_message_id: Option<String>,
    pub(super) internet_message_headers: Option<Vec<HeaderInput>>,
    pub(super) single_value_extended_properties: Option<Vec<PropertyInput>>,
    pub(super) is_delivery_receipt_requested: Option<bool>,
    pub(super) is_read_receipt_requested: Option<bool>,
    attachments: Option<IgnoredAny>,
    flag: Option<IgnoredAny>,
    inference_classification: Option<IgnoredAny>,
    is_draft: Option<IgnoredAny>,
    is_read: Option<IgnoredAny>,
    multi_value_extended_properties: Option<IgnoredAny>,
}

impl MessageInput {
    /// Reads and checks a message; recipients are checked when it is sent.
    pub(super) fn read(value: &Value) -> Result<Self, Refusal> {
        let input: Self = serde_json::from_value(value.clone())
            .map_err(|error| refused("RequestBodyRead", &error.to_string()))?;
        input.refuse_unknown()?;
        input.check_values()?;
        input.check_headers()?;
        for property in input.single_value_extended_properties.iter().flatten() {
            if !is_property_id(&property.id) {
                let message = format!("{} is not the id of an extended property.", property.id);
                return Err(refused("ErrorInvalidProperty", &message));
            }
        }
        Ok(input)
    }

    /// The extended properties by id.
    pub(super) fn properties(&self) -> BTreeMap<String, String> {
        let properties = self.single_value_extended_properties.iter().flatten();
        let pair = |property: &PropertyInput| (property.id.clone(), property.value.clone());
        properties.map(pair).collect()
    }

    fn refuse_unknown(&self) -> Result<(), Refusal> {
        let unknown = [
            ("attachments", &self.attachments),
            ("flag", &self.flag),
            ("inferenceClassification", &self.inference_classification),
            ("isDraft", &self.is_draft),
            ("isRead", &self.is_read),
            (
                "multiValueExtendedProperties",
                &self.multi_value_extended_properties,
            ),
        ];
        match unknown.iter().find(|(_, given)| given.is_some()) {
            Some((name, _)) => Err(Refusal::unknown(format!("writing {name}"))),
            None => Ok(()),
        }
    }

    fn check_values(&self) -> Result<(), Refusal> {
        let one_of = |given: Option<&String>, known: &[&str]| {
            given.is_none_or(|given| known.iter().any(|known| given.eq_ignore_ascii_case(known)))
        };
        let content_type = (self.body.as_ref()).and_then(|body| body.content_type.as_ref());
        if !one_of(content_type, &["text", "html"])
            || !one_of(self.importance.as_ref(), &["low", "normal", "high"])
        {
            return Err(refused(
                "RequestBodyRead",
                "An enumeration has no such value.",
            ));
        }
        let subject = self.subject.as_deref().unwrap_or_default();
        if subject.chars().count() > SUBJECT_CHARACTERS {
            return Err(refused(
                "ErrorInvalidArgument",
                "The subject is longer than 255 characters.",
            ));
        }
        let id = self.internet_message_id.as_deref();
        if id.is_some_and(|id| !(id.starts_with('<') && id.ends_with('>') && id.contains('@'))) {
            return Err(Refusal::unknown("an internetMessageId of this form"));
        }
        Ok(())
    }

    fn check_headers(&self) -> Result<(), Refusal> {
        let Some(headers) = &self.internet_message_headers else {
            return Ok(());
        };
        if headers.is_empty() || headers.len() > MOST_HEADERS {
            return Err(refused(
                "InvalidInternetMessageHeaderCollection",
                "The number of internet message headers should be less than or equal to 5, and not 0.",
            ));
        }
        let named_x = |name: &str| name.get(..2).is_some_and(|x| x.eq_ignore_ascii_case("x-"));
        match headers.iter().find(|header| !named_x(&header.name)) {
            Some(header) => Err(refused(
                "InvalidInternetMessageHeader",
                &format!("The header {} does not start with x-.", header.name),
            )),
            None => Ok(()),
        }
    }
}

fn refused(code: &str, message: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, code, message)
}

/// Whether an id has the form `String {guid} Name SomeName`.
///
/// The other forms of <https://learn.microsoft.com/graph/api/resources/extended-properties-overview> are
/// not known here.
pub(super) fn is_property_id(id: &str) -> bool {
    let rest = id
        .strip_prefix("String {")
        .and_then(|rest| rest.split_once("} Name "));
    rest.is_some_and(|(guid, name)| {
        let hyphenated = guid.len() == 36 && uuid::Uuid::try_parse(guid).is_ok();
        hyphenated && !name.trim().is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn messages_are_read_strictly() {
        let header = json!([{"name": "x-a", "value": "1"}]);
        let cases = [
            (json!({"subject": "a".repeat(255)}), None),
            (
                json!({"subject": "a".repeat(256)}),
                Some("ErrorInvalidArgument"),
            ),
            (json!({"Subject": "a"}), Some("RequestBodyRead")),
            (
                json!({"toRecipients": [{"address": "a@b.c"}]}),
                Some("RequestBodyRead"),
            ),
            (
                json!({"body": {"contentType": "html", "content": "a"}}),
                None,
            ),
            (
                json!({"body": {"contentType": "markdown"}}),
                Some("RequestBodyRead"),
            ),
            (json!({"importance": "urgent"}), Some("RequestBodyRead")),
            (json!({"internetMessageHeaders": header}), None),
            (
                json!({"internetMessageHeaders": []}),
                Some("InvalidInternetMessageHeaderCollection"),
            ),
            (
                json!({"internetMessageHeaders": vec![&header[0]; 6]}),
                Some("InvalidInternetMessageHeaderCollection"),
            ),
            (
                json!({"internetMessageHeaders": [{"name": "List-Id", "value": "1"}]}),
                Some("InvalidInternetMessageHeader"),
            ),
            (
                json!({"singleValueExtendedProperties": [{"id": "Key", "value": "1"}]}),
                Some("ErrorInvalidProperty"),
            ),
            (json!({"attachments": []}), Some("NotImplemented")),
            (json!([]), Some("RequestBodyRead")),
        ];
        for (value, code) in cases {
            let refusal = MessageInput::read(&value).err().map(|refusal| refusal.code);
            assert_eq!(refusal.as_deref(), code, "{value}");
        }
    }

    #[test]
    fn ids_of_extended_properties_have_one_form() {
        let guid = "00020329-0000-0000-c000-000000000046";
        assert!(is_property_id(&format!("String {{{guid}}} Name Key")));
        for id in [
            format!("string {{{guid}}} Name Key"),
            format!("String {guid} Name Key"),
            format!("String {{{guid}}} Name "),
            format!("Integer {{{guid}}} Name Key"),
            "String {1} Name Key".to_owned(),
        ] {
            assert!(!is_property_id(&id), "{id}");
        }
    }

    #[test]
    fn malformed_addresses_are_known() {
        for (address, good) in [
            ("ana@contoso.example", true),
            ("ana.o'neill+x@mail.contoso.example", true),
            ("ana", false),
            ("@contoso.example", false),
            ("ana@contoso", false),
            ("a@b@contoso.example", false),
            ("ana @contoso.example", false),
            ("ana@contoso.example.", false),
            ("", false),
        ] {
            assert_eq!(
                Recipient::new("", address).is_well_formed(),
                good,
                "{address}"
            );
        }
    }
}
