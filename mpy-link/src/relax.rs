//! Rewrites code when more is known about addresses than the compiler knew:
//!
//! - Absolute addresses in instructions become PC-relative.
//! - A load from the GOT becomes a computation if the address is in text.
//! - An offset in the GOT moves from a word into the instruction that loads it.
//! - A long call becomes a short one.
//!
//! This file decides where this is possible. How instructions change is in `arch/*`.

use target_specs::{Diagnostic, Result};

use crate::got::Got;
use crate::layout::{Base, Layout, Region};
use crate::model::{Binding, Cut, MakeRelative, Moves, Object, RelaxCode, Reloc, Symbol, SymbolDef};
use crate::reloc::Formula;
use crate::resolve::{Owned, Program, SectionId, Target};

/// The largest size in bytes of a GOT whose offsets fit into instructions.
const INLINE_GOT: usize = 256;

/// The sections with reachable code. They consist of one fragment.
fn live_text(program: &Program, regions: &[Option<Region>]) -> Vec<SectionId> {
    let live = |owned: &&Owned| {
        owned.fragments.len() == 1
            && regions[owned.fragments.start] == Some(Region::Text)
            && !owned.section.relocs.is_empty()
    };
    let sections = program.sections.iter().enumerate();
    sections.filter(|(_, owned)| live(owned)).map(|(id, _)| id).collect()
}

/// Makes code PC-relative that was compiled for absolute addresses.
///
/// # Errors
/// `absolute-address`, if the parts of an address cannot be found with certainty.
pub fn make_relative(program: &mut Program) -> Result<()> {
    let Some(MakeRelative { is_entry, rewrite }) = &program.arch.make_relative else { return Ok(()) };
    let is_part = |owned: &Owned, reloc: &Reloc| {
        let Some(row) = program.arch.row(reloc.r_type) else { return false };
        let target = || program.resolve_reloc(owned.object, reloc, row.formula);
        matches!(row.formula, Formula::High | Formula::Low)
            && matches!(target(), Some((Target::Fragment(..), _)))
    };
    let live = |owned: &Owned| owned.fragments.len() == 1 && program.fragments[owned.fragments.start].live;
    let mut affected: Vec<(SectionId, Vec<bool>)> = Vec::new();
    for (id, owned) in program.sections.iter().enumerate().filter(|(_, owned)| live(owned)) {
        let near: Vec<bool> = owned.section.relocs.iter().map(|reloc| is_part(owned, reloc)).collect();
        if near.contains(&true) {
            affected.push((id, near));
        }
    }
    for (id, near) in affected {
        let owned = &program.sections[id];
        let symbols = &program.objects[owned.object].symbols;
        let (object, def) = (owned.object, owned.def);
        let mut entries: Vec<u32> = symbols
            .iter()
            .filter(|symbol| symbol.def == def && (symbol.is_function || symbol.binding != Binding::Local))
            .filter_map(|symbol| u32::try_from(symbol.value).ok())
            .collect();
        for user in program.section_ids[object].iter().flatten().map(|&id| &program.sections[id].section) {
            for reloc in user.relocs.iter().filter(|reloc| is_entry(reloc, &user.data)) {
                let symbol = symbols.get(reloc.symbol as usize).filter(|symbol| symbol.def == def);
                let value = symbol.map(|symbol| (symbol.value as i64).wrapping_add(reloc.addend));
                entries.extend(value.and_then(|value| u32::try_from(value).ok()));
            }
        }
        let hi_lo_pairs = rewrite(&mut program.sections[id].section, symbols, def, &entries, &near);
        match hi_lo_pairs {
            Ok(hi_lo_pairs) => program.sections[id].section.hi_lo_pairs = hi_lo_pairs,
            Err(at) => {
                let reloc = program.sections[id].section.relocs[at as usize];
                let name = program.symbol_name(id, &reloc);
                return Err(Diagnostic::new(
                    "absolute-address",
                    format!(
                        "this code contains the absolute address of `{name}`, which only the loader knows"
                    ),
                )
                .at(program.section_place(id, Some(reloc.offset)))
                .help(program.arch.absolute_help));
            }
        }
    }
    Ok(())
}

/// Replaces loads from the GOT if the address is in text.
pub fn relax_got(program: &mut Program, regions: &[Option<Region>]) {
    let Some(relax) = program.arch.relax_got else { return };
    for id in live_text(program, regions) {
        let owned = &program.sections[id];
        let object = owned.object;
        let near = |reloc: &Reloc| match program.resolve_symbol(object, reloc.symbol as usize) {
            Some(target @ Target::Fragment(..)) => match program.canonical(target) {
                Target::Fragment(fragment, _) => regions[fragment] == Some(Region::Text),
                _ => false,
            },
            _ => false,
        };
        let near: Vec<bool> = owned.section.relocs.iter().map(near).collect();
        let here = owned.def;
        relax(&mut program.sections[id].section, &program.objects[object].symbols, here, &near);
    }
}

/// Moves offsets in the GOT into instructions.
pub fn inline_got(program: &mut Program, regions: &[Option<Region>]) {
    let Some(inline) = program.arch.inline_got else { return };
    if Got::collect(program).len() * usize::from(program.arch.word) > INLINE_GOT {
        return;
    }
    // The addend of other relocations is not only an offset in the section.
    let is_plain = |&(section, at): &(SectionId, usize)| {
        let r_type = program.sections[section].section.relocs[at].r_type;
        matches!(program.arch.row(r_type).map(|row| row.formula), Some(Formula::Absolute))
    };
    let followed = followers(program);
    let mut sections = live_text(program, regions);
    sections.retain(|id| followed[*id].addends.iter().all(is_plain));
    for id in sections {
        let owned = &program.sections[id];
        let (object, here) = (owned.object, owned.def);
        let cuts = inline(&mut program.sections[id].section, &program.objects[object].symbols, here);
        if !cuts.is_empty() {
            // The indices of relocations have changed.
            let followers = followers(program);
            remove(program, id, &cuts, &followers[id]);
            let relocs = program.sections[id].section.relocs.len();
            program.fragments[program.sections[id].fragments.start].relocs = 0..relocs;
        }
    }
}

/// What has to be changed when bytes of a section are removed.
#[derive(Default, Clone)]
struct Followers {
    /// The indices of the symbols in the section.
    symbols: Vec<usize>,
    /// The relocations whose addend is an offset in the section.
    addends: Vec<(SectionId, usize)>,
}

/// By section, what has to be changed when bytes of it are removed.
fn followers(program: &Program) -> Vec<Followers> {
    let mut followers = vec![Followers::default(); program.sections.len()];
    let section_of = |object: usize, symbol: &Symbol| match symbol.def {
        SymbolDef::Section(index) => program.section_ids[object].get(index as usize).copied().flatten(),
        _ => None,
    };
    for (object, Object { symbols, .. }) in program.objects.iter().enumerate() {
        for (index, symbol) in symbols.iter().enumerate() {
            if let Some(section) = section_of(object, symbol) {
                followers[section].symbols.push(index);
            }
        }
    }
    for (id, owned) in program.sections.iter().enumerate() {
        for (at, reloc) in owned.section.relocs.iter().enumerate() {
            let symbol = program.objects[owned.object].symbols.get(reloc.symbol as usize);
            let symbol = symbol.filter(|symbol| symbol.is_section);
            if let Some(section) = symbol.and_then(|symbol| section_of(owned.object, symbol)) {
                followers[section].addends.push((id, at));
            }
        }
    }
    followers
}

/// Shortens code in rounds.
pub struct CodeRelaxer {
    relax: RelaxCode,
    sections: Vec<SectionId>,
    /// By section.
    followers: Vec<Followers>,
}

impl CodeRelaxer {
    /// `None` if the architecture has nothing to shorten.
    pub fn new(program: &Program, regions: &[Option<Region>]) -> Option<CodeRelaxer> {
        let relax = program.arch.relax_code?;
        Some(CodeRelaxer { relax, sections: live_text(program, regions), followers: followers(program) })
    }

    /// Runs one round. Returns whether addresses have to be assigned again.
    pub fn round(&self, program: &mut Program, layout: &Layout, last: bool) -> bool {
        // When code moves to lower addresses, a distance can grow only because of alignment.
        let aligns = program.fragments.iter().zip(&layout.slots).filter(|(_, slot)| slot.is_some());
        let slack = i64::from(aligns.map(|(fragment, _)| fragment.align).max().unwrap_or(1));
        let mut changed = false;
        // Bytes are removed after the round, because distances are those of `layout`.
        let mut cuts = Vec::new();
        for &id in &self.sections {
            let owned = &program.sections[id];
            let object = owned.object;
            let Some((_, start)) = layout.slots[owned.fragments.start] else { continue };
            let distance = |reloc: &Reloc| {
                let row = program.arch.row(reloc.r_type)?;
                let (target, addend) = program.resolve_reloc(object, reloc, row.formula)?;
                let value = layout.value(program, target);
                let here = i64::from(start) + i64::from(reloc.offset);
                let in_text = value.base == Base::Region(Region::Text);
                in_text.then(|| value.offset.wrapping_add(addend).wrapping_sub(here))
            };
            let distances: Vec<Option<i64>> = owned.section.relocs.iter().map(distance).collect();
            let flags = program.objects[object].abi.flags;
            cuts.push((id, (self.relax)(&mut program.sections[id].section, flags, &distances, slack, last)));
        }
        for (id, cuts) in cuts {
            if !cuts.is_empty() {
                remove(program, id, &cuts, &self.followers[id]);
                changed = true;
            }
        }
        changed
    }
}

/// Removes bytes from a section, and adjusts everything that refers to what follows them.
fn remove(program: &mut Program, id: SectionId, cuts: &[Cut], followers: &Followers) {
    let moves = Moves::new(cuts);
    let total: u32 = cuts.iter().map(|cut| cut.len).sum();
    let moved = |offset: i64| moves.of(offset);
    let moved_u64 = |offset: u64| i64::try_from(offset).map_or(offset, |offset| moved(offset) as u64);

    let owned = &mut program.sections[id];
    let data = owned.section.data.to_mut();
    let mut kept = Vec::with_capacity(data.len());
    let mut from = 0;
    for cut in cuts {
        kept.extend_from_slice(&data[from..cut.offset as usize]);
        from = (cut.offset + cut.len) as usize;
    }
    kept.extend_from_slice(&data[from..]);
    *data = kept;
    owned.section.size -= total;
    program.fragments[owned.fragments.start].len -= total;
    for reloc in &mut owned.section.relocs {
        reloc.offset = moved(i64::from(reloc.offset)) as u32;
    }

    let symbols = &mut program.objects[owned.object].symbols;
    for &index in &followers.symbols {
        let symbol = &mut symbols[index];
        let end = moved_u64(symbol.value.saturating_add(symbol.size));
        symbol.value = moved_u64(symbol.value);
        symbol.size = end.saturating_sub(symbol.value);
    }
    for &(section, at) in &followers.addends {
        let reloc = &mut program.sections[section].section.relocs[at];
        reloc.addend = moved(reloc.addend);
    }
    program.sections[id].moves.push(moves);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_move_by_what_was_removed_before_them() {
        let cuts = [Cut { offset: 4, len: 4 }, Cut { offset: 20, len: 2 }];
        let arch = crate::arch::named(crate::arch::ARCHS[0].name).unwrap();
        let mut program = Program::load(&[], &[], arch).unwrap();
        program.add_test_section(vec![0; 32], &[0, 4, 6, 8, 20, 22, 32]);
        let followers = Followers { symbols: (0..7).collect(), addends: Vec::new() };
        remove(&mut program, 0, &cuts, &followers);
        let values: Vec<u64> = program.objects[0].symbols.iter().map(|symbol| symbol.value).collect();
        assert_eq!(values, [0, 4, 4, 4, 16, 16, 26]);
        assert_eq!(program.sections[0].section.data.len(), 26);
    }
}
