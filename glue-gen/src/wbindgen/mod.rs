//! What wasm-bindgen's macro and descriptors say of a crate → the functions Python sees.
//!
//! The bytes and words come from a module that anyone may have made: everything is checked.

mod api;
mod descriptor;
mod input;
mod schema;

pub use api::{Api, Call, Class, Enum, Import, Member, StringEnum, Target, api};
pub use descriptor::{Signature, Type};
pub use input::{Raw, VERSION, check_version};

/// The module that everything Rust calls is imported from, under the symbol's own name.
pub const MODULE: &str = "mpy:bindgen";
