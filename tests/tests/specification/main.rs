//! The specification's own tests: their scripts are read once, and played as programs of this machine and in
//! MicroPython on boards. The parts that a push runs are here; `cargo test -- --ignored` runs all of them.
//!
//! `SPEC_ONLY=text` runs the files with that in their name, `CFLAGS` adds to the compiler's arguments,
//! `SPEC_KEEP=folder` keeps what was generated.

mod boards;
mod host;
mod script;
