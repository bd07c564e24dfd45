//! How values of each family of types cross between Python and C: one file per family.

mod encode;
mod scalar;

pub(crate) use encode::{Direction, Encoded, Family, Number, TypeEncoder, UnsupportedType, Wire};
pub use scalar::Scalar;
