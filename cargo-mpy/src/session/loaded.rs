//! The files that a MicroPython needs to import a module.

use target_specs::Result;

use super::faults::Faults;
use crate::pipeline::Built;
use crate::plan::BuildPlan;
use crate::toolchain::read_file;

/// What is loaded into a MicroPython.
pub struct Loaded {
    /// Modules that can be imported: file names, and contents.
    pub modules: Vec<(String, Vec<u8>)>,
    /// Says where in the source of a module a processor faults.
    pub faults: Faults,
}

impl Loaded {
    /// A module that was built, and the Python files beside it.
    ///
    /// # Errors
    /// Errors of [`BuildPlan::python_files`], and `io`.
    pub fn new(plan: &BuildPlan, built: &Built) -> Result<Loaded> {
        let mut modules = plan.python_files()?;
        modules.push((format!("{}.mpy", plan.module), read_file(&built.mpy)?));
        Ok(Loaded { modules, faults: Faults::of(&built.mpy, built.target.arch) })
    }
}
