//! Links ELF objects and archives into a native MicroPython `.mpy` module (version 6.3).
//!
//! `py/persistentcode.c` of MicroPython is the loader this must satisfy, `tools/mpy_ld.py` the
//! linker it stands in for.
//!
//! The stages: `object` reads, `resolve` finds what is needed, `layout` gives it addresses with a
//! table of the addresses code looks up (`got`), `image` settles relocations by the tables of
//! `reloc` and `arch`, `mpy` writes.

mod abi;
mod arch;
mod archive;
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

pub use map::{MapEntry, Part};
pub use mpy::{OBJECT_ALIGN, STATIC_QSTRS, SUB_VERSION, VERSION};
pub use options::{Bytes, Input, InputKind, Options};

use target_specs::{Diagnostic, Result};

use crate::got::Got;
use crate::image::Linker;
use crate::layout::Region;
use crate::relax::CodeRelaxer;
use crate::resolve::Program;

/// Bytes of the parts of a module once it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    pub text: u32,
    pub rodata: u32,
    pub bss: u32,
}

/// A linked module.
#[derive(Debug, Clone)]
pub struct Image {
    /// The `.mpy` file.
    pub bytes: Vec<u8>,
    pub sizes: Sizes,
    /// What is where.
    pub map: Vec<MapEntry>,
}

/// Where every module starts.
const ENTRY: &str = "mpy_init";

/// Links `inputs`; the module starts at the function `mpy_init`.
///
/// # Errors
/// Malformed or foreign objects, undefined and duplicate symbols, relocations out of range.
pub fn link(inputs: &[Input], options: &Options) -> Result<Image> {
    let Some(arch) = arch::named(&options.arch.name) else {
        return Err(Diagnostic::new(
            "unknown-arch",
            format!("the linker does not know the architecture `{}`", options.arch.name),
        ));
    };
    let mut program = Program::load(inputs, arch)?;
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
    let mut qstrs = vec![options.file_name];
    qstrs.extend(options.qstrs.iter().map(String::as_str));
    let head = mpy::Head {
        arch: options.arch.mpy_arch,
        arch_flags: program.extensions(),
        qstrs: &qstrs,
        objects: options.objects,
    };
    let bytes = mpy::write(&head, &contents, layout.bss);
    let sizes = Sizes { text: layout.text, rodata: layout.rodata, bss: layout.bss };
    let mut map = map::map(&program, &layout, got.len());
    map.extend(map::objects(options.objects));
    Ok(Image { bytes, sizes, map })
}

/// Shortens code until nothing gets shorter.
fn relax_code(program: &mut Program, regions: &[Option<Region>], got: &Got) -> Result<()> {
    let Some(relaxer) = CodeRelaxer::new(program, regions) else { return Ok(()) };
    loop {
        let layout = layout::place(program, regions, got.len(), false)?;
        if !relaxer.round(program, &layout, false) {
            // Padding depends only on what is before it in its section.
            relaxer.round(program, &layout, true);
            return Ok(());
        }
    }
}
