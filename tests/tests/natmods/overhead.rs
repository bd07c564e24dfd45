//! What a call of a function costs, by instructions of the whole board: a crate with `#[wasm_bindgen]` against the
//! module that one writes by hand.

use std::fs;
use std::path::Path;
use std::time::Duration;

use cargo_mpy::options::BuildOptions;
use cargo_mpy::toolchain::emulator::Run;
use cargo_mpy::toolchain::micropython::Firmware;
use libtest_mimic::Failed;
use target_specs::{Board, Emulator};
use tests::board;

use super::make::{hand_written, make};

const CRATE: &str = "use wasm_bindgen::prelude::*;\n\n\
                     #[wasm_bindgen]\npub fn add(a: i32, b: i32) -> i32 {\n    a.wrapping_add(b)\n}\n";

const CODE: &str = "
import machine, bound_add, native_add
def nothing(a, b): pass
def loop(f):
    machine.idle()
    for i in range(1000): f(i, -7)
    machine.idle()
def empty():
    machine.idle()
    for i in range(1000): pass
    machine.idle()
print(bound_add.add(20, 22), native_add.add(20, 22))
loop(bound_add.add); loop(native_add.add); empty()
";

/// A call takes at most this many times the instructions of the hand-written module's.
const MOST: f64 = 1.15;

pub fn run(board: &'static Board) -> Result<(), Failed> {
    let made = make(&board.arch)?;
    let native = hand_written(&made, &board.arch, "add")?;
    let (name, bound) = build(board, "bound_add", CRATE)?;
    let modules = [(name, bound), ("native_add.mpy".to_owned(), fs::read(native.mpy)?)];
    let firmware = Firmware::build(board, &|_| {})?;
    let mut whole = board.clone();
    if let Some(Emulator::Qemu { code, word_access_only, .. }) = &mut whole.emulator {
        *code = [0, u32::MAX];
        *word_access_only = false;
    }
    let timeout = Duration::from_secs(60);
    let run =
        Run { board: &whole, firmware: &firmware, modules: &modules, code: CODE, timeout, arguments: &[] };
    let outcome = board::run(&run, true, &mut |_| {})?;
    let printed = String::from_utf8_lossy(&outcome.stdout);
    let &[a, b, c, d, e, f] = outcome.marks.as_slice() else {
        return Err(format!("{printed}{}{:?}", outcome.stderr, outcome.marks).into());
    };
    assert_eq!(printed, "42 42\n");
    let each = |from: u64, to: u64| (to - from).saturating_sub(f - e) as f64 / 1000.0;
    let (ours, theirs) = (each(a, b), each(c, d));
    let ratio = ours / theirs;
    println!("{}: a call takes {ours:.0} instructions, by hand {theirs:.0}: {ratio:.2} times", board.name);
    if ratio > MOST {
        return Err(format!("{ratio:.2} times the instructions of a module written by hand").into());
    }
    Ok(())
}

/// Builds a crate with wasm-bindgen.
fn build(board: &Board, name: &str, code: &str) -> Result<(String, Vec<u8>), Failed> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("natmods").join(name);
    fs::create_dir_all(folder.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
         [lib]\ncrate-type = [\"cdylib\"]\n[dependencies]\nwasm-bindgen = \"=0.2.130\"\n\
         [profile.release]\nopt-level = \"s\"\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/lib.rs"), code)?;
    let options = BuildOptions {
        manifest_path: Some(folder.join("Cargo.toml")),
        ..board::options(board, &board::crates(env!("CARGO_TARGET_TMPDIR")))
    };
    Ok(board::module(&options).map_err(|error| format!("{error:?}"))?)
}

/// Functions of numbers, `#` standing for one of their own: parameters, result, body.
const FUNCTIONS: [(&str, &str, &str); 6] = [
    ("a: i32, b: i32", "i32", "a ^ b ^ #"),
    ("a: u8", "u16", "u16::from(a) + #"),
    ("a: f32, b: f32", "f32", "a * b + #.0"),
    ("a: i64", "i64", "a ^ #"),
    ("a: bool", "i32", "i32::from(a) + #"),
    ("a: i32, b: i32, c: i32, d: i32", "i32", "a ^ b ^ c ^ d ^ #"),
];
/// A function takes at most so many bytes of Thumb, with what little it does itself.
const MOST_BYTES: usize = 60;
/// The data of a function beside that: its entry in a table, and its name's number.
const ENTRY: usize = 8 + 2;

/// How much larger a module is for each function that it exports.
pub fn bytes(board: &'static Board) -> Result<(), Failed> {
    const MORE: usize = 8;
    let text_of = |more: Option<usize>| -> Result<usize, Failed> {
        let mut code = "use wasm_bindgen::prelude::*;\n".to_owned();
        for (kind, (params, result, body)) in FUNCTIONS.iter().enumerate() {
            for number in 1..=if more == Some(kind) { 1 + MORE } else { 1 } {
                let body = body.replace('#', &number.to_string());
                code +=
                    &format!("#[wasm_bindgen]\npub fn f{kind}_{number}({params}) -> {result} {{ {body} }}\n");
            }
        }
        let (_, bytes) = build(board, "bound_many", &code)?;
        Ok(mpy_link::inspect::read(&bytes)?.text.len())
    };
    let few = text_of(None)?;
    let mut large = Vec::new();
    for (kind, (params, result, _)) in FUNCTIONS.iter().enumerate() {
        let each = (text_of(Some(kind))? - few).div_ceil(MORE) - ENTRY;
        println!("{}: fn({params}) -> {result} takes {each} bytes", board.name);
        if each > MOST_BYTES {
            large.push(format!("fn({params}) -> {result}: {each} bytes"));
        }
    }
    if large.is_empty() { Ok(()) } else { Err(format!("{large:#?}").into()) }
}
