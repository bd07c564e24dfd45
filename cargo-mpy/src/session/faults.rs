//! Says where in the source the code is at whose addresses a processor stopped, below what a board prints of it: the report
//! of an emulated board (`emulators/port/console.c`) with the functions that called it, and addresses in what other
//! firmware prints, once it is known where the module is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use target_specs::{Arch, Diagnostic, Place, Result};

use crate::backtrace::Stopped;
use crate::serial::{Board as Connected, Transport};
use crate::symbols::{At, Symbols};

/// Longer lines contain no addresses of a fault.
const LONGEST: usize = 1024;
/// The first and the last line of a report.
const FIRST: &str = "FATAL: ";
const LAST: &str = "halted";

/// Modules whose symbols are known, and the output of a board.
#[derive(Default)]
pub struct Faults {
    modules: Vec<Module>,
    /// The current line.
    line: Vec<u8>,
    report: Option<Report>,
}

/// A module with symbols.
struct Module {
    name: String,
    arch: &'static Arch,
    symbols: Symbols,
    /// The bytes of its text.
    size: u64,
    /// The address of the text.
    base: Option<u64>,
    /// Where it may be, by how often the board's words said so.
    heard: BTreeMap<u64, u32>,
}

/// What a board printed since its processor faulted.
#[derive(Debug, Default)]
struct Report {
    /// The words with names, in order.
    words: Vec<(String, u64)>,
    stack: BTreeMap<u64, u64>,
}

/// A place in the source, below what called it.
struct Frame {
    address: u64,
    /// From the innermost function that is inlined there to the one that contains it.
    places: Vec<At>,
}

impl Faults {
    /// Those of a module that was built for `arch`. A module without symbols has none.
    pub fn of(mpy: &Path, arch: &'static Arch) -> Faults {
        let mut faults = Faults::default();
        faults.add(mpy, arch);
        faults
    }

    /// Those of all modules below a folder that `build` writes to.
    pub fn in_folder(folder: &Path) -> Faults {
        let mut faults = Faults::default();
        let folders = |folder: &Path| -> Vec<PathBuf> {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).collect()
        };
        // A profile has a folder of its own, and so has each target.
        let profiles = folders(folder).into_iter().filter(|path| path.is_dir()).collect::<Vec<_>>();
        let targets = profiles.iter().flat_map(|profile| folders(profile)).filter(|path| path.is_dir());
        for target in profiles.iter().cloned().chain(targets) {
            let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let arch = name.split('-').next().and_then(|name| target_specs::arch(name).ok());
            for path in
                folders(&target).into_iter().filter(|path| path.extension().is_some_and(|e| e == "mpy"))
            {
                arch.iter().for_each(|arch| faults.add(&path, arch));
            }
        }
        faults
    }

    fn add(&mut self, mpy: &Path, arch: &'static Arch) {
        let Ok(symbols) = Symbols::of(mpy) else { return };
        let Ok(size) = symbols.text().map(|text| text.len() as u64) else { return };
        let name = mpy.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        self.modules.push(Module { name, arch, symbols, size, base: None, heard: BTreeMap::new() });
    }

    /// Handles the next bytes of the board's output. Where the source is follows what names an address. Line ends are those
    /// of the output.
    pub fn with(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.modules.is_empty() {
            return bytes.to_owned();
        }
        let mut out = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            // What answers the question is not the user's. Such a line is not passed on before its end.
            let hides = self.line.first().map_or(byte, |first| *first) == ARRIVED.as_bytes()[0];
            if !hides {
                out.push(byte);
            }
            if byte != b'\n' {
                if self.line.len() < LONGEST {
                    self.line.push(byte);
                } else if hides {
                    out.append(&mut self.line);
                    out.push(byte);
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            if hides {
                match String::from_utf8_lossy(&line).strip_prefix(ARRIVED) {
                    Some(answer) => self.modules.iter_mut().for_each(|module| _ = module.hear(answer)),
                    None => out.extend(line.iter().chain([&byte])),
                }
                continue;
            }
            let end = if line.ends_with(b"\r") { "\r\n" } else { "\n" };
            for text in self.after(String::from_utf8_lossy(&line).trim_end_matches('\r')) {
                out.extend(format!("{text}{end}").bytes());
            }
        }
        out
    }

    /// What follows a line.
    fn after(&mut self, line: &str) -> Vec<String> {
        if line.starts_with(FIRST) {
            self.report = Some(Report::default());
            return Vec::new();
        }
        if line == LAST
            && let Some(report) = self.report.take()
        {
            return shown(&self.frames(&report));
        }
        if let Some(report) = &mut self.report {
            report.read(line);
            return Vec::new();
        }
        self.named(line)
    }

    /// Where the addresses are that a line of other firmware names.
    fn named(&self, line: &str) -> Vec<String> {
        if self.modules.iter().all(|module| module.base.is_none()) {
            return Vec::new();
        }
        let words = line.split(|c: char| !c.is_ascii_alphanumeric());
        let digits = words.map(|word| word.strip_prefix("0x").unwrap_or(word));
        // All chips print the whole of a register of 32 bits.
        let addresses = digits.filter(|digits| digits.len() == 8);
        let addresses = addresses.filter_map(|digits| u64::from_str_radix(digits, 16).ok());
        let mut lines = Vec::new();
        for address in addresses {
            for module in &self.modules {
                let Some(base) = module.base else { continue };
                let Some(places) = module.places(base, address) else { continue };
                let bindings = || module.symbols.places(address - base).unwrap_or_default().first().cloned();
                let place = places.first().cloned().or_else(bindings);
                lines.extend(place.map(|place| format!("    {address:#010x}: {place}")));
            }
        }
        lines.dedup();
        lines
    }

    /// An error with the place of the fault that it reports, and without the words that only say where that is.
    pub fn explained(&self, error: Diagnostic) -> Diagnostic {
        if error.code != "board-fault" {
            return error;
        }
        let mut report = Report::default();
        let mut help = String::new();
        for line in error.help.iter().flat_map(|help| help.lines()) {
            if report.read(line) {
                help += &format!("{line}\n");
            }
        }
        let frames = self.frames(&report);
        let mut at = error.at;
        let innermost =
            frames.first().and_then(|frame| frame.places.iter().find_map(|place| place.line.clone()));
        if let Some((path, line)) = innermost {
            at = Place::File { path: PathBuf::from(path), line, column: 0 };
        }
        let text: String = shown(&frames).iter().map(|line| format!("{}\n", line.trim_start())).collect();
        let help = Some(format!("{text}{help}").trim_end().to_owned()).filter(|help| !help.is_empty());
        Diagnostic { at, help, ..error }
    }

    /// Where the processor stopped, and what called that. Empty if it is in no module here.
    fn frames(&self, report: &Report) -> Vec<Frame> {
        let mut codes = report.words.iter().filter(|(name, _)| name == "code").map(|(_, start)| *start);
        let sizes: Vec<u64> =
            report.words.iter().filter(|(name, _)| name == "size").map(|(_, size)| *size).collect();
        // The last piece of code comes last. A module that was imported again is in memory twice.
        let mut places: Vec<(u64, u64)> = codes.by_ref().zip(sizes).collect();
        places.reverse();
        for (start, size) in places {
            for module in self.modules.iter().filter(|module| module.size == size) {
                let frames = module.frames(start, report);
                if !frames.is_empty() {
                    return frames;
                }
            }
        }
        Vec::new()
    }

    /// For a board that has restarted: nothing is imported yet.
    pub fn forget(&mut self) {
        self.report = None;
        for module in &mut self.modules {
            module.base = None;
            module.heard.clear();
        }
    }

    /// Where the text of the module is, as the board said.
    pub fn base(&self) -> Option<u64> {
        self.modules.first()?.base
    }

    /// Lets a connected board say where the module is: see [`Faults::question`].
    ///
    /// # Errors
    /// `no-answer`, `garbled`, `board-error`.
    pub fn ask<T: Transport>(&self, board: &mut Connected<T>) -> Result<()> {
        self.question().map_or(Ok(()), |question| board.ask(&question).map(drop))
    }

    /// Python that lets a connected board say where the module is once it is imported, if that is of use and not known yet. On
    /// a board that cannot, it does nothing.
    pub fn question(&self) -> Option<String> {
        let module = self.modules.first().filter(|module| module.base.is_none())?;
        Some(format!(
            "def _f(n):\n\
             \x20import builtins\n\
             \x20i=builtins.__import__\n\
             \x20def f(*a):\n\
             \x20\x20m=i(*a)\n\
             \x20\x20if a[0]==n:\n\
             \x20\x20\x20builtins.__import__=i\n\
             \x20\x20\x20try:\n\
             \x20\x20\x20\x20from machine import mem32\n\
             \x20\x20\x20\x20for k in dir(m):\n\
             \x20\x20\x20\x20\x20o=getattr(m,k)\n\
             \x20\x20\x20\x20\x20if repr(o).startswith('<function'):print('{MARK}%s %x %x'%(k,mem32[id(o)+4]&0xffffffff,mem32[id(o)+8]&0xffffffff))\n\
             \x20\x20\x20except Exception:\n\
             \x20\x20\x20\x20pass\n\
             \x20\x20return m\n\
             \x20builtins.__import__=f\n\
             try:_f('{}')\n\
             except Exception:pass\n",
            module.name
        ))
    }
}

/// What begins a line that answers [`Faults::question`], as Python writes it, and as it arrives.
const MARK: &str = "\\x1etext\\x1f";
const ARRIVED: &str = "\x1etext\x1f";

impl Module {
    /// The places of an address, if it is in the module.
    fn places(&self, base: u64, address: u64) -> Option<Vec<At>> {
        let offset = address.checked_sub(base).filter(|offset| *offset < self.size)?;
        let mut places = self.symbols.source_places(offset).ok()?;
        let here = std::env::current_dir().unwrap_or_default();
        for (path, _) in places.iter_mut().filter_map(|place| place.line.as_mut()) {
            if let Ok(shorter) = Path::new(&*path).strip_prefix(&here) {
                *path = shorter.to_string_lossy().into_owned();
            }
        }
        Some(places)
    }

    /// Where it stopped, if the module's text is at `base`. Callers in the bindings are left out.
    fn frames(&self, base: u64, report: &Report) -> Vec<Frame> {
        let frame = |address: u64, at: u64| Some(Frame { address, places: self.places(base, at)? });
        // The call before a return address.
        let of_call = |from: &u64| frame(*from, from.wrapping_sub(2));
        let Some(pc) = report.word("pc") else { return Vec::new() };
        // Some processors keep the frames of callers themselves.
        let known: Vec<u64> = report.all("from").collect();
        let Some(first) = frame(pc, pc) else {
            // In a function of the firmware that has called no other, it is known where it returns to.
            let link = ["lr", "ra", "a0"].iter().filter_map(|name| report.word(name)).take(1).collect();
            let callers = if known.is_empty() { link } else { known };
            return callers.iter().map_while(of_call).collect();
        };
        let stack_pointer = self.arch.registers.iter().position(|name| name == "sp").unwrap_or_default();
        let registers = (0u16..).zip(&self.arch.registers);
        let registers = registers.filter_map(|(number, name)| Some((number, report.word(name)?))).collect();
        let stopped =
            Stopped { base, pc, registers, stack_pointer: stack_pointer as u16, stack: report.stack.clone() };
        let callers =
            if known.is_empty() { stopped.callers(&self.symbols).unwrap_or_default() } else { known };
        std::iter::once(first).chain(callers.iter().map_while(of_call)).collect()
    }

    /// Takes note of what a board says of a function: its name in the module, and the two words of which one may be its
    /// address. Most of such words agree about where the module is.
    fn hear(&mut self, answer: &str) -> Option<()> {
        let mut words = answer.split(' ');
        let exported = words.next()?;
        let functions = self.symbols.functions().ok()?;
        let (_, addresses) = functions.iter().find(|(name, _)| is_export(name, exported).is_some())?;
        for word in words {
            let address = u64::from_str_radix(word.trim(), 16).ok()? & !1;
            // Text is aligned to words.
            if let Some(base) = address.checked_sub(addresses.start).filter(|base| base % 4 == 0) {
                *self.heard.entry(base).or_default() += 1;
            }
        }
        self.base = self.heard.iter().max_by_key(|(_, count)| **count).map(|(base, _)| *base);
        Some(())
    }
}

/// Whether a function is the C of an exported one: `mpy_export_f_NAME`, or `mpy_export_1_f_mpy_NAME_HASH` of wasm-bindgen's.
fn is_export(function: &str, name: &str) -> Option<()> {
    let (number, of) = function.strip_prefix("mpy_export_")?.split_once("f_")?;
    let is_number = number.trim_end_matches('_').chars().all(|c| c.is_ascii_digit());
    let of_bindgen = || of.strip_prefix("mpy_")?.strip_prefix(name)?.strip_prefix('_');
    let is_hash = |hash: &str| hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit());
    (is_number && (of == name || of_bindgen().is_some_and(is_hash))).then_some(())
}

impl Report {
    /// Takes note of a line. Returns whether it is one for people.
    fn read(&mut self, line: &str) -> bool {
        let mut words = line.split_whitespace();
        let number = |word: &str| u64::from_str_radix(word, 16).ok();
        if let Some(rest) = line.trim_start().strip_prefix("stack ") {
            let mut words =
                rest.split_whitespace().filter_map(|word| Some((number(word)?, word.len() as u64 / 2)));
            let Some((start, size)) = words.next() else { return false };
            for ((word, _), at) in words.zip(0..) {
                self.stack.insert(start.wrapping_add(at * size), word);
            }
            return false;
        }
        let before = self.words.len();
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            let Some(value) = number(value) else { break };
            self.words.push((name.to_owned(), value));
        }
        let new = &self.words[before..];
        line != LAST && !new.iter().any(|(name, _)| name == "code" || name == "size")
    }

    fn all(&self, name: &str) -> impl Iterator<Item = u64> {
        self.words.iter().filter(move |(of, _)| of == name).map(|(_, value)| *value)
    }

    fn word(&self, name: &str) -> Option<u64> {
        self.all(name).next()
    }
}

/// Frames as lines.
fn shown(frames: &[Frame]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut verb = "at";
    for Frame { address, places } in frames {
        for (place, number) in places.iter().zip(0..) {
            let what = if number == 0 { verb } else { "inlined at" };
            lines.push(format!("    {what} {place}"));
        }
        if places.is_empty() && verb == "at" {
            lines.push(format!("    {verb} {address:#x}, in the bindings"));
        }
        verb = "called at";
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read() {
        let mut report = Report::default();
        let lines = [
            ("    pc 20001234     lr 20001001     sp 2000fff0   xpsr 01000000", true),
            ("  code 20001000   size 00000400   code 20002000   size 00000010", false),
            (" stack 2000fff0 00000001 00000002", false),
            ("halted", false),
        ];
        for (line, shown) in lines {
            assert_eq!(report.read(line), shown, "{line}");
        }
        assert_eq!(report.word("pc"), Some(0x2000_1234));
        assert_eq!(report.all("code").collect::<Vec<_>>(), [0x2000_1000, 0x2000_2000]);
        assert_eq!(report.stack, BTreeMap::from([(0x2000_fff0, 1), (0x2000_fff4, 2)]));
    }

    #[test]
    fn functions_are_known_by_their_names_in_python() {
        let is = |function| is_export(function, "run").is_some();
        assert!(is("mpy_export_f_run") && is("mpy_export_12_f_mpy_run_4ff7aa91afc48d64"));
        assert!(!is("mpy_export_f_rerun") && !is("mpy_export_4_f_mpy_median_run_4ff7aa91afc48d64"));
        assert!(!is("mpy_thunk_2_f_mpy_run_4ff7aa91afc48d64") && !is("mpy_export_4_f_mpy_run_fast"));
    }

    #[test]
    fn nothing_changes_without_symbols() {
        let text = b"FATAL: HardFault\r\n    pc 20001234\r\nhalted\r\n\x1etext\x1ff 1 2\r\n";
        assert_eq!(Faults::default().with(text), text);
        assert_eq!(Faults::default().question(), None);
    }
}
