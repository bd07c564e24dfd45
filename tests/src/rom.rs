//! Modules whose code stays in flash, in a ROMFS.

use cargo_mpy::options::{BuildOptions, Code};
use cargo_mpy::romfs::{self, Entry};
use target_specs::Board;

use crate::board;

/// A file for the board: its name and data.
pub type File = (String, Vec<u8>);

/// The boards that can execute code where it is, and why they cannot run; in CI they all must.
pub fn boards() -> Vec<(&'static Board, Option<String>)> {
    let can = |board: &Board| {
        let arch = target_specs::arch(&board.arch).expect("an architecture of a board");
        arch.compilers.iter().any(|compiler| compiler.flash_register.is_some())
    };
    board::boards().into_iter().filter(|(board, _)| can(board)).collect()
}

/// The same build, for code that stays in flash.
pub fn in_flash(options: BuildOptions) -> BuildOptions {
    BuildOptions { code: Some(Code::Flash), ..options }
}

/// A file with an image of these modules, and the code with a beginning that makes them importable from it. Lines keep their
/// numbers.
pub fn mounted(modules: &[File], code: &str) -> (File, String) {
    let entries = modules.iter().map(|(name, data)| Entry::File {
        name: name.clone(),
        data: data.clone(),
        has_objects: true,
    });
    let image = romfs::image(&entries.collect::<Vec<_>>());
    let mount = "import vfs,sys;vfs.mount(vfs.VfsRom(open('modules.romfs','rb').read()),'/rom');\
                 sys.path.insert(0,'/rom');del vfs,sys;";
    (("modules.romfs".to_owned(), image), format!("{mount}{code}"))
}
