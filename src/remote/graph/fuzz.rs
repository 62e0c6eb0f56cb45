//! What holds for any batch answer of Graph.

use jiff::Timestamp;
use serde_json::Value;

use super::batch::{Answer, decode};
use crate::remote::error::redact;

/// The first byte says how many requests there were, the rest is the answer.
///
/// Each request gets one answer, whatever the order of the answers, and no refusal passes on an address.
pub(crate) fn batch_answer(input: &[u8]) -> bool {
    let Some((count, body)) = input.split_first() else {
        return false;
    };
    let count = usize::from(count % 21);
    let now = Timestamp::UNIX_EPOCH;
    let Ok(answers) = decode::<Value>(body, count, now) else {
        return false;
    };
    assert!(answers.len() == count);
    for answer in &answers {
        if let Answer::Refused(refusal) = answer {
            let told = refusal.to_string();
            assert!(!told.contains('@') && redact(&refusal.message).len() < 400);
        }
    }
    if let Some(reversed) = reversed(body) {
        assert!(decode::<Value>(&reversed, count, now).as_ref() == Ok(&answers));
    }
    true
}

/// The same answers in the other order; none where two answer one request.
fn reversed(body: &[u8]) -> Option<Vec<u8>> {
    let mut json: Value = serde_json::from_slice(body).ok()?;
    let responses = json["responses"].as_array_mut()?;
    let place = |response: &Value| response["id"].as_str()?.parse::<usize>().ok();
    let mut places: Vec<_> = responses.iter().filter_map(place).collect();
    places.sort_unstable();
    responses.reverse();
    let distinct = places.is_sorted_by(|one, next| one < next);
    distinct.then(|| json.to_string().into_bytes())
}
