//! An emulated board on a serial line of the system's: a pseudo-terminal, as fast as a UART or faster.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cargo_mpy::serial::Transport;
use cargo_mpy::toolchain::emulator::Session;
use cargo_mpy::toolchain::micropython::Firmware;
use serialport::{SerialPort, TTYPort};
use target_specs::Board;

/// A board that a program can open by `path`. It ends with this.
pub struct Served {
    /// Of the pseudo-terminal.
    pub path: String,
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
    let mut session = Session::start(board, &firmware, &[], false).map_err(|error| text(&error))?;
    let (mut master, other_end) = TTYPort::pair().map_err(|error| text(&error))?;
    let path = other_end.name().ok_or("a terminal without a name")?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let look = Duration::from_millis(1);
    master.set_timeout(look).map_err(|error| text(&error))?;
    let pump = std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        let pace = |bytes: usize| {
            if let Some(rate) = rate {
                std::thread::sleep(Duration::from_secs_f64(bytes as f64 / rate));
            }
        };
        while !stopped.load(Ordering::Relaxed) {
            if let Ok(n @ 1..) = std::io::Read::read(&mut master, &mut buffer) {
                pace(n);
                if session.write(&buffer[..n], Instant::now() + Duration::from_secs(10)).is_err() {
                    return;
                }
            }
            if let Ok(n @ 1..) = session.read(&mut buffer, Instant::now() + look) {
                pace(n);
                let _ = std::io::Write::write_all(&mut master, &buffer[..n]);
            }
        }
    });
    Ok(Served { path, stop, pump: Some(pump), _other_end: other_end })
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(pump) = self.pump.take() {
            let _ = pump.join();
        }
    }
}
