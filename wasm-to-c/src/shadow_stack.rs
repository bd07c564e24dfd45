//! The shadow stack: what functions do with its pointer, and the proof that they do nothing else.
//!
//! A linked program keeps locals whose address is taken in a frame on the shadow stack: it lowers the stack
//! pointer by a constant and addresses from there. Where [`ShadowStack::find`] proves that a module does this and
//! nothing else with a global, one check where a frame is made replaces those of the accesses inside the frame.

use std::collections::HashSet;

use wasmparser::{FunctionBody, Operator};

use crate::module::{Constant, Module};

/// A function's frame on the shadow stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The local that holds its address, and nothing else ever.
    pub local: u32,
    /// Bytes.
    pub size: u32,
}

/// The frame that a function makes before anything else, when the global `pointer` is the stack pointer.
pub(crate) fn frame(body: &FunctionBody<'_>, pointer: u32) -> Option<Frame> {
    let mut found: Option<Frame> = None;
    let mut sets = Vec::new();
    let mut recent: [Option<Operator<'_>>; 3] = [None, None, None];
    let mut straight = true;
    for op in body.get_operators_reader().ok()? {
        let op = op.ok()?;
        if let Operator::LocalSet { local_index } | Operator::LocalTee { local_index } = op {
            sets.push(local_index);
            if let [
                Some(Operator::GlobalGet { global_index }),
                Some(Operator::I32Const { value: size @ 1.. }),
                Some(Operator::I32Sub),
            ] = recent
                && straight
                && found.is_none()
                && global_index == pointer
            {
                found = Some(Frame { local: local_index, size: size as u32 });
            }
        }
        straight &= !matches!(op, Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. })
            && !matches!(op, Operator::Try { .. } | Operator::TryTable { .. });
        recent.rotate_left(1);
        recent[2] = Some(op);
    }
    found.filter(|frame| sets.iter().filter(|local| **local == frame.local).count() == 1)
}

/// A shadow stack in memory 0, and the proof that nothing but frames moves its pointer.
///
/// The claim is that `pointer` is never above `top`, which is what makes [`frame`]'s facts true once a frame was found
/// to fit below the pointer. It holds when the module starts. Each function keeps it: see [`keeps`]. Nobody else
/// can set the global, as it is neither imported nor exported; who puts the pointer back after a trap gives it a value
/// that it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShadowStack {
    /// The global, a mutable i32.
    pub pointer: u32,
    /// Its first value.
    pub top: u32,
}

impl ShadowStack {
    /// The shadow stack of a module whose memory 0 has so many bytes at least; `hidden` says which globals only the
    /// module itself can set. The global is recognised by what functions do with it: names prove nothing.
    pub fn find(module: &Module<'_>, bytes: u64, hidden: impl Fn(u32) -> bool) -> Option<ShadowStack> {
        let mut frames: Vec<(ShadowStack, usize)> = Vec::new();
        for (index, global) in (0..).zip(&module.globals) {
            if let Constant::I32(top) = global.init
                && (global.mutable && global.import.is_none())
                && u64::from(top) <= bytes
                && hidden(index)
            {
                frames.push((ShadowStack { pointer: index, top }, 0));
            }
        }
        let mut at = vec![None; module.globals.len()];
        for (candidate, (stack, _)) in frames.iter().enumerate() {
            at[stack.pointer as usize] = Some(candidate);
        }
        for body in &module.bodies {
            if let Some(candidate) = first_lowered(body).and_then(|global| at[global as usize]) {
                frames[candidate].1 += 1;
            }
        }
        let (stack, _) =
            frames.into_iter().filter(|(_, count)| *count > 0).max_by_key(|(_, count)| *count)?;
        module.bodies.iter().all(|body| keeps(body, stack.pointer)).then_some(stack)
    }
}

/// The global that a function subtracts a constant from before its first block.
fn first_lowered(body: &FunctionBody<'_>) -> Option<u32> {
    let mut read = None;
    for op in body.get_operators_reader().ok()? {
        read = match (op.ok()?, read) {
            (Operator::GlobalGet { global_index }, _) => Some(global_index),
            (Operator::LocalTee { .. } | Operator::I32Const { .. }, read) => read,
            (Operator::I32Sub, Some(global)) => return Some(global),
            (Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. }, _) => return None,
            (Operator::Try { .. } | Operator::TryTable { .. }, _) => return None,
            _ => None,
        };
    }
    None
}

/// How far a value is below the stack pointer as that was when the function was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Height {
    least: u32,
    most: u32,
}

impl Height {
    /// As `most`: any number of bytes.
    const ANY: u32 = u32::MAX;

    fn exactly(by: u32) -> Height {
        Height { least: by, most: by }
    }

    fn at_least(by: u32) -> Height {
        Height { least: by, most: Height::ANY }
    }

    fn join(self, other: Height) -> Height {
        if self == other { self } else { Height::at_least(self.least.min(other.least)) }
    }

    /// So much lower, or higher if that is negative.
    fn moved(self, by: i64) -> Option<Height> {
        let moved = |from: u32| u32::try_from(i64::from(from) + by).ok();
        match self {
            Height { least, most: Height::ANY } if by >= 0 => moved(least).map(Height::at_least),
            Height { least, most } if by >= 0 || least == most => {
                Some(Height { least: moved(least)?, most: moved(most)? })
            }
            _ => None,
        }
    }

    /// The value without the bits that are not in a mask.
    fn masked(self, mask: i32) -> Height {
        let below = !mask.cast_unsigned();
        // Only the lowest bits go.
        let most = match below & below.wrapping_add(1) {
            0 => self.most.checked_add(below).unwrap_or(Height::ANY),
            _ => Height::ANY,
        };
        Height { least: self.least, most }
    }
}

/// What is known at some place of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Heights {
    pointer: Height,
    /// By local, few and in order.
    locals: Vec<(u32, Height)>,
}

impl Heights {
    /// So many locals are followed: a compiler needs one or two.
    const LOCALS: usize = 4;

    fn local(&self, local: u32) -> Option<Height> {
        self.locals.iter().find(|(known, _)| *known == local).map(|(_, height)| *height)
    }

    fn set_local(&mut self, local: u32, value: Option<Height>) {
        self.locals.retain(|(known, _)| *known != local);
        if let Some(height) = value
            && self.locals.len() < Self::LOCALS
        {
            self.locals.push((local, height));
            self.locals.sort_unstable_by_key(|(local, _)| *local);
        }
    }

    /// What is known where an exception is caught: calls that it left may have lowered the pointer, and locals may
    /// have been set on the way, which are `changing` when they have a value already.
    fn caught(&self, changing: &HashSet<u32>) -> Heights {
        let locals = self.locals.iter().filter(|(local, _)| !changing.contains(local));
        Heights { pointer: Height::at_least(0), locals: locals.copied().collect() }
    }

    /// What is known of both; whether that is less than what was known here.
    fn join(into: &mut Option<Heights>, other: &Heights) -> bool {
        let Some(here) = into else {
            *into = Some(other.clone());
            return true;
        };
        let before = here.clone();
        here.pointer = here.pointer.join(other.pointer);
        here.locals.retain(|known| other.locals.contains(known));
        *here != before
    }
}

/// A block that is open while [`keeps`] reads a function.
struct Open {
    /// The number of the loop, when it is one.
    looped: Option<usize>,
    /// What is known where its label is.
    label: Option<Heights>,
    /// What was known before an `if`, until its `else`.
    before: Option<Heights>,
    /// What is known where an exception from a `try` is caught.
    caught: Option<Heights>,
}

impl Open {
    fn block() -> Open {
        Open { looped: None, label: None, before: None, caught: None }
    }
}

/// How often a function is read until what is known at its loops no longer changes.
const PASSES: usize = 4;

/// Whether a function keeps the promise of [`ShadowStack`]: it sets the pointer to nothing but the value that it had
/// when the function was entered, less a constant or more, and that value is in it again whenever the function
/// returns. A difference that wraps around is above `top`, where the C looks for it.
///
/// An exception may leave the function while the pointer is lower: who catches it knows that.
fn keeps(body: &FunctionBody<'_>, pointer: u32) -> bool {
    read(body, pointer).is_some()
}

/// What [`read`] finds out about a function that keeps the promise of [`ShadowStack`].
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// How far below the pointer, as it was when the function was entered, the lowest value is that is made of it.
    lowest: u32,
    /// Whether it may return.
    returns: bool,
}

/// The bytes of the shadow stack that a function uses at most while it runs itself, if that is known; and whether it may
/// return.
pub(crate) fn bytes(body: &FunctionBody<'_>, pointer: u32) -> (Option<u32>, bool) {
    match read(body, pointer) {
        Some(Seen { lowest, returns }) => (Some(lowest).filter(|lowest| *lowest != Height::ANY), returns),
        None => (None, true),
    }
}

fn read(body: &FunctionBody<'_>, pointer: u32) -> Option<Seen> {
    let mut loops: Vec<Option<Heights>> = Vec::new();
    let changing = set_again(body)?;
    let mut seen = Seen::default();
    for _ in 0..PASSES {
        if keeps_with(body, pointer, &changing, &mut loops, &mut seen)? {
            return Some(seen);
        }
    }
    None
}

/// One pass, with what was known at the loops' beginnings after the one before; whether nothing new came to them, or
/// `None` when the promise is broken. Adds what the pass sees.
fn keeps_with(
    body: &FunctionBody<'_>,
    pointer: u32,
    changing: &HashSet<u32>,
    loops: &mut Vec<Option<Heights>>,
    seen: &mut Seen,
) -> Option<bool> {
    let mut here = Some(Heights { pointer: Height::exactly(0), locals: Vec::new() });
    let mut open = vec![Open::block()];
    let mut count = 0;
    let mut stable = true;
    // The two topmost operands, where the operators that made them are the last ones.
    let mut operands: [Option<Operand>; 2] = [None, None];
    for op in body.get_operators_reader().ok()? {
        let op = op.ok()?;
        let [below, topmost] = std::mem::take(&mut operands);
        let mut branch = |here: &Option<Heights>, open: &mut Vec<Open>, depth: u32| {
            let Some(here) = here else { return };
            let at = open.len() - 1 - depth as usize;
            match open[at].looped {
                Some(number) => stable &= !Heights::join(&mut loops[number], here),
                None => {
                    Heights::join(&mut open[at].label, here);
                }
            }
        };
        match op {
            Operator::Block { .. } => open.push(Open::block()),
            Operator::Loop { .. } => {
                if loops.len() == count {
                    loops.push(None);
                }
                if let Some(here) = &here {
                    Heights::join(&mut loops[count], here);
                }
                here.clone_from(&loops[count]);
                open.push(Open { looped: Some(count), ..Open::block() });
                count += 1;
            }
            Operator::If { .. } => open.push(Open { before: here.clone(), ..Open::block() }),
            Operator::Else => {
                branch(&here, &mut open, 0);
                here = open.last_mut()?.before.take();
            }
            Operator::Try { .. } => {
                open.push(Open { caught: here.as_ref().map(|here| here.caught(changing)), ..Open::block() });
            }
            Operator::TryTable { ref try_table } => {
                for catch in &try_table.catches {
                    let (wasmparser::Catch::One { label, .. }
                    | wasmparser::Catch::OneRef { label, .. }
                    | wasmparser::Catch::All { label }
                    | wasmparser::Catch::AllRef { label }) = *catch;
                    branch(&here.as_ref().map(|here| here.caught(changing)), &mut open, label);
                }
                open.push(Open::block());
            }
            Operator::Catch { .. } | Operator::CatchAll => {
                branch(&here, &mut open, 0);
                here.clone_from(&open.last()?.caught);
            }
            Operator::End | Operator::Delegate { .. } => {
                let ended = open.pop()?;
                for known in [ended.label, ended.before].iter().flatten() {
                    Heights::join(&mut here, known);
                }
            }
            Operator::Br { relative_depth } => {
                branch(&here, &mut open, relative_depth);
                here = None;
            }
            Operator::BrIf { relative_depth }
            | Operator::BrOnNull { relative_depth }
            | Operator::BrOnNonNull { relative_depth } => branch(&here, &mut open, relative_depth),
            Operator::BrTable { ref targets } => {
                for depth in targets.targets() {
                    branch(&here, &mut open, depth.ok()?);
                }
                branch(&here, &mut open, targets.default());
                here = None;
            }
            Operator::Return
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::ReturnCallRef { .. } => {
                let depth = open.len() as u32 - 1;
                branch(&here, &mut open, depth);
                here = None;
            }
            Operator::Unreachable
            | Operator::Throw { .. }
            | Operator::ThrowRef
            | Operator::Rethrow { .. } => here = None,
            _ => {
                let Some(here) = &mut here else { continue };
                let height = |operand: Option<Operand>| match operand? {
                    Operand::Height(height) => Some(height),
                    Operand::Constant(_) => None,
                };
                match op {
                    Operator::GlobalGet { global_index } if global_index == pointer => {
                        operands = [topmost, Some(Operand::Height(here.pointer))];
                    }
                    Operator::GlobalSet { global_index } if global_index == pointer => {
                        here.pointer = height(topmost)?;
                    }
                    Operator::LocalGet { local_index } => {
                        operands = [topmost, here.local(local_index).map(Operand::Height)];
                    }
                    Operator::LocalSet { local_index } => here.set_local(local_index, height(topmost)),
                    Operator::LocalTee { local_index } => {
                        here.set_local(local_index, height(topmost));
                        operands = [below, topmost];
                    }
                    Operator::I32Const { value } => operands = [topmost, Some(Operand::Constant(value))],
                    Operator::I32Sub | Operator::I32Add | Operator::I32And => {
                        operands = [None, combined(&op, below, topmost).map(Operand::Height)];
                    }
                    Operator::Call { .. } | Operator::CallIndirect { .. } | Operator::CallRef { .. } => {
                        seen.lowest = seen.lowest.max(here.pointer.most);
                    }
                    _ => {}
                }
                if let Some(Operand::Height(height)) = operands[1] {
                    seen.lowest = seen.lowest.max(height.most);
                }
            }
        }
    }
    seen.returns |= here.is_some();
    // Nothing returns with the pointer elsewhere than where it was.
    let kept = here.is_none_or(|here| here.pointer == Height::exactly(0));
    kept.then_some(stable)
}

/// An operand that [`keeps_with`] knows.
#[derive(Debug, Clone, Copy)]
enum Operand {
    Height(Height),
    Constant(i32),
}

/// The locals that a function sets more than once.
fn set_again(body: &FunctionBody<'_>) -> Option<HashSet<u32>> {
    let (mut set, mut again) = (HashSet::new(), HashSet::new());
    for op in body.get_operators_reader().ok()? {
        if let Operator::LocalSet { local_index } | Operator::LocalTee { local_index } = op.ok()?
            && !set.insert(local_index)
        {
            again.insert(local_index);
        }
    }
    Some(again)
}

/// A height less a constant, or more up to where the function was entered; or some of its bits.
fn combined(op: &Operator<'_>, a: Option<Operand>, b: Option<Operand>) -> Option<Height> {
    match (op, a?, b?) {
        (Operator::I32Sub, Operand::Height(height), Operand::Constant(by)) => height.moved(by.into()),
        (Operator::I32Add, Operand::Height(height), Operand::Constant(by))
        | (Operator::I32Add, Operand::Constant(by), Operand::Height(height)) => height.moved(-i64::from(by)),
        (Operator::I32And, Operand::Height(height), Operand::Constant(mask)) => Some(height.masked(mask)),
        _ => None,
    }
}

/// What a function does with the shadow stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StackUse {
    Nothing,
    /// It makes a frame, leaves it, and touches the pointer in no other way.
    Frame(Frame),
    /// Anything.
    Other,
}

impl StackUse {
    pub fn of(body: &FunctionBody<'_>, pointer: u32) -> StackUse {
        Self::read(body, pointer).unwrap_or(StackUse::Other)
    }

    fn read(body: &FunctionBody<'_>, pointer: u32) -> Option<StackUse> {
        let frame = frame(body, pointer);
        let mut gets = 0;
        let mut recent: [Option<Operator<'_>>; 3] = [None, None, None];
        for op in body.get_operators_reader().ok()? {
            let op = op.ok()?;
            match op {
                Operator::GlobalGet { global_index } if global_index == pointer => gets += 1,
                Operator::GlobalSet { global_index } if global_index == pointer => {
                    let frame = frame?;
                    let own = match recent {
                        [
                            _,
                            _,
                            Some(Operator::LocalTee { local_index } | Operator::LocalGet { local_index }),
                        ] => local_index == frame.local,
                        [
                            Some(Operator::LocalGet { local_index }),
                            Some(Operator::I32Const { value }),
                            Some(Operator::I32Add),
                        ] => local_index == frame.local && value as u32 == frame.size,
                        _ => false,
                    };
                    if !own {
                        return None;
                    }
                }
                _ => {}
            }
            recent.rotate_left(1);
            recent[2] = Some(op);
        }
        match (frame, gets) {
            (None, 0) => Some(StackUse::Nothing),
            (Some(frame), 1) => Some(StackUse::Frame(frame)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the module of a text has a shadow stack, the one of global 0.
    fn has_stack(text: &str) -> bool {
        let buffer = wast::parser::ParseBuffer::new(text).unwrap();
        let bytes = wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap().encode().unwrap();
        let source = crate::options::WasmModule::new("test", bytes);
        let module = crate::module::read(&source).unwrap();
        let bytes = module.memories[0].minimum * module.memories[0].page;
        let found = ShadowStack::find(&module, bytes, |_| true);
        assert!(found.is_none_or(|stack| stack.pointer == 0));
        found.is_some()
    }

    /// A module with a frame of 16 bytes in `body`, whose pointer is global 0.
    fn module(body: &str) -> String {
        format!(
            "(module (memory 1) (tag $e) (global $p (mut i32) (i32.const 4096))
               (func $other) (func (param $a i32) (local $f i32) (local $g i32) {body}))"
        )
    }

    const MAKE: &str = "(global.set $p (local.tee $f (i32.sub (global.get $p) (i32.const 16))))";
    const END: &str = "(global.set $p (i32.add (local.get $f) (i32.const 16)))";

    #[test]
    fn frames_that_are_made_and_ended_on_every_path_are_a_shadow_stack() {
        for body in [
            format!("{MAKE} {END}"),
            // A leaf's frame, below a pointer that stays.
            "(local.set $f (i32.sub (global.get $p) (i32.const 16)))".to_owned(),
            format!("{MAKE} (if (local.get $a) (then {END} (return))) {END}"),
            format!("{MAKE} (loop $l (call $other) (br_if $l (local.get $a))) {END}"),
            format!("{MAKE} (block $b (br_table $b $b (local.get $a))) {END}"),
            format!("{MAKE} (if (local.get $a) (then (unreachable))) {END}"),
            format!("{MAKE} (if (local.get $a) (then (throw $e))) {END}"),
            format!("{MAKE} {END} (return_call $other)"),
            // Caught here, the pointer is put back where this function had it.
            format!("{MAKE} (block $h (try_table (catch_all $h) (call $other)) {END} (return))
                (global.set $p (local.get $f)) {END}"),
            // Aligned further than the pointer is.
            "(global.set $p (i32.and (i32.sub (local.tee $g (global.get $p)) (i32.const 64)) (i32.const -64)))
                (global.set $p (local.get $g))".to_owned(),
            // Lowered twice.
            format!("{MAKE} (global.set $p (local.tee $g (i32.sub (local.get $f) (i32.const 32))))
                (global.set $p (i32.add (local.get $g) (i32.const 48)))"),
        ] {
            assert!(has_stack(&module(&body)), "{body}");
        }
    }

    #[test]
    fn whatever_else_is_done_with_the_pointer_is_none() {
        for body in [
            // Never ended, or not on each path, or twice.
            MAKE.to_owned(),
            format!("{MAKE} (if (local.get $a) (then {END}))"),
            format!("{MAKE} (if (local.get $a) (then (return))) {END}"),
            format!("{MAKE} (if (local.get $a) (then (return_call $other))) {END}"),
            format!("{MAKE} (block $b (br_if $b (local.get $a)) {END})"),
            format!("{MAKE} (block $b (br_table 1 $b (local.get $a))) {END}"),
            format!("{MAKE} {END} (global.set $p (i32.add (global.get $p) (i32.const 16)))"),
            format!("{MAKE} (loop $l {END} (br_if $l (local.get $a)))
                (global.set $p (i32.add (global.get $p) (i32.const 16)))"),
            // Less in each turn.
            format!("(loop $l {MAKE} (br_if $l (local.get $a))) {END}"),
            // Set from something else: a parameter, a sum with it, memory, a result.
            format!("(global.set $p (local.get $f)) {MAKE} {END}"),
            format!("{MAKE} {END} (global.set $p (local.get $a))"),
            format!("{MAKE} (global.set $p (i32.add (local.get $f) (local.get $a)))"),
            format!("{MAKE} (global.set $p (i32.load (local.get $f)))"),
            format!("{MAKE} (local.set $f (local.get $a)) {END}"),
            format!("{MAKE} (if (local.get $a) (then (local.set $f (i32.const 0)))) {END}"),
            // Ended by more than it was made by, or made upwards.
            format!("{MAKE} (global.set $p (i32.add (local.get $f) (i32.const 32)))"),
            "(global.set $p (local.tee $f (i32.sub (global.get $p) (i32.const -16))))
                (global.set $p (i32.add (local.get $f) (i32.const -16)))".to_owned(),
            // An operand that is no longer the topmost one.
            format!("{MAKE} (global.set $p (select (local.get $a) (i32.add (local.get $f) (i32.const 16)) (local.get $a)))"),
            format!("{MAKE} (global.set $p (block (result i32) (drop (i32.add (local.get $f) (i32.const 16))) (local.get $a)))"),
            // Caught with the pointer where the callee had it.
            format!("{MAKE} (block $h (try_table (catch_all $h) (call $other)) {END} (return))"),
            // Set on the way to where it is caught.
            format!("{MAKE} (block $h (try_table (catch_all $h) (local.set $f (local.get $a)) (call $other)) (unreachable))
                (global.set $p (local.get $f)) {END}"),
        ] {
            assert!(!has_stack(&module(&body)), "{body}");
        }
    }

    #[test]
    fn what_a_function_uses_is_bounded_if_its_operators_say_so() {
        let read = |body: &str| {
            let text = module(body);
            let buffer = wast::parser::ParseBuffer::new(&text).unwrap();
            let bytes = wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap().encode().unwrap();
            let source = crate::options::WasmModule::new("test", bytes);
            super::bytes(&crate::module::read(&source).unwrap().bodies[1], 0)
        };
        let used = |body: &str| read(body).0;
        let aligned = |mask: i32| {
            format!(
                "(global.set $p (local.tee $f (i32.and
                    (i32.sub (local.tee $g (global.get $p)) (i32.const 64)) (i32.const {mask}))))
                 (call $other) (global.set $p (local.get $g))"
            )
        };
        assert_eq!(used(""), Some(0));
        assert_eq!(used(&format!("{MAKE} (call $other) {END}")), Some(16));
        // In the red zone, without a frame or a local.
        assert_eq!(used("(drop (i32.load (i32.sub (global.get $p) (i32.const 48))))"), Some(48));
        // Two frames in each other, and one after another.
        assert_eq!(used(&format!("{MAKE} (drop (i32.sub (local.get $f) (i32.const 24))) {END}")), Some(40));
        assert_eq!(used(&format!("{MAKE} {END} {MAKE} {END}")), Some(16));
        assert_eq!(used(&aligned(-32)), Some(64 + 31));
        // A mask that clears other bits, or all.
        assert_eq!(used(&aligned(-5)), None);
        assert_eq!(used(&aligned(0)), None);
        // Of any size, or lower each time.
        assert_eq!(used("(global.set $p (local.tee $f (i32.sub (global.get $p) (local.get $a))))"), None);
        let repeated =
            "(local.set $g (global.get $p)) (loop $l (global.set $p (i32.sub (global.get $p) (i32.const 16)))
            (br_if $l (local.get $a))) (global.set $p (local.get $g))";
        assert_eq!(used(repeated), None);
        // Called with the pointer in one of two places.
        let either = "(local.set $g (global.get $p)) (if (local.get $a) (then (global.set $p (i32.sub (local.get $g) (i32.const 16)))))";
        assert_eq!(used(&format!("{either} (global.set $p (local.get $g))")), Some(16));
        assert_eq!(used(&format!("{either} (call $other) (global.set $p (local.get $g))")), None);
        // Not given back; and where nothing returns.
        assert_eq!(read(MAKE), (None, true));
        assert_eq!(read(&format!("{MAKE} (unreachable)")), (Some(16), false));
        assert_eq!(
            read(&format!("(if (local.get $a) (then (return))) {MAKE} (unreachable)")),
            (Some(16), true)
        );
        assert_eq!(read("(loop $l (br $l))"), (Some(0), false));
    }

    #[test]
    fn a_pointer_must_be_the_module_s_own_and_below_the_end_of_memory() {
        let with = |global: &str| format!("(module (memory 1) {global} (func (local $f i32) {MAKE} {END}))");
        assert!(has_stack(&with("(global $p (mut i32) (i32.const 65536))")));
        assert!(!has_stack(&with("(global $p (mut i32) (i32.const 65537))")));
        assert!(!has_stack(&with("(global $p (mut i32) (i32.const -16))")));
        // Another function may break it.
        let other = "(func (param i32) (global.set $p (local.get 0)))";
        assert!(!has_stack(&with(&format!("(global $p (mut i32) (i32.const 4096)) {other}"))));
    }
}
