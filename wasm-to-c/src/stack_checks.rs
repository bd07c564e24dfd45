//! Which functions check the native stack.

use std::collections::BTreeMap;

/// Which functions compilers may inline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Inlined {
    #[default]
    All,
    /// Those that are not called from outside of the module.
    Inner,
    /// None, so that a check in one function does not change the frames of many others.
    None,
}

/// Functions that have a check, beside those that may call themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StackChecks {
    /// By index. If the frame is checked before it is made, its size, otherwise 0.
    pub(crate) functions: BTreeMap<u32, u32>,
    pub(crate) inlined: Inlined,
}

impl StackChecks {
    pub(crate) fn has(&self, function: u32) -> bool {
        self.functions.contains_key(&function)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// The size of a frame that is checked before it is made.
    pub(crate) fn large(&self, function: u32) -> Option<u32> {
        self.functions.get(&function).copied().filter(|size| *size > 0)
    }

    pub(crate) fn may_inline(&self, function: u32, is_called_from_outside: bool) -> bool {
        self.large(function).is_none()
            && match self.inlined {
                Inlined::All => true,
                Inlined::Inner => !is_called_from_outside,
                Inlined::None => false,
            }
    }
}
