//! Disassembles code with the GNU `objdump` that belongs to a compiler.

use std::process::Command;

use target_specs::{Arch, Diagnostic, Result};

use super::{assembler_plugin, output_of, which, write_file};

/// Disassembles code that starts at address 0.
///
/// # Errors
/// `missing-tool` if no `objdump` for the architecture is installed, `tool-failed`, `io`.
pub fn disassemble(arch: &Arch, code: &[u8]) -> Result<String> {
    let mut names = Vec::new();
    for compiler in &arch.compilers {
        for command in &compiler.commands {
            let Some(prefix) = command.strip_suffix("gcc") else { continue };
            let name = format!("{prefix}objdump");
            let Some(program) = which(&name) else {
                names.push(name);
                continue;
            };
            let folder = tempfile::tempdir()
                .map_err(|error| super::io_error("create", &std::env::temp_dir(), &error))?;
            let file = folder.path().join("text");
            write_file(&file, code)?;
            let mut objdump = Command::new(program);
            if compiler.assembler_plugin
                && let Some(compiler) = which(command)
            {
                let plugin =
                    assembler_plugin::build(&compiler, &|what| crate::ui::status("Preparing", what))?;
                objdump.env(assembler_plugin::VARIABLE, plugin);
            }
            let listing =
                output_of(objdump.args(["-D", "-b", "binary"]).args(&arch.disassembler).arg(&file))?;
            // After the header, which contains the name of our temporary file.
            let start = listing.find(".data>:\n").map_or(0, |at| at + ".data>:\n".len());
            return Ok(listing[start..].to_owned());
        }
    }
    Err(Diagnostic::new("missing-tool", format!("nothing here disassembles {}", arch.name))
        .help(format!("looked for {}", names.join(", "))))
}
