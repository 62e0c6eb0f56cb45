//! A Power Pages site with one purpose: its visitors redeem invitations.
//!
//! Works on the rows of [`Dataverse`] as the site's own user. Calls do not wait for anything, so that a
//! test may redeem a code in the middle of somebody else's request.
//! <https://learn.microsoft.com/power-pages/security/invite-contacts>

mod looks;
mod pages;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use parking_lot::Mutex;
use uuid::Uuid;

pub(crate) use self::pages::is_language;
pub use self::rules::{RedeemError, Redemption};
use crate::clock::Clock;
use crate::dataverse::{Dataverse, Row};

/// What an administrator decides about the site.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SiteSettings {
    /// `Authentication/Registration/Enabled`.
    pub registration_enabled: bool,
    /// `Authentication/Registration/InvitationEnabled`.
    pub invitation_enabled: bool,
    /// Whether only people of the organisation get in.
    pub private: bool,
    /// Languages of the site, as its paths name them in lower case; with none, every path that looks like one will do.
    pub languages: BTreeSet<String>,
}

impl Default for SiteSettings {
    fn default() -> Self {
        Self {
            registration_enabled: true,
            invitation_enabled: true,
            private: false,
            languages: BTreeSet::new(),
        }
    }
}

/// The site's settings, and what it remembers of its visitors.
#[derive(Debug, Default)]
struct Site {
    settings: SiteSettings,
    /// Antiforgery tokens of the forms that were shown.
    forms: BTreeSet<String>,
    /// Contacts that signed up and did not sign out, by what their browser holds.
    sessions: BTreeMap<String, Uuid>,
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
        Self {
            dataverse,
            clock,
            site: Arc::default(),
        }
    }

    /// The routes of the site.
    pub(crate) fn router(&self) -> Router {
        pages::router(self.clone())
    }

    /// The settings as they are now.
    pub fn settings(&self) -> SiteSettings {
        self.site.lock().settings.clone()
    }

    /// Sets the site setting `Authentication/Registration/InvitationEnabled`.
    pub fn enable_invitations(&self, enabled: bool) {
        self.site.lock().settings.invitation_enabled = enabled;
    }

    /// Sets the site setting `Authentication/Registration/Enabled`.
    pub fn enable_registration(&self, enabled: bool) {
        self.site.lock().settings.registration_enabled = enabled;
    }

    /// Makes the site private: it sends visitors to sign in to the organisation before they see any page.
    /// <https://learn.microsoft.com/power-pages/security/site-visibility>
    pub fn set_private(&self, private: bool) {
        self.site.lock().settings.private = private;
    }

    /// Sets the languages of the site: paths that begin with another one are not found from now on.
    pub fn set_languages(&self, languages: &[&str]) {
        let languages = languages.iter().map(|language| language.to_lowercase());
        self.site.lock().settings.languages = languages.collect();
    }

    fn is_open(&self) -> bool {
        let settings = self.settings();
        settings.registration_enabled && settings.invitation_enabled
    }

    /// Whether somebody could redeem an invitation now, as far as the invitation is concerned.
    pub(crate) fn takes(&self, invitation: &Row) -> bool {
        let active = invitation.integer("statecode") == Some(0);
        let has_code = invitation
            .text("adx_invitationcode")
            .is_some_and(|code| !code.is_empty());
        active && has_code && rules::check(invitation, self.clock.now()).is_ok()
    }

    /// The address that the form has for a code that can be redeemed: that of the invited contact.
    /// <https://github.com/Adoxio/xRM-Portals-Community-Edition/blob/master/Samples/MasterPortal/Areas/Account/Views/Login/Registration.aspx.cs>
    fn address_of(&self, code: &str) -> String {
        let state = self.dataverse.state();
        let contact = rules::find(&state, &as_read(code), self.clock.now())
            .ok()
            .and_then(|invitation| invitation.id_in("adx_invitecontact"))
            .and_then(|contact| state.store.row("contact", contact));
        let address = contact.and_then(|contact| contact.text("emailaddress1"));
        address.unwrap_or_default().to_owned()
    }

    /// Remembers a contact; what its browser shall hold.
    fn sign_in(&self, contact: Uuid) -> String {
        let session = self.dataverse.state().mint().to_string();
        self.site.lock().sessions.insert(session.clone(), contact);
        session
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
        let invitation = rules::find(&state, &as_read(code), self.clock.now())?;
        let contact = rules::registrant(&state, &invitation, username, email)?;
        rules::register(&mut state, contact, username, email);
        Ok(rules::count(&mut state, &invitation, contact, username))
    }

    /// Does what is left of a redemption: the invitation's status.
    pub fn finish(&self, redemption: Redemption) {
        rules::close(&mut self.dataverse.state(), redemption.invitation);
    }
}

/// A code as the server reads what was typed or linked.
fn as_read(code: &str) -> String {
    let code = html_escape::decode_html_entities(code.trim());
    code.trim().to_owned()
}

#[cfg(test)]
mod tests;
