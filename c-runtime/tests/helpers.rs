//! The compiler helpers, compiled for this machine under other names and held against its arithmetic.

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
