//! Modules that run: on this machine's own architectures a small loader takes the place of
//! MicroPython's, and what the module computes must be what the same C computes as a program.

mod common;

use std::fs;
use std::process::Command;

use common::{Cc, c_source, lazy, object};

/// What a program prints.
fn output(program: &std::path::Path, argument: &std::path::Path) -> String {
    let output = Command::new(program).arg(argument).output().expect("a program that starts");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// Builds a program of this machine.
fn program(cc: &Cc, name: &str, bits: &str, arguments: &[&str]) -> std::path::PathBuf {
    let path = cc.path(name);
    let mut command = Command::new(&cc.program);
    command.args([bits, "-O1", "-w", "-fcommon", "-o"]).arg(&path).args(arguments);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c"));
    let output = command.output().expect("a compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    path
}

fn runs_like_a_program(arch: &str, bits: &str) {
    let Some(cc) = common::cc(arch) else { return };
    let loader = program(&cc, "loader", bits, &["loader.c"]);
    let direct = program(
        &cc,
        "direct",
        bits,
        &["-msse2", "-mfpmath=sse", "-DDIRECT", "loader.c", "torture.c", "elsewhere.c"],
    );
    let right = output(&direct, "".as_ref());
    assert_eq!(right.lines().count(), 47, "{right}");

    let library = cc.library();
    let clang = cc.clang();
    let flags: &[&[&str]] = &[
        &["-O0"],
        &["-O1", "-fcommon"],
        &["-O2", "-fcommon"],
        &["-O3", "-fvisibility=hidden"],
        &["-Os", "-fcommon"],
        &["-Os", "-fno-function-sections", "-fno-data-sections"],
        &["-O2", "-fno-plt", "-fcommon"],
        &["-O2", "-mno-sse2", "-mno-avx", "-fno-jump-tables"],
        &["-O2", "-Wa,-mrelax-relocations=no", "-fno-plt"],
    ];
    for flags in flags {
        if flags.contains(&"-mno-sse2") && bits == "-m64" {
            continue;
        }
        // Of clang `-mfpmath=sse` asks for SSE.
        let clang = clang.as_ref().filter(|_| !flags.contains(&"-mno-sse2"));
        let compilers = [Some(&cc), clang];
        for cc in compilers.into_iter().flatten() {
            let torture = cc.compile("torture", &c_source("torture.c"), flags);
            cc.compile("elsewhere", &c_source("elsewhere.c"), flags);
            let archive = cc.archive("libelse.a", &["elsewhere"], "rcs").expect("ar");
            let mut inputs = vec![object("torture.o", &torture), lazy("libelse.a", &archive)];
            inputs.extend(library.as_ref().map(|library| lazy("libgcc.a", library)));
            let image = cc.link_inputs(&inputs).unwrap_or_else(|error| panic!("{arch} {flags:?}: {error}"));
            let path = cc.path("torture.mpy");
            fs::write(&path, &image.bytes).expect("a writable folder");
            let mut right = right.clone();
            if flags.contains(&"-mno-sse2") {
                // The x87 rounds differently: the last value.
                right.truncate(right.trim_end().rfind('\n').expect("lines") + 1);
            }
            let ours = output(&loader, &path);
            assert!(ours.starts_with(&right), "{} {arch} {flags:?}\n{ours}\nand not\n{right}", cc.program);
        }
    }
}

#[test]
fn on_64_bits() {
    runs_like_a_program("x64", "-m64");
}

#[test]
fn on_32_bits() {
    runs_like_a_program("x86", "-m32");
}
