//! Vectors as a C compiler makes them of `wasm_simd128.h` and of loops: the kernels of `vectors/` do in MicroPython what the
//! same without vectors do. And crates, whose loops become vectors where that is faster.

use std::fs;
use std::path::Path;
use std::process::Command;

use cargo_mpy::options::{BuildOptions, Stage};
use cargo_mpy::pipeline;
use cargo_mpy::toolchain::which;
use tests::{board, in_ci};

const BOARDS: [&str; 4] = ["unix", "unix-x86", "qemu-armv6m", "qemu-armv81m"];

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

const LOOP: &str = "
#![no_std]
#[panic_handler]
fn on_panic(_: &core::panic::PanicInfo) -> ! { loop {} }
static mut NUMBERS: [f32; 64] = [1.0; 64];
#[unsafe(no_mangle)]
extern \"C\" fn scale(by: f32) -> f32 {
    // SAFETY: one thread.
    let numbers = unsafe { &mut *(&raw mut NUMBERS) };
    numbers.iter_mut().for_each(|number| *number = *number * by + 1.0);
    numbers[63]
}
";

/// A loop in a crate that prints by `std`, which MicroPython implements.
const LOOP_THAT_PRINTS: &str = "
#[unsafe(no_mangle)]
extern \"C\" fn scale(by: f32) -> f32 {
    let mut numbers = [1.0; 64];
    numbers.iter_mut().for_each(|number| *number = *number * by + 1.0);
    println!(\"{}\", numbers[63]);
    numbers[0]
}
";

/// A crate with a loop, and the build of it for this machine and a board.
fn crate_with(code: &str, settings: &str, opt_level: &str) -> (tempfile::TempDir, BuildOptions) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("src")).expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    let manifest = format!(
        "[package]\nname = \"scaled\"\nedition = \"2024\"\n[package.metadata.mpy]\n{settings}\n[lib]\n\
         crate-type = [\"cdylib\"]\n[workspace]\n[profile.release]\nopt-level = {opt_level}\n"
    );
    write("Cargo.toml", &manifest);
    write("src/lib.rs", code);
    let manifest_path = Some(folder.path().join("Cargo.toml"));
    let target_dir = Some(folder.path().join("target"));
    let boards = ["unix", "qemu-armv6m"].map(str::to_owned).to_vec();
    (folder, BuildOptions { manifest_path, target_dir, boards, ..Default::default() })
}

#[test]
fn loops_of_crates_for_speed_are_vectors_where_that_is_faster() {
    // With vectors: the C of this machine, and that of the board.
    for (settings, opt_level, expected) in [
        ("", "3", [true, false]),
        ("", "2", [true, false]),
        ("", "\"s\"", [false, false]),
        ("simd = false", "3", [false, false]),
        ("simd = true", "3", [true, true]),
        ("[package.metadata.mpy.board.unix]\nsimd = false", "3", [false, false]),
    ] {
        let (_folder, options) = crate_with(LOOP, settings, opt_level);
        let plan = pipeline::plan(&options).expect("a plan");
        pipeline::build(&plan, Some(Stage::Obj)).expect("objects");
        let c = |memory: &str| {
            let path = plan.out_dir.join("c/scaled").join(memory).join("module.c");
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let has = ["checked", "direct"].map(|memory| c(memory).contains("wasm_simd.h"));
        assert_eq!(has, expected, "{settings:?} {opt_level}");
    }
    // And both do the same.
    assert_eq!(printed(LOOP, "3"), ["3.0 2.5 -6.5\n"; 2]);
}

/// Programs that lack functions of `std` are linked again, also where nothing was built before: two with a folder each, or
/// one for both targets.
#[test]
fn crates_print_the_first_time() {
    for opt_level in ["3", "\"s\""] {
        assert_eq!(printed(LOOP_THAT_PRINTS, opt_level), ["3\n1.5\n-2\n3.0 1.5 -2.0\n"; 2], "{opt_level}");
    }
}

/// What both modules of a crate print.
fn printed(code: &str, opt_level: &str) -> Vec<String> {
    let (_folder, options) = crate_with(code, "", opt_level);
    let modules = board::modules(options.clone(), &options.boards).expect("modules");
    let of = |board: &target_specs::Board| {
        let code = "import scaled as m\nprint(m.scale(2.0), m.scale(0.5), m.scale(-3.0))\n";
        board::execute(board, &[modules[&board.name].clone()], code).unwrap_or_else(|error| panic!("{error}"))
    };
    board::named(&["unix", "qemu-armv6m"]).into_iter().map(of).collect()
}
