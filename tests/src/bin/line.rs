//! How fast a file gets to a board by `cargo mpy deploy`'s transfer and by mpremote, over the same line at
//! 115200 baud: `cargo run --release -p tests --bin line -- FILE`. Ten bits to a byte, so 11520 bytes a second.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use cargo_mpy::serial::{Board, port};
use cargo_mpy::toolchain::needs;
use tests::line;

/// Bytes a second of the line.
const RATE: f64 = 11520.0;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let program =
        std::env::args_os().nth(1).ok_or("which file? such as a .mpy: `line target/mpy/armv6m/x.mpy`")?;
    let data = std::fs::read(&program).map_err(|error| text(&error))?;
    let size = data.len() as f64;
    let folder = tempfile::tempdir().map_err(|error| text(&error))?;
    let file = folder.path().join("file.bin");
    std::fs::write(&file, &data).map_err(|error| text(&error))?;
    println!("{size} bytes at {RATE} bytes a second");
    for name in ["qemu-armv6m", "qemu-armv7emsp", "qemu-rv32imc"] {
        let board = target_specs::board(name).map_err(|error| text(&error))?;
        let served = line::serve(board, Some(RATE))?;
        let start = Instant::now();
        let port = port::open(&served.path, port::BAUD).map_err(|error| text(&error))?;
        let mut connected = Board::connect(port, Duration::from_secs(10)).map_err(|error| text(&error))?;
        connected.put("ours.bin", &data, &mut |_| {}).map_err(|error| text(&error))?;
        drop(connected.leave());
        let ours = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let status = Command::new("python3")
            .env("PYTHONPATH", needs::test_python())
            .args(["-m", "mpremote", "connect", &served.path, "fs", "cp"])
            .arg(&file)
            .arg(":theirs.bin")
            .output()
            .map_err(|error| text(&error))?;
        let theirs = start.elapsed().as_secs_f64();
        if !status.status.success() {
            return Err(String::from_utf8_lossy(&status.stderr).into_owned());
        }
        println!(
            "{name:15} cargo mpy {ours:5.1} s = {:3.0} % of the line; mpremote {theirs:5.1} s = {:3.0} %; {:.1} times as fast",
            size / ours / RATE * 100.0,
            size / theirs / RATE * 100.0,
            theirs / ours
        );
    }
    Ok(())
}
