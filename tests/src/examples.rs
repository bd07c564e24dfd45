//! The examples: what they are built from, their tests, and what these must print.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_mpy::options::BuildOptions;

use crate::readme;

/// An example: a crate, or a WebAssembly file in a folder. All files are called `blink`, so each gets a name of its own.
pub struct Example {
    /// Its folder.
    pub folder: PathBuf,
    /// The WebAssembly file, if it is no crate.
    pub wasm: Option<PathBuf>,
}

impl Example {
    /// The name of the module of a WebAssembly file.
    pub fn name(&self) -> String {
        format!("blink_{}", self.folder.file_name().expect("a name").to_string_lossy())
    }

    /// The options of a build. `crates` is the target folder of crates, `files` that of files.
    pub fn options(&self, crates: &Path, files: &Path) -> BuildOptions {
        match &self.wasm {
            None => BuildOptions {
                manifest_path: Some(self.folder.join("Cargo.toml")),
                target_dir: Some(crates.to_owned()),
                ..Default::default()
            },
            Some(wasm) => BuildOptions {
                input: Some(wasm.clone()),
                name: Some(self.name()),
                target_dir: Some(files.to_owned()),
                ..Default::default()
            },
        }
    }

    /// Compares what its test printed with what the README says.
    ///
    /// # Errors
    /// If they differ.
    pub fn check(&self, printed: &str) -> Result<(), String> {
        let readme = self.folder.join("README.md");
        let markdown =
            fs::read_to_string(&readme).map_err(|error| format!("{}: {error}", readme.display()))?;
        let commands = readme::commands(&markdown);
        let expected = commands.iter().find(|command| {
            command.shell.starts_with("cargo mpy run ") && command.shell.ends_with("test.py\n")
        });
        let expected = expected.ok_or("the README does not say what `cargo mpy run test.py` prints")?;
        if printed != expected.prints {
            return Err(format!("--- the README says\n{}--- it prints\n{printed}", expected.prints));
        }
        Ok(())
    }

    /// The code of its test.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn code(&self) -> std::io::Result<String> {
        let code = fs::read_to_string(self.folder.join("test.py"))?;
        match self.wasm {
            None => Ok(code),
            Some(_) => Ok(code.replace("import blink", &format!("import {} as blink", self.name()))),
        }
    }
}

/// All of them, by name.
pub fn all() -> Vec<Example> {
    let folders =
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")).expect("the examples");
    let folders = folders.map(|entry| entry.expect("a readable entry").path());
    let of = |folder: PathBuf| {
        let wasm =
            ["blink.wasm", "blink.wat"].map(|name| folder.join(name)).into_iter().find(|path| path.is_file());
        Example { folder, wasm }
    };
    let mut examples: Vec<Example> =
        folders.filter(|folder| folder.join("test.py").is_file()).map(of).collect();
    examples.sort_by(|a, b| a.folder.cmp(&b.folder));
    examples
}

/// What keeps objects of the module while the collector reuses all other memory.
pub const COLLECTOR: &str = "
import gc, filter
a, b = filter.Median(7), filter.Median(5)
for r in range(200):
    x = [bytearray(100) for _ in range(50)]
    del x
    gc.collect()
    y = [bytes([0xff]) * 64 for _ in range(200)]
    a.add(r)
    b.add(-r)
print(a.add(3), b.add(4), a.width, b.width, filter.crossings([1, -1, 1], 0))
";

/// What it prints.
pub const COLLECTED: &str = "196 -197 7 5 array('I', [2])\n";
