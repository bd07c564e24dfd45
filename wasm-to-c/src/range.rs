//! What is known of addresses: which accesses need no check, whatever runs.
//!
//! A linked program keeps locals whose address is taken in a frame of the shadow stack: it lowers the stack
//! pointer by a constant and addresses from there. One check where that happens makes every access inside the
//! frame good, as long as the pointer itself is never above where it started.

use wasmparser::{FunctionBody, Operator};

/// An i32: 0 to `most`, or that much above the function's frame of so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub most: u32,
    pub frame: Option<u32>,
}

impl Range {
    pub const ANY: Range = Range { most: u32::MAX, frame: None };

    pub fn to(most: u32) -> Range {
        Range { most, frame: None }
    }

    /// Whether what ends `end` bytes above is in the frame, or in the first `size` bytes of memory.
    pub fn inside(self, end: u64, size: u32) -> bool {
        u64::from(self.most) + end <= u64::from(self.frame.unwrap_or(size))
    }

    /// Whether a sum that is in it did not wrap around.
    pub fn is_known(self) -> bool {
        self.most <= self.frame.unwrap_or(u32::MAX - 1)
    }

    fn of(most: u64, frame: Option<u32>) -> Range {
        u32::try_from(most).map_or(Range::ANY, |most| Range { most, frame })
    }

    /// Its upper bound.
    fn bound(self) -> u32 {
        if self.frame.is_some() { u32::MAX } else { self.most }
    }
}

/// What an operator that touches nothing makes of its operands; `b` is the second when that is a constant.
pub(crate) fn result(op: &Operator<'_>, operands: &[Range], b: Option<u32>) -> Range {
    let most = |at: usize| operands[at].bound();
    let bits = |value: u32| u32::MAX.checked_shr(value.leading_zeros()).unwrap_or(0);
    match (op, b) {
        (Operator::I32Add, _) => match (operands[0].frame, operands[1].frame) {
            (Some(_), Some(_)) => Range::ANY,
            (a, b) => Range::of(u64::from(operands[0].most) + u64::from(operands[1].most), a.or(b)),
        },
        (Operator::I32Mul, _) => Range::of(u64::from(most(0)) * u64::from(most(1)), None),
        (Operator::I32And, _) => Range::to(most(0).min(most(1))),
        (Operator::I32Or | Operator::I32Xor, _) => Range::to(bits(most(0) | most(1))),
        (Operator::I32Shl, Some(by)) => Range::of(u64::from(most(0)) << (by & 31), None),
        (Operator::I32ShrU, Some(by)) => Range::to(most(0) >> (by & 31)),
        (Operator::I32ShrU, None) => Range::to(most(0)),
        (Operator::I32RemU, Some(by)) => Range::to(most(0).min(by.wrapping_sub(1))),
        (Operator::I32DivU, Some(by)) => Range::to(most(0).checked_div(by).unwrap_or(u32::MAX)),
        (Operator::I32Clz | Operator::I32Ctz | Operator::I32Popcnt, _) => Range::to(32),
        (op, _) if is_test(op) => Range::to(1),
        _ => Range::ANY,
    }
}

fn is_test(op: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        op,
        O::I32Eqz
            | O::I32Eq
            | O::I32Ne
            | O::I32LtS
            | O::I32LtU
            | O::I32GtS
            | O::I32GtU
            | O::I32LeS
            | O::I32LeU
            | O::I32GeS
            | O::I32GeU
            | O::I64Eqz
            | O::I64Eq
            | O::I64Ne
            | O::I64LtS
            | O::I64LtU
            | O::I64GtS
            | O::I64GtU
            | O::I64LeS
            | O::I64LeU
            | O::I64GeS
            | O::I64GeU
            | O::F32Eq
            | O::F32Ne
            | O::F32Lt
            | O::F32Gt
            | O::F32Le
            | O::F32Ge
            | O::F64Eq
            | O::F64Ne
            | O::F64Lt
            | O::F64Gt
            | O::F64Le
            | O::F64Ge
    )
}

/// What `select` gives of two.
pub(crate) fn either(a: Range, b: Range) -> Range {
    if a.frame == b.frame { Range { most: a.most.max(b.most), frame: a.frame } } else { Range::ANY }
}

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

    #[test]
    fn bounds_follow_operators() {
        let byte = Range::to(255);
        let of = |op: Operator<'_>, operands: &[Range], b| result(&op, operands, b);
        assert_eq!(of(Operator::I32Shl, &[byte, Range::to(2)], Some(2)), Range::to(1020));
        assert_eq!(of(Operator::I32And, &[Range::ANY, byte], None), byte);
        assert_eq!(of(Operator::I32Or, &[Range::to(4), Range::to(9)], None), Range::to(15));
        assert_eq!(of(Operator::I32Mul, &[Range::to(1 << 16), Range::to(1 << 16)], None), Range::ANY);
        assert_eq!(of(Operator::I32RemU, &[Range::ANY, Range::to(0)], Some(0)), Range::ANY);
        let frame = Range { most: 0, frame: Some(64) };
        let inside = of(Operator::I32Add, &[frame, Range::to(60)], Some(60));
        assert!(inside.inside(4, 0) && !inside.inside(5, 1000));
        assert_eq!(of(Operator::I32Add, &[frame, frame], None), Range::ANY);
        assert_eq!(of(Operator::I32And, &[frame, Range::ANY], None), Range::ANY);
    }
}
