//! Compiles C to objects: finds the compiler and chooses its flags.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use mpy_link::{Input, InputKind};
use target_specs::{Arch, Compiler, Diagnostic, Place, Result};
use wasm_to_c::{Frames, UNBOUNDED};

use super::{
    answer_of, assembler_plugin, cache_dir, capture_within, digest, identity, objects, read_file, which,
    write_file,
};

/// Flags of every compilation besides [`wasm_to_c::C_FLAGS`], which preserve the meaning of the WebAssembly code. The
/// linker can remove unused sections, and an object contains only code and data.
const FLAGS: &[&str] = &[
    "-std=gnu11",
    // The compiler's own headers are sufficient, since a cross compiler may come without a C library. Its knowledge of
    // memcpy and similar functions still applies.
    "-ffreestanding",
    "-fbuiltin",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-common",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    "-fno-exceptions",
    "-fno-ident",
    "-fvisibility=default",
    "-fomit-frame-pointer",
    "-w",
];

/// Flags that only GCC has.
const GCC_FLAGS: &[&str] = &[
    // A loop that copies must not become a call of memcpy, especially not in memcpy itself.
    "-fno-tree-loop-distribute-patterns",
];

/// Flags of GCC for code that should be fast.
const SPEED_FLAGS: &[&str] = &[
    // LLVM has decided what to inline. A loop has more registers if the function around it is not part of a larger one.
    "-fno-inline-functions-called-once",
];

/// Flags that add debug information. None changes the code, but that of Xtensa: its assembler aligns the targets of branches, and
/// does it otherwise where there are more labels.
pub const DEBUG_FLAGS: &[&str] = &[
    "-g",
    // Columns would be those of the generated C.
    "-gno-column-info",
    // An extension of location lists that few programs read.
    "-gno-variable-location-views",
];

/// Variables that add include folders. The code needs only our headers and those of the compiler.
const MORE_HEADERS: [&str; 2] = ["CPATH", "C_INCLUDE_PATH"];

/// The oldest compiler versions that the tests use.
const TESTED_GCC: u32 = 12;
const TESTED_CLANG: u32 = 14;

/// The environment variable that chooses the C compiler, among those of the architecture.
const VARIABLE: &str = "CARGO_MPY_CC";

/// Programs that run the compiler that follows them, and keep its output or run it elsewhere.
const LAUNCHERS: [&str; 5] = ["ccache", "sccache", "distcc", "icecc", "buildcache"];

/// The environment variable with the time limit of a compilation in seconds; 0 for no limit.
const TIME_LIMIT: &str = "CARGO_MPY_CC_TIMEOUT";
/// The default is enough for the largest modules that fit on boards, on slow and busy machines.
const USUAL_TIME_LIMIT: Duration = Duration::from_secs(600);

fn time_limit() -> Result<Option<Duration>> {
    let Some(text) = std::env::var_os(TIME_LIMIT).filter(|text| !text.is_empty()) else {
        return Ok(Some(USUAL_TIME_LIMIT));
    };
    let text = text.to_string_lossy();
    match text.parse() {
        Ok(0) => Ok(None),
        Ok(seconds) => Ok(Some(Duration::from_secs(seconds))),
        Err(_) => Err(Diagnostic::new("bad-value", format!("{TIME_LIMIT} is `{text}`"))
            .help("set it to a number of seconds, or to 0 for no limit")),
    }
}

/// The objects of the runtime: their names and contents.
pub type Runtime = Arc<[(String, Vec<u8>)]>;

/// A C compiler for one architecture.
#[derive(Debug, Clone)]
pub struct CCompiler {
    program: PathBuf,
    /// The program that compiles by it, if there is one.
    launcher: Option<PathBuf>,
    /// Flags that the user gave with the program.
    arguments: Vec<String>,
    facts: Compiler,
}

/// Finds a compiler for `arch`: the one that `CARGO_MPY_CC` names, otherwise the first of its list that is on `PATH`.
///
/// # Errors
/// `missing-compiler`, with what to install; `bad-value` for `CARGO_MPY_CC`.
pub fn find(arch: &Arch) -> Result<CCompiler> {
    match std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) {
        Some(value) => chosen(arch, &value.to_string_lossy()),
        None => find_one(arch, &|_| true),
    }
}

/// The compiler for `arch` that `CARGO_MPY_CC` names: a launcher, a path or a name, and arguments. All but one of the first two
/// can be missing.
fn chosen(arch: &Arch, value: &str) -> Result<CCompiler> {
    let wrong = |code, what: String| {
        Err(Diagnostic::new(code, format!("{VARIABLE} is `{value}`: {what}")).help(format!(
            "set it to the name or path of a C compiler for {} ({}), with arguments if it needs some, or to nothing",
            arch.name, arch.title
        )))
    };
    // A path may contain spaces.
    let words = if Path::new(value).is_file() { Some(vec![value.to_owned()]) } else { words(value) };
    let Some((mut name, mut arguments)) = words.as_deref().and_then(<[String]>::split_first) else {
        return wrong("bad-value", "it has a quote that does not end, or no word".to_owned());
    };
    let program_of = |name: &str| {
        let path = Path::new(name);
        let has_folder = path.components().count() > 1;
        if has_folder { Some(path.to_owned()).filter(|path| path.is_file()) } else { which(name) }
    };
    let no_program = |name: &str| wrong("missing-compiler", format!("there is no program `{name}`"));
    let Some(mut program) = program_of(name) else { return no_program(name) };
    let mut launcher = None;
    if LAUNCHERS.iter().any(|known| program.file_stem().is_some_and(|stem| stem == *known)) {
        let Some((compiler, rest)) = arguments.split_first() else {
            return Ok(CCompiler { launcher: Some(program), ..find_one(arch, &|_| true)? });
        };
        (name, arguments) = (compiler, rest);
        launcher = Some(program);
        program = match program_of(name) {
            Some(program) => program,
            None => return no_program(name),
        };
    }
    let stem = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    // With a version at the end, too: `clang-16`.
    let is_called = |command: &String| {
        stem.strip_prefix(command.as_str())
            .is_some_and(|rest| rest.trim_start_matches('-').chars().all(|c| c.is_ascii_digit() || c == '.'))
    };
    let calls_it = |facts: &&Compiler| facts.commands.iter().any(is_called);
    let is_known =
        target_specs::archs().iter().flat_map(|arch| &arch.compilers).any(|facts| calls_it(&facts));
    // A program of another name is what its name contains.
    let is_clang = stem.contains("clang");
    let mut facts = arch.compilers.iter();
    let facts = match is_known {
        true => facts.find(calls_it),
        false => facts.find(|facts| facts.clang == is_clang),
    };
    match facts {
        Some(facts) => {
            Ok(CCompiler { program, launcher, arguments: arguments.to_vec(), facts: facts.clone() })
        }
        None => wrong("missing-compiler", format!("it does not compile for {}", arch.name)),
    }
}

/// The words of a command line. Quotes of both kinds may contain spaces. `None` if one does not end.
fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// The compiler for `arch` that has this name.
///
/// # Errors
/// `missing-compiler`, with what to install.
pub fn find_named(arch: &Arch, name: &str) -> Result<CCompiler> {
    find_one(arch, &|command| command == name)
}

fn find_one(arch: &Arch, is_wanted: &dyn Fn(&str) -> bool) -> Result<CCompiler> {
    let known = arch.compilers.iter().flat_map(|facts| facts.commands.iter().map(move |name| (facts, name)));
    let wanted = || known.clone().filter(|(_, name)| is_wanted(name));
    for (facts, name) in wanted() {
        if let Some(program) = which(name) {
            return Ok(CCompiler { program, launcher: None, arguments: Vec::new(), facts: facts.clone() });
        }
    }
    let mut names: Vec<&str> = wanted().map(|(_, name)| name.as_str()).collect();
    if names.is_empty() {
        names = known.map(|(_, name)| name.as_str()).collect();
    }
    Err(Diagnostic::new(
        "missing-compiler",
        format!("no C compiler for {} ({}) found", arch.name, arch.title),
    )
    .help(format!("{}; looked for {}", install_help(&arch.compilers), names.join(", "))))
}

fn install_help(compilers: &[Compiler]) -> String {
    let packages: Vec<(&str, &str)> = compilers
        .iter()
        .flat_map(|compiler| &compiler.packages)
        .map(|(manager, package)| (manager.as_str(), package.as_str()))
        .collect();
    super::install_help(&packages)
}

fn is_for_speed(optimisation: &str) -> bool {
    ["-O2", "-O3"].contains(&optimisation)
}

impl CCompiler {
    /// The path of the compiler.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Flags that only make code faster, at a level of optimisation.
    pub fn tuning(&self, optimisation: &str) -> impl Iterator<Item = &str> {
        let more = if !self.facts.clang && is_for_speed(optimisation) { SPEED_FLAGS } else { &[] };
        self.facts.tuning.iter().map(String::as_str).chain(more.iter().copied())
    }

    /// More of them, for code that has native addresses and cannot be interrupted.
    pub fn direct_tuning(&self, optimisation: &str) -> &[String] {
        if is_for_speed(optimisation) { &self.facts.direct_tuning } else { &[] }
    }

    /// A text that changes when the compiler or its flags change.
    pub fn identity(&self, target_flags: &[String], optimisation: &str) -> String {
        let flags = [&self.arguments[..], &self.facts.flags, target_flags].concat().join(" ");
        let tuning: Vec<&str> = self.tuning(optimisation).collect();
        format!(
            "{} {flags} {} {optimisation} {}",
            identity(&self.program),
            tuning.join(" "),
            [FLAGS, wasm_to_c::C_FLAGS].concat().join(" ")
        )
    }

    /// The flags and the environment of a compilation, without the file.
    fn request(&self, target_flags: &[String], optimisation: &str) -> Result<Command> {
        let mut command = Command::new(self.launcher.as_ref().unwrap_or(&self.program));
        command.args(self.launcher.is_some().then_some(&self.program));
        command.args(&self.arguments).args(&self.facts.flags).args(self.tuning(optimisation));
        command.args(target_flags).arg(optimisation);
        command.args(FLAGS).args(if self.facts.clang { &[][..] } else { GCC_FLAGS }).args(wasm_to_c::C_FLAGS);
        for name in MORE_HEADERS {
            command.env_remove(name);
        }
        if self.facts.assembler_plugin {
            let plugin =
                assembler_plugin::build(&self.program, &|what| crate::ui::status("Preparing", what))?;
            command.env(assembler_plugin::VARIABLE, plugin);
        } else if assembler_plugin::is_for_another(&self.program) {
            command.env_remove(assembler_plugin::VARIABLE);
        }
        Ok(command)
    }

    /// Compiles generated C, or copies the object from the cache if the same C was compiled before. An error in the C
    /// is a bug of this program.
    ///
    /// # Errors
    /// `internal-c` for errors in the generated C and `compiler-failed` for others, with the path of a log.
    pub fn compile(
        &self,
        source: &Path,
        object: &Path,
        target_flags: &[String],
        optimisation: &str,
        includes: &[&Path],
    ) -> Result<()> {
        let request = self.request(target_flags, optimisation)?;
        self.made(&request, source, object, includes, None)
    }

    /// Like [`CCompiler::compile`]; returns the stack frames of the functions.
    ///
    /// # Errors
    /// Those of [`CCompiler::compile`].
    pub fn compile_measured(
        &self,
        source: &Path,
        object: &Path,
        target_flags: &[String],
        optimisation: &str,
        includes: &[&Path],
    ) -> Result<Frames> {
        let mut request = self.request(target_flags, optimisation)?;
        request.arg("-fstack-usage");
        let report = object.with_extension("su");
        self.made(&request, source, object, includes, Some(&report))?;
        Ok(frames(&String::from_utf8_lossy(&read_file(&report)?)))
    }

    /// Copies the object and the compiler's report from the cache, if both are there. Otherwise compiles.
    fn made(
        &self,
        request: &Command,
        source: &Path,
        object: &Path,
        includes: &[&Path],
        report: Option<&Path>,
    ) -> Result<()> {
        let key = objects::key(request, source, includes)?;
        let files: Vec<(&Path, Option<String>)> = std::iter::once((object, key.clone()))
            .chain(report.map(|report| (report, key.map(|key| digest([key.as_str(), "report"])))))
            .collect();
        let known = files.iter().map(|(file, key)| Some((*file, objects::find(key.as_deref()?)?)));
        if let Some(known) = known.collect::<Option<Vec<_>>>() {
            crate::ui::verbose(
                "Reusing",
                format_args!("an object that `{}` was compiled to", source.display()),
            );
            return known.into_iter().try_for_each(|(file, data)| write_file(file, &data));
        }
        self.compile_anew(request, source, object, includes)?;
        for (file, key) in files {
            if let Some(key) = key {
                objects::keep(&key, &read_file(file)?);
            }
        }
        Ok(())
    }

    fn compile_anew(
        &self,
        request: &Command,
        source: &Path,
        object: &Path,
        includes: &[&Path],
    ) -> Result<()> {
        let mut command = invocation(request, includes)?;
        command.arg("-c").arg(source).arg("-o").arg(object);
        let limit = time_limit()?;
        let Some(output) = capture_within(&mut command, limit)? else {
            let _ = std::fs::remove_file(object);
            return Err(self.timed_out(source, limit.unwrap_or_default()));
        };
        if output.status.success() {
            return Ok(());
        }
        let log = object.with_extension("log");
        let text = [super::shown(&command).as_bytes(), b"\n", &output.stderr, &output.stdout].concat();
        write_file(&log, &text)?;
        let at = Place::File { path: log, line: 0, column: 0 };
        let version = super::version_of(&self.program);
        let folders: Vec<&Path> = source.parent().into_iter().chain(includes.iter().copied()).collect();
        let refusal = refusal(&String::from_utf8_lossy(&output.stderr), &folders);
        let (name, tested) = if self.facts.clang { ("clang", TESTED_CLANG) } else { ("GCC", TESTED_GCC) };
        let is_old = super::version_number(&version).is_some_and(|(major, _)| major < tested);
        Err(match refusal {
            Some(first) if output.status.code().is_some() && !is_old => Diagnostic::new(
                "internal-c",
                format!("the C compiler refused generated code: {first}"),
            )
            .help(format!(
                "this is a bug of cargo-mpy; please report it with the log and the output of `--emit c`. The \
                         compiler is {version}"
            )),
            refusal => {
                let program = self.program.file_name().unwrap_or_default().to_string_lossy();
                let why = match (output.status.code(), refusal) {
                    (Some(_), Some(first)) => format!("refused generated code: {first}"),
                    _ => format!("failed ({})", output.status),
                };
                let old = match is_old {
                    true => format!(", which is older than {name} {tested}, the oldest that is tested"),
                    false => String::new(),
                };
                Diagnostic::new("compiler-failed", format!("the C compiler `{program}` {why}")).help(format!(
                    "it is {version}{old}; another one can be named in {VARIABLE}. It said\n    {}",
                    super::tail(&output)
                ))
            }
        }
        .at(at))
    }

    fn timed_out(&self, source: &Path, limit: Duration) -> Diagnostic {
        let program = self.program.file_name().unwrap_or_default().to_string_lossy();
        let message = format!("the C compiler `{program}` took longer than {} s", limit.as_secs());
        Diagnostic::new("compiler-timeout", message)
            .at(Place::File { path: source.to_owned(), line: 0, column: 0 })
            .help(format!(
                "it is {}. Functions with thousands of locals or values take it very long: divide them, or set \
                 {TIME_LIMIT} to more seconds",
                super::version_of(&self.program)
            ))
    }

    /// The compiler's library of helper functions (libgcc), if its code fits the architecture.
    ///
    /// # Errors
    /// If the compiler names a library that does not exist.
    pub fn library(&self, target_flags: &[String]) -> Result<Option<(String, Vec<u8>)>> {
        if !self.facts.runtime_library {
            return Ok(None);
        }
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).args(&self.facts.flags).args(target_flags);
        command.args(&self.facts.library_flags);
        command.arg("-print-libgcc-file-name");
        let path = PathBuf::from(answer_of(&mut command)?.trim());
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Some((name, read_file(&path)?)))
    }

    /// The register for the address of a module's state, if its code stays in flash.
    ///
    /// # Errors
    /// `no-code-in-flash` if this compiler makes no such code.
    pub fn flash_register(&self) -> Result<&str> {
        self.facts.flash_register.as_deref().ok_or_else(|| {
            Diagnostic::new("no-code-in-flash", "code that stays in flash needs GCC")
                .at(Place::Item(self.program.display().to_string()))
                .help("leave out `code`, or choose GCC as the compiler")
        })
    }

    /// The objects of the runtime. They are compiled once and kept in the cache; this process also remembers them. The
    /// folder `include` contains [`c_runtime::HEADERS`].
    ///
    /// # Errors
    /// Those of [`CCompiler::compile`].
    pub fn runtime(&self, target_flags: &[String], optimisation: &str, include: &Path) -> Result<Runtime> {
        static KNOWN: Mutex<BTreeMap<String, Runtime>> = Mutex::new(BTreeMap::new());
        let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = self.identity(target_flags, optimisation);
        if let Some(objects) = known().get(&identity) {
            return Ok(Arc::clone(objects));
        }
        let objects = self.compile_runtime(target_flags, optimisation, include)?;
        known().insert(identity, Arc::clone(&objects));
        Ok(objects)
    }

    fn compile_runtime(
        &self,
        target_flags: &[String],
        optimisation: &str,
        include: &Path,
    ) -> Result<Runtime> {
        // If no library comes with the compiler, the helper functions are ours as well.
        let helpers = if self.facts.runtime_library { &[] } else { c_runtime::COMPILER_HELPERS };
        let abi = if self.facts.runtime_library { &[] } else { c_runtime::ABI_HELPERS };
        let io = |error: std::io::Error| super::io_error("create", &std::env::temp_dir(), &error);
        let folder = tempfile::tempdir().map_err(io)?;
        let object = |(name, text): &c_runtime::File| {
            let source = folder.path().join(name);
            let object = source.with_extension("o");
            write_file(&source, text.as_bytes())?;
            self.compile(&source, &object, target_flags, optimisation, &[include])?;
            Ok(((*name).to_owned(), read_file(&object)?))
        };
        c_runtime::SOURCES.iter().chain(helpers).chain(abi).map(object).collect()
    }
}

/// Links an object with what it needs of `runtime` and of the compiler's `library`.
///
/// # Errors
/// `io`, and those of `link`.
pub fn linked<T>(
    object: &Path,
    runtime: &[(String, Vec<u8>)],
    library: &Option<(String, Vec<u8>)>,
    link: impl FnOnce(&[Input]) -> Result<T>,
) -> Result<T> {
    let name = object.file_name().unwrap_or_default().to_string_lossy();
    let data = read_file(object)?;
    let mut inputs = vec![Input { name: &name, kind: InputKind::Object, data: &data }];
    let lazy = runtime.iter().chain(library);
    inputs.extend(lazy.map(|(name, data)| Input { name, kind: InputKind::Lazy, data }));
    link(&inputs)
}

/// Parses the report of `-fstack-usage`. It has a line for each function: its place and name, the bytes of its frame,
/// and whether that number is constant. `dynamic,bounded` counts as constant: on x86, arguments are pushed. Parts and
/// copies of a function have its name with a suffix after a point. They may all be in use at the same time.
fn frames(text: &str) -> Frames {
    let mut frames = Frames::new();
    for line in text.lines() {
        let mut fields = line.split('\t');
        let (Some(place), Some(bytes), Some(kind)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let name = place.rsplit(':').next().unwrap_or_default().split('.').next().unwrap_or_default();
        let frame = frames.entry(name.to_owned()).or_insert(0);
        let bytes = if kind == "dynamic" { UNBOUNDED } else { bytes.parse().unwrap_or(UNBOUNDED) };
        *frame = frame.saturating_add(bytes);
    }
    frames
}

/// The first error in a file of these folders. Other errors concern the compiler itself: its options, its files, its
/// bugs.
fn refusal(said: &str, folders: &[&Path]) -> Option<String> {
    said.lines().find_map(|line| {
        let (place, error) = line.split_once(" error: ")?;
        let place = place.strip_suffix(" fatal").unwrap_or(place);
        // `path:line:column:`; the path may contain a colon.
        let path = Path::new(place.strip_suffix(':')?.rsplitn(3, ':').last()?);
        // Generated C may say that it is from a line of Rust.
        let is_ours = folders.iter().any(|folder| path.starts_with(folder))
            || path.extension().is_some_and(|end| end == "rs");
        let is_its_own = error.starts_with("internal compiler error")
            || error.ends_with("No such file or directory")
            || error.contains("file not found");
        (is_ours && !is_its_own).then(|| line.to_owned())
    })
}

/// The command that the crate `cc` makes of a request.
fn invocation(request: &Command, includes: &[&Path]) -> Result<Command> {
    // Clones share what `cc` finds out about a compiler by running it.
    static BASE: LazyLock<cc::Build> = LazyLock::new(|| {
        let mut build = cc::Build::new();
        build
            // All flags are ours, so `cc` needs a target only for its own purposes.
            .no_default_flags(true)
            .inherit_rustflags(false)
            .target("riscv32imc-unknown-none-elf")
            .host("riscv32imc-unknown-none-elf")
            .out_dir(cache_dir().join("cc"))
            .opt_level_str("s")
            .debug(false)
            .warnings(false)
            .cargo_metadata(false)
            .cargo_warnings(false);
        build
    });
    let scratch = cache_dir().join("cc");
    std::fs::create_dir_all(&scratch).map_err(|error| super::io_error("create", &scratch, &error))?;
    let mut build = BASE.clone();
    build.compiler(request.get_program()).flags(request.get_args()).includes(includes);
    let tool = build.try_get_compiler().map_err(|error| {
        let program = request.get_program().to_string_lossy();
        Diagnostic::new("missing-compiler", format!("cannot use `{program}`: {error}"))
    })?;
    // The command of `cc` contains the whole environment. What is shown and logged would contain secrets.
    let mut command = Command::new(tool.path());
    command.args(tool.args());
    for (name, value) in request.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Ok(command)
}

/// Removes the environment variables that would change the flags of C compilers. Only the plan decides on flags.
///
/// # Safety
/// No other thread may be running.
pub unsafe fn forget_environment() {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CFLAGS") || text.starts_with("CC_") || text.ends_with("_CFLAGS") {
            // SAFETY: the caller guarantees it.
            unsafe { std::env::remove_var(&name) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_both_compilers_are_read() {
        let text = "d/module.c:12:24:f_a\t120\tstatic\nd/module.c:12:24:f_a.part.0\t16\tdynamic,bounded\n\
                    C:\\d\\unit.c:7:f_b\t8\tstatic\nd/unit.c:9:f_c\t24\tdynamic\nnothing\n";
        let expected = [("f_a", 136), ("f_b", 8), ("f_c", UNBOUNDED)];
        assert_eq!(frames(text), expected.map(|(name, size)| (name.to_owned(), size)).into());
    }

    #[test]
    fn a_compiler_is_chosen_by_name_or_path_and_has_arguments() {
        let arch = target_specs::arch("armv6m").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("of mine");
        std::fs::create_dir(&bin).unwrap();
        for name in ["arm-none-eabi-gcc", "clang-99", "my-cc", "my-clang", "riscv64-unknown-elf-gcc"] {
            std::fs::write(bin.join(name), "").unwrap();
        }
        let path = |name: &str| bin.join(name).display().to_string();
        for (name, is_clang) in
            [("arm-none-eabi-gcc", false), ("clang-99", true), ("my-cc", false), ("my-clang", true)]
        {
            let path = path(name);
            for (value, arguments) in [
                (path.clone(), vec![]),
                (
                    format!("\"{path}\" -B '{path} x'  -g"),
                    vec!["-B".to_owned(), format!("{path} x"), "-g".to_owned()],
                ),
            ] {
                let compiler = chosen(arch, &value).unwrap();
                assert_eq!(compiler.program, Path::new(&path));
                assert_eq!((compiler.arguments, compiler.facts.clang), (arguments, is_clang), "{value}");
            }
        }
        let launcher = bin.join("ccache");
        std::fs::write(&launcher, "").unwrap();
        let compiler = chosen(arch, &format!("'{}' '{}' -g", launcher.display(), path("clang-99"))).unwrap();
        assert_eq!((&compiler.launcher, compiler.facts.clang), (&Some(launcher.clone()), true));
        let request = compiler.request(&[], "-Os").unwrap();
        assert_eq!(request.get_program(), launcher);
        let arguments: Vec<_> = request.get_args().take(2).map(|word| word.to_owned()).collect();
        assert_eq!(arguments, [path("clang-99").as_str(), "-g"]);
        if let Ok(usual) = find_one(arch, &|_| true) {
            let compiler = chosen(arch, &format!("'{}'", launcher.display())).unwrap();
            assert_eq!((compiler.launcher, compiler.program), (Some(launcher), usual.program));
        }
        assert_eq!(chosen(arch, &format!("'{}' none", path("ccache"))).unwrap_err().code, "missing-compiler");
        let refused = |value: &str| {
            let error = chosen(arch, value).unwrap_err();
            assert!(error.message.starts_with(&format!("CARGO_MPY_CC is `{value}`: ")), "{error}");
            error.code
        };
        assert_eq!(refused(&path("none")), "missing-compiler");
        assert_eq!(refused(&format!("'{}'", path("riscv64-unknown-elf-gcc"))), "missing-compiler");
        assert_eq!(refused("there-is-no-such-gcc -g"), "missing-compiler");
        assert_eq!((refused("'gcc"), refused(" ")), ("bad-value", "bad-value"));
    }

    #[test]
    fn every_architecture_compiles() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("unit.c");
        for (name, text) in c_runtime::HEADERS {
            write_file(&folder.path().join(name), text.as_bytes()).unwrap();
        }
        write_file(&source, b"#include \"mpy.h\"\nint f(int a) { return a / 3; }\n").unwrap();
        // Those that can be run here are those whose compilers are known to be complete.
        let run_here = |board: &String| target_specs::board(board).is_ok();
        for arch in target_specs::archs() {
            if !arch.test_board.as_ref().is_some_and(run_here) {
                continue;
            }
            let Ok(compiler) = find(arch) else {
                assert!(std::env::var_os("CI").is_none(), "no compiler for {}", arch.name);
                eprintln!("skipped: no compiler for {}", arch.name);
                continue;
            };
            let object = folder.path().join(format!("{}.o", arch.name));
            compiler.compile(&source, &object, &[], "-Os", &[folder.path()]).expect(&arch.name);
            assert!(read_file(&object).unwrap().starts_with(b"\x7fELF"), "{}", arch.name);
            assert_eq!(compiler.library(&[]).expect(&arch.name).is_some(), compiler.facts.runtime_library);
        }
    }

    #[test]
    fn refused_c_is_our_fault_and_leaves_a_log() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("unit.c");
        write_file(&source, b"int f(void) { return nothing; }\n").unwrap();
        let compilers = target_specs::archs().iter().find_map(|arch| find(arch).ok());
        let Some(compiler) = compilers else { return };
        let object = folder.path().join("unit.o");
        let error = compiler.compile(&source, &object, &[], "-Os", &[]).unwrap_err();
        assert_eq!(error.code, "internal-c");
        assert!(error.message.contains("nothing"), "{}", error.message);
        let log = std::fs::read_to_string(folder.path().join("unit.log")).unwrap();
        assert!(log.contains(" -c "));
        // Nor is what the environment has, of which PATH stands for all.
        assert!(!log.contains(&std::env::var("PATH").unwrap()), "{log}");
        assert!(!object.exists());
    }

    /// A program in the place of a compiler, which says something and ends so.
    #[cfg(unix)]
    fn fake(folder: &Path, script: &str) -> CCompiler {
        use std::os::unix::fs::PermissionsExt;
        let program = folder.join("fake-gcc");
        write_file(&program, format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let facts = target_specs::archs().iter().flat_map(|arch| &arch.compilers);
        let facts = facts.clone().find(|facts| !facts.clang && !facts.assembler_plugin).unwrap().clone();
        CCompiler { program, launcher: None, arguments: Vec::new(), facts }
    }

    #[cfg(unix)]
    #[test]
    fn a_compiler_that_fails_is_named_with_its_version_and_output() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("unit.c");
        write_file(&source, b"int f(void) { return 0; }\n").unwrap();
        let ours = source.display();
        let unit = |text: &str| format!("echo '{ours}:3:1: {text}' >&2; exit 1");
        let cases = [
            ("12.2.0", "kill -9 $$".to_owned(), "compiler-failed", "signal: 9"),
            ("12.2.0", "kill -SEGV $$".to_owned(), "compiler-failed", "signal: 11"),
            ("12.2.0", unit("internal compiler error: in x"), "compiler-failed", "exit status: 1"),
            ("12.2.0", unit("fatal error: stdint.h: No such file or directory"), "compiler-failed", "failed"),
            (
                "12.2.0",
                "echo 'gcc: error: unrecognized option' >&2; exit 1".into(),
                "compiler-failed",
                "failed",
            ),
            (
                "12.2.0",
                "echo '/tmp/cc.s:3: Error: bad opcode' >&2; exit 1".into(),
                "compiler-failed",
                "failed",
            ),
            ("12.2.0", "exit 1".into(), "compiler-failed", "failed"),
            ("4.8.5", unit("error: unknown type"), "compiler-failed", "refused generated code"),
            ("12.2.0", unit("error: unknown type"), "internal-c", "unknown type"),
            ("13.1.0", unit("fatal error: too deep"), "internal-c", "too deep"),
        ];
        for (version, script, code, message) in cases {
            // What it is asked before it compiles.
            let asked = format!(
                "case \"$*\" in\n--version) echo 'gcc (Some) {version}'; exit 0;;\n*-print-prog-name=*) echo as; \
                 exit 0;;\n*' -c '*) ;;\n*) exit 0;;\nesac\n"
            );
            let compiler = fake(folder.path(), &(asked + &script));
            let error =
                compiler.compile(&source, &folder.path().join("unit.o"), &[], "-Os", &[]).unwrap_err();
            let help = error.help.clone().unwrap_or_default();
            assert_eq!(error.code, code, "{script}: {error}");
            assert!(error.message.contains(message), "{script}: {error}");
            assert!(help.contains(version), "{script}: {error}");
            assert_eq!(help.contains("bug of cargo-mpy"), code == "internal-c", "{script}: {error}");
            assert!(matches!(error.at, Place::File { .. }));
        }
    }

    /// Whether a process is there. One that nobody waited for is not.
    #[cfg(target_os = "linux")]
    fn is_running(id: &str) -> bool {
        let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        state.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_compiler_that_takes_too_long_ends_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let children = folder.path().join("children");
        // As GCC, it starts a program that does the work; another one does not end when it is asked to.
        let script = format!(
            "[ \"$1\" != --version ] || exit 0; sleep 1000 & echo $! >> {0}; \
             (trap '' TERM; sleep 1001) & echo $! >> {0}; wait",
            children.display()
        );
        let compiler = fake(folder.path(), &script);
        let mut command = Command::new(&compiler.program);
        let output = capture_within(&mut command, Some(Duration::from_secs(2))).unwrap();
        assert!(output.is_none());
        let started = std::fs::read_to_string(&children).unwrap();
        assert_eq!(started.lines().count(), 2);
        // The system ends what was killed in its own time.
        while started.lines().any(is_running) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let error = compiler.timed_out(Path::new("unit.c"), Duration::from_secs(2));
        assert_eq!(error.code, "compiler-timeout");
        assert!(error.message.contains("`fake-gcc` took longer than 2 s"), "{error}");
    }

    #[test]
    fn the_identity_of_a_compiler_has_its_flags() {
        let facts = target_specs::archs()[0].compilers[0].clone();
        let compiler = CCompiler { program: "cc".into(), launcher: None, arguments: Vec::new(), facts };
        let plain = compiler.identity(&[], "-Os");
        assert_ne!(plain, compiler.identity(&[], "-O2"));
        assert_ne!(plain, compiler.identity(&["-m2".to_owned()], "-Os"));
        assert_eq!(plain, compiler.identity(&[], "-Os"));
    }
}
