//! Instructions for signal processing, of processors that have them (Cortex-M4 and higher): ACLE, 12.5 and 12.6, by their names
//! there. Each is one instruction in a module for such a processor. Elsewhere, and in `cargo test`, it is a function that
//! computes the same, but for how [`vfma`] rounds.
//!
//! They work on the halves or the bytes of 32 bits: [`pair`] makes a `u32` of two numbers. rustc reads two elements of a slice at
//! once if they are a chunk:
//!
//! ```
//! use mpy::dsp;
//!
//! /// A sum of products in Q15, two at a time.
//! fn dot(a: &[i16], b: &[i16]) -> i64 {
//!     let ((a, rest_a), (b, rest_b)) = (a.as_chunks(), b.as_chunks());
//!     let sum = a.iter().zip(b).fold(0, |sum, (a, b)| dsp::smlald(dsp::pair(*a), dsp::pair(*b), sum));
//!     rest_a.iter().zip(rest_b).fold(sum, |sum, (a, b)| sum + i64::from(*a) * i64::from(*b))
//! }
//!
//! assert_eq!(dot(&[1, 2, 3], &[10, 20, 30]), 140);
//! ```
//!
//! The names end in `x` where the halves of one operand are exchanged, and in `b` and `t` where the bottom or the top half is used.

mod fourier;
mod instructions;
mod slices;

pub use fourier::{cfft_f32, cifft_f32};
pub use instructions::*;
pub use slices::{dot_f32, has_vectors, mat_vec_q15, vec_mat_f32};
