//! Texts between Python and programs of other toolchains, as `[imports]` and `[exports]` map them: AssemblyScript's
//! strings, pointers and lengths of C's. `texts/` has the programs, what maps them, what is run and what it prints.

use std::fs;
use std::path::Path;
use std::process::Command;

use cargo_mpy::options::BuildOptions;
use cargo_mpy::toolchain::which;
use tests::{board, in_ci};

const BOARDS: [&str; 5] = ["unix", "unix-x86", "qemu-armv6m", "qemu-rv64imc", "qemu-xtensa"];

/// Each program, and the command that compiles it.
const PROGRAMS: [(&str, &str, &[&str]); 2] = [
    (
        "script",
        "asc",
        &[
            "script.ts",
            "-o",
            "script.wasm",
            "-O",
            "--runtime",
            "minimal",
            "--exportRuntime",
            "--lowMemoryLimit",
            "8192",
        ],
    ),
    (
        "native",
        "clang",
        &[
            "--target=wasm32",
            "-Os",
            "-nostdlib",
            "-fno-builtin",
            "native.c",
            "-o",
            "native.wasm",
            "-Wl,--no-entry,--export=__heap_base,-z,stack-size=512",
        ],
    ),
];

#[test]
fn texts_cross_both_ways() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("texts");
    let read = |name: &str| fs::read_to_string(source.join(name)).expect("a readable file");
    let folder = tempfile::tempdir().expect("a folder");
    for (name, compiler, arguments) in PROGRAMS {
        let there = [tests::tools::node().join("node_modules/.bin").join(compiler)]
            .into_iter()
            .find(|path| path.exists());
        let Some(program) = there.or_else(|| which(compiler)) else {
            assert!(!in_ci(), "`{compiler}` is not there: `cargo xtask setup` installs it");
            eprintln!("skipped: `{compiler}` is missing");
            return;
        };
        // Each has its own settings beside it.
        let home = folder.path().join(name);
        fs::create_dir(&home).expect("a folder");
        fs::write(home.join("mpy.toml"), read(&format!("{name}.toml"))).expect("a file");
        let extension = if compiler == "asc" { "ts" } else { "c" };
        let file = format!("{name}.{extension}");
        fs::write(home.join(&file), read(&file)).expect("a file");
        let output = Command::new(program).args(arguments).current_dir(&home).output().expect("a compiler");
        assert!(output.status.success(), "{compiler}: {}", String::from_utf8_lossy(&output.stderr));
    }
    for board in board::named(&BOARDS) {
        let modules = PROGRAMS.map(|(name, ..)| {
            let input = Some(folder.path().join(name).join(format!("{name}.wasm")));
            let options = BuildOptions { input, ..board::options(board, &folder.path().join("target")) };
            board::module(&options).unwrap_or_else(|error| panic!("{}: {error:?}", board.name))
        });
        let printed = board::execute(board, &modules, &read("test.py"));
        let printed = printed.unwrap_or_else(|error| panic!("{}: {error}", board.name));
        assert_eq!(printed, read("expected.txt"), "{}", board.name);
    }
}
