//! What objects say about how they were compiled, and which of it has to match.
//!
//! The rules are those of GNU ld (`elf32_arm_merge_eabi_attributes`, `_bfd_riscv_elf_merge_private_bfd_data`,
//! `check_xtensa_info`). In addition, the architecture must have what the code needs.
//!
//! An object without this information is accepted, and so is an object without code: `objcopy` creates such objects.

use std::collections::HashMap;

use object::elf;
use object::read::elf::{AttributesSection, FileHeader, SectionHeader, SectionTable};

/// What an object says about how it was compiled.
#[derive(Debug, Default)]
pub struct AbiInfo<'a> {
    /// `e_flags`.
    pub flags: u32,
    /// The public attributes of the file, by tag; `None` if there is no section of attributes.
    attributes: Option<HashMap<u64, Attribute<'a>>>,
    /// The lines `NAME=VALUE` of `.xtensa.info`.
    info: &'a str,
    /// Whether it contains code.
    pub has_code: bool,
}

#[derive(Debug, Clone, Copy)]
enum Attribute<'a> {
    Number(u64),
    Text(&'a str),
}

impl<'a> AbiInfo<'a> {
    /// The number of an attribute, 0 by default; `None` if the object has no attributes.
    pub fn number(&self, tag: u64) -> Option<u64> {
        match self.attributes.as_ref()?.get(&tag) {
            Some(Attribute::Number(number)) => Some(*number),
            _ => Some(0),
        }
    }

    /// The text of an attribute.
    pub fn text(&self, tag: u64) -> Option<&'a str> {
        match self.attributes.as_ref()?.get(&tag)? {
            Attribute::Text(text) => Some(text),
            Attribute::Number(_) => None,
        }
    }

    /// One text attribute, for tests.
    #[cfg(test)]
    pub fn with_text(tag: u64, text: &'a str) -> AbiInfo<'a> {
        AbiInfo { attributes: Some([(tag, Attribute::Text(text))].into()), ..AbiInfo::default() }
    }

    /// The value of `NAME` in `.xtensa.info`.
    pub fn info(&self, name: &str) -> Option<&'a str> {
        self.info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    }
}

/// A property of objects that has to match.
#[derive(Debug)]
pub struct Property {
    /// Its name in its standard.
    pub name: &'static str,
    /// The value in an object, as a word; `None` if it is missing or compatible with all others.
    pub of: fn(&AbiInfo) -> Option<String>,
    pub fits: Fits,
    /// What to do if it does not match.
    pub help: &'static str,
}

/// What a property must match.
#[derive(Debug, Clone, Copy)]
pub enum Fits {
    /// The architecture: one of these values. The last one is its own.
    Arch(&'static [&'static str]),
    /// The architecture, which has no such property: any value is an error.
    Without,
    /// The other objects.
    Objects,
    /// The other objects, except members of archives. The libraries of compilers do not depend on it, and clang's objects
    /// are linked with GCC's libraries.
    NamedObjects,
}

/// The word for a number.
pub fn word(number: u64, words: &[&str]) -> String {
    let word = usize::try_from(number).ok().and_then(|number| words.get(number));
    word.map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

/// Reads what an object says about how it was compiled.
///
/// # Errors
/// If the attributes are malformed.
pub fn read<'a, E: FileHeader>(
    header: &E,
    endian: E::Endian,
    data: &'a [u8],
    table: &SectionTable<'a, E>,
) -> object::Result<AbiInfo<'a>> {
    let mut info = AbiInfo { flags: header.e_flags(endian), ..AbiInfo::default() };
    for section in table.iter() {
        let (flags, size): (u64, u64) = (section.sh_flags(endian).into(), section.sh_size(endian).into());
        let is_code = flags & u64::from(elf::SHF_ALLOC | elf::SHF_EXECINSTR)
            == u64::from(elf::SHF_ALLOC | elf::SHF_EXECINSTR);
        info.has_code |= is_code && size > 0 && section.sh_type(endian) != elf::SHT_NOBITS;
        // `SHT_RISCV_ATTRIBUTES` is the same number.
        if section.sh_type(endian) == elf::SHT_ARM_ATTRIBUTES {
            let attributes = info.attributes.get_or_insert_default();
            read_attributes(section.attributes(endian, data)?, header.e_machine(endian), attributes)?;
        }
        if table.section_name(endian, section)? == b".xtensa.info" {
            let notes = section.notes(endian, data)?;
            let mut notes = notes.into_iter().flatten().filter_map(Result::ok);
            let note = notes.find(|note| note.name() == b"Xtensa_Info");
            info.info = note.and_then(|note| std::str::from_utf8(note.desc()).ok()).unwrap_or_default();
        }
    }
    Ok(info)
}

/// *Addenda to, and Errata in, the ABI for the Arm Architecture*, "Build attributes"; *RISC-V ELF psABI*, "Attributes".
fn read_attributes<'a, E: FileHeader>(
    section: AttributesSection<'a, E>,
    machine: u16,
    found: &mut HashMap<u64, Attribute<'a>>,
) -> object::Result<()> {
    /// `Tag_CPU_raw_name`, `Tag_CPU_name`. They are older than the rule for other tags.
    const NAMES: [u64; 2] = [4, 5];
    /// `Tag_compatibility`: a number and a text.
    const COMPATIBILITY: u64 = 32;
    let is_arm = machine == elf::EM_ARM;
    let vendor: &[u8] = if is_arm { b"aeabi" } else { b"riscv" };
    for subsection in section.subsections()? {
        let subsection = subsection?;
        if subsection.vendor() != vendor {
            continue;
        }
        for part in subsection.subsubsections() {
            let part = part?;
            let mut reader = part.attributes();
            while let Some(tag) = reader.read_tag()? {
                let is_text = if is_arm && tag < COMPATIBILITY { NAMES.contains(&tag) } else { tag & 1 != 0 };
                let value = if is_arm && tag == COMPATIBILITY {
                    let number = reader.read_integer()?;
                    reader.read_string()?;
                    Attribute::Number(number)
                } else if is_text {
                    Attribute::Text(std::str::from_utf8(reader.read_string()?).unwrap_or_default())
                } else {
                    Attribute::Number(reader.read_integer()?)
                };
                // Attributes of single sections and symbols are ignored, as in other linkers.
                if part.tag() == elf::Tag_File {
                    found.insert(tag, value);
                }
            }
        }
    }
    Ok(())
}
