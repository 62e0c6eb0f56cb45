//! Owns the sample of a digest: a day on which everything happened that a digest tells of.

use uuid::Uuid;

use crate::domain::outcome::ReasonCode;
use crate::letter::{
    DigestContent, DigestCount, DigestFailures, DigestGap, DigestList, DigestRow, Unseen,
};

/// A day with these two people in it.
pub(super) fn busy_day(contact: &str, inviter: &str) -> DigestContent {
    let first = Some(contact).filter(|name| !name.is_empty());
    let first = first.unwrap_or("Amara Okafor");
    let passed_on = DigestRow {
        other: Some(inviter.to_owned()).filter(|name| !name.is_empty()),
        other_url: Some(page("contact", 90)),
        ..person("Jonas Lindqvist", 2)
    };
    let shared = DigestRow {
        redemptions: 3,
        ..person("Mónica García Fernández", 3)
    };
    let refused = DigestRow {
        reason: Some(ReasonCode::DataverseRefused.into()),
        ..person("Yusuf Demir", 4)
    };
    let redeemed = [(first, 1), ("Sofie Krogh", 6), ("Lars-Erik Johansson", 7)];
    DigestContent {
        batches: 4,
        unread_batches: 1,
        sent: 128,
        created: 3,
        reasons: vec![DigestFailures {
            reason: ReasonCode::DataverseRefused.into(),
            count: 1,
        }],
        failed: list(vec![refused], 0),
        unconfirmed: list(vec![person("Omar Haddad", 8)], 0),
        stuck: vec![counted("1734829102", 42)],
        redeemed: list(
            redeemed.map(|(name, number)| person(name, number)).into(),
            35,
        ),
        strangers: list(vec![passed_on], 0),
        overused: list(vec![shared], 0),
        expired: list(vec![person("Ingrid Solheim", 9), nameless(10)], 0),
        returned: list(vec![person("Chloé Dubois", 5)], 0),
        strange_reports: 2,
        drafts: vec![counted("i…@contoso.example", 1)],
        unseen: vec![DigestGap {
            what: Unseen::Mailbox,
            mailbox: Some("s…@contoso.example".to_owned()),
            error: Some("403 ErrorAccessDenied".to_owned()),
        }],
    }
}

fn person(name: &str, number: u128) -> DigestRow {
    DigestRow {
        name: Some(name.to_owned()),
        ..nameless(number)
    }
}

/// A contact that has no name, or whose name could not be read.
fn nameless(number: u128) -> DigestRow {
    DigestRow {
        contact: Some(id("contact", number).to_string()),
        contact_url: Some(page("contact", number)),
        invitation_url: Some(page("adx_invitation", number)),
        ..DigestRow::default()
    }
}

fn list(rows: Vec<DigestRow>, hidden: usize) -> DigestList {
    DigestList {
        count: rows.len() + hidden,
        rows,
        hidden,
        more: false,
    }
}

fn counted(what: &str, count: usize) -> DigestCount {
    DigestCount {
        what: what.to_owned(),
        count,
    }
}

fn id(table: &str, number: u128) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{table}/{number}").as_bytes())
}

/// As long as the real address of a row.
fn page(table: &str, number: u128) -> String {
    let id = id(table, number);
    format!(
        "https://contoso.crm4.dynamics.com/main.aspx?pagetype=entityrecord&etn={table}&id=%7B{id}%7D"
    )
}
