//! Owns what a sender mailbox tells afterwards: letters that came back, and drafts that were left over.
//!
//! A non-delivery report is known by its message class, not by its words, and is matched to a letter by the ids that it
//! carries: the message it answers, or else the conversation that it joins. Its text is never read.
//! <https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxomsg/6f3751db-583b-4b31-b2ed-58fcc440e5b9>
//! <https://learn.microsoft.com/graph/api/singlevaluelegacyextendedproperty-get>

use std::ops::Range;

use jiff::Timestamp;
use serde::Deserialize;

use super::batch::Request;
use super::message::DELIVERY_KEY;
use super::{Answer, Graph, REQUESTS_A_BATCH, encoded};
use crate::remote::budget::Budget;
use crate::remote::error::RemoteError;
use crate::remote::retry::Repeat;

/// Most reports, and most drafts, that one look takes in.
const MOST: usize = 100;

/// The property that holds a message's class, and that of a report.
const CLASS: &str = "String 0x001A";
const CLASS_OF_REPORTS: &str = "REPORT.IPM.Note.NDR";

/// The property that holds the `Message-ID` of the message which is answered.
/// <https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxomsg/52bb562d-c911-4a15-9754-d9c9d9253b8b>
const IN_REPLY_TO: &str = "String 0x1042";

const ACTION: &str = "look for letters that came back";

/// A report that a message was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `Message-ID` of that message, where the report says so.
    reply_to: Option<String>,
    /// The conversation that the report belongs to.
    conversation: Option<String>,
}

/// What a mailbox holds of some time.
#[derive(Debug)]
pub struct Inspection {
    /// Non-delivery reports in its Inbox, at most a hundred.
    pub reports: Vec<Report>,
    /// Whether there are more of them.
    pub more_reports: bool,
    /// Drafts with a delivery key of ours, among the last hundred of anybody's.
    pub drafts: usize,
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Row>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    conversation_id: Option<String>,
    #[serde(default)]
    single_value_extended_properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Property {
    value: String,
}

/// How a report tells which letter it is about.
#[derive(Clone, Copy)]
enum Way {
    /// It answers the letter.
    Answer,
    /// It joins the letter's conversation.
    Conversation,
}

impl Way {
    fn id(self, report: &Report) -> Option<&str> {
        match self {
            Self::Answer => report.reply_to.as_deref(),
            Self::Conversation => report.conversation.as_deref(),
        }
    }

    fn filter(self, id: &str) -> String {
        let property = match self {
            Self::Answer => "internetMessageId",
            Self::Conversation => "conversationId",
        };
        format!("{property} eq '{}'", id.replace('\'', "''"))
    }
}

impl Row {
    /// The one property that was asked for.
    fn property(self) -> Option<String> {
        let mut properties = self.single_value_extended_properties.into_iter();
        properties.next().map(|property| property.value)
    }
}

impl Graph {
    /// Looks into a mailbox: reports that it received at some time, and drafts of ours last changed at another.
    pub async fn inspect(
        &self,
        mailbox: &str,
        received: Range<Timestamp>,
        changed: Range<Timestamp>,
        budget: &Budget,
    ) -> Result<Inspection, RemoteError> {
        let reports = format!(
            "{} and {}",
            has_value(CLASS, CLASS_OF_REPORTS),
            within("receivedDateTime", &received)
        );
        let drafts = within("lastModifiedDateTime", &changed);
        let requests = vec![
            messages(mailbox, "mailFolders/inbox/messages", &reports, IN_REPLY_TO),
            messages(
                mailbox,
                "mailFolders/drafts/messages",
                &drafts,
                DELIVERY_KEY,
            ),
        ];
        let mut pages = self.pages(requests, budget).await?.into_iter();
        let (Some(reports), Some(drafts)) = (pages.next(), pages.next()) else {
            return Err(self
                .endpoint
                .unreadable(ACTION, "fewer answers than questions"));
        };
        Ok(Inspection {
            more_reports: reports.next.is_some(),
            reports: reports.value.into_iter().map(Report::from).collect(),
            drafts: drafts.value.into_iter().filter_map(Row::property).count(),
        })
    }

    /// The delivery key of the letter that each report is about; `None` where no letter of ours can be told.
    ///
    /// Letters with one subject may share a conversation, so a conversation tells only where it holds one key.
    pub async fn keys_of(
        &self,
        mailbox: &str,
        reports: &[Report],
        budget: &Budget,
    ) -> Result<Vec<Option<String>>, RemoteError> {
        let mut keys = vec![None; reports.len()];
        for way in [Way::Answer, Way::Conversation] {
            let open = (0..reports.len()).filter(|place| keys[*place].is_none());
            let asked: Vec<_> = open
                .filter_map(|place| Some((place, way.id(&reports[place])?)))
                .collect();
            for chunk in asked.chunks(REQUESTS_A_BATCH) {
                let request = |(_, id): &(usize, &str)| {
                    messages(mailbox, "messages", &way.filter(id), DELIVERY_KEY)
                };
                let pages = self
                    .pages(chunk.iter().map(request).collect(), budget)
                    .await?;
                for ((place, _), page) in chunk.iter().zip(pages) {
                    keys[*place] = the_one_key(page);
                }
            }
        }
        Ok(keys)
    }

    async fn pages(
        &self,
        requests: Vec<Request<'_>>,
        budget: &Budget,
    ) -> Result<Vec<Page>, RemoteError> {
        let answers = self
            .batch(ACTION, requests, Repeat::Harmless, false, budget)
            .await?;
        let page = |answer: Answer<Option<Page>>| match answer {
            Answer::Done(page) => {
                page.ok_or_else(|| self.endpoint.unreadable(ACTION, super::NO_LIST))
            }
            other => Err(other.into_error(ACTION)),
        };
        answers.found.into_iter().map(page).collect()
    }
}

impl From<Row> for Report {
    fn from(mut row: Row) -> Self {
        Self {
            conversation: row.conversation_id.take(),
            reply_to: row.property(),
        }
    }
}

fn the_one_key(page: Page) -> Option<String> {
    let mut keys = page.value.into_iter().filter_map(Row::property);
    let key = keys.next()?;
    (page.next.is_none() && keys.all(|other| other == key)).then_some(key)
}

/// Messages that pass a filter, each with one extended property where it has it.
fn messages(mailbox: &str, folder: &str, filter: &str, property: &str) -> Request<'static> {
    let expand = format!("singleValueExtendedProperties($filter=id eq '{property}')");
    Request::get(&format!(
        "users/{}/{folder}?$filter={}&$select=conversationId&$expand={}&$top={MOST}",
        encoded(mailbox),
        encoded(filter),
        encoded(&expand)
    ))
}

fn has_value(property: &str, value: &str) -> String {
    format!(
        "singleValueExtendedProperties/Any(ep: ep/id eq '{property}' and ep/value eq '{value}')"
    )
}

/// Whole seconds, which is what a mailbox keeps.
fn within(property: &str, time: &Range<Timestamp>) -> String {
    let second = |moment: Timestamp| moment.strftime("%Y-%m-%dT%H:%M:%SZ");
    let (from, until) = (second(time.start), second(time.end));
    format!("{property} ge {from} and {property} lt {until}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(keys: &[&str], more: bool) -> Page {
        let row = |key: &&str| json!({"singleValueExtendedProperties": [{"id": DELIVERY_KEY, "value": key}]});
        let mut rows: Vec<_> = keys.iter().map(row).collect();
        rows.push(json!({"conversationId": "of a message that is not ours"}));
        let next = more.then_some("https://graph.example/next");
        serde_json::from_value(json!({"value": rows, "@odata.nextLink": next})).unwrap()
    }

    #[test]
    fn a_report_is_matched_only_where_one_letter_can_be_meant() {
        assert_eq!(the_one_key(page(&["a", "a"], false)), Some("a".to_owned()));
        assert_eq!(the_one_key(page(&["a", "b"], false)), None);
        assert_eq!(the_one_key(page(&["a"], true)), None);
        assert_eq!(the_one_key(page(&[], false)), None);
    }

    #[test]
    fn a_span_of_time_has_its_beginning_and_not_its_end() {
        let time = "2026-11-22T06:00:00.9Z".parse().unwrap()..Timestamp::UNIX_EPOCH;
        assert_eq!(
            within("receivedDateTime", &time),
            "receivedDateTime ge 2026-11-22T06:00:00Z and receivedDateTime lt 1970-01-01T00:00:00Z"
        );
    }
}
