//! How values of each family of types are passed between Python and C: one file per family.

mod encode;
mod scalar;

pub(crate) use encode::{Direction, Encoded, Family, Number, TypeEncoder, UnsupportedType, Wire};
pub use scalar::Scalar;
