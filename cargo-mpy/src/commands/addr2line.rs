//! `cargo mpy addr2line`.

use std::path::PathBuf;

use clap::Args;
use target_specs::{Diagnostic, Place, Result};

use crate::failure::Failure;
use crate::symbols::Symbols;
use crate::ui;

/// Show which lines of the source addresses in a module are from
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy addr2line target/mpy/dev/armv6m/dsp.mpy 0x1a4
      for an offset in the module's text, as `build --map` prints it
  cargo mpy addr2line dsp.mpy --base 20001050 200011f4 20001083
      for addresses on a board where the text of the module is at 20001050

The module needs its symbol file, NAME.elf, beside it: build it with `--debug`.
Where functions were inlined into others, each has a line.")]
pub struct Addr2line {
    /// Module whose code the addresses are in
    #[arg(value_name = "FILE.mpy")]
    file: PathBuf,

    /// Addresses, in hexadecimal
    #[arg(value_name = "ADDRESS", required = true)]
    addresses: Vec<String>,

    /// Address of the module's text on the board, in hexadecimal
    #[arg(long, value_name = "ADDRESS", default_value = "0")]
    base: String,
}

impl Addr2line {
    pub fn run(self) -> std::result::Result<(), Failure> {
        let base = address(&self.base)?;
        let symbols = Symbols::of(&self.file)?;
        let size = symbols.text()?.len() as u64;
        for text in &self.addresses {
            let found = address(text)?;
            let offset = found.checked_sub(base).filter(|offset| *offset < size);
            let offset = offset.ok_or_else(|| {
                let end = base.saturating_add(size);
                Diagnostic::new(
                    "bad-value",
                    format!("{found:#x} is not in the module, which is from {base:#x} to {end:#x}"),
                )
                .at(Place::Argument(text.clone()))
                .help("`--base` says where its text is on the board")
            })?;
            let places = symbols.places(offset)?;
            let first = places.first().map_or("??".to_owned(), ToString::to_string);
            ui::output(format_args!("{found:#x}: {first}\n"));
            for place in places.iter().skip(1) {
                ui::output(format_args!("    inlined into {place}\n"));
            }
        }
        Ok(())
    }
}

/// A number in hexadecimal, with or without `0x`.
fn address(text: &str) -> Result<u64> {
    let digits = text.strip_prefix("0x").or(text.strip_prefix("0X")).unwrap_or(text);
    u64::from_str_radix(digits, 16).map_err(|_| {
        Diagnostic::new("bad-value", format!("`{text}` is not an address"))
            .at(Place::Argument(text.to_owned()))
            .help("write it in hexadecimal, such as `0x1a4`")
    })
}
