//! The story: what `cargo mpy build` does, from top to bottom.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use glue_gen::Glue;
use mpy_link::{Image, Sizes};
use target_specs::{Arch, Diagnostic, Place, Result};
use wasm_to_c::{
    CUnit, CodePlace, Frames, NativeStack, Safety, StackChecks, StackNeed, StackSize, Translation, relocs,
};

use crate::failure::Failure;
use crate::messages::{self, Artifact, Message};
use crate::options::{BuildOptions, Code, Jobs, MemoryModel, Stage};
use crate::plan::{self, BuildPlan, MemoryConfig, Source, Target};
use crate::toolchain::crate_build::{CrateBuild, Link};
use crate::toolchain::{self, cargo, cc, rust};
use crate::{code_in_flash, map, missing_imports, symbols, ui, user_module, wasm};

/// A module, built for one target.
#[derive(Debug, Clone)]
pub struct Built {
    /// The target it was built for.
    pub target: Target,
    /// The `.mpy` file.
    pub mpy: PathBuf,
    /// Bytes that the module occupies when it is loaded.
    pub sizes: Sizes,
    /// Bytes of the file.
    pub file_size: u64,
    /// Nothing had changed.
    pub fresh: bool,
    /// The time that the stages of this target took.
    pub time: Duration,
    /// What is where in it, when that was asked for.
    pub map: Vec<map::Entry>,
}

/// The options for each of the packages that `options` choose.
///
/// # Errors
/// Unknown packages; `bad-value` for a name of several modules; and cargo's own errors.
pub fn each_package(options: &BuildOptions) -> std::result::Result<Vec<BuildOptions>, Failure> {
    if options.input.is_some() || !options.workspace && options.packages.len() < 2 {
        return Ok(vec![options.clone()]);
    }
    let Some(metadata) = cargo::metadata(options.manifest_path.as_deref(), &current_folder()?)? else {
        return Ok(vec![options.clone()]);
    };
    let packages = plan::packages(options, &metadata)?;
    if let (Some(name), 2..) = (&options.name, packages.len()) {
        return Err(Diagnostic::new("bad-value", "several modules cannot have one name")
            .at(Place::Argument(format!("--name {name}")))
            .help("choose one package, or leave out `--name`")
            .into());
    }
    let of = |package| BuildOptions {
        packages: vec![package],
        workspace: false,
        exclude: Vec::new(),
        ..options.clone()
    };
    Ok(packages.into_iter().map(of).collect())
}

fn current_folder() -> Result<PathBuf> {
    std::env::current_dir()
        .map_err(|error| Diagnostic::new("io", format!("cannot determine the current directory: {error}")))
}

/// Decides what `options`, given in the current folder, mean.
///
/// # Errors
/// Unknown boards, architectures, packages, settings and values; and cargo's own errors.
pub fn plan(options: &BuildOptions) -> std::result::Result<BuildPlan, Failure> {
    let folder = current_folder()?;
    let metadata = match options.input {
        Some(_) => None,
        None => cargo::metadata(options.manifest_path.as_deref(), &folder)?,
    };
    let plan = plan::plan(options, metadata.as_ref(), &folder)?;
    for name in plan.targets.iter().flat_map(|target| &target.boards) {
        if let Some(why) = &target_specs::board(name)?.no_native {
            ui::warning(format_args!("{name} will not load the module: {why}"));
        }
    }
    Ok(plan)
}

/// Builds what `plan` says, up to the stage `emit` when that is given; then prints what the stage
/// made, but for maps, which are in what is returned. Files are written whole or not at all.
///
/// # Errors
/// Everything that can be wrong with a crate, a module or this machine; cargo's own, with its code.
pub fn build(plan: &BuildPlan, emit: Option<Stage>) -> std::result::Result<Vec<Built>, Failure> {
    let start = Instant::now();
    // Decided already: which module, how, and for what.
    if emit == Some(Stage::Plan) {
        ui::output(plan);
        return Ok(Vec::new());
    }
    // The compilers, before anything that lasts: a missing one is better said at once.
    let compilers = match emit {
        Some(stage) if stage < Stage::Obj => Vec::new(),
        _ => plan.targets.iter().map(|target| cc::find(target.arch)).collect::<Result<Vec<_>>>()?,
    };

    // Whoever waits finds done what the other one did; and nobody links another program over the one that is read here.
    let _lock = lock(plan)?;
    let mut programs = plan
        .targets
        .iter()
        .map(|target| Variant::of(target.memory))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|variant| Ok((variant, webassembly(plan, variant)?)))
        .collect::<std::result::Result<BTreeMap<_, _>, Failure>>()?;
    let optimisation: Vec<&str> = plan
        .targets
        .iter()
        .map(|target| plan::c_optimisation(&programs[&Variant::of(target.memory)].opt_level))
        .collect();

    // What is up to date is not made again, and when that is all, nothing more is done.
    let keys_of = |programs: &BTreeMap<Variant, Program>| -> Vec<String> {
        let targets = plan.targets.iter().zip(&compilers).zip(&optimisation);
        targets
            .map(|((target, compiler), optimisation)| {
                let compiler = compiler.identity(&target.c_flags, optimisation);
                key(plan, target, &programs[&Variant::of(target.memory)].bytes, &compiler)
            })
            .collect()
    };
    let mut keys = keys_of(&programs);
    let mut results: Vec<Option<Built>> = match emit {
        None => plan.targets.iter().zip(&keys).map(|(target, key)| up_to_date(plan, target, key)).collect(),
        Some(_) => plan.targets.iter().map(|_| None).collect(),
    };
    if !results.is_empty() && results.iter().all(Option::is_some) && emit.is_none() {
        return Ok(report(plan, results.into_iter().flatten().collect(), start));
    }

    // WebAssembly → C and bindings, once for each kind of memory that targets want.
    let mut sources: Vec<Sources> = Vec::new();
    let mut names = HashMap::new();
    let stale = plan.targets.iter().zip(&results).filter(|(_, result)| result.is_none());
    for (target, _) in stale {
        let (memory, config) = (plan.memory_of(target), target.memory);
        if sources.iter().any(|known| (known.memory, known.config) == (memory, config)) {
            continue;
        }
        // WebAssembly → the same with nothing in it that Python cannot reach, and its exact memory → C.
        let variant = Variant::of(config);
        let (prepared, translation, program) = settled(plan, &programs[&variant], memory, config)?;
        if let Some(program) = program {
            programs.insert(variant, program);
            keys = keys_of(&programs);
        }
        if emit == Some(Stage::Wasm) {
            let path = plan.out_dir.join(format!("{}.wasm", plan.module));
            toolchain::write_file(&path, &prepared.module.bytes)?;
            ui::output(format_args!("{}\n", path.display()));
            return Ok(Vec::new());
        }
        // What it exports and imports → its bindings in C.
        let translated = translate(plan, &prepared, translation, memory, config, emit)?;
        let Some((translation, glue)) = translated else { return Ok(Vec::new()) };
        names.extend(translation.names.clone());
        let others = sources.iter().filter(|known| known.memory == memory).count();
        let folder = match others {
            0 => memory.word().to_owned(),
            _ => format!("{}-{}", memory.word(), others + 1),
        };
        let folder = write_sources(plan, config, &folder, &translation.unit, &glue)?;
        let Translation { native_stack, names, .. } = translation;
        sources.push(Sources { memory, config, prepared, made: Made { folder, glue, native_stack, names } });
    }
    if let (Source::Crate(_), Some(sources)) = (&plan.source, sources.first()) {
        warn_of_unavailable(&programs[&Variant::of(sources.config)].bytes);
    }
    let source_of = |target: &Target| {
        let wanted = (plan.memory_of(target), target.memory);
        sources.iter().find(|made| (made.memory, made.config) == wanted).expect("just made")
    };

    if emit == Some(Stage::Usermod) {
        let mut variants = Vec::new();
        for (target, optimisation) in plan.targets.iter().zip(&optimisation) {
            let sources = source_of(target);
            let made = match sources.made.native_stack {
                None => Cow::Borrowed(&sources.made),
                Some(_) => compile(plan, target, &cc::find(target.arch)?, optimisation, sources)?,
            };
            variants.push((target, made));
        }
        let variants: Vec<user_module::Variant> = variants
            .iter()
            .map(|(target, made)| user_module::Variant { target, folder: &made.folder, glue: &made.glue })
            .collect();
        user_module::write(plan, &variants)?;
        return Ok(Vec::new());
    }

    // C → objects → modules: each target alone, several at once.
    let todo: Vec<usize> = (0..plan.targets.len()).filter(|index| results[*index].is_none()).collect();
    let progress = ui::Progress::new("Compiling", todo.len() as u64);
    let made = in_parallel_at_most(plan.jobs.0, &todo, |&index| {
        let target = &plan.targets[index];
        progress.message(label(target));
        let start = Instant::now();
        let sources = source_of(target);
        let made = native(plan, target, &compilers[index], optimisation[index], sources, emit);
        progress.step();
        made.map(|image| Finished { image, time: start.elapsed() })
    });
    drop(progress);

    // The files, now that every target has succeeded.
    let mut finished = Vec::new();
    for (index, result) in todo.iter().zip(made) {
        finished.push((*index, result?));
    }
    if emit == Some(Stage::Obj) {
        for target in &plan.targets {
            ui::output(format_args!("{}\n", object(plan, target).display()));
        }
        return Ok(Vec::new());
    }
    for (index, done) in finished {
        let target = &plan.targets[index];
        let mpy = target.mpy(&plan.module);
        let Finished { image, time } = done;
        toolchain::write_file(&mpy, &image.bytes)?;
        toolchain::write_file(&mpy.with_extension("pyi"), source_of(target).made.glue.stub.as_bytes())?;
        write_symbols(&mpy, &image)?;
        write_stamp(plan, target, &keys[index], image.sizes)?;
        results[index] = Some(Built {
            target: target.clone(),
            mpy,
            sizes: image.sizes,
            file_size: image.bytes.len() as u64,
            fresh: false,
            time,
            map: match emit {
                Some(Stage::Map) => map::entries(&image, &names, &plan.module),
                _ => Vec::new(),
            },
        });
    }
    let built: Vec<Built> = results.into_iter().flatten().collect();
    if emit == Some(Stage::Mpy) {
        for one in &built {
            ui::output(format_args!("{}\n", one.mpy.display()));
        }
        return Ok(built);
    }
    if emit == Some(Stage::Map) {
        return Ok(built);
    }
    Ok(report(plan, built, start))
}

/// An architecture for each width of addresses, if possible one that this machine has a compiler for.
pub fn one_of_each_width() -> Vec<String> {
    let mut archs: Vec<&Arch> = target_specs::archs().iter().collect();
    archs.sort_by_key(|arch| cc::find(arch).is_err());
    let mut widths = BTreeMap::new();
    for arch in archs {
        widths.entry(arch.word_bits).or_insert_with(|| arch.name.clone());
    }
    widths.into_values().collect()
}

/// The bindings of the module for the first target of `plan`.
///
/// # Errors
/// As [`build`].
pub fn bindings(plan: &BuildPlan) -> std::result::Result<Glue, Failure> {
    let target = &plan.targets[0];
    let (memory, config) = (plan.memory_of(target), target.memory);
    let _lock = matches!(plan.source, Source::Crate(_)).then(|| lock(plan)).transpose()?;
    let program = webassembly(plan, Variant::of(config))?;
    let (prepared, translation, _) = settled(plan, &program, memory, config)?;
    Ok(bind(plan, &prepared, &translation)?)
}

/// A linked program of WebAssembly.
struct Program {
    bytes: Vec<u8>,
    /// Cargo's `opt-level` that it was made with.
    opt_level: String,
    has_vectors: bool,
    /// What a crate was linked with.
    link: Option<Link>,
}

/// The settings of a target that decide which WebAssembly it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Variant {
    stack: Option<u32>,
    simd: bool,
}

impl Variant {
    fn of(config: MemoryConfig) -> Variant {
        Variant { stack: config.stack, simd: config.simd }
    }
}

/// Rust → WebAssembly, or what is WebAssembly already. Only cargo says whether a crate is optimised for speed: then it is
/// built again with vectors, if they are wanted.
fn webassembly(plan: &BuildPlan, variant: Variant) -> std::result::Result<Program, Failure> {
    let (wasm, opt_level, has_vectors, link) = match &plan.source {
        Source::Crate(build) => {
            let rust = rust::find_for(build)?;
            let made = |has_vectors: bool| {
                let home = &build.target_dir;
                let build = build_with(plan, build, variant.stack, has_vectors);
                cargo::share_host(&build, home);
                let link = link(&build, variant.stack);
                cargo::build(&rust, &build, link).map(|artifact| (artifact, link))
            };
            let (mut artifact, mut link) = made(false)?;
            // Firmware of any architecture may be compiled with the same C.
            let has_vectors = variant.simd && !plan.in_firmware && plan::is_for_speed(&artifact.opt_level);
            if has_vectors {
                (artifact, link) = made(true)?;
            }
            (artifact.wasm, artifact.opt_level, has_vectors, Some(link))
        }
        Source::Wasm(path) => (path.clone(), "s".to_owned(), false, None),
    };
    let contents = toolchain::read_file(&wasm)?;
    Ok(Program { bytes: wasm::binary(&wasm, &contents)?.into_owned(), opt_level, has_vectors, link })
}

/// The cargo build of a program with this setting of the stack, and with vectors or without. The linker lays out the stack: one
/// that only some boards have gets a folder of its own, where cargo does not have to link anew every time. So do vectors.
fn build_with(plan: &BuildPlan, build: &CrateBuild, stack: Option<u32>, has_vectors: bool) -> CrateBuild {
    let mut build = CrateBuild { has_vectors, ..build.clone() };
    if plan.targets.first().is_some_and(|first| first.memory.stack != stack) {
        let size = stack.map_or("usual".to_owned(), |stack| stack.to_string());
        build.target_dir.as_mut_os_string().push(format!("-{size}"));
    }
    if has_vectors {
        build.target_dir.as_mut_os_string().push("-simd");
    }
    build
}

/// What a program is linked with: what the last build found out, unless `stack` is set.
fn link(build: &CrateBuild, stack: Option<u32>) -> Link {
    let last = cargo::last_link(build).unwrap_or(Link { stack: plan::USUAL_STACK, has_std: false });
    Link { stack: stack.unwrap_or(last.stack), ..last }
}

/// A program as `memory` wants it, in C; and the program itself, if it had to be linked again.
fn settled(
    plan: &BuildPlan,
    program: &Program,
    memory: MemoryModel,
    config: MemoryConfig,
) -> std::result::Result<(wasm::Prepared, Translation, Option<Program>), Failure> {
    let mut again: Option<Program> = None;
    // Linked again twice at most, because what is linked for `std` needs stack as well.
    let mut left = 2;
    loop {
        let program = again.as_ref().unwrap_or(program);
        let prepared = prepare(plan, program, memory, config)?;
        let translation = transpile(plan, &prepared, memory, config, StackChecks::default())?;
        match linked_again(plan, program, &prepared, config, &translation)?.filter(|_| left > 0) {
            Some(program) => again = Some(program),
            None => return Ok((prepared, translation, again)),
        }
        left -= 1;
    }
}

/// The program linked again, if it lacks functions of `std` that MicroPython implements, or if its shadow stack in linear
/// memory is smaller than what it needs, or larger because it once needed more.
fn linked_again(
    plan: &BuildPlan,
    program: &Program,
    prepared: &wasm::Prepared,
    config: MemoryConfig,
    translation: &Translation,
) -> std::result::Result<Option<Program>, Failure> {
    let (Source::Crate(build), Some(last)) = (&plan.source, program.link) else { return Ok(None) };
    let build = build_with(plan, build, config.stack, program.has_vectors);
    let need = translation.interface.stack_need.as_ref();
    let need = need.filter(|_| config.stack.is_none() && prepared.module.relocations.is_none());
    let stack = need.map_or(last.stack, |need| need.wanted.max(plan::USUAL_STACK));
    let wanted = Link { stack, has_std: last.has_std || prepared.lacks_std };
    if wanted == last {
        return Ok(None);
    }
    let boards = plan.targets.iter().filter(|target| target.memory == config);
    for board in boards.flat_map(|target| &target.boards) {
        need.map_or(Ok(()), |need| has_room_for_stack(board, need))?;
    }
    cargo::remember_link(&build, wanted)?;
    webassembly(plan, Variant::of(config)).map(Some)
}

/// Says which functions ask `std` for what MicroPython does not have.
fn warn_of_unavailable(program: &[u8]) {
    let users: Vec<String> =
        wasm::unavailable::users(program).iter().map(|path| format!("`{path}`")).collect();
    if let Some((last, others)) = users.split_last() {
        let (users, verb) = match others {
            [] => (last.clone(), "asks"),
            others => (format!("{} and {last}", others.join(", ")), "ask"),
        };
        ui::warning(format_args!(
            "{users} {verb} `std` for files, sockets, processes or threads, which MicroPython does not have, and get{} the \
             error `{}`: use Python's, by `mpy::io` and `mpy::object`",
            if others.is_empty() { "s" } else { "" },
            wasm::unavailable::TEXT,
        ));
    }
}

/// Holds off others that build the same module into the same folder, while it lasts.
fn lock(plan: &BuildPlan) -> Result<toolchain::Lock> {
    let BuildPlan { out_dir, module, .. } = plan;
    toolchain::Lock::take(&out_dir.join(format!(".{module}.lock")), || {
        let what = format_args!("waiting for another build of {module} in {}", out_dir.display());
        ui::status("Blocking", what);
    })
}

struct Finished {
    image: Image,
    time: Duration,
}

/// The module as `memory` wants it; or with a checked memory where it cannot be had and nobody insists.
fn prepare(
    plan: &BuildPlan,
    program: &Program,
    memory: MemoryModel,
    config: MemoryConfig,
) -> Result<wasm::Prepared> {
    let origin = match plan.source {
        Source::Crate(_) => wasm::Origin::Crate { interruptible: plan.interruptible },
        Source::Wasm(_) => wasm::Origin::Other,
    };
    // Firmware is built by others, elsewhere.
    let lines = ((plan.debug || plan.trap_names) && !plan.in_firmware).then(|| plan.source.root());
    let bytes = &program.bytes;
    let in_linear_memory =
        || wasm::prepare(&plan.module, bytes, config.heap, config.limit, None, origin, lines);
    let prepared = if memory == MemoryModel::Direct {
        // Before any pass: they forget relocations.
        let symbolic = relocs::read(&plan.module, bytes);
        match symbolic.and_then(|(bytes, r)| {
            wasm::prepare(&plan.module, &bytes, config.heap, None, Some(r), origin, lines)
        }) {
            Err(why) if why.code == "no-direct-memory" && config.model.is_none() => {
                ui::verbose("Using", format_args!("a memory of the module's own, checked: {}", why.message));
                in_linear_memory()
            }
            other => other,
        }
    } else {
        in_linear_memory()
    };
    Ok(wasm::Prepared { is_for_speed: plan::is_for_speed(&program.opt_level), ..prepared? })
}

/// What is compiled for the targets with this memory.
struct Sources {
    memory: MemoryModel,
    config: MemoryConfig,
    prepared: wasm::Prepared,
    made: Made,
}

/// C, and the folder that it is in.
#[derive(Clone)]
struct Made {
    folder: PathBuf,
    glue: Glue,
    native_stack: Option<NativeStack>,
    /// What functions are called in the source.
    names: HashMap<String, String>,
}

/// Where the code of the module is when it runs.
fn code_place(plan: &BuildPlan, config: MemoryConfig) -> CodePlace {
    match config.code {
        _ if plan.in_firmware => CodePlace::Linked,
        Code::Flash => CodePlace::Anywhere,
        Code::Ram => CodePlace::Loaded,
    }
}

/// How the module is translated. If its memory is checked or masked, its native stack is checked too.
fn translation_options(
    plan: &BuildPlan,
    prepared: &wasm::Prepared,
    memory: MemoryModel,
    config: MemoryConfig,
    stack_checks: StackChecks,
) -> wasm_to_c::Options {
    let safety = match memory {
        MemoryModel::Direct => Safety::Checked,
        MemoryModel::Linear(safety) => safety,
    };
    let is_sandbox = matches!(memory, MemoryModel::Linear(Safety::Checked | Safety::Masked));
    wasm_to_c::Options {
        safety,
        stack: config.stack.map(StackSize::Fixed).or(match plan.source {
            Source::Crate(_) => Some(StackSize::AsNeeded),
            Source::Wasm(_) => None,
        }),
        quiet_imports: prepared.quiet_imports.clone(),
        // Rust's compiler makes true hints.
        aligned: matches!(plan.source, Source::Crate(_)),
        // All constants are where the code is.
        flash_tables: config.flash_tables.filter(|_| code_place(plan, config) == CodePlace::Loaded),
        code: code_place(plan, config),
        trap_names: plan.trap_names,
        for_speed: prepared.is_for_speed,
        wide_addresses: config.wide_addresses,
        condition_flags: config.condition_flags,
        modified_immediates: config.modified_immediates,
        stack_checks: is_sandbox.then_some(stack_checks),
        throwing: prepared.unwinds.then_some(glue_gen::throws),
        ..Default::default()
    }
}

/// The module in C.
fn transpile(
    plan: &BuildPlan,
    prepared: &wasm::Prepared,
    memory: MemoryModel,
    config: MemoryConfig,
    stack_checks: StackChecks,
) -> Result<Translation> {
    let options = translation_options(plan, prepared, memory, config, stack_checks);
    wasm_to_c::transpile(&prepared.module, &options)
}

fn bind(plan: &BuildPlan, prepared: &wasm::Prepared, translation: &Translation) -> Result<Glue> {
    if let Some(api) = &prepared.api {
        let imports = translation.interface.imports.iter().map(|import| import.field.as_str());
        let missing = glue_gen::missing_imports(api, imports);
        missing_imports::check(&plan.source, &prepared.module.bytes, missing)?;
    }
    glue_gen::glue(&plan.module, &translation.interface, prepared.api.as_ref(), &plan.mappings)
}

/// The module and its bindings in C; `None` when one of them was to be printed.
fn translate(
    plan: &BuildPlan,
    prepared: &wasm::Prepared,
    translation: Translation,
    memory: MemoryModel,
    config: MemoryConfig,
    emit: Option<Stage>,
) -> Result<Option<(Translation, Glue)>> {
    let module = &prepared.module;
    if emit == Some(Stage::Ir) {
        let options = translation_options(plan, prepared, memory, config, StackChecks::default());
        ui::output(wasm_to_c::trees(module, &options, plan.passes)?);
        return Ok(None);
    }
    fits_in_file(&plan.module, &translation.interface)?;
    let groups =
        plan.targets.iter().filter(|target| (plan.memory_of(target), target.memory) == (memory, config));
    let need = translation.interface.stack_need.as_ref();
    for board in groups.flat_map(|target| &target.boards) {
        fits_on(board, &plan.module, &translation.interface)?;
        if let Some(need) = need.filter(|_| config.stack.is_none() && matches!(plan.source, Source::Crate(_)))
        {
            has_room_for_stack(board, need)?;
        }
    }
    if let Some(need) = need.filter(|_| matches!(plan.source, Source::Crate(_))) {
        say_stack(need);
    }
    if plan.debug && !plan.in_firmware && module.lines.is_none() {
        let why = "no debug information says which lines of the source its code is from";
        let advice = "have its compiler write some (`-g`)";
        ui::warning(format_args!("{}: {why}: {advice}", plan.module));
    }
    if emit == Some(Stage::C) {
        ui::output(&translation.unit.source);
        return Ok(None);
    }
    let glue = bind(plan, prepared, &translation)?;
    if emit == Some(Stage::Glue) {
        ui::output(&glue.unit.source);
        return Ok(None);
    }
    // Of a crate, a start function is the linker's.
    let advice = match plan.source {
        Source::Crate(_) => {
            Some("write `#[wasm_bindgen]` above a `pub fn` or `pub struct` that Python shall use")
        }
        Source::Wasm(_) if glue.has_start => None,
        Source::Wasm(_) => Some("export functions from it"),
    };
    if !prepared.is_named {
        ui::warning(format_args!(
            "the functions of `{}` have no names, so only loops in exported functions can be interrupted: set \
             `strip = \"debuginfo\"` in the profile",
            plan.module
        ));
    }
    if let Some(advice) = advice.filter(|_| glue.is_empty) {
        ui::warning(format_args!("`{}` is empty for Python, as it exports nothing: {advice}", plan.module));
    }
    let (heap, fixed) = (translation.interface.heap_bytes, translation.interface.static_bytes);
    // A crate's own takes what it uses; another toolchain may have declared what nobody asked for.
    if fixed > 0 && matches!(plan.source, Source::Wasm(_)) {
        ui::status("Memory", format_args!("{fixed} bytes of RAM, and never more"));
    }
    let is_own =
        module.heap_grows && module.memory_bytes.is_some() && matches!(plan.source, Source::Crate(_));
    if heap > 0 && !is_own {
        let most = "and more when it grows its memory";
        ui::status("Memory", format_args!("{heap} bytes of MicroPython's heap at import, {most}"));
    }
    Ok(Some((translation, glue)))
}

/// Refuses a module whose tables and data are more than the file of any module can have.
fn fits_in_file(module: &str, interface: &wasm_to_c::Interface) -> Result<()> {
    let (needed, most) = (interface.constant_bytes, mpy_link::LARGEST_FILE);
    if needed <= most {
        return Ok(());
    }
    let message = format!("tables and data take {needed} bytes, and the file of a module has at most {most}");
    Err(Diagnostic::new("memory-too-large", message)
        .at(Place::Item(module.to_owned()))
        .help("declare smaller tables, or less data; boards have a few hundred kilobytes of RAM"))
}

/// Refuses a module whose memories, tables and data are more than all the RAM of a board.
fn fits_on(board: &str, module: &str, interface: &wasm_to_c::Interface) -> Result<()> {
    let Some(chip) = target_specs::board(board)?.chip() else { return Ok(()) };
    let needed = interface.static_bytes + interface.heap_bytes + interface.constant_bytes;
    if chip.external_ram || needed <= 1024 * u64::from(chip.ram_kib) {
        return Ok(());
    }
    let message = format!(
        "memory, tables and data take {needed} bytes, and `{board}` has {} bytes of RAM",
        1024 * chip.ram_kib
    );
    Err(Diagnostic::new("memory-too-large", message)
        .at(Place::Item(module.to_owned()))
        .help("declare a smaller memory, or cut it with `--limit`"))
}

/// Refuses a module whose shadow stack needs more than all the RAM of a board.
fn has_room_for_stack(board: &str, need: &StackNeed) -> Result<()> {
    let Some(chip) = target_specs::board(board)?.chip() else { return Ok(()) };
    if chip.external_ram || u64::from(need.wanted) <= 1024 * u64::from(chip.ram_kib) {
        return Ok(());
    }
    let message = format!(
        "calls need {} bytes of the shadow stack{}, and `{board}` has {} KiB of RAM",
        need.calls,
        largest(need),
        chip.ram_kib
    );
    Err(Diagnostic::new("memory-too-large", message)
        .at(Place::Item("stack".to_owned()))
        .help("put large arrays into a `Box` or a `static`, or choose a size with `stack`"))
}

/// Says how large the shadow stack is, if calls need more than the usual size or than was set.
fn say_stack(need: &StackNeed) {
    let least = if need.is_bounded { "up to" } else { "at least" };
    let text =
        format!("{} bytes, and calls need {least} {} bytes of it{}", need.size, need.calls, largest(need));
    if need.calls > need.size.min(plan::USUAL_STACK) {
        ui::status("Stack", format_args!("{text}"));
    } else {
        ui::verbose("Stack", format_args!("{text}"));
    }
}

/// The function that uses most of the stack.
fn largest(need: &StackNeed) -> String {
    let largest = need.largest.iter().map(|(name, bytes)| format!(" (`{name}` alone {bytes})"));
    largest.collect()
}

/// The folder of all C that is made.
fn c_folder(plan: &BuildPlan) -> PathBuf {
    plan.out_dir.join(if plan.in_firmware { "c-usermod" } else { "c" })
}

/// The folder of the headers that the C of all modules includes.
fn include(plan: &BuildPlan) -> PathBuf {
    c_folder(plan).join("include")
}

/// Writes the one translation unit of the module and the headers it includes.
fn write_sources(
    plan: &BuildPlan,
    config: MemoryConfig,
    folder: &str,
    unit: &CUnit,
    glue: &Glue,
) -> Result<PathBuf> {
    let folder = c_folder(plan).join(&plan.module).join(folder);
    for (name, text) in c_runtime::HEADERS {
        toolchain::write_file(&include(plan).join(name), text.as_bytes())?;
    }
    for unit in [unit, &glue.unit] {
        toolchain::write_file(&folder.join(&unit.file_name), unit.source.as_bytes())?;
    }
    let (head, tail) = match code_place(plan, config) {
        CodePlace::Loaded => (String::new(), ""),
        CodePlace::Linked => (user_module::head(&plan.module), ""),
        CodePlace::Anywhere => (code_in_flash::head(glue), code_in_flash::TAIL),
    };
    let whole =
        format!("{head}#include \"{}\"\n#include \"{}\"\n{tail}", unit.file_name, glue.unit.file_name);
    toolchain::write_file(&folder.join("unit.c"), whole.as_bytes())?;
    Ok(folder)
}

fn object(plan: &BuildPlan, target: &Target) -> PathBuf {
    target.folder.join(format!("{}.o", plan.module))
}

/// C to object, for one target; and the C again with more checks of the native stack, until they suffice.
fn compile<'m>(
    plan: &BuildPlan,
    target: &Target,
    compiler: &cc::CCompiler,
    optimisation: &str,
    sources: &'m Sources,
) -> Result<Cow<'m, Made>> {
    let object = object(plan, target);
    std::fs::create_dir_all(&target.folder)
        .map_err(|error| toolchain::io_error("create", &target.folder, &error))?;
    let Sources { memory, config, prepared, made } = sources;
    let compile = |made: &Cow<'_, Made>| {
        let (include, unit) = (include(plan), made.folder.join("unit.c"));
        let includes = [&*include, &*made.folder];
        if made.native_stack.is_some() {
            return compiler.compile_measured(&unit, &object, &target.c_flags, optimisation, &includes);
        }
        compiler.compile(&unit, &object, &target.c_flags, optimisation, &includes)?;
        Ok(Frames::default())
    };
    let again = |checks| {
        let translation = transpile(plan, prepared, *memory, *config, checks)?;
        let glue = bind(plan, prepared, &translation)?;
        let target = target.folder.file_name().unwrap_or_default().to_string_lossy();
        let folder = format!("{}-{target}", memory.word());
        let folder = write_sources(plan, *config, &folder, &translation.unit, &glue)?;
        let Translation { native_stack, names, .. } = translation;
        Ok(Cow::Owned(Made { folder, glue, native_stack, names }))
    };
    wasm_to_c::settled(Cow::Borrowed(made), |made| made.native_stack.as_ref(), compile, again)
}

/// C to object to module, for one target.
fn native(
    plan: &BuildPlan,
    target: &Target,
    compiler: &cc::CCompiler,
    optimisation: &str,
    sources: &Sources,
    emit: Option<Stage>,
) -> Result<Image> {
    let in_flash = sources.config.code == Code::Flash;
    let mut more = match sources.memory {
        _ if in_flash => code_in_flash::flags(compiler)?,
        MemoryModel::Direct if !plan.interruptible => compiler.direct_tuning(optimisation).to_vec(),
        _ => Vec::new(),
    };
    if plan.debug {
        more.extend(cc::DEBUG_FLAGS.iter().map(|flag| (*flag).to_owned()));
    }
    let compiled = Target { c_flags: [&target.c_flags[..], &more].concat(), ..target.clone() };
    let made = compile(plan, &compiled, compiler, optimisation, sources)?;
    let Made { glue, names, .. } = &*made;
    let (object, include) = (object(plan, target), &include(plan));
    if emit == Some(Stage::Obj) {
        return Ok(Image { bytes: Vec::new(), sizes: Sizes::default(), map: Vec::new(), symbols: None });
    }
    let Target { arch, c_flags, .. } = target;
    let folder = plan.source.root().to_string_lossy();
    let source = mpy_link::Source { names, folder: &folder };
    let source = plan.debug.then_some(&source);
    if in_flash {
        let toolchain = code_in_flash::Toolchain { compiler, arch, c_flags, optimisation, include };
        return code_in_flash::link(&toolchain, &object, glue, source);
    }

    let objects: Vec<mpy_link::Bytes> = glue
        .objects
        .iter()
        .map(|table| mpy_link::Bytes { name: table.name.clone(), data: table.data.clone() })
        .collect();
    let options =
        mpy_link::Options { qstrs: &glue.qstrs, objects: &objects, source, ..mpy_link::Options::new(arch) };
    let runtime = compiler.runtime(c_flags, optimisation, include)?;
    let library = compiler.library(c_flags)?;
    cc::linked(&object, &runtime, &library, |inputs| mpy_link::link(inputs, &options))
}

/// `work` for each of `items`, on as many threads as the machine has processors, results in order.
pub fn in_parallel<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    in_parallel_at_most(Jobs::default().0, items, work)
}

/// Like [`in_parallel`], with this many threads at most.
pub fn in_parallel_at_most<I: Sync, T: Send>(
    most: usize,
    items: &[I],
    work: impl Fn(&I) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<T>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let threads = most.min(items.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let index = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(item) = items.get(index)
                {
                    let result = work(item);
                    *results[index].lock().expect("no thread panics while it holds this") = Some(result);
                }
            });
        }
    });
    let done = |slot: Mutex<Option<T>>| slot.into_inner().ok().flatten().expect("every item was worked on");
    results.into_iter().map(done).collect()
}

/// What a target's result depends on.
fn key(plan: &BuildPlan, target: &Target, wasm: &[u8], compiler: &str) -> String {
    // Our own program stands for the translation, the bindings, the runtime and the linker.
    let tool = std::env::current_exe().map(|path| toolchain::identity(&path)).unwrap_or_default();
    let memory = plan.memory_of(target);
    let BuildPlan { module, mappings, debug, trap_names, interruptible, .. } = plan;
    let options =
        format!("{module} {memory:?} {:?} {mappings:?} {debug} {trap_names} {interruptible}", target.memory);
    toolchain::digest([wasm, tool.as_bytes(), options.as_bytes(), compiler.as_bytes()])
}

fn stamp(plan: &BuildPlan, target: &Target) -> PathBuf {
    target.folder.join(format!(".{}.stamp", plan.module))
}

fn write_stamp(plan: &BuildPlan, target: &Target, key: &str, sizes: Sizes) -> Result<()> {
    let made = made(&target.mpy(&plan.module))?;
    let Sizes { text, rodata, bss, objects } = sizes;
    let text = format!("{key} {text} {rodata} {bss} {objects} {made}\n");
    toolchain::write_file(&stamp(plan, target), text.as_bytes())
}

/// A digest of a module and the files beside it, so that one that was damaged is made again.
fn made(mpy: &Path) -> Result<String> {
    // Without debug information, there are no symbols.
    let symbols = std::fs::read(symbols::path(mpy)).unwrap_or_default();
    let stub = toolchain::read_file(&mpy.with_extension("pyi"))?;
    Ok(toolchain::digest([toolchain::read_file(mpy)?, stub, symbols]))
}

/// Writes the symbols of a module beside it, or removes those of an earlier one.
fn write_symbols(mpy: &Path, image: &Image) -> Result<()> {
    let path = symbols::path(mpy);
    match &image.symbols {
        Some(found) => toolchain::write_file(&path, &found.elf(&symbols::id(&image.bytes))),
        None if path.exists() => {
            std::fs::remove_file(&path).map_err(|error| toolchain::io_error("remove", &path, &error))
        }
        None => Ok(()),
    }
}

/// The result that is there already, when it was made from the same.
fn up_to_date(plan: &BuildPlan, target: &Target, key: &str) -> Option<Built> {
    let mpy = target.mpy(&plan.module);
    let file_size = mpy.metadata().ok()?.len();
    let text = std::fs::read_to_string(stamp(plan, target)).ok()?;
    let (old, sizes) = text.trim().split_once(' ')?;
    let (sizes, digest) = sizes.rsplit_once(' ')?;
    let mut numbers = sizes.split(' ').map_while(|number| number.parse().ok());
    let mut next = || numbers.next();
    let sizes = Sizes { text: next()?, rodata: next()?, bss: next()?, objects: next()? };
    let (target, time) = (target.clone(), Duration::ZERO);
    let built = Built { target, mpy, sizes, file_size, fresh: true, time, map: Vec::new() };
    (old == key && made(&built.mpy).is_ok_and(|made| made == digest)).then_some(built)
}

fn label(target: &Target) -> String {
    if target.boards.is_empty() {
        return target.arch.name.clone();
    }
    format!("{} ({})", target.arch.name, target.boards.join(", "))
}

/// Tells tools of a module, as a line of JSON.
fn artifact(plan: &BuildPlan, built: &Built) {
    let Sizes { text, rodata, bss, objects } = built.sizes;
    ui::message(&Message::MpyArtifact(Artifact {
        schema: messages::SCHEMA,
        module: &plan.module,
        arch: &built.target.arch.name,
        boards: &built.target.boards,
        memory: plan.memory_of(&built.target).word(),
        mpy: built.mpy.clone(),
        stub: built.mpy.with_extension("pyi"),
        file_size: built.file_size,
        sizes: messages::Sizes { text, rodata, bss, objects },
        fresh: built.fresh,
    }));
}

/// Says what was built, and hands it on.
fn report(plan: &BuildPlan, built: Vec<Built>, start: Instant) -> Vec<Built> {
    built.iter().for_each(|one| artifact(plan, one));
    let here = std::env::current_dir().unwrap_or_default();
    let has_objects = built.iter().any(|one| one.sizes.objects > 0);
    let row = |cells: [String; 7]| -> Vec<String> {
        let [file, bytes, text, rodata, bss, rom, time] = cells;
        [file, bytes, text, rodata, bss].into_iter().chain(has_objects.then_some(rom)).chain([time]).collect()
    };
    let mut rows = vec![row(["", "bytes", "text", "rodata", "bss", "ROM", "time"].map(str::to_owned))];
    for Built { mpy, sizes, file_size, fresh, time, .. } in &built {
        let shown = mpy.strip_prefix(&here).unwrap_or(mpy).display().to_string();
        let time = if *fresh { "fresh".to_owned() } else { format!("{:.2} s", time.as_secs_f64()) };
        let Sizes { text, rodata, bss, objects } = sizes;
        let [text, rodata, bss, rom] = [text, rodata, bss, objects].map(u32::to_string);
        rows.push(row([shown, file_size.to_string(), text, rodata, bss, rom, time]));
    }
    let words: Vec<String> = plan.targets.iter().map(label).collect();
    let targets = if words.len() > 3 { format!("{} targets", words.len()) } else { words.join(", ") };
    let choose = if plan.by_default { "; `--board NAME` chooses another" } else { "" };
    let seconds = start.elapsed().as_secs_f64();
    ui::status("Built", format_args!("{} for {} in {seconds:.2} s{choose}", plan.module, targets));
    ui::figures(&rows);
    built
}
