//! MicroPython's own native modules (`examples/natmod`), made by their own makefiles with `cargo mpy link` in
//! the place of `mpy_ld.py`: on every board they pass the tests that MicroPython's `run-natmodtests.py` has for
//! them, and none is larger than what `mpy_ld.py` makes of the same objects; and a
//! call of a function of ours is no dearer than one of theirs, and its bindings are small. Examples of our own run
//! as position-independent code, too, where we would not make any.

mod compare;
mod make;
mod overhead;
mod run;

use std::env;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use target_specs::Emulator;
use tests::{board, in_ci};

fn main() -> ExitCode {
    // The makefiles run this program as the linker.
    if env::args().nth(1).is_some_and(|word| word == "mpy") {
        return cargo_mpy::main();
    }
    let arguments = Arguments::from_args();
    let why_no_tools = make::missing();
    if let Some(why) = &why_no_tools {
        assert!(!in_ci(), "the natmods cannot be tested: {why}");
        eprintln!("skipped: the natmods ({why}); `cargo xtask setup` installs it");
    }
    let mut trials = Vec::new();
    let mut all_here = why_no_tools.is_none();
    for (board, why_not) in board::boards() {
        // MicroPython's makefiles know no other architectures.
        if !make::is_known(board) {
            continue;
        }
        let missing = why_no_tools.is_some() || why_not.is_some();
        all_here &= !missing;
        let ignored = missing || board::is_nightly(board);
        let name = format!("{}::natmods", board.name);
        trials.push(Trial::test(name, move || run::run(board)).with_ignored_flag(ignored));
        if matches!(board.emulator, Some(Emulator::Qemu { .. })) {
            let name = format!("{}::overhead", board.name);
            trials.push(Trial::test(name, move || overhead::run(board)).with_ignored_flag(ignored));
        }
        if ["qemu-armv6m", "qemu-armv7emsp"].contains(&board.name.as_str()) {
            let name = format!("{}::position_independent", board.name);
            let trial = Trial::test(name, move || compare::position_independent(board));
            trials.push(trial.with_ignored_flag(ignored));
        }
        if board.name == "qemu-armv6m" {
            let name = format!("{}::bytes", board.name);
            trials.push(Trial::test(name, move || overhead::bytes(board)).with_ignored_flag(ignored));
        }
    }
    let sizes = || compare::sizes(&|board| !board::is_nightly(board), 30);
    trials.push(Trial::test("sizes", sizes).with_ignored_flag(!all_here));
    trials.push(Trial::test("sizes on all", || compare::sizes(&|_| true, 60)).with_ignored_flag(true));
    libtest_mimic::run(&arguments, trials).exit_code()
}
