//! Reads `ar` archives.

use object::read::archive::{ArchiveFile, ArchiveOffset};
use target_specs::{Diagnostic, Place, Result};

use crate::arch::Arch;
use crate::elf::read;
use crate::model::{Binding, Object, SymbolDef};

/// A member of an archive, identified by the offset of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MemberId(pub u64);

/// An archive, or a single object that is treated like an archive with one member.
pub struct Archive<'a> {
    name: &'a str,
    data: &'a [u8],
    file: Option<ArchiveFile<'a>>,
}

impl<'a> Archive<'a> {
    /// Opens the archive or object called `name`.
    ///
    /// # Errors
    /// `malformed-archive`, `unsupported-archive`.
    pub fn open(name: &'a str, data: &'a [u8]) -> Result<Archive<'a>> {
        let archive = Archive { name, data, file: None };
        if !is_archive(data) {
            return Ok(archive);
        }
        let file = ArchiveFile::parse(data).map_err(|error| archive.malformed(&error))?;
        if file.is_thin() {
            return Err(Diagnostic::new("unsupported-archive", "a thin archive contains no objects")
                .at(archive.place())
                .help("create it with `ar rcs`, without `--thin`"));
        }
        Ok(Archive { file: Some(file), ..archive })
    }

    fn place(&self) -> Place {
        Place::Object { object: self.name.to_owned(), section: None, offset: None, symbol: None }
    }

    fn malformed(&self, error: &object::Error) -> Diagnostic {
        Diagnostic::new(
            "malformed-archive",
            format!("malformed archive: {}", error.to_string().to_lowercase()),
        )
        .at(self.place())
    }

    /// The symbols that members define: from the archive's index, or if there is none, from the members.
    ///
    /// # Errors
    /// As [`read`], and `malformed-archive`.
    pub fn index(&self, arch: &Arch) -> Result<Vec<(&'a str, MemberId)>> {
        let mut index = Vec::new();
        let Some(file) = &self.file else {
            let object = read(self.name, self.data, arch)?;
            add_definitions(&object, MemberId(0), &mut index);
            return Ok(index);
        };
        if let Some(symbols) = file.symbols().map_err(|error| self.malformed(&error))? {
            for symbol in symbols {
                let symbol = symbol.map_err(|error| self.malformed(&error))?;
                if let Ok(name) = std::str::from_utf8(symbol.name()) {
                    index.push((name, MemberId(symbol.offset().0)));
                }
            }
            return Ok(index);
        }
        let start = self.data.as_ptr() as usize;
        for member in file.members() {
            let member = member.map_err(|error| self.malformed(&error))?;
            let data = member.data(self.data).map_err(|error| self.malformed(&error))?;
            if !data.starts_with(b"\x7fELF") {
                continue;
            }
            let object = read(&self.member_name(member.name()), data, arch)?;
            let header = member.header().map(|header| std::ptr::from_ref(header) as usize - start);
            if let Some(header) = header {
                add_definitions(&object, MemberId(header as u64), &mut index);
            }
        }
        Ok(index)
    }

    fn member_name(&self, member: &[u8]) -> String {
        format!("{}:{}", self.name, String::from_utf8_lossy(member))
    }

    /// Reads one member.
    ///
    /// # Errors
    /// As [`read`], and `malformed-archive`.
    pub fn member(&self, id: MemberId, arch: &Arch) -> Result<Object<'a>> {
        let Some(file) = &self.file else {
            return read(self.name, self.data, arch);
        };
        let member = file.member(ArchiveOffset(id.0)).map_err(|error| self.malformed(&error))?;
        let data = member.data(self.data).map_err(|error| self.malformed(&error))?;
        read(&self.member_name(member.name()), data, arch)
    }
}

/// Whether `data` is an archive.
pub fn is_archive(data: &[u8]) -> bool {
    data.starts_with(b"!<arch>\n") || data.starts_with(b"!<thin>\n")
}

fn add_definitions<'a>(object: &Object<'a>, id: MemberId, index: &mut Vec<(&'a str, MemberId)>) {
    for symbol in &object.symbols {
        let defined = matches!(symbol.def, SymbolDef::Section(_) | SymbolDef::Absolute | SymbolDef::Common);
        if defined && symbol.binding != Binding::Local && !symbol.name.is_empty() {
            index.push((symbol.name, id));
        }
    }
}
