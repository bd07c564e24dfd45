//! Flags, cargo metadata and boards → [`BuildPlan`]. All decisions are made here, before anything is built.

use std::fmt;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, Package, TargetKind};
use glue_gen::Mappings;
use glue_gen::keywords::{BUILT_IN_MODULES, EXTENSIBLE_MODULES, KEYWORDS};
use target_specs::{Arch, Diagnostic, Place, Result};
use wasm_to_c::Safety;

use crate::options::{BuildOptions, Code, DEFAULT_PROFILE, Jobs, MemoryModel};
use crate::python_files;
use crate::settings::Settings;
use crate::toolchain::crate_build::{CrateBuild, Unit};

/// The board to build for if none is named: MicroPython on this machine where it loads modules for this processor, which
/// the compilers of the system make; elsewhere an emulated board with much memory.
pub const fn default_board() -> &'static str {
    if cfg!(all(unix, not(target_vendor = "apple"), target_arch = "x86_64")) { "unix" } else { "qemu-armv7m" }
}
/// The size of the shadow stack that a program is linked with before its need is known, in bytes.
pub const USUAL_STACK: u32 = 4096;

/// The decisions about a build.
#[derive(Debug, Clone)]
pub struct BuildPlan {
    /// The name of the module in Python.
    pub module: String,
    /// The version of the package; `None` for a WebAssembly file.
    pub version: Option<String>,
    /// A directory with Python files that go beside the module.
    pub python: Option<PathBuf>,
    pub source: Source,
    /// The output directory.
    pub out_dir: PathBuf,
    /// The Python functions for imports, and the types of exports, from the settings.
    pub mappings: Mappings,
    /// The lines of the source are known to debuggers.
    pub debug: bool,
    /// Trap messages contain the name of the function.
    pub trap_names: bool,
    /// Ctrl-C and scheduled functions interrupt loops of the crate.
    pub interruptible: bool,
    /// The module is to be a part of a firmware, not a file.
    pub in_firmware: bool,
    /// How many passes over the trees of functions `--emit ir` shows the result of.
    pub passes: usize,
    /// The native builds.
    pub targets: Vec<Target>,
    /// No board was named, and [`default_board`] was chosen.
    pub by_default: bool,
    /// How many targets are compiled at the same time.
    pub jobs: Jobs,
}

/// The memory of a module: its model and sizes, and where its code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryConfig {
    /// The memory model; `None` selects the fastest one that is safe for the source of the module.
    pub model: Option<MemoryModel>,
    /// Bytes of the shadow stack, which contains locals whose address is taken; `None` for as many as the program needs.
    pub stack: Option<u32>,
    /// Bytes of memory after the data, for an allocator in the module.
    pub heap: u32,
    /// The maximum size of linear memory in bytes, if it is smaller than the pages that the module declares.
    pub limit: Option<u32>,
    /// Constants with at least this many bytes stay in ROM if the module is in ROM.
    pub flash_tables: Option<u32>,
    /// Where the code is when it runs.
    pub code: Code,
    /// A crate that is optimised for speed is built with vectors.
    pub simd: bool,
    /// The C of a crate is for addresses of 64 bits only.
    pub wide_addresses: bool,
    /// [`Arch::condition_flags`] and [`Arch::modified_immediates`], if the C of a crate has checks.
    pub condition_flags: bool,
    pub modified_immediates: bool,
}

impl MemoryConfig {
    /// Rejects sizes that exceed the RAM of `board`, or what any target supports. `place` says where a value comes from.
    fn check(&self, board: Option<&str>, place: &dyn Fn(&str) -> Place) -> Result<()> {
        let chip =
            board.and_then(|name| target_specs::board(name).ok()?.chip()).filter(|chip| !chip.external_ram);
        // The maximum size of an object in Rust and C.
        let most = chip.map_or(i32::MAX.unsigned_abs(), |chip| chip.ram_kib << 10);
        let stack = self.stack.unwrap_or(0);
        let sizes = [("stack", stack), ("heap", self.heap), ("limit", self.limit.unwrap_or(0))];
        let own = u64::from(stack) + u64::from(self.heap);
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
        Err(Diagnostic::new("memory-too-large", message).at(place(name)).help(format!(
            "choose a smaller one: `--{name}`, or `{name}` in the settings, for one board in its own table"
        )))
    }
}

/// The source of the WebAssembly module.
#[derive(Debug, Clone)]
pub enum Source {
    Crate(CrateBuild),
    /// An existing `.wasm` or `.wat` file.
    Wasm(PathBuf),
}

impl Source {
    /// The folder to which the paths of source files are relative in debug information.
    pub fn root(&self) -> &Path {
        match self {
            Source::Crate(build) => &build.root,
            Source::Wasm(path) => path.parent().unwrap_or(Path::new("")),
        }
    }

    fn is_to_debug(&self) -> bool {
        matches!(self, Source::Crate(build) if build.profile == "dev")
    }
}

/// One native build, for all boards with the same architecture and flags.
#[derive(Debug, Clone)]
pub struct Target {
    pub arch: &'static Arch,
    /// C compiler flags in addition to those of the architecture.
    pub c_flags: Vec<String>,
    /// The boards of the build; empty if only the architecture was named.
    pub boards: Vec<String>,
    pub memory: MemoryConfig,
    /// The directory of the results.
    pub folder: PathBuf,
}

impl Target {
    /// The path of the module.
    pub fn mpy(&self, module: &str) -> PathBuf {
        self.folder.join(format!("{module}.mpy"))
    }
}

/// Refuses names by which Python cannot import a module, or would import another one. `is_chosen` is that the name was given
/// for the module, not for its crate or file: such a module may replace one of MicroPython's where that works.
///
/// # Errors
/// `bad-name`.
pub fn check_name(module: &str, is_chosen: bool) -> Result<()> {
    let (problem, help) = if !is_identifier(module) {
        (
            "cannot be imported by that name",
            "`--name` takes letters, digits and `_`, and does not begin with a digit",
        )
    } else if KEYWORDS.contains(&module) {
        ("is a keyword of Python, and cannot be imported", "choose another name with `--name`")
    } else if BUILT_IN_MODULES.contains(&module) {
        ("is a module of MicroPython, which is imported instead", "choose another name with `--name`")
    } else if EXTENSIBLE_MODULES.contains(&module) && !is_chosen {
        (
            "is a module of MicroPython, which other code imports",
            "choose another name with `--name`, or give this one to replace it",
        )
    } else {
        return Ok(());
    };
    Err(Diagnostic::new("bad-name", format!("`{module}` {problem}"))
        .at(Place::Item(module.to_owned()))
        .help(help))
}

/// Plans a build with `options` in the directory `folder`. `metadata` describes its crate. Without `metadata`, the
/// options must name a `.wasm` file.
///
/// # Errors
/// Unknown boards, architectures, packages, settings and values.
pub fn plan(options: &BuildOptions, metadata: Option<&Metadata>, folder: &Path) -> Result<BuildPlan> {
    let (source, settings, out_dir, default_name, version) = match (&options.input, metadata) {
        (Some(input), _) => {
            let stem = input.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let target = options.target_dir.clone().unwrap_or_else(|| PathBuf::from("target"));
            let input = folder.join(input);
            let settings = Settings::beside(&input)?;
            (Source::Wasm(input), settings, folder.join(target).join("mpy"), stem, None)
        }
        (None, Some(metadata)) => {
            let package = choose_package(options, metadata, folder)?;
            let library = library(package)?;
            let target = options.target_dir.as_ref().map(|target| folder.join(target));
            let target = target.unwrap_or_else(|| metadata.target_directory.clone().into());
            let home = target.join("mpy");
            // As in cargo, each profile has its own output directory.
            let out_dir = match options.profile() {
                DEFAULT_PROFILE => home.clone(),
                profile => home.join(profile),
            };
            let workspace_manifest = metadata.workspace_root.join("Cargo.toml");
            let settings =
                Settings::of_package(package.manifest_path.as_std_path(), workspace_manifest.as_std_path())?;
            let is_to_debug = options.profile() == "dev";
            let source = Source::Crate(CrateBuild {
                package: package.name.to_string(),
                library: library.clone(),
                manifest: package.manifest_path.clone().into(),
                root: metadata.workspace_root.clone().into(),
                profile: options.profile().to_owned(),
                cargo_args: options.cargo_args(),
                target_dir: home.join("wasm"),
                unit: Unit::Library,
                unwinds: unwinds(metadata.workspace_root.as_std_path(), options.profile()),
                has_lines: options.debug
                    || options.trap_names
                    || settings.debug.unwrap_or(is_to_debug)
                    || settings.trap_names.unwrap_or(is_to_debug),
                has_vectors: false,
                tests: tests(package),
            });
            let version = Some(package.version.to_string());
            (source, settings, out_dir, library, version)
        }
        (None, None) => {
            return Err(Diagnostic::new("no-crate", "no crate and no WebAssembly file to build")
                .help("run it in a crate's folder, or name a `.wasm` file"));
        }
    };

    let beside = match &source {
        Source::Crate(build) => build.manifest.parent(),
        Source::Wasm(path) => path.parent(),
    };
    let python = settings.python.map(|python| beside.unwrap_or(folder).join(python));
    let chosen = options.name.clone().or(settings.name);
    let is_chosen = chosen.is_some();
    let module = chosen.unwrap_or(default_name);
    check_name(&module, is_chosen).map_err(|error| match &options.name {
        Some(name) => error.at(Place::Argument(format!("--name {name}"))),
        None => error,
    })?;
    let named = !options.boards.is_empty() || !options.archs.is_empty();
    let (boards, by_default) = match &settings.boards {
        _ if named => (options.boards.clone(), false),
        Some(boards) if !boards.is_empty() => (boards.clone(), false),
        _ => (vec![default_board().to_owned()], true),
    };
    // An option, or a setting.
    let place = |name: &str| {
        let flags = [
            ("stack", options.stack.is_some()),
            ("heap", options.heap.is_some()),
            ("limit", options.limit.is_some()),
            ("memory", options.memory.is_some()),
            ("code", options.code.is_some()),
            ("interruptible", options.interruptible),
        ];
        match flags.contains(&(name, true)) {
            true => Place::Argument(format!("--{name}")),
            false => Place::Item(name.to_owned()),
        }
    };
    // Flags apply to every board. The settings of one board override those of all boards.
    let is_crate = matches!(source, Source::Crate(_));
    let config = |arch: &Arch, board: Option<&str>| -> Result<MemoryConfig> {
        let own = board.and_then(|board| settings.board.as_ref()?.get(board)).cloned().unwrap_or_default();
        let model = options.memory.as_deref().map(str::parse).transpose();
        let model =
            model.map_err(|error: Diagnostic| error.at(place("memory")))?.or(own.memory).or(settings.memory);
        let stack = options.stack.or(own.stack).or(settings.stack);
        // Only for such code, as all architectures share the C of the others.
        let has_checks = is_crate && model == Some(MemoryModel::Linear(Safety::Checked));
        let config = MemoryConfig {
            model,
            // The ABI aligns the stack pointer to 16 bytes.
            stack: stack.map(|size| size.0.saturating_add(15) & !15),
            heap: options.heap.or(own.heap).or(settings.heap).map_or(0, |size| size.0),
            limit: options.limit.or(own.limit).or(settings.limit).map(|size| size.0),
            flash_tables: own.flash_tables.or(settings.flash_tables).map(|size| size.0),
            code: options.code.or(own.code).or(settings.code).unwrap_or_default(),
            simd: is_crate && own.simd.or(settings.simd).unwrap_or(arch.simd.is_some()),
            wide_addresses: is_crate && arch.word_bits == 64,
            condition_flags: has_checks && arch.condition_flags,
            modified_immediates: has_checks && arch.modified_immediates,
        };
        config.check(board, &place)?;
        Ok(config)
    };
    let targets = targets(&boards, if named { &options.archs } else { &[] }, &out_dir, &config)?;
    for target in targets.iter().filter(|target| target.memory.model == Some(MemoryModel::Direct)) {
        let refuse = |what: String, help: &str| {
            Err(Diagnostic::new("no-direct-memory", format!("`memory` cannot be `direct`: {what}"))
                .at(place("memory"))
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
        if target.memory.limit.is_some() {
            return refuse("`limit` is of a memory of the module's own".to_owned(), "leave one of them out");
        }
    }
    for target in targets.iter().filter(|target| target.memory.code == Code::Flash) {
        stays_in_flash(target).map_err(|why| {
            Diagnostic::new("no-code-in-flash", format!("`code` cannot be `flash`: {why}"))
                .at(place("code"))
                .help("leave it out, or set it for the boards that can have it, in their own tables")
        })?;
    }
    let interruptible =
        options.interruptible || settings.interruptible.unwrap_or_else(|| source.is_to_debug());
    if interruptible && matches!(source, Source::Wasm(_)) {
        return Err(Diagnostic::new("bad-value", "only a crate can be interruptible")
            .at(place("interruptible"))
            .help(
                "leave it out: what the functions of other toolchains would leave half done is not known",
            ));
    }
    Ok(BuildPlan {
        module,
        version,
        python,
        out_dir,
        mappings: Mappings {
            imports: settings.imports.unwrap_or_default(),
            exports: settings.exports.unwrap_or_default(),
            allocator: settings.allocator.unwrap_or_default(),
            keywords: settings.keywords.unwrap_or_default(),
        },
        // Names take flash on a board, so only debug builds contain them by default.
        passes: usize::MAX,
        in_firmware: false,
        interruptible,
        debug: options.debug || settings.debug.unwrap_or_else(|| source.is_to_debug()),
        trap_names: options.trap_names || settings.trap_names.unwrap_or_else(|| source.is_to_debug()),
        source,
        targets,
        by_default,
        jobs: options.jobs.unwrap_or_default(),
    })
}

impl BuildPlan {
    /// The Python files that go beside the module: their paths there, with `/` between names, and contents.
    ///
    /// # Errors
    /// `bad-value`, `io`.
    pub fn python_files(&self) -> Result<python_files::Files> {
        self.python.as_ref().map_or(Ok(Vec::new()), |folder| python_files::read(folder, &self.module))
    }

    /// The same for the `#[test]` functions of `unit`: a module that runs them.
    #[must_use]
    pub fn for_tests(&self, unit: &Unit) -> BuildPlan {
        let mut plan = self.clone();
        if let Source::Crate(build) = &mut plan.source {
            build.unit = unit.clone();
        }
        // No other module has such a name.
        plan.module = match unit {
            Unit::Tests(Some(file)) => format!("_tests_{}", file.replace('-', "_")),
            _ => format!("_unittests_{}", self.module),
        };
        plan.put_into("tests");
        // The test module exports only its tests.
        plan.mappings.exports.clear();
        plan.mappings.imports.insert("mpy_test.say".to_owned(), "print(str)".into());
        plan
    }

    /// Puts what is made of the program into this folder beside the others. Cargo builds the program where it did before.
    pub fn put_into(&mut self, folder: &str) {
        self.out_dir.push(folder);
        for target in &mut self.targets {
            target.folder = self.out_dir.join(target.folder.file_name().unwrap_or_default());
        }
    }

    /// The memory model of `target`. Native addresses need 32-bit pointers and a crate, whose compiler guarantees memory
    /// safety.
    pub fn memory_of(&self, target: &Target) -> MemoryModel {
        let trusted = matches!(self.source, Source::Crate(_)) && !self.source.is_to_debug();
        match target.memory.model {
            // Only a linear memory has a limit.
            None if !trusted || target.memory.limit.is_some() => MemoryModel::Linear(Safety::Checked),
            None | Some(MemoryModel::Direct) if target.arch.word_bits == 32 => MemoryModel::Direct,
            None | Some(MemoryModel::Direct) => MemoryModel::Linear(Safety::Checked),
            Some(memory) => memory,
        }
    }
}

/// Refuses targets that cannot execute code in a ROMFS.
fn stays_in_flash(target: &Target) -> std::result::Result<(), String> {
    if !target.arch.compilers.iter().any(|compiler| compiler.flash_register.is_some()) {
        return Err(format!("code of {} cannot be made for an address that is not known", target.arch.name));
    }
    for board in &target.boards {
        let board = target_specs::board(board).map_err(|error| error.message)?;
        if board.chip().is_some_and(|chip| chip.rom_is_data) {
            return Err(format!("`{}` can read its ROM, but cannot execute code there", board.name));
        }
    }
    Ok(())
}

/// Groups boards and architectures that share a build.
fn targets(
    boards: &[String],
    archs: &[String],
    out_dir: &Path,
    config: &dyn Fn(&Arch, Option<&str>) -> Result<MemoryConfig>,
) -> Result<Vec<Target>> {
    let mut groups: Vec<Target> = Vec::new();
    let mut add = |arch: &'static Arch, c_flags: &[String], board: Option<&str>| -> Result<()> {
        let (usual, config) = (config(arch, None)?, config(arch, board)?);
        let same = |target: &&mut Target| {
            target.arch.name == arch.name && target.c_flags == c_flags && target.memory == config
        };
        let target = match groups.iter_mut().find(same) {
            Some(target) => target,
            None => {
                // A build that differs has its own directory, named after its first board.
                let folder = match board {
                    Some(board) if !c_flags.is_empty() || config != usual => format!("{}-{board}", arch.name),
                    _ => arch.name.clone(),
                };
                let folder = out_dir.join(folder);
                groups.push(Target {
                    arch,
                    c_flags: c_flags.to_vec(),
                    boards: Vec::new(),
                    memory: config,
                    folder,
                });
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

/// The names of the packages that `options` choose.
///
/// # Errors
/// `unknown-package`; `no-library` if no package of the workspace is a module.
pub fn packages(options: &BuildOptions, metadata: &Metadata) -> Result<Vec<String>> {
    let members = metadata.workspace_packages();
    if !options.workspace {
        return options.packages.iter().map(|name| Ok(member(&members, name)?.name.to_string())).collect();
    }
    for name in &options.exclude {
        member(&members, name)?;
    }
    let is_module = |package: &&&Package| package.targets.iter().any(|target| target.is_cdylib());
    let names = members.iter().filter(is_module).map(|package| package.name.to_string());
    let names: Vec<String> = names.filter(|name| !options.exclude.contains(name)).collect();
    if names.is_empty() {
        return Err(Diagnostic::new("no-library", "no package of the workspace is a module")
            .at(Place::Argument("--workspace".to_owned()))
            .help("modules have `crate-type = [\"cdylib\"]`, which `cargo mpy init` adds"));
    }
    Ok(names)
}

/// The member of a workspace with this name.
fn member<'a>(members: &[&'a Package], wanted: &str) -> Result<&'a Package> {
    let names = || members.iter().map(|package| package.name.as_str());
    members.iter().find(|package| package.name.as_str() == wanted).copied().ok_or_else(|| {
        let list = names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let help = match target_specs::nearest(wanted, names()) {
            Some(near) => format!("did you mean `{near}`? there are {list}"),
            None => format!("there are {list}"),
        };
        Diagnostic::new("unknown-package", format!("no package of this workspace is called `{wanted}`"))
            .at(Place::Argument(wanted.to_owned()))
            .help(help)
    })
}

fn choose_package<'a>(options: &BuildOptions, metadata: &'a Metadata, folder: &Path) -> Result<&'a Package> {
    let members = metadata.workspace_packages();
    match &options.packages[..] {
        [name] => return member(&members, name),
        [] if !options.workspace => {}
        _ => {
            return Err(Diagnostic::new("which-package", "this command takes one package")
                .at(Place::Argument(if options.workspace { "--workspace" } else { "--package" }.to_owned()))
                .help("choose one with `-p`"));
        }
    }
    // As in cargo: the package of the nearest manifest above, or the only package.
    let manifest = options.manifest_path.as_ref().map(|path| folder.join(path));
    let near = manifest.into_iter().chain(folder.ancestors().map(|above| above.join("Cargo.toml")));
    let near = near
        .filter_map(|path| path.canonicalize().ok())
        .find_map(|path| members.iter().find(|package| package.manifest_path.as_std_path() == path));
    let only = || if members.len() == 1 { members.first() } else { None };
    near.or_else(only).copied().ok_or_else(|| {
        let names: Vec<String> = members.iter().map(|package| format!("`{}`", package.name)).collect();
        Diagnostic::new("which-package", "the workspace has several packages").help(format!(
            "choose one with `-p`: {}; `build`, `test`, `size` and `package` take all of them with `--workspace`",
            names.join(", ")
        ))
    })
}

/// The name of the library of a package, as rustc writes it.
fn library(package: &Package) -> Result<String> {
    let kinds =
        [TargetKind::CDyLib, TargetKind::Lib, TargetKind::RLib, TargetKind::DyLib, TargetKind::StaticLib];
    let library = package.targets.iter().find(|target| kinds.iter().any(|kind| target.is_kind(kind.clone())));
    library.map(|target| target.name.replace('-', "_")).ok_or_else(|| {
        Diagnostic::new(
            "no-library",
            format!("the package `{}` has no library to make a module of", package.name),
        )
        .at(Place::File { path: package.manifest_path.clone().into(), line: 0, column: 0 })
        .help("put the functions into `src/lib.rs`; `cargo new --lib` makes such a package")
    })
}

/// The parts of a package that `cargo test` tests: the library and files in `tests/`.
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

/// Whether `profile` sets `panic = "unwind"`, in the manifest of the workspace at `root` or in the environment. Cargo's
/// metadata does not distinguish this from a profile that sets nothing, which aborts in WebAssembly.
fn unwinds(root: &Path, profile: &str) -> bool {
    let text = std::fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let manifest = text.parse::<toml::Table>().unwrap_or_default();
    let value = |profile: &str, key: &str| {
        let table = manifest.get("profile")?.get(profile)?;
        Some(table.get(key)?.as_str()?.to_owned())
    };
    let mut profile = profile.to_owned();
    // Enough for any chain of profiles; cargo rejects a cycle.
    for _ in 0..16 {
        let variable = format!("CARGO_PROFILE_{}_PANIC", profile.to_uppercase().replace('-', "_"));
        let said = std::env::var(variable).ok().filter(|said| !said.is_empty());
        if let Some(strategy) = said.or_else(|| value(&profile, "panic")) {
            return strategy == "unwind";
        }
        let Some(parent) = value(&profile, "inherits") else { break };
        profile = parent;
    }
    false
}

/// Whether `name` is an identifier of Python, or a keyword.
pub fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The C optimisation level for an `opt-level` of cargo: speed or size, as there. Code that rustc did not optimise is
/// still optimised for size, because it has to fit on a board.
pub fn c_optimisation(opt_level: &str) -> &'static str {
    if is_for_speed(opt_level) { "-O2" } else { "-Os" }
}

/// Whether code is optimised for speed at an `opt-level` of cargo.
pub fn is_for_speed(opt_level: &str) -> bool {
    matches!(opt_level, "2" | "3")
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
        if self.debug {
            writeln!(f, "debug = true")?;
        }
        if self.trap_names {
            writeln!(f, "trap-names = true")?;
        }
        if self.interruptible {
            writeln!(f, "interruptible = true")?;
        }
        if self.mappings.keywords {
            writeln!(f, "keywords = true")?;
        }
        writeln!(f, "out-dir = {:?}", self.out_dir)?;
        for target in &self.targets {
            writeln!(f, "\n[[target]]\narch = {:?}", target.arch.name)?;
            writeln!(f, "boards = {:?}", target.boards)?;
            writeln!(f, "c-flags = {:?}", target.c_flags)?;
            writeln!(f, "memory = {:?}", self.memory_of(target).word())?;
            if let Some(stack) = target.memory.stack {
                writeln!(f, "stack = {stack}")?;
            }
            writeln!(f, "heap = {}", target.memory.heap)?;
            if let Some(limit) = target.memory.limit {
                writeln!(f, "limit = {limit}")?;
            }
            if let Some(least) = target.memory.flash_tables {
                writeln!(f, "flash-tables = {least}")?;
            }
            if target.memory.code == Code::Flash {
                writeln!(f, "code = \"flash\"")?;
            }
            if target.memory.simd {
                writeln!(f, "simd = true")?;
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
        assert_eq!(plan.targets[0].boards, [default_board()]);
        let config = plan.targets[0].memory;
        assert_eq!((config.stack, config.heap), (None, 0));
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_name() {
        let refused = |arguments: &[&str]| {
            let error = of_wasm(arguments).unwrap_err();
            (error.code, error.at)
        };
        let item = |name: &str| Place::Argument(format!("--{name}"));
        for name in ["stack", "heap", "limit"] {
            for size in ["4294967295", "2147483648", "3000M"] {
                let flag = format!("--{name}");
                assert_eq!(refused(&[&flag, size]), ("memory-too-large", item(name)), "{name} {size}");
            }
            let flag = format!("--{name}");
            assert_eq!(refused(&["--board", "rp2040", &flag, "265K"]), ("memory-too-large", item(name)));
            assert!(of_wasm(&["--board", "unix", &flag, "265K"]).is_ok());
            // The board may have external RAM.
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

    /// Code stays in flash where the processor executes it, and on all boards that can have it.
    #[test]
    fn code_in_flash_is_refused_where_it_cannot_be() {
        for board in target_specs::boards() {
            let planned = of_wasm(&["--board", &board.name, "--code", "flash"]);
            let can = ["armv6m", "armv7m", "armv7emsp", "armv7emdp", "armv81m", "rv32imc"]
                .contains(&&*board.arch)
                && !board.chip().is_some_and(|chip| chip.title.starts_with("ESP"));
            match planned {
                Ok(plan) => assert!(can && plan.targets[0].memory.code == Code::Flash, "{}", board.name),
                Err(error) => {
                    assert!(!can, "{}: {error}", board.name);
                    assert_eq!(error.code, "no-code-in-flash");
                    assert_eq!(error.at, Place::Argument("--code".to_owned()));
                    let names = [&*board.name, &*board.arch];
                    assert!(names.iter().any(|name| error.message.contains(name)), "{error}");
                }
            }
        }
    }

    #[test]
    fn a_name_must_be_importable() {
        assert_eq!(of_wasm(&["--name", "2fast"]).unwrap_err().code, "bad-name");
        assert_eq!(of_wasm(&["--name", "a-b"]).unwrap_err().code, "bad-name");
        for (name, is_chosen, is_refused) in [
            ("class", true, true),
            ("None", false, true),
            ("math", true, true),
            ("sys", false, true),
            ("array", false, true),
            // Replaces MicroPython's, as is meant.
            ("array", true, false),
            ("json", false, true),
            // Functions are no modules.
            ("filter", false, false),
            ("my_dsp", false, false),
        ] {
            assert_eq!(check_name(name, is_chosen).is_err(), is_refused, "{name}, {is_chosen}");
        }
        assert!(of_wasm(&["--name", "_ok2"]).is_ok());
    }

    #[test]
    fn unknown_words_are_answered_with_the_known_ones() {
        assert_eq!(of_wasm(&["--board", "rp204"]).unwrap_err().code, "unknown-board");
        assert_eq!(of_wasm(&["--arch", "armv9"]).unwrap_err().code, "unknown-arch");
        assert_eq!(of_wasm(&["--memory", "none"]).unwrap_err().code, "bad-value");
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
        let configs: Vec<_> =
            targets.iter().map(|target| (target.memory.stack, target.memory.heap)).collect();
        assert_eq!(configs, [(Some(2048), 0), (Some(2048), 1024), (Some(2048), 0)]);
        assert_eq!(targets[2].memory.model, Some(MemoryModel::Linear(Safety::Masked)));
        let folders: Vec<_> = targets.iter().map(|target| target.folder.file_name().unwrap()).collect();
        assert_eq!(folders, ["armv6m", "armv6m-rpi-pico", "xtensawin-esp32"]);
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
                root: PathBuf::new(),
                profile: profile.to_owned(),
                cargo_args: Vec::new(),
                target_dir: PathBuf::new(),
                unit: Unit::Library,
                unwinds: false,
                has_lines: false,
                has_vectors: false,
                tests: Vec::new(),
            })
        };
        assert!(build("dev").is_to_debug() && !build(DEFAULT_PROFILE).is_to_debug());
    }

    #[test]
    fn a_profile_unwinds_where_it_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let with = |text: &str, profile: &str| {
            std::fs::write(folder.path().join("Cargo.toml"), text).unwrap();
            unwinds(folder.path(), profile)
        };
        assert!(!with("[package]\nname = \"a\"\n", "release"));
        assert!(with("[profile.release]\npanic = \"unwind\"\n", "release"));
        assert!(!with("[profile.release]\npanic = \"unwind\"\n", "dev"));
        let inherits = "[profile.release]\npanic = \"unwind\"\n[profile.small]\ninherits = \"release\"\n";
        assert!(with(inherits, "small"));
        assert!(!with(&format!("{inherits}panic = \"abort\"\n"), "small"));
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
        assert_eq!((good.targets[0].memory.heap, good.mappings.imports.len()), (2048, 2));
        let good = with("allocator = [\"alloc\"]\n[exports]\ngreet = \"(str) -> i32\"\n").unwrap();
        assert_eq!((good.mappings.exports.len(), good.mappings.allocator.len()), (1, 1));
    }
}
