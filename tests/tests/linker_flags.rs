//! Crates whose linker gets flags that change how memory and tables are laid out, imported or exported work as without
//! them: state, data and calls through pointers.

use std::fs;

use cargo_mpy::options::BuildOptions;
use tests::board;

const BOARDS: [&str; 4] = ["unix", "qemu-armv6m", "qemu-rv32imc", "qemu-xtensawin"];

const FLAGS: [&str; 9] = [
    "--import-memory",
    "--import-memory=host,heap",
    "--export-table",
    "--growable-table",
    "--no-stack-first",
    "--stack-first",
    "--global-base=4096",
    "--initial-memory=2097152",
    "--max-memory=4194304",
];

const CODE: &str = "
#![no_std]
#[panic_handler]
fn on_panic(_: &core::panic::PanicInfo) -> ! { loop {} }
static mut COUNTS: [u32; 3] = [1, 2, 3];
static STEPS: [fn(u32) -> u32; 2] = [|n| n + 10, |n| n * 10];
#[unsafe(no_mangle)]
extern \"C\" fn count(at: u32) -> u32 {
    // SAFETY: one thread.
    let count = unsafe { &mut (*(&raw mut COUNTS))[at as usize % 3] };
    *count += 1;
    *count
}
#[unsafe(no_mangle)]
extern \"C\" fn step(which: u32, n: u32) -> u32 { STEPS[which as usize % 2](n) }
";

#[test]
fn crates_work_however_they_are_linked() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("src")).expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    write(
        "Cargo.toml",
        "[package]\nname = \"linked\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n",
    );
    write("src/lib.rs", CODE);
    let boards = board::named(&BOARDS);
    for flag in FLAGS {
        write("build.rs", &format!("fn main() {{ println!(\"cargo::rustc-link-arg={flag}\"); }}\n"));
        let manifest_path = Some(folder.path().join("Cargo.toml"));
        let target_dir = Some(folder.path().join("target"));
        let options = BuildOptions { manifest_path, target_dir, ..Default::default() };
        let names: Vec<String> = boards.iter().map(|board| board.name.clone()).collect();
        let modules = board::modules(options, &names).unwrap_or_else(|error| panic!("{flag}: {error:?}"));
        for board in &boards {
            let module = modules[&board.name].clone();
            let code = "import linked as m\n\
                        print(m.count(0), m.count(0), m.count(2), m.step(0, 5), m.step(1, 5))\n";
            let printed = board::execute(board, &[module], code);
            assert_eq!(printed.as_deref(), Ok("2 3 4 15 50\n"), "{flag} on {}", board.name);
        }
    }
}
