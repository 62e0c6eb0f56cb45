//! The rules of invitations, as pure code: no I/O, and time and chance come in as arguments.
//!
//! Everything that decides stands here once; the services carry out what these modules say.

pub mod batch;
pub mod email_address;
pub mod expiry;
pub(crate) mod html;
pub mod ids;
pub mod invitation;
pub mod invitation_code;
pub mod language;
pub mod outcome;
pub mod progress;
pub mod redeem_link;
