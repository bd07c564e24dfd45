//! The lines of the source that a module's code comes from, as its debug information says.
//!
//! It is DWARF, whose addresses are offsets in the contents of the code section (DWARF for WebAssembly, "Code Addresses"). The
//! debug information is read before any pass. What passes do to code is noted by walrus: where each operator was, and is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use addr2line::Context;
use gimli::{EndianSlice, LittleEndian};
use walrus::{CodeTransform, CustomSection, IdsToIndices, Module};
use wasm_to_c::{SourceLine, SourceLines};
use wasmparser::{Parser, Payload};

type Slice<'a> = EndianSlice<'a, LittleEndian>;
type Program<'a> = gimli::IncompleteLineProgram<Slice<'a>>;

/// The lines of the code in a module that no pass has changed. `None` if it has no debug information that can be read. Paths of
/// files in the folder `root` are relative to it. Where a function of another folder was inlined, such as one of Rust's library,
/// the line in `root` counts that calls it, if there is one.
pub fn read(bytes: &[u8], root: &Path) -> Option<SourceLines> {
    let (mut sections, mut code) = (HashMap::new(), 0);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            Payload::CustomSection(section) => _ = sections.insert(section.name(), section.data()),
            Payload::CodeSectionStart { range, .. } => code = range.start as u64,
            _ => {}
        }
    }
    let section = |id: gimli::SectionId| -> Result<Slice<'_>, gimli::Error> {
        Ok(EndianSlice::new(sections.get(id.name()).copied().unwrap_or_default(), LittleEndian))
    };
    let dwarf = gimli::Dwarf::load(section).ok()?;
    let calls = gimli::Dwarf::load(section).and_then(Context::from_dwarf).ok();
    let mut found = Found { root, code, calls, files: Vec::new(), known: HashMap::new(), rows: Vec::new() };
    let mut units = dwarf.units();
    while let Ok(Some(header)) = units.next() {
        // What cannot be read has no lines.
        let Ok(unit) = dwarf.unit(header) else { continue };
        if let Some(program) = unit.line_program.clone() {
            _ = found.add(&dwarf, &unit, program);
        }
    }
    found.finish()
}

/// What has been read.
struct Found<'a> {
    root: &'a Path,
    /// The offset of the contents of the code section.
    code: u64,
    /// Which functions were inlined where.
    calls: Option<Context<Slice<'a>>>,
    files: Vec<String>,
    known: HashMap<String, usize>,
    /// An offset, whether a line begins there or code ends, and the line.
    rows: Vec<(u32, bool, Option<SourceLine>)>,
}

impl<'a> Found<'a> {
    /// Adds the line table of a unit.
    fn add(
        &mut self,
        dwarf: &gimli::Dwarf<Slice<'a>>,
        unit: &gimli::Unit<Slice<'a>>,
        program: Program<'a>,
    ) -> Result<(), gimli::Error> {
        let mut indices: HashMap<u64, Option<usize>> = HashMap::new();
        let mut rows = program.rows();
        let mut sequence = Vec::new();
        while let Some((header, row)) = rows.next_row()? {
            let address = row.address();
            let file = *indices.entry(row.file_index()).or_insert_with(|| {
                let path = path(dwarf, unit, header, row.file(header)?)?;
                Some(self.file(&path))
            });
            let line = row.line().and_then(|line| u32::try_from(line.get()).ok());
            let line = line.zip(file).map(|(line, file)| SourceLine { file, line });
            let is_own = file.is_some_and(|file| Path::new(&self.files[file]).is_relative());
            let line = if is_own { line } else { self.call(address).or(line) };
            let ends = row.end_sequence();
            sequence.push((address, !ends, line.filter(|_| !ends)));
            if ends {
                // Linkers give code that they removed the address 0 or the largest ones, and functions have a size before them.
                let is_code = sequence.first().is_some_and(|(start, ..)| *start > 0);
                let rows = sequence.drain(..).filter(|_| is_code);
                let at = |offset: u64| u32::try_from(offset.checked_add(self.code)?).ok();
                self.rows.extend(rows.filter_map(|(offset, begins, line)| Some((at(offset)?, begins, line))));
            }
        }
        Ok(())
    }

    /// The line in `root` of the innermost call by which the code at an address was inlined.
    fn call(&mut self, address: u64) -> Option<SourceLine> {
        let mut frames = self.calls.as_ref()?.find_frames(address).skip_all_loads().ok()?;
        let mut own = None;
        while let (None, Ok(Some(frame))) = (&own, frames.next()) {
            let place = frame.location.and_then(|at| Some((Path::new(at.file?), at.line?)));
            own = place
                .filter(|(path, _)| path.starts_with(self.root))
                .map(|(path, line)| (path.to_owned(), line));
        }
        let (path, line) = own?;
        Some(SourceLine { file: self.file(&path), line })
    }

    fn file(&mut self, path: &Path) -> usize {
        let path = path.strip_prefix(self.root).unwrap_or(path).to_string_lossy().into_owned();
        *self.known.entry(path).or_insert_with_key(|path| {
            self.files.push(path.clone());
            self.files.len() - 1
        })
    }

    /// All rows in order; `None` if there is none.
    fn finish(mut self) -> Option<SourceLines> {
        // Where one function ends, the next one may begin. Of rows at one offset, the last one holds.
        self.rows.sort_by_key(|(at, begins, _)| (*at, *begins));
        let mut rows: Vec<(u32, Option<SourceLine>)> = Vec::with_capacity(self.rows.len());
        for (at, _, line) in self.rows {
            rows.pop_if(|(before, _)| *before == at);
            rows.push((at, line));
        }
        rows.iter().any(|(_, line)| line.is_some()).then_some(SourceLines { files: self.files, rows })
    }
}

/// The path of a source file. It is absolute, unless the compiler was told to write another one.
fn path<'a>(
    dwarf: &gimli::Dwarf<Slice<'a>>,
    unit: &gimli::Unit<Slice<'a>>,
    header: &gimli::LineProgramHeader<Slice<'a>>,
    file: &gimli::FileEntry<Slice<'a>>,
) -> Option<PathBuf> {
    let text = |value| {
        let text = dwarf.attr_string(unit, value).ok()?;
        Some(text.to_string_lossy().into_owned())
    };
    let mut path = PathBuf::new();
    if let Some(folder) = unit.comp_dir {
        path.push(&*folder.to_string_lossy());
    }
    if let Some(folder) = file.directory(header) {
        path.push(text(folder)?);
    }
    path.push(text(file.path_name())?);
    Some(path)
}

/// Where each operator was, and is once the module is written.
#[derive(Debug, Default)]
struct Moves {
    /// By an offset in the module that was read, the offset in the one that is written.
    operators: Vec<(u32, usize)>,
    /// Where functions begin.
    starts: Vec<usize>,
}

/// A section by which walrus tells where operators are. It is empty in the module.
#[derive(Debug)]
struct Notes(Arc<Mutex<Moves>>);

impl CustomSection for Notes {
    fn name(&self) -> &'static str {
        "source_lines"
    }

    fn data(&self, _: &IdsToIndices) -> Cow<'_, [u8]> {
        Cow::Borrowed(&[])
    }

    fn apply_code_transform(&mut self, transform: &CodeTransform) {
        let Ok(mut moves) = self.0.lock() else { return };
        let operators = transform.instruction_map.iter();
        moves.operators = operators.map(|(from, to)| (from.data(), *to)).collect();
        moves.starts = transform.function_ranges.iter().map(|(_, range)| range.start).collect();
    }
}

/// Writes a module, whose configuration must preserve the code transform, and finds out which lines its operators are from
/// now. `before` are those of the module that was read.
pub fn emit(module: &mut Module, before: &SourceLines) -> (Vec<u8>, SourceLines) {
    let moves = Arc::new(Mutex::new(Moves::default()));
    let notes = module.customs.add(Notes(Arc::clone(&moves)));
    let bytes = module.emit_wasm();
    module.customs.delete(notes);
    let moves = std::mem::take(&mut *moves.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    // Functions that passes made come from no line. An operator without a line is counted to that of the operator before.
    let starts = moves.starts.into_iter().map(|start| (start, None));
    let operators = moves.operators.into_iter();
    let operators = operators.filter_map(|(from, to)| Some((to, Some(before.at(from as usize)?))));
    let rows = starts.chain(operators).filter_map(|(at, line)| Some((u32::try_from(at).ok()?, line)));
    let mut rows: Vec<(u32, Option<SourceLine>)> = rows.collect();
    rows.sort_by_key(|(at, _)| *at);
    rows.dedup_by(|next, row| next.1 == row.1);
    (bytes, SourceLines { files: before.files.clone(), rows })
}
