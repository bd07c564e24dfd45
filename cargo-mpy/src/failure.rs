//! How a command fails.

use target_specs::Diagnostic;

/// Why a command did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// Something to tell.
    Problem(Diagnostic),
    /// A program that has told it already, and its exit code: cargo, or the user's Python.
    Exit(i32),
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Failure::Problem(diagnostic)
    }
}
