//! Links ELF objects and archives into a native MicroPython `.mpy` module (version 6.3).
//!
//! The result is for the loader in MicroPython's `py/persistentcode.c`. The linker can be used in place of MicroPython's
//! `tools/mpy_ld.py`.
//!
//! ```no_run
//! use mpy_link::{Input, InputKind, Options, link};
//!
//! let object = std::fs::read("module.o").unwrap();
//! let library = std::fs::read("libgcc.a").unwrap();
//! let inputs = [
//!     Input { name: "module.o", kind: InputKind::Object, data: &object },
//!     Input { name: "libgcc.a", kind: InputKind::Lazy, data: &library },
//! ];
//! let image = link(&inputs, &Options::new(target_specs::arch("armv6m")?))?;
//! std::fs::write("module.mpy", image.bytes).unwrap();
//! # Ok::<(), target_specs::Diagnostic>(())
//! ```
//!
//! Malformed input is an error, never a panic:
//!
//! ```
//! # use mpy_link::{Input, InputKind, Options, link};
//! let options = Options::new(target_specs::arch("armv6m")?);
//! let text = Input { name: "module.o", kind: InputKind::Object, data: b"int x;" };
//! assert_eq!(link(&[text], &options).unwrap_err().code, "not-an-object");
//! # Ok::<(), target_specs::Diagnostic>(())
//! ```
//!
//! # Stages
//!
//! Each file imports only files before it in this list:
//!
//! | file | contents |
//! |---|---|
//! | `options` | what to link, and how |
//! | `abi` | what objects say about how they were compiled |
//! | `model` | sections, symbols and relocations as data |
//! | `reloc` | the formulas of relocations and the fields that they change |
//! | `arch/*` | the architectures: tables of relocations, and functions that rewrite code |
//! | `elf`, `archive` | the readers |
//! | `resolve` | the definition of each symbol, and what the module needs |
//! | `layout` | the address of everything that is linked |
//! | `got` | the table of the addresses that code loads |
//! | `relax` | rewriting of code: relaxation |
//! | `image` | the contents of text and rodata: relocation |
//! | `map`, `mpy` | the writers |
//! | `debug` | the symbol file for debuggers |
//! | `inspect` | a reader of `.mpy` files |

mod abi;
mod arch;
mod archive;
mod debug;
mod elf;
mod got;
mod image;
pub mod inspect;
mod layout;
mod map;
mod model;
mod mpy;
mod options;
mod relax;
mod reloc;
mod resolve;

pub use debug::Symbols;
pub use layout::LARGEST_FILE;
pub use map::{MapEntry, Part};
pub use mpy::{OBJECT_ALIGN, STATIC_QSTRS, SUB_VERSION, VERSION};
pub use options::{Bytes, Input, InputKind, Options, Source};

use target_specs::{Diagnostic, Result};

use crate::got::Got;
use crate::image::{Contents, Linker};
use crate::layout::{Layout, Region};
use crate::model::Kind;
use crate::relax::CodeRelaxer;
use crate::resolve::Program;

/// The sizes of the parts of a loaded module, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// The size of the text.
    pub text: u32,
    /// The size of the initialised data.
    pub rodata: u32,
    /// The size of the zero-initialised data.
    pub bss: u32,
    /// The size of the constant objects, which stay where they are if the file is in ROM.
    pub objects: u32,
}

/// A linked module.
#[derive(Debug, Clone)]
pub struct Image {
    /// The `.mpy` file.
    pub bytes: Vec<u8>,
    /// The sizes of its parts.
    pub sizes: Sizes,
    /// The layout of its parts.
    pub map: Vec<MapEntry>,
    /// What debuggers need, if [`Options::source`] is given.
    pub symbols: Option<Symbols>,
}

/// The function that the loader calls.
const ENTRY: &str = "mpy_init";
/// The variable that is as large as the state of code that runs at any address.
const STATE: &str = "mpy_state";

fn known(arch: &target_specs::Arch) -> Result<&'static arch::Arch> {
    arch::named(&arch.name).ok_or_else(|| {
        let message = format!("the linker does not know the architecture `{}`", arch.name);
        Diagnostic::new("unknown-arch", message)
    })
}

/// The extensions of an architecture that the header of a `.mpy` file can name, and their bits.
///
/// # Errors
/// `unknown-arch`.
pub fn extensions(arch: &target_specs::Arch) -> Result<&'static [(&'static str, u32)]> {
    Ok(known(arch)?.declared)
}

/// Code and constants that run at any address, without a loader.
#[derive(Debug, Clone)]
pub struct Code {
    /// Its contents. The entry, `mpy_init`, is at the start.
    pub bytes: Vec<u8>,
    /// The layout of it.
    pub map: Vec<MapEntry>,
    /// What debuggers need, if [`Options::source`] is given.
    pub symbols: Option<Symbols>,
    /// The bytes of RAM that it allocates when it starts: the size of the variable `mpy_state`, to which nothing refers.
    pub state: u32,
}

/// Links `inputs`. The entry of the module is the function `mpy_init`.
///
/// # Errors
/// If objects are malformed or for another target, symbols are undefined or duplicate, or relocations are out of range.
pub fn link(inputs: &[Input], options: &Options) -> Result<Image> {
    let Linked { program, layout, got, contents } = place(inputs, options)?;
    let mut qstrs = vec![options.file_name];
    qstrs.extend(options.qstrs.iter().map(String::as_str));
    let head = mpy::Head {
        arch: options.arch.mpy_arch,
        arch_flags: options.arch_flags | program.extensions(),
        qstrs: &qstrs,
        objects: options.objects,
    };
    let bytes = mpy::write(&head, &contents, layout.bss);
    let objects = options.objects.iter().map(|object| object.data.len() as u32).sum();
    let sizes = Sizes { text: layout.text, rodata: layout.rodata, bss: layout.bss, objects };
    let mut map = map::map(&program, &layout, got.len());
    let symbols = symbols(inputs, options, &program, &layout, &contents, &map)?;
    map.extend(map::objects(options.objects));
    Ok(Image { bytes, sizes, map, symbols })
}

/// Links `inputs` to code that contains no addresses and changes nothing in itself, so that it runs where it lies. `objects`
/// and `qstrs` of the options have no meaning here.
///
/// # Errors
/// Those of [`link`], `absolute-address` and `writable-data`.
pub fn link_code(inputs: &[Input], options: &Options) -> Result<Code> {
    let Linked { program, layout, got, contents } = place(inputs, options)?;
    let map = map::map(&program, &layout, got.len());
    let named = |entry: Option<&MapEntry>| match entry {
        Some(entry) if !entry.symbol.is_empty() => format!("`{}` of {}", entry.symbol, entry.object),
        Some(entry) => format!("{} of {}", entry.section, entry.object),
        None => "it".to_owned(),
    };
    if let Some(reloc) = contents.relocs.first() {
        let at = reloc.word * u32::from(program.arch.word);
        let within = |entry: &&MapEntry| (entry.address..entry.address + entry.size.max(1)).contains(&at);
        let holder = map.iter().find(|entry| entry.part == Part::Text && within(entry));
        return Err(Diagnostic::new(
            "absolute-address",
            format!("code that stays in flash cannot contain an address, and {} does", named(holder)),
        ));
    }
    // Variables are part of the text if it addresses them relative to itself.
    let changes = |&(id, slot): &(usize, &Option<(Region, u32)>)| {
        let section = program.fragments[id].section;
        slot.is_some() && matches!(program.sections[section].section.kind, Kind::Data | Kind::Bss)
    };
    let variable = layout.slots.iter().enumerate().find(changes);
    if variable.is_some() || layout.rodata + layout.bss > 0 {
        let address = variable.and_then(|(_, slot)| Some(slot.as_ref()?.1));
        let variable = map.iter().find(|entry| Some(entry.address) == address);
        return Err(Diagnostic::new(
            "writable-data",
            format!("code that stays in flash cannot change anything there, and {} changes", named(variable)),
        ));
    }
    let debug = symbols(inputs, options, &program, &layout, &contents, &map)?;
    let mut symbols = program.objects.iter().flat_map(|object| &object.symbols);
    let state = symbols.find(|symbol| symbol.name == STATE).map_or(0, |symbol| symbol.size as u32);
    Ok(Code { bytes: contents.text, map, symbols: debug, state })
}

/// The symbols for debuggers, if they are wanted.
fn symbols(
    inputs: &[Input],
    options: &Options,
    program: &Program,
    layout: &Layout,
    contents: &Contents,
    map: &[MapEntry],
) -> Result<Option<Symbols>> {
    let (Some(source), Some(first)) = (options.source, inputs.first()) else { return Ok(None) };
    debug::symbols(program, layout, contents, map, (0, first.data), source).map(Some)
}

/// A linked program.
struct Linked<'a> {
    program: Program<'a>,
    layout: Layout,
    got: Got,
    contents: Contents,
}

/// Links everything, and gives it its place.
fn place<'a>(inputs: &[Input<'a>], options: &Options<'a>) -> Result<Linked<'a>> {
    let arch = known(options.arch)?;
    let mut program = Program::load(inputs, options.externs, arch)?;
    program.mark(ENTRY)?;
    resolve::merge(&mut program);
    relax::make_relative(&mut program)?;
    let regions = layout::regions(&program, options.arch.byte_readable_text);
    relax::relax_got(&mut program, &regions);
    relax::inline_got(&mut program, &regions);
    let mut got = Got::collect(&program);
    relax_code(&mut program, &regions, &got)?;
    let mut anchor = false;
    let (layout, contents) = loop {
        let layout = layout::place(&program, &regions, got.len(), anchor)?;
        got.sort(&program, &layout);
        let linker = Linker { program: &program, layout: &layout, got: &got };
        let contents = linker.fill()?;
        if linker.is_anchored(&contents) {
            break (layout, contents);
        }
        anchor = true;
    };
    Ok(Linked { program, layout, got, contents })
}

/// Shortens code until nothing can be shortened.
fn relax_code(program: &mut Program, regions: &[Option<Region>], got: &Got) -> Result<()> {
    let Some(relaxer) = CodeRelaxer::new(program, regions) else { return Ok(()) };
    loop {
        let layout = layout::place(program, regions, got.len(), false)?;
        if !relaxer.round(program, &layout, false) {
            // The padding that is needed depends only on what is before it in its section.
            relaxer.round(program, &layout, true);
            return Ok(());
        }
    }
}
