//! Damaged modules of wasm-bindgen's, as the passes, the translation and the bindings see them: what the macro wrote
//! and the functions that describe types are changed byte by byte, words and bytes of descriptions at random. Each
//! gives a module or an error; none panics.
//!
//! `HOSTILE=N` changes every byte of what the macro wrote, and makes N random changes where a push makes several hundred.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cargo_mpy::options::BuildOptions;
use cargo_mpy::{pipeline, wasm};
use glue_gen::wbindgen;
use tests::{board, kept};

/// A small generator of numbers (Marsaglia, "Xorshift RNGs"), the same ones on every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Changes, doubles, drops or swaps a few bytes.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let Some(at) = bytes.len().checked_sub(1).map(|last| self.below(last + 1)) else { return };
            match self.below(6) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                2 => bytes.truncate(at),
                3 => bytes.insert(at, self.next() as u8),
                4 => drop(bytes.remove(at)),
                _ => {
                    let end = (at + 1 + self.below(16)).min(bytes.len());
                    let copy = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, copy);
                }
            }
        }
    }
}

fn random_runs() -> usize {
    std::env::var("HOSTILE").ok().and_then(|text| text.parse().ok()).unwrap_or(600)
}

/// The modules of two crates as the linker left them.
fn modules() -> Vec<Vec<u8>> {
    let board = target_specs::board("unix").expect("a board");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile");
    let target = board::crates(env!("CARGO_TARGET_TMPDIR"));
    let mut modules = Vec::new();
    for name in ["filter", "api"] {
        let manifest = match name {
            "filter" => Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/filter/Cargo.toml"),
            _ => described(&folder),
        };
        let options = BuildOptions { manifest_path: Some(manifest), ..board::options(board, &target) };
        let plan = pipeline::plan(&options).expect("a plan");
        pipeline::build(&plan, Some(cargo_mpy::options::Stage::Wasm)).expect("a module");
        let path = format!("mpy/wasm/wasm32-unknown-unknown/release/{name}.wasm");
        modules.push(std::fs::read(target.join(path)).expect("the linker's module"));
    }
    modules
}

/// A crate that uses what `filter` does not.
fn described(folder: &Path) -> PathBuf {
    let folder = folder.join("api");
    std::fs::create_dir_all(folder.join("src")).expect("a folder");
    let manifest = "[package]\nname = \"api\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n\
                    [lib]\ncrate-type = [\"cdylib\"]\n[dependencies]\nwasm-bindgen = \"=0.2.130\"\n\
                    [profile.release]\nopt-level = \"s\"\npanic = \"abort\"\n";
    std::fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest");
    let code = "use wasm_bindgen::prelude::*;
        #[wasm_bindgen] pub enum Level { Low, High = 7 }
        #[wasm_bindgen] pub enum Mode { On = \"on\", Off = \"off\" }
        #[wasm_bindgen(module = \"host\")] extern \"C\" {
            pub type Thing;
            #[wasm_bindgen(constructor)] fn new(size: u32) -> Thing;
            #[wasm_bindgen(method, getter)] fn size(this: &Thing) -> f64;
            #[wasm_bindgen(catch)] fn each(call: &mut dyn FnMut(i32) -> Option<String>) -> Result<u64, JsValue>;
        }
        #[wasm_bindgen] pub fn level(level: Option<Level>, mode: Mode) -> Result<Level, String> {
            match mode { Mode::On => Ok(level.unwrap_or(Level::Low)), _ => Err(String::from(\"off\")) }
        }
        #[wasm_bindgen] pub fn run(words: Vec<String>, to: &mut [f32]) -> Option<u64> {
            to[0] = Thing::new(3).size() as f32;
            each(&mut |at| words.get(at as usize).cloned()).ok()
        }\n";
    std::fs::write(folder.join("src/lib.rs"), code).expect("a source");
    folder.join("Cargo.toml")
}

/// Whether the module of a crate can be built.
fn road(bytes: &[u8]) -> bool {
    let Ok(prepared) =
        wasm::prepare("hostile", bytes, 0, None, None, wasm::Origin::CRATE, Some(Path::new("/")))
    else {
        return false;
    };
    let Ok(translation) = wasm_to_c::transpile(&prepared.module, &wasm_to_c::Options::default()) else {
        return false;
    };
    glue_gen::glue("hostile", &translation.interface, prepared.api.as_ref(), &glue_gen::Mappings::default())
        .is_ok()
}

/// What became of changed bytes.
#[derive(Default)]
struct Count {
    runs: usize,
    good: usize,
    panicked: Vec<String>,
}

/// Runs `this` on changed bytes, on every processor; some must be taken as good.
fn survives<T>(what: &str, changed: impl Iterator<Item = T> + Send, this: impl Fn(&T) -> bool + Sync) {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let changed = Mutex::new(changed.enumerate());
    let count = Mutex::new(Count::default());
    let next = || changed.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        while let Some((run, one)) = next() {
            let result = catch_unwind(AssertUnwindSafe(|| this(&one)));
            let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
            count.runs += 1;
            match result {
                Ok(taken) => count.good += usize::from(taken),
                Err(payload) => {
                    let text = payload.downcast_ref::<String>().map(String::as_str);
                    let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("?");
                    count.panicked.push(format!("run {run}: {text}"));
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    std::panic::set_hook(hook);
    let Count { runs, good, panicked } = count.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{what}: {runs} runs, {good} good, {} panics", panicked.len());
    assert!(0 < good && good < runs && runs > 100);
    assert!(panicked.is_empty(), "{:#?}", &panicked[..panicked.len().min(10)]);
}

#[test]
fn damaged_bindings_are_errors() {
    let modules = modules();
    let count = std::env::var("HOSTILE").unwrap_or_default();
    let inputs = modules.iter().map(Vec::as_slice).chain([count.as_bytes()]);
    kept::by_this_program(inputs, || survive(&modules));
}

fn survive(modules: &[Vec<u8>]) {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut raws = Vec::new();
    let is_long = std::env::var_os("HOSTILE").is_some();
    for bytes in modules {
        let raw = wasm::descriptions(bytes).expect("descriptions").expect("a crate with wasm-bindgen");
        let section = raw.section.as_slice();
        let at = bytes.windows(section.len()).position(|window| window == section).expect("the section");
        let body = at..at + section.len();
        // Bytes of the section, in the whole module.
        let changes = body.step_by(if is_long { 1 } else { 47 }).map(|at| {
            let mut bytes = bytes.clone();
            bytes[at] ^= [1, 0x80, 0xff][at % 3];
            bytes
        });
        survives("the section in its module", changes, |bytes| road(bytes));
        // Bytes of the code, constants and calls of descriptions among them, that leave it valid or not.
        let changes = (0..random_runs() / 4).map(|_| {
            let mut bytes = bytes.clone();
            let at = numbers.below(bytes.len());
            bytes[at] = bytes[at].wrapping_add(numbers.next() as u8 | 1);
            bytes
        });
        survives("the module", changes, |bytes| road(bytes));
        raws.push(raw);
    }
    // The descriptions alone, with words that no function has to write.
    let changes = (0..random_runs() * 5).map(|run| {
        let mut raw = raws[run % raws.len()].clone();
        if run % 3 == 0 {
            numbers.damage(&mut raw.section);
        } else {
            let all = raw.descriptors.values_mut().chain(raw.generics.values_mut());
            let mut all: Vec<_> = all.filter(|words| !words.is_empty()).collect();
            for _ in 0..=numbers.below(3) {
                let which = numbers.below(all.len());
                let words = &mut *all[which];
                let at = numbers.below(words.len());
                // Kinds of types are small numbers.
                words[at] = if run % 2 == 0 { numbers.below(70) as u32 } else { numbers.next() as u32 };
                if numbers.below(4) == 0 {
                    words.truncate(at.max(1));
                }
            }
        }
        raw
    });
    survives("descriptions", changes, |raw| wbindgen::api(raw).is_ok());
}
