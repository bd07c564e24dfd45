//! Runs the modules' tests on a board.

use std::fs;
use std::process::Command;

use cargo_mpy::toolchain::micropython::{self, Firmware};
use cargo_mpy::toolchain::{digest, identity};
use libtest_mimic::Failed;
use target_specs::{Board, Emulator};
use tests::{board, kept};

use super::make::{Made, make, say};

/// What uses the modules that MicroPython has no tests for, and what it prints.
const FEATURES: &str = include_str!("features.py");
const PRINTED: &str = include_str!("features.txt");

/// Makes the modules of the board's architecture and runs everything there is for them.
pub fn run(board: &'static Board) -> Result<(), Failed> {
    let made = make(&board.arch)?;
    let firmware = Firmware::build(board, &|_| {})?;
    let output = match &board.emulator {
        Some(Emulator::Qemu { semihosting_console: true, .. }) => return on_session(board, &made),
        Some(Emulator::Qemu { program, args, .. }) => {
            let args = args.join(" ");
            let kernel = firmware.path.display();
            // The runner finds the name of the terminal in the first line that QEMU prints.
            let device = format!(
                "execpty:{program} {args} -kernel {kernel} -nodefaults -display none -monitor none -serial pty"
            );
            // Later runners say which board in one option.
            let instance = ["-t", &device];
            let device = ["-p", "-d", &device];
            let is_later = made.tree.join("tests/test_utils.py").is_file();
            runner(&made, &firmware, if is_later { &instance } else { &device })?
        }
        _ => runner(&made, &firmware, &[])?,
    };
    let lines = || output.lines().filter(|line| !line.starts_with("pass  "));
    let passed = output.lines().filter(|line| line.starts_with("pass  ")).count();
    if passed < TESTS_THAT_PASS || lines().any(|line| line.starts_with("FAIL")) {
        return Err(format!("{passed} tests passed\n{output}").into());
    }
    for line in lines().filter(|line| line.starts_with("SKIP")) {
        eprintln!("{}: {line}", board.name);
    }
    features(board, &made)
}

/// All of MicroPython's tests of these modules but those that skip themselves on some architecture.
const TESTS_THAT_PASS: usize = 30;

/// The test scripts of the modules, as the runner names them.
fn scripts(made: &Made) -> Result<Vec<String>, Failed> {
    let modules = ["btree", "deflate", "framebuf", "heapq", "random", "re"];
    let modules = modules.into_iter().filter(|name| made.modules.iter().any(|made| made.name == *name));
    let modules: Vec<&str> = modules.collect();
    let mut scripts = Vec::new();
    for entry in fs::read_dir(made.tree.join("tests/extmod"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let is_one = |module: &&str| name.starts_with(&format!("{module}_")) || has_number(&name, module);
        if name.ends_with(".py") && modules.iter().any(is_one) {
            scripts.push(format!("extmod/{name}"));
        }
    }
    scripts.sort();
    Ok(scripts)
}

/// Whether a file is called like `re1.py`.
fn has_number(name: &str, module: &str) -> bool {
    let rest = name.strip_prefix(module).and_then(|rest| rest.strip_suffix(".py"));
    rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
}

/// What MicroPython's own runner says; without arguments, of this machine's MicroPython.
fn runner(made: &Made, firmware: &Firmware, args: &[&str]) -> Result<String, Failed> {
    let outside =
        [micropython::source(&|_| {})?.display().to_string(), identity(&firmware.path), args.join(" ")];
    let mut inputs = outside.map(String::into_bytes).to_vec();
    for module in &made.modules {
        inputs.push(fs::read(&module.mpy)?);
    }
    kept::kept(&digest(inputs), || {
        let mut command = Command::new("python3");
        command.arg("run-natmodtests.py").args(args).args(scripts(made)?);
        command.current_dir(made.tree.join("tests")).env("MICROPY_CPYTHON3", "python3");
        command.env("PYTHONPATH", tests::tools::python()).env("PYTHONDONTWRITEBYTECODE", "1");
        if args.is_empty() {
            command.env("MICROPY_MICROPYTHON", &firmware.path);
        }
        Ok(say(&mut command)?)
    })
}

/// The modules that have no tests in MicroPython.
fn features(board: &Board, made: &Made) -> Result<(), Failed> {
    let mut modules = Vec::new();
    for module in made.modules.iter().filter(|module| module.name.starts_with("features")) {
        modules.push((format!("{}.mpy", module.name), fs::read(&module.mpy)?));
    }
    let printed = board::execute(board, &modules, FEATURES)?;
    // One module says where in memory it is; which float types there are depends on the processor.
    let is_same = |line: &&str| !line.starts_with("initialising module self=");
    let printed: Vec<&str> = printed.lines().filter(is_same).collect();
    let printed = printed.join("\n").replace("[True, True, True, True]", "[True, True, True]") + "\n";
    if printed == PRINTED {
        return Ok(());
    }
    Err(format!("--- expected\n{PRINTED}--- printed\n{printed}").into())
}

/// Where the runner finds no terminal: its tests one by one, in the same way.
fn on_session(board: &Board, made: &Made) -> Result<(), Failed> {
    let mut passed = 0;
    for script in scripts(made)? {
        let path = made.tree.join("tests").join(&script);
        let text = fs::read_to_string(&path)?;
        let name = script.trim_start_matches("extmod/");
        let module = made.modules.iter().find(|module| name.starts_with(&module.name));
        let module = module.ok_or("a test of no module")?;
        let mpy = [("natmod.mpy".to_owned(), fs::read(&module.mpy)?)];
        let code = format!("import sys\nsys.modules['{}'] = __import__('natmod')\n{text}", module.name);
        let printed = match board::execute(board, &mpy, &code) {
            Ok(printed) => printed,
            // `raise SystemExit` after the word is how a test skips itself.
            Err(printed) if printed.starts_with("SKIP\n") => "SKIP\n".to_owned(),
            Err(printed) => return Err(format!("{script}:\n{printed}").into()),
        };
        if printed == "SKIP\n" {
            eprintln!("{}: SKIP  {script}", board.name);
            continue;
        }
        let expected = match fs::read_to_string(path.with_extension("py.exp")) {
            Ok(expected) => expected,
            Err(_) => {
                let key = digest(["python3", &text]);
                kept::kept(&key, || say(Command::new("python3").arg(&path)))?
            }
        };
        if printed != expected {
            return Err(format!("{script}\n--- expected\n{expected}--- printed\n{printed}").into());
        }
        passed += 1;
    }
    if passed < TESTS_THAT_PASS {
        return Err(format!("only {passed} tests passed").into());
    }
    features(board, made)
}
