//! What is run: command lines and the files they name, each made of a number.

use std::fs;
use std::path::{Path, PathBuf};

use crate::mutate::{Random, mutate, numbers, scramble};

/// Files that are in order.
pub struct Seeds {
    wats: Vec<String>,
    objects: Vec<(String, Vec<u8>)>,
    modules: Vec<Vec<u8>>,
}

/// A command line and its files.
#[derive(Debug, Clone, Default)]
pub struct Case {
    pub words: Vec<String>,
    files: Vec<(PathBuf, Vec<u8>)>,
}

/// Architectures whose compilers are installed, as the seeds have them.
fn archs() -> impl Iterator<Item = &'static str> {
    target_specs::archs().iter().map(|arch| arch.name.as_str())
}

impl Seeds {
    /// Compiles a module for each architecture.
    pub fn make(root: &Path) {
        let folder = root.join("seeds");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a writable folder");
        fs::write(folder.join("seed.wat"), SEED).expect("a writable folder");
        let here = std::env::current_dir().expect("a folder");
        std::env::set_current_dir(&folder).expect("a folder");
        for arch in archs() {
            let words = ["--quiet", "build", "--wasm", "seed.wat", "--arch", arch];
            let code = cargo_mpy::run(words.map(Into::into).to_vec());
            if code != 0 {
                eprintln!("no objects for {arch}");
            }
        }
        std::env::set_current_dir(here).expect("a folder");
    }

    pub fn read(root: &Path) -> Seeds {
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
        let mut wats: Vec<String> = tests::cases(&cases).into_iter().map(|case| case.wat).collect();
        wats.push(SEED.to_owned());
        let made = root.join("seeds/target/mpy");
        let of = |arch: &str, extension: &str| {
            fs::read(made.join(arch).join("seed").with_extension(extension)).ok()
        };
        Seeds {
            wats,
            objects: archs().filter_map(|arch| Some((arch.to_owned(), of(arch, "o")?))).collect(),
            modules: archs().filter_map(|arch| of(arch, "mpy")).collect(),
        }
    }
}

/// Functions, memory, data, a table, imports, exports of every kind.
const SEED: &str = r#"(module
  (import "time" "ticks_ms" (func $now (result i32)))
  (memory (export "memory") 1 3)
  (global $count (export "count") (mut i64) (i64.const 7))
  (table (export "table") 3 8 funcref)
  (type $binary (func (param i32 i32) (result i32)))
  (data (i32.const 16) "some data\00\ff")
  (data $passive "more")
  (elem (i32.const 0) $add $sub)
  (func $add (type $binary) local.get 0 local.get 1 i32.add)
  (func $sub (type $binary) local.get 0 local.get 1 i32.sub)
  (func (export "apply") (param i32 i32 i32) (result i32)
    local.get 1 local.get 2 local.get 0 call_indirect (type $binary))
  (func (export "sum") (param $n i32) (result i64) (local $i i32) (local $sum i64)
    (loop $again
      (local.set $sum (i64.add (local.get $sum) (i64.load8_u (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (local.get $n))))
    (local.get $sum))
  (func (export "wait") (result i32) (i32.add (call $now) (memory.grow (i32.const 1))))
  (func (export "half") (param f64) (result f64) (f64.div (local.get 0) (f64.const 2)))
  (func (export "init") (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 4)) (data.drop $passive)))
"#;

/// Settings that are in order.
const SETTINGS: &str = "name = \"x\"\nmemory = \"checked\"\nheap = \"4K\"\nstack = \"2K\"\nlimit = \"128K\"\nboards = [\"unix\"]\n\
    archs = [\"armv6m\"]\nflash-tables = \"1K\"\ntrap-names = true\nallocator = [\"a\", \"b\"]\n[imports]\n\"time.ticks_ms\" = \
    \"time.ticks_ms() -> int\"\n[exports]\nsum = \"(int) -> int\"\nhalf = \"(float) -> float\"\n[board.unix]\nheap = 100\n";

const MANIFEST: &str = "[package]\nname = \"x\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n\
    [dependencies]\n[package.metadata.mpy]\nname = \"y\"\nmemory = \"direct\"\nheap = \"8K\"\nboards = [\"rpi-pico\"]\nport = \"auto\"\n\
    [profile.release]\nopt-level = \"s\"\npanic = \"abort\"\n[workspace]\n";

/// Words that are put where others are expected.
const ODD: [&str; 24] = [
    "",
    "-",
    "--",
    "0",
    "-1",
    "4294967295",
    "4294967296",
    "18446744073709551616",
    "1e999",
    "nan",
    "99G",
    "1K",
    "\u{1b}[31m",
    "\u{202e}x",
    "é",
    "a/../b",
    "/dev/null",
    "x=y",
    "%s",
    "'",
    "\"",
    "unix",
    "armv6m",
    "checked",
];

/// Changes words and numbers of a text, and sometimes its bytes.
fn damage_text(random: &mut Random, text: &str) -> Vec<u8> {
    let is_word = |c: char| c.is_alphanumeric() || "_.$-".contains(c);
    let mut tokens: Vec<String> = Vec::new();
    for c in text.chars() {
        match tokens.last_mut() {
            Some(last) if is_word(c) && last.chars().all(is_word) => last.push(c),
            _ => tokens.push(c.to_string()),
        }
    }
    for _ in 0..=random.below(4) {
        let at = random.below(tokens.len());
        let Some(token) = tokens.get(at).cloned() else { break };
        match random.below(6) {
            0 => drop(tokens.remove(at)),
            1 => tokens.insert(at, token),
            2 => {
                let other = random.below(tokens.len());
                tokens.swap(at, other);
            }
            3 => tokens[at] = (*random.one_of(&ODD)).to_owned(),
            4 => {
                // A stretch of it once more.
                let end = (at + random.below(40)).min(tokens.len());
                let copy = tokens[at..end].to_vec();
                tokens.splice(at..at, copy);
            }
            _ => {
                let many = 1 << random.below(11);
                tokens[at] = token.repeat(many);
            }
        }
    }
    let mut bytes = tokens.concat().into_bytes();
    if random.below(4) == 0 {
        scramble(random, &mut bytes);
    }
    bytes
}

/// Changes sections of a module, and its bytes.
fn damage_wasm(random: &mut Random, wasm: &[u8]) -> Vec<u8> {
    // Number and contents of each section.
    let mut sections: Vec<Vec<u8>> = Vec::new();
    let mut at = 8;
    while at < wasm.len() {
        let (mut len, mut shift, start) = (0usize, 0, at);
        at += 1;
        while let Some(&byte) = wasm.get(at) {
            len |= usize::from(byte & 0x7f) << shift;
            (at, shift) = (at + 1, shift + 7);
            if byte & 0x80 == 0 {
                break;
            }
        }
        at = (at + len).min(wasm.len());
        sections.push(wasm[start..at].to_vec());
    }
    if random.below(8) == 0 && !sections.is_empty() {
        let (one, other) = (random.below(sections.len()), random.below(sections.len()));
        match random.below(3) {
            0 => sections.swap(one, other),
            1 => drop(sections.remove(one)),
            _ => sections.insert(other, sections[one].clone()),
        }
    }
    let mut wasm = [&wasm[..wasm.len().min(8)], &sections.concat()].concat();
    for _ in 0..random.below(4) {
        // Few changes let a module be valid.
        let at = random.below(wasm.len());
        match random.below(4) {
            0 => scramble(random, &mut wasm),
            1 => wasm[at] = random.next() as u8,
            2 => wasm[at] = wasm[at].wrapping_add(1),
            _ => wasm[at] ^= 1 << random.below(8),
        }
        if wasm.is_empty() {
            break;
        }
    }
    wasm
}

/// An archive of these members, with an index of no symbols or none.
fn archive(random: &mut Random, members: &[&[u8]]) -> Vec<u8> {
    let mut data = b"!<arch>\n".to_vec();
    let mut member = |name: &str, contents: &[u8]| {
        data.extend(
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, contents.len()).bytes(),
        );
        data.extend(contents);
        data.resize(data.len().next_multiple_of(2), b'\n');
    };
    if random.below(2) == 0 {
        member("/", &[0, 0, 0, 1, 0, 0, 0, 80, b'm', b'p', b'y', b'_', b'i', b'n', b'i', b't', 0]);
    }
    for (number, contents) in members.iter().enumerate() {
        member(&format!("m{number}.o/"), contents);
    }
    data
}

impl Case {
    pub fn new(seeds: &Seeds, number: u64) -> Case {
        let mut random = Random::new(number);
        let random = &mut random;
        // The first numbers of a seed are alike.
        for _ in 0..8 {
            random.next();
        }
        let mut case = match random.below(20) {
            0..=6 => Case::wasm(seeds, random),
            7..=9 => Case::wat(seeds, random),
            10..=13 => Case::link(seeds, random),
            14..=15 => Case::inspect(seeds, random),
            16..=17 => Case::settings(seeds, random),
            18 => Case::manifest(random),
            _ => Case::words(random),
        };
        // A word that is odd, doubled or left out, in some.
        if random.below(8) == 0 && !case.words.is_empty() {
            let at = random.below(case.words.len());
            match random.below(4) {
                0 => drop(case.words.remove(at)),
                1 => case.words.insert(at, (*random.one_of(&ODD)).to_owned()),
                2 => case.words[at] = (*random.one_of(&ODD)).to_owned(),
                _ => case.words.insert(at, case.words[at].clone()),
            }
        }
        // What is left may be a command that compiles, reaches for boards or never ends.
        if !case.is_harmless() {
            case.words = vec!["explain".to_owned(), case.words.concat()];
        }
        case
    }

    /// Whether it only reads its files and prints.
    fn is_harmless(&self) -> bool {
        let has = |word: &str| self.words.iter().any(|other| other == word);
        let command = self.words.iter().find(|word| !word.starts_with('-')).map_or("", String::as_str);
        let emits = self
            .words
            .windows(2)
            .any(|pair| pair[0] == "--emit" && ["plan", "wasm", "c", "glue"].contains(&pair[1].as_str()));
        match command {
            "link" | "inspect" | "boards" | "explain" | "completions" | "help" => {
                !has("--disassemble") && !has("-d") && !has("--connected")
            }
            "expand" => has("--wasm"),
            "build" => emits,
            _ => has("--help") || has("--version"),
        }
    }

    /// The command line as a person would type it.
    pub fn line(&self) -> String {
        self.words.iter().map(|word| format!("{word:?} ")).collect()
    }

    pub fn write(&self, folder: &Path) {
        for (path, contents) in &self.files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
            fs::write(path, contents).expect("a writable folder");
        }
    }

    fn with(mut self, name: &str, contents: Vec<u8>) -> Case {
        self.files.push((name.into(), contents));
        self
    }

    fn of(words: &[&str]) -> Case {
        Case { words: words.iter().map(|word| (*word).to_owned()).collect(), files: Vec::new() }
    }

    /// What a module becomes on the way to C.
    fn translation(random: &mut Random, file: &str) -> Case {
        let stage = *random.one_of(&["plan", "wasm", "c", "c", "glue", "glue"]);
        let mut case = match random.below(5) {
            0 => Case::of(&["expand", "--wasm", file]),
            _ => Case::of(&["build", "--emit", stage, "--wasm", file]),
        };
        if random.below(2) == 0 {
            let memory = *random.one_of(&["direct", "checked", "masked", "trusted"]);
            case.words.extend(["--memory".to_owned(), memory.to_owned()]);
        }
        if random.below(2) == 0 {
            let archs: Vec<&str> = archs().collect();
            case.words.extend(["--arch".to_owned(), (*random.one_of(&archs)).to_owned()]);
        }
        for flag in ["--heap", "--stack", "--limit"] {
            if random.below(6) == 0 {
                let size = *random.one_of(&[
                    "0",
                    "1",
                    "64",
                    "4K",
                    "1M",
                    "4294967295",
                    "4294967296",
                    "99G",
                    "-1",
                    "x",
                ]);
                case.words.extend([flag.to_owned(), size.to_owned()]);
            }
        }
        case
    }

    fn wasm(seeds: &Seeds, random: &mut Random) -> Case {
        let wat = random.one_of(&seeds.wats);
        let wasm = wat::parse_str(wat).unwrap_or_default();
        let wasm = damage_wasm(random, &wasm);
        Case::translation(random, "x.wasm").with("x.wasm", wasm)
    }

    fn wat(seeds: &Seeds, random: &mut Random) -> Case {
        let wat = random.one_of(&seeds.wats);
        let wat = damage_text(random, wat);
        Case::translation(random, "x.wat").with("x.wat", wat)
    }

    fn link(seeds: &Seeds, random: &mut Random) -> Case {
        if seeds.objects.is_empty() {
            return Case::words(random);
        }
        let (arch, object) = random.one_of(&seeds.objects).clone();
        let (_, other) = random.one_of(&seeds.objects).clone();
        let mut damaged = object.clone();
        let mut library = match random.below(4) {
            0 => other.clone(),
            _ => archive(random, &[&object, &other]),
        };
        if random.below(4) != 0 {
            let numbers = numbers(&damaged);
            mutate(random, &mut damaged, &numbers);
        }
        if random.below(2) == 0 {
            let numbers = numbers(&library);
            mutate(random, &mut library, &numbers);
        }
        let archs: Vec<&str> = archs().collect();
        let arch = if random.below(8) == 0 { *random.one_of(&archs) } else { &arch };
        let mut case = match random.below(4) {
            0 => Case::of(&["link", "--arch", arch, "-o", "x.mpy", "lib.a"]),
            _ => Case::of(&["link", "--arch", arch, "-o", "x.mpy", "x.o", "-l", "lib.a"]),
        };
        if random.below(4) == 0 {
            case.words.extend(["--map".to_owned(), "x.map".to_owned()]);
        }
        if random.below(4) == 0 {
            case.words.extend(["--qstrs".to_owned(), "q.h".to_owned()]);
            let header = "#define MP_QSTR_x (1)\n#define MP_QSTR_y (2)\n";
            return case.with("q.h", damage_text(random, header)).with("x.o", damaged).with("lib.a", library);
        }
        case.with("x.o", damaged).with("lib.a", library)
    }

    fn inspect(seeds: &Seeds, random: &mut Random) -> Case {
        if seeds.modules.is_empty() {
            return Case::words(random);
        }
        let mut module = random.one_of(&seeds.modules).clone();
        (0..random.below(5)).for_each(|_| scramble(random, &mut module));
        Case::of(&["inspect", "x.mpy"]).with("x.mpy", module)
    }

    /// A module with settings beside it.
    fn settings(seeds: &Seeds, random: &mut Random) -> Case {
        let wat = if random.below(2) == 0 { SEED } else { random.one_of(&seeds.wats) };
        let settings = damage_text(random, SETTINGS);
        Case::translation(random, "x.wat").with("x.wat", wat.as_bytes().to_vec()).with("mpy.toml", settings)
    }

    /// A crate, of which only the plan is made.
    fn manifest(random: &mut Random) -> Case {
        let manifest = damage_text(random, MANIFEST);
        Case::of(&["build", "--emit", "plan"]).with("Cargo.toml", manifest).with("src/lib.rs", Vec::new())
    }

    /// Words alone.
    fn words(random: &mut Random) -> Case {
        let command = cargo_mpy::command_line();
        let commands: Vec<&clap::Command> = command.get_subcommands().collect();
        let (with_help, name) = (random.below(3) == 0, random.one_of(&commands).get_name());
        let mut case = match random.below(4) {
            0 if with_help => Case::of(&[name, "--help"]),
            0 => Case::of(&["boards"]),
            1 => Case::of(&["explain"]),
            2 => Case::of(&["build", "--emit", "plan", "--wasm", "x.wasm"]),
            _ => Case::of(&["completions"]),
        };
        // Options of any command.
        let options: Vec<String> = commands
            .iter()
            .flat_map(|command| {
                command.get_opts().filter_map(|option| Some(format!("--{}", option.get_long()?)))
            })
            .collect();
        for _ in 0..random.below(4) {
            case.words.push(match random.below(3) {
                0 => random.one_of(&options).clone(),
                1 => (*random.one_of(&ODD)).to_owned(),
                _ => {
                    let boards = target_specs::boards();
                    let mut name = random.one_of(boards).name.clone().into_bytes();
                    if random.below(2) == 0 {
                        scramble(random, &mut name);
                    }
                    String::from_utf8_lossy(&name).replace('\0', "0")
                }
            });
        }
        case.with("x.wasm", wat::parse_str(SEED).unwrap_or_default())
    }
}
