//! Vectors as a C compiler makes them of `wasm_simd128.h` and of loops: the kernels of `vectors/` do in MicroPython what the
//! same without vectors do.

use std::fs;
use std::path::Path;
use std::process::Command;

use cargo_mpy::options::BuildOptions;
use cargo_mpy::toolchain::which;
use tests::{board, in_ci};

const BOARDS: [&str; 3] = ["unix", "unix-x86", "qemu-armv6m"];

/// Without and with what native addresses need.
const FLAGS: [&[&str]; 2] = [&[], &["-Wl,--emit-relocs"]];

#[test]
fn kernels_of_c_do_what_they_do_without_vectors() {
    let Some(clang) = which("clang") else {
        assert!(!in_ci(), "`clang` is not there: `cargo xtask setup` installs it");
        eprintln!("skipped: `clang` is missing");
        return;
    };
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let code = fs::read_to_string(source.join("test.py")).expect("a readable file");
    for flags in FLAGS {
        let folder = tempfile::tempdir().expect("a folder");
        let input = folder.path().join("kernels.wasm");
        let mut command = Command::new(&clang);
        command.args([
            "--target=wasm32",
            "-O2",
            "-msimd128",
            "-nostdlib",
            "-ffreestanding",
            "-Wl,--no-entry",
        ]);
        command.args(flags).arg(source.join("kernels.c")).arg("-o").arg(&input);
        let output = command.output().expect("a compiler");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        for board in board::named(&BOARDS) {
            let input = Some(input.clone());
            let options = BuildOptions { input, ..board::options(board, &folder.path().join("target")) };
            let module = board::module(&options).unwrap_or_else(|error| panic!("{}: {error:?}", board.name));
            let printed = board::execute(board, &[module], &code);
            assert_eq!(printed.as_deref(), Ok("same True True True\n"), "{} {flags:?}", board.name);
        }
    }
}
