//! Cargos that are old or broken: named with their version, after what they said.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

#[test]
fn a_cargo_that_fails_is_named_with_its_version() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"x\"\n").expect("a file");
    let cases = [
        ("1.95.0", "echo boom >&2; exit 3", Some("error[tool-failed]"), 1),
        ("1.95.0", "echo boom >&2; kill -9 $$", Some("signal: 9"), 1),
        ("1.60.0", "echo boom >&2; exit 101", Some("1.60.0"), 1),
        ("1.95.0", "echo boom", Some("cannot read `cargo metadata`"), 1),
        // Cargo itself has told what is wrong.
        ("1.95.0", "echo boom >&2; exit 101", None, 101),
    ];
    for (version, script, message, code) in cases {
        let cargo = folder.path().join("cargo");
        let asked = format!("[ \"$1\" = --version ] && echo \"cargo {version} (0123 2026-01-01)\" && exit 0");
        std::fs::write(&cargo, format!("#!/bin/sh\n{asked}\n{script}\n")).expect("a file");
        std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).expect("ours");
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-mpy"))
            .args(["mpy", "build"])
            .current_dir(folder.path())
            .env("CARGO", &cargo)
            .output()
            .expect("the tool starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{script}: {said}");
        assert!(said.contains("boom"), "{script}: {said}");
        assert!(!said.contains("bug of cargo-mpy"), "{script}: {said}");
        match message {
            Some(message) => {
                assert!(said.contains(message) && said.contains(version), "{script}: {said}");
            }
            None => assert!(!said.contains("error["), "{script}: {said}"),
        }
    }
}
