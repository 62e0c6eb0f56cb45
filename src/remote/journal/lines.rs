//! Owns how a journal's lines are written as bytes and read again.

use super::StoreError;
use crate::domain::batch::Line;
use crate::domain::ids::BatchNumber;

/// Up to where whole lines stand; what comes after the last line end was never written to its end.
pub(super) fn whole(bytes: &[u8]) -> usize {
    let last = bytes.iter().rposition(|byte| *byte == b'\n');
    last.map_or(0, |last| last + 1)
}

pub(super) fn parse(number: BatchNumber, bytes: &[u8]) -> Result<Vec<Line>, StoreError> {
    bytes[..whole(bytes)]
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(serde_json::from_slice)
        .collect::<Result<_, _>>()
        .map_err(|error| StoreError::Unreadable {
            number,
            detail: error.to_string(),
        })
}

/// Writes lines, each ended.
pub(super) fn format(lines: &[Line]) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut bytes, line).map_err(|error| StoreError::Io {
            action: "write a line",
            source: error.into(),
        })?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}
