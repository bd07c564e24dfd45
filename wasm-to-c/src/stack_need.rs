//! How large a shadow stack must be.

use std::borrow::Cow;

use wasmparser::ExternalKind;

use crate::callgraph::{CallGraph, Depth};
use crate::module::Module;
use crate::options::Options;

/// Bytes of a shadow stack if it is not known that less or more is needed.
const USUAL: u32 = 4096;
/// Bytes below its pointer that a function which calls none may use without moving it (LLVM's WebAssembly
/// back end, `WebAssemblyFrameLowering::RedZoneSize`).
pub(crate) const RED_ZONE: u32 = 128;
/// Calls that may wait in an import for another call of the module: always, and if there is room for them.
const WAITING: u32 = 2;
const MOST_WAITING: u32 = 15;

/// Bytes for calls of functions that do not return, such as the formatting of a panic's message, which can call itself. If
/// they need more, the exception is another one.
const LAST_CALLS: u32 = 512;

/// How large a shadow stack is, and must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackNeed {
    /// Bytes that it has.
    pub size: u32,
    /// Bytes that a call from outside uses at most before it comes to a function that does not return. If that is not
    /// bounded, they are those of the deepest calls in which no function is called again.
    pub calls: u32,
    /// Whether calls never use more.
    pub is_bounded: bool,
    /// Bytes that it should have.
    pub wanted: u32,
    /// The function that uses most of it, and how much.
    pub largest: Option<(String, u32)>,
    /// What any function and those that it calls use at most, if that is bounded.
    pub(crate) bound: Option<u32>,
}

/// What a function uses of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// Bytes, if that is known.
    pub bytes: Option<u32>,
    pub returns: bool,
}

impl StackNeed {
    /// The need of a module with functions of these frames; `size` is what the stack has, unless it gets what it needs.
    pub(crate) fn of(
        module: &Module<'_>,
        calls: &CallGraph,
        frames: &[Frame],
        size: Option<u32>,
        options: &Options,
    ) -> StackNeed {
        let bytes: Vec<Option<u32>> = frames.iter().map(|frame| frame.bytes).collect();
        let all = calls.depth(&bytes);
        let exported = module.exports.iter().filter(|(_, kind, _)| *kind == ExternalKind::Func);
        let entries: Vec<u32> = exported.map(|(_, _, index)| *index).chain(module.start).collect();
        // Formatting can call itself, and so almost every program that can panic: those calls are counted apart.
        let mut ends: Vec<bool> = frames.iter().map(|frame| !frame.returns && !all.is_bounded).collect();
        entries.iter().for_each(|entry| ends[*entry as usize] = false);
        let calls =
            if all.is_bounded { Cow::Borrowed(calls) } else { Cow::Owned(calls.from(entries, &ends)) };
        let usual = bytes.iter().zip(&ends).map(|(bytes, ends)| if *ends { Some(0) } else { *bytes });
        let usual: Vec<Option<u32>> = usual.collect();
        let depth = calls.depth(&usual);
        // The functions that wait while an import calls the module again.
        let calls_back = |index: &usize| {
            let import = module.functions[*index].import.as_ref();
            import.is_some_and(|import| !options.quiet_imports.contains(import))
        };
        let waits = calls.leading_to((0..module.imported()).filter(calls_back));
        let waiting = usual.iter().zip(&waits).map(|(bytes, waits)| if *waits { *bytes } else { Some(0) });
        let waiting = calls.depth(&waiting.collect::<Vec<_>>());
        let last = if all.is_bounded { 0 } else { all.bytes.saturating_add(RED_ZONE + LAST_CALLS) };
        let wanted = wanted(depth, waiting.bytes).max(last).checked_next_multiple_of(16).unwrap_or(u32::MAX);
        let largest = (0..).zip(&usual).filter_map(|(index, bytes)| Some((index, (*bytes)?)));
        let largest = largest.max_by_key(|(_, bytes)| *bytes).map(|(index, bytes): (usize, u32)| {
            let name = module.functions[index].name.as_deref().map(crate::names::demangled);
            (name.unwrap_or_else(|| format!("function {index}")), bytes)
        });
        StackNeed {
            size: size.unwrap_or(wanted),
            calls: depth.bytes,
            is_bounded: depth.is_bounded,
            wanted,
            largest: largest.filter(|(_, bytes)| *bytes > 0),
            bound: all.is_bounded.then_some(all.bytes),
        }
    }

    /// What an exhausted stack says of its size, for a user who can set it.
    pub(crate) fn text(&self) -> String {
        let needed = self.calls.saturating_add(RED_ZONE);
        match needed > self.size {
            true => format!(": `stack` is {} bytes, and {needed} are needed", self.size),
            false => format!(": `stack` is {} bytes", self.size),
        }
    }
}

/// The size for calls of this depth, of which so many bytes wait while an import calls the module again.
///
/// A check needs [`RED_ZONE`] bytes more than the frames have. An interrupt handler may call the module while it runs. If
/// there is no bound, or the need is large, a call that finds no room raises an exception.
fn wanted(calls: Depth, waiting: u32) -> u32 {
    let size = |calls: u32, waiting: u32| calls.saturating_add(waiting).saturating_add(RED_ZONE);
    let least = size(calls.bytes, waiting.saturating_mul(WAITING));
    let most = match calls.is_bounded {
        true => size(calls.bytes.saturating_mul(2), waiting.saturating_mul(MOST_WAITING)),
        false => USUAL,
    };
    least.max(most.min(USUAL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_as_large_as_it_must_be() {
        let bounded = |bytes| Depth { bytes, is_bounded: true };
        let unbounded = |bytes| Depth { bytes, is_bounded: false };
        // A call, and one of an interrupt handler.
        assert_eq!(wanted(bounded(0), 0), 128);
        assert_eq!(wanted(bounded(80), 0), 288);
        assert_eq!(wanted(bounded(1980), 0), 4088);
        assert_eq!(wanted(bounded(3000), 0), 4096);
        assert_eq!(wanted(bounded(8200), 0), 8328);
        // Some wait for calls of an import.
        assert_eq!(wanted(bounded(80), 64), 1248);
        assert_eq!(wanted(bounded(800), 400), 4096);
        assert_eq!(wanted(bounded(2000), 1500), 5128);
        assert_eq!(wanted(unbounded(200), 100), 4096);
        assert_eq!(wanted(unbounded(9000), 100), 9328);
        assert_eq!(wanted(bounded(u32::MAX), u32::MAX), u32::MAX);
    }
}
