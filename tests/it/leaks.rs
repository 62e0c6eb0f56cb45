//! What may not get out, and the search for it: whole and in pieces, in either case, percent-encoded too.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use sandbox::Sandbox;

/// A piece of a code this long is one too many.
const PIECE: usize = 20;

/// Everything that may not get out.
#[derive(Default)]
pub(crate) struct Secrets {
    /// Invitation codes, of rows and of letters.
    pub(crate) codes: BTreeSet<String>,
    /// Addresses of people.
    pub(crate) addresses: Vec<String>,
    /// Tokens and keys.
    pub(crate) words: Vec<String>,
}

impl Secrets {
    /// What a sandbox holds now, mailboxes of the senders included.
    pub(crate) fn of(sandbox: &Sandbox, senders: &[&str]) -> Self {
        let dataverse = &sandbox.dataverse;
        let text = |row: &serde_json::Value, column: &str| row[column].as_str().map(str::to_owned);
        let rows = dataverse.rows("adx_invitations");
        let mut codes: BTreeSet<_> = rows
            .iter()
            .filter_map(|row| text(row, "adx_invitationcode"))
            .collect();
        let in_folders = senders.iter().flat_map(|sender| {
            let (sent, drafts) = (
                sandbox.graph.sent_items(sender),
                sandbox.graph.drafts(sender),
            );
            sent.into_iter().chain(drafts)
        });
        for letter in sandbox.graph.letters().into_iter().chain(in_folders) {
            codes.extend(codes_in(&letter.html));
        }
        let contacts = dataverse.rows("contacts");
        let addresses = contacts.iter().filter_map(|row| text(row, "emailaddress1"));
        let mut words = sandbox.identity.issued_tokens();
        words.push(sandbox.identity.secret().to_owned());
        Self {
            codes,
            addresses: addresses.collect(),
            words,
        }
    }

    /// Looks for those of another moment too.
    pub(crate) fn add(&mut self, other: Self) {
        self.codes.extend(other.codes);
        self.addresses.extend(other.addresses);
        self.words.extend(other.words);
    }

    /// # Panics
    /// If any of it stands in the text.
    pub(crate) fn assert_absent(&self, place: &str, text: &str) {
        let shown = || text.chars().take(2_000).collect::<String>();
        let folded = text.to_lowercase();
        let decoded = percent_decode_str(&folded).decode_utf8_lossy();
        for word in &self.words {
            assert!(
                !text.contains(word),
                "a token or key in {place}: {}",
                shown()
            );
        }
        for address in &self.addresses {
            let address = address.to_lowercase();
            let found = folded.contains(&address) || decoded.contains(&address);
            assert!(!found, "{address} in {place}: {}", shown());
        }
        for code in &self.codes {
            let piece = pieces(code).find(|piece| text.contains(piece));
            assert_eq!(piece, None, "of a code in {place}: {}", shown());
        }
    }
}

/// What each link in a letter carries.
fn codes_in(html: &str) -> impl Iterator<Item = String> {
    let starts = html.split("invitation=").skip(1);
    starts.map(|rest| {
        let is_code =
            |character: &char| character.is_ascii_alphanumeric() || "-_".contains(*character);
        rest.chars().take_while(is_code).collect()
    })
}

/// The code whole, and every run of its characters that is too long to be let out.
fn pieces(code: &str) -> impl Iterator<Item = &str> {
    let starts = 0..code.len().saturating_sub(PIECE);
    let runs = starts.filter_map(|start| code.get(start..start + PIECE));
    std::iter::once(code).chain(runs)
}
