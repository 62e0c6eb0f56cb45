//! Owns the wiring: from settings to a service that listens. The one door for production and tests.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};

use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::{BrandSettings, Config};
use crate::domain::batch::LetterTerms;
use crate::functions;
use crate::letter::{Brand, LetterError, Letters};
use crate::remote::dataverse::Dataverse;
use crate::remote::graph::Graph;
use crate::remote::http::Transport;
use crate::remote::identity::{Identity, sign_in};
use crate::remote::journal::{Place, Store};
use crate::remote::portal::Visitor;
use crate::service::{Mailboxes, Parts, Policy, Service, Templates};

/// What the outside gives: time, chance and a way out.
#[derive(Clone, Debug)]
pub struct Ambient {
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub chance: Chance,
    /// How requests leave.
    pub transport: Transport,
}

/// A service that is ready to listen.
#[derive(Debug)]
pub struct App {
    service: Service,
}

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// No credential can be made.
    #[error("cannot sign in: {0}")]
    Identity(String),
    /// The templates are not right.
    #[error(transparent)]
    Letters(#[from] LetterError),
    /// A language has no invitation.
    #[error("LANGUAGES names {0}, which has no invitation.html in TEMPLATE_DIR")]
    Language(String),
    /// A language has no reminder.
    #[error(
        "LANGUAGES names {0}, which has no reminder.html; add one, or set REMIND_DAYS_BEFORE to 0"
    )]
    Reminder(String),
    /// There is no template for the digest.
    #[error("DIGEST_TO is set, and there is no template digest in {0} or in en")]
    Digest(String),
    /// The batch store cannot be opened.
    #[error("cannot open the batch store (BATCH_STORE): {0}")]
    Store(io::Error),
}

impl AppError {
    /// Whether changing a setting or a template cures it, and another start does not.
    pub const fn is_setting(&self) -> bool {
        matches!(
            self,
            Self::Letters(_) | Self::Language(_) | Self::Reminder(_) | Self::Digest(_)
        )
    }
}

impl App {
    /// Puts everything together; touches no remote service.
    pub fn build(config: Config, ambient: Ambient) -> Result<Self, AppError> {
        let identity = Identity::of(config.credential.clone(), &ambient.transport);
        let identity = identity.map_err(|error| AppError::Identity(error.to_string()))?;
        Self::signed_in(config, ambient, Arc::new(identity))
    }

    /// The same with an identity made elsewhere.
    pub fn signed_in(
        config: Config,
        ambient: Ambient,
        identity: Arc<Identity>,
    ) -> Result<Self, AppError> {
        let languages = config.languages.keys().map(String::as_str);
        let letters = Letters::load_languages(&config.template_dir, languages)?;
        Self::put_together(config, ambient, identity, letters)
    }

    /// The same with letters compiled elsewhere, which many services can share.
    pub fn put_together(
        config: Config,
        ambient: Ambient,
        identity: Arc<Identity>,
        letters: Letters,
    ) -> Result<Self, AppError> {
        let Ambient {
            clock,
            chance,
            transport,
        } = ambient;
        let lacks = |letter: &'static str| {
            let mut languages = config.languages.keys();
            languages.find(|language| !letters.has(language, letter))
        };
        if let Some(language) = lacks(LetterTerms::INVITATION) {
            return Err(AppError::Language(language.clone()));
        }
        if config.remind_days_before > 0
            && let Some(language) = lacks(LetterTerms::REMINDER)
        {
            return Err(AppError::Reminder(language.clone()));
        }
        let language = &config.default_language;
        if !config.digest_to.is_empty() && letters.digest_language(language).is_none() {
            return Err(AppError::Digest(language.clone()));
        }
        let sources = || (clock.clone(), chance.clone());
        let store = store(&config, &transport, sources())?;
        let dataverse = Dataverse::new(
            &config.dataverse_url,
            transport.clone(),
            Arc::clone(&identity),
            sources(),
        );
        let portal = Visitor::new(transport.clone());
        let graph = Graph::new(&config.graph_url, transport, identity, sources());
        let mailboxes = Mailboxes::new(clock.clone(), config.mail_rate_per_minute);
        let templates = Templates::new(letters, store.clone(), clock.clone());
        let service = Service::new(Parts {
            policy: policy(config),
            clock,
            chance,
            dataverse,
            graph,
            portal,
            store,
            templates,
            mailboxes,
        });
        Ok(Self { service })
    }

    /// The use cases, for commands and tests.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Answers requests until the process ends. The host kills it without a word, so nothing waits for a signal.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        axum::serve(listener, functions::router(self.service)).await
    }
}

fn store(
    config: &Config,
    transport: &Transport,
    (clock, chance): (Clock, Chance),
) -> Result<Store, AppError> {
    match &config.batch_store {
        Place::Directory(path) => Store::in_directory(path, clock).map_err(AppError::Store),
        Place::Container { url, client_id } => {
            let credential = config.credential.clone().with_client_id(client_id.clone());
            sign_in(&credential, transport)
                .and_then(|credential| {
                    Store::in_container(url, credential, transport, (clock, chance))
                })
                .map_err(|error| AppError::Identity(error.to_string()))
        }
    }
}

/// Listens where the host said. The host restarts a process on the same port at once, hence the reuse.
pub fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.listen(1_024)
}

fn policy(config: Config) -> Policy {
    let address =
        |address: &crate::domain::email_address::EmailAddress| address.as_str().to_owned();
    Policy {
        site: config.site,
        portal_url: config.portal_url,
        time_zone: config.time_zone,
        languages: config.languages,
        default_language: config.default_language,
        brand: brand(&config.brand),
        reply_to: config.mail_reply_to.as_ref().map(address),
        valid_days: config.invitation_valid_days,
        credential: config.credential,
        on_azure: config.on_azure,
        owner: config.invitation_owner,
        allow_links: config.allow_links,
        allowed_workflows: config.allowed_workflows,
        allowed_roles: config.allowed_roles,
        cooldown: config.resend_cooldown,
        senders: config.mail_senders.iter().map(address).collect(),
        mail_rate_per_minute: config.mail_rate_per_minute,
        delivery: config.mail_delivery,
        inline_time: config.inline_time,
        sweep_scope: config.sweep_scope,
        auto_invite_filter: config.auto_invite_filter,
        remind_days_before: config.remind_days_before,
        digest_to: config.digest_to.iter().map(address).collect(),
        keep: Duration::from_secs(u64::from(config.batch_keep_days) * 24 * 3_600),
    }
}

/// The looks of letters as the settings give them.
pub(crate) fn brand(settings: &BrandSettings) -> Brand {
    let support_email = settings.support_email.as_ref();
    Brand {
        name: settings.name.clone(),
        color: settings.color.clone(),
        logo_url: settings.logo_url.clone(),
        support_email: support_email.map(|address| address.as_str().to_owned()),
    }
}
