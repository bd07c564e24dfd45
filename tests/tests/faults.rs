//! Deploys over lines that fail: cut, changed, dropped, doubled, delayed bytes in both directions, and boards that lose
//! their power. However it goes wrong, the file is the old one or the new one, it ends in time, and the next deploy
//! works. `FAULTS=all` lets the line fail at every byte of a deploy instead of at some, and on one more board;
//! `FAULTS=2600..2700` at these.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cargo_mpy::romfs::{self, Entry};
use cargo_mpy::serial::{Board, Transport, UploadResult};
use cargo_mpy::toolchain::emulator::Session;
use cargo_mpy::toolchain::micropython::Firmware;
use sha2::{Digest, Sha256};
use tests::board;
use tests::unix::{Kind, UnixBoard};

/// A board that is well answers within this, on a busy machine.
const CALM: Duration = Duration::from_secs(10);
/// What the deploys under test wait for an answer.
const PATIENCE: Duration = Duration::from_millis(400);

/// What happens at some byte of what is sent, or received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The line is unplugged.
    Cut,
    Corrupt,
    Drop,
    Double,
    Delay,
    /// The board is unplugged.
    Power,
}

const FAULTS: [Fault; 6] =
    [Fault::Cut, Fault::Corrupt, Fault::Drop, Fault::Double, Fault::Delay, Fault::Power];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToBoard,
    FromBoard,
}

struct Faulty<'a> {
    line: &'a mut dyn Transport,
    fault: Option<(Fault, Direction, usize)>,
    /// The process that is the board, where it can lose its power.
    pid: Option<u32>,
    sent: usize,
    received: usize,
    is_cut: bool,
    /// Received and not yet asked for.
    ready: VecDeque<u8>,
}

impl<'a> Faulty<'a> {
    fn new(
        line: &'a mut dyn Transport,
        fault: Option<(Fault, Direction, usize)>,
        pid: Option<u32>,
    ) -> Faulty<'a> {
        Faulty { line, fault, pid, sent: 0, received: 0, is_cut: false, ready: VecDeque::new() }
    }

    /// What becomes of bytes of which the first is number `from`: those before the fault happens, those after.
    fn changed(&mut self, direction: Direction, from: usize, data: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let Some((fault, where_, at)) = self.fault else { return (data.to_vec(), Vec::new()) };
        if where_ != direction || !(from..from + data.len()).contains(&at) {
            return (data.to_vec(), Vec::new());
        }
        let (before, after) = data.split_at(at - from);
        let after = match fault {
            Fault::Cut | Fault::Power => {
                self.is_cut = true;
                Vec::new()
            }
            Fault::Corrupt => [&[after[0] ^ 0x15], &after[1..]].concat(),
            Fault::Drop => after[1..].to_vec(),
            Fault::Double => [&after[..1], after].concat(),
            Fault::Delay => {
                std::thread::sleep(Duration::from_millis(50));
                after.to_vec()
            }
        };
        (before.to_vec(), after)
    }
}

impl Transport for Faulty<'_> {
    fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
        while self.ready.is_empty() {
            if self.is_cut {
                return Ok(0);
            }
            let n = self.line.read(buffer, deadline)?;
            let (before, after) = self.changed(Direction::FromBoard, self.received, &buffer[..n]);
            self.received += n;
            self.ready.extend(before.into_iter().chain(after));
        }
        let n = buffer.len().min(self.ready.len());
        for (to, from) in buffer.iter_mut().zip(self.ready.drain(..n)) {
            *to = from;
        }
        Ok(n)
    }

    fn write(&mut self, data: &[u8], deadline: Instant) -> io::Result<()> {
        if self.is_cut {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let (before, after) = self.changed(Direction::ToBoard, self.sent, data);
        self.sent += data.len();
        self.line.write(&before, deadline)?;
        if let (true, Some((Fault::Power, ..)), Some(pid)) = (self.is_cut, self.fault, self.pid) {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
        if after.is_empty() { Ok(()) } else { self.line.write(&after, deadline) }
    }
}

fn old() -> Vec<u8> {
    (0..600_u32).map(|i| (i * 7) as u8).collect()
}

fn new() -> Vec<u8> {
    (0..700_u32).map(|i| (i * i / 3) as u8).collect()
}

fn put(line: &mut dyn Transport, data: &[u8], patience: Duration) -> target_specs::Result<UploadResult> {
    let mut board = Board::connect(line, patience)?;
    let put = board.put("module.mpy", data, &mut |_| {});
    board.leave();
    put
}

/// Every `step`th byte of what a deploy sends and receives, with everything that can happen to it; or those that `FAULTS` says.
fn places(sent: usize, received: usize, step: usize, faults: &[Fault]) -> Vec<(Fault, Direction, usize)> {
    let bytes = |end: usize| match wanted() {
        Some((from, to)) => (from..to.min(end)).step_by(1),
        None => (0..end).step_by(step),
    };
    let mut all = Vec::new();
    for &fault in faults {
        all.extend(bytes(sent).map(|at| (fault, Direction::ToBoard, at)));
        if fault != Fault::Power {
            all.extend(bytes(received).map(|at| (fault, Direction::FromBoard, at)));
        }
    }
    all
}

/// The bytes that `FAULTS` names: `all`, or a range such as `2600..2700`.
fn wanted() -> Option<(usize, usize)> {
    let value = std::env::var("FAULTS").ok()?;
    if value == "all" {
        return Some((0, usize::MAX));
    }
    let (from, to) = value.split_once("..").expect("FAULTS is `all` or `FROM..TO`");
    Some((from.parse().expect("a number"), to.parse().expect("a number")))
}

#[derive(Debug, Default)]
struct Count {
    runs: usize,
    failed: usize,
    slowest: Duration,
}

/// On emulated boards, whose flash and REPL are those of real ones.
#[test]
fn emulated_boards_survive_bad_lines() {
    for (board, why_not) in board::boards() {
        let is_one = ["qemu-armv6m", "qemu-armv7emsp", "qemu-rv32imc"].contains(&board.name.as_str());
        if !is_one || (board::is_nightly(board) && wanted().is_none()) {
            continue;
        }
        if let Some(why) = why_not {
            eprintln!("skipped: {} ({why})", board.name);
            continue;
        }
        let firmware = Firmware::build(board, &|_| {}).expect("a firmware");
        let mut session = Session::start(board, &firmware, &[]).expect("a board");
        // How many bytes a deploy is.
        put(&mut session, &old(), CALM).expect("a deploy");
        let mut whole = Faulty::new(&mut session, None, None);
        put(&mut whole, &new(), CALM).expect("a deploy");
        let (sent, received) = (whole.sent, whole.received);
        let mut count = Count::default();
        // Their power is the process that is measured.
        for place in places(sent, received, 397, &FAULTS[..5]) {
            put(&mut session, &old(), CALM).unwrap_or_else(|error| panic!("before {place:?}: {error:?}"));
            let start = Instant::now();
            let outcome = put(&mut Faulty::new(&mut session, Some(place), None), &new(), PATIENCE);
            count.slowest = count.slowest.max(start.elapsed());
            let hash = (|| {
                let mut board = Board::connect(&mut session, CALM)?;
                let hash = board.hash("module.mpy")?;
                board.leave();
                target_specs::Result::Ok(hash)
            })();
            let hash = hash.unwrap_or_else(|error| panic!("after {place:?}: {error:?}; {outcome:?}"));
            let is = |data: Vec<u8>| hash == Some(Sha256::digest(data).into());
            // The fault may have hit the answer to the last step.
            let right = is(new()) || (outcome.is_err() && is(old()));
            assert!(right, "{}: {place:?}: {outcome:?}, {hash:?}", board.name);
            count.runs += 1;
            count.failed += usize::from(outcome.is_err());
        }
        eprintln!("{}: {sent} bytes there, {received} back: {count:?}", board.name);
        assert!(count.failed > 0, "{count:?}");
    }
}

/// On the unix port, which is quick enough for every byte; and whose files can be looked at from outside.
#[test]
fn no_byte_of_a_deploy_matters_too_much() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut board = UnixBoard::start(folder.path(), Kind::Usual).expect("a board");
    let mut whole = Faulty::new(&mut board, None, None);
    put(&mut whole, &new(), CALM).expect("a deploy");
    let (sent, received) = (whole.sent, whole.received);
    drop(board);
    let places = places(sent, received, 37, &FAULTS);
    let (next, count) = (AtomicUsize::new(0), Mutex::new(Count::default()));
    let start = Instant::now();
    std::thread::scope(|scope| {
        // Most of the time they wait for answers that do not come.
        for _ in 0..8 {
            scope.spawn(|| {
                let folder = tempfile::tempdir().expect("a folder");
                let mut board = UnixBoard::start(folder.path(), Kind::Usual).expect("a board");
                while let Some(place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (failed, time) = suffer(&mut board, folder.path(), *place);
                    let mut count = count.lock().expect("nobody panicked");
                    count.runs += 1;
                    count.failed += usize::from(failed);
                    count.slowest = count.slowest.max(time);
                }
            });
        }
    });
    let count = count.into_inner().expect("nobody panicked");
    eprintln!("unix: {sent} bytes there, {received} back: {count:?} in {:.0?}", start.elapsed());
    assert!(count.failed > 0, "{count:?}");
}

/// The board's ROM, which has to be erased before it is written. However that fails, the board starts, and the next deploy
/// works; and what it then has is the old image, the new one, or none.
#[test]
fn no_byte_of_a_write_to_rom_matters_too_much() {
    let image = |seed: u8| {
        let data = (0..700_u32).map(|i| (i * i / 3) as u8 ^ seed).collect();
        romfs::image(&[Entry::File { name: "data".to_owned(), data, has_objects: false }])
    };
    let (old, new) = (image(1), image(2));
    let start = || {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("rom.bin"), [0xff; 8192]).expect("a file");
        let board = UnixBoard::start(folder.path(), Kind::Usual).expect("a board");
        (folder, board)
    };
    let (_folder, mut board) = start();
    let mut whole = Faulty::new(&mut board, None, None);
    put_rom(&mut whole, &new, CALM).expect("a deploy");
    let (sent, received) = (whole.sent, whole.received);
    let places = places(sent, received, 41, &FAULTS);
    let (next, count, without) = (AtomicUsize::new(0), Mutex::new(Count::default()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let (folder, mut board) = start();
                while let Some(place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                    put_rom(&mut board, &old, CALM).expect("a deploy");
                    let (begin, pid) = (Instant::now(), board.pid());
                    let outcome =
                        put_rom(&mut Faulty::new(&mut board, Some(*place), Some(pid)), &new, PATIENCE);
                    let time = begin.elapsed();
                    if place.0 == Fault::Power {
                        board = UnixBoard::start(folder.path(), Kind::Usual).expect("a board");
                    }
                    let listed = mounted(&mut board, *place);
                    let rom = std::fs::read(folder.path().join("rom.bin")).expect("a file");
                    let is = |image: &[u8]| rom.starts_with(image);
                    let right = match (is(&new), is(&old)) {
                        (true, _) => listed,
                        (_, true) => listed && outcome.is_err(),
                        // Without its first block it is no image.
                        _ => !listed && outcome.is_err(),
                    };
                    assert!(right, "{place:?}: {outcome:?}, mounted: {listed}");
                    without.fetch_add(usize::from(!listed), Ordering::Relaxed);
                    put_rom(&mut board, &new, CALM)
                        .unwrap_or_else(|error| panic!("after {place:?}: {error:?}"));
                    assert!(mounted(&mut board, *place), "again after {place:?}");
                    let mut count = count.lock().expect("nobody panicked");
                    count.runs += 1;
                    count.failed += usize::from(outcome.is_err());
                    count.slowest = count.slowest.max(time);
                }
            });
        }
    });
    let count = count.into_inner().expect("nobody panicked");
    eprintln!("unix: {sent} bytes there, {received} back: {count:?}, {without:?} times no image was left");
    assert!(count.failed > 0, "{count:?}");
}

fn put_rom(line: &mut dyn Transport, image: &[u8], patience: Duration) -> target_specs::Result<UploadResult> {
    let mut board = Board::connect(line, patience)?;
    board.restart()?;
    let put = board.put_rom(image, &mut |_| {});
    board.leave();
    put
}

/// Whether the board mounts its ROM when it starts, after a fault at `place`.
fn mounted(board: &mut UnixBoard, place: (Fault, Direction, usize)) -> bool {
    let mut board = Board::connect(board, CALM).unwrap_or_else(|error| panic!("after {place:?}: {error:?}"));
    board.restart().unwrap_or_else(|error| panic!("after {place:?}: {error:?}"));
    let said = board.ask("import vfs\ntry:print(vfs.rom_ioctl(1),len(open('/rom/data','rb').read()))\nexcept OSError:print('none')\n");
    let said = said.unwrap_or_else(|error| panic!("after {place:?}: {error:?}"));
    board.leave();
    assert!(said.trim() == "1 700" || said.trim() == "none", "after {place:?}: {said}");
    said.trim() == "1 700"
}

/// One deploy with one fault; whether it failed, and how long it took.
fn suffer(board: &mut UnixBoard, folder: &Path, place: (Fault, Direction, usize)) -> (bool, Duration) {
    let file = folder.join("module.mpy");
    std::fs::write(&file, old()).expect("a file");
    let start = Instant::now();
    let pid = board.pid();
    let outcome = put(&mut Faulty::new(board, Some(place), Some(pid)), &new(), PATIENCE);
    let time = start.elapsed();
    let look = |when: &str| {
        let data = std::fs::read(&file).expect("the file is there, always");
        let right = data == new() || (outcome.is_err() && data == old());
        assert!(right, "{when} {place:?}: {outcome:?}, {} bytes", data.len());
    };
    look("after");
    if place.0 == Fault::Power {
        *board = UnixBoard::start(folder, Kind::Usual).expect("a board");
    }
    put(board, &new(), CALM).unwrap_or_else(|error| panic!("again after {place:?}: {error:?}"));
    assert_eq!(std::fs::read(&file).expect("a file"), new(), "again after {place:?}");
    (outcome.is_err(), time)
}
