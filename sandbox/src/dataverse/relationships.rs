//! The many-to-many relationships of the sandbox.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/adx_invitation#many-to-many-relationships>

use super::schema::{ManyToMany, Model};

const fn many(
    schema_name: &'static str,
    first: &'static str,
    second: &'static str,
    both_sides: bool,
    model: Model,
) -> ManyToMany {
    ManyToMany {
        schema_name,
        first,
        second,
        both_sides,
        model,
    }
}

/// Every many-to-many relationship of the sandbox.
pub(crate) static RELATIONSHIPS: &[ManyToMany] = &[
    many(
        "adx_invitation_invitecontacts",
        "adx_invitation",
        "contact",
        false,
        Model::Any,
    ),
    many(
        "adx_invitation_redeemedcontacts",
        "adx_invitation",
        "contact",
        false,
        Model::Any,
    ),
    many(
        "adx_invitation_mspp_webrole_powerpagecomponent",
        "adx_invitation",
        "powerpagecomponent",
        false,
        Model::Enhanced,
    ),
    many(
        "adx_invitation_webrole",
        "adx_invitation",
        "adx_webrole",
        false,
        Model::Standard,
    ),
    many(
        "powerpagecomponent_mspp_webrole_contact",
        "powerpagecomponent",
        "contact",
        true,
        Model::Enhanced,
    ),
    many(
        "adx_webrole_contact",
        "adx_webrole",
        "contact",
        true,
        Model::Standard,
    ),
    many(
        "systemuserroles_association",
        "systemuser",
        "role",
        true,
        Model::Any,
    ),
];
