//! The program `cargo-mpy`, which cargo runs for `cargo mpy`.

fn main() -> std::process::ExitCode {
    cargo_mpy::main()
}
