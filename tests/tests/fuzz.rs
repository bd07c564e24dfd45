//! The fuzzer of the command line, for a moment: the same cases on every run. `src/bin/fuzz` runs for longer.

use std::process::Command;

#[test]
fn no_command_panics_or_hangs() {
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/fuzz");
    let mut fuzz = Command::new(env!("CARGO_BIN_EXE_fuzz"));
    let output = fuzz.args(["--cases", "3000", "--into", folder]).output().expect("the fuzzer");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("0 failures"), "{said}");
}
