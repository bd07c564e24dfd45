//! The commands of the examples' READMEs, typed as they stand there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_mpy::pipeline::in_parallel;
use tests::board;
use tests::readme::commands;

#[test]
fn commands_print_what_the_readme_says() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let bin = tempfile::tempdir().expect("a folder");
    fs::copy(env!("CARGO_BIN_EXE_cargo-mpy"), bin.path().join("cargo-mpy")).expect("a copy of the program");
    let path = std::env::join_paths(
        [bin.path().to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    )
    .expect("a PATH");
    let missing: Vec<_> = board::boards().into_iter().filter(|(_, why_not)| why_not.is_some()).collect();
    let examples: Vec<PathBuf> = fs::read_dir(examples)
        .expect("the examples")
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    let try_commands = |example: &PathBuf| {
        let Ok(markdown) = fs::read_to_string(example.join("README.md")) else { return 0 };
        let mut tried = 0;
        for command in commands(&markdown) {
            if let Some((board, why)) = missing.iter().find(|(board, _)| command.shell.contains(&board.name))
            {
                eprintln!("skipped: {} ({why:?})", board.name);
                continue;
            }
            let output = Command::new("bash")
                .args(["-euc", &command.shell])
                .current_dir(example)
                .env("PATH", &path)
                .env("CARGO_TARGET_DIR", tests::board::crates(env!("CARGO_TARGET_TMPDIR")))
                .output()
                .expect("bash");
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: {}\n{stderr}", example.display(), command.shell);
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                command.prints,
                "{}\n{stderr}",
                command.shell
            );
            tried += 1;
        }
        tried
    };
    let tried: u32 = in_parallel(&examples, try_commands).iter().sum();
    assert!(tried >= 3, "the READMEs have commands");
}
