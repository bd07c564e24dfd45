//! Symbol resolution: the definition of each symbol, and what the module needs.
//!
//! Both are found in one pass that starts at `mpy_init`. The relocations of each reachable fragment name symbols. If a
//! symbol is undefined, the archives are searched for it. The fragment that defines the symbol is reachable as well. So a
//! member of an archive is read only if reachable code needs it, and an undefined symbol in unreachable code is no error.
//!
//! A fragment is the smallest unit that is linked or left out: a section, or one element of a mergeable section.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::ops::Range;

use target_specs::{Diagnostic, Place, Result};

use crate::abi::{AbiInfo, Fits, Property};
use crate::arch::Arch;
use crate::archive::{self, Archive, MemberId};
use crate::elf;
use crate::model::{Binding, Kind, Moves, Object, Reloc, Section, Symbol, SymbolDef};
use crate::options::{Input, InputKind};
use crate::reloc::{Formula, Refusal};

/// Index of a section in [`Program::sections`].
pub type SectionId = usize;
/// Index of a fragment in [`Program::fragments`].
pub type FragmentId = usize;

/// A part of a section that is linked as a whole.
#[derive(Debug, Clone)]
pub struct Fragment {
    pub section: SectionId,
    /// Its offset in the section.
    pub start: u32,
    pub len: u32,
    pub align: u32,
    /// Its relocations, as a range of the section's.
    pub relocs: Range<usize>,
    pub live: bool,
    /// Whether it may be merged with fragments that have the same content.
    pub mergeable: bool,
    /// The fragment that contains the same bytes and is linked instead, and their offset in it.
    pub alias: Option<(FragmentId, u32)>,
}

/// A section and its object.
#[derive(Debug)]
pub struct Owned<'a> {
    pub object: usize,
    /// The definition of the symbols in it.
    pub def: SymbolDef,
    pub section: Section<'a>,
    /// Its fragments, sorted by `start`.
    pub fragments: Range<FragmentId>,
    /// What has been removed from it, one time after the other.
    pub moves: Vec<Moves>,
}

/// An address that the loader provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum External {
    /// `mp_native_qstr_table`
    Qstrs,
    /// `mp_native_obj_table`
    Objects,
    /// `mp_fun_table`
    FunTable,
    /// The address in an entry of `mp_fun_table`.
    FunEntry(u8),
}

/// The value of a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// An offset from the start of a fragment.
    Fragment(FragmentId, i64),
    Absolute(i64),
    External(External),
    /// `_GLOBAL_OFFSET_TABLE_`
    Got,
    /// A weak undefined symbol. Its address is 0, for which code tests before it calls.
    UndefWeak,
}

/// All objects, and what is known about them.
pub struct Program<'a> {
    pub arch: &'static Arch,
    pub objects: Vec<Object<'a>>,
    /// By object and ELF section index.
    pub section_ids: Vec<Vec<Option<SectionId>>>,
    pub sections: Vec<Owned<'a>>,
    pub fragments: Vec<Fragment>,
    globals: HashMap<&'a str, Definition>,
    groups: HashSet<&'a str>,
    archives: Vec<Archive<'a>>,
    lazy: HashMap<&'a str, (usize, MemberId)>,
    loaded: HashSet<(usize, MemberId)>,
    /// Whether a definition has replaced another one.
    overridden: bool,
    /// By property, the first object that specifies it, and the value.
    first_values: HashMap<&'static str, (String, String)>,
    /// The object and the symbol of the module's entry.
    entry: Option<(usize, usize)>,
    /// The addresses of symbols outside of the module.
    externs: HashMap<&'a str, u32>,
    /// By entry of `mp_fun_table`, the code that jumps to the function.
    stubs: HashMap<u8, FragmentId>,
}

#[derive(Debug, Clone, Copy)]
struct Definition {
    object: usize,
    /// Index into the object's symbols.
    symbol: usize,
    strength: Strength,
    /// The section that was created for a common symbol.
    common_section: Option<SectionId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Weak,
    Common,
    Strong,
}

/// The entries of `mp_fun_table` that objects can use as symbols (`tools/mpy_ld.py`).
pub const FUN_TABLE_SYMBOLS: [&str; 14] = [
    "mp_type_type",
    "mp_type_str",
    "mp_type_list",
    "mp_type_dict",
    "mp_type_fun_builtin_0",
    "mp_type_fun_builtin_1",
    "mp_type_fun_builtin_2",
    "mp_type_fun_builtin_3",
    "mp_type_fun_builtin_var",
    "mp_type_Exception",
    "mp_stream_read_obj",
    "mp_stream_readinto_obj",
    "mp_stream_unbuffered_readline_obj",
    "mp_stream_write_obj",
];
/// The index of the first of them (`py/nativeglue.h`).
pub const FUN_TABLE_FIRST: u8 = 73;

/// The functions of MicroPython that a module can call by name, if nothing else defines them, because compilers generate
/// calls of them; and their entries in `mp_fun_table`. `memmove` does what `memcpy` does.
pub const FUNCTIONS: [(&str, u8); 3] = [("memset", 50), ("memmove", 51), ("memcpy", 51)];

/// What the symbol of a function by its entry in `mp_fun_table` begins with. Its number follows.
pub const ENTRY_PREFIX: &str = "mp_fun_table.";

/// Two strong definitions of one symbol.
struct Duplicate<'a> {
    name: &'a str,
    /// The objects.
    first: usize,
    second: usize,
}

/// An undefined symbol.
struct Undefined<'a> {
    name: &'a str,
    /// The places of the first references.
    from: Vec<Place>,
    /// The number of references.
    count: usize,
}

/// The number of references to an undefined symbol that a message shows.
const MAX_SHOWN: usize = 3;

impl<'a> Program<'a> {
    /// Reads the objects and the indices of the archives.
    ///
    /// # Errors
    /// As [`crate::elf::read`], and `duplicate-symbol`.
    pub fn load(
        inputs: &[Input<'a>],
        externs: &'a [(String, u32)],
        arch: &'static Arch,
    ) -> Result<Program<'a>> {
        let mut program = Program {
            arch,
            objects: Vec::new(),
            section_ids: Vec::new(),
            sections: Vec::new(),
            fragments: Vec::new(),
            globals: HashMap::new(),
            groups: HashSet::new(),
            archives: Vec::new(),
            lazy: HashMap::new(),
            loaded: HashSet::new(),
            overridden: false,
            first_values: HashMap::new(),
            entry: None,
            externs: externs.iter().map(|(name, address)| (name.as_str(), *address)).collect(),
            stubs: HashMap::new(),
        };
        let mut duplicates = Vec::new();
        for input in inputs {
            if input.kind == InputKind::Lazy || archive::is_archive(input.data) {
                let archive = Archive::open(input.name, input.data)?;
                let number = program.archives.len();
                for (name, member) in archive.index(arch)? {
                    program.lazy.entry(name).or_insert((number, member));
                }
                program.archives.push(archive);
            } else {
                let object = elf::read(input.name, input.data, arch)?;
                program.check_abi(&object, false)?;
                program.add(object, &mut duplicates);
            }
        }
        if duplicates.is_empty() { Ok(program) } else { Err(program.duplicate_error(&duplicates)) }
    }

    fn duplicate_error(&self, duplicates: &[Duplicate]) -> Diagnostic {
        let mut message = String::new();
        for Duplicate { name, first, second } in duplicates {
            let separator = if message.is_empty() { "" } else { "\n" };
            let (first, second) = (&self.objects[*first].name, &self.objects[*second].name);
            let _ =
                write!(message, "{separator}duplicate symbol `{name}`: defined in {first} and in {second}");
        }
        let Duplicate { name, second, .. } = duplicates[0];
        let object = self.objects[second].name.clone();
        Diagnostic::new("duplicate-symbol", message)
            .at(Place::Object { object, section: None, offset: None, symbol: Some(name.to_owned()) })
            .help("make all but one `static`, or `__attribute__((weak))`")
    }

    /// Adds an object. Strong symbols that are already defined are added to `duplicates`.
    fn add(&mut self, mut object: Object<'a>, duplicates: &mut Vec<Duplicate<'a>>) {
        let number = self.objects.len();
        let mut dropped = HashSet::new();
        for group in &object.groups {
            if !self.groups.insert(group.signature) {
                dropped.extend(group.members.iter().map(|&member| member as usize));
            }
        }
        let mut ids = Vec::with_capacity(object.sections.len());
        for (index, section) in std::mem::take(&mut object.sections).into_iter().enumerate() {
            let id = section
                .filter(|_| !dropped.contains(&index))
                .map(|section| self.add_section(number, SymbolDef::Section(index as u32), section));
            ids.push(id);
        }
        self.section_ids.push(ids);
        for symbol in &mut object.symbols {
            if let SymbolDef::Section(section) = symbol.def
                && dropped.contains(&(section as usize))
            {
                symbol.def = SymbolDef::Dropped;
            }
        }
        for (index, symbol) in object.symbols.iter().enumerate() {
            self.define(number, index, symbol, duplicates);
        }
        self.objects.push(object);
    }

    /// Checks that an object was compiled for the architecture, and like the other objects.
    fn check_abi(&mut self, object: &Object, is_library: bool) -> Result<()> {
        if !object.abi.has_code {
            return Ok(());
        }
        for Property { name, of, fits, help } in self.arch.properties {
            let Some(found) = of(&object.abi) else { continue };
            let message = match fits {
                Fits::Arch(values) if values.contains(&&*found) => continue,
                Fits::Arch(values) => {
                    let own = values.last().unwrap_or(&"none");
                    format!("not compiled for `{}`: its `{name}` is {found}, not {own}", self.arch.name)
                }
                Fits::Without => {
                    format!("not compiled for `{}`: its `{name}` has {found}", self.arch.name)
                }
                Fits::NamedObjects if is_library => continue,
                Fits::Objects | Fits::NamedObjects => match self.first_values.get(name) {
                    Some((_, value)) if *value == found => continue,
                    Some((first, value)) => {
                        format!("not compiled as {first}: its `{name}` is {found}, there it is {value}")
                    }
                    None => {
                        self.first_values.insert(name, (object.name.clone(), found));
                        continue;
                    }
                },
            };
            return Err(Diagnostic::new("foreign-object", message).at(object_place(object)).help(*help));
        }
        Ok(())
    }

    fn add_section(&mut self, object: usize, def: SymbolDef, section: Section<'a>) -> SectionId {
        let id = self.sections.len();
        let first = self.fragments.len();
        split(&section, id, &mut self.fragments);
        let fragments = first..self.fragments.len();
        self.sections.push(Owned { object, def, section, fragments, moves: Vec::new() });
        id
    }

    fn define(
        &mut self,
        object: usize,
        index: usize,
        symbol: &Symbol<'a>,
        duplicates: &mut Vec<Duplicate<'a>>,
    ) {
        if symbol.binding == Binding::Local || symbol.name.is_empty() {
            return;
        }
        let strength = match (symbol.def, symbol.binding) {
            (SymbolDef::Undefined | SymbolDef::Dropped, _) => return,
            (SymbolDef::Common, _) => Strength::Common,
            (_, Binding::Weak) => Strength::Weak,
            _ => Strength::Strong,
        };
        let mut new = Definition { object, symbol: index, strength, common_section: None };
        let old = self.globals.get(symbol.name).copied();
        if let Some(old) = old {
            if strength == Strength::Common && old.strength == Strength::Common {
                self.merge_common(old.common_section, symbol);
                return;
            }
            if strength == Strength::Strong && old.strength == Strength::Strong {
                duplicates.push(Duplicate { name: symbol.name, first: old.object, second: object });
            }
            if strength <= old.strength {
                return;
            }
            self.overridden = true;
        }
        if strength == Strength::Common {
            new.common_section = Some(self.add_section(
                object,
                SymbolDef::Common,
                Section {
                    name: "COMMON",
                    kind: Kind::Bss,
                    data: Default::default(),
                    size: 0,
                    align: 1,
                    merge: None,
                    retain: false,
                    relocs: Vec::new(),
                    hi_lo_pairs: Vec::new(),
                },
            ));
            self.merge_common(new.common_section, symbol);
        }
        self.globals.insert(symbol.name, new);
    }

    /// Makes the section of a common symbol large enough for another declaration of it.
    fn merge_common(&mut self, common_section: Option<SectionId>, symbol: &Symbol) {
        let Some(Owned { section, fragments, .. }) =
            common_section.and_then(|common_section| self.sections.get_mut(common_section))
        else {
            return;
        };
        section.size = section.size.max(u32::try_from(symbol.size).unwrap_or(u32::MAX));
        let align = u32::try_from(symbol.value).ok().filter(|align| align.is_power_of_two()).unwrap_or(1);
        section.align = section.align.max(align);
        let fragment = &mut self.fragments[fragments.start];
        (fragment.len, fragment.align) = (section.size, section.align);
    }

    /// The section of a common symbol.
    pub fn common_section(&self, name: &str) -> Option<SectionId> {
        self.globals.get(name)?.common_section
    }

    /// The target of a relocation and the remaining addend; `None` if the symbol is undefined. The part of the addend that
    /// selects the target is not in the remaining addend. `formula` is that of the relocation.
    pub fn resolve_reloc(&self, object: usize, reloc: &Reloc, formula: Formula) -> Option<(Target, i64)> {
        let Some(symbol) = self.objects[object].symbols.get(reloc.symbol as usize) else {
            return Some((Target::Absolute(0), reloc.addend));
        };
        if symbol.is_section {
            // The section and the addend together select the object.
            let bias = self.bias(formula);
            let offset = (symbol.value as i64).wrapping_add(reloc.addend).wrapping_sub(bias);
            return Some((self.place_in(object, symbol, offset)?, bias));
        }
        let target = self.resolve_symbol(object, reloc.symbol as usize)?;
        if let Some(stub) = stub_of(target, formula).and_then(|entry| self.stubs.get(&entry)) {
            return Some((Target::Fragment(*stub, i64::from(self.arch.stub.entry)), reloc.addend));
        }
        if let Target::Fragment(fragment, offset) = target {
            let Fragment { section, start, .. } = self.fragments[fragment];
            if reloc.addend != 0 && self.sections[section].section.kind == Kind::Literals {
                // One symbol can be used for all literals of a section.
                let offset = offset.wrapping_add(i64::from(start)).wrapping_add(reloc.addend);
                let (fragment, offset) = self.fragment_at(section, offset);
                return Some((Target::Fragment(fragment, offset), 0));
            }
        }
        Some((target, reloc.addend))
    }

    /// Whether the symbol of a relocation is a function in the other instruction set of the processor. Thumb functions have
    /// odd addresses.
    fn is_foreign_code(&self, object: usize, reloc: &Reloc) -> bool {
        let Some(symbol) = self.objects[object].symbols.get(reloc.symbol as usize) else { return false };
        let definition = self.globals.get(symbol.name).filter(|_| symbol.binding != Binding::Local);
        let symbol = definition.map_or(symbol, |found| &self.objects[found.object].symbols[found.symbol]);
        let is_other = symbol.value as i64 & self.arch.code_bit != self.arch.code_bit;
        symbol.is_function && matches!(symbol.def, SymbolDef::Section(_)) && is_other
    }

    /// The value of a symbol; `None` if it is undefined.
    pub fn resolve_symbol(&self, object: usize, index: usize) -> Option<Target> {
        let symbol = self.objects[object].symbols.get(index)?;
        if symbol.binding != Binding::Local {
            if let Some(definition) = self.globals.get(symbol.name) {
                let owner = &self.objects[definition.object].symbols[definition.symbol];
                if let Some(common_section) = definition.common_section {
                    return Some(Target::Fragment(self.sections[common_section].fragments.start, 0));
                }
                return self.place_in(definition.object, owner, owner.value as i64);
            }
            return provided(symbol.name).or_else(|| {
                // Unlike in other linkers, a weak reference can load a member of an archive: whether the
                // symbol is defined must not depend on what else needs the member.
                if self.lazy.contains_key(symbol.name) {
                    return None;
                }
                let external = || {
                    let (_, entry) = FUNCTIONS.iter().find(|(name, _)| *name == symbol.name)?;
                    Some(Target::External(External::FunEntry(*entry)))
                };
                let undef_weak = || (symbol.binding == Binding::Weak).then_some(Target::UndefWeak);
                let fixed = self.externs.get(symbol.name);
                fixed.map(|&address| Target::Absolute(address.into())).or_else(external).or_else(undef_weak)
            });
        }
        self.place_in(object, symbol, symbol.value as i64)
    }

    fn place_in(&self, object: usize, symbol: &Symbol, offset: i64) -> Option<Target> {
        match symbol.def {
            SymbolDef::Absolute => Some(Target::Absolute(offset)),
            SymbolDef::Section(section) => {
                let id = (*self.section_ids[object].get(section as usize)?)?;
                let (fragment, offset) = self.fragment_at(id, offset);
                Some(Target::Fragment(fragment, offset))
            }
            // The null symbol.
            SymbolDef::Undefined if symbol.name.is_empty() && symbol.binding == Binding::Local => {
                Some(Target::Absolute(offset))
            }
            SymbolDef::Undefined | SymbolDef::Dropped | SymbolDef::Common => None,
        }
    }

    /// The fragment of a section that contains `offset`, and the offset in that fragment. An offset outside of the section
    /// belongs to the first or last fragment.
    pub fn fragment_at(&self, section: SectionId, offset: i64) -> (FragmentId, i64) {
        let range = self.sections[section].fragments.clone();
        let after =
            self.fragments[range.clone()].partition_point(|fragment| i64::from(fragment.start) <= offset);
        let id = range.start + after.saturating_sub(1);
        (id, offset.wrapping_sub(i64::from(self.fragments[id].start)))
    }

    #[cfg(test)]
    pub fn add_test_section(&mut self, data: Vec<u8>, values: &[u64]) {
        let section = Section::of_text(data, Vec::new());
        let symbol = |&value: &u64| Symbol {
            name: "",
            binding: Binding::Local,
            def: SymbolDef::Section(0),
            is_section: false,
            is_function: false,
            is_visible: false,
            value,
            size: 0,
        };
        let symbols = values.iter().map(symbol).collect();
        let object = Object {
            name: String::new(),
            sections: vec![Some(section)],
            symbols,
            groups: Vec::new(),
            abi: AbiInfo::default(),
        };
        self.add(object, &mut Vec::new());
    }

    /// Marks everything that is reachable from `entry`. Reads members of archives if they are needed.
    ///
    /// # Errors
    /// `undefined-symbol`, `no-entry`, `tls`, `static-constructor`, and those of reading.
    pub fn mark(&mut self, entry: &str) -> Result<()> {
        let start = self.find_entry(entry)?;
        let mut work = vec![start];
        self.overridden = false;
        let mut rooted = 0;
        let mut undefined: Vec<Undefined<'a>> = Vec::new();
        let mut numbers: HashMap<&'a str, usize> = HashMap::new();
        'fragments: loop {
            // The sections of objects that were added since the last iteration.
            while let Some(owned) = self.sections.get(rooted) {
                if owned.section.retain {
                    work.extend(owned.fragments.clone());
                }
                if owned.section.kind == Kind::Constructors && owned.section.size > 0 {
                    return Err(Diagnostic::new("static-constructor", "constructors are never run")
                        .at(self.section_place(rooted, None))
                        .help(
                            "initialise the variable with a constant, or in a function that the module calls",
                        ));
                }
                rooted += 1;
            }
            let Some(fragment) = work.pop() else { break };
            if std::mem::replace(&mut self.fragments[fragment].live, true) {
                continue;
            }
            let section = self.fragments[fragment].section;
            let object = self.sections[section].object;
            for at in self.fragments[fragment].relocs.clone() {
                let reloc = self.sections[section].section.relocs[at];
                let Some(row) = self.arch.row(reloc.r_type) else {
                    return Err(self.unknown_relocation(section, &reloc));
                };
                let formula = match row.formula {
                    Formula::None | Formula::Align => continue,
                    Formula::Refuse(refusal) => return Err(self.refused(section, &reloc, refusal)),
                    Formula::ByInstruction(decode) => {
                        let data = &self.sections[section].section.data;
                        let code = data.get(reloc.offset as usize..).unwrap_or_default();
                        decode(code).map_or(row.formula, |(formula, _)| formula)
                    }
                    formula => formula,
                };
                loop {
                    if self.is_foreign_code(object, &reloc) {
                        return Err(self.refused(section, &reloc, Refusal::ForeignCode));
                    }
                    match self.resolve_reloc(object, &reloc, formula) {
                        Some((Target::Fragment(fragment, _), _)) => {
                            if self.sections[self.fragments[fragment].section].section.kind == Kind::Tls {
                                return Err(self.refused(section, &reloc, Refusal::Tls));
                            }
                            work.push(fragment);
                        }
                        Some((target, _)) => {
                            if let Some(entry) = stub_of(target, formula) {
                                let name = self.objects[object].symbols[reloc.symbol as usize].name;
                                self.add_stub(name, entry);
                                continue;
                            }
                        }
                        None => {
                            let symbol = self.objects[object].symbols[reloc.symbol as usize];
                            if self.load_member(symbol.name)? {
                                if std::mem::take(&mut self.overridden) {
                                    // What only the old definition needs may be unreachable.
                                    self.fragments.iter_mut().for_each(|fragment| fragment.live = false);
                                    undefined.clear();
                                    numbers.clear();
                                    work = vec![self.find_entry(entry)?];
                                    rooted = 0;
                                    continue 'fragments;
                                }
                                continue;
                            }
                            // Debugging information, or a discarded section of a COMDAT group.
                            let name =
                                if symbol.name.is_empty() { "a discarded section" } else { symbol.name };
                            let number = *numbers.entry(name).or_insert_with(|| {
                                undefined.push(Undefined { name, from: Vec::new(), count: 0 });
                                undefined.len() - 1
                            });
                            undefined[number].count += 1;
                            if undefined[number].from.len() < MAX_SHOWN {
                                let place = self.section_place(section, Some(reloc.offset));
                                undefined[number].from.push(place);
                            }
                        }
                    }
                    break;
                }
            }
        }
        if undefined.is_empty() {
            Ok(())
        } else {
            Err(undefined_error(&undefined, !self.archives.is_empty()))
        }
    }

    /// Adds code that jumps to the function `name`, which is an entry of `mp_fun_table`. Branches cannot reach the function
    /// itself.
    fn add_stub(&mut self, name: &'a str, entry: u8) {
        let stub = &self.arch.stub;
        let reloc = Reloc { offset: stub.word.into(), r_type: stub.r_type, symbol: 1, addend: 0 };
        let section = Section {
            name: "jump to the firmware",
            kind: Kind::Text,
            data: stub.code.into(),
            size: stub.code.len() as u32,
            align: self.arch.word.into(),
            merge: None,
            retain: false,
            relocs: vec![reloc],
            hi_lo_pairs: Vec::new(),
        };
        let here = Symbol {
            name,
            binding: Binding::Local,
            def: SymbolDef::Section(0),
            is_section: false,
            is_function: true,
            is_visible: false,
            value: 0,
            size: stub.code.len() as u64,
        };
        let function = Symbol { binding: Binding::Global, def: SymbolDef::Undefined, size: 0, ..here };
        let object = Object {
            name: String::new(),
            sections: vec![Some(section)],
            symbols: vec![here, function],
            groups: Vec::new(),
            abi: AbiInfo::default(),
        };
        self.stubs.insert(entry, self.fragments.len());
        // It defines no global symbol.
        self.add(object, &mut Vec::new());
    }

    /// The part of a section symbol's addend that is not an offset in the section.
    fn bias(&self, formula: Formula) -> i64 {
        if matches!(formula, Formula::Relative(_) | Formula::Jump(_)) { self.arch.relative_bias } else { 0 }
    }

    /// Finds the definition of the entry. Returns its fragment.
    fn find_entry(&mut self, name: &str) -> Result<FragmentId> {
        if !self.globals.contains_key(name) {
            self.load_member(name)?;
        }
        self.entry = self.globals.get(name).map(|definition| (definition.object, definition.symbol));
        match self.entry() {
            Some(Target::Fragment(fragment, _))
                if self.sections[self.fragments[fragment].section].section.kind == Kind::Text =>
            {
                Ok(fragment)
            }
            _ => Err(Diagnostic::new("no-entry", format!("no object defines the function `{name}`")).help(format!(
                "the entry of a module is `mp_obj_t {name}(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args)`"
            ))),
        }
    }

    /// The extensions of the instruction set that reachable code was compiled for.
    pub fn extensions(&self) -> u32 {
        let of_object: Vec<u32> =
            self.objects.iter().map(|object| (self.arch.extensions)(&object.abi)).collect();
        let live = self.fragments.iter().filter(|fragment| fragment.live);
        live.fold(0, |all, fragment| all | of_object[self.sections[fragment.section].object])
    }

    /// The entry of the module.
    pub fn entry(&self) -> Option<Target> {
        self.entry.and_then(|(object, symbol)| self.resolve_symbol(object, symbol))
    }

    /// Adds the member that defines `name`. Returns whether there is one that was not added before.
    fn load_member(&mut self, name: &str) -> Result<bool> {
        let Some(&id) = self.lazy.get(name) else { return Ok(false) };
        if !self.loaded.insert(id) {
            return Ok(false);
        }
        let object = self.archives[id.0].member(id.1, self.arch)?;
        self.check_abi(&object, true)?;
        let mut duplicates = Vec::new();
        self.add(object, &mut duplicates);
        if duplicates.is_empty() { Ok(true) } else { Err(self.duplicate_error(&duplicates)) }
    }

    /// A place in a section, for a message.
    pub fn section_place(&self, section: SectionId, offset: Option<u32>) -> Place {
        let owned = &self.sections[section];
        let symbol = offset.and_then(|offset| self.function_at(section, offset));
        Place::Object {
            object: self.objects[owned.object].name.clone(),
            section: Some(owned.section.name.to_owned()),
            offset: offset.map(u64::from),
            symbol: symbol.map(str::to_owned),
        }
    }

    /// The symbol at or before an offset in a section.
    fn function_at(&self, section: SectionId, offset: u32) -> Option<&'a str> {
        let object = self.sections[section].object;
        let ids = &self.section_ids[object];
        let inside = |symbol: &&Symbol| match symbol.def {
            SymbolDef::Section(index) => {
                ids.get(index as usize) == Some(&Some(section))
                    && !symbol.is_section
                    && symbol.value <= u64::from(offset)
                    && (symbol.size > 0 || symbol.is_function)
            }
            _ => false,
        };
        let symbols = &self.objects[object].symbols;
        symbols.iter().filter(inside).max_by_key(|symbol| symbol.value).map(|symbol| symbol.name)
    }

    /// The name of a relocation's symbol, for a message.
    pub fn symbol_name(&self, section: SectionId, reloc: &Reloc) -> &'a str {
        let object = self.sections[section].object;
        let Some(symbol) = self.objects[object].symbols.get(reloc.symbol as usize) else { return "" };
        match symbol.def {
            SymbolDef::Section(index) if symbol.name.is_empty() => {
                let id = self.section_ids[object].get(index as usize).copied().flatten();
                id.map_or("", |id| self.sections[id].section.name)
            }
            _ => symbol.name,
        }
    }

    fn refused(&self, section: SectionId, reloc: &Reloc, refusal: Refusal) -> Diagnostic {
        let name = self.symbol_name(section, reloc);
        let (code, message, help) = match refusal {
            Refusal::Tls => (
                "tls",
                format!("`{name}` is thread-local, and modules have no thread-local storage"),
                "make it an ordinary static variable",
            ),
            Refusal::ForeignCode => (
                "foreign-object",
                format!("`{name}` is used by, or is, code for another instruction set of this machine"),
                "compile for the instruction set of the architecture (Cortex-M: -mthumb)",
            ),
            Refusal::Dynamic => (
                "malformed-object",
                format!("a relocation for a dynamic linker, against `{name}`"),
                "link relocatable objects, not executables or shared libraries",
            ),
        };
        Diagnostic::new(code, message).at(self.section_place(section, Some(reloc.offset))).help(help)
    }

    fn unknown_relocation(&self, section: SectionId, reloc: &Reloc) -> Diagnostic {
        Diagnostic::new(
            "unknown-relocation",
            format!(
                "unknown relocation type {} against `{}`",
                reloc.r_type,
                self.symbol_name(section, reloc)
            ),
        )
        .at(self.section_place(section, Some(reloc.offset)))
    }
}

/// Splits a section into fragments.
fn split(section: &Section, id: SectionId, fragments: &mut Vec<Fragment>) {
    let mut push = |start: u32, len: u32, relocs: Range<usize>, mergeable: bool| {
        let natural = if start == 0 { section.align } else { 1 << start.trailing_zeros().min(31) };
        let align = natural.min(section.align);
        fragments.push(Fragment {
            section: id,
            start,
            len,
            align,
            relocs,
            live: false,
            mergeable,
            alias: None,
        });
    };
    match section.merge {
        Some(merge) if merge.strings && section.relocs.is_empty() => {
            let entry = merge.entry as usize;
            let mut start = 0;
            for end in (entry..=section.data.len()).step_by(entry) {
                let last = end == section.data.len();
                if last || section.data[end - entry..end].iter().all(|&byte| byte == 0) {
                    push(start as u32, (end - start) as u32, 0..0, true);
                    start = end;
                }
            }
        }
        Some(merge) if section.size > 0 && (section.relocs.is_empty() || section.kind == Kind::Literals) => {
            let mut next = 0;
            let mut start = 0;
            while start < section.size {
                let len = merge.entry.min(section.size - start);
                let first = next;
                while section.relocs.get(next).is_some_and(|reloc| reloc.offset < start + len) {
                    next += 1;
                }
                push(start, len, first..next, true);
                start += len;
            }
        }
        _ => push(0, section.size, 0..section.relocs.len(), false),
    }
}

/// The entry of `mp_fun_table` whose function a relocation with this formula refers to by its distance.
fn stub_of(target: Target, formula: Formula) -> Option<u8> {
    let Target::External(External::FunEntry(entry)) = target else { return None };
    let is_function = entry < FUN_TABLE_FIRST;
    let is_distance = matches!(formula, Formula::Relative(_) | Formula::Jump(_) | Formula::ThumbBranch);
    (is_function && is_distance).then_some(entry)
}

/// A symbol that the linker or the loader defines.
fn provided(name: &str) -> Option<Target> {
    let external = match name {
        "_GLOBAL_OFFSET_TABLE_" => return Some(Target::Got),
        "mp_fun_table" => External::FunTable,
        "mp_native_qstr_table" => External::Qstrs,
        "mp_native_obj_table" => External::Objects,
        _ => External::FunEntry(match name.strip_prefix(ENTRY_PREFIX) {
            Some(entry) => entry.parse().ok().filter(|&entry| entry < FUN_TABLE_FIRST)?,
            None => FUN_TABLE_FIRST + FUN_TABLE_SYMBOLS.iter().position(|&symbol| symbol == name)? as u8,
        }),
    };
    Some(Target::External(external))
}

fn object_place(object: &Object) -> Place {
    Place::Object { object: object.name.clone(), section: None, offset: None, symbol: None }
}

fn undefined_error(undefined: &[Undefined], with_archives: bool) -> Diagnostic {
    let mut message = String::new();
    for symbol in undefined {
        let separator = if message.is_empty() { "" } else { "\n" };
        let _ = write!(message, "{separator}undefined symbol `{}`", symbol.name);
        // If there is only one symbol, its first use is the place of the diagnostic.
        let already_shown = usize::from(undefined.len() == 1);
        let others: Vec<String> = symbol.from.iter().skip(already_shown).map(Place::to_string).collect();
        if !others.is_empty() {
            let _ = write!(message, ", used at {}", others.join(" and at "));
        }
        let more = symbol.count.saturating_sub(symbol.from.len());
        if more > 0 {
            let _ = write!(message, " and {more} more");
        }
    }
    let names = || undefined.iter().map(|symbol| symbol.name);
    let help = if let Some(name) = names().find(|name| is_compiler_helper(name)) {
        let runtime = "the file that `-print-libgcc-file-name` prints";
        match with_archives {
            false => {
                format!(
                    "`{name}` belongs to the compiler's runtime library, which is missing: link {runtime}"
                )
            }
            true => format!(
                "`{name}` belongs to the compiler's runtime library, but no archive here defines it: link {runtime} if the \
                 compiler is given the flags of the objects"
            ),
        }
    } else if let Some(name) = names().find(|name| is_of_c_library(name)) {
        format!(
            "`{name}` belongs to the C library, and the compiler's runtime library (libgcc) does not define it: define the \
             function in the module, or link the C library (libc.a)"
        )
    } else {
        "define it, or link what defines it; of MicroPython, only `mp_fun_table` and its entries are available".to_owned()
    };
    Diagnostic::new("undefined-symbol", message)
        .at(undefined[0].from.first().cloned().unwrap_or_default())
        .help(help)
}

/// Whether compilers generate calls of `name`, and the C library defines it (*Run-time ABI for the Arm Architecture*, 4.3.4
/// "Memory copying, clearing, and setting", and *C Library ABI*).
fn is_of_c_library(name: &str) -> bool {
    let Some(name) = name.strip_prefix("__aeabi_") else {
        return matches!(name, "memcmp" | "strlen" | "abort" | "__assert_func");
    };
    let name = name.trim_end_matches(['4', '8']);
    matches!(name, "memcpy" | "memmove" | "memset" | "memclr" | "errno_addr" | "assert" | "atexit")
}

/// Whether compilers generate calls of `name`, and their runtime library defines it (names of libgcc and the EABI).
fn is_compiler_helper(name: &str) -> bool {
    if is_of_c_library(name) {
        return false;
    }
    if name.starts_with("__aeabi_") || name.starts_with("__gnu_") {
        return true;
    }
    let Some(name) = name.strip_prefix("__") else { return false };
    // `__`, operation, machine mode of the operands, number of operands: `__udivdi3`, `__floatsidf`.
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
    ["qi", "hi", "si", "di", "ti", "sf", "df", "tf", "xf"].iter().any(|mode| name.ends_with(mode))
}

impl Program<'_> {
    /// The fragment that is linked for `fragment`, and the offset of `fragment` in it.
    pub fn linked(&self, fragment: FragmentId) -> (FragmentId, u32) {
        self.fragments[fragment].alias.unwrap_or((fragment, 0))
    }

    /// `target` in the fragment that is linked.
    pub fn canonical(&self, target: Target) -> Target {
        match target {
            Target::Fragment(fragment, offset) => {
                let (fragment, start) = self.linked(fragment);
                Target::Fragment(fragment, offset.wrapping_add(i64::from(start)))
            }
            other => other,
        }
    }
}

/// Merges fragments with the same content, and strings with the end of another string.
pub fn merge(program: &mut Program) {
    let mut seen: HashMap<Content, FragmentId> = HashMap::new();
    let mut equal: Vec<(FragmentId, FragmentId)> = Vec::new();
    let mut strings: Vec<FragmentId> = Vec::new();
    for (id, fragment) in program.fragments.iter().enumerate() {
        if !fragment.live || !fragment.mergeable {
            continue;
        }
        let owned = &program.sections[fragment.section];
        if owned.section.merge.is_some_and(|merge| merge.strings && merge.entry == 1) {
            strings.push(id);
            continue;
        }
        match seen.entry(content(program, id)) {
            Entry::Vacant(vacant) => {
                vacant.insert(id);
            }
            Entry::Occupied(occupied) => equal.push((id, *occupied.get())),
        }
    }
    drop(seen);
    for (id, target) in equal {
        alias(program, id, target, 0);
    }
    // Sorted by the reversed text, a string is directly before those that end with it.
    let mut sorted: Vec<(Vec<u8>, FragmentId)> =
        strings.into_iter().map(|id| (bytes(program, id).iter().rev().copied().collect(), id)).collect();
    sorted.sort();
    for at in (1..sorted.len()).rev() {
        let (short, id) = &sorted[at - 1];
        let (long, longer) = &sorted[at];
        if long.starts_with(short) {
            let (target, start) = program.linked(*longer);
            let start = start + (long.len() - short.len()) as u32;
            if start.is_multiple_of(program.fragments[*id].align) {
                alias(program, *id, target, start);
            }
        }
    }
}

fn alias(program: &mut Program, id: FragmentId, target: FragmentId, start: u32) {
    let align = program.fragments[id].align;
    program.fragments[id].alias = Some((target, start));
    let target = &mut program.fragments[target];
    target.align = target.align.max(align);
}

/// What must be equal in fragments that are merged.
#[derive(PartialEq, Eq, Hash)]
struct Content<'a> {
    kind: Kind,
    bytes: &'a [u8],
    relocs: Vec<(u32, u32, Target, i64)>,
}

fn content<'p>(program: &'p Program, id: FragmentId) -> Content<'p> {
    let fragment = &program.fragments[id];
    let owned = &program.sections[fragment.section];
    let relocs = owned.section.relocs[fragment.relocs.clone()]
        .iter()
        .filter_map(|reloc| {
            let row = program.arch.row(reloc.r_type)?;
            let (target, addend) = program.resolve_reloc(owned.object, reloc, row.formula)?;
            Some((reloc.offset - fragment.start, reloc.r_type, target, addend))
        })
        .collect();
    Content { kind: owned.section.kind, bytes: bytes(program, id), relocs }
}

/// The bytes of a fragment before relocation. Empty for `.bss`.
pub fn bytes<'p>(program: &'p Program, id: FragmentId) -> &'p [u8] {
    let fragment = &program.fragments[id];
    let data = &program.sections[fragment.section].section.data;
    let start = fragment.start as usize;
    data.get(start..start + fragment.len as usize).unwrap_or_default()
}
