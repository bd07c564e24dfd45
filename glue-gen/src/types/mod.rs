//! How values of each family of types cross between Python and C: one file per family.

mod scalar;
mod spell;

pub use scalar::Scalar;
pub(crate) use spell::{From, Spelled, Speller, Unspeakable};
