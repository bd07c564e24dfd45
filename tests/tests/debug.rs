//! Debug information: it changes no code, and says which lines of the source code is from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::{fs, iter};

use cargo_mpy::options::BuildOptions;
use cargo_mpy::pipeline::{self, Built};
use cargo_mpy::symbols::Symbols;
use cargo_mpy::toolchain::cc;
use tests::{board, in_ci};
use wasm_to_c::{Options, SourceLine, SourceLines, WasmModule, transpile};

/// One for each family of compilers.
const ARCHS: [&str; 4] = ["armv6m", "rv32imc", "x64", "xtensawin"];
/// The assembler of this one aligns code otherwise where there are labels, and there are some in debug information.
const ALIGNS_AT_LABELS: &str = "xtensawin";
const EXAMPLES: [&str; 4] = ["coremark", "dsp", "filter", "motions"];

/// Those of [`ARCHS`] that can be compiled for here.
fn archs() -> Vec<String> {
    let here = ARCHS.into_iter().filter(|name| {
        let found = cc::find(target_specs::arch(name).expect("an architecture"));
        assert!(found.is_ok() || !in_ci(), "no compiler for {name}");
        if found.is_err() {
            eprintln!("skipped: no compiler for {name}");
        }
        found.is_ok()
    });
    here.map(str::to_owned).collect()
}

fn folder(example: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(example)
}

fn target_with_lines() -> PathBuf {
    board::crates_with_lines(env!("CARGO_TARGET_TMPDIR"))
}

fn build(example: &str, test: &str, debug: bool) -> Vec<Built> {
    let target_dir = if debug { target_with_lines() } else { board::crates(env!("CARGO_TARGET_TMPDIR")) };
    let options = BuildOptions {
        manifest_path: Some(folder(example).join("Cargo.toml")),
        target_dir: Some(target_dir),
        archs: archs(),
        debug,
        ..Default::default()
    };
    // Cargo links a program in one place, whatever for.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut plan = pipeline::plan(&options).expect("a plan");
    // Tests that run at the same time do not write over each other's modules.
    plan.put_into(test);
    pipeline::build(&plan, None).expect("a build")
}

/// Every example with debug information.
static WITH_LINES: LazyLock<Vec<(&str, Vec<Built>)>> = LazyLock::new(|| {
    let built = EXAMPLES.iter().map(|example| (*example, build(example, "debug-lines", true)));
    built.collect()
});

/// The C is the same but for `#line`, however many lines there are.
#[test]
fn lines_do_not_change_the_c() {
    let mut directives = 0;
    for case in tests::cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")) {
        let mut module = WasmModule::new("m", wat::parse_str(&case.wat).expect("a module"));
        let Ok(plain) = transpile(&module, &Options::default()) else { continue };
        let line = |at: u32| {
            (!at.is_multiple_of(7)).then_some(SourceLine { file: at as usize % 3, line: 1 + at % 5 })
        };
        module.lines = Some(SourceLines {
            files: ["a.rs", "b \"b\\.rs", "c.rs"].map(str::to_owned).to_vec(),
            rows: (0..module.bytes.len() as u32).map(|at| (at, line(at))).collect(),
        });
        let with = transpile(&module, &Options::default()).expect("a translation").unit.source;
        let is_directive = |line: &&str| line.starts_with("#line ");
        let without: Vec<&str> = with.lines().filter(|line| !is_directive(line)).collect();
        let plain: Vec<&str> = plain.unit.source.lines().collect();
        assert_eq!(without, plain, "{}", case.name);
        directives += with.lines().filter(is_directive).count();
        // A line that is from no other place has its own number.
        for (line, number) in with.lines().zip(1..) {
            if let Some(own) = line.strip_suffix(" \"module.c\"") {
                assert_eq!(own, format!("#line {}", number + 1), "{}", case.name);
            }
        }
    }
    assert!(directives > 1000, "{directives}");
}

#[test]
fn modules_are_the_same() {
    for (example, with_lines) in &*WITH_LINES {
        for (built, plain) in iter::zip(with_lines, build(example, "debug", false)) {
            let arch = &built.target.arch.name;
            assert!(!plain.mpy.with_extension("elf").exists());
            let [module, plain] = [built, &plain].map(|built| fs::read(&built.mpy).expect("a module"));
            assert!(module == plain || arch == ALIGNS_AT_LABELS, "{example} for {arch}");
            // The symbols are of the code that is in the module.
            let text = Symbols::of(&built.mpy).expect("symbols").text().expect("text");
            assert_eq!(
                text,
                mpy_link::inspect::read(&module).expect("a module").text,
                "{example} for {arch}"
            );
        }
    }
}

/// The name of a function of the crate itself, without its path.
fn own<'a>(name: &'a str, krate: &str) -> Option<&'a str> {
    let name = name.strip_prefix(krate)?.strip_prefix("::")?;
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_').then_some(name)
}

/// Most code has a line, and that where a function begins is the function's.
#[test]
fn code_has_lines_and_functions_their_names() {
    // An equal build elsewhere, whose objects are kept.
    build("filter", "debug-before", true);
    let mut found = BTreeSet::new();
    for (example, with_lines) in &*WITH_LINES {
        for built in with_lines {
            let what = format!("{example} for {}", built.target.arch.name);
            let symbols = Symbols::of(&built.mpy).expect("symbols");
            let lines = symbols.lines().expect("lines");
            let translated = lines.known() + lines.translated;
            assert!(lines.known() * 100 >= translated * 80, "{what}: {lines:?}");
            assert!(translated > 100 && lines.code >= translated + lines.bindings, "{what}: {lines:?}");
            // The C of the bindings is that of this build, not of an equal one whose object was kept.
            let functions = symbols.functions().expect("functions");
            let (_, start) = functions.iter().find(|(name, _)| name == "mpy_init").expect("an entry");
            let outer = symbols.places(start.start).expect("places").pop().expect("a place");
            let (path, _) = outer.line.expect("a line");
            let target = target_with_lines().join("mpy/debug-lines");
            assert!(Path::new(&path).starts_with(&target), "{what}: {path}");
            for (name, addresses) in functions {
                let Some(function) = own(&name, example) else { continue };
                // Others of the file may be inlined.
                let is_of_it = addresses.step_by(2).any(|address| {
                    let places = symbols.places(address).expect("places");
                    let Some(outer) = places.last() else { return false };
                    assert_eq!(outer.function.as_deref(), Some(&*name), "{what}: {places:?}");
                    let Some((path, line)) = &outer.line else { return false };
                    let Ok(source) = fs::read_to_string(path) else { return false };
                    let before: Vec<&str> = source.lines().take(*line as usize).collect();
                    let text = before.iter().rev().find(|text| text.contains("fn ")).unwrap_or(&"");
                    text.contains(&format!("fn {function}"))
                });
                assert!(is_of_it, "{what}: {name}");
                found.insert(name.clone());
            }
        }
    }
    assert!(found.contains("motions::infer"), "{found:?}");
}

/// Symbols of another build are not used.
#[test]
fn stale_symbols_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (wasm, target) = (folder.path().join("m.wat"), folder.path().join("target"));
    let arch = archs().first().cloned().expect("a compiler");
    let made = |constant: u32, debug| {
        fs::write(&wasm, format!("(module (func (export \"f\") (result i32) (i32.const {constant})))"))
            .expect("a file");
        let options = BuildOptions {
            input: Some(wasm.clone()),
            target_dir: Some(target.clone()),
            archs: vec![arch.clone()],
            debug,
            ..Default::default()
        };
        pipeline::build(&pipeline::plan(&options).expect("a plan"), None).expect("a build").remove(0).mpy
    };
    let mpy = made(1, true);
    // Without debug information in the module, functions have names.
    let symbols = Symbols::of(&mpy).expect("symbols");
    assert!(symbols.functions().is_ok_and(|functions| !functions.is_empty()));
    assert_eq!(symbols.lines().expect("lines").known(), 0);
    let old = fs::read(mpy.with_extension("elf")).expect("symbols");
    assert!(!made(2, false).with_extension("elf").exists());
    let refused = |mpy: &Path| Symbols::of(mpy).map(|_| ()).unwrap_err().code;
    assert_eq!(refused(&mpy), "no-symbols");
    fs::write(mpy.with_extension("elf"), &old).expect("a file");
    assert_eq!(refused(&mpy), "no-symbols");
    // What is damaged is refused, or read without a panic.
    let mpy = made(1, true);
    for (at, fill) in iter::zip((0..old.len()).step_by(97), [0, 0xff].into_iter().cycle()) {
        let mut damaged = old.clone();
        damaged[at] = fill;
        fs::write(mpy.with_extension("elf"), damaged).expect("a file");
        if let Ok(symbols) = Symbols::of(&mpy) {
            _ = symbols.lines();
            _ = symbols.functions();
            _ = symbols.places(0);
        }
    }
}
