//! `cargo mpy inspect`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use mpy_link::Part;
use mpy_link::inspect::{self, Module, Object};
use target_specs::{Arch, Diagnostic, Place};

use crate::failure::Failure;
use crate::toolchain::{self, disassembler};
use crate::ui;

/// Show the contents of a native .mpy module
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy inspect target/mpy/armv6m/hello.mpy
  cargo mpy inspect hello.mpy --disassemble
      also disassemble it, with objdump for its architecture")]
pub struct Inspect {
    /// Module to inspect
    #[arg(value_name = "FILE.mpy")]
    file: PathBuf,

    /// Disassemble the text; constants in it are shown as instructions
    #[arg(short, long)]
    disassemble: bool,
}

impl Inspect {
    pub fn run(self) -> Result<(), Failure> {
        let bytes = toolchain::read_file(&self.file)?;
        let module = inspect::read(&bytes)
            .map_err(|error| error.at(Place::File { path: self.file.clone(), line: 0, column: 0 }))?;
        // The last of several with this number has the instructions of the others too.
        let archs: Vec<&Arch> =
            target_specs::archs().iter().filter(|arch| arch.mpy_arch == module.arch).collect();
        let arch =
            archs.last().ok_or_else(|| Diagnostic::new("unknown-arch", "its architecture is not known"))?;
        ui::output(text(&module, &archs, bytes.len()));
        if self.disassemble {
            ui::output(format_args!("\ndisassembly\n{}", disassembler::disassemble(arch, &module.text)?));
        }
        Ok(())
    }
}

/// Prints everything except the code.
fn text(module: &Module, archs: &[&Arch], size: usize) -> String {
    let mut text = String::new();
    let mut line = |words: std::fmt::Arguments| {
        writeln!(text, "{}", target_specs::visible_line(&words.to_string())).expect("a String");
    };
    let names: Vec<String> = archs.iter().map(|arch| format!("{} ({})", arch.name, arch.title)).collect();
    line(format_args!("native module for {}", names.join(" or ")));
    line(format_args!("  format       .mpy 6.{}, {size} bytes", module.sub_version));
    if module.arch_flags != 0 {
        line(format_args!("  extensions   {:#x}", module.arch_flags));
    }
    line(format_args!("  small ints   {} bits", module.small_int_bits));
    let source = module.qstrs.first().map(|qstr| qstr.text.as_str()).unwrap_or_default();
    if !source.is_empty() {
        line(format_args!("  source       {source}"));
    }
    line(format_args!("parts"));
    line(format_args!("  text         {}", module.text.len()));
    line(format_args!("  rodata       {}", module.rodata.len()));
    line(format_args!("  bss          {}", module.bss));
    if module.qstrs.len() > 1 {
        line(format_args!("strings"));
    }
    for (index, qstr) in module.qstrs.iter().enumerate().skip(1) {
        let known = if qstr.number.is_some() { "  (every MicroPython has it)" } else { "" };
        line(format_args!("  {index:<11}  {:?}{known}", qstr.text));
    }
    if !module.objects.is_empty() {
        line(format_args!("objects"));
    }
    for (index, object) in module.objects.iter().enumerate() {
        line(format_args!("  {index:<11}  {}", shown(object)));
    }
    if !module.relocs.is_empty() {
        line(format_args!("relocations"));
    }
    let word = u64::from(archs.first().map_or(32, |arch| arch.word_bits) / 8);
    for reloc in &module.relocs {
        let part = if reloc.part == Part::Text { &module.text } else { &module.rodata };
        let at = reloc.word * word;
        let bytes = part.get(at as usize..(at + word) as usize).unwrap_or_default();
        let offset = bytes.iter().rev().fold(0, |value: u64, byte| value << 8 | u64::from(*byte));
        let place = format!("{}+{at:#x}", reloc.part.name());
        match offset {
            0 => line(format_args!("  {place:<15}  {}", reloc.to)),
            _ => line(format_args!("  {place:<15}  {}+{offset:#x}", reloc.to)),
        }
    }
    text
}

/// A constant object in Python's syntax, as far as that is known.
fn shown(object: &Object) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match object {
        Object::FunTable => "mp_fun_table".to_owned(),
        Object::None => "None".to_owned(),
        Object::False => "False".to_owned(),
        Object::True => "True".to_owned(),
        Object::Ellipsis => "Ellipsis".to_owned(),
        Object::Str(bytes) => format!("{:?}", text(bytes)),
        Object::Bytes(bytes) => format!("bytes, {}", bytes.len()),
        Object::Int(digits) | Object::Float(digits) | Object::Complex(digits) => text(digits),
        Object::Tuple(items) => format!("({})", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
    }
}
