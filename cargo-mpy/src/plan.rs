//! Flags, Cargo's metadata and boards → [`BuildPlan`]: everything is decided here, nothing is done.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, Package, TargetKind};
use glue_gen::{Imports, Mappings};
use serde::Deserialize;
use target_specs::{Arch, Diagnostic, Place, Result};
use wasm_to_c::Safety;

use crate::commands::build::BuildOptions;

/// The board that stands for all when none is named: every developer has it.
pub const DEFAULT_BOARD: &str = "unix";
/// The profile of cargo's that is built when none is named: a module has to fit a board.
pub const DEFAULT_PROFILE: &str = "release";
/// Bytes of the shadow stack when nothing is said.
pub const DEFAULT_STACK: u32 = 4096;

/// Everything a build is, decided.
#[derive(Debug, Clone)]
pub struct BuildPlan {
    /// What Python imports.
    pub module: String,
    /// The package's; a WebAssembly file has none.
    pub version: Option<String>,
    pub source: Source,
    /// Folder of everything that is made.
    pub out_dir: PathBuf,
    /// What answers imports, and what exports take and give, where the user says so.
    pub mappings: Mappings,
    /// Traps say which function they are in.
    pub trap_names: bool,
    /// One build each.
    pub targets: Vec<Target>,
    /// No board was named anywhere: [`DEFAULT_BOARD`] was taken.
    pub by_default: bool,
}

/// The memory of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// How addresses work; `None` when nobody said: the fastest that is safe for where the module comes from.
    pub memory: Option<Memory>,
    /// Bytes of the shadow stack, where locals lie whose address is taken.
    pub stack: u32,
    /// Bytes of memory behind the data, for an allocator inside the module.
    pub heap: u32,
    /// Bytes of a memory of the module's own, when they are to be fewer than the pages it declares.
    pub limit: Option<u32>,
    /// Constants of at least that many bytes are to stay in ROM where the module lies there.
    pub flash_tables: Option<u32>,
}

impl Room {
    /// Refuses what `board` has no room for, and what no machine has.
    fn check(&self, board: Option<&str>) -> Result<()> {
        let chip =
            board.and_then(|name| target_specs::board(name).ok()?.chip()).filter(|chip| !chip.external_ram);
        // No object may be larger, in Rust or in C.
        let most = chip.map_or(i32::MAX.unsigned_abs(), |chip| chip.ram_kib << 10);
        let sizes = [("stack", self.stack), ("heap", self.heap), ("limit", self.limit.unwrap_or(0))];
        let own = u64::from(self.stack) + u64::from(self.heap);
        let large = sizes.into_iter().find(|(_, size)| *size > most);
        let large = large.or_else(|| {
            sizes[..2].iter().copied().max_by_key(|(_, size)| *size).filter(|_| own > most.into())
        });
        let Some((name, size)) = large else { return Ok(()) };
        let message = match (chip, board) {
            (Some(chip), Some(board)) => {
                format!("`{name}` is {size} bytes, and `{board}` has {} KiB of RAM", chip.ram_kib)
            }
            _ => format!("`{name}` is {size} bytes, and a module cannot have more than {most}"),
        };
        Err(Diagnostic::new("memory-too-large", message).at(Place::Item(name.to_owned())).help(format!(
            "choose a smaller one: `--{name}`, or `{name}` in the settings, for one board in its own table"
        )))
    }
}

/// How a module's addresses work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// They are the machine's.
    Direct,
    /// They are offsets in a memory of the module's own.
    Linear(Safety),
}

impl Memory {
    const ALL: [Memory; 4] = [
        Memory::Direct,
        Memory::Linear(Safety::Trusted),
        Memory::Linear(Safety::Masked),
        Memory::Linear(Safety::Checked),
    ];

    /// What it is called in flags and settings.
    pub fn word(self) -> &'static str {
        match self {
            Memory::Direct => "direct",
            Memory::Linear(Safety::Trusted) => "trusted",
            Memory::Linear(Safety::Masked) => "masked",
            Memory::Linear(Safety::Checked) => "checked",
        }
    }
}

/// Where the WebAssembly comes from.
#[derive(Debug, Clone)]
pub enum Source {
    Crate(CrateBuild),
    /// A `.wasm` file that is there already.
    Wasm(PathBuf),
}

impl Source {
    fn is_to_debug(&self) -> bool {
        matches!(self, Source::Crate(build) if build.profile == "dev")
    }
}

/// How cargo is to build the crate.
#[derive(Debug, Clone)]
pub struct CrateBuild {
    pub package: String,
    /// Its library, as rustc calls it.
    pub library: String,
    pub manifest: PathBuf,
    pub profile: String,
    /// Cargo's own flags, passed on: features, `--locked`, …
    pub cargo_args: Vec<String>,
    /// Apart from the user's own target folder, so that neither waits for the other.
    pub target_dir: PathBuf,
    pub unit: Unit,
    /// What of the package has `#[test]` functions.
    pub tests: Vec<Unit>,
}

/// What of a package is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    Library,
    /// The `#[test]` functions of the library, or of this file in `tests/`.
    Tests(Option<String>),
}

/// One native build: all boards of one architecture and the same flags.
#[derive(Debug, Clone)]
pub struct Target {
    pub arch: &'static Arch,
    /// C compiler flags on top of the architecture's.
    pub c_flags: Vec<String>,
    /// Boards it is for; none when only the architecture was named.
    pub boards: Vec<String>,
    pub room: Room,
    /// Folder of its results.
    pub folder: PathBuf,
}

impl Target {
    /// The module it makes.
    pub fn mpy(&self, module: &str) -> PathBuf {
        self.folder.join(format!("{module}.mpy"))
    }
}

/// `[package.metadata.mpy]`, and `[workspace.metadata.mpy]` below it; or all of a `mpy.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    name: Option<String>,
    boards: Option<Vec<String>>,
    memory: Option<String>,
    stack: Option<Size>,
    heap: Option<Size>,
    limit: Option<Size>,
    #[serde(rename = "flash-tables")]
    flash_tables: Option<Size>,
    imports: Option<Imports>,
    exports: Option<BTreeMap<String, String>>,
    allocator: Option<Vec<String>>,
    #[serde(rename = "trap-names")]
    trap_names: Option<bool>,
    /// By board: what is different there.
    board: Option<BTreeMap<String, OfBoard>>,
    // Of the line to a board, which is open before anything is planned: `commands/line.rs` reads them.
    #[serde(rename = "port")]
    _port: Option<String>,
    #[serde(rename = "baud")]
    _baud: Option<u32>,
    #[serde(rename = "dest")]
    _dest: Option<String>,
}

/// Settings that a board may have of its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfBoard {
    memory: Option<String>,
    stack: Option<Size>,
    heap: Option<Size>,
    limit: Option<Size>,
    #[serde(rename = "flash-tables")]
    flash_tables: Option<Size>,
}

/// The words of `[package.metadata.mpy]`.
pub const SETTINGS: &[&str] = &[
    "name",
    "boards",
    "memory",
    "stack",
    "heap",
    "limit",
    "flash-tables",
    "trap-names",
    "imports",
    "exports",
    "allocator",
    "board",
    "port",
    "baud",
    "dest",
];
const SETTINGS_OF_BOARD: &[&str] = &["memory", "stack", "heap", "limit", "flash-tables"];
/// Settings of the WebAssembly files beside it: a table as `[package.metadata.mpy]` is.
const SETTINGS_FILE: &str = "mpy.toml";

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

/// Decides what to do for `options`, run in `folder`, whose crate `metadata` describes. Without
/// `metadata` the options must name a `.wasm` file.
///
/// # Errors
/// Unknown boards, architectures, packages, settings and values.
pub fn plan(options: &BuildOptions, metadata: Option<&Metadata>, folder: &Path) -> Result<BuildPlan> {
    let (source, settings, out_dir, default_name, version) = match (&options.input, metadata) {
        (Some(input), _) => {
            let stem = input.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let target = options.target_dir.clone().unwrap_or_else(|| PathBuf::from("target"));
            let input = folder.join(input);
            let settings = settings_beside(&input)?;
            (Source::Wasm(input), settings, folder.join(target).join("mpy"), stem, None)
        }
        (None, Some(metadata)) => {
            let package = choose_package(options, metadata, folder)?;
            let library = library(package)?;
            let target = options.target_dir.as_ref().map(|target| folder.join(target));
            let target = target.unwrap_or_else(|| metadata.target_directory.clone().into());
            let home = target.join("mpy");
            // As cargo's, profiles do not share what they make.
            let out_dir = match options.profile() {
                DEFAULT_PROFILE => home.clone(),
                profile => home.join(profile),
            };
            let source = Source::Crate(CrateBuild {
                package: package.name.to_string(),
                library: library.clone(),
                manifest: package.manifest_path.clone().into(),
                profile: options.profile().to_owned(),
                cargo_args: options.cargo_args(),
                target_dir: home.join("wasm"),
                unit: Unit::Library,
                tests: tests(package),
            });
            let version = Some(package.version.to_string());
            (source, settings(package, metadata)?, out_dir, library, version)
        }
        (None, None) => {
            return Err(Diagnostic::new("no-crate", "no crate and no WebAssembly file to build")
                .help("run it in a crate's folder, or name a `.wasm` file"));
        }
    };

    let module = options.name.clone().or(settings.name).unwrap_or(default_name);
    if !is_identifier(&module) {
        return Err(Diagnostic::new("bad-name", format!("`{module}` cannot be imported by that name"))
            .at(Place::Item(module))
            .help("`--name` takes letters, digits and `_`, and does not begin with a digit"));
    }
    let named = !options.boards.is_empty() || !options.archs.is_empty();
    let (boards, by_default) = match &settings.boards {
        _ if named => (options.boards.clone(), false),
        Some(boards) if !boards.is_empty() => (boards.clone(), false),
        _ => (vec![DEFAULT_BOARD.to_owned()], true),
    };
    // Flags are for every board, settings of a board go before those of all.
    let room = |board: Option<&str>| -> Result<Room> {
        let own = board.and_then(|board| settings.board.as_ref()?.get(board)).cloned().unwrap_or_default();
        let word = options.memory.as_deref().or(own.memory.as_deref()).or(settings.memory.as_deref());
        let stack = options.stack.or(own.stack).or(settings.stack).map_or(DEFAULT_STACK, |size| size.0);
        let room = Room {
            memory: word.map(memory).transpose()?,
            // The ABI keeps the stack pointer a multiple of 16.
            stack: stack.saturating_add(15) & !15,
            heap: options.heap.or(own.heap).or(settings.heap).map_or(0, |size| size.0),
            limit: options.limit.or(own.limit).or(settings.limit).map(|size| size.0),
            flash_tables: own.flash_tables.or(settings.flash_tables).map(|size| size.0),
        };
        room.check(board)?;
        Ok(room)
    };
    let targets = targets(&boards, if named { &options.archs } else { &[] }, &out_dir, &room)?;
    for target in targets.iter().filter(|target| target.room.memory == Some(Memory::Direct)) {
        let refuse = |what: String, help: &str| {
            Err(Diagnostic::new("no-direct-memory", format!("`memory` cannot be `direct`: {what}"))
                .at(Place::Item("memory".to_owned()))
                .help(help))
        };
        let (arch, boards) = (target.arch, target.boards.join(", "));
        if arch.word_bits != 32 {
            let of = if boards.is_empty() { arch.name.clone() } else { boards };
            return refuse(
                format!("addresses of {of} have {} bits", arch.word_bits),
                "leave `memory` out, which is `direct` wherever that can be, or choose `checked` for that board",
            );
        }
        if target.room.limit.is_some() {
            return refuse("`limit` is of a memory of the module's own".to_owned(), "leave one of them out");
        }
    }
    Ok(BuildPlan {
        module,
        version,
        out_dir,
        mappings: Mappings {
            imports: settings.imports.unwrap_or_default(),
            exports: settings.exports.unwrap_or_default(),
            allocator: settings.allocator.unwrap_or_default(),
        },
        // Whoever wants a build to debug wants to know where; on a board each name takes flash.
        trap_names: options.trap_names || settings.trap_names.unwrap_or_else(|| source.is_to_debug()),
        source,
        targets,
        by_default,
    })
}

fn memory(word: &str) -> Result<Memory> {
    Memory::ALL.into_iter().find(|memory| memory.word() == word).ok_or_else(|| {
        Diagnostic::new("bad-value", format!("no kind of memory is called `{word}`")).help(
            "choose `direct` (the machine's addresses), or of a memory apart `checked` (a bad access raises), \
             `masked` (it wraps) or `trusted` (it is not looked at)",
        )
    })
}

impl BuildPlan {
    /// The same for the `#[test]` functions of `unit`: a module that runs them.
    #[must_use]
    pub fn for_tests(&self, unit: &Unit) -> BuildPlan {
        let mut plan = self.clone();
        if let Source::Crate(build) = &mut plan.source {
            build.unit = unit.clone();
        }
        // No module of MicroPython's, and none of the user's, has such a name.
        plan.module = match unit {
            Unit::Tests(Some(file)) => format!("_tests_{}", file.replace('-', "_")),
            _ => format!("_unittests_{}", self.module),
        };
        plan.out_dir = self.out_dir.join("tests");
        for target in &mut plan.targets {
            target.folder = plan.out_dir.join(target.folder.file_name().unwrap_or_default());
        }
        // It exports its tests alone.
        plan.mappings.exports.clear();
        plan.mappings.imports.insert("mpy_test.say".to_owned(), "print(str)".into());
        plan
    }

    /// How addresses work on `target`: the machine's own need pointers of 32 bits, and code whose
    /// compiler vouches for it.
    pub fn memory_of(&self, target: &Target) -> Memory {
        let trusted = matches!(self.source, Source::Crate(_)) && !self.source.is_to_debug();
        match target.room.memory {
            // A limit is one of a memory of the module's own.
            None if !trusted || target.room.limit.is_some() => Memory::Linear(Safety::Checked),
            None | Some(Memory::Direct) if target.arch.word_bits == 32 => Memory::Direct,
            None | Some(Memory::Direct) => Memory::Linear(Safety::Checked),
            Some(memory) => memory,
        }
    }
}

/// Groups boards and architectures into as few builds as they need.
fn targets(
    boards: &[String],
    archs: &[String],
    out_dir: &Path,
    room: &dyn Fn(Option<&str>) -> Result<Room>,
) -> Result<Vec<Target>> {
    let mut groups: Vec<Target> = Vec::new();
    let usual = room(None)?;
    let mut add = |arch: &'static Arch, c_flags: &[String], board: Option<&str>| -> Result<()> {
        let room = room(board)?;
        let same = |target: &&mut Target| {
            target.arch.name == arch.name && target.c_flags == c_flags && target.room == room
        };
        let target = match groups.iter_mut().find(same) {
            Some(target) => target,
            None => {
                // What is of its own is put into a folder of its own, named after its first board.
                let folder = match board {
                    Some(board) if !c_flags.is_empty() || room != usual => format!("{}-{board}", arch.name),
                    _ => arch.name.clone(),
                };
                let folder = out_dir.join(folder);
                groups.push(Target { arch, c_flags: c_flags.to_vec(), boards: Vec::new(), room, folder });
                groups.last_mut().expect("just pushed")
            }
        };
        if let Some(board) = board
            && !target.boards.iter().any(|known| known == board)
        {
            target.boards.push(board.to_owned());
        }
        Ok(())
    };
    for name in boards {
        let board = target_specs::board(name)?;
        add(target_specs::arch(&board.arch)?, &board.c_flags, Some(&board.name))?;
    }
    for name in archs {
        add(target_specs::arch(name)?, &[], None)?;
    }
    Ok(groups)
}

fn choose_package<'a>(options: &BuildOptions, metadata: &'a Metadata, folder: &Path) -> Result<&'a Package> {
    let members = metadata.workspace_packages();
    let names = || members.iter().map(|package| package.name.as_str());
    let list = || names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if let Some(wanted) = &options.package {
        return members.iter().find(|package| package.name.as_str() == wanted).copied().ok_or_else(|| {
            let help = match target_specs::nearest(wanted, names()) {
                Some(near) => format!("did you mean `{near}`? there are {}", list()),
                None => format!("there are {}", list()),
            };
            Diagnostic::new("unknown-package", format!("no package of this workspace is called `{wanted}`"))
                .at(Place::Argument(wanted.clone()))
                .help(help)
        });
    }
    // Like cargo: the package whose manifest is the nearest above, else the only one there is.
    let manifest = options.manifest_path.as_ref().map(|path| folder.join(path));
    let near = manifest.into_iter().chain(folder.ancestors().map(|above| above.join("Cargo.toml")));
    let near = near
        .filter_map(|path| path.canonicalize().ok())
        .find_map(|path| members.iter().find(|package| package.manifest_path.as_std_path() == path));
    let only = || if members.len() == 1 { members.first() } else { None };
    near.or_else(only).copied().ok_or_else(|| {
        Diagnostic::new("which-package", "the workspace has several packages")
            .help(format!("choose one with `-p`: {}", list()))
    })
}

/// The name of the package's library, as the linker writes it.
fn library(package: &Package) -> Result<String> {
    let kinds =
        [TargetKind::CDyLib, TargetKind::Lib, TargetKind::RLib, TargetKind::DyLib, TargetKind::StaticLib];
    let library = package.targets.iter().find(|target| kinds.iter().any(|kind| target.is_kind(kind.clone())));
    library.map(|target| target.name.replace('-', "_")).ok_or_else(|| {
        Diagnostic::new(
            "no-library",
            format!("the package `{}` has no library to make a module of", package.name),
        )
        .at(in_file(package.manifest_path.as_std_path(), 0))
        .help("put the functions into `src/lib.rs`; `cargo new --lib` makes such a package")
    })
}

/// What of the package cargo would test: the library, files in `tests/`.
fn tests(package: &Package) -> Vec<Unit> {
    let tested = package.targets.iter().filter(|target| target.test);
    tested
        .filter_map(|target| match &target.kind[..] {
            [TargetKind::Test] => Some(Unit::Tests(Some(target.name.clone()))),
            [TargetKind::Bin | TargetKind::Example | TargetKind::Bench | TargetKind::ProcMacro, ..] => None,
            _ => Some(Unit::Tests(None)),
        })
        .collect()
}

fn settings(package: &Package, metadata: &Metadata) -> Result<Settings> {
    let workspace_manifest = metadata.workspace_root.join("Cargo.toml");
    let shared = parse_settings(
        &metadata.workspace_metadata,
        workspace_manifest.as_std_path(),
        "workspace.metadata.mpy",
    )?;
    let own = parse_settings(&package.metadata, package.manifest_path.as_std_path(), "package.metadata.mpy")?;
    Ok(Settings {
        name: own.name.or(shared.name),
        boards: own.boards.or(shared.boards),
        memory: own.memory.or(shared.memory),
        stack: own.stack.or(shared.stack),
        heap: own.heap.or(shared.heap),
        limit: own.limit.or(shared.limit),
        flash_tables: own.flash_tables.or(shared.flash_tables),
        imports: match (own.imports, shared.imports) {
            (Some(own), Some(shared)) => Some(shared.into_iter().chain(own).collect()),
            (own, shared) => own.or(shared),
        },
        // What one module exports says nothing of another.
        exports: own.exports,
        allocator: own.allocator.or(shared.allocator),
        trap_names: own.trap_names.or(shared.trap_names),
        _port: None,
        _baud: None,
        _dest: None,
        board: match (own.board, shared.board) {
            (Some(own), Some(mut all)) => {
                for (board, own) in own {
                    let shared = all.remove(&board).unwrap_or_default();
                    all.insert(
                        board,
                        OfBoard {
                            memory: own.memory.or(shared.memory),
                            stack: own.stack.or(shared.stack),
                            heap: own.heap.or(shared.heap),
                            limit: own.limit.or(shared.limit),
                            flash_tables: own.flash_tables.or(shared.flash_tables),
                        },
                    );
                }
                Some(all)
            }
            (own, shared) => own.or(shared),
        },
    })
}

/// The settings beside a WebAssembly file.
fn settings_beside(input: &Path) -> Result<Settings> {
    let path = input.with_file_name(SETTINGS_FILE);
    let Ok(text) = std::fs::read_to_string(&path) else { return Ok(Settings::default()) };
    let values: serde_json::Value = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(0, |span| text[..span.start].lines().count().max(1) as u32);
        Diagnostic::new("bad-value", error.message().to_owned()).at(in_file(&path, line))
    })?;
    parse_table(&values, &path, "")
}

fn parse_settings(metadata: &serde_json::Value, manifest: &Path, table: &str) -> Result<Settings> {
    match metadata.get("mpy") {
        Some(value) => parse_table(value, manifest, table),
        None => Ok(Settings::default()),
    }
}

/// The settings in `value`, which stand in `table` of the file `manifest`; at its top when that has no name.
fn parse_table(value: &serde_json::Value, manifest: &Path, table: &str) -> Result<Settings> {
    let place = |key: &str| in_file(manifest, line_of(manifest, table, key));
    if let Some(map) = value.as_object() {
        check_keys(map, SETTINGS, manifest, table)?;
        for (board, own) in map.get("board").and_then(|value| value.as_object()).into_iter().flatten() {
            target_specs::board(board).map_err(|error| error.at(place("board")))?;
            let table = [table, "board", board].into_iter().filter(|part| !part.is_empty());
            let table = table.collect::<Vec<_>>().join(".");
            if let Some(own) = own.as_object() {
                check_keys(own, SETTINGS_OF_BOARD, manifest, &table)?;
                check_values::<OfBoard>(own, manifest, &table)?;
            }
            if let Some(word) = own.get("memory").and_then(|value| value.as_str()) {
                memory(word)
                    .map_err(|error| error.at(in_file(manifest, line_of(manifest, &table, "memory"))))?;
            }
        }
        check_values::<Settings>(map, manifest, table)?;
        if let Some(word) = map.get("memory").and_then(|value| value.as_str()) {
            memory(word).map_err(|error| error.at(place("memory")))?;
        }
        for board in map.get("boards").and_then(|value| value.as_array()).into_iter().flatten() {
            target_specs::board(board.as_str().unwrap_or_default())
                .map_err(|error| error.at(place("boards")))?;
        }
    }
    let settings: Settings = serde_json::from_value(value.clone())
        .map_err(|error| Diagnostic::new("bad-value", format!("`{table}`: {error}")).at(place("")))?;
    let below = |key: &str| if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") };
    for (name, value) in settings.imports.iter().flatten() {
        let line = line_of(manifest, &below("imports"), &format!("{name:?}"));
        glue_gen::check_import(name, value).map_err(|error| error.at(in_file(manifest, line)))?;
    }
    for (name, value) in settings.exports.iter().flatten() {
        let at = |name: &str| line_of(manifest, &below("exports"), name);
        let line = at(name).max(at(&format!("{name:?}")));
        glue_gen::check_export(name, value).map_err(|error| error.at(in_file(manifest, line)))?;
    }
    if settings.allocator.as_ref().is_some_and(|names| names.is_empty() || names.len() > 2) {
        return Err(Diagnostic::new("bad-value", "`allocator` names one or two functions of the module's")
            .at(place("allocator"))
            .help("write `allocator = [\"alloc\", \"dealloc\"]`"));
    }
    Ok(settings)
}

/// Refuses values that those of `T` are not like, one key at a time, so that it can be named.
fn check_values<T: serde::de::DeserializeOwned>(
    map: &serde_json::Map<String, serde_json::Value>,
    manifest: &Path,
    table: &str,
) -> Result<()> {
    for (key, value) in map {
        let alone = BTreeMap::from([(key, value)]);
        if let Err(error) = serde_json::to_value(alone).and_then(serde_json::from_value::<T>) {
            let wrong = Diagnostic::new("bad-value", format!("the setting `{key}`: {error}"));
            return Err(match (key.as_str(), value.as_str()) {
                ("boards", Some(name)) => wrong.help(format!("it is a list: `boards = [{name:?}]`")),
                _ => wrong,
            }
            .at(in_file(manifest, line_of(manifest, table, key))));
        }
    }
    Ok(())
}

/// Refuses keys of `table` that are none of `known`.
fn check_keys(
    map: &serde_json::Map<String, serde_json::Value>,
    known: &[&str],
    manifest: &Path,
    table: &str,
) -> Result<()> {
    let Some(key) = map.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
    let list = known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let help = match target_specs::nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? known: {list}"),
        None => format!("known: {list}"),
    };
    let of = if table.is_empty() { SETTINGS_FILE } else { table };
    Err(Diagnostic::new("unknown-setting", format!("no setting of `{of}` is called `{key}`"))
        .at(in_file(manifest, line_of(manifest, table, key)))
        .help(help))
}

fn in_file(path: &Path, line: u32) -> Place {
    Place::File { path: path.to_owned(), line, column: 0 }
}

/// The line of `key` in `[table]` of a manifest, at its top when that has no name; 0 when it is written in some
/// other form.
fn line_of(manifest: &Path, table: &str, key: &str) -> u32 {
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    let mut inside = table.is_empty();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line.trim_matches(|c| "[] ".contains(c)) == table;
        } else if inside && line.split('=').next().is_some_and(|name| name.trim() == key) {
            return number;
        }
    }
    0
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The C optimisation that goes with a cargo `opt-level`: what is optimised for stays the same.
/// Code that rustc did not optimise is still made small, it has to fit a board.
pub fn c_optimisation(opt_level: &str) -> &'static str {
    match opt_level {
        "2" | "3" => "-O2",
        _ => "-Os",
    }
}

impl fmt::Display for BuildPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "module = {:?}", self.module)?;
        match &self.source {
            Source::Crate(build) => {
                writeln!(f, "package = {:?}", build.package)?;
                writeln!(f, "manifest = {:?}", build.manifest)?;
                writeln!(f, "profile = {:?}", build.profile)?;
                writeln!(f, "cargo-args = {:?}", build.cargo_args)?;
            }
            Source::Wasm(path) => writeln!(f, "wasm = {path:?}")?,
        }
        for (name, value) in &self.mappings.imports {
            writeln!(f, "imports.{name:?} = {value}")?;
        }
        for (name, value) in &self.mappings.exports {
            writeln!(f, "exports.{name:?} = {value:?}")?;
        }
        if !self.mappings.allocator.is_empty() {
            writeln!(f, "allocator = {:?}", self.mappings.allocator)?;
        }
        if self.trap_names {
            writeln!(f, "trap-names = true")?;
        }
        writeln!(f, "out-dir = {:?}", self.out_dir)?;
        for target in &self.targets {
            writeln!(f, "\n[[target]]\narch = {:?}", target.arch.name)?;
            writeln!(f, "boards = {:?}", target.boards)?;
            writeln!(f, "c-flags = {:?}", target.c_flags)?;
            writeln!(f, "memory = {:?}", self.memory_of(target).word())?;
            writeln!(f, "stack = {}\nheap = {}", target.room.stack, target.room.heap)?;
            if let Some(limit) = target.room.limit {
                writeln!(f, "limit = {limit}")?;
            }
            if let Some(least) = target.room.flash_tables {
                writeln!(f, "flash-tables = {least}")?;
            }
            writeln!(f, "mpy = {:?}", target.mpy(&self.module))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_wasm(arguments: &[&str]) -> Result<BuildPlan> {
        use clap::Parser;
        #[derive(Parser)]
        struct Line {
            #[command(flatten)]
            options: BuildOptions,
        }
        let options = Line::parse_from(["build"].iter().chain(arguments)).options;
        let options = BuildOptions { input: Some("folder/some_module.wasm".into()), ..options };
        plan(&options, None, Path::new("here"))
    }

    #[test]
    fn boards_of_one_architecture_share_a_build() {
        let plan = of_wasm(&["--board", "rp2040", "--board", "qemu-armv6m", "--arch", "x86"]).unwrap();
        assert_eq!(plan.targets.len(), 2);
        assert_eq!(plan.targets[0].boards, ["rp2040", "qemu-armv6m"]);
        assert!(plan.targets[1].boards.is_empty());
        assert!(!plan.by_default);
        assert_eq!(plan.module, "some_module");
        assert_eq!(plan.targets[1].mpy(&plan.module), Path::new("here/target/mpy/x86/some_module.mpy"));
    }

    #[test]
    fn without_a_board_it_is_the_one_everybody_has() {
        let plan = of_wasm(&[]).unwrap();
        assert!(plan.by_default);
        assert_eq!(plan.targets[0].boards, [DEFAULT_BOARD]);
        let room = plan.targets[0].room;
        assert_eq!((room.stack, room.heap), (DEFAULT_STACK, 0));
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

    #[test]
    fn what_cannot_be_is_refused_by_its_name() {
        let refused = |arguments: &[&str]| {
            let error = of_wasm(arguments).unwrap_err();
            (error.code, error.at)
        };
        let item = |name: &str| Place::Item(name.to_owned());
        for name in ["stack", "heap", "limit"] {
            for size in ["4294967295", "2147483648", "3000M"] {
                let flag = format!("--{name}");
                assert_eq!(refused(&[&flag, size]), ("memory-too-large", item(name)), "{name} {size}");
            }
            let flag = format!("--{name}");
            assert_eq!(refused(&["--board", "rp2040", &flag, "265K"]), ("memory-too-large", item(name)));
            assert!(of_wasm(&["--board", "unix", &flag, "265K"]).is_ok());
            // It may have memory outside the chip.
            assert!(of_wasm(&["--board", "esp32", &flag, "1M"]).is_ok());
        }
        assert_eq!(
            refused(&["--board", "rp2040", "--stack", "132K", "--heap", "133K"]),
            ("memory-too-large", item("heap"))
        );
        assert_eq!(refused(&["--stack", "1024M", "--heap", "1024M"]), ("memory-too-large", item("heap")));
        assert_eq!(refused(&["--memory", "direct"]), ("no-direct-memory", item("memory")));
        assert_eq!(
            refused(&["--memory", "direct", "--arch", "rv64imc"]),
            ("no-direct-memory", item("memory"))
        );
        let direct = ["--memory", "direct", "--board", "rp2040"];
        assert!(of_wasm(&direct).is_ok());
        assert_eq!(
            refused(&[&direct[..], &["--limit", "1K"]].concat()),
            ("no-direct-memory", item("memory"))
        );
    }

    #[test]
    fn a_name_must_be_importable() {
        assert_eq!(of_wasm(&["--name", "2fast"]).unwrap_err().code, "bad-name");
        assert_eq!(of_wasm(&["--name", "a-b"]).unwrap_err().code, "bad-name");
        assert!(of_wasm(&["--name", "_ok2"]).is_ok());
    }

    #[test]
    fn unknown_words_are_answered_with_the_known_ones() {
        assert_eq!(of_wasm(&["--board", "rp204"]).unwrap_err().code, "unknown-board");
        assert_eq!(of_wasm(&["--arch", "armv9"]).unwrap_err().code, "unknown-arch");
        assert_eq!(of_wasm(&["--memory", "none"]).unwrap_err().code, "bad-value");
    }

    #[test]
    fn settings_are_checked_where_they_stand() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("Cargo.toml");
        std::fs::write(&manifest, "[package]\nstack = 1\n\n[package.metadata.mpy]\nstack = 1\nhaep = 2\n")
            .unwrap();
        let parse = |text: &str| {
            parse_settings(&serde_json::from_str(text).unwrap(), &manifest, "package.metadata.mpy")
        };

        let error = parse(r#"{"mpy": {"stack": 1, "haep": 2}}"#).unwrap_err();
        assert_eq!(error.code, "unknown-setting");
        assert_eq!(error.at, in_file(&manifest, 6));
        assert!(error.help.unwrap().starts_with("did you mean `heap`?"));

        let error = parse(r#"{"mpy": {"stack": "lots"}}"#).unwrap_err();
        assert_eq!((error.code, error.at), ("bad-value", in_file(&manifest, 5)));

        let good = parse(r#"{"mpy": {"stack": "2K", "heap": 64, "boards": ["rp2040"]}}"#).unwrap();
        assert_eq!((good.stack, good.heap), (Some(Size(2048)), Some(Size(64))));
        assert!(parse(r#"{"other": 1}"#).is_ok());
    }

    #[test]
    fn a_board_may_have_settings_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("mpy.toml");
        let with = |text: &str| {
            std::fs::write(&settings, text).unwrap();
            let boards = ["rp2040", "rpi-pico", "esp32"].map(str::to_owned).to_vec();
            let options = BuildOptions { input: Some("a.wasm".into()), boards, ..Default::default() };
            plan(&options, None, folder.path())
        };
        let good =
            with("stack = \"2K\"\n[board.rpi-pico]\nheap = \"1K\"\n[board.esp32]\nmemory = \"masked\"\n");
        let targets = good.unwrap().targets;
        let rooms: Vec<_> = targets.iter().map(|target| (target.room.stack, target.room.heap)).collect();
        assert_eq!(rooms, [(2048, 0), (2048, 1024), (2048, 0)]);
        assert_eq!(targets[2].room.memory, Some(Memory::Linear(Safety::Masked)));
        let folders: Vec<_> = targets.iter().map(|target| target.folder.file_name().unwrap()).collect();
        assert_eq!(folders, ["armv6m", "armv6m-rpi-pico", "xtensawin-esp32"]);
        let error = with("[board.rp2040]\nheep = 1\n").unwrap_err();
        assert_eq!((error.code, error.at), ("unknown-setting", in_file(&settings, 2)));
        let error = with("[board.rp2041]\nheap = 1\n").unwrap_err();
        assert_eq!(error.code, "unknown-board");
        for size in ["\"99G\"", "-1", "4294967296", "1.5", "\"\"", "true", "[1]"] {
            for name in ["stack", "heap", "limit", "flash-tables"] {
                for table in ["", "[board.rp2040]\n"] {
                    let error = with(&format!("{table}{name} = {size}\n")).unwrap_err();
                    let line = 1 + u32::from(!table.is_empty());
                    assert_eq!(
                        (error.code, error.at),
                        ("bad-value", in_file(&settings, line)),
                        "{name} {size}"
                    );
                    assert!(error.message.contains(name), "{}", error.message);
                }
            }
        }
        let error = with("[board.rp2040]\nmemory = \"none\"\n").unwrap_err();
        assert_eq!((error.code, error.at), ("bad-value", in_file(&settings, 2)));
    }

    #[test]
    fn traps_have_names_when_asked_for_or_in_a_build_to_debug() {
        assert!(!of_wasm(&[]).unwrap().trap_names);
        assert!(of_wasm(&["--trap-names"]).unwrap().trap_names);
        let build = |profile: &str| {
            Source::Crate(CrateBuild {
                package: String::new(),
                library: String::new(),
                manifest: PathBuf::new(),
                profile: profile.to_owned(),
                cargo_args: Vec::new(),
                target_dir: PathBuf::new(),
                unit: Unit::Library,
                tests: Vec::new(),
            })
        };
        assert!(build("dev").is_to_debug() && !build(DEFAULT_PROFILE).is_to_debug());
    }

    #[test]
    fn a_wasm_file_has_its_settings_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("mpy.toml");
        let options = BuildOptions { input: Some("a.wasm".into()), ..Default::default() };
        let with = |text: &str| {
            std::fs::write(&settings, text).unwrap();
            plan(&options, None, folder.path())
        };
        let good = with("heap = \"2K\"\n[imports]\n\"env.log\" = \"log.log(str)\"\n\"env.n\" = 3\n").unwrap();
        assert_eq!((good.targets[0].room.heap, good.mappings.imports.len()), (2048, 2));
        let good = with("allocator = [\"alloc\"]\n[exports]\ngreet = \"(str) -> i32\"\n").unwrap();
        assert_eq!((good.mappings.exports.len(), good.mappings.allocator.len()), (1, 1));
        for (line, text) in [
            (2, "[exports]\ngreet = \"(string)\"\n"),
            (3, "[exports]\n\n\"a b\" = \"str\"\n"),
            (1, "allocator = []\n"),
        ] {
            let error = with(text).unwrap_err();
            assert_eq!((error.code, error.at), ("bad-value", in_file(&settings, line)), "{text}");
        }
        let error = with("name = \"b\"\n\n[imports]\n\"env.log\" = \"log.log(string)\"\n").unwrap_err();
        assert_eq!((error.code, error.at), ("bad-value", in_file(&settings, 4)));
        let error = with("heep = 1\n").unwrap_err();
        assert_eq!((error.code, error.at), ("unknown-setting", in_file(&settings, 1)));
        let error = with("name = \n").unwrap_err();
        assert_eq!((error.code, error.at), ("bad-value", in_file(&settings, 1)));
    }
}
