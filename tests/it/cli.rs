//! The command line as a person meets it: help, answers, exit codes, and nothing on the wrong stream.

use std::process::{Output, Stdio};

use sandbox::faults::{Fault, Rule, Service};
use serde_json::{Value, json};

use crate::leaks::Secrets;
use crate::process::{binary, run};
use crate::world::{SENDER, Setup, World};

mod preview;

const SUPPORT: (&str, &str) = ("SUPPORT_EMAIL", "help@contoso.example");
const ZONE: (&str, &str) = ("PORTAL_TIME_ZONE", "Europe/Oslo");

/// How a command ended: its exit code, standard output and standard error.
struct Ended(i32, String, String);

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap();
        Self(code, text(output.stdout), text(output.stderr))
    }
}

/// Runs a command without any service.
async fn alone(arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
    let mut command = binary(arguments, settings.iter().copied());
    command.output().await.unwrap().into()
}

async fn on(world: &World, arguments: &[&str], more: &[(&str, &str)]) -> Ended {
    run(world, arguments, more).await.into()
}

#[tokio::test]
async fn help_names_every_command_with_examples_and_fits_a_terminal() {
    for arguments in [
        vec!["--help"],
        vec!["doctor", "--help"],
        vec!["sweep", "--help"],
        vec!["preview", "--help"],
    ] {
        let Ended(code, output, error) = alone(&arguments, &[]).await;
        assert_eq!((code, error.as_str()), (0, ""));
        assert!(output.contains("Examples:"), "{output}");
        for line in output.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
    let Ended(_, output, _) = alone(&["--help"], &[]).await;
    for word in ["doctor", "sweep", "preview", "Exit codes", "64"] {
        assert!(output.contains(word), "no {word} in {output}");
    }
}

#[tokio::test]
async fn the_version_is_told() {
    let Ended(code, output, error) = alone(&["--version"], &[]).await;
    let version = format!("portal-invite {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((code, output, error), (0, version, String::new()));
}

#[tokio::test]
async fn wrong_arguments_end_with_64_and_say_so_on_standard_error() {
    for arguments in [
        vec!["cure"],
        vec!["doctor", "--loud"],
        vec!["doctor", "--yes"],
        vec!["doctor", "--json", "--deactivate-legacy"],
        vec!["preview", "--template"],
    ] {
        let Ended(code, output, error) = alone(&arguments, &[]).await;
        assert_eq!((code, output.as_str()), (64, ""), "{arguments:?}");
        assert!(error.contains("--help"), "{error}");
    }
}

#[tokio::test]
async fn the_doctor_ends_with_what_it_found() {
    let world = World::start().await;
    let Ended(code, output, error) = on(&world, &["doctor"], &[SUPPORT, ZONE]).await;
    assert_eq!((code, error.as_str()), (0, ""), "{output}");
    assert!(
        output.contains("Signed in as a managed identity"),
        "{output}"
    );
    let last = output.lines().last().unwrap();
    assert!(last.ends_with("0 failed. Nothing to do."), "{output}");
    assert!(!output.contains('\u{1b}'), "no colours without a terminal");

    world.sandbox.portal.enable_registration(false);
    let Ended(code, output, error) = on(&world, &["doctor"], &[ZONE]).await;
    assert_eq!((code, error.as_str()), (1, ""));
    let (before, failed) = output.split_once("\nFAILED\n").unwrap();
    assert!(failed.contains("portal.register"), "{output}");
    assert!(
        before.contains("WARNINGS\n  settings.supportEmail"),
        "{output}"
    );
    for line in output.lines() {
        assert!(
            line.chars().count() <= 80 || !line.trim().contains(' '),
            "{line}"
        );
    }
}

#[tokio::test]
async fn the_doctors_json_is_what_the_function_answers() {
    let setup = Setup::default().setting(SUPPORT.0, SUPPORT.1);
    let world = setup.start().await;
    world.sandbox.portal.set_private(true);
    let mut answer = world.get("/api/doctor").await.json();
    let Ended(code, output, error) = on(&world, &["doctor", "--json"], &[SUPPORT, ZONE]).await;
    let mut said: Value = serde_json::from_str(&output).unwrap();
    assert_eq!((code, error.as_str()), (0, ""), "a warning is no failure");
    for diagnosis in [&mut answer, &mut said] {
        assert!(diagnosis["checkedOn"].is_string());
        diagnosis["checkedOn"] = Value::Null;
    }
    assert_eq!(said, answer);
}

#[tokio::test]
async fn a_commands_log_goes_to_standard_error_and_neither_stream_holds_a_secret() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    assert_eq!(world.invite_contacts(&[ann]).await.outcomes(), ["sent"]);
    let trace = ("RUST_LOG", "trace");
    for arguments in [vec!["doctor", "--json"], vec!["sweep"], vec!["preview"]] {
        for service in [
            Service::Dataverse,
            Service::Graph,
            Service::Identity,
            Service::Portal,
        ] {
            world.sandbox.faults.clear();
            let quote = Fault::Quote { status: 403 };
            world.sandbox.faults.add(Rule::on(service, quote).skip(1));
            let Ended(_, output, error) = on(&world, &arguments, &[trace, ZONE]).await;
            let secrets = Secrets::of(&world.sandbox, &[SENDER]);
            secrets.assert_absent("standard output", &output);
            secrets.assert_absent("standard error", &error);
            assert!(!output.contains("TRACE") && !output.contains("\"level\""));
            if arguments[0] == "doctor" {
                assert!(error.contains("TRACE"), "{error}");
                assert!(serde_json::from_str::<Value>(&output).is_ok());
            }
        }
    }
}

#[tokio::test]
async fn a_sweep_by_hand_says_what_it_did() {
    let world = World::start().await;
    let Ended(code, output, error) = on(&world, &["sweep"], &[]).await;
    let none = "0 expired invitations closed, 0 had changed, 0 failed.\n";
    assert_eq!((code, output.as_str(), error.as_str()), (0, none, ""));
    let Ended(code, output, error) = alone(&["sweep", "--dry-run"], &[]).await;
    assert_eq!((code, output.as_str()), (64, ""));
    assert!(error.contains("DATAVERSE_URL"), "{error}");
}

#[tokio::test]
async fn a_reader_who_leaves_early_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = binary(&["preview"], []);
    let child = command.stdout(writer).stderr(Stdio::piped()).spawn();
    let Ended(code, _, error) = child.unwrap().wait_with_output().await.unwrap().into();
    assert_eq!((code, error.as_str()), (0, ""));
}

/// Turns the stock process on or off, as a person would, and gives what there is of it.
fn stock_process(world: &World, active: bool) -> Value {
    let rows = world.sandbox.dataverse.rows("workflows");
    let stock = rows
        .into_iter()
        .find(|row| row["name"] == "Send Invitation");
    let id = stock.unwrap()["workflowid"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let state = json!({"statecode": i32::from(active), "statuscode": if active { 2 } else { 1 }});
    world.sandbox.dataverse.change("workflows", id, &state);
    world.sandbox.dataverse.row("workflows", id).unwrap()
}

fn active_workflows(world: &World) -> Vec<String> {
    let rows = world.sandbox.dataverse.rows("workflows").into_iter();
    let active = rows.filter(|row| row["statecode"] == 1);
    active
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn legacy_workflows_are_shown_before_they_are_turned_off_and_only_they() {
    let world = World::start().await;
    stock_process(&world, false);
    let others = active_workflows(&world);
    assert!(!others.is_empty());
    let command = ["doctor", "--deactivate-legacy"];
    let Ended(code, output, error) = on(&world, &command, &[]).await;
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(output.contains("Nothing was changed"), "{output}");

    let stock = stock_process(&world, true);
    let Ended(code, output, error) = on(&world, &command, &[]).await;
    assert_eq!(
        (code, error.as_str()),
        (64, ""),
        "there is no terminal to ask at"
    );
    for word in [
        "Send Invitation",
        stock["workflowid"].as_str().unwrap(),
        "--yes",
    ] {
        assert!(output.contains(word), "no {word} in {output}");
    }
    assert_eq!(world.sandbox.dataverse.writes(), 0);

    let command = ["doctor", "--deactivate-legacy", "--yes"];
    let Ended(code, output, error) = on(&world, &command, &[]).await;
    assert_eq!((code, error.as_str()), (0, ""), "{output}");
    assert!(output.contains("Send Invitation: turned off"), "{output}");
    assert!(output.contains("turn a workflow on again"), "{output}");
    assert_eq!(world.sandbox.dataverse.writes(), 1);
    assert_eq!(active_workflows(&world), others);
}

#[tokio::test]
async fn a_workflow_that_cannot_be_turned_off_ends_with_1() {
    let world = World::start().await;
    stock_process(&world, true);
    let refused = Fault::Answer {
        status: 403,
        retry_after_seconds: None,
        code: "0x80040220".to_owned(),
        effect: false,
    };
    let patch = Rule::on(Service::Dataverse, refused).method(http::Method::PATCH);
    world.sandbox.faults.add(patch.inside_batch());
    let command = ["doctor", "--deactivate-legacy", "--yes"];
    let Ended(code, output, _) = on(&world, &command, &[]).await;
    assert_eq!(code, 1, "{output}");
    assert!(output.contains("Send Invitation: still on:"), "{output}");
}
