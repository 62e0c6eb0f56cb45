//! The app's surface as the host reads it: every function.json against the handler that has to answer for it.

use std::path::Path;

use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Answer, World};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn parse(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Name and bindings of every function folder.
fn functions() -> Vec<(String, Vec<Value>)> {
    let folders = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap());
    let mut functions: Vec<_> = folders
        .filter(|entry| entry.path().join("function.json").is_file())
        .map(|entry| {
            let bindings = parse(&entry.path().join("function.json"))["bindings"].clone();
            let bindings = serde_json::from_value(bindings).unwrap();
            (entry.file_name().into_string().unwrap(), bindings)
        })
        .collect();
    functions.sort_by(|one, other| one.0.cmp(&other.0));
    functions
}

/// The functions with a trigger of this type, with that trigger.
fn triggered_by(kind: &str) -> Vec<(String, Value)> {
    let trigger =
        |bindings: Vec<Value>| bindings.into_iter().find(|binding| binding["type"] == kind);
    let found = functions()
        .into_iter()
        .filter_map(|(name, bindings)| Some((name, trigger(bindings)?)));
    found.collect()
}

/// A path that the route matches, with a value in the place of each parameter.
fn path_of(trigger: &Value) -> String {
    let route = trigger["route"].as_str().unwrap().split('/');
    let filled = route.map(|part| match part {
        "{number}" => "1000000001".to_owned(),
        part if part.starts_with('{') => Uuid::from_u128(7).to_string(),
        part => part.to_owned(),
    });
    format!("/api/{}", filled.collect::<Vec<_>>().join("/"))
}

#[test]
fn each_function_has_one_trigger_and_only_the_bindings_that_are_forwarded_raw() {
    for (name, bindings) in functions() {
        let of = |direction: &str| -> Vec<&str> {
            let those = bindings
                .iter()
                .filter(|binding| binding["direction"] == direction);
            those
                .map(|binding| binding["type"].as_str().unwrap())
                .collect()
        };
        match (&of("in")[..], &of("out")[..]) {
            (["httpTrigger"], ["http"]) | (["timerTrigger"], []) => {}
            other => panic!("{name} has the bindings {other:?}"),
        }
        // The host takes names without underscores only, and says so nowhere but in its log.
        let names = bindings
            .iter()
            .map(|binding| binding["name"].as_str().unwrap());
        assert!(
            names
                .clone()
                .all(|name| !name.is_empty() && !name.contains('_')),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_host_loads_every_function_folder() {
    let world = World::start().await;
    assert_eq!(world.host.function_errors(), Vec::<String>::new());
    let loaded: Vec<_> = world
        .host
        .functions()
        .iter()
        .map(|function| function.name.clone())
        .collect();
    let folders: Vec<_> = functions().into_iter().map(|(name, _)| name).collect();
    assert!(!folders.is_empty());
    assert_eq!(loaded, folders);
}

#[test]
fn each_schedule_is_a_setting_that_the_example_settings_have() {
    let example = parse(&root().join("local.settings.example.json"));
    let timers = triggered_by("timerTrigger");
    assert!(!timers.is_empty());
    for (name, timer) in timers {
        let schedule = timer["schedule"].as_str().unwrap();
        let setting = schedule
            .strip_prefix('%')
            .and_then(|rest| rest.strip_suffix('%'));
        let setting = setting.unwrap_or_else(|| panic!("{name} has the schedule {schedule}"));
        let fields = example["Values"][setting].as_str();
        let fields = fields.unwrap_or_else(|| panic!("the example lacks {setting}"));
        assert_eq!(fields.split(' ').count(), 6, "{setting}");
    }
}

/// The handler answers about the matter, not that it does not know the address.
fn assert_is_known(name: &str, answer: &Answer) {
    let code = answer.json()["code"].clone();
    assert_ne!(answer.status, 405, "{name}");
    assert!(
        code != "notFound" && code != "methodNotAllowed",
        "{name}: {}",
        answer.text
    );
}

#[tokio::test]
async fn each_route_and_method_is_answered_by_the_handler() {
    let world = World::start().await;
    for (name, trigger) in triggered_by("httpTrigger") {
        let methods = trigger["methods"].as_array().unwrap();
        assert!(!methods.is_empty(), "{name} takes every method");
        for method in methods {
            let method: Method = method.as_str().unwrap().to_uppercase().parse().unwrap();
            let body = (method == Method::POST).then(|| b"{}".to_vec());
            let answer = world.request(method, &path_of(&trigger), &[], body).await;
            assert_is_known(&name, &answer);
        }
    }
}

#[tokio::test]
async fn each_timer_has_a_route_with_the_name_of_its_folder() {
    let world = World::start().await;
    for (name, _) in triggered_by("timerTrigger") {
        let run = world.host.fire(&name).await.unwrap();
        assert_eq!(run.status, 200, "{name}");
    }
}

#[tokio::test]
async fn a_timer_cannot_be_run_from_outside() {
    let world = World::start().await;
    let envelope = json!({"Data": {"timer": {"IsPastDue": false}}, "Metadata": {}});
    for (name, _) in triggered_by("timerTrigger") {
        for path in [
            format!("/{name}"),
            format!("/api/{name}"),
            format!("/api/../{name}"),
            format!("/api//{name}"),
        ] {
            for method in [Method::POST, Method::GET] {
                let body = Some(envelope.to_string().into_bytes());
                let answer = world.request(method, &path, &[], body).await;
                assert_eq!((answer.status, answer.text.as_str()), (404, ""), "{path}");
            }
        }
    }
    assert!(world.sandbox.traffic.entries().is_empty());
    let served = world
        .log()
        .into_iter()
        .filter(|line| line["message"] == "answered");
    assert_eq!(served.count(), 0, "nothing reached the handler");
}

#[tokio::test]
async fn every_answer_has_a_body_of_json_whatever_is_asked() {
    let world = World::start().await;
    let json = [("content-type", "application/json")];
    // One byte too many: what is far too large may be cut off before it is answered.
    let huge = vec![b' '; 2 * 1024 * 1024 + 1];
    let asked: [(Method, &str, &[u8], u16); 10] = [
        (Method::GET, "/api/health", b"", 200),
        (Method::POST, "/api/health", b"{}", 405),
        (Method::GET, "/api/nothing", b"", 404),
        (Method::GET, "/api/batches/1000000001", b"", 404),
        (Method::GET, "/api/batches/%FF", b"", 404),
        (Method::POST, "/api/invitations", b"", 400),
        (Method::POST, "/api/invitations", b"\xff\xfe", 400),
        (Method::POST, "/api/invitations", &huge, 413),
        (Method::POST, "/function-sweep", &huge, 413),
        (Method::GET, "/api/batches/1000000001?top=0&top=1", b"", 400),
    ];
    for (method, path, body, status) in asked {
        let answer = world
            .handler(path)
            .request(method, &json, Some(body.to_vec()))
            .await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        let expected = if status == 200 {
            "application/json"
        } else {
            "application/problem+json"
        };
        assert_eq!(
            answer.header("content-type"),
            expected,
            "{path}: {}",
            answer.text
        );
        assert!(answer.json().is_object());
        assert!(status == 200 || answer.json()["code"].is_string());
    }
}
