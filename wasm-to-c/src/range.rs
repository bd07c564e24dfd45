//! Which values an expression can have.

use crate::ir::Proof;
use crate::ops::{Cell, Class, OpId};

/// Values of an i32: `start` to `start + most`, modulo 2^32. If they are addresses in the function's frame of so many bytes
/// on the shadow stack, which lies in memory 0, they are counted from its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    frame: Option<u32>,
    start: u32,
    most: u32,
}

impl Range {
    /// All values.
    pub const ANY: Range = Range { frame: None, start: 0, most: u32::MAX };

    /// This value.
    pub fn constant(value: u32) -> Range {
        Range { frame: None, start: value, most: 0 }
    }

    /// 0 to `last`.
    pub fn to(last: u32) -> Range {
        Range { frame: None, start: 0, most: last }
    }

    /// `first` to `last`, both signed.
    pub fn signed(first: i32, last: i32) -> Range {
        Range::between(first.cast_unsigned(), last.cast_unsigned())
    }

    /// `first` to `last`, through 0 if that is less.
    fn between(first: u32, last: u32) -> Range {
        Range { frame: None, start: first, most: last.wrapping_sub(first) }
    }

    /// The address of a frame of so many bytes.
    pub fn of_frame(size: u32) -> Range {
        Range { frame: Some(size), start: 0, most: 0 }
    }

    /// The value, if it is only one and no address in a frame.
    pub fn known(self) -> Option<u32> {
        (self.frame.is_none() && self.most == 0).then_some(self.start)
    }

    pub fn is_any(self) -> bool {
        self == Range::ANY
    }

    /// Whether what begins there and ends `end` bytes above is in the frame, or in the first `size` bytes of memory.
    pub fn inside(self, end: u64, size: u32) -> bool {
        self.top().saturating_add(end) <= u64::from(self.frame.unwrap_or(size))
    }

    /// Whether a constant can be added without a sum of 2^32 or more.
    pub fn may_add(self, constant: u32) -> bool {
        self.top() + u64::from(constant) <= u64::from(self.frame.unwrap_or(u32::MAX))
    }

    /// The last value, which is 2^32 or more if there are values on both sides of 0.
    fn top(self) -> u64 {
        u64::from(self.start) + u64::from(self.most)
    }

    /// Whether it is counted from the frame.
    pub fn is_frame(self) -> bool {
        self.frame.is_some()
    }

    /// Whether it is an address in the frame, or that of its end.
    pub fn is_in_frame(self) -> bool {
        self.frame.is_some_and(|size| self.top() <= size.into())
    }

    /// Why what begins there is inside, if it is.
    pub fn proof(self) -> Proof {
        let (least, most) = (self.start, self.start.wrapping_add(self.most));
        match self.frame {
            Some(size) => Proof::Frame { size, least, most },
            None => Proof::Between { least, most },
        }
    }

    /// The largest value.
    pub fn largest(self) -> u32 {
        match self.frame {
            None => u32::try_from(self.top()).unwrap_or(u32::MAX),
            Some(_) => u32::MAX,
        }
    }

    /// The largest number of a byte or other cell, whose bits above are zero.
    pub fn is_cell(self) -> bool {
        self.frame.is_none() && self.start == 0 && matches!(self.most, 0xff | 0xffff)
    }

    /// The same plus a constant.
    pub fn moved(self, by: u32) -> Range {
        if self.is_any() { self } else { Range { start: self.start.wrapping_add(by), ..self } }
    }

    fn wide(frame: Option<u32>, start: u32, most: u64) -> Range {
        match u32::try_from(most) {
            Ok(most) if most < u32::MAX => Range { frame, start, most },
            _ => Range::ANY,
        }
    }

    /// All values of both.
    pub fn union(self, other: Range) -> Range {
        if self.frame != other.frame {
            return Range::ANY;
        }
        let from = |a: Range, b: Range| {
            let way = b.start.wrapping_sub(a.start);
            Range::wide(a.frame, a.start, (u64::from(way) + u64::from(b.most)).max(a.most.into()))
        };
        let (a, b) = (from(self, other), from(other, self));
        let is_first = !a.is_any() && (a.most <= b.most || b.is_any());
        if is_first { a } else { b }
    }

    /// At least the values of a larger range. What grows is assumed to grow further: down to 0, or up to 2^30, 2^31 or 2^32.
    pub fn widened(self, larger: Range) -> Range {
        let last = |range: Range| u32::try_from(range.top()).ok().filter(|_| range.frame.is_none());
        let (Some(before), Some(after)) = (last(self), last(larger)) else { return larger };
        let first = if larger.start < self.start { 0 } else { larger.start };
        let last = match after {
            _ if after <= before => after,
            // To which something can be added that stays below 2^31.
            0..=0x3fff_ffff => 0x3fff_ffff,
            0x4000_0000..=0x7fff_ffff => i32::MAX.cast_unsigned(),
            _ => u32::MAX,
        };
        Range::between(first, last)
    }

    /// At least the values that are in both. Of a range that is counted from a frame and one that is not, the first is better
    /// if it is in the frame.
    pub fn intersection(self, other: Range) -> Range {
        if self.frame != other.frame {
            let is_other = other.is_in_frame() || self.is_any() || self.is_frame();
            return if self.is_in_frame() || other.is_any() || !is_other { self } else { other };
        }
        let (small, large) = if self.most <= other.most { (self, other) } else { (other, self) };
        let way = small.start.wrapping_sub(large.start);
        let back = large.start.wrapping_sub(small.start);
        // The end of each may lie in the other, which are two pieces.
        let starts = way <= large.most;
        let ends = back <= small.most;
        match (starts, ends) {
            (true, false) => Range { most: small.most.min(large.most - way), ..small },
            (false, true) => Range { start: large.start, most: small.most - back, ..small },
            _ => small,
        }
    }

    /// Sums with the values of another.
    pub fn plus(self, other: Range) -> Range {
        let frame = match (self.frame, other.frame) {
            (Some(_), Some(_)) => return Range::ANY,
            (a, b) => a.or(b),
        };
        let most = u64::from(self.most) + u64::from(other.most);
        Range::wide(frame, self.start.wrapping_add(other.start), most)
    }

    fn minus(self, other: Range) -> Range {
        let frame = match (self.frame, other.frame) {
            (None, Some(_)) => return Range::ANY,
            (Some(_), Some(_)) => None,
            (frame, None) => frame,
        };
        let last = other.start.wrapping_add(other.most);
        let most = u64::from(self.most) + u64::from(other.most);
        Range::wide(frame, self.start.wrapping_sub(last), most)
    }

    /// Products with a factor, which is signed.
    pub fn times(self, factor: u32) -> Range {
        if self.frame.is_some() {
            return if factor == 1 { self } else { Range::ANY };
        }
        let first = if factor.cast_signed() < 0 { self.start.wrapping_add(self.most) } else { self.start };
        let most = u64::from(self.most) * u64::from(factor.cast_signed().unsigned_abs());
        Range::wide(None, first.wrapping_mul(factor), most)
    }

    /// What `change`, which keeps the order of unsigned numbers, makes of them.
    fn map(self, change: impl Fn(u32) -> u32) -> Range {
        match (self.frame, u32::try_from(self.top())) {
            (None, Ok(last)) => Range::between(change(self.start), change(last)),
            _ => Range::between(change(0), change(u32::MAX)),
        }
    }

    /// The same after a shift to the right that keeps the sign.
    fn shifted_signed(self, by: u32) -> Range {
        let last =
            u32::try_from(self.top()).ok().filter(|last| last.cast_signed() >= 0 && self.frame.is_none());
        match last {
            Some(last) => Range::between(self.start >> by, last >> by),
            None => Range::signed(i32::MIN >> by, i32::MAX >> by),
        }
    }
}

/// What a cell may have.
pub(crate) fn of_cell(cell: Cell) -> Range {
    match (cell.bytes(), cell.is_signed()) {
        (1, false) => Range::to(0xff),
        (1, true) => Range::signed(-0x80, 0x7f),
        (2, false) => Range::to(0xffff),
        (2, true) => Range::signed(-0x8000, 0x7fff),
        _ => Range::ANY,
    }
}

/// What an operator makes of its operands.
pub(crate) fn result(op: OpId, operands: &[Range]) -> Range {
    let largest = |at: usize| operands[at].largest();
    let known = operands.last().and_then(|last| last.known());
    let bits = |value: u32| u32::MAX.checked_shr(value.leading_zeros()).unwrap_or(0);
    match (op, known) {
        (OpId::I32Add, _) => operands[0].plus(operands[1]),
        (OpId::I32Sub, _) => operands[0].minus(operands[1]),
        (OpId::I32Mul, Some(factor)) => operands[0].times(factor),
        (OpId::I32Mul, None) => match operands[0].known() {
            Some(factor) => operands[1].times(factor),
            None => Range::wide(None, 0, u64::from(largest(0)) * u64::from(largest(1))),
        },
        (OpId::I32And, _) => Range::to(largest(0).min(largest(1))),
        (OpId::I32Or | OpId::I32Xor, _) => Range::to(bits(largest(0) | largest(1))),
        (OpId::I32Shl, Some(by)) => operands[0].times(1 << (by & 31)),
        (OpId::I32ShrU, Some(by)) => operands[0].map(|value| value >> (by & 31)),
        (OpId::I32ShrU, None) => Range::to(largest(0)),
        (OpId::I32ShrS, Some(by)) => operands[0].shifted_signed(by & 31),
        (OpId::I32RemU, Some(by @ 1..)) => Range::to(largest(0).min(by - 1)),
        (OpId::I32DivU, Some(by @ 1..)) => operands[0].map(|value| value / by),
        (OpId::I32Clz | OpId::I32Ctz | OpId::I32Popcnt, _) => Range::to(32),
        (OpId::I32Extend8S, _) => Range::signed(-0x80, 0x7f),
        (OpId::I32Extend16S, _) => Range::signed(-0x8000, 0x7fff),
        _ if matches!(op.line().class, Class::IsZero | Class::Compare) => Range::to(1),
        _ => Range::ANY,
    }
}

/// What is known of a value because it compares in this way with one that is in a range.
pub(crate) fn compared(op: OpId, other: Range) -> Range {
    let (Ok(last), None) = (u32::try_from(other.top()), other.frame) else { return Range::ANY };
    let first = other.start;
    let signed = first.cast_signed() <= last.cast_signed();
    let (low, high) = (first.cast_signed(), last.cast_signed());
    match op {
        OpId::I32Eq => other,
        OpId::I32LtU if last > 0 => Range::to(last - 1),
        OpId::I32LeU => Range::to(last),
        OpId::I32GtU if first < u32::MAX => Range::between(first + 1, u32::MAX),
        OpId::I32GeU => Range::between(first, u32::MAX),
        OpId::I32LtS if signed && high > i32::MIN => Range::signed(i32::MIN, high - 1),
        OpId::I32LeS if signed => Range::signed(i32::MIN, high),
        OpId::I32GtS if signed && low < i32::MAX => Range::signed(low + 1, i32::MAX),
        OpId::I32GeS if signed => Range::signed(low, i32::MAX),
        // All numbers but one are a range as well.
        OpId::I32Ne if first == last => Range::between(first.wrapping_add(1), first.wrapping_sub(1)),
        _ => Range::ANY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_follow_operators() {
        let byte = Range::to(255);
        let at = Range::constant;
        let of = result;
        assert_eq!(of(OpId::I32Shl, &[byte, at(2)]), Range::to(1020));
        assert_eq!(of(OpId::I32And, &[Range::ANY, byte]), byte);
        assert_eq!(of(OpId::I32Or, &[Range::to(4), Range::to(9)]), Range::to(15));
        assert_eq!(of(OpId::I32Mul, &[Range::to(1 << 16), Range::to(1 << 16)]), Range::ANY);
        assert_eq!(of(OpId::I32RemU, &[Range::ANY, at(0)]), Range::ANY);
        let frame = Range::of_frame(64);
        let inside = of(OpId::I32Add, &[frame, Range::to(60)]);
        assert!(inside.inside(4, 0) && !inside.inside(5, 1000));
        assert_eq!(of(OpId::I32Add, &[frame, frame]), Range::ANY);
        assert_eq!(of(OpId::I32And, &[frame, Range::ANY]), Range::ANY);
        assert!(!of(OpId::I32Sub, &[Range::of_frame(64), at(8)]).inside(1, 1000));
        // Of a frame and of the memory.
        let (near, far) = (frame.plus(Range::to(60)), frame.plus(Range::to(200)));
        for (a, b, both) in [(near, byte, near), (far, byte, byte), (far, Range::ANY, far), (near, far, near)]
        {
            assert_eq!((a.intersection(b), b.intersection(a)), (both, both));
        }
        // Below 0 and above again.
        let below = Range::signed(-1024, -16);
        assert_eq!(of(OpId::I32Add, &[below, at(9216)]), Range::between(8192, 9200));
        assert!(!below.may_add(9216) && Range::to(10).may_add(5));
        assert!(!below.inside(4, 1 << 31));
    }

    /// Values to try: those at the ends and some between.
    fn values(range: Range) -> impl Iterator<Item = u32> {
        [0, 1, 2, 3, range.most / 3, range.most / 2, range.most.saturating_sub(1), range.most]
            .into_iter()
            .filter(move |way| *way <= range.most)
            .map(move |way| range.start.wrapping_add(way))
    }

    fn contains(range: Range, value: u32) -> bool {
        value.wrapping_sub(range.start) <= range.most
    }

    #[test]
    fn no_value_is_outside_of_its_range() {
        let ends = [0_u32, 1, 2, 7, 31, 32, 255, 256, 65535, 0x7fff_fffe, 0x7fff_ffff];
        let ends: Vec<u32> = ends.iter().flat_map(|end| [*end, end.wrapping_neg(), !end]).collect();
        let mut ranges: Vec<Range> = Vec::new();
        for start in &ends {
            ranges.extend([0, 1, 5, 300, 0x8000_0000, u32::MAX].map(|most| Range {
                frame: None,
                start: *start,
                most,
            }));
        }
        type Compute = fn(u32, u32) -> Option<u32>;
        let operators: [(OpId, Compute); 12] = [
            (OpId::I32Add, |a, b| Some(a.wrapping_add(b))),
            (OpId::I32Sub, |a, b| Some(a.wrapping_sub(b))),
            (OpId::I32Mul, |a, b| Some(a.wrapping_mul(b))),
            (OpId::I32And, |a, b| Some(a & b)),
            (OpId::I32Or, |a, b| Some(a | b)),
            (OpId::I32Xor, |a, b| Some(a ^ b)),
            (OpId::I32Shl, |a, b| Some(a << (b & 31))),
            (OpId::I32ShrU, |a, b| Some(a >> (b & 31))),
            (OpId::I32ShrS, |a, b| Some((a.cast_signed() >> (b & 31)).cast_unsigned())),
            (OpId::I32RemU, |a, b| a.checked_rem(b)),
            (OpId::I32DivU, |a, b| a.checked_div(b)),
            (OpId::I32LtU, |a, b| Some(u32::from(a < b))),
        ];
        type Holds = fn(u32, u32) -> bool;
        let compare: [(OpId, Holds); 10] = [
            (OpId::I32Eq, |a, b| a == b),
            (OpId::I32Ne, |a, b| a != b),
            (OpId::I32LtU, |a, b| a < b),
            (OpId::I32LeU, |a, b| a <= b),
            (OpId::I32GtU, |a, b| a > b),
            (OpId::I32GeU, |a, b| a >= b),
            (OpId::I32LtS, |a, b| a.cast_signed() < b.cast_signed()),
            (OpId::I32LeS, |a, b| a.cast_signed() <= b.cast_signed()),
            (OpId::I32GtS, |a, b| a.cast_signed() > b.cast_signed()),
            (OpId::I32GeS, |a, b| a.cast_signed() >= b.cast_signed()),
        ];
        for a in &ranges {
            for b in &ranges {
                let (either, both) = (a.union(*b), a.intersection(*b));
                let widened = a.widened(either);
                assert_eq!(either.union(widened), widened, "{a:?} {b:?}");
                for x in values(*a) {
                    assert!(contains(either, x), "{a:?} {b:?} {either:?} {x}");
                    assert!(!contains(*b, x) || contains(both, x), "{a:?} {b:?} {both:?} {x}");
                    for y in values(*b) {
                        for (op, compute) in operators {
                            let range = result(op, &[*a, *b]);
                            let inside = compute(x, y).is_none_or(|value| contains(range, value));
                            assert!(inside, "{op:?} {a:?} {b:?} {range:?} {x} {y}");
                        }
                        for (op, holds) in compare {
                            let range = compared(op, *b);
                            assert!(!holds(x, y) || contains(range, x), "{op:?} {b:?} {range:?} {x} {y}");
                        }
                    }
                }
                for x in values(*b) {
                    assert!(contains(either, x), "{a:?} {b:?} {either:?} {x}");
                }
            }
        }
    }
}
