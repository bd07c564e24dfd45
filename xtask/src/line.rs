//! How fast a file gets to a board by `cargo mpy deploy`'s transfer and by mpremote, over the same line at
//! 115200 baud, and by the former over one without a pace. Without a file it is machine code, then noise.

use std::path::Path;

use tests::line::{self, UART, code, noise, ours, theirs};
use tests::unix::{Kind, UnixBoard};

/// Measures with the file, or without one.
///
/// # Errors
/// Whatever goes wrong.
pub fn run(file: Option<&Path>) -> Result<(), Box<dyn std::error::Error>> {
    let files = match file {
        Some(file) => vec![("file", std::fs::read(file)?)],
        None => vec![("code", code(16384)?), ("noise", noise(16384))],
    };
    let folder = tempfile::tempdir()?;
    for (name, data) in &files {
        let size = data.len() as f64;
        let file = folder.path().join(name);
        std::fs::write(&file, data)?;
        println!("{name}, {size} bytes, at {UART} bytes a second");
        for name in ["qemu-armv6m", "qemu-armv7emsp", "qemu-rv32imc"] {
            let board = target_specs::board(name)?;
            let served = line::serve(board, Some(UART))?;
            let (ours, theirs) = (ours(&served, data)?, theirs(&served.path, &file)?);
            println!(
                "{name:15} transfer {:5.2} s = {:3.0} % of the line, all {:5.2} s; mpremote {theirs:5.1} s = {:3.0} %; \
                 {:.1} times as fast",
                ours.transfer,
                size / ours.transfer / UART * 100.0,
                ours.whole,
                size / theirs / UART * 100.0,
                theirs / ours.whole
            );
        }
    }
    println!("without a pace");
    let unpaced = |name: &str, served: line::Served| -> Result<(), Box<dyn std::error::Error>> {
        for (what, data) in [("code", code(131_072)?), ("noise", noise(131_072))] {
            let times = ours(&served, &data)?;
            let rate = data.len() as f64 / times.transfer / 1e3;
            println!("{name:15} {what:5} {:5.2} s = {rate:.0} kB/s", times.transfer);
        }
        Ok(())
    };
    let files = tempfile::tempdir()?;
    unpaced("unix", line::serve_line(UnixBoard::start(files.path(), Kind::Quick)?, None)?)?;
    for name in ["qemu-armv6m", "qemu-armv7emsp", "qemu-rv32imc"] {
        let board = target_specs::board(name)?;
        unpaced(name, line::serve(board, None)?)?;
    }
    Ok(())
}
