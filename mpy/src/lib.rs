#![doc = include_str!("../README.md")]
#![no_std]
#![warn(missing_docs)]

extern crate alloc;

mod exception;
#[cfg(feature = "hal")]
pub mod hal;
#[cfg(feature = "hal-02")]
mod hal_02;
#[cfg(feature = "io")]
pub mod io;

pub use exception::{Exception, Raise, Result};
