fn main() -> std::process::ExitCode {
    cargo_mpy::main()
}
