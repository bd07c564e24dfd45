//! What the tests share: real compilers, and the loader's work done by hand.
#![allow(dead_code)] // every test file uses a part

pub mod mutate;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex};

use mpy_link::inspect::{Destination, Module};
use mpy_link::{Bytes, Image, Input, InputKind, Options, Part};
use target_specs::{Arch, Compiler, Result};
use tempfile::TempDir;

/// The compiler of an architecture, with a folder for what it makes.
pub struct Cc {
    pub arch: &'static Arch,
    pub program: String,
    /// What GNU tools for the architecture are called, but for their last name.
    pub prefix: String,
    pub flags: Vec<String>,
    pub compiler: &'static Compiler,
    pub folder: TempDir,
}

/// Whether tools that are missing are a failure.
pub fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// Says that a test does nothing, or fails where all tools have to be there.
pub fn skip(why: &str) {
    assert!(!is_ci(), "{why}");
    eprintln!("skipped: {why}");
}

/// Whether this program is here. Each is asked once.
pub fn runs(program: &str) -> bool {
    static KNOWN: Mutex<BTreeMap<String, bool>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().expect("no thread panics with it");
    if let Some(&runs) = known().get(program) {
        return runs;
    }
    let output = Command::new(program).arg("--version").output();
    let runs = output.is_ok_and(|output| output.status.success());
    known().insert(program.to_owned(), runs);
    runs
}

/// This compiler, through ccache where that is installed: its files are the same in the next run, in another folder.
fn cached(program: &str) -> Command {
    static HAS_CCACHE: LazyLock<bool> = LazyLock::new(|| runs("ccache"));
    if !*HAS_CCACHE {
        return Command::new(program);
    }
    let mut command = Command::new("ccache");
    command.env("CCACHE_NOHASHDIR", "1").arg(program);
    command
}

/// A compiler for `arch` that makes objects on this machine.
pub fn cc(arch: &str) -> Option<Cc> {
    let arch = target_specs::arch(arch).expect("an architecture");
    for compiler in &arch.compilers {
        for program in &compiler.commands {
            if !runs(program) {
                continue;
            }
            let cc = Cc {
                arch,
                program: program.clone(),
                prefix: program.trim_end_matches("gcc").to_owned(),
                flags: compiler.flags.clone(),
                compiler,
                folder: TempDir::new().expect("a folder"),
            };
            if cc.try_compile("probe", "int probe(void) { return 0; }\n", &[]).is_ok() {
                return Some(cc);
            }
            // The assembler of one compiler for two processors may lack the second.
            if compiler.assembler_plugin && std::env::var_os("XTENSA_GNU_CONFIG").is_none() {
                eprintln!(
                    "skipped: {program} assembles for {} with a plugin in XTENSA_GNU_CONFIG only",
                    arch.name
                );
                return None;
            }
        }
    }
    skip(&format!("no compiler for {}", arch.name));
    None
}

/// Each architecture's compiler, and clang where it is installed.
pub fn ccs_and_clangs() -> Vec<Cc> {
    let ccs = ccs();
    let clangs: Vec<Cc> = ccs.iter().filter_map(Cc::clang).collect();
    ccs.into_iter().chain(clangs).collect()
}

/// All architectures that can be compiled for.
pub fn ccs() -> Vec<Cc> {
    target_specs::archs().iter().filter_map(|arch| cc(&arch.name)).collect()
}

impl Cc {
    /// A tool of the same binutils, by its last name.
    pub fn tool(&self, name: &str) -> Option<String> {
        [format!("{}{name}", self.prefix), name.to_owned()].into_iter().find(|tool| runs(tool))
    }

    /// This compiler's setting for clang, where there is one that knows the architecture.
    pub fn clang(&self) -> Option<Cc> {
        let names =
            ["clang".to_owned()].into_iter().chain((14..30).rev().map(|version| format!("clang-{version}")));
        let program = names.into_iter().find(|name| runs(name))?;
        let target = match self.program.split('-').next().unwrap_or_default() {
            "arm" if self.flags.iter().any(|flag| flag == "-mfloat-abi=hard") => "thumbv7em-none-eabihf",
            "arm" => "thumbv7m-none-eabi",
            "riscv64" | "riscv32" if self.arch.word_bits == 64 => "riscv64-none-elf",
            "riscv64" | "riscv32" => "riscv32-none-elf",
            "gcc" | "x86_64" => "x86_64-linux-gnu",
            _ => return None,
        };
        let ours = |flag: &&String| !["-mword-relocations", "-misa-spec=2.2"].contains(&flag.as_str());
        let mut flags: Vec<String> = self.flags.iter().filter(ours).cloned().collect();
        flags.push(format!("--target={target}"));
        if target.starts_with("thumb") {
            flags.push("-mno-movt".to_owned());
        }
        let folder = TempDir::new().expect("a folder");
        let cc = Cc {
            program,
            prefix: self.prefix.clone(),
            flags,
            folder,
            compiler: self.compiler,
            arch: self.arch,
        };
        cc.try_compile("probe", "int probe(void) { return 0; }\n", &[]).ok().map(|_| cc)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn try_compile(&self, name: &str, source: &str, flags: &[&str]) -> std::result::Result<Vec<u8>, String> {
        let extension = if source.starts_with("/* asm */") { "S" } else { "c" };
        let (input, output) = (format!("{name}.{extension}"), format!("{name}.o"));
        fs::write(self.path(&input), source).expect("a writable folder");
        let mut command = cached(&self.program);
        command.current_dir(self.folder.path()).args(&self.flags);
        if !self.compiler.assembler_plugin {
            // It says what the assembler takes for the ABI of all that has no flag for it.
            command.env_remove("XTENSA_GNU_CONFIG");
        }
        if extension == "c" {
            command.args(["-ffreestanding", "-fno-builtin", "-fno-stack-protector", "-Os"]);
            command.args(["-ffunction-sections", "-fdata-sections", "-fno-asynchronous-unwind-tables"]);
        }
        command.args(flags).arg("-c").arg(&input).arg("-o").arg(&output);
        let result = command.output().expect("a compiler that runs");
        if !result.status.success() {
            return Err(String::from_utf8_lossy(&result.stderr).into_owned());
        }
        Ok(fs::read(self.path(&output)).expect("an object"))
    }

    /// The object of some C, or of assembly that starts with the comment `asm`.
    pub fn compile(&self, name: &str, source: &str, flags: &[&str]) -> Vec<u8> {
        self.try_compile(name, source, flags).unwrap_or_else(|error| panic!("{}: {error}", self.arch.name))
    }

    /// The compiler's own library, or the stand-in.
    pub fn library(&self) -> Option<Vec<u8>> {
        if self.compiler.runtime_library {
            // Of GCC: clang has another way, and often no library.
            let gcc = format!("{}gcc", self.prefix);
            let output = Command::new(gcc).args(&self.compiler.flags).arg("-print-libgcc-file-name").output();
            let output = output.expect("a compiler that runs").stdout;
            return fs::read(Path::new(String::from_utf8(output).expect("a path").trim())).ok();
        }
        self.helpers(&[])
    }

    /// The project's stand-in for the compiler's library.
    pub fn helpers(&self, flags: &[&str]) -> Option<Vec<u8>> {
        for (name, text) in c_runtime::HEADERS {
            fs::write(self.path(name), text).expect("a writable folder");
        }
        let mut members = Vec::new();
        for (name, text) in c_runtime::COMPILER_HELPERS {
            let name = name.trim_end_matches(".c");
            self.compile(name, text, &[flags, &["-I."]].concat());
            members.push(name);
        }
        self.archive("libhelpers.a", &members, "rcs")
    }

    /// An archive of objects that [`Cc::compile`] made.
    pub fn archive(&self, name: &str, members: &[&str], flags: &str) -> Option<Vec<u8>> {
        let ar = self.tool("ar")?;
        let output = self.path(name);
        let _ = fs::remove_file(&output);
        let members = members.iter().map(|member| self.path(&format!("{member}.o")));
        let result = Command::new(ar).arg(flags).arg(&output).args(members).output().expect("ar runs");
        assert!(result.status.success(), "{}", String::from_utf8_lossy(&result.stderr));
        Some(fs::read(output).expect("an archive"))
    }

    /// Links objects under their names.
    pub fn link(&self, objects: &[(&str, &[u8])]) -> Result<Image> {
        let inputs: Vec<Input> =
            objects.iter().map(|&(name, data)| Input { name, kind: InputKind::Object, data }).collect();
        self.link_inputs(&inputs)
    }

    /// Links one C file with constant objects.
    pub fn link_with(&self, source: &str, objects: &[Bytes]) -> Result<Image> {
        let one = self.compile("one", source, &[]);
        mpy_link::link(&[object("one.o", &one)], &Options { objects, ..Options::new(self.arch) })
    }

    pub fn link_inputs(&self, inputs: &[Input]) -> Result<Image> {
        let qstrs = ["first".to_owned(), "append".to_owned(), "third".to_owned()];
        let options = Options { file_name: "test.mpy", qstrs: &qstrs, ..Options::new(self.arch) };
        mpy_link::link(inputs, &options)
    }

    /// Links one C file.
    pub fn link_c(&self, source: &str) -> Result<Image> {
        let object = self.compile("one", source, &[]);
        self.link(&[("one.o", &object)])
    }
}

/// An object as an input that is always linked.
pub fn object<'a>(name: &'a str, data: &'a [u8]) -> Input<'a> {
    Input { name, kind: InputKind::Object, data }
}

/// An object or archive that is linked when it is needed.
pub fn lazy<'a>(name: &'a str, data: &'a [u8]) -> Input<'a> {
    Input { name, kind: InputKind::Lazy, data }
}

/// Addresses that tests load modules at, far enough apart to be told from offsets.
pub const TEXT: u64 = 0x0010_0000;
pub const RODATA: u64 = 0x0020_0000;
pub const BSS: u64 = 0x0030_0000;
pub const FUN_TABLE: u64 = 0x0040_0000;
pub const QSTRS: u64 = 0x0050_0000;
pub const OBJECTS: u64 = 0x0060_0000;
/// What entry n of the function table holds, less n times [`FUN_SIZE`].
pub const FUN_ENTRIES: u64 = 0x0070_0000;
pub const FUN_SIZE: u64 = 0x100;
/// Entries that are functions: `memset` and `memmove`.
pub const FUNCTIONS: [u8; 2] = [50, 51];

/// Text and rodata after the loader's relocations for those addresses.
pub fn load(module: &Module, arch: &Arch) -> (Vec<u8>, Vec<u8>) {
    let (mut text, mut rodata) = (module.text.clone(), module.rodata.clone());
    let word = usize::from(arch.word_bits / 8);
    for reloc in &module.relocs {
        let base = match reloc.to {
            Destination::Part(Part::Text) => TEXT,
            Destination::Part(Part::Rodata) => RODATA,
            Destination::Part(Part::Bss) => BSS,
            Destination::Qstrs => QSTRS,
            Destination::Objects | Destination::Part(Part::Objects) => OBJECTS,
            Destination::FunTable => FUN_TABLE,
            Destination::FunEntry(entry) => {
                // Thumb functions have odd addresses.
                let thumb = FUNCTIONS.contains(&entry) && arch.name.starts_with("arm");
                FUN_ENTRIES + FUN_SIZE * u64::from(entry) + u64::from(thumb)
            }
        };
        let block = if reloc.part == Part::Text { &mut text } else { &mut rodata };
        let at = reloc.word as usize * word;
        let place = &mut block[at..at + word];
        let mut old = [0; 8];
        old[..word].copy_from_slice(place);
        place.copy_from_slice(&u64::from_le_bytes(old).wrapping_add(base).to_le_bytes()[..word]);
    }
    (text, rodata)
}

/// The program's text of a test, from `tests/c`.
pub fn c_source(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c").join(name);
    fs::read_to_string(path).expect("a test's source")
}
