//! Reads the data of wasm-bindgen's macro and its descriptors.
//!
//! The module may come from anyone, so all of its data is checked.

mod api;
mod descriptor;
mod input;
mod schema;

pub use api::{Api, Call, Class, Enum, Import, Member, StringEnum, Target, api};
pub use descriptor::{Signature, Type};
pub use input::{Raw, VERSION, check_package, check_version};

/// The module of all imported functions, whose names are wasm-bindgen's symbols.
pub const MODULE: &str = "mpy:bindgen";
