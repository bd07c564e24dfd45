//! Numbers of a linear recurrence that are computed of the first and stored, as LLVM does, and nearly so.

use super::*;

impl Generator {
    /// Statements with numbers `x * a + b` and what follows from the same constants, mostly the last one first.
    pub(super) fn recurrence(&mut self, body: &mut Body) {
        if self.memories.is_empty() || self.memories[0].bytes() < 64 {
            return self.access(body);
        }
        let wide = self.chance(25);
        let ty = if wide { Ty::I64 } else { Ty::I32 };
        let [x, kept] = [0, 1].map(|_| body.local(ty));
        let address = body.local(Ty::I32);
        let [factor, addend] =
            [0, 1].map(|_| self.pick(&[1_664_525, 22_695_477, 5, 3, 1, 0x8000_0001, 0, 12_345]));

        // An address that all stores are near, which are usually proved to be inside.
        let room = (self.memories[0].bytes().min(1 << 16) as u32 - 32).next_power_of_two() / 2;
        body.op(I::LocalGet(self.any(body)));
        body.constant(room - 1);
        body.ops([I::I32And, I::LocalSet(address)]);
        body.op(I::LocalGet(self.any(body)));
        if wide {
            body.op(I::I64ExtendI32U);
        }
        body.op(I::LocalSet(x));

        let count = 2 + self.below(5);
        let is_descending = self.chance(70);
        let mut is_kept = false;
        for turn in 0..count {
            let number = if is_descending { count - turn } else { 1 + self.below(count) };
            match self.below(12) {
                0 if !is_kept || self.chance(20) => {
                    self.number_of(body, (x, ty), (factor, addend), number);
                    body.op(I::LocalSet(kept));
                    is_kept = true;
                }
                1 => {
                    self.number_of(body, (x, ty), (factor, addend), number);
                    body.op(I::LocalSet(x));
                }
                other => {
                    body.op(I::LocalGet(if other == 2 { self.any(body) } else { address }));
                    let size = if self.chance(80) { 0 } else { self.below(4) };
                    match other {
                        3 if is_kept => body.op(I::LocalGet(kept)),
                        4 => {
                            let memarg = MemArg { offset: self.below(8), align: 0, memory_index: 0 };
                            body.ops([I::LocalGet(address), I::I32Load8U(memarg)]);
                            if wide {
                                body.op(I::I64ExtendI32U);
                            }
                            self.number_of(body, (x, ty), (factor, addend), number);
                            body.op(if wide { I::I64Xor } else { I::I32Xor });
                        }
                        5 => {
                            self.number_of(body, (x, ty), (factor, addend), number);
                            let by = self.pick(&[3, 97, -1, 0]);
                            match wide {
                                true => body.ops([I::I64Const(by), I::I64RemS]),
                                false => body.ops([I::I32Const(by as i32), I::I32DivU]),
                            }
                        }
                        _ => self.number_of(body, (x, ty), (factor, addend), number),
                    }
                    let offset = if self.chance(80) { 4 * number } else { self.below(12) };
                    let memarg = MemArg { offset, align: 0, memory_index: 0 };
                    body.op(match (size, wide) {
                        (1, false) => I::I32Store16(memarg),
                        (2.., false) => I::I32Store(memarg),
                        (_, false) => I::I32Store8(memarg),
                        (1, true) => I::I64Store32(memarg),
                        (2.., true) => I::I64Store(memarg),
                        (_, true) => I::I64Store8(memarg),
                    });
                }
            }
        }
        for local in [x, kept] {
            body.op(I::LocalGet(local));
            self.take(body, ty);
        }
    }

    /// Puts the number after so many steps on the stack; rarely one that is not of the recurrence.
    fn number_of(&mut self, body: &mut Body, (x, ty): (u32, Ty), (factor, addend): (u64, u64), steps: u64) {
        let (mut a, mut b) = (1u64, 0u64);
        for _ in 0..steps {
            (a, b) = (a.wrapping_mul(factor), b.wrapping_mul(factor).wrapping_add(addend));
        }
        if self.chance(8) {
            b = b.wrapping_add(1);
        }
        body.op(I::LocalGet(x));
        match ty {
            Ty::I64 => {
                body.ops([I::I64Const(a.cast_signed()), I::I64Mul, I::I64Const(b.cast_signed()), I::I64Add])
            }
            _ => body.ops([I::I32Const(a as i32), I::I32Mul, I::I32Const(b as i32), I::I32Add]),
        }
    }
}
