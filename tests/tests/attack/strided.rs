//! Loops whose addresses are stepped by numbers that they do not change, and nearly so.

use super::*;

/// How a loop goes on.
#[derive(Clone, Copy, PartialEq)]
enum While {
    Different,
    NotZero,
    LessUnsigned,
    LessSigned,
    LessOrSame,
    More,
    MoreOrSame,
}

impl Generator {
    /// A loop in which some pointers are stepped, and memory is accessed at them.
    pub(super) fn strided(&mut self, body: &mut Body) {
        if body.loops >= 2 || self.memories.is_empty() || self.memories[0].bytes() == 0 {
            return self.access(body);
        }
        body.loops += 1;
        let saved = body.any.clone();
        let turns = 1 + self.below(24) as u32;
        let memory = if self.chance(80) { 0 } else { self.below(self.memories.len() as u64) as u32 };
        let size = self.memories[memory as usize].bytes().max(1);

        // The pointers, and what they are stepped by: a number, or a local.
        let stride = body.local(Ty::I32);
        let value =
            self.pick(&[0, 1, 2, 4, 6, 8, 24, 64, u32::MAX, 0x7fff, 0x8000, 0x4000_0000, 0x8000_0001]);
        body.constant(value);
        body.op(I::LocalSet(stride));
        let numbers = [1, 1, 2, 2, 4, 4, 8, 16, 3, 12, 0, 1 << 16, u32::MAX, 0u32.wrapping_sub(4)];
        let mut pointers = Vec::new();
        for _ in 0..=self.below(3) {
            let pointer = body.local(Ty::I32);
            let step = if self.chance(20) { None } else { Some(self.pick(&numbers)) };
            let far = step.unwrap_or(value).wrapping_mul(turns - 1);
            let start = match self.below(6) {
                0 => self.edge(size),
                1 => self.below(size) as u32,
                // The last iteration is at the end of the memory, or just not.
                2 | 3 => (size as u32).wrapping_sub(far).wrapping_sub(self.below(10) as u32),
                4 => 0u32.wrapping_sub(far).wrapping_add(self.below(6) as u32),
                _ => self.below(64) as u32,
            };
            match self.chance(15) {
                true => body.op(I::LocalGet(self.variable(body))),
                false => body.constant(start),
            }
            // Ranges of the start say little then. What is added is 0.
            if self.chance(70) {
                let fuel = self.fuel;
                body.ops([I::GlobalGet(fuel), I::I32Const(16), I::I32ShrU, I::I32Add]);
            }
            body.op(I::LocalSet(pointer));
            pointers.push((pointer, step));
        }

        // What is counted: a pointer, or a variable of its own.
        let counter = body.local(Ty::I32);
        let (counted, by) = match pointers[0] {
            (pointer, Some(step)) if self.chance(30) => (pointer, step),
            _ => (counter, self.pick(&[1, 1, 2, 4, 8, 3, 6, 12, 1 << 31, u32::MAX, 0u32.wrapping_sub(8)])),
        };
        let is_down = by.cast_signed() < 0;
        let goes = match self.below(8) {
            0..4 => While::Different,
            4 if is_down => While::More,
            5 if is_down => While::MoreOrSame,
            6 if is_down => While::NotZero,
            4 => While::LessUnsigned,
            5 => While::LessSigned,
            6 => While::LessOrSame,
            _ => While::NotZero,
        };
        let end = body.local(Ty::I32);
        if counted == counter {
            let first = self.pick(&[0, 0, 1, u32::MAX, 0x7fff_fff0, 0x8000_0000, 0u32.wrapping_sub(40)]);
            let first =
                if goes == While::NotZero { 0u32.wrapping_sub(by.wrapping_mul(turns)) } else { first };
            body.constant(first);
            body.op(I::LocalSet(counter));
        }
        body.op(I::LocalGet(counted));
        body.constant(by.wrapping_mul(turns));
        body.op(I::I32Add);
        // An end that is missed, or comes late.
        if self.chance(20) {
            let off = self.pick(&[1, 2, u32::MAX, 0x8000_0000]);
            body.constant(off);
            body.op(I::I32Add);
        }
        body.op(I::LocalSet(end));

        // No loop goes on for ever, and this one depends on nothing that is loaded.
        let left = body.local(Ty::I32);
        let most = 2 * turns + 8;
        body.constant(most);
        body.op(I::LocalSet(left));
        body.ops([I::Block(BlockType::Empty), I::Loop(BlockType::Empty)]);
        body.depth += 2;
        body.counters.extend(pointers.iter().map(|(pointer, _)| *pointer));
        body.counters.extend([counter, end, left, stride]);
        for _ in 0..=self.below(3) {
            let pointer = pointers[self.below(pointers.len() as u64) as usize].0;
            match self.below(6) {
                0 => {
                    let which = self.any(body);
                    body.ops([I::LocalGet(which), I::If(BlockType::Empty)]);
                    self.access_at(body, memory, Some(pointer));
                    body.op(I::End);
                }
                1 => {
                    // A value of this iteration, or of another place.
                    let memarg = MemArg { offset: 0, align: 0, memory_index: memory };
                    let kept = body.local(Ty::I32);
                    body.ops([I::LocalGet(pointer), I::I32Load8U(memarg), I::LocalSet(kept)]);
                    if self.chance(50) {
                        let which = self.any(body);
                        body.ops([I::LocalGet(which), I::If(BlockType::Empty)]);
                        body.ops([I::LocalGet(pointer), I::LocalSet(kept)]);
                        body.op(I::End);
                    }
                    if self.chance(50) {
                        self.access_at(body, memory, Some(pointer));
                    }
                    body.op(I::LocalGet(kept));
                    self.accumulate(body);
                }
                2 => {
                    // In between, as loops that were unrolled do it.
                    let next = body.local(Ty::I32);
                    let near = self.pick(&[1, 4, 8, 64, 200, u32::MAX]);
                    body.op(I::LocalGet(pointer));
                    body.constant(near);
                    body.ops([I::I32Add, I::LocalSet(next)]);
                    self.access_at(body, memory, Some(next));
                }
                _ => self.access_at(body, memory, Some(pointer)),
            }
        }
        // A memory may grow, or another trap come first.
        if self.chance(8) && body.fresh > 0 {
            body.fresh -= 1;
            self.statement(body);
        }
        let wrong = if self.chance(30) { self.below(4) } else { 4 };
        for (at, (pointer, step)) in pointers.iter().enumerate() {
            if wrong == 0 && at == 0 {
                body.ops([I::LocalGet(left), I::I32Const(3), I::I32And, I::If(BlockType::Empty)]);
            }
            body.op(I::LocalGet(*pointer));
            match step {
                Some(step) => body.constant(*step),
                None => body.op(I::LocalGet(stride)),
            }
            body.ops([I::I32Add, I::LocalSet(*pointer)]);
            if wrong == 0 && at == 0 {
                body.op(I::End);
            }
        }
        let pointer = pointers[0].0;
        match wrong {
            1 => body.ops([I::LocalGet(stride), I::I32Const(1), I::I32Add, I::LocalSet(stride)]),
            2 => body.ops([I::LocalGet(end), I::I32Const(8), I::I32Add, I::LocalSet(end)]),
            3 => self.access_at(body, memory, Some(pointer)),
            _ => {}
        }
        if counted == counter {
            body.op(I::LocalGet(counter));
            body.constant(by);
            body.ops([I::I32Add, I::LocalSet(counter)]);
        }
        body.ops([I::LocalGet(left), I::I32Const(1), I::I32Sub, I::LocalTee(left), I::I32Eqz, I::BrIf(1)]);
        if self.chance(15) {
            self.access_at(body, memory, Some(pointer));
        }
        if goes == While::NotZero {
            body.op(I::LocalGet(counted));
        } else {
            let swapped = self.chance(25);
            let operands = if swapped { [end, counted] } else { [counted, end] };
            body.ops(operands.map(I::LocalGet));
            let (test, mirrored) = match goes {
                While::Different | While::NotZero => (I::I32Ne, I::I32Ne),
                While::LessUnsigned => (I::I32LtU, I::I32GtU),
                While::LessSigned => (I::I32LtS, I::I32GtS),
                While::LessOrSame => (I::I32LeU, I::I32GeU),
                While::More => (I::I32GtS, I::I32LtS),
                While::MoreOrSame => (I::I32GeU, I::I32LeU),
            };
            body.op(if swapped { mirrored } else { test });
        }
        body.ops([I::BrIf(0), I::End, I::End]);
        body.depth -= 2;
        body.any = saved;
        for (pointer, _) in pointers {
            body.op(I::LocalGet(pointer));
            self.accumulate(body);
        }
        body.loops -= 1;
    }
}
