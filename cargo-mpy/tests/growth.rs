//! What large modules take to translate: never more than this much of the processor's time and of memory, which the
//! system enforces. What the same program took before is not measured again.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Output};

use tests::kept;

/// Seconds of the processor's time, and kilobytes of address space.
const SECONDS: u32 = 10;
const KILOBYTES: u32 = 500_000;

/// Runs a test that depends on the command, on compilers and on our headers for C; not once more with the same ones.
fn with_this_command(name: &str, test: impl FnOnce()) {
    let mut inputs = kept::compilers();
    inputs.push(name.to_owned());
    let headers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../c-runtime/include");
    inputs.extend([Path::new(env!("CARGO_BIN_EXE_cargo-mpy")), &headers].map(kept::digest_of));
    kept::by_this_program(inputs, test);
}

/// The C of a module, or why there is none.
fn translated(name: &str, wat: &str) -> Result<String, String> {
    emitted("c", name, wat)
}

/// What a stage makes of a module, or why it makes nothing.
fn emitted(stage: &str, name: &str, wat: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("{name}.wasm");
    std::fs::write(folder.path().join(&file), wat::parse_str(wat).unwrap()).unwrap();
    let limits = format!("ulimit -t {SECONDS} -v {KILOBYTES}; exec \"$0\" \"$@\"");
    let Output { status, stdout, stderr } = Command::new("/bin/sh")
        .args(["-c", &limits, env!("CARGO_BIN_EXE_cargo-mpy"), "build", &file])
        .args(["--emit", stage, "--memory", "checked", "--arch", "armv6m"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&stderr).into_owned();
    match status.code() {
        Some(0) => Ok(String::from_utf8(stdout).unwrap()),
        Some(1) => Err(said),
        _ => panic!("{name}: {status}: {said}"),
    }
}

/// Compiles C by GCC and clang, as far as they are there, without optimisation.
fn compiles(name: &str, c: &str) {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("unit.c");
    let answer = "static inline void wasm_trap(wasm_trap_t kind) { (void)kind; __builtin_trap(); }\n";
    std::fs::write(&source, format!("{c}\n{answer}")).unwrap();
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../c-runtime/include");
    for compiler in ["gcc", "clang"] {
        let mut command = Command::new(compiler);
        command.args(["-O0", "-w", "-fsyntax-only", "-I"]).arg(&include).arg(&source);
        let Ok(output) = command.output() else {
            assert!(std::env::var_os("CI").is_none(), "{compiler}");
            continue;
        };
        assert!(output.status.success(), "{name}, {compiler}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn blocks_in_blocks() {
    with_this_command("blocks_in_blocks", || {
        for (name, open, close) in [
            ("block", "(block (br_if 0 (local.get 0)) ", ")"),
            ("loop", "(loop (br_if 0 (local.get 0)) ", ")"),
            ("ifs", "(if (local.get 0) (then ", "))"),
            ("elses", "(if (local.get 0) (then nop) (else ", "))"),
        ] {
            let nested = |depth: usize| {
                let [open, close] = [open, close].map(|text| text.repeat(depth));
                translated(name, &format!("(module (func (export \"f\") (param i32) {open} {close}))"))
                    .unwrap()
            };
            nested(50_000);
            // GCC takes time with the square of the number of labels.
            compiles(name, &nested(5_000));
        }
    });
}

#[test]
fn functions_of_one_name() {
    with_this_command("functions_of_one_name", || {
        let functions: String = (0..50_000)
            .map(|at| format!("(func $f{at} (@name \"same\") (result i32) (i32.const {at}))\n"))
            .collect();
        let names: String = (0..50_000).map(|at| format!(" $f{at}")).collect();
        let wat = format!(
            "(module {functions} (table funcref (elem{names})) \
             (func (export \"f\") (param i32) (result i32) (call_indirect (result i32) (local.get 0))))"
        );
        let c = translated("names", &wat).unwrap();
        assert!(c.matches(" f_same").count() >= 50_000);
    });
}

#[test]
fn strings() {
    with_this_command("strings", || {
        let imports: String =
            (0..100_000).map(|at| format!("(import \"host\" \"f{at}\" (func $f{at}))\n")).collect();
        let calls: String = (0..100_000).map(|at| format!(" (call $f{at})")).collect();
        let c =
            emitted("glue", "strings", &format!("(module {imports} (func (export \"f\") {calls}))")).unwrap();
        assert!(c.matches("mpy_call_import(").count() >= 100_000);
    });
}

#[test]
fn locals() {
    with_this_command("locals", || {
        // The most that a function may have is 50,000.
        let sets: String = (1..50_000).map(|at| format!("(local.set {at} (local.get {}))", at - 1)).collect();
        let function = |name: &str| {
            let locals = "i32 ".repeat(49_999);
            format!(
                "(func (export \"{name}\") (param i32) (result i32) (local {locals}) {sets} (local.get 49999))"
            )
        };
        let c = translated("locals", &format!("(module {} {})", function("f"), function("g"))).unwrap();
        assert!(c.contains("l49999"));
    });
}

#[test]
fn data() {
    with_this_command("data", || {
        let bytes: String =
            (0..10_000_000_u32).map(|at| format!("\\{:02x}", (at * 7 + at / 256) as u8)).collect();
        let c = translated(
            "data",
            &format!("(module (memory (export \"memory\") 200) (data (i32.const 0) \"{bytes}\"))"),
        );
        assert!(c.unwrap().contains("data0[10000000]"));
    });
}

#[test]
fn values_of_branches() {
    with_this_command("values_of_branches", || {
        let results = "i64 ".repeat(1000);
        let wat = format!(
            "(module (func $f (export \"f\") (param i32) (result {results}) (block (result {results}) {} {})))",
            "(i64.const 1)".repeat(1000),
            "(br_if 0 (local.get 0))".repeat(40_000)
        );
        // Each branch gives a thousand values.
        assert!(translated("branches", &wat).unwrap_err().contains("error[too-large]"));
    });
}
