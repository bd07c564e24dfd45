//! The C of whole modules and their bindings, as the pipeline writes it, for every architecture by every compiler
//! that it knows: a warning is an error.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cargo_mpy::options::{BuildOptions, Stage};
use cargo_mpy::pipeline;
use tests::{board, in_ci};

/// A crate with classes and buffers, and modules with what else there is in WebAssembly and its bindings.
const CRATE: &str = "../examples/filter/Cargo.toml";
const CASES: [&str; 8] =
    ["exports", "grow", "imports", "legacy_exceptions", "trap_names", "vectors", "wasi", "wiring"];

/// Folders with a `unit.c` of the module that `options` build: one for each kind of memory, and more where a target has
/// checks of its stack that others do not need.
fn sources(options: BuildOptions) -> Vec<PathBuf> {
    let boards = ["unix", "qemu-armv6m"].map(str::to_owned).to_vec();
    let mut plan = pipeline::plan(&BuildOptions { boards, ..options }).expect("a plan");
    plan.put_into("warnings");
    let folder = plan.out_dir.join("c").join(&plan.module);
    let _ = std::fs::remove_dir_all(&folder);
    pipeline::build(&plan, Some(Stage::Obj)).expect("objects");
    let made = std::fs::read_dir(folder).expect("the folder of sources");
    made.map(|entry| entry.expect("a readable entry").path()).collect()
}

#[test]
fn emitted_c_has_no_warnings_anywhere() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let temporary = tempfile::tempdir().expect("a folder");
    let target_dir = Some(board::crates(env!("CARGO_TARGET_TMPDIR")));
    let mut folders =
        sources(BuildOptions { manifest_path: Some(here.join(CRATE)), target_dir, ..Default::default() });
    assert!(folders.len() >= 2, "machine addresses, and a memory of its own");
    for case in tests::cases(&here.join("cases")).iter().filter(|case| CASES.contains(&case.name.as_str())) {
        let input = case.write(temporary.path());
        let target_dir = Some(temporary.path().join("target"));
        folders.extend(sources(BuildOptions { input: Some(input), target_dir, ..Default::default() }));
    }
    assert!(folders.len() >= 2 + CASES.len());

    let mut todo = Vec::new();
    for arch in target_specs::archs() {
        for compiler in &arch.compilers {
            let here = |command: &&String| Command::new(command).arg("--version").output().is_ok();
            let Some(command) = compiler.commands.iter().find(here) else {
                assert!(!in_ci() || arch.compilers.len() > 1, "no compiler for {}", arch.name);
                println!("skipped: {} ({} is missing)", arch.name, compiler.commands.join(", "));
                continue;
            };
            let fits = |folder: &&PathBuf| arch.word_bits == 32 || !folder.ends_with("direct");
            todo.extend(folders.iter().filter(fits).map(|folder| (arch, compiler, command, folder)));
        }
    }
    let (next, said) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((arch, compiler, command, folder)) =
                    todo.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let assembly = tempfile::NamedTempFile::new().expect("a file");
                    let output = tests::programs::cached(command)
                        .current_dir(folder)
                        .args(&compiler.flags)
                        // Not every assembler knows every architecture its compiler writes for.
                        .args(["-S", "-Os", "-std=gnu11", "-ffreestanding", "-fbuiltin"])
                        .args(["-Wall", "-Wextra", "-Werror"])
                        .args(wasm_to_c::C_FLAGS)
                        // clang says of flags that it has not what GCC does without them.
                        .args(compiler.clang.then_some("-Wno-ignored-optimization-argument"))
                        .args(["-I../../include", "-I.", "unit.c", "-o"])
                        .arg(assembly.path())
                        .output()
                        .expect("a compiler");
                    if !output.status.success() {
                        let errors = String::from_utf8_lossy(&output.stderr);
                        let (name, folder) = (&arch.name, folder.display());
                        said.lock()
                            .expect("no panic")
                            .push(format!("{command} for {name}, {folder}:\n{errors}"));
                    }
                }
            });
        }
    });
    println!("{} compilations", todo.len());
    let said = said.into_inner().expect("no panic");
    assert!(said.is_empty(), "{}", said.join("\n"));
}
