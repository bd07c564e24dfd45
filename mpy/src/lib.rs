#![doc = include_str!("../README.md")]
#![no_std]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(feature = "asyncio")]
pub mod asyncio;
mod builtins;
pub mod convert;
#[cfg(feature = "critical-section")]
mod critical;
pub mod dsp;
mod exception;
#[cfg(feature = "hal")]
pub mod hal;
#[cfg(feature = "hal-02")]
mod hal_02;
#[cfg(feature = "hal-async")]
mod hal_async;
mod import;
pub mod interrupt;
#[cfg(feature = "io")]
pub mod io;
#[cfg(feature = "log")]
pub mod logger;
pub mod object;
#[doc(hidden)]
pub mod print;
pub mod random;
#[cfg(feature = "serde")]
mod serde;
pub mod time;

pub use exception::{Exception, Raise, Result};
