//! A stage for one test: a sandbox, the real binary behind the host look-alike, and a folder for its journals.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use sandbox::host::{ConsoleStream, Forwarding, Host, HostOptions, Invocation, stage};
use sandbox::{Addresses, Options, Sandbox};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

/// The one sender mailbox of most tests.
pub(crate) const SENDER: &str = "invitations@contoso.example";

/// A stage; dropping it ends the process and everything else.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) at: Addresses,
    pub(crate) host: Host,
    pub(crate) store: TempDir,
    client: reqwest::Client,
    _app_root: TempDir,
}

/// What the stage is set with.
pub(crate) struct Setup {
    pub(crate) options: Options,
    pub(crate) settings: Vec<(&'static str, String)>,
    pub(crate) forwarding: Forwarding,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            options: Options::default(),
            settings: Vec::new(),
            forwarding: Forwarding::Proxy,
        }
    }
}

impl Setup {
    pub(crate) fn setting(mut self, name: &'static str, value: &str) -> Self {
        self.settings.push((name, value.to_owned()));
        self
    }

    pub(crate) fn senders(mut self, senders: &[&str]) -> Self {
        self.options.senders = senders.iter().map(|sender| (*sender).to_owned()).collect();
        self
    }

    pub(crate) async fn start(self) -> World {
        let client = client();
        let sandbox = Sandbox::new(self.options);
        let at = sandbox.listen().await.unwrap();
        let store = tempfile::tempdir().unwrap();
        let app_root = stage(
            Path::new(env!("CARGO_MANIFEST_DIR")),
            Path::new(env!("CARGO_BIN_EXE_portal-invite")),
        )
        .unwrap();
        let mut environment: BTreeMap<String, String> =
            at.handler_environment(&sandbox).into_iter().collect();
        let defaults = [
            ("BATCH_STORE", store.path().to_str().unwrap()),
            ("DISPATCH_SCHEDULE", "0 * * * * *"),
            ("SWEEP_SCHEDULE", "0 0 * * * *"),
            ("REMIND_SCHEDULE", "0 30 7 * * *"),
            ("DIGEST_SCHEDULE", "0 0 6 * * *"),
            ("RUST_LOG", "trace"),
            ("PORTAL_TIME_ZONE", "Europe/Oslo"),
            ("BRAND_NAME", "Contoso"),
        ];
        let settings = self
            .settings
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let all = defaults.into_iter().chain(settings);
        environment.extend(all.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let mut options = HostOptions::new(app_root.path());
        options.environment = environment.into_iter().collect();
        options.forwarding = self.forwarding;
        let host = Host::start(options).await.unwrap();
        World {
            sandbox,
            at,
            host,
            store,
            client,
            _app_root: app_root,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test's own client, not the product's"
)]
fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// An answer of the handler.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error} in {} {}", self.status, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Outcome and reason code of each entry, in order.
    pub(crate) fn outcomes(&self) -> Vec<String> {
        let json = self.json();
        let results = json["results"]
            .as_array()
            .unwrap_or_else(|| panic!("no results in {json}"));
        results
            .iter()
            .map(|entry| match entry["reason"]["code"].as_str() {
                Some(reason) => format!("{} {reason}", entry["outcome"].as_str().unwrap()),
                None => entry["outcome"].as_str().unwrap().to_owned(),
            })
            .collect()
    }

    pub(crate) fn batch(&self) -> i64 {
        self.json()["batch"].as_i64().unwrap()
    }
}

/// One address and the client that asks there; owned, so that it can be asked from anywhere.
#[derive(Clone)]
pub(crate) struct Door {
    client: reqwest::Client,
    url: reqwest::Url,
}

impl Door {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test's own client, not the product's"
    )]
    pub(crate) async fn request(
        &self,
        method: http::Method,
        headers: &[(&str, &str)],
        body: Option<impl Into<reqwest::Body>>,
    ) -> Answer {
        let mut request = self.client.request(method, self.url.clone());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    /// Posts JSON, as the host does when it fires a timer.
    pub(crate) async fn post(&self, body: &str) -> Answer {
        let json = [("content-type", "application/json; charset=utf-8")];
        let body = Some(body.to_owned());
        self.request(http::Method::POST, &json, body).await
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Setup::default().start().await
    }

    /// A contact with an address made from its first name.
    pub(crate) fn contact(&self, first: &str) -> Uuid {
        let email = format!("{}@customer.example", first.to_lowercase());
        self.contact_with(first, &json!({"emailaddress1": email}))
    }

    pub(crate) fn contact_with(&self, first: &str, columns: &Value) -> Uuid {
        let mut row = json!({"firstname": first, "lastname": "Tester"});
        for (name, value) in columns.as_object().unwrap() {
            row[name] = value.clone();
        }
        self.sandbox.dataverse.insert("contacts", &row)
    }

    pub(crate) fn contacts(&self, count: usize) -> Vec<Uuid> {
        (0..count)
            .map(|place| self.contact(&format!("Person{place}")))
            .collect()
    }

    pub(crate) async fn request(
        &self,
        method: http::Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        let url = self.host.url().join(path).unwrap();
        self.door(url).request(method, headers, body).await
    }

    /// A way to the handler that goes past the host.
    pub(crate) fn handler(&self, path: &str) -> Door {
        let url = format!("http://127.0.0.1:{}{path}", self.host.handler_port());
        self.door(url.parse().unwrap())
    }

    pub(crate) fn door(&self, url: reqwest::Url) -> Door {
        Door {
            client: self.client.clone(),
            url,
        }
    }

    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        let body = Some(body.to_string().into_bytes());
        self.request(http::Method::POST, path, &all, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(http::Method::GET, path, &[], None).await
    }

    pub(crate) async fn invite(&self, body: &Value) -> Answer {
        self.post("/api/invitations", &[], body).await
    }

    pub(crate) async fn invite_keyed(&self, key: &str, body: &Value) -> Answer {
        self.post("/api/invitations", &[("idempotency-key", key)], body)
            .await
    }

    pub(crate) async fn invite_contacts(&self, contacts: &[Uuid]) -> Answer {
        self.invite(&json!({ "contactIds": contacts })).await
    }

    pub(crate) async fn dispatch(&self) -> Invocation {
        self.host.fire("function-dispatch").await.unwrap()
    }

    /// What the handler has logged so far, and nothing else that it has written.
    ///
    /// # Panics
    /// If any line is not one JSON object, or stands on standard error.
    pub(crate) fn log(&self) -> Vec<Value> {
        let lines = self.host.console();
        let lines = lines.into_iter().map(|line| {
            assert_eq!(line.stream, ConsoleStream::Output, "{}", line.text);
            let json: Value = serde_json::from_str(&line.text)
                .unwrap_or_else(|error| panic!("{error} in the line {:?}", line.text));
            assert!(json.is_object(), "{json}");
            json
        });
        lines.collect()
    }

    pub(crate) async fn sweep(&self) -> Invocation {
        self.host.fire("function-sweep").await.unwrap()
    }

    /// Dispatches until no batch is open any more.
    pub(crate) async fn dispatch_until_idle(&self) {
        for _ in 0..60 {
            let tally = self.dispatch().await.body["tally"].clone();
            if tally["left"] == 0 && tally["ended"] == tally["worked"] {
                let open = std::fs::read_dir(self.store.path().join("open"))
                    .unwrap()
                    .count();
                if open == 0 {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("work is left after sixty dispatches");
    }

    /// The rows of a contact, oldest first.
    pub(crate) fn rows(&self, contact: Uuid) -> Vec<Value> {
        self.sandbox.dataverse.invitations_of(contact)
    }

    /// The only row of a contact.
    pub(crate) fn row(&self, contact: Uuid) -> Value {
        let rows = self.rows(contact);
        assert_eq!(rows.len(), 1, "one row for {contact}");
        rows.into_iter().next().unwrap()
    }

    /// How many letters each address got.
    pub(crate) fn letters_by_address(&self) -> BTreeMap<String, usize> {
        let mut letters = BTreeMap::new();
        for letter in self.sandbox.graph.letters() {
            for address in letter.to {
                *letters.entry(address).or_default() += 1;
            }
        }
        letters
    }

    /// One row and one letter a contact, each row marked as sent with the code its letter carries.
    pub(crate) fn assert_each_has_one_letter_and_row(&self, contacts: &[Uuid]) {
        for contact in contacts {
            let row = self.row(*contact);
            assert_eq!(row["statuscode"], 756_150_000, "{row}");
            let code = row["adx_invitationcode"].as_str().unwrap();
            let address =
                self.sandbox.dataverse.row("contacts", *contact).unwrap()["emailaddress1"].clone();
            let letters = self.sandbox.graph.letters();
            let mine: Vec<_> = letters
                .iter()
                .filter(|letter| letter.to == [address.as_str().unwrap()])
                .collect();
            assert_eq!(mine.len(), 1, "one letter to {address}");
            assert!(
                mine[0].html.contains(code),
                "the letter carries the stored code"
            );
        }
    }
}
