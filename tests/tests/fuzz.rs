//! The fuzzer of the command line, for a moment: the same cases on every run. `src/bin/fuzz` runs for longer.

use std::path::Path;
use std::process::Command;

use cargo_mpy::toolchain::identity;
use cargo_mpy::toolchain::rust::cargo_program;
use tests::kept;

#[test]
fn no_command_panics_or_hangs() {
    // It starts from modules, and objects of the compilers, and cargo reads the manifests.
    let fuzz = Path::new(env!("CARGO_BIN_EXE_fuzz"));
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut inputs = kept::compilers();
    inputs.extend([kept::digest_of(fuzz), kept::digest_of(&cases)]);
    inputs.push(identity(&cargo_program()));
    kept::by_this_program(inputs, run);
}

fn run() {
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/fuzz");
    let mut fuzz = Command::new(env!("CARGO_BIN_EXE_fuzz"));
    let output = fuzz.args(["--cases", "3000", "--into", folder]).output().expect("the fuzzer");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("0 failures"), "{said}");
}
