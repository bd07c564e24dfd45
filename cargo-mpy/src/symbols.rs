//! The symbol file of a module, `NAME.elf`: which line and function an address of its code is in.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use addr2line::{Context, Frame};
use gimli::{EndianSlice, LittleEndian};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
use sha2::{Digest as _, Sha256};
use target_specs::{Diagnostic, Place, Result};

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// The path of the symbol file of a module.
pub fn path(mpy: &Path) -> PathBuf {
    mpy.with_extension("elf")
}

/// The build ID of a module with these contents, by which its symbol file names it.
pub fn id(mpy: &[u8]) -> Vec<u8> {
    // As long as those of GNU ld.
    Sha256::digest(mpy)[..20].to_vec()
}

/// A place in the source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// The function, by its name in the source.
    pub function: Option<String>,
    /// The path of the source file, and a line.
    pub line: Option<(String, u32)>,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.line, &self.function) {
            (Some((path, line)), Some(function)) => write!(f, "{path}:{line} in {function}"),
            (Some((path, line)), None) => write!(f, "{path}:{line}"),
            (None, Some(function)) => write!(f, "{function}"),
            (None, None) => write!(f, "??"),
        }
    }
}

/// A symbol file that has been read.
pub struct Symbols {
    data: Vec<u8>,
    path: PathBuf,
}

impl Symbols {
    /// Reads the symbol file of a module.
    ///
    /// # Errors
    /// `no-symbols` if there is none, or it is that of another build of the module; `io`.
    pub fn of(mpy: &Path) -> Result<Symbols> {
        let path = path(mpy);
        let refuse = |message: String, help: &str| {
            Err(Diagnostic::new("no-symbols", message)
                .at(Place::File { path: mpy.to_owned(), line: 0, column: 0 })
                .help(help))
        };
        let Ok(data) = std::fs::read(&path) else {
            let message = format!("there is no `{}` beside the module", path.display());
            return refuse(message, "build it with `--debug`, or with `--profile dev`");
        };
        let module = crate::toolchain::read_file(mpy)?;
        let symbols = Symbols { data, path };
        let file = symbols.file()?;
        if file.build_id().ok().flatten() != Some(&id(&module)) {
            let message = format!("`{}` is not of this module", symbols.path.display());
            return refuse(message, "the module was built again without `--debug`, or copied: build it anew");
        }
        Ok(symbols)
    }

    fn damaged(&self, why: impl fmt::Display) -> Diagnostic {
        Diagnostic::new("no-symbols", format!("cannot read the symbol file: {why}"))
            .at(Place::File { path: self.path.clone(), line: 0, column: 0 })
            .help("build the module again with `--debug`")
    }

    fn file(&self) -> Result<object::File<'_>> {
        object::File::parse(&*self.data).map_err(|error| self.damaged(error))
    }

    fn context<'s>(&'s self, file: &object::File<'s>) -> Result<Context<Slice<'s>>> {
        let section = |id: gimli::SectionId| -> std::result::Result<Slice<'s>, gimli::Error> {
            let data = file.section_by_name(id.name()).and_then(|section| section.data().ok());
            Ok(EndianSlice::new(data.unwrap_or_default(), LittleEndian))
        };
        let dwarf = gimli::Dwarf::load(section).map_err(|error| self.damaged(error))?;
        Context::from_dwarf(dwarf).map_err(|error| self.damaged(error))
    }

    /// How many bytes of functions are from which file of the source. Code that is inlined from the runtime counts for the line
    /// that needs it.
    ///
    /// # Errors
    /// `no-symbols`
    pub fn lines(&self) -> Result<Lines> {
        let file = self.file()?;
        let context = self.context(&file)?;
        let own = own(&file).map_err(|error| self.damaged(error))?;
        let mut lines = Lines::default();
        for function in file.symbols().filter(|symbol| symbol.kind() == object::SymbolKind::Text) {
            lines.code = lines.code.saturating_add(function.size());
            let start = function.address() & !1;
            let end = start.saturating_add(function.size());
            let Ok(ranges) = context.find_location_range(start, end) else { continue };
            for (at, size, _) in ranges {
                // A row may begin before the function, or end behind it.
                let (at, end) = (at.max(start), at.saturating_add(size).min(end));
                let Some(size @ 1..) = end.checked_sub(at) else { continue };
                // Functions of the runtime are part of those that they are inlined into.
                let places = places(&file, &context, at);
                let paths: Vec<&String> =
                    places.iter().filter_map(|place| place.line.as_ref()).map(|(path, _)| path).collect();
                let is_own =
                    |path: &&&String| own.iter().any(|own| Path::new(path.as_str()).starts_with(own));
                let is_translated = |path: &&&String| path.ends_with(TRANSLATED);
                match paths.iter().find(|path| !is_own(path)) {
                    Some(path) => *lines.files.entry((*path).clone()).or_default() += size,
                    None if paths.iter().any(|path| is_translated(&path)) => lines.translated += size,
                    None if paths.is_empty() => {}
                    None => lines.bindings += size,
                }
            }
        }
        Ok(lines)
    }

    /// The text of the module.
    ///
    /// # Errors
    /// `no-symbols`
    pub fn text(&self) -> Result<Vec<u8>> {
        let file = self.file()?;
        let text = file.section_by_name(".text").and_then(|section| section.data().ok());
        Ok(text.unwrap_or_default().to_vec())
    }

    /// Whether an address is in the text.
    ///
    /// # Errors
    /// `no-symbols`
    pub fn contains(&self, address: u64) -> Result<bool> {
        let file = self.file()?;
        Ok(file.section_by_name(".text").is_some_and(|text| address < text.size()))
    }

    /// The section about the frames of functions (`.debug_frame`), and the bytes of an address.
    ///
    /// # Errors
    /// `no-symbols`
    pub fn frames(&self) -> Result<(&[u8], u8)> {
        let file = self.file()?;
        let frames = file.section_by_name(".debug_frame").and_then(|section| section.data().ok());
        Ok((frames.unwrap_or_default(), if file.is_64() { 8 } else { 4 }))
    }

    /// The functions in the text, by their names in the source, and their addresses.
    ///
    /// # Errors
    /// `no-symbols`
    pub fn functions(&self) -> Result<Vec<(String, Range<u64>)>> {
        let file = self.file()?;
        let functions = file.symbols().filter(|symbol| symbol.kind() == object::SymbolKind::Text);
        let named = functions.filter_map(|symbol| {
            let start = symbol.address() & !1;
            Some((symbol.name().ok()?.to_owned(), start..start.saturating_add(symbol.size())))
        });
        Ok(named.collect())
    }

    /// The places of an address in text, from the innermost function that is inlined there to the one that contains it.
    ///
    /// # Errors
    /// `no-symbols`
    pub fn places(&self, address: u64) -> Result<Vec<At>> {
        let file = self.file()?;
        let context = self.context(&file)?;
        Ok(places(&file, &context, address))
    }

    /// Like [`Symbols::places`], without those in the C of the bindings and of the runtime.
    ///
    /// # Errors
    /// `no-symbols`
    pub fn source_places(&self, address: u64) -> Result<Vec<At>> {
        let file = self.file()?;
        let context = self.context(&file)?;
        let own = own(&file).map_err(|error| self.damaged(error))?;
        let is_own = |path: &str| {
            own.iter().any(|own| Path::new(path).starts_with(own)) && !path.ends_with(TRANSLATED)
        };
        let mut places = places(&file, &context, address);
        places.retain(|place| place.line.as_ref().is_none_or(|(path, _)| !is_own(path)));
        Ok(places)
    }
}

/// The bytes of code with a line of the source.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    /// Bytes of all functions.
    pub code: u64,
    /// Those that are translated from WebAssembly without a line.
    pub translated: u64,
    /// Those with a line in the C of the bindings and of the runtime.
    pub bindings: u64,
    /// By file of the source, the bytes that are from it.
    pub files: BTreeMap<String, u64>,
}

impl Lines {
    /// Bytes with a line of the source.
    pub fn known(&self) -> u64 {
        self.files.values().sum()
    }
}

/// The file with the C of the translated module.
const TRANSLATED: &str = "module.c";

/// The folders and files of the C that is not the user's.
fn own(file: &object::File<'_>) -> std::result::Result<Vec<PathBuf>, gimli::Error> {
    let section = |id: gimli::SectionId| -> std::result::Result<Slice<'_>, gimli::Error> {
        let data = file.section_by_name(id.name()).and_then(|section| section.data().ok());
        Ok(EndianSlice::new(data.unwrap_or_default(), LittleEndian))
    };
    let dwarf = gimli::Dwarf::load(section)?;
    let mut own = Vec::new();
    let mut units = dwarf.units();
    while let Some(header) = units.next()? {
        let unit = dwarf.unit(header)?;
        let folder =
            unit.comp_dir.map(|folder| PathBuf::from(&*folder.to_string_lossy())).unwrap_or_default();
        // The translated module, whose name is relative, the unit that contains it, and the headers of all modules.
        own.push(folder.join(TRANSLATED));
        let Some(name) = unit.name else { continue };
        let unit = folder.join(&*name.to_string_lossy());
        own.extend(unit.ancestors().nth(1).map(Path::to_owned));
        own.extend(unit.ancestors().nth(2).map(|module| module.with_file_name("include")));
    }
    Ok(own)
}

fn places(file: &object::File<'_>, context: &Context<Slice<'_>>, address: u64) -> Vec<At> {
    let mut found = Vec::new();
    if let Ok(mut frames) = context.find_frames(address).skip_all_loads() {
        while let Ok(Some(Frame { function, location, .. })) = frames.next() {
            let function = function.and_then(|name| Some(name.raw_name().ok()?.into_owned()));
            let line = location.and_then(|at| Some((at.file?.to_owned(), at.line?)));
            found.push(At { function, line });
        }
    }
    if found.is_empty() {
        let symbol = file.symbols().find(|symbol| {
            let start = symbol.address() & !1;
            symbol.kind() == object::SymbolKind::Text
                && address.checked_sub(start).is_some_and(|offset| offset < symbol.size())
        });
        let function = symbol.and_then(|symbol| Some(symbol.name().ok()?.to_owned()));
        found.extend(function.map(|function| At { function: Some(function), line: None }));
    }
    found
}
