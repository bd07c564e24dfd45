//! What is measured: programs in Rust and in C, as WebAssembly and native.

use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_mpy::toolchain::crate_build::{CrateBuild, Link, Unit};
use cargo_mpy::toolchain::{cargo, read_file, rust};
use target_specs::Arch;

use super::{Options, Result, checked, libraries};
use crate::process::root;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Rust,
    C,
}

pub struct Program {
    pub name: &'static str,
    /// What it is built from.
    pub folder: &'static str,
    pub exports: &'static [&'static str],
    /// Python before the measurement, and what is measured: `m` is the module.
    pub setup: &'static str,
    pub call: &'static str,
    /// What is behind the measurement and must be the same for all.
    pub result: &'static str,
    /// Features of the crate, whose others are left out, and with them their constants.
    pub features: &'static str,
}

macro_rules! kernels {
    ($($name:literal)*) => {
        &[
            Program {
                name: "coremark",
                folder: "examples/coremark",
                exports: &["start", "iterate"],
                setup: "m.start(0)",
                call: "m.iterate(1)",
                result: "r",
                features: "",
            },
            $(Program {
                name: $name,
                folder: "tests/kernels",
                exports: &[$name],
                setup: "None",
                call: concat!("m.", $name, "(3)"),
                result: "r",
                features: $name,
            },)*
        ]
    };
}

pub const PROGRAMS: &[Program] = kernels! {
    "fir_f32" "fft_f32" "matmul_f32" "mandelbrot" "nbody" "fir_i16" "matmul_i8"
    "dot_q15" "fir_q15" "matmul_q15"
    "sha256" "crc32" "sort" "json" "base64" "search"
};

/// A function of a crate, which takes a size.
macro_rules! peers {
    ($folder:ident $features:literal: $($name:literal $size:literal)*) => {
        &[$(Program {
            name: $name,
            folder: $folder,
            exports: &["start", $name, "result"],
            setup: "m.start(7)",
            call: concat!("m.", $name, "(", $size, ")"),
            result: "m.result(0)",
            features: concat!($name, $features),
        },)*]
    };
    ($features:literal) => {
        peers! { PEERS $features:
            "dot_q15" 512 "dot_q7" 512 "dot_f32" 512 "fir_q15" 32 "fir_fast_q15" 32 "fir_f32" 32
            "mat_q7" 24 "mat_q15" 24 "mat_fast_q15" 24 "mat_f32" 20 "biquad_f32" 128 "cfft_f32" 256
            "fully_connected_s8" 128 "convolve_s8" 16 "motions" 0 "spectrum" 256
        }
    };
}

pub const PEERS: &str = "tests/peers";

/// What is compared with CMSIS, in plain Rust and by functions for processors with instructions for signal processing.
pub const PLAIN: &[Program] = peers!("");
pub const BY_HAND: &[Program] = peers!(",by_hand");

pub const EMLEARN: &str = "tests/emlearn";

/// What is compared with emlearn.
pub const LEARNING: &[Program] = peers! { EMLEARN "":
    "fft_64" 64 "fft_256" 256 "fft_1024" 1024 "iir" 128 "mean" 512 "quantize" 512
    "trees_table" 16 "trees_code" 16 "net" 4 "bayes" 16 "neighbors" 16 "envelope" 16 "mixture" 4
};

/// Bytes of shadow stack: `tests/kernels` says so too.
pub const STACK: u32 = 8192;

/// A C program as one translation unit: its text and where it includes from.
pub fn c_source(program: &Program, options: &Options) -> Result<Option<(String, Vec<PathBuf>)>> {
    if let Some(source) = libraries::source(program)? {
        return Ok(source);
    }
    if program.name != "coremark" {
        return Ok(Some((std::fs::read_to_string(root().join("tests/kernels/kernels.c"))?, Vec::new())));
    }
    let Some(coremark) = &options.coremark else { return Ok(None) };
    // Its header has no guard.
    let mut text = "#define iterate eembc_iterate\n#include \"coremark.h\"\n".to_owned();
    for part in ["core_list_join.c", "core_matrix.c", "core_state.c", "core_util.c"] {
        let part = std::fs::read_to_string(coremark.join(part))?;
        // Tables of pointers are state, which is visible: see wasm_state.h.
        text += &part.replace("#include \"coremark.h\"", "").replace("static ee_u8 *", "ee_u8 *");
    }
    text += include_str!("coremark.c");
    Ok(Some((text, vec![root().join("xtask/src/bench"), coremark.clone()])))
}

/// Arguments of cargo that leave the other kernels out of the crate, and with them their constants.
fn features(program: &Program) -> impl Iterator<Item = String> {
    let these =
        (!program.features.is_empty()).then_some(["--no-default-features", "--features", program.features]);
    these.into_iter().flatten().map(str::to_owned)
}

/// Arguments of cargo for what C compilers call `level`.
fn opt_level(level: &str) -> [String; 2] {
    let level = match level.trim_start_matches("-O") {
        "s" => "\"s\"",
        number => number,
    };
    ["--config".to_owned(), format!("profile.release.opt-level={level}")]
}

/// The linked module of a program, with all that the linker knew.
pub fn wasm(
    program: &Program,
    language: Language,
    options: &Options,
    folder: &Path,
    level: &str,
    has_vectors: bool,
) -> Result<Option<Vec<u8>>> {
    let whole = match language {
        Language::Rust => {
            let build = CrateBuild {
                library: program.folder.rsplit('/').next().unwrap_or_default().to_owned(),
                package: program.folder.rsplit('/').next().unwrap_or_default().to_owned(),
                manifest: root().join(program.folder).join("Cargo.toml"),
                profile: "release".to_owned(),
                cargo_args: features(program).chain(opt_level(level)).collect(),
                target_dir: folder.join(if has_vectors { "rust-wasm-simd" } else { "rust-wasm" }),
                unit: Unit::Library,
                unwinds: false,
                has_lines: false,
                has_vectors,
                root: std::path::PathBuf::new(),
                tests: Vec::new(),
            };
            let rust = rust::find()?;
            let link = Link { stack: STACK, has_std: false };
            let artifact = cargo::build(&rust, &build, link).map_err(|failure| format!("{failure:?}"))?;
            read_file(&artifact.wasm)?
        }
        Language::C => {
            let Some((text, includes)) = c_source(program, options)? else { return Ok(None) };
            let (c, wasm) = (folder.join("program.c"), folder.join("program.wasm"));
            std::fs::write(&c, text)?;
            let mut command = Command::new("clang");
            command.args(["--target=wasm32", "-O2", "-std=gnu11", "-nostdlib"]);
            command.args([
                "-mbulk-memory",
                "-msign-ext",
                "-mmutable-globals",
                "-mnontrapping-fptoint",
                "-ffp-contract=off",
                "-w",
            ]);
            command.args(["-fno-strict-aliasing", "-I"]).arg(folder.join("libc"));
            command.args(["-Wl,--no-entry", "-Wl,--stack-first", "-Wl,-zstack-size=8192"]);
            command.arg("-Wl,--emit-relocs");
            for symbol in ["__heap_base", "__data_end", "__stack_pointer"].iter().chain(program.exports) {
                command.arg(format!("-Wl,--export={symbol}"));
            }
            for include in includes {
                command.arg("-I").arg(include);
            }
            checked(command.arg("-o").arg(&wasm).arg(&c))?;
            std::fs::read(&wasm)?
        }
    };
    Ok(Some(whole))
}

/// The module with these functions exported and no others.
pub fn only(wasm: &[u8], exports: &[&str]) -> Result<Vec<u8>> {
    let mut module = walrus::Module::from_buffer(wasm).map_err(|error| error.to_string())?;
    let others: Vec<_> = module
        .exports
        .iter()
        .filter(|export| matches!(export.item, walrus::ExportItem::Function(_)))
        .filter(|export| !exports.contains(&export.name.as_str()))
        .map(walrus::Export::id)
        .collect();
    for id in others {
        module.exports.delete(id);
    }
    walrus::passes::gc::run(&mut module);
    Ok(module.emit_wasm())
}

/// A crate as a static library for an architecture, by a rustc that has the source of its library.
pub fn rust_library(
    program: &Program,
    arch: &Arch,
    options: &Options,
    folder: &Path,
    level: &str,
) -> Result<Option<Vec<u8>>> {
    let (Some(rustc), Some((triple, flags))) = (&options.rustc, triple(arch)) else { return Ok(None) };
    let target = folder.join("rust-native");
    let mut command = Command::new(rustc.with_file_name("cargo"));
    command.args(["rustc", "--lib", "--crate-type", "staticlib", "--release", "-Zbuild-std=core"]);
    if triple == X64 {
        let spec = folder.join(X64).with_extension("json");
        std::fs::write(&spec, include_str!("x64-none.json"))?;
        command.arg("-Zjson-target-spec").arg("--target").arg(spec);
    } else {
        command.args(["--target", triple]);
    }
    command
        .args(features(program))
        .args(opt_level(level))
        .arg("--manifest-path")
        .arg(root().join(program.folder).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTC", rustc)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .current_dir(root().join(program.folder));
    checked(&mut command)?;
    let name = format!("lib{}.a", program.folder.rsplit('/').next().unwrap_or_default());
    let library = target.join(triple).join("release").join(name);
    if triple == X64 {
        // rustc reaches its variables relative to the code, so they must lie in it; MicroPython's unix port can write
        // there.
        let mut objcopy = Command::new("objcopy");
        objcopy.arg("--set-section-flags=.bss*=alloc,load,readonly,code,contents");
        checked(objcopy.arg(&library))?;
    }
    Ok(Some(std::fs::read(library)?))
}

/// Of rustc's own targets for the processor one has no floats, and the others have an operating system.
const X64: &str = "x64-none";

/// rustc's name for an architecture, and what makes its code linkable into a module.
fn triple(arch: &Arch) -> Option<(&'static str, Vec<&'static str>)> {
    let absolute = "-Crelocation-model=static";
    Some(match arch.name.as_str() {
        "armv6m" => ("thumbv6m-none-eabi", vec![absolute]),
        "armv7emsp" => {
            ("thumbv7em-none-eabihf", vec![absolute, "-Ctarget-feature=+no-movt", "-Ctarget-cpu=cortex-m4"])
        }
        "armv81m" => (
            "thumbv8m.main-none-eabihf",
            vec![absolute, "-Ctarget-feature=+no-movt", "-Ctarget-cpu=cortex-m55"],
        ),
        "rv32imc" => ("riscv32imc-unknown-none-elf", vec![absolute]),
        "x64" => (X64, vec!["-Crelocation-model=pic"]),
        _ => return None,
    })
}
