//! The whole measurement, so small that its figures mean nothing: every chapter runs, and the table holds what it promises.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
#[ignore = "needs Node.js; scripts/test runs it"]
fn every_chapter_is_measured_beside_the_flow() {
    let measure = Path::new(env!("CARGO_BIN_EXE_measure"));
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let handler = measure.with_file_name("portal-invite");
    assert!(
        handler.is_file(),
        "{} is missing: build the whole workspace",
        handler.display()
    );
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(measure)
        .arg("--small")
        .arg("--handler")
        .arg(&handler)
        .arg("--app")
        .arg(&repository)
        .arg("--flow")
        .arg(repository.join("benches/flow.mjs"))
        .arg("--into")
        .arg(folder.path())
        .args(["size", "start", "one", "bulk", "sweep", "reading", "load"])
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    let json = std::fs::read(folder.path().join("bench.json")).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    let chapters = json["chapters"].as_array().unwrap();
    assert_eq!(chapters.len(), 7);
    for chapter in chapters {
        let rows = chapter["rows"].as_array().unwrap();
        assert!(!rows.is_empty(), "{chapter}");
        for row in rows {
            assert!(row["ours"].as_f64().unwrap() >= 0.0, "{row}");
        }
    }
    let markdown = std::fs::read_to_string(folder.path().join("bench.md")).unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains(&markdown));
    assert!(markdown.contains("aims are met"), "{markdown}");
}
