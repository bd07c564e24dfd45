//! Makes code PC-relative that was compiled for absolute addresses.
//!
//! The loader cannot write an address into two instructions, but the libraries of some compilers are compiled that way.
//! `lui rd, %hi(x)` becomes `auipc rd`. Each low part then belongs to the distance of `x` from that `auipc`.
//!
//! The object does not say which `lui` a low part belongs to. This is found by data-flow analysis: the register is
//! followed through the code, through additions (`lui; add rd, rd, index; lw %lo(x)(rd)`) and across branches. If more
//! than one `lui` is possible, the object is refused.

use std::collections::HashMap;

use super::fields::{
    ALIGN, BRANCH, HI20, JAL, LO12_I, LO12_S, PCREL_HI20, PCREL_LO12_I, PCREL_LO12_S, RELAX, RVC_BRANCH,
    RVC_JUMP,
};
use super::fields::{B_TYPE, CB_TYPE, CJ_TYPE, J_TYPE};
use crate::model::{HiLoPairs, Reloc, Section, Symbol, SymbolDef};

/// The contents of a register, as far as they matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// The code has not been reached yet.
    Unreached,
    /// The high part from the instruction with this relocation, plus any number.
    High(u32),
    Other,
}

/// The contents of all integer registers.
type Registers = [Holds; 32];

fn merge(into: &mut Registers, from: &Registers) -> bool {
    let mut changed = false;
    for (into, from) in into.iter_mut().zip(from) {
        let merged = match (*into, *from) {
            (Holds::Unreached, other) | (other, Holds::Unreached) => other,
            (a, b) if a == b => a,
            _ => Holds::Other,
        };
        changed |= merged != *into;
        *into = merged;
    }
    changed
}

/// Rewrites a section: [`RewriteAbsolute`](crate::model::RewriteAbsolute).
pub fn make_relative(
    section: &mut Section,
    symbols: &[Symbol],
    here: SymbolDef,
    entries: &[u32],
    near: &[bool],
) -> HiLoPairs {
    let is_low = |reloc: &Reloc| matches!(reloc.r_type, LO12_I | LO12_S);
    let absolute = |at: usize| near[at] && (is_low(&section.relocs[at]) || section.relocs[at].r_type == HI20);
    if !(0..near.len()).any(absolute) {
        return Ok(Vec::new());
    }
    /// The largest size. Sections of libraries are much smaller.
    const LIMIT: usize = 1 << 17;
    if section.data.len() > LIMIT {
        let low = (0..near.len()).find(|&at| near[at] && is_low(&section.relocs[at]));
        return low.map_or(Ok(Vec::new()), |at| Err(at as u32));
    }
    let states = follow(section, symbols, here, entries);
    let mut hi_lo_pairs = Vec::new();
    for (at, reloc) in section.relocs.iter().enumerate().filter(|&(at, reloc)| is_low(reloc) && near[at]) {
        let code = section.data.get(reloc.offset as usize..).and_then(|code| code.first_chunk());
        let base = code.map(|&code| u32::from_le_bytes(code) >> 15 & 31);
        let held = states.get(&reloc.offset).zip(base).map(|(state, base)| state[base as usize]);
        match held {
            Some(Holds::High(high)) if section.relocs[high as usize].symbol == reloc.symbol => {
                hi_lo_pairs.push((at as u32, high));
            }
            _ => return Err(at as u32),
        }
    }
    for (reloc, _) in
        section.relocs.iter_mut().zip(near).filter(|(reloc, near)| **near && reloc.r_type == HI20)
    {
        // The opcodes of `lui` and `auipc` differ in one bit.
        if let Some(opcode) = section.data.to_mut().get_mut(reloc.offset as usize) {
            *opcode ^= 0x20;
        }
        reloc.r_type = PCREL_HI20;
    }
    Ok(hi_lo_pairs)
}

/// By offset of a reachable instruction, the contents of the registers before it.
fn follow(
    section: &Section,
    symbols: &[Symbol],
    here: SymbolDef,
    entries: &[u32],
) -> HashMap<u32, Registers> {
    let is_mark = |reloc: &Reloc| matches!(reloc.r_type, RELAX | ALIGN);
    let at_offset: HashMap<u32, usize> = section
        .relocs
        .iter()
        .enumerate()
        .filter(|(_, r)| !is_mark(r))
        .map(|(at, r)| (r.offset, at))
        .collect();
    let local = |reloc: &Reloc| {
        let symbol = symbols.get(reloc.symbol as usize).filter(|symbol| symbol.def == here)?;
        u32::try_from((symbol.value as i64).wrapping_add(reloc.addend)).ok()
    };
    let mut states: HashMap<u32, Registers> = HashMap::new();
    let mut work: Vec<u32> = Vec::new();
    for &entry in entries.iter().chain(&[0]) {
        states.insert(entry, [Holds::Other; 32]);
        work.push(entry);
    }
    // This terminates: each register changes at most twice at each instruction.
    while let Some(offset) = work.pop() {
        let Some(code) = section.data.get(offset as usize..) else { continue };
        let Some(instruction) = decode(code) else { continue };
        let mut after = states[&offset];
        let reloc = at_offset.get(&offset).map(|&at| (at, &section.relocs[at]));
        instruction.execute(&mut after, reloc.map(|(at, reloc)| (at as u32, reloc.r_type)));
        let target = match (instruction.flow, reloc) {
            (Flow::Next | Flow::Call | Flow::Unknown, _) => None,
            (_, Some((_, reloc))) if matches!(reloc.r_type, BRANCH | JAL | RVC_BRANCH | RVC_JUMP) => {
                local(reloc)
            }
            (Flow::Jump(distance) | Flow::Branch(distance), _) => offset.checked_add_signed(distance),
        };
        let next = match instruction.flow {
            Flow::Jump(_) | Flow::Unknown => None,
            _ => Some(offset + instruction.len),
        };
        for to in [target, next].into_iter().flatten() {
            let state = states.entry(to).or_insert([Holds::Unreached; 32]);
            if merge(state, &after) {
                work.push(to);
            }
        }
    }
    states
}

/// Where execution continues after an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    /// At the next instruction, after a call. Registers that the callee can change are not used afterwards.
    Call,
    Jump(i32),
    Branch(i32),
    /// At an address in a register. Labels in tables are entries.
    Unknown,
}

/// How an instruction changes the registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    None,
    /// It writes any value to the register.
    Write(u32),
    /// It writes any value to the register and the link register.
    WriteAndLink(u32),
    /// `lui`
    LoadUpper(u32),
    /// It writes the sum of two registers to the first one. Register 0 is used for constants.
    Add(u32, u32, u32),
    /// It may write any register.
    All,
}

#[derive(Debug, Clone, Copy)]
struct Instruction {
    len: u32,
    flow: Flow,
    effect: Effect,
}

impl Instruction {
    /// `reloc` is the index and the type of its relocation.
    fn execute(&self, registers: &mut Registers, reloc: Option<(u32, u32)>) {
        let (register, holds) = match self.effect {
            Effect::None => return,
            Effect::All => return *registers = [Holds::Other; 32],
            Effect::Write(register) => (register, Holds::Other),
            Effect::WriteAndLink(register) => {
                registers[1] = Holds::Other;
                (register, Holds::Other)
            }
            Effect::LoadUpper(register) => match reloc {
                Some((at, HI20)) => (register, Holds::High(at)),
                _ => (register, Holds::Other),
            },
            // The result is a complete address.
            Effect::Add(register, ..) if matches!(reloc, Some((_, LO12_I))) => (register, Holds::Other),
            Effect::Add(register, a, b) => {
                let holds = match (registers[a as usize], registers[b as usize]) {
                    (high @ Holds::High(_), Holds::Other) | (Holds::Other, high @ Holds::High(_)) => high,
                    _ => Holds::Other,
                };
                (register, holds)
            }
        };
        if register != 0 {
            registers[register as usize] = holds;
        }
    }
}

fn decode(code: &[u8]) -> Option<Instruction> {
    let half = u32::from(u16::from_le_bytes(*code.first_chunk()?));
    if half & 3 != 3 {
        return Some(decode_compressed(half, code));
    }
    let word = u32::from_le_bytes(*code.first_chunk()?);
    if word & 0x1c == 0x1c {
        // An instruction longer than 32 bits.
        return None;
    }
    let (rd, rs1, rs2) = (word >> 7 & 31, word >> 15 & 31, word >> 20 & 31);
    let (funct3, funct7) = (word >> 12 & 7, word >> 25);
    let (flow, effect) = match word & 0x7f {
        0x37 => (Flow::Next, Effect::LoadUpper(rd)),
        0x6f if rd == 0 => (Flow::Jump(J_TYPE.read(code)? as i32), Effect::None),
        0x6f => (Flow::Call, Effect::Write(rd)),
        0x67 if rd == 0 => (Flow::Unknown, Effect::None),
        0x67 => (Flow::Call, Effect::Write(rd)),
        0x63 => (Flow::Branch(B_TYPE.read(code)? as i32), Effect::None),
        // `addi`
        0x13 if funct3 == 0 => (Flow::Next, Effect::Add(rd, rs1, 0)),
        // `add`; `sh1add` to `sh3add`, whose second operand is not shifted.
        0x33 if funct3 == 0 && funct7 == 0 => (Flow::Next, Effect::Add(rd, rs1, rs2)),
        0x33 if matches!(funct3, 2 | 4 | 6) && funct7 == 0x10 => (Flow::Next, Effect::Add(rd, 0, rs2)),
        // Stores, fences, and floating-point instructions that write no integer register.
        0x23 | 0x27 | 0x0f | 0x07 | 0x43 | 0x47 | 0x4b | 0x4f => (Flow::Next, Effect::None),
        0x03 | 0x13 | 0x17 | 0x1b | 0x2f | 0x33 | 0x3b | 0x53 | 0x73 => (Flow::Next, Effect::Write(rd)),
        _ => (Flow::Next, Effect::All),
    };
    Some(Instruction { len: 4, flow, effect })
}

fn decode_compressed(half: u32, code: &[u8]) -> Instruction {
    let (rd, rs2) = (half >> 7 & 31, half >> 2 & 31);
    // Registers 8 to 15 in 3-bit fields.
    let (high, low) = (8 + (half >> 7 & 7), 8 + (half >> 2 & 7));
    let jump = || Flow::Jump(CJ_TYPE.read(code).unwrap_or(0) as i32);
    let (flow, effect) = match (half & 3, half >> 13) {
        // `c.addi4spn` and loads; then stores.
        (0, 0..=3) => (Flow::Next, Effect::Write(low)),
        (0, 5..=7) => (Flow::Next, Effect::None),
        // `c.addi`
        (1, 0) => (Flow::Next, Effect::Add(rd, rd, 0)),
        // `c.jal` on RV32, `c.addiw` on RV64: the effects of both.
        (1, 1) => (Flow::Next, Effect::WriteAndLink(rd)),
        // `c.li`, `c.lui` with a constant, `c.addi16sp`
        (1, 2 | 3) => (Flow::Next, Effect::Write(rd)),
        (1, 4) => (Flow::Next, Effect::Write(high)),
        (1, 5) => (jump(), Effect::None),
        (1, 6 | 7) => (Flow::Branch(CB_TYPE.read(code).unwrap_or(0) as i32), Effect::None),
        (2, 0..=3) => (Flow::Next, Effect::Write(rd)),
        (2, 4) if rs2 == 0 && half & 0x1000 == 0 => (Flow::Unknown, Effect::None),
        (2, 4) if rs2 == 0 => (Flow::Call, Effect::Write(1)),
        (2, 4) if half & 0x1000 == 0 => (Flow::Next, Effect::Add(rd, rs2, 0)),
        (2, 4) => (Flow::Next, Effect::Add(rd, rd, rs2)),
        (2, 6 | 7) => (Flow::Next, Effect::None),
        _ => (Flow::Next, Effect::All),
    };
    Instruction { len: 2, flow, effect }
}

/// Whether the target of a relocation can be entered other than by a branch in its section: by a call, or by a jump through a
/// table.
pub fn is_entry(reloc: &Reloc, data: &[u8]) -> bool {
    match reloc.r_type {
        BRANCH | RVC_BRANCH | RVC_JUMP | PCREL_LO12_I | PCREL_LO12_S | RELAX | ALIGN => false,
        // `j`, or a call.
        JAL => {
            let code = data.get(reloc.offset as usize..).and_then(|code| code.first_chunk());
            code.is_none_or(|&code| u32::from_le_bytes(code) >> 7 & 31 != 0)
        }
        _ => true,
    }
}
