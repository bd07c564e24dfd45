//! A module whose code stays in flash: what its translation unit begins and ends with.
//!
//! Such a module has two parts. Its code is a constant object of the `.mpy` file, which MicroPython's loader leaves where it is
//! if the file is in ROM (py/persistentcode.c, `load_obj`). The other part is ordinary native code, which the loader copies to
//! RAM: it starts the code, and has an entry for each function that the firmware calls (`c-runtime/flash/stub.c`).

use glue_gen::Glue;

/// The beginning of the translation unit.
pub fn head(glue: &Glue) -> String {
    let entries = glue.entries.max(1);
    format!(
        "#define MPY_ENTRIES {entries}\n#include \"mpy_in_flash.h\"\n\n\
         /* The part in RAM calls mpy_init, which calls this. */\n#define mpy_init mpy_start\n"
    )
}

/// The end of the translation unit.
pub const TAIL: &str = "#undef mpy_init\n#include \"mpy_start_in_flash.h\"\n";
