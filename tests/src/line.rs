//! A board on a serial line of the system's: a pseudo-terminal, as fast as a UART or faster; and how fast a file gets there.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cargo_mpy::serial::{self, Transport, port};
use cargo_mpy::toolchain::emulator::Session;
use cargo_mpy::toolchain::micropython::Firmware;
use serialport::{SerialPort, TTYPort};
use target_specs::Board;

/// A board that a program can open by `path`. It ends with this.
pub struct Served {
    /// Of the pseudo-terminal.
    pub path: String,
    bytes: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    pump: Option<JoinHandle<()>>,
    /// While it is open the terminal is there even when no program has it.
    _other_end: TTYPort,
}

/// Starts a board; `rate` is in bytes per second and direction, as fast as can be when there is none.
///
/// # Errors
/// Whatever keeps it from starting.
pub fn serve(board: &Board, rate: Option<f64>) -> Result<Served, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let firmware = Firmware::build(board, &|_| {}).map_err(|error| text(&error))?;
    let session = Session::start(board, &firmware, &[]).map_err(|error| text(&error))?;
    serve_line(session, rate)
}

/// Puts what is at the other end of a line behind a terminal, paced as by [`serve`].
///
/// # Errors
/// Whatever keeps it from starting.
pub fn serve_line(mut line: impl Transport + Send + 'static, rate: Option<f64>) -> Result<Served, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let (mut master, other_end) = TTYPort::pair().map_err(|error| text(&error))?;
    let path = other_end.name().ok_or("a terminal without a name")?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let bytes = Arc::new(AtomicUsize::new(0));
    let carried = Arc::clone(&bytes);
    let look = Duration::from_millis(1);
    master.set_timeout(look).map_err(|error| text(&error))?;
    let pump = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        // A paced line carries little at a time, and both directions at once.
        let size = if rate.is_some() { 32 } else { buffer.len() };
        let pace = |free: &mut Instant, bytes: usize| {
            if let Some(rate) = rate {
                *free = Instant::now().max(*free) + Duration::from_secs_f64(bytes as f64 / rate);
            }
        };
        let (mut to_board, mut from_board) = (Instant::now(), Instant::now());
        while !stopped.load(Ordering::Relaxed) {
            if Instant::now() >= to_board
                && let Ok(n @ 1..) = std::io::Read::read(&mut master, &mut buffer[..size])
            {
                pace(&mut to_board, n);
                carried.fetch_add(n, Ordering::Relaxed);
                if line.write(&buffer[..n], Instant::now() + Duration::from_secs(10)).is_err() {
                    return;
                }
            }
            if Instant::now() >= from_board {
                match line.read(&mut buffer[..size], Instant::now() + look) {
                    // The board has ended, and with the terminal's other end the line is.
                    Ok(0) => return,
                    Ok(n) => {
                        pace(&mut from_board, n);
                        carried.fetch_add(n, Ordering::Relaxed);
                        let _ = std::io::Write::write_all(&mut master, &buffer[..n]);
                    }
                    Err(_) => {}
                }
            }
            if rate.is_some() {
                let next = to_board.min(from_board).saturating_duration_since(Instant::now());
                std::thread::sleep(next);
            }
        }
    });
    Ok(Served { path, bytes, stop, pump: Some(pump), _other_end: other_end })
}

impl Served {
    /// How many bytes it has carried so far, in both directions.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(pump) = self.pump.take() {
            let _ = pump.join();
        }
    }
}

/// Bytes a second of a UART at 115200 baud: ten bits to a byte.
pub const UART: f64 = 11520.0;

/// Seconds that a file took.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// From opening the port to leaving the board.
    pub whole: f64,
    /// From asking for the file that is there to the new one's name, checked.
    pub transfer: f64,
    /// Bytes of that over the line, in both directions.
    pub bytes: usize,
}

/// Puts a file on a board by `cargo mpy deploy`'s transfer.
///
/// # Errors
/// Whatever goes wrong.
pub fn ours(served: &Served, data: &[u8]) -> Result<Times, String> {
    let path = &served.path;
    let text = |error: target_specs::Diagnostic| error.to_string();
    // One that has just started is not ready yet.
    let port = port::open(path, port::BAUD).map_err(text)?;
    drop(serial::Board::connect(port, Duration::from_secs(20)).map_err(text)?.leave());
    let start = Instant::now();
    let port = port::open(path, port::BAUD).map_err(text)?;
    let mut board = serial::Board::connect(port, Duration::from_secs(10)).map_err(text)?;
    board.facts().map_err(text)?;
    let (connected, before) = (Instant::now(), served.bytes());
    board.put("ours.bin", data, &mut |_| {}).map_err(text)?;
    let (transfer, bytes) = (connected.elapsed().as_secs_f64(), served.bytes() - before);
    drop(board.leave());
    Ok(Times { whole: start.elapsed().as_secs_f64(), transfer, bytes })
}

/// Seconds mpremote takes for a file.
///
/// # Errors
/// Whatever goes wrong.
pub fn theirs(path: &str, file: &Path) -> Result<f64, String> {
    let start = Instant::now();
    let output = Command::new("python3")
        .env("PYTHONPATH", crate::tools::python())
        .args(["-m", "mpremote", "connect", path, "fs", "cp"])
        .arg(file)
        .arg(":theirs.bin")
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(start.elapsed().as_secs_f64())
}

/// Machine code, to send: what MicroPython on this machine is made of.
///
/// # Errors
/// When there is none.
pub fn code(bytes: usize) -> Result<Vec<u8>, String> {
    let board = target_specs::board("unix").map_err(|error| error.to_string())?;
    let firmware = Firmware::build(board, &|_| {}).map_err(|error| error.to_string())?;
    let data = std::fs::read(&firmware.path).map_err(|error| error.to_string())?;
    let middle = data.len() / 4;
    Ok(data[middle..middle + bytes].to_vec())
}

/// Bytes that nothing makes shorter.
pub fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = |_| {
        // xorshift32, of which the high bits are taken.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 24) as u8
    };
    (0..bytes).map(next).collect()
}
