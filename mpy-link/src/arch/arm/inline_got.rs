//! Moves GOT offsets from literal pools into instructions.
//!
//! Position-independent Thumb code (`-fpic`) loads the offset of a GOT entry from a word between functions. The GOT of a
//! module is small, so the instruction can contain the offset itself (`MOVS`, `MOV.W`), and the word is removed.
//!
//! This removes bytes from the middle of code, so every distance across them has to be known:
//!
//! - Mapping symbols say what is code and what is data (AAELF32, "Mapping symbols").
//! - Every instruction that uses the program counter is decoded (*Armv7-M Architecture Reference Manual*, A5).
//! - A word to which code adds the program counter is a distance. Compilers emit one `ADD` for each such word.
//!
//! A section that contains anything else is not changed. A function with a table of distances keeps its words.

use std::ops::Range as Interval;

use super::fields::{BRANCH_8, BRANCH_11, BRANCH_19, BRANCH_24};
use crate::model::{Cut, Reloc, Section, Symbol, SymbolDef};
use crate::reloc::{Field, Range, bits};

/// The relocation of the instruction that replaces `R_ARM_GOT_BREL` of the word. ELF has no such number.
pub const MOV_GOT: u32 = 0x100;

const GOT_BREL: u32 = 26;
/// `R_ARM_BASE_PREL`, `R_ARM_GOT_PREL`: the addend is the distance of the word from the program counter at the `ADD`.
const FROM_PC_EXACTLY: [u32; 2] = [25, 96];
/// `R_ARM_REL32`, `R_ARM_REL32_NOI`: the addend is this distance, plus an offset in the section if the symbol is a section.
const FROM_PC: [u32; 2] = [3, 56];
/// Branches and addresses, whose addends do not depend on their place: `R_ARM_NONE`, `R_ARM_ABS32`,
/// `R_ARM_THM_CALL`, `R_ARM_GOTOFF32`, `R_ARM_THM_JUMP24`, `R_ARM_TARGET1`, `R_ARM_THM_JUMP19`, `R_ARM_ABS32_NOI`,
/// `R_ARM_THM_JUMP11`, `R_ARM_THM_JUMP8`.
const OTHERS: [u32; 10] = [0, 2, 10, 24, 30, 38, 51, 55, 102, 103];

/// i:imm5 of `CBZ`.
static COMPARE_BRANCH: Field = Field {
    bytes: 2,
    bits: &[bits(1, 5, 3), bits(6, 1, 9)],
    range: Range::Between(0, 126),
    align: 2,
    swizzle: None,
    addend: None,
};

/// How an instruction uses the program counter.
#[derive(Debug, Clone, Copy)]
enum Use {
    Nothing,
    /// Loads `bytes` bytes from `target`, into `register` if it is a word.
    Load {
        target: i64,
        bytes: i64,
        register: Option<u16>,
    },
    /// `ADD register, PC`.
    Add(u16),
    /// Jumps to `target`, unless it has a relocation.
    Branch {
        target: i64,
        field: &'static Field,
    },
    /// Jumps to an address from a table or a register, or computes the address `target`.
    Computed(Option<i64>),
}

#[derive(Debug, Clone, Copy)]
struct Instruction {
    at: u32,
    size: u32,
    uses: Use,
}

impl Instruction {
    /// `None` for instructions that compilers do not generate.
    fn decode(data: &[u8], at: u32) -> Option<Instruction> {
        let place = data.get(at as usize..)?;
        let first = half(place, 0)?;
        let pc = i64::from(at) + 4;
        if first >> 11 < 0x1d {
            let branch = |field: &'static Field, distance: i64| Use::Branch { target: pc + distance, field };
            let uses = match first {
                _ if first >> 12 == 0xd && first >> 8 & 0xf < 0xe => branch(&BRANCH_8, BRANCH_8.read(place)?),
                _ if first >> 11 == 0x1c => branch(&BRANCH_11, BRANCH_11.read(place)?),
                _ if first & 0xf500 == 0xb100 => branch(&COMPARE_BRANCH, COMPARE_BRANCH.read(place)? & 0x7e),
                _ if first >> 11 == 0x9 => {
                    let target = (pc & !3) + i64::from(first & 0xff) * 4;
                    Use::Load { target, bytes: 4, register: Some(first >> 8 & 7) }
                }
                // ADR
                _ if first >> 11 == 0x14 => Use::Computed(Some((pc & !3) + i64::from(first & 0xff) * 4)),
                _ if first & 0xff78 == 0x4478 && first & 0x87 != 0x87 => Use::Add(first >> 4 & 8 | first & 7),
                // ADD and MOV to the program counter: jumps.
                _ if matches!(first & 0xfd87, 0x4487) => Use::Computed(None),
                // CMP, MOV, BX and BLX of the program counter.
                _ if first & 0xfc78 == 0x4478 => return None,
                _ => Use::Nothing,
            };
            return Some(Instruction { at, size: 2, uses });
        }
        let second = half(place, 2)?;
        let up = first & 0x80 != 0;
        let literal = |distance: u16, bytes: i64, register: Option<u16>| {
            let distance = if up { i64::from(distance) } else { -i64::from(distance) };
            Use::Load { target: (pc & !3) + distance, bytes, register }
        };
        let uses = match (first, second) {
            // BL, B.W, B<c>.W; not MSR, MRS, barriers and hints.
            _ if first >> 11 == 0x1e && second & 0x9000 == 0x9000 => {
                Use::Branch { target: pc + BRANCH_24.read(place)?, field: &BRANCH_24 }
            }
            _ if first >> 11 == 0x1e && second & 0xd000 == 0x8000 && first >> 6 & 0xf < 0xe => {
                Use::Branch { target: pc + BRANCH_19.read(place)?, field: &BRANCH_19 }
            }
            // BLX, which leaves Thumb state.
            _ if first >> 11 == 0x1e && second & 0xd000 == 0xc000 => return None,
            // LDR, except to the program counter
            _ if first & 0xff7f == 0xf85f && second >> 12 != 15 => {
                literal(second & 0xfff, 4, Some(second >> 12))
            }
            // LDRB, LDRH, LDRSB, LDRSH, PLD
            _ if first & 0xfe1f == 0xf81f && first & 0x60 != 0x40 => literal(second & 0xfff, 2, None),
            // LDR to the program counter; from the stack, it is a return.
            _ if first & 0xff70 == 0xf850 && second >> 12 == 15 && (first, second) != (0xf85d, 0xfb04) => {
                Use::Computed(None)
            }
            // LDRD, VLDR
            _ if first & 0xff7f == 0xe95f || first & 0xff3f == 0xed1f => {
                literal((second & 0xff) * 4, 8, None)
            }
            // TBB, TBH
            _ if first & 0xfff0 == 0xe8d0 && second & 0xffe0 == 0xf000 => Use::Computed(None),
            // ADR
            _ if matches!(first & 0xfbff, 0xf20f | 0xf2af) => {
                let distance = i64::from((first & 0x400) << 1 | (second & 0x7000) >> 4 | second & 0xff);
                let distance = if first & 0xa0 == 0 { distance } else { -distance };
                Use::Computed(Some((pc & !3) + distance))
            }
            // Other coprocessor loads and stores relative to the program counter.
            _ if first & 0xfe0f == 0xec0f => return None,
            _ => Use::Nothing,
        };
        Some(Instruction { at, size: 4, uses })
    }
}

fn half(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(data.get(at..at + 2)?.try_into().ok()?))
}

/// The code of a section.
struct Code<'s> {
    data: &'s [u8],
    /// Sorted by offset.
    instructions: Vec<Instruction>,
}

impl Code<'_> {
    /// Decodes the code; `None` if it is not marked, or if there is Arm code.
    fn read<'s>(data: &'s [u8], symbols: &[Symbol], here: SymbolDef) -> Option<Code<'s>> {
        let kind = |symbol: &Symbol| match symbol.name.split('.').next() {
            Some("$t") => Some('t'),
            Some("$d") => Some('d'),
            Some("$a") => Some('a'),
            _ => None,
        };
        let ours = symbols.iter().filter(|symbol| symbol.def == here);
        let mut marks: Vec<(u64, char)> =
            ours.filter_map(|symbol| Some((symbol.value, kind(symbol)?))).collect();
        marks.sort_unstable();
        marks.dedup();
        if marks.first()?.0 != 0 || marks.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
        let mut instructions = Vec::new();
        for (index, (start, kind)) in marks.iter().enumerate() {
            let end = marks.get(index + 1).map_or(data.len() as u64, |(next, _)| *next);
            match kind {
                'd' => continue,
                't' => {}
                _ => return None,
            }
            let mut at = *start;
            while at < end {
                let instruction = Instruction::decode(data, u32::try_from(at).ok()?)?;
                at += u64::from(instruction.size);
                instructions.push(instruction);
            }
            if at != end {
                return None;
            }
        }
        Some(Code { data, instructions })
    }

    fn at(&self, at: i64) -> Option<&Instruction> {
        let found = self.instructions.binary_search_by_key(&at, |instruction| i64::from(instruction.at));
        found.ok().map(|index| &self.instructions[index])
    }

    /// Whether the values of N and Z before the instruction at `start` are never used.
    fn flags_are_dead(&self, start: u32, has_reloc: impl Fn(u32) -> bool) -> bool {
        /// The largest number of instructions to look at. Compilers use flags soon.
        const LONGEST: usize = 64;
        let mut left = vec![i64::from(start)];
        let mut seen = Vec::new();
        while let Some(at) = left.pop() {
            if seen.contains(&at) {
                continue;
            }
            if seen.len() == LONGEST {
                return false;
            }
            seen.push(at);
            let Some(instruction) = self.at(at) else { return false };
            let next = at + i64::from(instruction.size);
            let place = &self.data[at as usize..];
            let (first, second) = (half(place, 0).unwrap_or(0), half(place, 2).unwrap_or(0));
            match instruction.uses {
                // Flags are undefined after calls, and so after jumps to other functions (AAPCS32, 6.1.1).
                Use::Branch { .. } if instruction.size == 4 && second & 0xd000 == 0xd000 => continue,
                Use::Branch { field, .. } if std::ptr::eq(field, &BRANCH_24) && has_reloc(instruction.at) => {
                    continue;
                }
                Use::Branch { target, field } if !has_reloc(instruction.at) => {
                    if std::ptr::eq(field, &BRANCH_8) || std::ptr::eq(field, &BRANCH_19) {
                        return false;
                    }
                    left.push(target);
                    if std::ptr::eq(field, &COMPARE_BRANCH) {
                        left.push(next);
                    }
                    continue;
                }
                Use::Branch { .. } | Use::Computed(_) => return false,
                _ => {}
            }
            match flags_after(first, second) {
                Flags::Set => {}
                Flags::Kept => left.push(next),
                Flags::Used => return false,
            }
        }
        true
    }
}

/// What an instruction does to N and Z. It continues at the next instruction, or leaves the function.
enum Flags {
    Set,
    Kept,
    /// It may use them.
    Used,
}

fn flags_after(first: u16, second: u16) -> Flags {
    match first >> 8 {
        // Shifts, additions, immediates, operations on two registers, and CMP.
        0x00..=0x43 | 0x45 => Flags::Set,
        // BX, BLX; POP of the program counter.
        0x47 | 0xbd => Flags::Set,
        0x44 | 0x46 | 0x48..=0xb0 | 0xb2 | 0xb4..=0xb5 | 0xba | 0xbc | 0xc0..=0xcf => Flags::Kept,
        // Hints, not IT.
        0xbf if first & 0xf == 0 => Flags::Kept,
        // LDM of the program counter.
        0xe8..=0xe9 if first & 0xffd0 == 0xe890 && second & 0x8000 != 0 => Flags::Set,
        0xf8 if (first, second) == (0xf85d, 0xfb04) => Flags::Set,
        // Operations on a register or a constant that set flags.
        0xea..=0xeb if first & 0x10 != 0 => Flags::Set,
        0xf0..=0xf7 if second & 0x8000 == 0 && first & 0x210 == 0x10 => Flags::Set,
        0xf0..=0xf7 if second & 0x8000 == 0 => Flags::Kept,
        0xe8..=0xee | 0xf8..=0xfb => Flags::Kept,
        _ => Flags::Used,
    }
}

/// A word with the distance of something from the program counter at the instruction `add`.
struct Relative {
    word: u32,
    add: u32,
    /// The index of its relocation. If there is none, the word contains the distance of `target`.
    reloc: Option<usize>,
    target: i64,
}

/// The changes of a section.
struct Plan {
    code: Vec<Instruction>,
    relatives: Vec<Relative>,
    /// The words to remove, each with its relocation and the instructions that load it.
    gone: Vec<(u32, usize, Vec<Instruction>)>,
}

/// Moves GOT offsets, which must be less than 256, into the instructions that load them. Returns the words that are no
/// longer needed.
pub fn inline_got(section: &mut Section, symbols: &[Symbol], here: SymbolDef) -> Vec<Cut> {
    let Some(plan) = plan(section, symbols, here).filter(|plan| !plan.gone.is_empty()) else {
        return Vec::new();
    };
    let cuts: Vec<Cut> = plan.gone.iter().map(|(word, ..)| Cut { offset: *word, len: 4 }).collect();
    let moved = |offset: i64| offset - 4 * cuts.partition_point(|cut| i64::from(cut.offset) < offset) as i64;
    let Section { data, relocs, .. } = section;
    let data = data.to_mut();
    let has_reloc = |at: u32| relocs.binary_search_by_key(&at, |reloc| reloc.offset).is_ok();
    for instruction in &plan.code {
        let place = &mut data[instruction.at as usize..];
        let pc = moved(i64::from(instruction.at)) + 4;
        match instruction.uses {
            Use::Branch { target, field } if !has_reloc(instruction.at) => {
                // The distance has not grown, so this cannot fail.
                let _ = field.write(place, moved(target) - pc);
            }
            Use::Load { target, .. } => load_from(place, instruction.size, moved(target) - (pc & !3)),
            _ => {}
        }
    }
    for Relative { word, add, reloc, target } in &plan.relatives {
        let (word, add) = (i64::from(*word), i64::from(*add));
        match reloc {
            Some(reloc) => relocs[*reloc].addend += moved(word) - moved(add) - (word - add),
            None => {
                let distance = moved(*target & !1) + (*target & 1) - (moved(add) + 4);
                data[word as usize..word as usize + 4].copy_from_slice(&distance.to_le_bytes()[..4]);
            }
        }
    }
    let mut more = Vec::new();
    for (_, reloc, loads) in &plan.gone {
        for Instruction { at, size, uses } in loads {
            let Use::Load { register: Some(register), .. } = uses else { continue };
            let place = &mut data[*at as usize..];
            let mut offset = *at;
            if *size == 2 {
                place[..2].copy_from_slice(&(0x2000 | register << 8).to_le_bytes()); // movs
            } else {
                place[..2].copy_from_slice(&0xf04fu16.to_le_bytes()); // mov.w
                place[2..4].copy_from_slice(&(register << 8).to_le_bytes());
                offset += 2;
            }
            more.push(Reloc { offset, r_type: MOV_GOT, ..relocs[*reloc] });
        }
        relocs[*reloc].r_type = 0;
    }
    relocs.retain(|reloc| reloc.r_type != 0);
    relocs.extend(more);
    relocs.sort_by_key(|reloc| reloc.offset);
    cuts
}

/// Sets the distance from the program counter in the load of a literal.
fn load_from(place: &mut [u8], size: u32, distance: i64) {
    if size == 2 {
        place[0] = (distance / 4) as u8;
        return;
    }
    let (Some(first), Some(second)) = (half(place, 0), half(place, 2)) else { return };
    let amount = distance.unsigned_abs() as u16;
    // VLDR and LDRD count words.
    let (amount, mask) = if first >> 12 == 0xe { (amount / 4, 0xff) } else { (amount, 0xfff) };
    let up = if distance >= 0 { 0x80 } else { 0 };
    place[..2].copy_from_slice(&(first & !0x80 | up).to_le_bytes());
    place[2..4].copy_from_slice(&(second & !mask | amount).to_le_bytes());
}

/// Plans the changes; `None` if the section contains something unknown.
fn plan(section: &Section, symbols: &[Symbol], here: SymbolDef) -> Option<Plan> {
    let relocs = &section.relocs;
    if !relocs.iter().any(|reloc| reloc.r_type == GOT_BREL) {
        return None;
    }
    let known = |r_type: u32| {
        let all = [&FROM_PC_EXACTLY[..], &FROM_PC, &OTHERS, &[GOT_BREL]];
        all.iter().any(|types| types.contains(&r_type))
    };
    // With two relocations at one place, neither is complete.
    let twice = relocs.windows(2).any(|pair| pair[0].offset == pair[1].offset);
    if twice || !relocs.iter().all(|reloc| known(reloc.r_type)) {
        return None;
    }
    let code = Code::read(&section.data, symbols, here)?;
    let reloc_at = |at: u32| relocs.binary_search_by_key(&at, |reloc| reloc.offset).ok();
    let is_data = |word: u32| {
        let before = code.instructions.partition_point(|instruction| instruction.at < word + 4);
        before == 0 || code.instructions[before - 1].at + code.instructions[before - 1].size <= word
    };

    // Functions that keep their words, in order.
    let functions = functions(symbols, here)?;
    let mut kept: Vec<Interval<i64>> = Vec::new();
    for instruction in &code.instructions {
        let switches = |at: u32| {
            let symbol = reloc_at(at).and_then(|reloc| symbols.get(relocs[reloc].symbol as usize));
            symbol.is_some_and(|symbol| symbol.name.starts_with("__gnu_thumb1_case_"))
        };
        let target = match instruction.uses {
            Use::Computed(target) => target,
            Use::Branch { .. } if switches(instruction.at) => None,
            _ => continue,
        };
        let function = holding(&functions, i64::from(instruction.at))?;
        if target.is_some_and(|target| !function.contains(&target)) {
            return None;
        }
        kept.push(function.clone());
    }

    let relatives = relatives(section, symbols, &code)?;
    let mut loads: Vec<(Interval<i64>, Option<u16>, Instruction)> = Vec::new();
    for instruction in &code.instructions {
        if let Use::Load { target, bytes, register } = instruction.uses {
            loads.push((target..target + bytes, register, *instruction));
        }
    }
    loads.sort_by_key(|(read, ..)| read.start);
    let mut gone = Vec::new();
    for (index, reloc) in relocs.iter().enumerate().filter(|(_, reloc)| reloc.r_type == GOT_BREL) {
        let word = i64::from(reloc.offset);
        let is_word = word % 4 == 0 && word + 4 <= section.data.len() as i64;
        if reloc.addend != 0 || !is_word || !is_data(reloc.offset) || holding(&kept, word).is_some() {
            continue;
        }
        // No load is larger than 8 bytes.
        let first = loads.partition_point(|(read, ..)| read.start <= word - 8);
        let near = loads[first..].iter().take_while(|(read, ..)| read.start < word + 4);
        let users: Vec<_> = near.filter(|(read, ..)| word < read.end).collect();
        let takes = |(read, register, instruction): &&(Interval<i64>, Option<u16>, Instruction)| {
            let Some(register) = register else { return false };
            let free = match instruction.size {
                // MOVS changes the flags.
                2 => code.flags_are_dead(instruction.at + 2, |at| reloc_at(at).is_some()),
                _ => ![13, 15].contains(register),
            };
            read.start == word && free
        };
        if !users.is_empty() && users.iter().all(takes) {
            let users = users.into_iter().map(|(.., instruction)| *instruction).collect();
            gone.push((reloc.offset, index, users));
        }
    }
    Some(Plan { code: code.instructions, relatives, gone })
}

/// The functions of a section, in order; `None` if they overlap.
fn functions(symbols: &[Symbol], here: SymbolDef) -> Option<Vec<Interval<i64>>> {
    let all = symbols.iter().filter(|symbol| symbol.def == here && symbol.is_function && symbol.size > 0);
    let interval = |symbol: &Symbol| {
        let start = symbol.value as i64 & !1;
        (start, start.saturating_add(i64::try_from(symbol.size).unwrap_or(i64::MAX)))
    };
    let mut intervals: Vec<(i64, i64)> = all.map(interval).collect();
    intervals.sort_unstable();
    intervals.dedup();
    let disjoint = intervals.windows(2).all(|pair| pair[0].1 <= pair[1].0);
    disjoint.then(|| intervals.into_iter().map(|(start, end)| start..end).collect())
}

/// The interval that contains an offset. The intervals are in order.
fn holding(intervals: &[Interval<i64>], at: i64) -> Option<&Interval<i64>> {
    let after = intervals.partition_point(|interval| interval.start <= at);
    intervals[..after].last().filter(|interval| interval.contains(&at))
}

/// The words to which the program counter is added. Compilers emit one word for each such `ADD`; anything else is unknown
/// code, and the result is `None`.
fn relatives(section: &Section, symbols: &[Symbol], code: &Code) -> Option<Vec<Relative>> {
    let relocs = &section.relocs;
    let mut found: Vec<Relative> = Vec::new();
    // By register, the address that it was last loaded from.
    let mut loaded: [Option<i64>; 16] = Default::default();
    for instruction in &code.instructions {
        let register = match instruction.uses {
            Use::Add(register) => register,
            Use::Load { target, register: Some(register), .. } => {
                loaded[usize::from(register)] = Some(target);
                continue;
            }
            _ => continue,
        };
        let word = u32::try_from(loaded[usize::from(register)]?).ok()?;
        let distance = i64::from(word) - i64::from(instruction.at) - 4;
        let reloc = relocs.binary_search_by_key(&word, |reloc| reloc.offset).ok();
        let mut target = 0;
        match reloc.map(|reloc| relocs[reloc]) {
            Some(reloc) if FROM_PC_EXACTLY.contains(&reloc.r_type) && reloc.addend == distance => {}
            Some(reloc) if FROM_PC.contains(&reloc.r_type) => {
                let offset = reloc.addend - distance;
                let in_section = symbols.get(reloc.symbol as usize)?.is_section;
                if offset != 0 && !(in_section && (0..=0xffff).contains(&offset)) {
                    return None;
                }
            }
            Some(_) => return None,
            None => {
                let bytes = section.data.get(word as usize..word as usize + 4)?;
                let distance = i64::from(i32::from_le_bytes(bytes.try_into().ok()?));
                target = i64::from(instruction.at) + 4 + distance;
                if !(0..=i64::from(section.size)).contains(&target) {
                    return None;
                }
            }
        }
        found.push(Relative { word, add: instruction.at, reloc, target });
    }
    let mut words: Vec<u32> = found.iter().map(|relative| relative.word).collect();
    words.sort_unstable();
    let all = words.windows(2).all(|pair| pair[0] != pair[1]);
    let counted = |types: &[u32]| relocs.iter().filter(|reloc| types.contains(&reloc.r_type)).count();
    let expected = counted(&FROM_PC_EXACTLY) + counted(&FROM_PC);
    (all && expected == found.iter().filter(|relative| relative.reloc.is_some()).count()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Binding;

    const HERE: SymbolDef = SymbolDef::Section(1);

    fn symbol(name: &'static str, value: u64, size: u64) -> Symbol<'static> {
        Symbol {
            name,
            binding: Binding::Local,
            def: HERE,
            is_section: false,
            is_function: size > 0,
            is_visible: false,
            value,
            size,
        }
    }

    fn section(halves: &[u16], relocs: &[(u32, u32, i64)]) -> Section<'static> {
        let data = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        let reloc = |&(offset, r_type, addend): &(u32, u32, i64)| Reloc { offset, r_type, symbol: 0, addend };
        Section::of_text(data, relocs.iter().map(reloc).collect())
    }

    fn halves(section: &Section) -> Vec<u16> {
        section.data.chunks(2).map(|half| u16::from_le_bytes([half[0], half[1]])).collect()
    }

    /// Code, a GOT offset, a distance, and more code. A branch and a load cross the words.
    const NARROW: [u16; 17] = [
        0x4b04, // 0: ldr r3, [20]
        0x447b, // 2: add r3, pc
        0x4a02, // 4: ldr r2, [16]
        0x589b, // 6: ldr r3, [r3, r2]
        0x4804, // 8: ldr r0, [28]
        0x2800, // 10: cmp r0, #0
        0xd008, // 12: beq 32
        0x4770, // 14: bx lr
        0, 0, // 16: the offset in the GOT
        14, 0,      // 20: the distance of the GOT
        0x4770, // 24: bx lr
        0xbf00, // 26: nop
        0x5678, 0x1234, // 28: a number
        0x4770, // 32: bx lr
    ];
    const RELOCS: [(u32, u32, i64); 2] = [(16, GOT_BREL, 0), (20, 25, 14)];

    fn marks() -> Vec<Symbol<'static>> {
        [("$t", 0), ("$d", 16), ("$t", 24), ("$d.1", 28), ("$t", 32)]
            .map(|(name, at)| symbol(name, at, 0))
            .into()
    }

    #[test]
    fn a_load_of_a_got_offset_becomes_a_move_and_other_targets_are_kept() {
        let mut section = section(&NARROW, &RELOCS);
        let cuts = inline_got(&mut section, &marks(), HERE);
        assert_eq!(cuts, [Cut { offset: 16, len: 4 }]);
        let mut expected = NARROW;
        // The word at 20 goes to 16, that at 28 to 24, and the end to 28.
        (expected[0], expected[2], expected[4], expected[6]) = (0x4b03, 0x2200, 0x4803, 0xd006);
        assert_eq!(halves(&section), expected);
        let relocs: Vec<_> = section.relocs.iter().map(|r| (r.offset, r.r_type, r.addend)).collect();
        assert_eq!(relocs, [(4, MOV_GOT, 0), (20, 25, 10)]);
    }

    /// Nothing is changed if `NARROW` is modified like this.
    fn stays(changes: &[(usize, u16)], marks: &[Symbol]) {
        let mut code = NARROW;
        changes.iter().for_each(|&(at, half)| code[at / 2] = half);
        let mut section = section(&code, &RELOCS);
        assert_eq!(inline_got(&mut section, marks, HERE), [], "{changes:x?}");
        assert_eq!(halves(&section), code);
        assert_eq!(section.relocs.len(), 2);
    }

    #[test]
    fn unknown_code_is_not_changed() {
        let marks = marks();
        // Flags are used: by a branch, by IT, at the target of a branch.
        stays(&[(10, 0xd100)], &marks);
        stays(&[(10, 0xbf08)], &marks);
        stays(&[(10, 0xe008), (32, 0xd0fe)], &marks);
        // Two words are loaded at once, the distance is in another register, the `ADD` is elsewhere, the program counter is
        // copied, there is a jump to a register, and the start of the code is not marked.
        stays(&[(8, 0xe9df), (10, 0x0101)], &marks);
        stays(&[(2, 0x447c)], &marks);
        stays(&[(2, 0x589b), (6, 0x447b)], &marks);
        stays(&[(14, 0x467b)], &marks);
        stays(&[(14, 0x4687)], &marks);
        stays(&[], &marks[1..]);
        // A jump to a register matters only to the function that it is in: if the words are in it, they are kept.
        let mut jumps = NARROW;
        jumps[7] = 0x4687;
        for (size, cuts) in [(16, 1), (24, 0)] {
            let mut marks = marks.clone();
            marks.push(symbol("f", 1, size));
            assert_eq!(inline_got(&mut section(&jumps, &RELOCS), &marks, HERE).len(), cuts);
        }
    }

    #[test]
    fn invalid_relocations_are_not_changed() {
        let twice = [RELOCS[0], RELOCS[0], RELOCS[1]];
        assert_eq!(inline_got(&mut section(&NARROW, &twice), &marks(), HERE), []);
        // A word that is beyond the end of the section.
        let code = [0x4b04, 0x447b, 0x4a05, 0x589b, 0x4770, 0xbf00, 0, 0, 0, 0, 14, 0, 0xbf00, 0xbf00, 0];
        let marks = [("$t", 0), ("$d", 12)].map(|(name, at)| symbol(name, at, 0));
        let relocs = [(20, 25, 14), (28, GOT_BREL, 0)];
        assert_eq!(inline_got(&mut section(&code, &relocs), &marks, HERE), []);
        let whole = [&code[..], &[0]].concat();
        assert_eq!(inline_got(&mut section(&whole, &relocs), &marks, HERE).len(), 1);
    }

    #[test]
    fn wide_instructions_are_changed_too() {
        let code = [
            0xf8df, 0x8014, // 0: ldr.w r8, [24]
            0x44f8, // 4: add r8, pc
            0xf8df, 0x9008, // 6: ldr.w r9, [16]
            0xbf00, // 10: nop
            0xf000, 0xb807, // 12: b.w 30
            0, 0, // 16: an offset in the GOT
            0, 0, // 20: another
            16, 0,      // 24: the distance of the GOT
            0xbf00, // 28: nop
            0xed5f, 0x0a02, // 30: vldr s1, [24]
            0xf85f, 0x0010, // 34: ldr.w r0, [20]
        ];
        let relocs = [(16, GOT_BREL, 0), (20, GOT_BREL, 0), (24, 25, 16)];
        let mut section = section(&code, &relocs);
        let marks = [("$t", 0), ("$d", 16), ("$t", 28)].map(|(name, at)| symbol(name, at, 0));
        assert_eq!(inline_got(&mut section, &marks, HERE).len(), 2);
        let mut expected = code;
        expected[1] = 0x800c;
        expected[3..5].copy_from_slice(&[0xf04f, 0x0900]);
        expected[7] = 0xb803;
        expected[17..19].copy_from_slice(&[0xf04f, 0x0000]);
        assert_eq!(halves(&section), expected);
        let relocs: Vec<_> = section.relocs.iter().map(|r| (r.offset, r.r_type, r.addend)).collect();
        assert_eq!(relocs, [(8, MOV_GOT, 0), (24, 25, 8), (36, MOV_GOT, 0)]);
    }

    #[test]
    fn any_bytes_are_decoded_or_refused() {
        for first in 0..=u16::MAX {
            for second in [0, 0x7fff, 0x8000, 0x9000, 0xc000, 0xd000, 0xf000, 0xffff] {
                let bytes = [first.to_le_bytes(), u16::to_le_bytes(second)].concat();
                let _ = Instruction::decode(&bytes, 0);
                assert!(Instruction::decode(&bytes[..1], 0).is_none());
            }
        }
    }
}
