//! The options that commands share, as clap reads them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use target_specs::{Diagnostic, Place};
use wasm_to_c::Safety;

/// The default cargo profile: a module has to fit on a board.
pub const DEFAULT_PROFILE: &str = "release";
/// The options of every command that builds.
#[derive(Debug, Clone, Default, Args)]
pub struct BuildOptions {
    /// Build this WebAssembly file, binary or text, instead of the current crate
    #[arg(long = "wasm", value_name = "FILE")]
    pub input: Option<PathBuf>,

    /// Build for this board; can be repeated
    #[arg(short, long = "board", value_name = "NAME")]
    pub boards: Vec<String>,

    /// Build for this architecture; can be repeated
    #[arg(short, long = "arch", value_name = "ARCH")]
    pub archs: Vec<String>,

    /// Build this package of the workspace; can be repeated, for commands that take several packages
    #[arg(short, long = "package", value_name = "NAME", help_heading = "Cargo")]
    pub packages: Vec<String>,

    /// Build all packages of the workspace whose library is a `cdylib`
    #[arg(long, conflicts_with_all = ["packages", "input"], help_heading = "Cargo")]
    pub workspace: bool,

    /// Leave out this package; can be repeated
    #[arg(long, value_name = "NAME", requires = "workspace", help_heading = "Cargo")]
    pub exclude: Vec<String>,

    /// Number of parallel jobs; a negative number is added to the number of processors
    #[arg(short, long, value_name = "N", allow_hyphen_values = true, help_heading = "Cargo")]
    pub jobs: Option<Jobs>,

    /// Build with this cargo profile [default: release]
    #[arg(long, value_name = "NAME", help_heading = "Cargo")]
    pub profile: Option<String>,

    /// Build with the profile `release`, the default
    #[arg(short, long, conflicts_with = "profile", help_heading = "Cargo")]
    pub release: bool,

    /// Features to enable, separated by commas or spaces
    #[arg(short = 'F', long, value_name = "FEATURES", help_heading = "Cargo")]
    pub features: Vec<String>,

    /// Enable all features
    #[arg(long, help_heading = "Cargo")]
    pub all_features: bool,

    /// Do not enable the `default` feature
    #[arg(long, help_heading = "Cargo")]
    pub no_default_features: bool,

    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH", help_heading = "Cargo")]
    pub manifest_path: Option<PathBuf>,

    /// Directory for all build output, as for cargo
    #[arg(long, value_name = "DIRECTORY", help_heading = "Cargo")]
    pub target_dir: Option<PathBuf>,

    /// Require Cargo.lock to be up to date
    #[arg(long, help_heading = "Cargo")]
    pub locked: bool,

    /// Run without accessing the network
    #[arg(long, help_heading = "Cargo")]
    pub offline: bool,

    /// Same as `--locked --offline`
    #[arg(long, help_heading = "Cargo")]
    pub frozen: bool,

    /// Name of the module in Python [default: the library's name]
    #[arg(long, value_name = "NAME", help_heading = "Module")]
    pub name: Option<String>,

    /// Size of the shadow stack, for locals whose address is taken: `4096` or `4K` [default: what calls need]
    #[arg(long, value_name = "SIZE", help_heading = "Module")]
    pub stack: Option<Size>,

    /// Size of a memory block for an allocator in the module [default: 0]
    #[arg(long, value_name = "SIZE", help_heading = "Module")]
    pub heap: Option<Size>,

    /// Maximum size of the module's memory, whatever page count it declares; accesses beyond it trap
    #[arg(long, value_name = "SIZE", help_heading = "Module")]
    pub limit: Option<Size>,

    /// Memory model: `direct` uses native addresses; in linear memory, an invalid access raises an exception
    /// (`checked`), wraps around (`masked`) or is not detected (`trusted`)
    /// [default: direct where possible, otherwise checked]
    #[arg(long, value_name = "MODEL", help_heading = "Module")]
    pub memory: Option<String>,

    /// Where the code runs: `ram`, where MicroPython copies it, or `flash`, if the file is in ROM that can be executed
    /// [default: ram]
    #[arg(long, value_name = "PLACE", help_heading = "Module", hide_possible_values = true)]
    pub code: Option<Code>,

    /// Keep the lines of the source for debuggers; the `.mpy` file is the same
    /// [default: only in the profile dev]
    #[arg(long, help_heading = "Module")]
    pub debug: bool,

    /// Name the line and the function in trap messages: `integer divide by zero, src/lib.rs:53 in my_crate::step`
    /// [default: only in the profile dev]
    #[arg(long, help_heading = "Module")]
    pub trap_names: bool,

    /// Let Ctrl-C and scheduled functions interrupt the loops of the crate
    /// [default: only in the profile dev]
    #[arg(long, help_heading = "Module")]
    pub interruptible: bool,
}

impl BuildOptions {
    /// The cargo profile.
    pub fn profile(&self) -> &str {
        self.profile.as_deref().unwrap_or(DEFAULT_PROFILE)
    }

    /// The flags that are passed to cargo.
    pub fn cargo_args(&self) -> Vec<String> {
        let mut args: Vec<String> =
            self.features.iter().flat_map(|features| ["--features".to_owned(), features.clone()]).collect();
        let switches = [
            (self.all_features, "--all-features"),
            (self.no_default_features, "--no-default-features"),
            (self.locked, "--locked"),
            (self.offline, "--offline"),
            (self.frozen, "--frozen"),
        ];
        args.extend(switches.iter().filter(|(set, _)| *set).map(|(_, flag)| (*flag).to_owned()));
        args.extend(self.jobs.map(|jobs| format!("--jobs={}", jobs.0)));
        args
    }
}

/// A number of jobs that run at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jobs(pub usize);

impl Default for Jobs {
    /// One for each processor.
    fn default() -> Self {
        Jobs(std::thread::available_parallelism().map_or(1, usize::from))
    }
}

impl std::str::FromStr for Jobs {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let Jobs(processors) = Jobs::default();
        if text == "default" {
            return Ok(Jobs(processors));
        }
        match text.parse::<isize>() {
            Ok(0) | Err(_) => Err(format!("`{text}` is not a number of jobs")),
            Ok(number @ 1..) => Ok(Jobs(number.unsigned_abs())),
            Ok(number) => Ok(Jobs(processors.saturating_sub(number.unsigned_abs()).max(1))),
        }
    }
}

/// A stage of the build whose result can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Stage {
    /// The build plan
    Plan,
    /// The WebAssembly module after all passes (a file)
    Wasm,
    /// The functions as trees of typed expressions, with the reason why accesses need no check
    Ir,
    /// The module as C code
    C,
    /// The bindings as C code
    Glue,
    /// A folder for the `USER_C_MODULES` of a MicroPython firmware: the module in C
    Usermod,
    /// The ELF object (a file per architecture)
    Obj,
    /// The layout of the module
    Map,
    /// The .mpy module (a file per architecture)
    Mpy,
}

/// A number of bytes: `4096`, `"4K"`, `"1M"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub struct Size(pub u32);

impl TryFrom<serde_json::Value> for Size {
    type Error = String;

    fn try_from(value: serde_json::Value) -> std::result::Result<Self, String> {
        match &value {
            serde_json::Value::String(text) => text.parse(),
            other => other.to_string().parse(),
        }
    }
}

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let upper = text.trim().to_ascii_uppercase();
        let plain = upper.trim_end_matches("IB").trim_end_matches('B');
        let (digits, unit) = match plain.strip_suffix('K') {
            Some(digits) => (digits, 1 << 10),
            None => match plain.strip_suffix('M') {
                Some(digits) => (digits, 1 << 20),
                None => (plain, 1),
            },
        };
        let number = digits.trim().parse::<u32>().ok().and_then(|number| number.checked_mul(unit));
        number.map(Size).ok_or_else(|| format!("`{text}` is not a size: write bytes or `4K`, `1M`"))
    }
}

/// The duration of `--timeout`.
///
/// # Errors
/// `bad-value` if it is not a duration.
pub fn timeout(seconds: f32) -> target_specs::Result<Duration> {
    /// About 115 days: longer than any program runs.
    const FOREVER: f32 = 1e7;
    let time = if seconds > FOREVER { FOREVER } else { seconds };
    Duration::try_from_secs_f32(time).map_err(|error| {
        Diagnostic::new("bad-value", format!("invalid timeout: {error}"))
            .at(Place::Argument(format!("--timeout {seconds}")))
            .help("it takes seconds, such as `60` or `0.5`")
    })
}

/// Where the code of a module is when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Code {
    /// MicroPython's loader copies it to RAM.
    #[default]
    Ram,
    /// It stays where it is if the file is in ROM that the processor can execute; otherwise it is copied.
    Flash,
}

/// A memory model: the meaning of the addresses in a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum MemoryModel {
    /// Native addresses.
    Direct,
    /// Offsets in a linear memory.
    Linear(Safety),
}

impl MemoryModel {
    /// All of them.
    pub const ALL: [MemoryModel; 4] = [
        MemoryModel::Direct,
        MemoryModel::Linear(Safety::Trusted),
        MemoryModel::Linear(Safety::Masked),
        MemoryModel::Linear(Safety::Checked),
    ];

    /// The name in flags and settings.
    pub fn word(self) -> &'static str {
        match self {
            MemoryModel::Direct => "direct",
            MemoryModel::Linear(Safety::Trusted) => "trusted",
            MemoryModel::Linear(Safety::Masked) => "masked",
            MemoryModel::Linear(Safety::Checked) => "checked",
        }
    }
}

impl std::str::FromStr for MemoryModel {
    type Err = Diagnostic;

    fn from_str(word: &str) -> target_specs::Result<Self> {
        MemoryModel::ALL.into_iter().find(|model| model.word() == word).ok_or_else(|| {
            Diagnostic::new("bad-value", format!("`{word}` is not a memory model")).help(
                "the memory models are `direct`, which uses the machine's addresses, and those with a linear memory: \
                 `checked` (an invalid access raises), `masked` (it wraps around), `trusted` (it is not detected)",
            )
        })
    }
}

impl TryFrom<String> for MemoryModel {
    type Error = String;

    fn try_from(word: String) -> std::result::Result<Self, String> {
        word.parse().map_err(|error: Diagnostic| match error.help {
            Some(help) => format!("{}; {help}", error.message),
            None => error.message,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_count_from_either_end() {
        let Jobs(processors) = Jobs::default();
        assert_eq!("3".parse(), Ok(Jobs(3)));
        assert_eq!("default".parse(), Ok(Jobs(processors)));
        assert_eq!("-1".parse(), Ok(Jobs((processors - 1).max(1))));
        assert_eq!("-1000000".parse(), Ok(Jobs(1)));
        for bad in ["0", "", "x", "1.5"] {
            assert!(bad.parse::<Jobs>().is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!("4K".parse(), Ok(Size(4096)));
        assert_eq!("4 KiB".parse(), Ok(Size(4096)));
        assert_eq!("1m".parse(), Ok(Size(1 << 20)));
        assert_eq!("17".parse(), Ok(Size(17)));
        for bad in ["", "K", "4G", "-1", "4097M", "4.5K"] {
            assert!(bad.parse::<Size>().is_err(), "{bad}");
        }
    }
}
