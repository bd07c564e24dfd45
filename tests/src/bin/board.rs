//! An emulated board on a pseudo-terminal, for trying things without a real one:
//! `cargo run -p tests --bin board -- qemu-armv6m [LINK [BYTES_PER_SECOND]]` says where it is, and LINK leads there.
//! It ends with this program.

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match serve(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(words: &[String]) -> Result<(), String> {
    let name = words.first().ok_or("which board? `cargo mpy boards` lists those that are emulated")?;
    let board = target_specs::board(name).map_err(|error| error.to_string())?;
    let rate = words.get(2).map(|rate| rate.parse::<f64>()).transpose();
    let served = tests::line::serve(board, rate.map_err(|error| error.to_string())?)?;
    if let Some(link) = words.get(1) {
        let _ = std::fs::remove_file(link);
        std::os::unix::fs::symlink(&served.path, link).map_err(|error| error.to_string())?;
    }
    println!("{}", served.path);
    loop {
        std::thread::park();
    }
}
