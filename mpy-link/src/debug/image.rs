//! The writer of the ELF file.

use object::elf;
use object::write::elf::{FileHeader, SectionHeader, Sym, Writer};

use super::symbols::Symbols;

impl Symbols {
    /// The ELF file. `id` is its build ID, by which the module that it belongs to is recognised (`.note.gnu.build-id`).
    pub fn elf(&self, id: &[u8]) -> Vec<u8> {
        write(self, id)
    }
}

/// A section of the file.
struct Section<'a> {
    name: &'a [u8],
    sh_type: u32,
    flags: u32,
    align: u64,
    data: &'a [u8],
}

/// Writes the file.
fn write(symbols: &Symbols, id: &[u8]) -> Vec<u8> {
    let note = note(id);
    let plain = |name, sh_type, flags, align, data| Section { name, sh_type, flags, align, data };
    let mut sections = vec![
        plain(&b".text"[..], elf::SHT_PROGBITS, elf::SHF_ALLOC | elf::SHF_EXECINSTR, 16, &symbols.text[..]),
        plain(b".note.gnu.build-id", elf::SHT_NOTE, 0, 4, &note),
    ];
    sections.extend(
        symbols.sections.iter().map(|(name, sh_type, data)| plain(name.as_bytes(), *sh_type, 0, 1, data)),
    );

    let mut bytes = Vec::new();
    let mut writer = Writer::new(object::Endianness::Little, symbols.is_64, &mut bytes);
    writer.reserve_file_header();
    let mut places = Vec::new();
    for section in &sections {
        let name = writer.add_section_name(section.name);
        writer.reserve_section_index();
        places.push((name, writer.reserve(section.data.len(), section.align as usize)));
    }
    writer.reserve_null_symbol_index();
    // How debuggers and disassemblers know what code this is (ELF for the Arm architecture, "Mapping symbols").
    let mapping = (symbols.code_bit != 0).then(|| writer.add_string(b"$t"));
    let names: Vec<_> = symbols.names.iter().map(|(name, ..)| writer.add_string(name.as_bytes())).collect();
    for _ in mapping.iter().chain(&names) {
        writer.reserve_symbol_index(None);
    }
    writer.reserve_symtab_section_index();
    writer.reserve_strtab_section_index();
    writer.reserve_shstrtab_section_index();
    writer.reserve_symtab();
    writer.reserve_strtab();
    writer.reserve_shstrtab();
    writer.reserve_section_headers();

    let header = FileHeader {
        os_abi: elf::ELFOSABI_NONE,
        abi_version: 0,
        e_type: elf::ET_EXEC,
        e_machine: symbols.machine,
        e_entry: 0,
        e_flags: symbols.flags,
    };
    // Cannot fail: the header is one of ELF.
    _ = writer.write_file_header(&header);
    for section in &sections {
        writer.write_align(section.align as usize);
        writer.write(section.data);
    }
    writer.write_null_symbol();
    let symbol = |name, st_type, (value, size)| Sym {
        name: Some(name),
        section: None,
        st_info: (elf::STB_LOCAL << 4) + st_type,
        st_other: 0,
        // Text is the first section; the data block has no section here.
        st_shndx: if value < symbols.text.len() as u64 { 1 } else { elf::SHN_ABS },
        st_value: value,
        st_size: size,
    };
    if let Some(name) = mapping {
        writer.write_symbol(&symbol(name, elf::STT_NOTYPE, (0, 0)));
    }
    for (name, (_, value, size, is_function)) in names.into_iter().zip(&symbols.names) {
        let (st_type, bit) =
            if *is_function { (elf::STT_FUNC, symbols.code_bit) } else { (elf::STT_OBJECT, 0) };
        writer.write_symbol(&symbol(name, st_type, (value | bit, *size)));
    }
    writer.write_strtab();
    writer.write_shstrtab();

    writer.write_null_section_header();
    for (section, (name, offset)) in sections.iter().zip(places) {
        writer.write_section_header(&SectionHeader {
            name: Some(name),
            sh_type: section.sh_type,
            sh_flags: section.flags.into(),
            sh_addr: 0,
            sh_offset: offset as u64,
            sh_size: section.data.len() as u64,
            sh_link: 0,
            sh_info: 0,
            sh_addralign: section.align,
            sh_entsize: 0,
        });
    }
    writer.write_symtab_section_header(1 + u32::from(mapping.is_some()) + symbols.names.len() as u32);
    writer.write_strtab_section_header();
    writer.write_shstrtab_section_header();
    bytes
}

/// The contents of `.note.gnu.build-id` (elf(5), "Notes").
fn note(id: &[u8]) -> Vec<u8> {
    let mut note = Vec::new();
    for word in [4, id.len() as u32, elf::NT_GNU_BUILD_ID] {
        note.extend(word.to_le_bytes());
    }
    note.extend(b"GNU\0");
    note.extend(id);
    note.resize(note.len().next_multiple_of(4), 0);
    note
}
