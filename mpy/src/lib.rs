#![doc = include_str!("../README.md")]
#![no_std]
#![warn(missing_docs)]

extern crate alloc;

mod exception;
#[cfg(feature = "hal")]
pub mod hal;

pub use exception::{Exception, Raise, Result};
