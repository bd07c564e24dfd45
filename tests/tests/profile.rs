//! `cargo mpy profile`: every instruction is counted once, on a board of each family of compilers, and nightly on every board.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use cargo_mpy::options::BuildOptions;
use cargo_mpy::pipeline;
use cargo_mpy::profile::{self, Profile};
use cargo_mpy::symbols::Symbols;
use cargo_mpy::toolchain::emulator::{self, Run};
use cargo_mpy::toolchain::micropython::Firmware;
use libtest_mimic::{Failed, Trial};
use target_specs::{Board, Emulator};
use tests::board;

fn main() -> ExitCode {
    // The test is the tool too: it calls itself.
    if std::env::args().nth(1).is_some_and(|word| word == "mpy") {
        return cargo_mpy::main();
    }
    let arguments = tests::arguments();
    let mut trials = Vec::new();
    for (board, why_not) in board::boards() {
        if matches!(board.emulator, Some(Emulator::Qemu { .. })) {
            let ignored = why_not.is_some() || board::is_nightly(board);
            let trial = Trial::test(format!("{}::sums", board.name), || sums(board));
            trials.push(trial.with_ignored_flag(ignored));
        }
    }
    for board in board::named(&["qemu-armv6m"]) {
        trials.push(Trial::test("command", || command(board)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/dsp")
}

fn target() -> PathBuf {
    board::crates(env!("CARGO_TARGET_TMPDIR")).join("profile")
}

fn holds(condition: bool, what: &str, said: &dyn std::fmt::Debug) -> Result<(), Failed> {
    if condition { Ok(()) } else { Err(format!("{what}: {said:#?}").into()) }
}

/// The counts of all blocks are those of the emulator, and those of native code what `bench` counts.
fn sums(board: &'static Board) -> Result<(), Failed> {
    let options = BuildOptions {
        manifest_path: Some(example().join("Cargo.toml")),
        debug: true,
        ..board::options(board, &target())
    };
    let plan = pipeline::plan(&options).map_err(|failure| format!("{failure:?}"))?;
    let built = pipeline::build(&plan, None).map_err(|failure| format!("{failure:?}"))?.remove(0);
    let firmware = Firmware::build(board, &|_| {})?;
    let symbols = Symbols::of(&built.mpy)?;
    let modules = [("dsp.mpy".to_owned(), fs::read(&built.mpy)?)];
    let run = Run {
        board,
        firmware: &firmware,
        modules: &modules,
        code: "import dsp, machine\nfor i in range(3): dsp.filter()\nmachine.idle()\n",
        timeout: Duration::from_secs(100),
        arguments: &[],
    };
    let of_firmware = firmware.functions()?;
    let functions = profile::functions(&of_firmware, &symbols)?;
    let (outcome, text) = emulator::profile(&run, &functions, &mut |_| {})?;
    holds(outcome.status == 0, "the code ends well", &outcome)?;
    let read = Profile::read(&text, &of_firmware, &symbols, plan.source.root())?;
    // A few instructions at the start are those of the block in which counting begins.
    let near = |a: u64, b: u64| a.abs_diff(b) <= 100;
    holds(near(read.total(), read.executed), "the sum", &(read.total(), read.executed))?;

    let Some(Emulator::Qemu { code: [low, high], .. }) = board.emulator else { return Err("no QEMU".into()) };
    let in_code = |address: &u64| u64::from(low) <= *address && *address < u64::from(high);
    let mut blocks: HashMap<u64, u64> = HashMap::new();
    let mut native = 0;
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["block", number, ..] => {
                let addresses = words[2..].iter().map(|word| u64::from_str_radix(word, 16));
                let addresses = addresses.collect::<Result<Vec<_>, _>>()?;
                blocks.insert(
                    number.parse()?,
                    addresses.iter().filter(|address| in_code(address)).count() as u64,
                );
            }
            ["count", _, block, times] => native += blocks[&block.parse()?] * times.parse::<u64>()?,
            _ => {}
        }
    }
    let counted = emulator::count(&run, &mut |_| {})?.marks;
    holds(counted.len() == 1 && near(native, counted[0]), "native code", &(native, &counted))?;
    // Nearly all of it is in the function that was called, below MicroPython's.
    let filter = read.functions()["filter"];
    holds(filter.total * 100 > native * 90 && filter.total <= read.total(), "filter", &(filter, native))?;
    let below = read.stacks.keys().any(|stack| {
        let at = |name: &str| stack.iter().position(|of| of == name);
        at("mp_execute_bytecode").is_some_and(|vm| at("filter").is_some_and(|filter| vm < filter))
    });
    holds(below, "MicroPython calls it", &read.stacks.keys().take(20).collect::<Vec<_>>())?;
    let lines: u64 =
        read.lines.iter().filter(|(line, _)| line.starts_with("src/lib.rs:")).map(|(_, count)| count).sum();
    holds(lines * 100 > filter.own * 80, "lines", &(lines, filter))
}

fn command(board: &Board) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let tool = |arguments: &[&str]| -> Result<(bool, String), Failed> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["mpy", "profile"]).args(arguments).current_dir(example()).env("NO_COLOR", "1");
        let output = command.env("CARGO_TARGET_DIR", target()).output()?;
        let text = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
    };
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let code = "import dsp\ndsp.filter()\n";
    let (svg, folded) = (path("a.svg"), path("a.folded"));
    let (ok, text) = tool(&["--board", &board.name, "-e", code, "--output", &svg])?;
    holds(ok && text.contains(" instructions\n") && text.contains("src/lib.rs:"), "the tables", &text)?;
    let picture = fs::read_to_string(&svg)?;
    let has = |name: &str| picture.contains(&format!("<title>{name} ("));
    holds(has("filter") && has("mp_execute_bytecode"), "the flame graph", &picture.len())?;
    let profile = Profile::from_folded(&fs::read_to_string(&folded)?, Path::new(&folded))?;
    // The timer of the firmware ticks at other times, but no more often.
    let (ok, text) =
        tool(&["--board", &board.name, "-e", code, "--output", &path("b.svg"), "--baseline", &folded])?;
    holds(
        ok && text.contains(&format!("{} instructions before: +0.0 %", profile.executed)),
        "no change",
        &text,
    )?;
    let again = Profile::from_folded(&fs::read_to_string(path("b.folded"))?, Path::new("b.folded"))?;
    let own = |profile: &Profile| profile.functions()["filter"].own;
    holds(own(&again) == own(&profile) && own(&again) > 100_000, "the same counts", &own(&again))?;
    // Twice as much is.
    let more = format!("{code}dsp.filter()\n");
    let (ok, text) =
        tool(&["--board", &board.name, "-e", &more, "--output", &path("c.svg"), "--baseline", &folded])?;
    let row = text.lines().find(|line| line.ends_with(" filter")).unwrap_or_default();
    holds(ok && row.contains(" +"), "a change", &text)?;

    let (ok, text) = tool(&["--board", "unix", "-e", code])?;
    holds(!ok && text.contains("error[no-emulator]"), "another board", &text)?;
    let (ok, text) = tool(&["--board", &board.name, "-e", "print('hello')"])?;
    holds(!ok && text.contains("error[no-profile]: the code does not import `dsp`"), "no import", &text)?;
    fs::write(path("bad.folded"), "a;b 1\nno count\n")?;
    let (ok, text) = tool(&["--board", &board.name, "-e", code, "--baseline", &path("bad.folded")])?;
    holds(
        !ok && text.contains("error[bad-profile]") && text.contains("bad.folded:2"),
        "a bad baseline",
        &text,
    )
}
