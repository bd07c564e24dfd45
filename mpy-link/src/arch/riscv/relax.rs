//! Linker relaxation (*RISC-V ELF psABI*, "Linker Relaxation") and loads from the GOT.
//!
//! - A load of an address from the GOT becomes a computation of the address if it is at a known distance.
//! - `auipc; jalr` becomes `jal`, `c.jal` or `c.j` if the target is near enough.
//! - Padding (`R_RISCV_ALIGN`) is shortened to what the alignment needs.

use std::collections::HashMap;

use super::fields::{
    ALIGN, CALL_NUMBERS, GOT_HI20, JAL, PCREL_HI20, PCREL_LO12_I, PCREL_LO12_S, RELAX, RVC_JUMP,
};
use crate::model::{Cut, Reloc, Section, Symbol, SymbolDef};

/// `auipc rd, %got_pcrel_hi(foo); lw rd, %pcrel_lo(…)(rd)` becomes `auipc rd, %pcrel_hi(foo); addi rd, rd, %pcrel_lo(…)` if
/// all users of the high part are such loads.
pub fn relax_got(section: &mut Section, symbols: &[Symbol], here: SymbolDef, near: &[bool]) {
    let Section { data, relocs, .. } = section;
    let word_load = loads_of_words(data, relocs, symbols, here);
    for (at, reloc) in relocs.iter_mut().enumerate() {
        if reloc.r_type != GOT_HI20 || !near[at] || reloc.addend != 0 {
            continue;
        }
        let Some(Some(loads)) = word_load.get(&reloc.offset) else { continue };
        for &load in loads {
            let place = &mut data.to_mut()[load as usize..];
            // I-type: the registers and the offset are unchanged.
            place[0] = place[0] & 0x80 | 0x13;
            place[1] &= 0x8f;
        }
        reloc.r_type = PCREL_HI20;
    }
}

/// By `auipc`, the loads that use it, or `None` if something else uses it.
fn loads_of_words(
    data: &[u8],
    relocs: &[Reloc],
    symbols: &[Symbol],
    here: SymbolDef,
) -> HashMap<u32, Option<Vec<u32>>> {
    let mut users: HashMap<u32, Option<Vec<u32>>> = HashMap::new();
    for reloc in relocs {
        if !matches!(reloc.r_type, PCREL_LO12_I | PCREL_LO12_S) {
            continue;
        }
        let Some(label) = symbols.get(reloc.symbol as usize).filter(|label| label.def == here) else {
            continue;
        };
        let Ok(high) = u32::try_from(label.value) else { continue };
        let loads = users.entry(high).or_insert_with(|| Some(Vec::new()));
        let code = data.get(reloc.offset as usize..).and_then(|code| code.first_chunk());
        // `lw` on RV32, `ld` on RV64. Entries of the GOT have no other width.
        let is_load = code.is_some_and(|&code| matches!(u32::from_le_bytes(code) & 0x707f, 0x2003 | 0x3003));
        match loads {
            Some(loads) if is_load && reloc.r_type == PCREL_LO12_I => loads.push(reloc.offset),
            _ => *loads = None,
        }
    }
    users
}

/// Shortens `auipc; jalr` to `jal`, `c.jal` or `c.j`, and in the last round removes excess padding. `C_JAL` is false for
/// RV64, which has no `c.jal`.
pub fn relax_code<const C_JAL: bool>(
    section: &mut Section,
    flags: u32,
    distance: &[Option<i64>],
    slack: i64,
    last: bool,
) -> Vec<Cut> {
    let compressed: &[u32] = match flags & object::elf::EF_RISCV_RVC {
        0 => &[],
        _ if C_JAL => &[0, 1],
        _ => &[0],
    };
    let Section { data, relocs, .. } = section;
    let mut cuts: Vec<Cut> = Vec::new();
    let mut removed = 0;
    for at in 0..relocs.len() {
        let Reloc { offset, r_type, addend, .. } = relocs[at];
        if last {
            // Each cut moves what follows it.
            let disjoint = cuts.last().is_none_or(|cut| cut.offset + cut.len <= offset);
            if r_type == ALIGN
                && disjoint
                && let Some(cut) = pad(data.to_mut(), offset, addend, removed)
            {
                removed += cut.len;
                cuts.push(cut);
            }
            continue;
        }
        let is_call = CALL_NUMBERS.contains(&r_type) || r_type == JAL;
        // `R_RISCV_RELAX` follows the relocation that it is for.
        let may = relocs.get(at + 1).is_some_and(|next| next.r_type == RELAX && next.offset == offset);
        let Some(distance) = distance[at].filter(|_| is_call && may) else { continue };
        let far = distance.saturating_abs().saturating_add(slack);
        if let Some((r_type, cut)) = shorten(data.to_mut(), offset, r_type, compressed, far) {
            let disjoint = cuts.last().is_none_or(|cut| cut.offset + cut.len <= offset);
            if disjoint {
                relocs[at].r_type = r_type;
                cuts.push(cut);
            }
        }
    }
    cuts
}

/// Replaces a call by the shortest one for the distance `far`. `compressed` are the link registers of compressed calls.
fn shorten(data: &mut [u8], offset: u32, r_type: u32, compressed: &[u32], far: i64) -> Option<(u32, Cut)> {
    let len: u32 = if r_type == JAL { 4 } else { 8 };
    let code = data.get_mut(offset as usize..offset as usize + len as usize)?;
    // The link register is that of the second instruction.
    let last = &code[len as usize - 4..];
    let link = u32::from(last[0] >> 7 | last[1] << 1) & 31;
    if compressed.contains(&link) && far < 1 << 11 {
        // `c.j`, `c.jal`
        let word: u16 = if link == 0 { 0xa001 } else { 0x2001 };
        code[..2].copy_from_slice(&word.to_le_bytes());
        return Some((RVC_JUMP, Cut { offset: offset + 2, len: len - 2 }));
    }
    if len == 8 && far < 1 << 20 {
        code[..4].copy_from_slice(&(0x6f | link << 7).to_le_bytes());
        return Some((JAL, Cut { offset: offset + 4, len: 4 }));
    }
    None
}

/// Shortens `nops` bytes of padding to what is needed. `removed` bytes before it have been removed.
fn pad(data: &mut [u8], offset: u32, nops: i64, removed: u32) -> Option<Cut> {
    let nops = u32::try_from(nops).ok().filter(|&nops| nops > 0 && nops < 1 << 12)?;
    // "The smallest power of two that is greater than the value of the addend field".
    let align = (nops + 1).next_power_of_two();
    let place = offset - removed;
    let needed = place.next_multiple_of(align) - place;
    let code = data.get_mut(offset as usize..)?.get_mut(..nops as usize)?;
    let cut = nops.checked_sub(needed).filter(|_| needed.is_multiple_of(2))?;
    // `c.nop` up to a word boundary, then `nop`.
    let (half, words) = code[..needed as usize].split_at_mut(needed as usize % 4);
    half.copy_from_slice(&[0x01, 0x00][..half.len()]);
    for word in words.chunks_exact_mut(4) {
        word.copy_from_slice(&0x13u32.to_le_bytes());
    }
    (cut > 0).then_some(Cut { offset: offset + needed, len: cut })
}
