//! A module in the ROM of a connected board, beside what others have put there.

use target_specs::{Diagnostic, Result};

use crate::romfs;
use crate::serial::{Board, Facts, Found, Transport};

/// Where MicroPython looks for modules in its ROM.
const FOLDER: &str = "lib";

/// The image that the board's ROM is to have: what is there, and these files in the folder of modules. The second value is the
/// number of other files. The board is restarted first, because nothing may run from its ROM while that is written.
///
/// # Errors
/// `no-rom` if the board has none, `rom-image` if what is there cannot be kept, `no-space`, and those of the line.
pub fn image<T: Transport>(
    board: &mut Board<T>,
    facts: &Facts,
    files: &[(String, Vec<u8>)],
) -> Result<(Vec<u8>, usize)> {
    board.restart()?;
    let size = board.rom_size()?.ok_or_else(|| {
        Diagnostic::new("no-rom", "the board's MicroPython has no ROM for files").help(format!(
            "it is {} on {}; since MicroPython 1.25, a firmware can have a ROMFS partition \
             (`cargo mpy explain no-rom`)",
            facts.firmware, facts.machine
        ))
    })?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let old = romfs::length(&board.rom(0..size.min(16))?);
    let mut entries = match old {
        None => Vec::new(),
        Some(length) => {
            let image = board.rom(0..length.min(size))?;
            romfs::entries(&image).ok_or_else(|| {
                Diagnostic::new(
                    "rom-image",
                    "the board's ROM has an image that cannot be read, so that \
                    what is in it cannot be kept",
                )
                .help("`mpremote romfs deploy` replaces it as a whole")
            })?
        }
    };
    for (path, data) in files {
        romfs::put(&mut entries, &format!("{FOLDER}/{path}"), data.clone());
    }
    let others = romfs::count(&entries) - files.len();
    let image = romfs::image(&entries);
    if image.len() > size {
        let message = format!("{} bytes are needed in the board's ROM, which has {size}", image.len());
        let help = match others {
            0 => "build a smaller module, or a firmware with a larger partition".to_owned(),
            _ => format!("{others} other files are there; `mpremote romfs deploy` replaces all of them"),
        };
        return Err(Diagnostic::new("no-space", message).help(help));
    }
    Ok((image, others))
}

/// Restarts the board, so that it mounts what was written. Returns the path of the module there.
///
/// # Errors
/// `rom-image` if it is not there, `shadowed` if Python finds another module of that name first, and those of the line.
pub fn mount<T: Transport>(board: &mut Board<T>, name: &str) -> Result<String> {
    board.restart()?;
    let file = format!("/rom/{FOLDER}/{name}.mpy");
    let (found, _) = board.found(name, &file)?;
    if found == Found::Nothing {
        return Err(Diagnostic::new("rom-image", "the board did not mount what was written to its ROM")
            .help("reset the board, and deploy again"));
    }
    found.check(name, &file)?;
    Ok(file)
}
