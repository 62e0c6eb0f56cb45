//! Owns how a place in the list of invitations travels: as text that callers hand back and need not understand.
//!
//! It carries a digest of the place and of the filter. So a cursor that was cut short, or comes with another filter, is
//! refused instead of leading somewhere else. It holds no secret and opens nothing, hence the digest has no key.

use std::cmp::Reverse;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::ids::InvitationId;
use crate::service::invitations::{InvitationFilter, Place};

/// Whoever changes what a cursor holds changes this.
const VERSION: u8 = 1;

/// Version, second and id.
const PLACE_BYTES: usize = 1 + 8 + 16;

const DIGEST_BYTES: usize = 8;

/// The cursor of a place.
pub(super) fn write(place: Place, filter: &InvitationFilter) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(place.second.0.to_be_bytes());
    bytes.extend(place.id.uuid().into_bytes());
    let digest = digest(&bytes, filter);
    bytes.extend(digest);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place of a cursor that was made for this filter.
pub(super) fn read(text: &str, filter: &InvitationFilter) -> Result<Place, &'static str> {
    place(text, filter).ok_or("is not one that an earlier answer gave for the same filter")
}

fn place(text: &str, filter: &InvitationFilter) -> Option<Place> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (place, seal) = bytes.split_at_checked(PLACE_BYTES)?;
    if seal != digest(place, filter) {
        return None;
    }
    let (version, rest) = place.split_first()?;
    let (second, id) = rest.split_at_checked(8)?;
    (*version == VERSION).then_some(Place {
        second: Reverse(i64::from_be_bytes(second.try_into().ok()?)),
        id: InvitationId::new(Uuid::from_slice(id).ok()?),
    })
}

fn digest(place: &[u8], filter: &InvitationFilter) -> [u8; DIGEST_BYTES] {
    let InvitationFilter {
        standing,
        contact,
        batch,
    } = filter;
    let filter = format!("{standing:?} {contact:?} {batch:?}");
    let whole = Sha256::new()
        .chain_update(place)
        .chain_update(filter)
        .finalize();
    std::array::from_fn(|index| whole[index])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::invitation::Standing;
    use proptest::prelude::*;

    fn filter(standing: Option<Standing>) -> InvitationFilter {
        InvitationFilter {
            standing,
            ..InvitationFilter::default()
        }
    }

    proptest! {
        #[test]
        fn a_cursor_leads_back_to_its_place_and_no_change_of_it_leads_anywhere(
            second: i64, id: u128, at in 0_usize..33, flip in 1_u8..,
        ) {
            let place = Place { second: Reverse(second), id: InvitationId::new(Uuid::from_u128(id)) };
            let text = write(place, &filter(None));
            prop_assert_eq!(read(&text, &filter(None)), Ok(place));
            prop_assert!(read(&text, &filter(Some(Standing::Pending))).is_err());
            let mut bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
            bytes[at] ^= flip;
            prop_assert!(read(&URL_SAFE_NO_PAD.encode(&bytes), &filter(None)).is_err());
            bytes.truncate(at);
            prop_assert!(read(&URL_SAFE_NO_PAD.encode(&bytes), &filter(None)).is_err());
        }
    }
}
