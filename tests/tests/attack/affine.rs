//! Loops whose variables depend on one another, and accesses at one of them behind a look at another.

use super::*;

/// How a loop changes a variable.
#[derive(Clone, Copy)]
enum Change {
    By(u32),
    /// By so many times a local.
    Times(u32, u32),
    /// By one number or another.
    Either(u32, u32),
    /// By a number or not at all.
    Maybe(u32),
    /// By a number, by way of another local.
    Through(u32, u32),
    /// To what memory has.
    Loaded,
}

impl Generator {
    /// A loop with variables that are stepped side by side.
    pub(super) fn side_by_side(&mut self, body: &mut Body) {
        if body.loops >= 2 || self.memories.is_empty() || self.memories[0].bytes() == 0 {
            return self.access(body);
        }
        body.loops += 1;
        let size = self.memories[0].bytes();
        let shift = self.pick(&[0, 1, 2, 2, 3]);
        let index = body.local(Ty::I32);
        let pointer = body.local(Ty::I32);
        let other = body.local(Ty::I32);
        let base = match self.below(3) {
            0 => 0,
            1 => self.below(size) as u32 & !7,
            _ => self.edge(size),
        };
        let first = self.pick(&[0, 0, 0, 1, 4, u32::MAX]);
        match self.chance(20) {
            true => body.op(I::LocalGet(self.variable(body))),
            false => body.constant(first),
        }
        body.op(I::LocalSet(index));
        self.scaled(body, index, shift, base);
        body.op(I::LocalSet(pointer));
        // What both are stepped by.
        let step = self.pick(&[1, 1, 2, 3, 4, u32::MAX]);
        let unit = self.variable(body);
        let wrong = self.chance(25);
        let by = step << shift;
        let kind = self.below(5);
        let (on_index, on_pointer) = match kind {
            0 => (Change::By(step), Change::By(by)),
            1 => (Change::Times(unit, 0), Change::Times(unit, shift)),
            2 => (Change::Either(step, step), Change::Through(by, other)),
            3 => (Change::Through(step, other), Change::Either(by, by)),
            _ => (Change::Maybe(step), Change::Maybe(by)),
        };
        let (on_index, on_pointer) = match (wrong, self.below(5)) {
            (false, _) => (on_index, on_pointer),
            (true, 0) => (Change::Maybe(step), on_pointer),
            (true, 1) => (on_index, Change::Maybe(by)),
            (true, 2) => (on_index, Change::Either(by, by.wrapping_add(4))),
            (true, 3) => (Change::Loaded, on_pointer),
            (true, _) => (on_index, Change::Times(unit, shift + 1)),
        };
        // It ends when one of them is so many steps away, or does not.
        let turns = 1 + self.below(12) as u32;
        let (counted, ahead) = match self.chance(50) {
            true => (index, step.wrapping_mul(turns)),
            false => (pointer, by.wrapping_mul(turns)),
        };
        let end = body.local(Ty::I32);
        body.op(I::LocalGet(counted));
        body.constant(ahead);
        body.ops([I::I32Add, I::LocalSet(end)]);
        body.ops([I::Block(BlockType::Empty), I::Loop(BlockType::Empty)]);
        let fuel = self.fuel;
        body.ops([I::GlobalGet(fuel), I::I32Eqz, I::BrIf(1)]);
        body.ops([I::GlobalGet(fuel), I::I32Const(1), I::I32Sub, I::GlobalSet(fuel)]);
        let saved = body.any.clone();
        body.any.extend([index, pointer]);
        body.counters.extend([index, pointer, end]);
        for _ in 0..=self.below(2) {
            self.guarded(body, index, pointer, shift, base);
        }
        if self.chance(20) && body.fresh > 0 {
            body.fresh -= 1;
            self.statement(body);
        }
        let mut changes = [(index, on_index), (pointer, on_pointer)];
        if self.chance(30) {
            changes.reverse();
        }
        for (local, change) in changes {
            self.change(body, local, change);
            // Between the steps of both.
            if self.chance(10) {
                self.change(body, unit, Change::By(1));
            }
        }
        if self.chance(15) {
            self.change(body, end, Change::By(by));
        }
        if self.chance(15) {
            self.guarded(body, index, pointer, shift, base);
        }
        body.any = saved;
        match self.below(4) {
            0 => body.ops([I::LocalGet(unit), I::BrIf(0)]),
            1 => body.ops([I::LocalGet(end), I::LocalGet(counted), I::I32Ne, I::BrIf(0)]),
            2 => body.ops([I::LocalGet(counted), I::LocalGet(end), I::I32LtU, I::BrIf(0)]),
            _ => body.ops([I::LocalGet(counted), I::LocalGet(end), I::I32Ne, I::BrIf(0)]),
        }
        body.ops([I::End, I::End]);
        if self.chance(20) {
            self.access_at(body, 0, Some(pointer));
        }
        body.loops -= 1;
    }

    /// A loop that adds products of numbers, and nearly one.
    pub(super) fn products(&mut self, body: &mut Body) {
        if self.memories.is_empty() || self.memories[0].bytes() == 0 {
            return self.access(body);
        }
        type Load = fn(MemArg) -> I<'static>;
        const KINDS: [(Load, u32, Ty); 9] = [
            (I::I32Load8S, 1, Ty::I32),
            (I::I32Load8U, 1, Ty::I32),
            (I::I32Load16S, 2, Ty::I32),
            (I::I32Load16U, 2, Ty::I32),
            (I::I32Load, 4, Ty::I32),
            (I::I64Load16S, 2, Ty::I64),
            (I::I64Load16U, 2, Ty::I64),
            (I::I64Load32S, 4, Ty::I64),
            (I::I64Load32U, 4, Ty::I64),
        ];
        let (load, bytes, ty) = self.pick(&KINDS);
        let is_long = ty == Ty::I64;
        let size = self.memories[0].bytes();
        let [a, b, left, last] = [(); 4].map(|()| body.local(Ty::I32));
        let sum = body.local(ty);
        for pointer in [a, b] {
            let start = match self.chance(60) {
                true => self.below(size) as u32 / 2,
                false => self.edge(size),
            };
            match self.chance(30) {
                true => body.ops([I::LocalGet(self.variable(body)), I::I32Const(63), I::I32And]),
                false => body.constant(start),
            }
            body.op(I::LocalSet(pointer));
        }
        let each = self.pick(&[2, 2, 2, 4]);
        let turns = 1 + self.below(20) as u32;
        // The counter counts numbers, bytes or something else.
        let unit = self.pick(&[1, 1, bytes, bytes, 8, 3]);
        body.constant(each * turns * unit);
        body.op(I::LocalSet(left));
        let addend = if is_long { 0 } else { self.pick(&[0, 0, 5, -128, 32640, 32641]) };
        let offset = self.pick(&[0, 0, 1, 16]);
        let wrong = if self.chance(25) { self.below(6) } else { 6 };
        body.op(I::Loop(BlockType::Empty));
        body.depth += 1;
        if wrong == 0 {
            self.access_at(body, 0, Some(a));
        }
        let is_read_behind = self.chance(20);
        if is_read_behind {
            body.ops([I::LocalGet(a), I::LocalGet(left), I::I32Add, I::LocalSet(last)]);
        }
        body.op(I::LocalGet(sum));
        let (mul, add) = if is_long { (I::I64Mul, I::I64Add) } else { (I::I32Mul, I::I32Add) };
        for at in 0..each {
            let at = u64::from(bytes) * if wrong == 1 && at == 1 { 3 } else { u64::from(at) };
            let memarg = |offset| MemArg { offset, align: 0, memory_index: 0 };
            let other = if is_long { I::I64Load8U as Load } else { I::I32Load8U as Load };
            body.ops([I::LocalGet(a), if wrong == 2 { other } else { load }(memarg(at + offset))]);
            if addend != 0 {
                body.ops([I::I32Const(addend), I::I32Add]);
            }
            body.ops([I::LocalGet(b), load(memarg(at)), mul.clone(), add.clone()]);
        }
        body.op(I::LocalSet(sum));
        for pointer in [a, b] {
            let by = each * bytes + u32::from(wrong == 3);
            self.change(body, pointer, Change::By(by));
        }
        if wrong == 4 && !is_long {
            self.change(body, sum, Change::By(1));
        }
        let by = (each * unit).cast_signed();
        body.ops([I::LocalGet(left), I::I32Const(by), I::I32Sub, I::LocalTee(left)]);
        if self.chance(33) {
            body.ops([I::I32Const(0), I::I32Ne]);
        }
        body.ops([I::BrIf(0), I::End]);
        if is_long {
            for shift in [0, 32] {
                body.ops([I::LocalGet(sum), I::I64Const(shift), I::I64ShrU, I::I32WrapI64]);
                self.accumulate(body);
            }
        }
        let numbers = [a, b, last, sum];
        for local in &numbers[..if is_long { 3 } else { 4 }] {
            body.op(I::LocalGet(*local));
            self.accumulate(body);
        }
    }

    /// Puts `base + (local << shift)` on the stack.
    fn scaled(&mut self, body: &mut Body, local: u32, shift: u32, base: u32) {
        body.op(I::LocalGet(local));
        body.constant(shift);
        body.op(I::I32Shl);
        match body.frame {
            Some((frame, _)) if base == 0 => body.op(I::LocalGet(frame)),
            _ => body.constant(base),
        }
        body.op(I::I32Add);
    }

    /// An access at a pointer, or an element, behind a look at an index.
    fn guarded(&mut self, body: &mut Body, index: u32, pointer: u32, shift: u32, base: u32) {
        // How often the loop is repeated may say enough.
        if self.chance(35) {
            return self.access_at(body, 0, Some(pointer));
        }
        let size = self.memories[0].bytes();
        let room = match body.frame {
            Some((_, bytes)) if base == 0 => bytes as u64,
            _ => size.saturating_sub(base.into()),
        };
        let near = self.pick(&[0, 0, 1, 2, 4, 8, u32::MAX]);
        let last = ((room >> shift) as u32).wrapping_sub(near);
        let at = body.local(Ty::I32);
        let before = self.chance(50);
        let set = |generator: &mut Generator, body: &mut Body| {
            match generator.below(5) {
                0..3 => body.op(I::LocalGet(pointer)),
                3 => generator.scaled(body, index, shift, base),
                _ => {
                    body.constant(last << shift);
                    body.ops([I::LocalGet(index), I::I32Const(shift as i32), I::I32Shl, I::I32Sub]);
                }
            }
            body.op(I::LocalSet(at));
        };
        if before {
            set(self, body);
        }
        body.op(I::Block(BlockType::Empty));
        body.depth += 1;
        body.op(I::LocalGet(index));
        match self.below(6) {
            0 => {
                let mask = self.pick(&[4, 16, 64]);
                body.constant(mask);
                body.op(I::I32Or);
            }
            1 => body.ops([I::I32Const(-1), I::I32Add]),
            _ => {}
        }
        body.constant(last);
        let kept = self.chance(30);
        let test = self.pick(&[0, 0, 0, 1, 2]);
        body.op([I::I32GtU, I::I32GeU, I::I32GtS][test].clone());
        if kept {
            let test = body.local(Ty::I32);
            body.op(I::LocalSet(test));
            if self.chance(15) {
                self.change(body, index, Change::By(1));
            }
            body.op(I::LocalGet(test));
        }
        if self.chance(25) {
            body.ops([I::I32Eqz, I::If(BlockType::Empty), I::Else, I::Br(1), I::End]);
        } else {
            body.op(I::BrIf(0));
        }
        if !before {
            set(self, body);
        }
        self.access_at(body, 0, Some(at));
        body.op(I::End);
        body.depth -= 1;
    }

    fn change(&mut self, body: &mut Body, local: u32, change: Change) {
        match change {
            Change::By(by) => {
                body.op(I::LocalGet(local));
                body.constant(by);
                body.ops([I::I32Add, I::LocalSet(local)]);
            }
            Change::Times(unit, shift) => {
                body.ops([I::LocalGet(local), I::LocalGet(unit)]);
                body.constant(shift);
                body.ops([I::I32Shl, I::I32Add, I::LocalSet(local)]);
            }
            Change::Either(one, another) => {
                let which = self.any(body);
                body.ops([I::LocalGet(which), I::If(BlockType::Empty)]);
                self.change(body, local, Change::By(one));
                body.op(I::Else);
                self.change(body, local, Change::By(another));
                body.ops([I::End]);
            }
            Change::Maybe(by) => {
                let which = self.any(body);
                body.ops([I::LocalGet(which), I::If(BlockType::Empty)]);
                self.change(body, local, Change::By(by));
                body.ops([I::End]);
            }
            Change::Through(by, other) => {
                body.ops([I::LocalGet(local), I::LocalSet(other), I::LocalGet(other)]);
                body.constant(by);
                body.ops([I::I32Add, I::LocalSet(local)]);
            }
            Change::Loaded => {
                let memarg = MemArg { offset: 0, align: 0, memory_index: 0 };
                body.ops([I::I32Const(0), I::I32Load8U(memarg), I::LocalSet(local)]);
            }
        }
    }
}
