//! Real MicroPython on every board of this machine. A board whose tools are missing is skipped by
//! name; `CI` set refuses skips.

use std::time::{Duration, Instant};

use cargo_mpy::serial::{self, RawRepl};
use cargo_mpy::toolchain::emulator::{Outcome, Run, Session, count, run};
use cargo_mpy::toolchain::micropython::{Firmware, emulated, missing_tools};
use target_specs::{Board, Result};

fn boards() -> Vec<(&'static Board, Firmware)> {
    let mut boards = Vec::new();
    for board in emulated() {
        let missing = missing_tools(board);
        if missing.is_empty() {
            let start = Instant::now();
            let firmware = Firmware::build(board, &|_| {}).expect("the firmware builds");
            eprintln!("{}: firmware in {:.1} s", board.name, start.elapsed().as_secs_f32());
            boards.push((board, firmware));
        } else {
            eprintln!("skipped: {} needs {missing:?}", board.name);
            assert!(std::env::var_os("CI").is_none(), "{} cannot be tested", board.name);
        }
    }
    boards
}

fn execute(board: &Board, firmware: &Firmware, modules: &[(String, Vec<u8>)], code: &str) -> Result<Outcome> {
    run(
        &Run { board, firmware, modules, code, timeout: Duration::from_secs(30), arguments: &[] },
        &mut |_| {},
    )
}

#[test]
fn every_board_runs_code_and_tells_how_it_ended() {
    for (board, firmware) in boards() {
        let name = &board.name;
        let on = |code: &str| execute(board, &firmware, &[], code);
        let start = Instant::now();
        let outcome = on("print(1+1)").expect(name);
        eprintln!("{name}: {} ms from start to output", start.elapsed().as_millis());
        assert_eq!(
            (outcome.stdout.as_slice(), outcome.stderr.as_str(), outcome.status),
            (&b"2\n"[..], "", 0),
            "{name}"
        );

        let outcome = on("print('x')\nraise ValueError(7)").expect(name);
        assert_eq!((outcome.stdout.as_slice(), outcome.status), (&b"x\n"[..], 1), "{name}");
        assert!(outcome.stderr.ends_with("ValueError: 7\n"), "{name}: {}", outcome.stderr);

        let outcome = on("import sys\nprint('x')\nsys.exit(3)").expect(name);
        assert_eq!((outcome.stdout.as_slice(), outcome.status), (&b"x\n"[..], 3), "{name}");

        let limited = Run {
            board,
            firmware: &firmware,
            modules: &[],
            code: "while True: pass",
            // The emulator keeps a processor busy for as long.
            timeout: Duration::from_millis(500),
            arguments: &[],
        };
        assert_eq!(run(&limited, &mut |_| {}).expect_err(name).code, "timed-out", "{name}");
    }
}

#[test]
fn modules_arrive_whole() {
    let bytes: Vec<u8> = (0..10_000u32).map(|i| ((i * i) >> 3) as u8).collect();
    let sum: u64 = bytes.iter().zip(1u64..).map(|(byte, i)| u64::from(*byte) * i).sum();
    let module = b"def f(x):\n return x+1\n".to_vec();
    let files = [("data.bin".to_owned(), bytes), ("m.py".to_owned(), module)];
    let code = "import sys,m\nfor p in sys.path:\n try:\n  d=open(p+'/data.bin' if p else 'data.bin','rb').read()\n  break\n \
                except OSError: pass\nprint(sum(b*(i+1) for i,b in enumerate(d)),m.f(1))";
    for (board, firmware) in boards() {
        let start = Instant::now();
        let outcome = execute(board, &firmware, &files, code).expect(&board.name);
        assert_eq!(
            String::from_utf8_lossy(&outcome.stdout),
            format!("{sum} 2\n"),
            "{}: {}",
            board.name,
            outcome.stderr
        );
        eprintln!("{}: {} ms with 10 kB of files", board.name, start.elapsed().as_millis());
    }
}

#[test]
fn a_fault_is_reported_with_registers() {
    for (board, firmware) in boards() {
        // An address nothing answers at, and misaligned: the Cortex-M0 machine answers everywhere.
        let code = "\
@micropython.viper
def f()->int:
 return int(ptr32(-0x0fffffff)[0])
print('before')
f()
";
        let error = match execute(board, &firmware, &[], code) {
            Err(error) => error,
            // The unix port has no `machine` that reads memory: it dies by a signal instead.
            Ok(outcome) => panic!("{}: {outcome:?}", board.name),
        };
        if error.code == "board-died" {
            assert!(board.name.starts_with("unix"), "{}: {error}", board.name);
        } else {
            assert_eq!(error.code, "board-fault", "{}: {error}", board.name);
            assert!(error.help.expect("registers").contains("pc "), "{}", board.name);
        }
    }
}

#[test]
fn instructions_are_counted_the_same_every_time() {
    let code = "\
import machine
@micropython.viper
def f(n:int):
 while n:
  n-=1
f(1)
machine.idle()
f(1000)
machine.idle()
f(2000)
machine.idle()
";
    for (board, firmware) in boards() {
        // One board has no native emitter: its viper code is bytecode.
        if !board.name.starts_with("qemu-") || board.name.contains("64") {
            continue;
        }
        let once = || {
            let run = Run {
                board,
                firmware: &firmware,
                modules: &[],
                code,
                timeout: Duration::from_secs(30),
                arguments: &[],
            };
            count(&run, &mut |_| {}).expect(&board.name).marks
        };
        let marks = once();
        assert_eq!(marks.len(), 3, "{}", board.name);
        let [first, second] = [marks[1] - marks[0], marks[2] - marks[1]];
        eprintln!("{}: {} instructions a turn", board.name, (second - first) / 1000);
        assert!((second - first).is_multiple_of(1000), "{}: {marks:?}", board.name);
        assert_eq!(marks, once(), "{}", board.name);
    }
}

#[test]
fn a_session_lasts_over_interrupts_and_resets() {
    for (board, firmware) in boards() {
        if !board.name.starts_with("qemu-") {
            continue;
        }
        let name = &board.name;
        let soon = || Instant::now() + Duration::from_secs(20);
        let mut session = Session::start(board, &firmware, &[]).expect(name);
        let mut connected = serial::Board::connect(&mut session, Duration::from_secs(20)).expect(name);
        let bytes: Vec<u8> = (0..3000u32).map(|i| (i * 7) as u8).collect();
        connected.put("kept.bin", &bytes, &mut |_| {}).expect(name);
        connected.put_in_ram("held.py", b"x = 'in RAM'\n", &mut |_| {}).expect(name);
        let repl = connected.repl();
        let say = |repl: &mut RawRepl<&mut Session>, code: &str| {
            let mut output = Vec::new();
            let end =
                repl.execute(code.as_bytes(), soon(), &mut |b| output.extend_from_slice(b)).expect(name);
            String::from_utf8_lossy(&output).into_owned() + &end.traceback
        };
        let check = "d=open('kept.bin','rb').read()\nprint(len(d),sum(d))";
        let expected = format!("{} {}\r\n", bytes.len(), bytes.iter().map(|b| u32::from(*b)).sum::<u32>());
        assert_eq!(say(repl, "import held\nprint(held.x)"), "in RAM\r\n", "{name}");
        assert_eq!(say(repl, check), expected, "{name}");

        repl.submit(b"print('on')\nwhile True: pass", soon()).expect(name);
        repl.expect(b"on\r\n", soon()).expect(name);
        repl.interrupt().expect(name);
        let end = repl.follow(soon(), &mut |_| {}).expect(name);
        assert!(end.traceback.ends_with("KeyboardInterrupt: \n"), "{name}: {}", end.traceback);

        repl.soft_reset(soon()).expect(name);
        assert_eq!(say(repl, check), expected, "{name}: after a soft reset");
        repl.submit(b"import machine\nmachine.reset()", soon()).expect(name);
        drop(connected);
        let mut repl = RawRepl::enter(&mut session, Duration::from_secs(20)).expect(name);
        assert_eq!(say(&mut repl, check), expected, "{name}: after a reset");
    }
}
