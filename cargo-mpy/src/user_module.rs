//! A module as a user C module of MicroPython: a folder for `USER_C_MODULES`, by which a team builds the module into its own
//! firmware (MicroPython's documentation, "MicroPython external C modules").

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use glue_gen::Glue;
use target_specs::{Diagnostic, Place, Result};

use crate::plan::{BuildPlan, Target};
use crate::toolchain;

/// The C of a module for firmware whose addresses are as wide as those of a target.
pub struct Variant<'a> {
    /// What it was translated for.
    pub target: &'a Target,
    /// The folder with `module.c` and `glue.c`.
    pub folder: &'a Path,
    /// The bindings, which are in `glue.c`.
    pub glue: &'a Glue,
}

/// What all C names of the module begin with, as several modules are linked into one firmware.
fn prefix(module: &str) -> String {
    format!("mpy_{module}_")
}

/// The beginning of the translation unit: where its state is, and its names that others can see.
pub fn head(module: &str) -> String {
    let prefix = prefix(module);
    // GCC takes them here, whatever builds the firmware.
    let flags = wasm_to_c::C_FLAGS.iter().map(|flag| format!("\"{flag}\"")).collect::<Vec<_>>().join(", ");
    let mut c = format!(
        "#if defined(__GNUC__) && !defined(__clang__)\n#pragma GCC optimize({flags})\n#endif\n{SSE2}"
    );
    c.push_str("#include <stddef.h>\n#include <stdint.h>\n\n");
    let _ = writeln!(c, "/* Where the state is, in register.c. */");
    let _ = writeln!(c, "extern uint8_t *{prefix}base;");
    let _ = writeln!(c, "#define WASM_BASE {prefix}base\n#define MPY_IN_FIRMWARE 1");
    for (name, own) in
        [("mpy_init", "init"), ("mp_native_qstr_table", "qstrs"), ("mpy_shown_attribute", "attribute")]
    {
        let _ = writeln!(c, "#define {name} {prefix}{own}");
    }
    c + &runtime_names(module)
}

/// The names of the functions that are compiled apart, [`RUNTIME`].
fn runtime_names(module: &str) -> String {
    let prefix = prefix(module);
    ["sqrt32", "sqrt64"].iter().map(|name| format!("#define wasm_{name} {prefix}{name}\n")).collect()
}

/// The source of the runtime that may be needed: compilers and firmware have what the others define.
const RUNTIME: &str = "sqrt.c";

/// The folder.
pub fn folder(plan: &BuildPlan) -> PathBuf {
    plan.out_dir.join("usermod").join(&plan.module)
}

/// Writes the folder.
///
/// # Errors
/// `bad-value` for two targets with addresses of the same width, `io`.
pub fn write(plan: &BuildPlan, variants: &[Variant]) -> Result<()> {
    let folder = folder(plan);
    for (at, variant) in variants.iter().enumerate() {
        let bits = variant.target.arch.word_bits;
        if variants[..at].iter().any(|other| other.target.arch.word_bits == bits) {
            return Err(Diagnostic::new(
                "bad-value",
                format!("a user C module is the same for all firmware with {bits}-bit addresses"),
            )
            .at(Place::Item(plan.module.clone()))
            .help("name one board or architecture for each width of addresses, or none"));
        }
    }
    for (name, text) in c_runtime::HEADERS {
        toolchain::write_file(&folder.join(name), text.as_bytes())?;
    }
    let mut unit = format!("/* The module {} and its bindings. */\n{}\n", plan.module, head(&plan.module));
    let mut widths = Vec::new();
    for Variant { target, folder: from, glue } in variants {
        let bits = target.arch.word_bits;
        for name in ["module", "glue"] {
            let text = toolchain::read_file(&from.join(format!("{name}.c")))?;
            toolchain::write_file(&folder.join(format!("{name}{bits}.c")), &text)?;
        }
        let (start, bytes) = (if widths.is_empty() { "#if" } else { "#elif" }, bits / 8);
        let _ = writeln!(unit, "{start} __SIZEOF_POINTER__ == {bytes}");
        let _ = writeln!(unit, "#include \"module{bits}.c\"\n#include \"glue{bits}.c\"");
        toolchain::write_file(&folder.join(format!("{}.pyi", plan.module)), glue.stub.as_bytes())?;
        widths.push(bits.to_string());
    }
    let _ = writeln!(unit, "#else");
    let _ = writeln!(
        unit,
        "#error \"{} was made for firmware with {}-bit addresses\"",
        plan.module,
        widths.join("- and ")
    );
    let _ = writeln!(unit, "#endif\n");
    let prefix = prefix(&plan.module);
    let _ = writeln!(unit, "extern const size_t {prefix}state_size;");
    let _ = writeln!(unit, "const size_t {prefix}state_size = WASM_STATE_SIZE();");
    toolchain::write_file(&folder.join("unit.c"), unit.as_bytes())?;
    let (_, runtime) = c_runtime::SOURCES.iter().find(|(name, _)| *name == RUNTIME).expect("a source");
    let runtime = runtime_names(&plan.module) + runtime;
    toolchain::write_file(&folder.join(RUNTIME), runtime.as_bytes())?;
    toolchain::write_file(&folder.join("register.c"), register(plan, variants).as_bytes())?;
    for (name, text) in [("micropython.mk", MAKE), ("micropython.cmake", CMAKE)] {
        let text = text.replace("@NAME@", &plan.module).replace("@FLAGS@", &wasm_to_c::C_FLAGS.join(" "));
        toolchain::write_file(&folder.join(name), text.as_bytes())?;
    }
    Ok(())
}

/// WebAssembly's floats are those of SSE2.
const SSE2: &str = "\
#if defined(__i386__) && !defined(__SSE2__) && !defined(__clang__)
#pragma GCC target(\"sse2,fpmath=sse\")
#endif
";

/// For the make files of MicroPython's ports.
const MAKE: &str = "\
MPY_@NAME@_DIR := $(USERMOD_DIR)
SRC_USERMOD_C += $(MPY_@NAME@_DIR)/register.c
# Nothing to scan for strings in these.
SRC_USERMOD_LIB_C += $(MPY_@NAME@_DIR)/unit.c $(MPY_@NAME@_DIR)/sqrt.c
# They preserve the meaning of the code.
$(BUILD)/$(patsubst $(USER_C_MODULES)/%,%,$(MPY_@NAME@_DIR))/unit.o: CFLAGS += @FLAGS@
";

/// For ports that are built by CMake.
const CMAKE: &str = "\
add_library(usermod_@NAME@ INTERFACE)
target_sources(usermod_@NAME@ INTERFACE
    ${CMAKE_CURRENT_LIST_DIR}/register.c
    ${CMAKE_CURRENT_LIST_DIR}/unit.c
    ${CMAKE_CURRENT_LIST_DIR}/sqrt.c
)
# They preserve the meaning of the code.
set_property(SOURCE ${CMAKE_CURRENT_LIST_DIR}/unit.c APPEND_STRING PROPERTY COMPILE_FLAGS \" @FLAGS@\")
target_link_libraries(usermod INTERFACE usermod_@NAME@)
";

/// `register.c`: the module object, the strings and the state.
fn register(plan: &BuildPlan, variants: &[Variant]) -> String {
    let glue = variants[0].glue;
    let (mut strings, mut interned) = (String::new(), String::new());
    let mut widths = Vec::new();
    let same = variants.iter().all(|variant| variant.glue.qstrs == glue.qstrs);
    for Variant { target, glue, .. } in variants.iter().take(if same { 1 } else { variants.len() }) {
        let (start, bytes) = (if widths.is_empty() { "#if" } else { "#elif" }, target.arch.word_bits / 8);
        if !same {
            let _ = writeln!(strings, "{start} __SIZEOF_POINTER__ == {bytes}");
            let _ = writeln!(interned, "{start} __SIZEOF_POINTER__ == {bytes}");
        }
        for (at, text) in (1..).zip(&glue.qstrs) {
            if is_plain(text) {
                let _ = writeln!(strings, "    MP_QSTR_{text},");
            } else {
                // MicroPython's scripts find strings by such names only.
                strings.push_str("    0,\n");
                let bytes = text.as_bytes();
                let literal: String = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
                let _ = writeln!(
                    interned,
                    "    @PREFIX@qstrs[{at}] = qstr_from_strn(\"{literal}\", {});",
                    bytes.len()
                );
            }
        }
        widths.push(bytes);
    }
    let is_constant = interned.lines().all(|line| line.starts_with('#'));
    if !same {
        strings.push_str("#endif\n");
        interned.push_str("#endif\n");
    }
    if is_constant {
        interned.clear();
    }
    let module =
        if variants.iter().any(|variant| variant.glue.shows_attributes) { ATTRIBUTES } else { PLAIN };
    c_runtime::REGISTER
        .replace("@MODULE@", module)
        .replace("@CONST@", if is_constant { "const " } else { "" })
        .replace("@QSTRS@\n", &strings)
        .replace("@INTERN@\n", &interned)
        .replace("@PREFIX@", &prefix(&plan.module))
        .replace("@NAME@", &plan.module)
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The module object.
const PLAIN: &str = "
const mp_obj_module_t @PREFIX@module = {{&mp_type_module}, &@PREFIX@globals};
MP_REGISTER_MODULE(MP_QSTR_@NAME@, @PREFIX@module);
";

/// The module object, some of whose attributes are read and written where they are.
const ATTRIBUTES: &str = "
void @PREFIX@attribute(mp_obj_t self, qstr name, mp_obj_t *dest);

static void @PREFIX@find(mp_obj_t self, qstr name, mp_obj_t *dest) {
    if (name != MP_QSTR___init__) {
        @PREFIX@attribute(self, name, dest);
    } else if (dest[0] == MP_OBJ_NULL) {
        /* Asked for when there is no state yet. */
        dest[0] = MP_OBJ_FROM_PTR(&@PREFIX@import_obj);
    }
}

static void @PREFIX@print(const mp_print_t *print, mp_obj_t self, mp_print_kind_t kind) {
    (void)self;
    (void)kind;
    mp_printf(print, \"<module '@NAME@'>\");
}

static MP_DEFINE_CONST_OBJ_TYPE(
    @PREFIX@type, MP_QSTR_module, MP_TYPE_FLAG_NONE, attr, @PREFIX@find, print, @PREFIX@print);
const mp_obj_module_t @PREFIX@module = {{&@PREFIX@type}, &@PREFIX@globals};
MP_REGISTER_MODULE(MP_QSTR_@NAME@, @PREFIX@module);
";
