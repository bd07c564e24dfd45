//! Checks that keep calls from overflowing the native stack.
//!
//! Only the C compiler knows how large a frame is: it inlines, keeps values, and splits functions. So the C is compiled,
//! the compiler reports the frames (`-fstack-usage`), and [`NativeStack::checks`] decides which functions need a check.
//! If there are new ones, the C is written and compiled again. [`settled`] does this until the checks suffice.
//!
//! A *check* compares the stack pointer with the lowest address that MicroPython accepted so far. It passes only if
//! MicroPython also accepts the [`AHEAD`] bytes below.
//!
//! The invariant is: **between one check and the next, functions of the module use at most [`AHEAD`] bytes.** So they never
//! go below MicroPython's own limit, and what the firmware reserves there stays free for interrupt handlers. The proof:
//!
//! 1. A frame has at most [`LARGE`] bytes, or another function checks its size before it is made. So what is left of the
//!    frame that contains a check is at most `LARGE`, and so is the frame that contains the next check. This also holds if a
//!    function with a check was inlined: the frame is then that of its caller.
//! 2. The frames in between have at most [`UNCHECKED`] bytes together. Every cycle of calls contains a check, because functions
//!    that are recursive or call through references have one. So the calls between checks form a graph without cycles, in which
//!    the longest way to each function is computed.
//! 3. A function without a report was inlined everywhere: its locals are in the frames of its callers. Parts that a
//!    compiler split off (`f.part.0`, `f.constprop.0`) count for their function, all together. GCC must not merge
//!    equal functions (`no_icf`). Other compilers do not.
//! 4. The compiler's library is not measured. Its functions use less than [`LIBRARY`] bytes.
//! 5. Functions of vectors (`wasm_simd.h`) that are not inlined are measured. They call none of the module, and one of their own
//!    at most. So they are where the frame with the next check would be, which has `LARGE` bytes. Frames of the module count
//!    for more if theirs are larger together.
//!
//! Between a call from Python and the first check, the functions of the module use no more than between two checks. As
//! MicroPython's built-in functions, they rely on what the firmware reserves.
//!
//! Bindings are not checked by this. If one of their frames is larger than `LARGE`, functions of the module may be inlined in
//! it, so those that are called from outside are not inlined any more ([`Inlined`]). Bindings of many values, and imports
//! that call Python, check the stack themselves (`mpy_stack.h`).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use target_specs::{Diagnostic, Place, Result};

use crate::callgraph::CallGraph;
use crate::stack_checks::{Inlined, StackChecks};

/// Bytes that the frames between two checks may have.
const UNCHECKED: u32 = 256;
/// The largest frame that is not checked before it is made.
const LARGE: u32 = 192;
/// More than any function of a compiler's library for integers and floats uses. The deepest found is 108 bytes, in
/// `__aeabi_ldivmod` of libgcc for Cortex-M0.
const LIBRARY: u32 = 128;
/// Bytes that MicroPython must accept below a check.
pub(crate) const AHEAD: u32 = LARGE + UNCHECKED + LARGE + LIBRARY;
/// The return address, which some compilers do not count.
const RETURN_ADDRESS: u32 = 8;
/// The largest frame there may be. It is smaller than the lowest address of any stack, so `address - size` cannot wrap.
const LARGEST: u32 = 1 << 20;
/// How often the C is usually compiled again, and how often it is compiled at most.
const USUAL_ROUNDS: usize = 2;
const ROUNDS: usize = 12;

/// The sizes of the frames that a compiler made, by the function's name in C. [`UNBOUNDED`] if it is not constant.
pub type Frames = HashMap<String, u32>;

/// The size of a frame without a bound.
pub const UNBOUNDED: u32 = u32::MAX;

/// What decides about the checks of a module.
#[derive(Debug, Clone)]
pub struct NativeStack {
    /// By function, its name in C.
    pub(crate) functions: Vec<String>,
    /// How many of them are imported.
    pub(crate) imported: usize,
    /// Functions that have a check in any case. Every cycle of calls contains one.
    pub(crate) recursive: Vec<bool>,
    pub(crate) calls: CallGraph,
    pub(crate) checks: StackChecks,
}

/// The C name of the function with a large frame, if `name` is the one that checks for it.
pub(crate) fn within(name: &str) -> String {
    format!("within_{name}")
}

/// The bytes that functions of vectors use at most: one, and one that it calls.
fn of_vectors(frames: &Frames) -> u32 {
    let of_vectors = frames.iter().filter(|(name, _)| name.starts_with("simd_"));
    let mut sizes: Vec<u32> = of_vectors.map(|(_, size)| size + RETURN_ADDRESS).collect();
    sizes.sort_unstable();
    sizes.iter().rev().take(2).sum()
}

impl NativeStack {
    /// The checks that suffice for these frames: those that the module has, and more if they are needed.
    ///
    /// # Errors
    /// `too-large` if a frame is too large for any stack.
    pub fn checks(&self, frames: &Frames) -> Result<StackChecks> {
        self.checks_within(frames, LARGE, UNCHECKED)
    }

    /// The checks to compile with if those that the module has do not suffice. They also suffice if frames become half as large
    /// again, because each check changes what a compiler inlines. Fewer modules are then compiled a third time.
    ///
    /// # Errors
    /// As [`NativeStack::checks`].
    fn checks_to_try(&self, frames: &Frames) -> Result<StackChecks> {
        self.checks_within(frames, LARGE / 8 * 5, UNCHECKED / 8 * 5)
    }

    fn checks_within(&self, frames: &Frames, large: u32, most: u32) -> Result<StackChecks> {
        if let Some((name, size)) = frames.iter().filter(|(_, size)| **size > LARGEST).min() {
            let size = if *size == UNBOUNDED { "any number of".to_owned() } else { size.to_string() };
            let message = format!("a function needs {size} bytes of the native stack");
            return Err(Diagnostic::new("too-large", message)
                .at(Place::Item(name.clone()))
                .help("divide the function, or use fewer locals"));
        }
        let mut checks = self.checks.clone();
        let more = of_vectors(frames).saturating_sub(LARGE);
        let frame = |name: &str| frames.get(name).map(|size| size + RETURN_ADDRESS + more);
        let own = |index: usize| (self.imported..self.functions.len()).contains(&index);
        let callees = self.calls.callees();
        // A frame that no check precedes: that of an import, or of a function that checks for another one. It is large
        // if many parameters are on the stack.
        let unchecked = |index: usize| {
            let is_unchecked = !own(index) || self.checks.large(index as u32).is_some();
            let name = self.functions.get(index).filter(|_| is_unchecked);
            name.and_then(|name| frame(name)).unwrap_or(0)
        };
        let mut known: HashSet<Cow<'_, str>> = HashSet::new();
        for (index, name) in self.functions.iter().enumerate() {
            known.insert(Cow::Borrowed(name));
            if !own(index) {
                continue;
            }
            let within = self.checks.large(index as u32).map(|_| within(name));
            let size = frame(within.as_ref().unwrap_or(name)).unwrap_or(0);
            known.extend(within.map(Cow::Owned));
            // Its callees, and those of the types that it calls.
            let called = callees[index].iter().flat_map(|callee| {
                let of_type =
                    callees[*callee as usize].iter().filter(|_| *callee as usize >= self.functions.len());
                of_type.chain([callee])
            });
            let below = called.map(|callee| unchecked(*callee as usize)).max().unwrap_or(0);
            let size = [unchecked(index), below].iter().filter(|frame| **frame > large).sum::<u32>() + size;
            if size > checks.large(index as u32).unwrap_or(large) {
                // Frames change by some bytes when other functions do.
                checks.functions.insert(index as u32, (size + 32).next_multiple_of(64));
            }
        }
        // A function of the module may be inlined in one of the bindings.
        if frames.iter().any(|(name, size)| *size > large && !known.contains(name.as_str())) {
            checks.inlined = checks.inlined.max(Inlined::Inner);
        }

        let starts: Vec<bool> = (0..callees.len())
            .map(|node| self.recursive.get(node) == Some(&true) || checks.has(node as u32))
            .collect();
        // A function is visited after its callers. Those with a check are first, as theirs do not matter. This counts the
        // others.
        let mut callers = vec![0_u32; callees.len()];
        for (callees, _) in callees.iter().zip(&starts).filter(|(_, starts)| !**starts) {
            callees.iter().for_each(|callee| callers[*callee as usize] += 1);
        }
        let (first, others): (Vec<usize>, Vec<usize>) = (0..callees.len()).partition(|node| starts[*node]);
        let mut ready: Vec<usize> =
            others.into_iter().filter(|node| callers[*node] == 0).chain(first).collect();
        // Bytes in use since the last check when each function is called.
        let mut above = vec![0_u32; callees.len()];
        while let Some(node) = ready.pop() {
            let name = self.functions.get(node).filter(|_| own(node));
            let own_frame = name.and_then(|name| frame(name)).unwrap_or(0);
            let mut used = own_frame;
            if checks.large(node as u32).is_some() {
                used = Some(unchecked(node)).filter(|frame| *frame <= large).unwrap_or(0);
            } else if !starts[node] {
                used = above[node] + own_frame;
                if used > most {
                    checks.functions.insert(node as u32, 0);
                    used = own_frame;
                }
            }
            for callee in callees[node].iter().map(|callee| *callee as usize) {
                above[callee] = above[callee].max(used);
                if !starts[node] {
                    callers[callee] -= 1;
                    if callers[callee] == 0 && !starts[callee] {
                        ready.push(callee);
                    }
                }
            }
        }
        Ok(checks)
    }
}

/// Compiles what was made, and makes it again, until its checks suffice.
///
/// # Errors
/// Those of `compile` and `make`, and `too-large`.
pub fn settled<T>(
    mut made: T,
    stack: impl Fn(&T) -> Option<&NativeStack>,
    compile: impl Fn(&T) -> Result<Frames>,
    make: impl Fn(StackChecks) -> Result<T>,
) -> Result<T> {
    for round in 0..ROUNDS {
        let frames = compile(&made)?;
        let Some(stack) = stack(&made) else { return Ok(made) };
        if stack.checks(&frames)? == stack.checks {
            return Ok(made);
        }
        let mut checks = stack.checks_to_try(&frames)?;
        if round >= USUAL_ROUNDS {
            checks.inlined = Inlined::None;
        }
        made = make(checks)?;
    }
    let message = format!("the frames of the functions still grow after the C was compiled {ROUNDS} times");
    Err(Diagnostic::new("too-large", message)
        .help("build with another optimisation level, or divide large functions"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Functions that call these, of which the first `imported` are imports. The last node may be a type.
    fn stack(calls: &[Vec<u32>], functions: usize, imported: usize, recursive: &[bool]) -> NativeStack {
        NativeStack {
            functions: (0..functions).map(|index| format!("f{index}")).collect(),
            imported,
            recursive: recursive.to_vec(),
            calls: CallGraph::of(calls),
            checks: StackChecks::default(),
        }
    }

    fn frames(sizes: &[u32]) -> Frames {
        (0..).zip(sizes).map(|(index, size): (u32, _)| (format!("f{index}"), *size)).collect()
    }

    fn functions(checks: StackChecks) -> Vec<(u32, u32)> {
        checks.functions.into_iter().collect()
    }

    fn checked(stack: &NativeStack, sizes: &[u32]) -> Vec<(u32, u32)> {
        functions(stack.checks(&frames(sizes)).expect("frames that fit"))
    }

    #[test]
    fn long_chains_and_large_frames_are_checked() {
        let chain = stack(&[vec![1], vec![2], vec![3], vec![]], 4, 0, &[false; 4]);
        assert_eq!(checked(&chain, &[50, 50, 50, 50]), []);
        assert_eq!(checked(&chain, &[100, 100, 100, 40]), [(2, 0)]);
        assert_eq!(checked(&chain, &[100, 0, 9000, 180]), [(2, 9088)]);
        // One that is checked already begins anew.
        let deep = stack(&[vec![1], vec![2], vec![3], vec![]], 4, 0, &[false, true, false, false]);
        assert_eq!(checked(&deep, &[180, 180, 20, 20]), []);
        assert_eq!(checked(&deep, &[180, 180, 70, 20]), [(2, 0)]);
        // Without a report, it is a part of its caller.
        let mut some = frames(&[180, 0, 180, 60]);
        some.remove("f1");
        assert_eq!(functions(deep.checks(&some).unwrap()), []);
    }

    #[test]
    fn calls_through_references_and_imports_count() {
        // 0 calls those of a type, which is node 3: 1, which calls 2.
        let calls = [vec![3], vec![2], vec![], vec![1]];
        let through = stack(&calls, 3, 0, &[true, false, false]);
        assert_eq!(checked(&through, &[100, 60, 60]), []);
        assert_eq!(checked(&through, &[100, 60, 100]), [(2, 0)]);
        // The frame of an import is checked by its callers, directly or through a type.
        let import = stack(&[vec![], vec![0], vec![3], vec![0]], 3, 1, &[false, false, true]);
        assert_eq!(checked(&import, &[100, 50, 50]), []);
        assert_eq!(checked(&import, &[1000, 50, 50]), [(1, 1152), (2, 1152)]);
    }

    #[test]
    fn functions_that_check_for_others_are_measured_apart() {
        let mut chain = stack(&[vec![1], vec![]], 2, 0, &[false; 2]);
        chain.checks = chain.checks(&frames(&[20, 5000])).unwrap();
        assert_eq!(functions(chain.checks.clone()), [(1, 5056)]);
        let mut measured = frames(&[20, 48]);
        measured.insert("within_f1".to_owned(), 5000);
        assert_eq!(chain.checks(&measured).unwrap(), chain.checks);
        measured.insert("within_f1".to_owned(), 5100);
        assert_eq!(functions(chain.checks(&measured).unwrap()), [(1, 5184)]);
        // With many parameters the frame that checks is large as well: its callers check for it.
        measured.extend([("within_f1".to_owned(), 5000), ("f1".to_owned(), 800)]);
        assert_eq!(functions(chain.checks(&measured).unwrap()), [(0, 896), (1, 5888)]);
    }

    #[test]
    fn functions_of_vectors_are_frames_too() {
        let chain = stack(&[vec![1], vec![]], 2, 0, &[true, false]);
        let mut measured = frames(&[40, 100]);
        measured.extend([("simd_f32x4_floor".to_owned(), 60), ("simd_round".to_owned(), 100)]);
        assert_eq!(functions(chain.checks(&measured).unwrap()), []);
        // Together 392 bytes: 200 more than there is room for.
        measured.insert("simd_f32x4_floor".to_owned(), 276);
        assert_eq!(functions(chain.checks(&measured).unwrap()), [(0, 320), (1, 384)]);
    }

    #[test]
    fn functions_of_large_bindings_are_not_inlined() {
        let one = stack(&[vec![]], 1, 0, &[false]);
        let with = |size| Frames::from([("binding".to_owned(), size)]);
        assert!(one.checks(&with(LARGE)).unwrap().may_inline(0, true));
        assert!(!one.checks(&with(LARGE + 1)).unwrap().may_inline(0, true));
        for size in [UNBOUNDED, LARGEST + 1] {
            assert_eq!(one.checks(&with(size)).unwrap_err().code, "too-large");
        }
    }

    #[test]
    fn compiling_ends() {
        let one = stack(&[vec![]], 1, 0, &[false]);
        let made = |checks| Ok(NativeStack { checks, ..one.clone() });
        // Frames that always grow, and those that do not.
        let growing = |stack: &NativeStack| {
            let size = stack.checks.large(0).unwrap_or(1000);
            Ok(Frames::from([("f0".to_owned(), size), (within("f0"), size)]))
        };
        let error = settled(one.clone(), |stack| Some(stack), growing, made).unwrap_err();
        assert_eq!(error.code, "too-large");
        let constant = |_: &NativeStack| Ok(Frames::from([("f0".to_owned(), 16), (within("f0"), 1000)]));
        settled(one.clone(), |stack| Some(stack), constant, made).unwrap();
    }

    /// The most bytes that are in use between two checks in calls of `node`: `since` the last one, or from its own on.
    fn most(
        stack: &NativeStack,
        checks: &StackChecks,
        sizes: &[u32],
        node: usize,
        since: Option<u32>,
    ) -> u32 {
        let used = since.unwrap_or(0);
        let own = sizes.get(node).map_or(0, |size| size + RETURN_ADDRESS);
        let is_large = checks.large(node as u32).is_some();
        let is_checked = is_large || stack.recursive.get(node) == Some(&true) || checks.has(node as u32);
        // The frame with a check is made before that, unless it is large.
        let before = if is_large { used } else { used + own };
        let below = match (is_large, is_checked) {
            (true, _) => 0,
            (_, true) => own,
            _ => used + own,
        };
        if is_checked && since.is_some() {
            return before;
        }
        let callees = stack.calls.callees()[node].iter();
        callees.map(|callee| most(stack, checks, sizes, *callee as usize, Some(below))).fold(before, u32::max)
    }

    #[test]
    fn no_way_through_a_module_is_long_without_a_check() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut below = |end: u32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32 % end
        };
        let mut found = 0;
        for _ in 0..2000 {
            let functions = 2 + below(9);
            // Calls go to later functions, so only those that are called through the type come back.
            let mut calls: Vec<Vec<u32>> =
                (0..functions).map(|at| (at + 1..functions).filter(|_| below(3) == 0).collect()).collect();
            let mut recursive = vec![false; functions as usize];
            for at in 0..functions as usize {
                if below(6) == 0 {
                    recursive[at] = true;
                    calls[at].push(functions);
                }
            }
            calls.push((0..functions).filter(|_| below(3) == 0).collect());
            let sizes: Vec<u32> =
                (0..functions).map(|_| if below(8) == 0 { below(4000) } else { below(120) }).collect();
            let stack = stack(&calls, functions as usize, 0, &recursive);
            let checks = stack.checks(&frames(&sizes)).unwrap();
            for start in 0..=functions as usize {
                let used = most(&stack, &checks, &sizes, start, None);
                assert!(
                    used <= UNCHECKED + LARGE,
                    "{calls:?} {recursive:?} {sizes:?} {checks:?}: {used} from {start}"
                );
            }
            found += usize::from(!checks.is_empty());
        }
        assert!(found > 200, "{found}");
    }
}
