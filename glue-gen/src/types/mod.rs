//! How values of each family of types cross between Python and C: one file per family.

mod scalar;

pub use scalar::Scalar;
