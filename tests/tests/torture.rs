//! `torture/torture.c`, compiled for every architecture as it is, linked and run on its board: every part returns
//! what the same C returns as a program of this machine.

use std::fs;
use std::path::Path;
use std::process::Command;

use cargo_mpy::toolchain::cc;
use libtest_mimic::{Arguments, Failed, Trial};
use mpy_link::{Input, InputKind};
use target_specs::Board;
use tests::board;

/// Optimisation levels that make different code: small, and with tables and literals everywhere.
const LEVELS: [&str; 2] = ["-Os", "-O2"];

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for (board, why_not) in board::boards() {
        for level in LEVELS {
            let name = format!("{}::torture{level}", board.name);
            trials.push(Trial::test(name, move || play(board, level)).with_ignored_flag(why_not.is_some()));
        }
        if let Some(why) = why_not {
            eprintln!("skipped: {} ({why})", board.name);
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn play(board: &Board, level: &str) -> Result<(), Failed> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("torture/torture.c");
    let folder = tempfile::tempdir()?;
    let include = folder.path().join("include");
    fs::create_dir(&include)?;
    for (name, text) in c_runtime::HEADERS {
        fs::write(include.join(name), text)?;
    }
    let arch = target_specs::arch(&board.arch)?;
    let compiler = cc::find(arch)?;
    let object = folder.path().join("torture.o");
    compiler.compile(&source, &object, &board.c_flags, level, &[&include])?;
    let data = fs::read(&object)?;
    let runtime = compiler.runtime(&board.c_flags, level, &include)?;
    let library = compiler.library(&board.c_flags)?;
    let mut inputs = vec![Input { name: "torture.o", kind: InputKind::Object, data: &data }];
    let lazy = runtime.iter().chain(&library);
    inputs.extend(lazy.map(|(name, data)| Input { name, kind: InputKind::Lazy, data }));
    let qstrs = ["run".to_owned()];
    let options = mpy_link::Options { arch, file_name: "torture.mpy", qstrs: &qstrs };
    let image = mpy_link::link(&inputs, &options)?;
    if image.sizes.text <= 0x1_0000 {
        return Err(format!("only {} bytes of code", image.sizes.text).into());
    }

    let program = folder.path().join("host");
    let made = Command::new("cc")
        .args(["-DHOST", "-O1", "-fwrapv", "-ffp-contract=off", "-o"])
        .args([&program, &source])
        .status()?;
    if !made.success() {
        return Err("the host's compiler failed".into());
    }
    let expected = String::from_utf8(Command::new(&program).output()?.stdout)?;
    let parts = expected.lines().count();
    let code = format!(
        "import torture, gc\nfor again in range(2):\n for part in range({parts}):\n  \
         if again: gc.collect()\n  print(part, '%08x' % torture.run(part))\n"
    );
    let printed = board::execute(board, &[("torture.mpy".to_owned(), image.bytes)], &code)?;
    // Twice: statics and initialised data keep their meaning from call to call.
    if printed == format!("{expected}{expected}") {
        return Ok(());
    }
    Err(format!("--- this machine\n{expected}--- the board, twice\n{printed}").into())
}
