//! Crates that use `alloc`, on every board: a long life of collections with garbage collected all the while, and
//! failures of every kind, after which all is as before.

#[path = "../heap/src/work.rs"]
mod work;

extern crate alloc;

use std::path::Path;
use std::sync::{Arc, Mutex};

use cargo_mpy::commands::build::BuildOptions;
use libtest_mimic::{Arguments, Failed, Trial};
use target_specs::Board;
use tests::board;
use work::State;

/// Boards that stand for the others.
const THOROUGH: [&str; 4] = ["qemu-armv6m", "qemu-armv7emsp", "qemu-rv32imc", "unix-x86"];
/// Bytes that MicroPython itself may hold on to between two looks at its memory.
const SLACK: u32 = 2048;
/// Python that is imported as `peer`.
const PEER: &str =
    "import sys\nclass peer:\n def check(value):\n  return 10 // value\nsys.modules['peer'] = peer\n";

fn main() {
    let arguments = Arguments::from_args();
    let turn = Arc::new(Mutex::new(()));
    let mut trials = Vec::new();
    for (board, why_not) in board::boards() {
        for (name, test) in [("life", life as fn(&Board, &Mutex<()>) -> _), ("failures", failures)] {
            let turn = Arc::clone(&turn);
            let trial = Trial::test(format!("{}::{name}", board.name), move || test(board, &turn));
            trials.push(trial.with_ignored_flag(why_not.is_some()));
        }
        if let Some(why) = why_not {
            eprintln!("skipped: {} ({why})", board.name);
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// How much is done on a board, of what is done in full when `LONG=1`.
fn share(board: &Board, whole: u32) -> u32 {
    if std::env::var_os("LONG").is_some_and(|value| value == "1") {
        whole
    } else if THOROUGH.contains(&board.name.as_str()) {
        whole / 10
    } else {
        whole / 100
    }
}

fn module(board: &Board, turn: &Mutex<()>) -> Result<(String, Vec<u8>), Failed> {
    let options = BuildOptions {
        manifest_path: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("heap/Cargo.toml")),
        ..board::options(board, &Path::new(env!("CARGO_TARGET_TMPDIR")).join("heap"))
    };
    let _turn = turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(board::module(&options).map_err(|failure| format!("{failure:?}"))?)
}

/// Runs Python after which `heap` is imported and `free()` tells how much memory there is.
fn execute(board: &Board, turn: &Mutex<()>, code: &str) -> Result<String, Failed> {
    let modules = [module(board, turn)?];
    let start = "import gc, heap\ndef free():\n gc.collect()\n return gc.mem_free()\n";
    Ok(board::execute(board, &modules, &format!("{PEER}{start}{code}"))?)
}

fn life(board: &Board, turn: &Mutex<()>) -> Result<(), Failed> {
    let operations = share(board, 1_000_000);
    let calls = 20;
    let expected: Vec<u32> = [1, 2]
        .into_iter()
        .map(|seed| {
            let mut state = State::new(seed);
            (0..operations / 2).for_each(|_| state.step());
            state.end()
        })
        .collect();
    let code = format!(
        "before = None\nfor seed in (1, 2):\n heap.start(seed)\n for i in range({calls}):\n  \
         heap.work({}, 499)\n  gc.collect()\n print(heap.end() & 0xffffffff)\n \
         if before is None: before = free()\n else: print(before - free() <= {SLACK})\n",
        operations / 2 / calls
    );
    let printed = execute(board, turn, &code)?;
    let wanted = format!("{}\n{}\nTrue\n", expected[0], expected[1]);
    if printed == wanted { Ok(()) } else { Err(format!("{printed} and not {wanted}").into()) }
}

fn failures(board: &Board, turn: &Mutex<()>) -> Result<(), Failed> {
    let times = share(board, 100_000);
    let code = format!(
        "def fail(times, kind, call, *args):\n for i in range(times):\n  try: call(*args)\n  except kind as e: last = e\n  \
         else: return 'no error'\n return repr(last)\n\
         def once():\n return heap.recurse(3), heap.reserve(100), heap.index(2), heap.call_back(2, 5)\n\
         good = once()\nprint(good)\n\
         def all(times, memory):\n \
          for kind, call, *args in ((RuntimeError, heap.recurse, 1000000), (MemoryError, heap.reserve, 1 << 29),\n  \
          (RuntimeError, heap.index, 4), (ZeroDivisionError, peer.check, 0), (ZeroDivisionError, heap.call_back, 3, 0)):\n   \
          text = fail(times // 10 if kind is MemoryError else times, kind, call, *args)\n   if memory is None: print(text)\n   elif memory - free() > {SLACK}: print(text, 'leaks', memory - free())\n   \
          if once() != good: print('broken after', text)\n\
         print(heap.try_reserve(1 << 29), heap.try_reserve(50))\n\
         all(10, None)\nmemory = free()\nall({times}, memory)\n"
    );
    let printed = execute(board, turn, &code)?;
    // In a memory of the module's own the stack ends where that does.
    let printed = printed.replace("out of bounds memory access", "call stack exhausted");
    let wanted = "(6, 7, 3, 5)\n0 1\nRuntimeError('call stack exhausted',)\nMemoryError('out of memory',)\n\
                  RuntimeError('index out of range',)\nZeroDivisionError('divide by zero',)\n\
                  ZeroDivisionError('divide by zero',)\n";
    if printed == wanted { Ok(()) } else { Err(format!("{printed} and not {wanted}").into()) }
}
