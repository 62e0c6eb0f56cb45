//! What can be peculiar about a contact, and how often it is: each of these is something that real data has, and that an
//! invitation ends otherwise for, or that a page or a letter may stumble over.

/// What is peculiar about a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    NoAddress,
    SpacesAround,
    UpperCase,
    DisplayName,
    NoAtSign,
    TwoAddresses,
    SharedMailbox,
    /// The address of somebody else, in other case.
    OtherCase,
    /// The name of somebody else, at a private address.
    SamePerson,
    Registered,
    Inactive,
    WantsNoMail,
    Undeliverable,
    LongName,
    MarkupInName,
    /// Invited by a colleague, some days ago.
    Invited,
    /// Invited by a colleague, too long ago.
    InvitedLongAgo,
    /// A colleague made an invitation and has not sent it.
    Prepared,
}

/// The peculiar ones of a stretch.
pub(super) const PECULIAR: [Kind; 22] = [
    Kind::NoAddress,
    Kind::NoAddress,
    Kind::SpacesAround,
    Kind::UpperCase,
    Kind::DisplayName,
    Kind::NoAtSign,
    Kind::TwoAddresses,
    Kind::SharedMailbox,
    Kind::SharedMailbox,
    Kind::OtherCase,
    Kind::SamePerson,
    Kind::Registered,
    Kind::Registered,
    Kind::Inactive,
    Kind::WantsNoMail,
    Kind::Undeliverable,
    Kind::Undeliverable,
    Kind::LongName,
    Kind::MarkupInName,
    Kind::Invited,
    Kind::InvitedLongAgo,
    Kind::Prepared,
];

/// How many people a stretch has, plain ones included.
pub(super) const STRETCH: usize = 38;
