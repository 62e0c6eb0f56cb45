//! A page that is served, and a browser's part in it.

use std::{path::Path, time::Duration};

use http::StatusCode;
use sandbox::{
    Addresses, Options, Sandbox,
    host::{Desk, Host, HostOptions},
    page::Page,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, time::timeout};

const HANDLER: &str = env!("CARGO_BIN_EXE_fake-handler");

/// Long enough for the slowest machine: what is told at all is told within a second.
const PATIENCE: Duration = Duration::from_mins(1);

/// A page that is served until the runtime ends.
pub(crate) struct Open {
    pub(crate) sandbox: Sandbox,
    pub(crate) host: Host,
    pub(crate) addresses: Addresses,
    pub(crate) url: String,
    _app_root: TempDir,
}

/// Starts the services, a host with an http function `function-http` and a timer `function-timer`, and the page.
pub(crate) async fn open() -> Open {
    let app_root = tempfile::tempdir().unwrap();
    app(app_root.path());
    let sandbox = Sandbox::new(Options::default());
    let addresses = sandbox.listen().await.unwrap();
    let host = Host::start(HostOptions::new(app_root.path()))
        .await
        .unwrap();
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", door.local_addr().unwrap());
    let page = Page::new(sandbox.clone(), Desk::clone(&host), addresses.clone()).unwrap();
    tokio::spawn(page.serve(door));
    Open {
        sandbox,
        host,
        addresses,
        url,
        _app_root: app_root,
    }
}

fn app(root: &Path) {
    let handler = json!({"description": {"defaultExecutablePath": HANDLER}, "enableProxyingHttpRequest": true});
    write(
        &root.join("host.json"),
        &json!({"version": "2.0", "customHandler": handler}),
    );
    let functions = [
        (
            "function-http",
            json!([{"name": "req", "type": "httpTrigger", "direction": "in", "route": "echo/{*rest}"}, {"name": "res", "type": "http", "direction": "out"}]),
        ),
        (
            "function-timer",
            json!([{"name": "timer", "type": "timerTrigger", "direction": "in", "schedule": "0 15 * * * *"}]),
        ),
    ];
    for (name, bindings) in functions {
        std::fs::create_dir(root.join(name)).unwrap();
        write(
            &root.join(name).join("function.json"),
            &json!({"bindings": bindings}),
        );
    }
}

fn write(path: &Path, content: &Value) {
    std::fs::write(path, content.to_string()).unwrap();
}

impl Open {
    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        let url = format!("{}{path}", self.url);
        client().get(url).send().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> reqwest::Response {
        let url = format!("{}{path}", self.url);
        let request = client()
            .post(url)
            .header("content-type", "application/json");
        request.body(body.to_string()).send().await.unwrap()
    }

    /// What a browser is told until `enough` says so of the rows of a feed; fails where that never happens.
    pub(crate) async fn rows(&self, feed: &str, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let told = timeout(PATIENCE, self.listen(feed, enough)).await;
        told.unwrap_or_else(|_| panic!("a browser was never told of such {feed}"))
    }

    async fn listen(&self, feed: &str, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut answer = self.get("sandbox/events").await;
        assert_eq!(answer.status(), StatusCode::OK);
        let (mut text, mut rows) = (String::new(), Vec::<Value>::new());
        loop {
            let news = answer.chunk().await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(&news).unwrap());
            while let Some((event, rest)) = text.split_once("\n\n") {
                take(&mut rows, feed, event);
                text = rest.to_owned();
            }
            if enough(&rows) {
                return rows;
            }
        }
    }
}

fn take(rows: &mut Vec<Value>, feed: &str, event: &str) {
    let mut lines = event.lines();
    if lines.next() != Some(&format!("event: {feed}")) {
        return;
    }
    let data = lines.next().unwrap().strip_prefix("data: ").unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    let news = data["rows"].as_array().unwrap().clone();
    let gone = data["gone"].as_array().unwrap().clone();
    rows.retain(|row| !gone.contains(&row["id"]) && news.iter().all(|it| it["id"] != row["id"]));
    rows.extend(news);
}

fn client() -> reqwest::Client {
    let policy = reqwest::redirect::Policy::none();
    let client = reqwest::Client::builder().redirect(policy).no_proxy();
    client.build().unwrap()
}
