//! Modules that run: on this machine's own architectures a small loader takes the place of
//! MicroPython's, and what the module computes must be what the same C computes as a program.

mod common;

use std::fs;
use std::process::Command;

use cargo_mpy::toolchain::{identity, objects, which};
use common::{
    BSS, Cc, FUN_ENTRIES, FUN_SIZE, FUN_TABLE, FUNCTIONS, QSTRS, RODATA, TEXT, c_source, lazy, object,
};
use mpy_link::{Image, inspect};
use tests::kept::by_this_program;

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
        &["-msse2", "-mfpmath=sse", "-DDIRECT", "-DCALLS", "loader.c", "torture.c", "elsewhere.c"],
    );
    let right = output(&direct, "".as_ref());
    assert_eq!(right.lines().count(), 48, "{right}");

    let library = cc.library();
    let clang = cc.clang();
    let flags: &[&[&str]] = &[
        &["-O0", "-fcommon"],
        &["-O1", "-fcommon"],
        &["-O2", "-fcommon"],
        &["-O3", "-fcommon", "-fvisibility=hidden"],
        &["-Os", "-fcommon"],
        &["-Os", "-fcommon", "-fno-function-sections", "-fno-data-sections"],
        &["-O2", "-fno-plt", "-fcommon"],
        &["-O2", "-fcommon", "-mno-sse2", "-mno-avx", "-fno-jump-tables"],
        &["-O2", "-fcommon", "-Wa,-mrelax-relocations=no", "-fno-plt"],
    ];
    for flags in flags {
        if flags.contains(&"-mno-sse2") && bits == "-m64" {
            continue;
        }
        // Of clang `-mfpmath=sse` asks for SSE.
        let clang = clang.as_ref().filter(|_| !flags.contains(&"-mno-sse2"));
        let compilers = [Some(&cc), clang];
        for cc in compilers.into_iter().flatten() {
            let torture = cc.compile("torture", &c_source("torture.c"), &[*flags, &["-DCALLS"]].concat());
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

/// The emulator of programs for an architecture, and its options.
fn emulator(cc: &Cc) -> Option<Command> {
    let (name, options): (&str, &[&str]) = match cc.prefix.split('-').next()? {
        // QEMU runs programs on a Cortex-A, which lacks instructions of this one. Its modules are tried on the emulated board.
        "arm" if cc.arch.name == "armv81m" => return None,
        "arm" => ("qemu-arm", &["-cpu", "max"]),
        "riscv64" | "riscv32" if cc.arch.word_bits == 64 => ("qemu-riscv64", &[]),
        "riscv64" | "riscv32" => ("qemu-riscv32", &[]),
        "xtensa" if cc.compiler.assembler_plugin => ("qemu-xtensa", &["-cpu", "de233_fpu"]),
        "xtensa" => ("qemu-xtensa", &["-cpu", "lx106"]),
        _ => return None,
    };
    if !common::runs(name) {
        let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
        assert!(!in_ci, "{name} is not installed: `cargo xtask setup`");
        eprintln!("skipped: {name} is not installed");
        return None;
    }
    let mut command = Command::new(name);
    command.args(options);
    Some(command)
}

/// What a module prints under an emulator, loaded for the addresses of the tests: the same, if this program, the compiler and
/// the emulator are.
fn emulated(cc: &Cc, image: &Image) -> Option<String> {
    let emulator = emulator(cc)?;
    let programs = [&*emulator.get_program().to_string_lossy(), &format!("{}gcc", cc.prefix)].map(|name| {
        let path = which(name).expect("a program that runs");
        objects::programs(&path).unwrap_or_else(|_| identity(&path))
    });
    let inputs = [cc.arch.name.as_bytes(), programs[0].as_bytes(), programs[1].as_bytes(), &image.bytes];
    let shell = c_source("shell.c");
    let inputs = inputs.into_iter().chain([shell.as_bytes()]);
    Some(by_this_program(inputs, || run_emulated(cc, image, emulator)))
}

fn run_emulated(cc: &Cc, image: &Image, mut emulator: Command) -> String {
    let (text, rodata) = common::load(&inspect::read(&image.bytes).expect("a module"), cc.arch);
    fs::write(cc.path("text.bin"), text).expect("a writable folder");
    fs::write(cc.path("rodata.bin"), rodata).expect("a writable folder");
    let sections: String =
        [(".loaded_text", TEXT), (".loaded_rodata", RODATA), (".fun_table", FUN_TABLE), (".qstrs", QSTRS)]
            .map(|(name, address)| format!("{name} {address:#x} : {{ *({name}) }}\n"))
            .concat();
    let functions: String = [(".memset", FUNCTIONS[0]), (".memmove", FUNCTIONS[1])]
        .map(|(name, entry)| {
            format!("{name} {:#x} : {{ *({name}) }}\n", FUN_ENTRIES + FUN_SIZE * u64::from(entry))
        })
        .concat();
    let bss = format!(".loaded_bss {BSS:#x} : {{ *(.bss.loaded) }}\n");
    let rest = ".shell 0x800000 : { *(.literal* .text*) *(.rodata*) *(.data*) *(.bss*) *(COMMON) }\n";
    let script =
        format!("ENTRY(_start)\nSECTIONS {{\n{sections}{functions}{bss}{rest}/DISCARD/ : {{ *(*) }}\n}}\n");
    fs::write(cc.path("shell.ld"), script).expect("a writable folder");
    let output = Command::new(format!("{}gcc", cc.prefix))
        .current_dir(cc.folder.path())
        .args(&cc.compiler.flags)
        .args([
            "-fno-pic",
            "-O1",
            "-nostdlib",
            "-static",
            "-ffreestanding",
            "-w",
            "-Wl,-T,shell.ld",
            "-o",
            "shell",
        ])
        .arg(format!("-DTEXT={TEXT:#x}"))
        .args([format!("-DFUN_ENTRIES={FUN_ENTRIES:#x}"), format!("-DFUN_SIZE={FUN_SIZE:#x}")])
        .arg(format!("-DBSS_SIZE={}", image.sizes.bss.max(1)))
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c/shell.c"))
        .output()
        .expect("a compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = emulator.arg(cc.path("shell")).output().expect("an emulator");
    assert!(output.status.success(), "{}: {output:?}", cc.arch.name);
    let number = |at: usize, len: usize| {
        let bytes = &output.stdout[at..at + len];
        bytes.iter().rev().fold(0u64, |number, &byte| number << 8 | u64::from(byte))
    };
    let lines = (0..number(0, 4) as usize).map(|index| format!("{index} {:x}\n", number(8 + 8 * index, 8)));
    lines.collect()
}

#[test]
fn emulated_architectures() {
    let Some(host) = common::cc("x64") else { return };
    let direct =
        program(&host, "direct", "-m64", &["-DDIRECT", "-DCALLS", "loader.c", "torture.c", "elsewhere.c"]);
    let right = output(&direct, "".as_ref());
    for cc in common::ccs_and_clangs() {
        if emulator(&cc).is_none() {
            continue;
        }
        let library = cc.library().expect("a library");
        let flags: &[&[&str]] = &[
            &["-O0", "-fcommon"],
            &["-O1", "-fcommon"],
            &["-O2", "-fcommon"],
            &["-O3", "-fcommon", "-fvisibility=hidden"],
            &["-Os", "-fcommon", "-fno-function-sections", "-fno-data-sections"],
            &["-Os", "-fcommon", "-fno-jump-tables"],
            &["-O2", "-fcommon", "-fPIC"],
            &["-O2", "-fcommon", "-mno-relax"],
        ];
        for flags in flags {
            let is_riscv = cc.prefix.starts_with("riscv");
            if !is_riscv && flags.contains(&"-mno-relax")
                || !cc.arch.byte_readable_text && flags.contains(&"-fPIC")
            {
                continue;
            }
            let torture = cc.compile("torture", &c_source("torture.c"), &[*flags, &["-DCALLS"]].concat());
            cc.compile("elsewhere", &c_source("elsewhere.c"), flags);
            let archive = cc.archive("libelse.a", &["elsewhere"], "rcs").expect("ar");
            let inputs =
                [object("torture.o", &torture), lazy("libelse.a", &archive), lazy("libgcc.a", &library)];
            let what = format!("{} {} {flags:?}", cc.arch.name, cc.program);
            let image = cc.link_inputs(&inputs).unwrap_or_else(|error| panic!("{what}: {error}"));
            let ours = emulated(&cc, &image).expect("an emulator");
            assert_eq!(ours, right, "{what}");
        }
    }
}

/// Libraries of some compilers hold absolute addresses in pairs of instructions.
#[test]
fn absolute_addresses_in_libraries() {
    let Some(host) = common::cc("x64") else { return };
    let direct =
        program(&host, "direct", "-m64", &["-DDIRECT", "-DCALLS", "loader.c", "torture.c", "elsewhere.c"]);
    let right = output(&direct, "".as_ref());
    for arch in ["rv32imc", "rv64imc"] {
        let Some(cc) = common::cc(arch) else { continue };
        if emulator(&cc).is_none() {
            continue;
        }
        for relax in ["-mrelax", "-mno-relax"] {
            for level in ["-O0", "-O1", "-Os", "-O2", "-O3"] {
                let absolute = ["-fno-pic", "-mcmodel=medlow", "-fcommon", level, relax];
                let library = cc.helpers(&absolute).expect("a library");
                let torture = cc.compile(
                    "torture",
                    &c_source("torture.c"),
                    &[&absolute[..], &["-DFAR", "-DCALLS", "-fno-jump-tables"]].concat(),
                );
                cc.compile("elsewhere", &c_source("elsewhere.c"), &absolute);
                let archive = cc.archive("libelse.a", &["elsewhere"], "rcs").expect("ar");
                let inputs =
                    [object("torture.o", &torture), lazy("libelse.a", &archive), lazy("libhelp.a", &library)];
                let image =
                    cc.link_inputs(&inputs).unwrap_or_else(|error| panic!("{arch} {level} {relax}: {error}"));
                assert_eq!(emulated(&cc, &image).expect("an emulator"), right, "{arch} {level} {relax}");
            }
        }
    }
}
