//! What was executed, by who called it: what the emulator's plugin counted (`emulators/plugin.c`), in the terms of the source.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use target_specs::{Diagnostic, Place, Result};

use crate::symbols::{At, Symbols};

/// Counts of instructions.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// By the functions on the stack, from the outermost to the innermost.
    pub stacks: BTreeMap<Vec<String>, u64>,
    /// By line of the source of the module.
    pub lines: BTreeMap<String, u64>,
    /// All that the emulator executed in this time.
    pub executed: u64,
}

/// The counts of a function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Instructions of its own.
    pub own: u64,
    /// And those of all functions that it calls.
    pub total: u64,
}

/// Functions of the firmware: addresses, sizes and names, sorted by address.
pub type Functions = [(u64, u64, String)];

/// The functions as the plugin reads them: those of the firmware, then those of the module.
///
/// # Errors
/// `no-symbols`
pub fn functions(firmware: &Functions, symbols: &Symbols) -> Result<String> {
    let mut text = format!("t {:x}\n", symbols.text()?.len());
    for (address, size, _) in firmware {
        let _ = writeln!(text, "f {address:x} {size:x}");
    }
    for (_, addresses) in of_module(symbols)? {
        let _ = writeln!(text, "m {:x} {:x}", addresses.start, addresses.end - addresses.start);
    }
    Ok(text)
}

/// The functions of a module, sorted.
fn of_module(symbols: &Symbols) -> Result<Vec<(String, std::ops::Range<u64>)>> {
    let mut functions = symbols.functions()?;
    functions.retain(|(_, addresses)| !addresses.is_empty());
    functions.sort_by_key(|(_, addresses)| addresses.start);
    Ok(functions)
}

fn damaged() -> Diagnostic {
    Diagnostic::new("no-profile", "cannot read what the emulator counted")
        .help("please report it with the version of QEMU")
}

impl Profile {
    /// Reads what the plugin wrote. Paths in the folder `root` are relative to it.
    ///
    /// # Errors
    /// `no-symbols`; `no-profile` if the text is damaged.
    pub fn read(text: &str, firmware: &Functions, symbols: &Symbols, root: &Path) -> Result<Profile> {
        let mut source = Source {
            symbols,
            root,
            texts: Vec::new(),
            known: HashMap::new(),
            size: symbols.text()?.len() as u64,
        };
        let module = of_module(symbols)?;
        let name = |function: i64| {
            let at = usize::try_from(function).ok()?;
            let of_module = || module.get(at - firmware.len()).map(|(name, _)| name.clone());
            firmware.get(at).map(|(.., name)| name.clone()).or_else(of_module)
        };
        let mut profile = Profile::default();
        let (mut blocks, mut stacks): (Vec<Vec<u64>>, Vec<Vec<String>>) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let mut words = line.split(' ');
            let kind = words.next().unwrap_or_default();
            let words: Vec<&str> = words.collect();
            let number =
                |at: usize| words.get(at).and_then(|word| word.parse::<i64>().ok()).ok_or_else(damaged);
            let address = |word: &&str| u64::from_str_radix(word, 16).map_err(|_| damaged());
            match kind {
                "code" => source.texts.extend(words.iter().map(address).collect::<Result<Vec<_>>>()?),
                "block" => blocks.push(words.iter().skip(1).map(address).collect::<Result<_>>()?),
                "node" => {
                    let parent = usize::try_from(number(1)?).ok().and_then(|parent| stacks.get(parent));
                    let mut stack = parent.cloned().unwrap_or_default();
                    let from = words.get(3).map(address).ok_or_else(damaged)??;
                    if from != 0 {
                        // The call is in functions that are inlined into the one of the parent.
                        stack = below(&stack, &source.of(from)?.0);
                    }
                    stack.extend(name(number(2)?));
                    stacks.push(stack);
                }
                "count" => {
                    let index = |at| usize::try_from(number(at)?).map_err(|_| damaged());
                    let (stack, block) = (stacks.get(index(0)?), blocks.get(index(1)?));
                    let (Some(stack), Some(block)) = (stack, block) else { return Err(damaged()) };
                    let times = u64::try_from(number(2)?).map_err(|_| damaged())?;
                    for address in block {
                        let (names, line) = source.of(*address)?;
                        *profile.stacks.entry(below(stack, names)).or_default() += times;
                        if let Some(line) = line {
                            *profile.lines.entry(line.clone()).or_default() += times;
                        }
                    }
                }
                "end" => profile.executed = number(0)?.unsigned_abs(),
                _ => return Err(damaged()),
            }
        }
        Ok(profile)
    }

    /// Reads stacks in the form of [`Profile::folded`].
    ///
    /// # Errors
    /// `bad-profile`
    pub fn from_folded(text: &str, path: &Path) -> Result<Profile> {
        let mut profile = Profile::default();
        for (line, number) in text.lines().zip(1..) {
            let counted =
                line.rsplit_once(' ').and_then(|(stack, count)| Some((stack, count.parse::<u64>().ok()?)));
            let (stack, count) = counted.ok_or_else(|| {
                Diagnostic::new("bad-profile", "this is not a stack with a count")
                    .at(Place::File { path: path.to_owned(), line: number, column: 0 })
                    .help("`--baseline` takes a `.folded` file that `cargo mpy profile` wrote")
            })?;
            let stack = stack.split(';').map(str::to_owned).collect();
            *profile.stacks.entry(stack).or_default() += count;
            profile.executed += count;
        }
        Ok(profile)
    }

    /// The stacks in the form that tools for flame graphs read: `outer;inner COUNT`, a line for each.
    pub fn folded(&self) -> String {
        let mut text = String::new();
        for (stack, count) in &self.stacks {
            // Types such as `[u8; 4]` contain what separates functions.
            let names: Vec<String> = stack.iter().map(|name| name.replace(';', ",")).collect();
            let names = if names.is_empty() { "(unknown)".to_owned() } else { names.join(";") };
            let _ = writeln!(text, "{names} {count}");
        }
        text
    }

    /// The counts of each function.
    pub fn functions(&self) -> BTreeMap<String, Counts> {
        let mut functions: BTreeMap<String, Counts> = BTreeMap::new();
        for (stack, count) in &self.stacks {
            let unknown = "(unknown)".to_owned();
            functions.entry(stack.last().unwrap_or(&unknown).clone()).or_default().own += count;
            // One that calls itself is there more than once.
            let all: BTreeSet<&String> = stack.iter().chain(stack.is_empty().then_some(&unknown)).collect();
            for name in all {
                functions.entry(name.clone()).or_default().total += count;
            }
        }
        functions
    }

    /// All instructions of the stacks.
    pub fn total(&self) -> u64 {
        self.stacks.values().sum()
    }
}

/// A stack with the functions that are inlined into its innermost one, and that one itself.
fn below(stack: &[String], names: &[String]) -> Vec<String> {
    let is_there = names.first().is_some_and(|first| stack.last() == Some(first));
    stack.iter().chain(names.iter().skip(usize::from(is_there))).cloned().collect()
}

/// Where addresses of the module are in its source.
struct Source<'s> {
    symbols: &'s Symbols,
    root: &'s Path,
    /// Where its text was loaded.
    texts: Vec<u64>,
    size: u64,
    /// By offset: the function that contains it, those that are inlined there, and the line.
    known: HashMap<u64, (Vec<String>, Option<String>)>,
}

impl Source<'_> {
    fn of(&mut self, address: u64) -> Result<&(Vec<String>, Option<String>)> {
        let offset = self
            .texts
            .iter()
            .rev()
            .find_map(|start| address.checked_sub(*start).filter(|offset| *offset < self.size));
        // What is not in the module is known by its function alone.
        let key = offset.unwrap_or(u64::MAX);
        if !self.known.contains_key(&key) {
            let found = match offset {
                Some(offset) => self.places(offset)?,
                None => (Vec::new(), None),
            };
            self.known.insert(key, found);
        }
        Ok(&self.known[&key])
    }

    fn places(&self, offset: u64) -> Result<(Vec<String>, Option<String>)> {
        let mut places = self.symbols.source_places(offset)?;
        // The innermost has the line of the instruction.
        let line = places.iter().find_map(|At { line, .. }| line.as_ref()).map(|(path, line)| {
            let path = Path::new(path);
            format!("{}:{line}", path.strip_prefix(self.root).unwrap_or(path).display())
        });
        if places.is_empty() {
            // Of the bindings, only the function itself.
            places.extend(self.symbols.places(offset)?.pop());
        }
        Ok((places.into_iter().rev().filter_map(|place| place.function).collect(), line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_their_own_counts_and_those_below() {
        let text = "main;a;b 5\nmain;a 2\nmain;a;b;a 3\nmain 1\n";
        let profile = Profile::from_folded(text, Path::new("x")).unwrap();
        let functions = profile.functions();
        assert_eq!(functions["a"], Counts { own: 5, total: 10 });
        assert_eq!(functions["b"], Counts { own: 5, total: 8 });
        assert_eq!(functions["main"], Counts { own: 1, total: 11 });
        assert_eq!((profile.total(), profile.executed), (11, 11));
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        assert_eq!(Profile::from_folded(&profile.folded(), Path::new("x")).unwrap(), profile);
        assert_eq!(Profile::from_folded("a;b\n", Path::new("x")).unwrap_err().code, "bad-profile");
    }
}
