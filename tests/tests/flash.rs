//! Modules whose code stays in flash: the cases and the examples in a ROMFS on boards that can execute code there. They do what
//! they do elsewhere, and take less RAM.

use std::path::{Path, PathBuf};

use cargo_mpy::commands::new::{Options, make};
use cargo_mpy::options::BuildOptions;
use cargo_mpy::romfs::{self, Entry};
use cargo_mpy::toolchain::emulator;
use libtest_mimic::{Failed, Trial};
use target_specs::Board;
use tests::examples;
use tests::rom::{self, File};
use tests::{Case, board, differences, session};

/// The board of every run. The others are for the nightly run.
const USUAL: &str = "qemu-armv6m";

/// The most that modules take at import of what they take otherwise, for the median of the examples.
const MEDIAN: f64 = 0.35;

/// The most bytes of RAM that the template of new crates takes at import on a Cortex-M0: in ordinary form, and from ROM.
const TEMPLATE: [u32; 2] = [6 * 1024, 2 * 1024];

/// What it prints.
const CALLED: &str = "6 0\narray('I', [3])\nTrue 5 2880067194370816120\n";

/// In place of a board's module `machine`, which some examples use when they start.
const PIN: &str = "
class Pin:
    OUT = 1
    def __init__(self, number, mode=None):
        pass
    def value(self, level):
        pass
import sys
sys.modules['machine'] = Pin
Pin.Pin = Pin
";

/// Two modules that call each other through Python, from functions with different numbers of arguments.
const CALLS: &str = "
import filter, hello, gc
m = filter.Median(3)
class Loud:
    def __init__(self, size):
        self.size = size
    def __len__(self):
        print(hello.add(self.size, 1), m.add(self.size))
        return self.size
    def __getitem__(self, i):
        if i >= self.size:
            raise IndexError
        return hello.add(m.add(i), 1)
print(filter.crossings(Loud(5), 2))
import sys
del sys.modules['filter']
import filter as again
print(again is not filter, again.Median(5).width, hello.fibonacci(90))
";

type Part = fn(&Board) -> Result<(), Failed>;

fn main() {
    let arguments = tests::arguments();
    let mut trials = Vec::new();
    for (board, why_not) in rom::boards() {
        let parts: [(&str, Part); 6] = [
            ("cases", cases),
            ("examples", all_examples),
            ("template", template),
            ("collector", collector),
            ("calls", calls),
            ("unaligned", unaligned),
        ];
        for (name, part) in parts {
            let trial = Trial::test(format!("{}::{name}", board.name), move || part(board));
            trials.push(trial.with_ignored_flag(why_not.is_some() || board.name != USUAL));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn target_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("flash")
}

fn built(options: BuildOptions, board: &Board) -> Result<File, String> {
    let options = BuildOptions { boards: vec![board.name.clone()], ..options };
    board::module(&options).map_err(|failure| format!("{failure:?}"))
}

fn run(board: &Board, modules: &[File], code: &str) -> Result<String, String> {
    let (image, code) = rom::mounted(modules, code);
    board::execute(board, &emulator::with_hardware(&[image]), &code)
}

/// GCC makes no tail calls through tables for a Cortex-M0, unless it knows what is in them. In flash, a table is state.
fn is_left_out(case: &Case, board: &Board) -> bool {
    case.name == "tail_calls" && board.arch == "armv6m"
}

fn cases(board: &Board) -> Result<(), Failed> {
    let folder = target_dir().join(format!("cases-{}", board.name));
    std::fs::create_dir_all(&folder)?;
    let mut cases = tests::cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"));
    cases.retain(|case| !is_left_out(case, board));
    let mut wrong = String::new();
    for cases in cases.chunks(8) {
        let mut modules = Vec::new();
        for case in cases {
            let options = BuildOptions {
                input: Some(case.write(&folder)),
                target_dir: Some(folder.join("target")),
                ..Default::default()
            };
            modules.push(built(rom::in_flash(options), board)?);
        }
        let (Ok(text) | Err(text)) = run(board, &modules, &session(cases));
        wrong.push_str(&differences(cases, &text));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

/// The bytes of RAM that a module takes when it is imported, in ordinary form and from ROM. Prints them.
fn at_import(board: &Board, usual: File, in_flash: File) -> Result<[u32; 2], String> {
    let name = usual.0.trim_end_matches(".mpy").to_owned();
    let code = format!(
        "{PIN}import gc\ngc.collect();a = gc.mem_alloc()\nimport {name}\ngc.collect();print(gc.mem_alloc() - a)\n"
    );
    let taken = |module: File| {
        let printed = run(board, &[module], &code)?;
        printed.trim().parse::<u32>().map_err(|_| printed)
    };
    let sizes = [taken(usual)?, taken(in_flash)?];
    let [before, after] = sizes;
    eprintln!("{:16} {name:20} {before:6} bytes at import, {after:6} from ROM", board.name);
    Ok(sizes)
}

/// What `cargo mpy new` makes fits beside a program on the smallest boards.
fn template(board: &Board) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let crate_ = folder.path().join("template");
    let new = Options { template: None, name: None, vcs: Some("none".to_owned()), ci: None };
    make("new", &crate_, &new).map_err(|failure| format!("{failure:?}"))?;
    let options = BuildOptions {
        manifest_path: Some(crate_.join("Cargo.toml")),
        target_dir: Some(board::crates(env!("CARGO_TARGET_TMPDIR"))),
        ..Default::default()
    };
    let usual = built(options.clone(), board)?;
    let module = built(rom::in_flash(options), board)?;
    let sizes = at_import(board, usual, module)?;
    if board.arch == "armv6m" && sizes.iter().zip(TEMPLATE).any(|(size, most)| *size > most) {
        return Err(format!("it takes {sizes:?} bytes at import, of {TEMPLATE:?}").into());
    }
    Ok(())
}

/// Every example prints what it should. Prints what they take at import, and compares that.
fn all_examples(board: &Board) -> Result<(), Failed> {
    let crates = board::crates(env!("CARGO_TARGET_TMPDIR"));
    let mut shares = Vec::new();
    for example in examples::all() {
        let options = example.options(&crates, &target_dir());
        let usual = built(options.clone(), board)?;
        let module = built(rom::in_flash(options), board)?;
        example.check(&run(board, std::slice::from_ref(&module), &example.code()?)?)?;
        // It is the same file in any filesystem.
        let files = emulator::with_hardware(std::slice::from_ref(&module));
        example.check(&board::execute(board, &files, &example.code()?)?)?;
        let [before, after] = at_import(board, usual, module)?;
        shares.push(f64::from(after) / f64::from(before));
    }
    shares.sort_by(f64::total_cmp);
    let half = shares.len() / 2;
    let median = (shares[half] + shares[shares.len() - 1 - half]) / 2.0;
    eprintln!("{:16} median {:.1} %", board.name, 100.0 * median);
    if median <= MEDIAN { Ok(()) } else { Err(format!("the median is {median}").into()) }
}

/// The modules of these examples.
fn modules(board: &Board, names: &[&str]) -> Result<Vec<File>, Failed> {
    let crates = board::crates(env!("CARGO_TARGET_TMPDIR"));
    let wanted = examples::all().into_iter().filter(|example| {
        example.folder.file_name().is_some_and(|name| names.contains(&&*name.to_string_lossy()))
    });
    wanted.map(|example| Ok(built(rom::in_flash(example.options(&crates, &target_dir())), board)?)).collect()
}

fn collector(board: &Board) -> Result<(), Failed> {
    let printed = run(board, &modules(board, &["filter"])?, examples::COLLECTOR)?;
    if printed == examples::COLLECTED { Ok(()) } else { Err(printed.into()) }
}

/// An image that another tool made has modules where they happen to be.
fn unaligned(board: &Board) -> Result<(), Failed> {
    let module = modules(board, &["hello"])?.remove(0);
    for folder in ["a", "ab", "abc", "abcd"] {
        let entry = Entry::File { name: module.0.clone(), data: module.1.clone(), has_objects: false };
        let image = romfs::image(&[Entry::Folder(folder.to_owned(), vec![entry])]);
        let code = format!(
            "import vfs,sys\nvfs.mount(vfs.VfsRom(open('x.romfs','rb').read()),'/rom')\n\
             sys.path.insert(0,'/rom/{folder}')\nimport hello,gc\n\
             for i in range(20):gc.collect();b=[bytes(500) for i in range(20)]\n\
             print(hello.fibonacci(90),hello.add(1,2))\n"
        );
        let printed = board::execute(board, &[("x.romfs".to_owned(), image)], &code)?;
        if printed != "2880067194370816120 3\n" {
            return Err(printed.into());
        }
    }
    Ok(())
}

fn calls(board: &Board) -> Result<(), Failed> {
    let printed = run(board, &modules(board, &["filter", "hello"])?, CALLS)?;
    if printed == CALLED { Ok(()) } else { Err(printed.into()) }
}
