//! A Power Pages site with one purpose: its visitors redeem invitations.
//!
//! Works on the rows of [`Dataverse`] as the site's own user. Calls do not wait for anything, so that a
//! test may redeem a code in the middle of somebody else's request.
//! <https://learn.microsoft.com/power-pages/security/invite-contacts>

mod pages;
mod rules;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use parking_lot::Mutex;

pub use self::rules::{RedeemError, Redemption};
use crate::clock::Clock;
use crate::dataverse::Dataverse;

/// Site settings and forms that were handed out.
#[derive(Debug)]
struct Site {
    registration_enabled: bool,
    invitation_enabled: bool,
    /// Whether only people of the organisation get in.
    private: bool,
    /// Languages of the site, as its paths name them; with none, every path that looks like one will do.
    languages: BTreeSet<String>,
    /// Antiforgery tokens of the forms that were shown.
    forms: BTreeSet<String>,
}

/// A site; clones are handles on the same one.
#[derive(Clone, Debug)]
pub struct Portal {
    dataverse: Dataverse,
    clock: Clock,
    site: Arc<Mutex<Site>>,
}

impl Portal {
    /// A site on this environment, with registration and invitations enabled.
    pub fn new(dataverse: Dataverse, clock: Clock) -> Self {
        let site = Site {
            registration_enabled: true,
            invitation_enabled: true,
            private: false,
            languages: BTreeSet::new(),
            forms: BTreeSet::new(),
        };
        Self {
            dataverse,
            clock,
            site: Arc::new(Mutex::new(site)),
        }
    }

    /// The routes of the site.
    pub(crate) fn router(&self) -> Router {
        pages::router(self.clone())
    }

    /// Sets the site setting `Authentication/Registration/InvitationEnabled`.
    pub fn enable_invitations(&self, enabled: bool) {
        self.site.lock().invitation_enabled = enabled;
    }

    /// Sets the site setting `Authentication/Registration/Enabled`.
    pub fn enable_registration(&self, enabled: bool) {
        self.site.lock().registration_enabled = enabled;
    }

    /// Makes the site private: it sends visitors to sign in to the organisation before they see any page.
    /// <https://learn.microsoft.com/power-pages/security/site-visibility>
    pub fn set_private(&self, private: bool) {
        self.site.lock().private = private;
    }

    /// Sets the languages of the site: paths that begin with another one are not found from now on.
    pub fn set_languages(&self, languages: &[&str]) {
        let languages = languages.iter().map(|language| language.to_lowercase());
        self.site.lock().languages = languages.collect();
    }

    fn is_open(&self) -> bool {
        let site = self.site.lock();
        site.registration_enabled && site.invitation_enabled
    }

    /// Registers the invited contact under `username` with `email`, and redeems the invitation.
    pub fn redeem(
        &self,
        code: &str,
        username: &str,
        email: &str,
    ) -> Result<Redemption, RedeemError> {
        let redemption = self.redeem_halfway(code, username, email)?;
        self.finish(redemption);
        Ok(redemption)
    }

    /// Redeems up to the counter and the redeemed contact, and stops before the status: what another
    /// reader sees between the site's two requests.
    pub fn redeem_halfway(
        &self,
        code: &str,
        username: &str,
        email: &str,
    ) -> Result<Redemption, RedeemError> {
        let mut state = self.dataverse.state();
        let code = html_escape::decode_html_entities(code.trim()).into_owned();
        let invitation = rules::find(&state, code.trim(), self.clock.now())?;
        let contact = rules::registrant(&state, &invitation, username, email)?;
        rules::register(&mut state, contact, username, email);
        Ok(rules::count(&mut state, &invitation, contact, username))
    }

    /// Does what is left of a redemption: the invitation's status.
    pub fn finish(&self, redemption: Redemption) {
        rules::close(&mut self.dataverse.state(), redemption.invitation);
    }
}

#[cfg(test)]
mod tests;
