//! A module whose code stays in flash.
//!
//! Such a module has two parts. Its code is a constant object of the `.mpy` file, which MicroPython's loader leaves where it is
//! if the file is in ROM (py/persistentcode.c, `load_obj`). The other part is ordinary native code, which the loader copies to
//! RAM: it starts the code, and has an entry for each function that the firmware calls (`c-runtime/flash/stub.c`).

use std::path::Path;

use glue_gen::Glue;
use mpy_link::{Bytes, Image, MapEntry, Options, Part};
use target_specs::{Arch, Result};

use crate::toolchain::cc::{CCompiler, linked};
use crate::toolchain::write_file;

/// The beginning of the translation unit.
pub fn head(glue: &Glue) -> String {
    format!(
        "#define MPY_ENTRIES {}\n#include \"mpy_in_flash.h\"\n\n\
         /* The part in RAM calls mpy_init, which calls this. */\n#define mpy_init mpy_start\n",
        entries(glue)
    )
}

/// The end of the translation unit.
pub const TAIL: &str = "#undef mpy_init\n#include \"mpy_start_in_flash.h\"\n";

/// How many functions the firmware can call. C has no arrays of nothing.
fn entries(glue: &Glue) -> usize {
    glue.entries.max(1)
}

/// What the parts are made with.
pub struct Toolchain<'a> {
    /// The C compiler.
    pub compiler: &'a CCompiler,
    /// The architecture.
    pub arch: &'a Arch,
    /// C compiler flags in addition to those of the architecture.
    pub c_flags: &'a [String],
    /// Such as `-Os`.
    pub optimisation: &'a str,
    /// The folder with the headers of the runtime.
    pub include: &'a Path,
}

impl Toolchain<'_> {
    fn flags(&self, more: &[String]) -> Vec<String> {
        [self.c_flags, more].concat()
    }
}

/// C compiler flags of both parts.
fn register_flags(compiler: &CCompiler) -> Result<Vec<String>> {
    let register = compiler.flash_register()?;
    Ok(vec![format!("-ffixed-{register}"), format!("-DMPY_BASE_REGISTER={register}")])
}

/// C compiler flags of the code, in addition to others.
///
/// # Errors
/// `no-code-in-flash` if the compiler makes no such code.
pub fn flags(compiler: &CCompiler) -> Result<Vec<String>> {
    let mut flags = register_flags(compiler)?;
    flags.extend(["-fPIC", "-fvisibility=hidden"].map(str::to_owned));
    Ok(flags)
}

/// Links the object of the code, and then the module that contains it. The symbols for debuggers, if `source` is given, are those
/// of the code, whose address is that of the object.
///
/// # Errors
/// Those of the compiler and the linker.
pub fn link(
    toolchain: &Toolchain,
    object: &Path,
    glue: &Glue,
    source: Option<&mpy_link::Source>,
) -> Result<Image> {
    let Toolchain { compiler, c_flags, optimisation, include, .. } = *toolchain;
    let options = Options { qstrs: &glue.qstrs, ..Options::new(toolchain.arch) };
    let mut code_flags = flags(compiler)?;
    // The runtime's functions use the function table by the register as well.
    code_flags.extend(["-include", "mpy_in_flash.h"].map(str::to_owned));
    let runtime = compiler.runtime(&toolchain.flags(&code_flags), optimisation, include)?;
    let library = compiler.library(c_flags)?;
    let with_source = Options { source, ..options };
    let code = linked(object, &runtime, &library, |inputs| mpy_link::link_code(inputs, &with_source))?;

    let (source, object) = (object.with_extension("stub.c"), object.with_extension("stub.o"));
    write_file(&source, c_runtime::STUB.as_bytes())?;
    let mut stub_flags = register_flags(compiler)?;
    stub_flags.push(format!("-DMPY_ENTRIES={}", entries(glue)));
    compiler.compile(&source, &object, &toolchain.flags(&stub_flags), "-Os", &[include])?;
    let runtime = compiler.runtime(c_flags, optimisation, include)?;
    let objects = [Bytes { name: "code".to_owned(), data: code.bytes }];
    let options = Options { objects: &objects, ..options };
    let mut image = linked(&object, &runtime, &library, |inputs| mpy_link::link(inputs, &options))?;
    // What is in the constant, and the RAM that its code allocates.
    image.sizes.bss += code.state;
    image.symbols = code.symbols;
    image.map.retain(|entry| entry.part != Part::Objects);
    image.map.push(MapEntry {
        part: Part::Bss,
        address: 0,
        size: code.state,
        symbol: String::new(),
        section: "state".to_owned(),
        object: String::new(),
    });
    image.map.extend(code.map.into_iter().map(|entry| MapEntry { part: Part::Objects, ..entry }));
    Ok(image)
}
