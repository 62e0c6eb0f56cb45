//! The app that this repository deploys, as the host takes it: the function folders and host.json at its root.

use std::path::Path;

use sandbox::host::{Host, HostOptions, stage};
use serde_json::Value;

use crate::support::{HANDLER, get};

#[tokio::test]
async fn the_host_takes_every_function_of_this_repository() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = stage(&repository, Path::new(HANDLER)).unwrap();
    let example = std::fs::read(repository.join("local.settings.example.json")).unwrap();
    let example: Value = serde_json::from_slice(&example).unwrap();
    let settings = example["Values"].as_object().unwrap().iter();
    let mut options = HostOptions::new(root.path());
    options.environment = settings
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    let host = Host::start(options).await.unwrap();
    assert!(
        host.function_errors().is_empty(),
        "{:?}",
        host.function_errors()
    );
    let names: Vec<&str> = host.functions().iter().map(|it| it.name.as_str()).collect();
    for name in [
        "function-invite",
        "function-batch",
        "function-dispatch",
        "function-sweep",
        "function-digest",
        "function-health",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert_eq!(
        get(&host, "api/health").await.status(),
        http::StatusCode::OK
    );
    host.fire("function-dispatch").await.unwrap();
}
