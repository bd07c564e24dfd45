//! Reads relocatable ELF objects.
//!
//! Objects are not trusted. Everything in the result is within bounds and has a limited size.

use std::borrow::Cow;

use object::LittleEndian;
use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, Rel as _, Rela as _, SectionHeader as _, SectionTable, Sym as _};
use target_specs::{Diagnostic, Place, Result};

use crate::abi;
use crate::arch::Arch;
use crate::model::{Binding, Group, Kind, Merge, Object, Reloc, Section, Symbol, SymbolDef};

/// The largest size of a section. Offsets in `.mpy` files and the memory of boards are much smaller.
const SECTION_LIMIT: u64 = 1 << 28;
/// The largest alignment.
const ALIGN_LIMIT: u64 = 1 << 12;

/// Reads the object called `name`.
///
/// # Errors
/// `not-an-object`, `foreign-object`, `malformed-object`, `unsupported-object`.
pub fn read<'a>(name: &str, data: &'a [u8], arch: &Arch) -> Result<Object<'a>> {
    let place = || Place::Object { object: name.to_owned(), section: None, offset: None, symbol: None };
    if data.starts_with(b"BC\xc0\xde") || data.starts_with(b"\xde\xc0\x17\x0b") {
        return Err(Diagnostic::new("unsupported-object", "this is LLVM bitcode, not machine code")
            .at(place())
            .help("compile without -flto"));
    }
    if !data.starts_with(b"\x7fELF") {
        return Err(Diagnostic::new("not-an-object", "neither an ELF object nor an archive").at(place()));
    }
    let class = if arch.word == 8 { elf::ELFCLASS64 } else { elf::ELFCLASS32 };
    let machine = data.get(18..20).map(|m| u16::from_le_bytes([m[0], m[1]]));
    if data.get(4) != Some(&class) || data.get(5) != Some(&elf::ELFDATA2LSB) || machine != Some(arch.machine)
    {
        let bits = match data.get(4) {
            Some(&elf::ELFCLASS32) => "32-bit ",
            Some(&elf::ELFCLASS64) => "64-bit ",
            _ => "",
        };
        let found = machine.map_or("nothing".to_owned(), |m| format!("{bits}{}", machine_name(m)));
        return Err(Diagnostic::new("foreign-object", format!("this object is for {found}"))
            .at(place())
            .help(format!(
                "`{}` needs objects for {}-bit {}",
                arch.name,
                arch.word * 8,
                machine_name(arch.machine)
            )));
    }
    let object = if arch.word == 8 {
        read_class::<FileHeader64<LittleEndian>>(name, data, arch)
    } else {
        read_class::<FileHeader32<LittleEndian>>(name, data, arch)
    };
    object.map_err(|error| match error {
        Fault::Malformed(what) => Diagnostic::new("malformed-object", what).at(place()),
        Fault::Diagnostic(diagnostic) => *diagnostic,
    })
}

fn machine_name(machine: u16) -> String {
    match machine {
        elf::EM_386 => "i386".to_owned(),
        elf::EM_X86_64 => "x86-64".to_owned(),
        elf::EM_ARM => "Arm".to_owned(),
        elf::EM_AARCH64 => "AArch64".to_owned(),
        elf::EM_RISCV => "RISC-V".to_owned(),
        elf::EM_XTENSA => "Xtensa".to_owned(),
        other => format!("machine {other}"),
    }
}

enum Fault {
    /// The file does not conform to ELF.
    Malformed(String),
    Diagnostic(Box<Diagnostic>),
}

impl From<object::Error> for Fault {
    fn from(error: object::Error) -> Self {
        // Messages of the library start with a capital letter.
        let text = error.to_string();
        let mut letters = text.chars();
        let first = letters.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
        Fault::Malformed(format!("malformed ELF: {first}{}", letters.as_str()))
    }
}

fn malformed<T>(what: impl Into<String>) -> std::result::Result<T, Fault> {
    Err(Fault::Malformed(what.into()))
}

fn read_class<'a, E: FileHeader<Endian = LittleEndian>>(
    name: &str,
    data: &'a [u8],
    arch: &Arch,
) -> std::result::Result<Object<'a>, Fault> {
    let header = E::parse(data)?;
    let endian = header.endian()?;
    if header.e_type(endian) != elf::ET_REL {
        return malformed("this ELF file is already linked: it is not a relocatable object");
    }
    let table = header.sections(endian, data)?;
    let symbol_table = table.symbols(endian, data, elf::SHT_SYMTAB)?;

    let mut sections = Vec::with_capacity(table.len());
    for header in table.iter() {
        sections.push(read_section::<E>(name, data, &table, header, arch)?);
    }
    let abi = abi::read(header, endian, data, &table)?;

    let mut symbols = Vec::with_capacity(symbol_table.len());
    for (index, symbol) in symbol_table.enumerate() {
        let text = std::str::from_utf8(symbol.name(endian, symbol_table.strings())?)
            .or_else(|_| malformed(format!("the name of symbol {} is not UTF-8", index.0)))?;
        let def = match symbol.st_shndx(endian) {
            elf::SHN_UNDEF => SymbolDef::Undefined,
            elf::SHN_ABS => SymbolDef::Absolute,
            elf::SHN_COMMON => SymbolDef::Common,
            _ => match symbol_table.symbol_section(endian, symbol, index)? {
                Some(section) => match sections.get(section.0) {
                    None => {
                        return malformed(format!(
                            "symbol `{text}` is in section {} of {}",
                            section.0,
                            sections.len()
                        ));
                    }
                    Some(None) => SymbolDef::Dropped,
                    Some(Some(_)) => SymbolDef::Section(section.0 as u32),
                },
                None => return malformed(format!("symbol `{text}` has a reserved section number")),
            },
        };
        if text == "__gnu_lto_slim" {
            let place = Place::Object { object: name.to_owned(), section: None, offset: None, symbol: None };
            return Err(Fault::Diagnostic(Box::new(
                Diagnostic::new(
                    "unsupported-object",
                    "this is GCC's intermediate language, not machine code",
                )
                .at(place)
                .help("compile without -flto, or with -ffat-lto-objects"),
            )));
        }
        symbols.push(Symbol {
            name: text,
            binding: match symbol.st_bind() {
                elf::STB_LOCAL => Binding::Local,
                elf::STB_WEAK => Binding::Weak,
                _ => Binding::Global,
            },
            def,
            is_section: symbol.st_type() == elf::STT_SECTION,
            is_function: symbol.st_type() == elf::STT_FUNC,
            is_visible: symbol.st_bind() != elf::STB_LOCAL && symbol.st_visibility() == elf::STV_DEFAULT,
            value: symbol.st_value(endian).into(),
            size: symbol.st_size(endian).into(),
        });
    }

    // Sections that overlap could add up to any size.
    let in_file =
        table.iter().filter(|header| !matches!(header.sh_type(endian), elf::SHT_NULL | elf::SHT_NOBITS));
    let total = in_file.fold(0u64, |total, header| total.saturating_add(header.sh_size(endian).into()));
    if total > data.len() as u64 {
        return malformed("the sections are larger than the file");
    }
    let mut groups = Vec::new();
    for header in table.iter() {
        if let Some((section, relocs)) = read_relocs::<E>(data, header, &sections, arch)?
            && let Some(Some(section)) = sections.get_mut(section)
        {
            let stray = |r: &&Reloc| r.symbol as usize >= symbols.len() && r.symbol != 0;
            if let Some(stray) = relocs.iter().find(stray) {
                return malformed(format!("a relocation of {} names symbol {}", section.name, stray.symbol));
            }
            section.relocs.extend(relocs);
            section.relocs.sort_by_key(|reloc| reloc.offset);
        }
        if let Some((flags, members)) = header.group(endian, data)? {
            let Some(signature) = symbols.get(header.sh_info(endian) as usize) else {
                return malformed("a group has no signature");
            };
            let signature = if signature.is_section {
                signature_of_section(signature, &sections)
            } else {
                signature.name
            };
            if flags & elf::GRP_COMDAT != 0 {
                let members = members.iter().map(|member| member.get(endian)).collect();
                groups.push(Group { signature, members });
            }
        }
    }
    for section in sections.iter_mut().flatten() {
        section.relocs.sort_by_key(|reloc| reloc.offset);
    }
    Ok(Object { name: name.to_owned(), sections, symbols, groups, abi })
}

fn signature_of_section<'a>(symbol: &Symbol, sections: &[Option<Section<'a>>]) -> &'a str {
    match symbol.def {
        SymbolDef::Section(index) => sections[index as usize].as_ref().map_or("", |section| section.name),
        _ => "",
    }
}

fn read_section<'a, E: FileHeader<Endian = LittleEndian>>(
    object: &str,
    data: &'a [u8],
    table: &SectionTable<'a, E>,
    header: &E::SectionHeader,
    arch: &Arch,
) -> std::result::Result<Option<Section<'a>>, Fault> {
    let endian = LittleEndian;
    let flags: u64 = header.sh_flags(endian).into();
    let flags = flags as u32;
    if flags & elf::SHF_ALLOC == 0 {
        return Ok(None);
    }
    let name = std::str::from_utf8(table.section_name(endian, header)?)
        .or_else(|_| malformed("the name of a section is not UTF-8"))?;
    let named =
        |prefix: &str| name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    // Unwind tables, which MicroPython does not use.
    let unwinding = [".eh_frame", ".eh_frame_hdr", ".gcc_except_table", ".ARM.exidx", ".ARM.extab"];
    if unwinding.into_iter().any(named) {
        return Ok(None);
    }
    let kind = match header.sh_type(endian) {
        _ if flags & elf::SHF_TLS != 0 => Kind::Tls,
        elf::SHT_NOBITS => Kind::Bss,
        elf::SHT_INIT_ARRAY | elf::SHT_PREINIT_ARRAY => Kind::Constructors,
        elf::SHT_PROGBITS if named(".init_array") || named(".ctors") => Kind::Constructors,
        elf::SHT_PROGBITS if arch.literals && (named(".literal") || name.ends_with(".literal")) => {
            Kind::Literals
        }
        elf::SHT_PROGBITS if flags & elf::SHF_EXECINSTR != 0 => Kind::Text,
        elf::SHT_PROGBITS if flags & elf::SHF_WRITE == 0 || named(".data.rel.ro") => Kind::Rodata,
        elf::SHT_PROGBITS => Kind::Data,
        // Destructors are never run. Notes and attributes are not loaded.
        _ => return Ok(None),
    };
    let size: u64 = header.sh_size(endian).into();
    let align: u64 = header.sh_addralign(endian).into();
    let align = align.max(1);
    let place = || Place::Object {
        object: object.to_owned(),
        section: Some(name.to_owned()),
        offset: None,
        symbol: None,
    };
    if size > SECTION_LIMIT {
        return Err(Fault::Diagnostic(Box::new(
            Diagnostic::new("section-too-large", format!("a section of {size} bytes")).at(place()),
        )));
    }
    if !align.is_power_of_two() || align > ALIGN_LIMIT {
        return Err(Fault::Diagnostic(Box::new(
            Diagnostic::new("unsupported-alignment", format!("an alignment of {align} bytes")).at(place()),
        )));
    }
    if flags & elf::SHF_COMPRESSED != 0 {
        return malformed(format!("section {name} is loaded and compressed"));
    }
    let bytes = if kind == Kind::Bss { &[][..] } else { header.data(endian, data)? };
    if kind != Kind::Bss && kind != Kind::Tls && bytes.len() as u64 != size {
        return malformed(format!("section {name} is truncated"));
    }
    let entry: u64 = header.sh_entsize(endian).into();
    let is_mergeable = flags & elf::SHF_MERGE != 0;
    if is_mergeable && entry > SECTION_LIMIT {
        return malformed(format!("section {name} has entries of {entry} bytes"));
    }
    // A section that is empty, or whose size is not a multiple of the element size, is not merged.
    let is_list =
        is_mergeable && kind == Kind::Rodata && entry != 0 && size > 0 && size.is_multiple_of(entry);
    let merge = if kind == Kind::Literals {
        Some(Merge { entry: u32::from(arch.word), strings: false })
    } else {
        is_list.then_some(Merge { entry: entry as u32, strings: flags & elf::SHF_STRINGS != 0 })
    };
    Ok(Some(Section {
        name,
        kind,
        data: Cow::Borrowed(bytes),
        size: size as u32,
        align: align as u32,
        merge,
        retain: flags & elf::SHF_GNU_RETAIN != 0,
        relocs: Vec::new(),
        hi_lo_pairs: Vec::new(),
    }))
}

/// The relocations in a relocation section, and the number of the section that they apply to.
fn read_relocs<E: FileHeader<Endian = LittleEndian>>(
    data: &[u8],
    header: &E::SectionHeader,
    sections: &[Option<Section>],
    arch: &Arch,
) -> std::result::Result<Option<(usize, Vec<Reloc>)>, Fault> {
    let endian = LittleEndian;
    let target = header.sh_info(endian) as usize;
    let Some(section) = sections.get(target).and_then(Option::as_ref) else {
        return Ok(None);
    };
    let in_section = |offset: u64| {
        if offset > u64::from(section.size) {
            return malformed(format!("a relocation is outside of {}", section.name));
        }
        Ok(offset as u32)
    };
    let in_field = |offset: u32, r_type: u32| {
        let place = section.data.get(offset as usize..).unwrap_or_default();
        arch.row(r_type).and_then(|row| row.field.read(place)).unwrap_or(0)
    };
    let mut relocs = Vec::new();
    if let Some((entries, _)) = header.rela(endian, data)? {
        for entry in entries {
            let offset = in_section(entry.r_offset(endian).into())?;
            let r_type = entry.r_type(endian, false);
            let mut addend: i64 = entry.r_addend(endian).into();
            if arch.in_place.contains(&r_type) {
                addend = addend.wrapping_add(in_field(offset, r_type));
            }
            relocs.push(Reloc { offset, r_type, symbol: entry.r_sym(endian, false), addend });
        }
    } else if let Some((entries, _)) = header.rel(endian, data)? {
        for entry in entries {
            let offset = in_section(entry.r_offset(endian).into())?;
            let r_type = entry.r_type(endian);
            let addend = in_field(offset, r_type);
            relocs.push(Reloc { offset, r_type, symbol: entry.r_sym(endian), addend });
        }
    } else {
        return Ok(None);
    }
    Ok(Some((target, relocs)))
}
