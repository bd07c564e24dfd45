//! `cargo mpy`: a Rust crate in, native MicroPython modules out.
//!
//! `pipeline` is the story, `plan` decides what it does, `toolchain` is the only place that starts
//! processes and `ui` the only one that writes to the terminal.

pub mod toolchain;
pub mod ui;

/// The whole program.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
