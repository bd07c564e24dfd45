//! Parts of the runtime, compiled for this machine: the compiler helpers under other names, held against its arithmetic,
//! and the heap in the memory of a module that attacks it.

use std::path::Path;
use std::process::Command;

fn run(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).output().expect(program);
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&said));
}

#[test]
fn helpers_compute_what_the_machine_computes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::temp_dir().join(format!("c-runtime-helpers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let include = format!("-I{}", root.join("include").display());
    let mut objects = Vec::new();
    for (name, _) in c_runtime::COMPILER_HELPERS {
        let source = root.join("src/compiler").join(name).display().to_string();
        let object = folder.join(format!("{name}.o")).display().to_string();
        run(
            "gcc",
            &[
                "-c",
                "-Os",
                "-std=c11",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-ffreestanding",
                // A trap needs no library, whose names would be renamed with ours.
                "-fsanitize=undefined",
                "-fsanitize-undefined-trap-on-error",
                &include,
                &source,
                "-o",
                &object,
            ],
        );
        run("objcopy", &["--prefix-symbols=test", &object]);
        objects.push(object);
    }
    let program = folder.join("helpers").display().to_string();
    let driver = root.join("tests/helpers.c").display().to_string();
    let mut args = vec!["-O2", "-Wall", "-Werror", "-o", &program, &driver];
    args.extend(objects.iter().map(String::as_str));
    run("gcc", &args);
    run(&program, &[]);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_heap_in_a_hostile_memory_stays_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::temp_dir().join(format!("c-runtime-heap-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let include = format!("-I{}", root.join("include").display());
    let driver = root.join("tests/heap.c").display().to_string();
    let program = folder.join("heap").display().to_string();
    for kind in ["-DFIXED", "-DGROWS"] {
        let mut args =
            vec!["-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fwrapv", "-fno-strict-aliasing"];
        args.extend(["-fsanitize=undefined,address", "-fno-sanitize-recover=all"]);
        args.extend([kind, &include, &driver, "-o", &program]);
        run("gcc", &args);
        run(&program, &[]);
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
