//! Makes the modules: a tree that looks like MicroPython's, for each architecture.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cargo_mpy::toolchain::{assembler_plugin, cc, digest, micropython, which};
use serde::{Deserialize, Serialize};
use target_specs::Board;
use tests::kept;

/// The modules, by folder.
pub const MODULES: [&str; 10] = [
    "features0",
    "features1",
    "features2",
    "features3",
    "features4",
    "deflate",
    "framebuf",
    "heapq",
    "random",
    "re",
];

/// What one architecture's modules are made with beside MicroPython's own flags.
struct Variant {
    arch: &'static str,
    /// Arguments of `make`.
    make: &'static [&'static str],
    /// Its C library may be missing, and then the headers of the emulated boards' firmware stand in.
    lacks_libc: bool,
}

/// The architectures that `py/dynruntime.mk` knows and a board here runs.
static VARIANTS: &[Variant] = &[
    Variant { arch: "x64", make: &[], lacks_libc: false },
    Variant { arch: "x86", make: &[], lacks_libc: false },
    Variant { arch: "armv6m", make: &[], lacks_libc: false },
    Variant { arch: "armv7m", make: &[], lacks_libc: false },
    Variant { arch: "armv7emsp", make: &[], lacks_libc: false },
    Variant { arch: "armv7emdp", make: &[], lacks_libc: false },
    Variant { arch: "rv32imc", make: &[], lacks_libc: false },
    Variant {
        arch: "xtensa",
        make: &["CFLAGS_EXTRA=-isystem $(LIBC) -DMICROPY_USE_INTERNAL_ERRNO=1"],
        lacks_libc: true,
    },
    Variant {
        arch: "xtensawin",
        make: &[
            "CROSS=xtensa-lx106-elf-",
            "CFLAGS_EXTRA=-mabi=windowed -isystem $(LIBC) -DMICROPY_USE_INTERNAL_ERRNO=1",
        ],
        lacks_libc: true,
    },
];

/// Whether MicroPython's makefiles know the board's architecture.
pub fn is_known(board: &Board) -> bool {
    VARIANTS.iter().any(|variant| variant.arch == board.arch)
}

/// What is missing on this machine to make and test any of them.
pub fn missing() -> Option<String> {
    for program in ["make", "python3", "cc"] {
        if which(program).is_none() {
            return Some(format!("no {program}"));
        }
    }
    let packages = tests::tools::python();
    (!packages.is_dir()).then(|| "no Python packages".to_owned())
}

/// The modules of one architecture, made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Made {
    /// Looks like MicroPython's source tree.
    pub tree: PathBuf,
    pub modules: Vec<Module>,
    /// Arguments and environment of `make`.
    common: Vec<String>,
    environment: Vec<(String, PathBuf)>,
}

/// A module, made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Module {
    pub name: String,
    pub mpy: PathBuf,
    /// How it was linked: the words after `mpy link`, relative to `folder`.
    pub link: Vec<String>,
    pub folder: PathBuf,
}

/// Makes the modules of an architecture, once.
pub fn make(arch: &str) -> Result<Arc<Made>, String> {
    type Slot = Arc<OnceLock<Result<Arc<Made>, String>>>;
    static MADE: OnceLock<Mutex<HashMap<String, Slot>>> = OnceLock::new();
    let slot = {
        let mut made = MADE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(made.entry(arch.to_owned()).or_default())
    };
    slot.get_or_init(|| make_now(arch).map(Arc::new)).clone()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A digest of everything that modules of an architecture are made from: MicroPython, our linker, headers and compilers.
fn key(arch: &str, source: &Path) -> Result<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let compiler = cc::find(target_specs::arch(arch).map_err(text)?).map_err(text)?;
    let outside = [source, &tests::tools::python()].map(|path| path.display().to_string());
    let ours =
        ["cargo-mpy/src", "mpy-link/src", "target-specs", "c-runtime/include", "tests/tests/natmods/make.rs"];
    let ours = ours.map(|path| kept::digest_of(&root.join(path)));
    Ok(digest(outside.iter().chain(&ours).chain(&[compiler.identity(&[], "")])))
}

fn make_now(arch: &str) -> Result<Made, String> {
    let variant = VARIANTS.iter().find(|variant| variant.arch == arch).ok_or("an unknown architecture")?;
    let source = micropython::source(&|_| {}).map_err(text)?;
    let tree = Path::new(env!("CARGO_TARGET_TMPDIR")).join("natmods").join(arch);
    let (key, record) = (key(arch, &source)?, tree.join("made.json"));
    let known = fs::read(&record).ok().and_then(|data| serde_json::from_slice::<(String, Made)>(&data).ok());
    if let Some((known, made)) = known
        && known == key
        && !kept::fresh()
    {
        return Ok(made);
    }
    if tree.exists() {
        fs::remove_dir_all(&tree).map_err(text)?;
    }
    lay(&source, &tree).map_err(text)?;
    let compiler = tree.join("mpy-cross/build/mpy-cross");
    fs::create_dir_all(compiler.parent().expect("a folder")).map_err(text)?;
    symlink(mpy_cross(&source)?, &compiler).map_err(text)?;

    let mut common = vec![format!("ARCH={arch}"), "LINK_RUNTIME=1".to_owned()];
    // Where no hardware has floats MicroPython's makefiles leave them out unless they are told that the
    // firmware has some, and the boards' has.
    if ["armv6m", "armv7m", "rv32imc", "xtensa"].contains(&arch) {
        common.push("MICROPY_FLOAT_IMPL=float".to_owned());
    }
    let libc = tree.join("libc");
    common.extend(variant.make.iter().map(|word| word.replace("$(LIBC)", &libc.display().to_string())));
    let mut environment = Vec::new();
    if variant.lacks_libc {
        common.extend(stand_in(arch, &tree, &libc, &mut environment)?);
    }

    let mut modules = Vec::new();
    for name in MODULES {
        let folder = folder_of(&tree, name);
        modules.push(make_one(arch, name, &folder, &common, &environment)?);
    }
    let made = Made { tree, modules, common, environment };
    fs::write(record, serde_json::to_vec(&(key, &made)).map_err(text)?).map_err(text)?;
    Ok(made)
}

/// Makes a module of our own that is written as MicroPython's are, from `tests/natmods/NAME`.
pub fn hand_written(made: &Made, arch: &str, name: &str) -> Result<Module, String> {
    let folder = folder_of(&made.tree, name);
    fs::create_dir_all(&folder).map_err(text)?;
    for entry in
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("natmods").join(name)).map_err(text)?
    {
        let path = entry.map_err(text)?.path();
        fs::copy(&path, folder.join(path.file_name().expect("a name"))).map_err(text)?;
    }
    make_one(arch, &format!("native_{name}"), &folder, &made.common, &made.environment)
}

/// Lays out what the makefiles and the test runner look for, without writing to the source.
fn lay(source: &Path, tree: &Path) -> std::io::Result<()> {
    fs::create_dir_all(tree.join("tests"))?;
    for folder in ["py", "extmod", "shared", "lib", "tools", "ports", "tests/extmod", "tests/feature_check"] {
        symlink(source.join(folder), tree.join(folder))?;
    }
    fs::copy(source.join("tests/run-natmodtests.py"), tree.join("tests/run-natmodtests.py"))?;
    for name in MODULES {
        let (from, to) = (source.join("examples/natmod").join(name), folder_of(tree, name));
        fs::create_dir_all(&to)?;
        for entry in fs::read_dir(from)? {
            let path = entry?.path();
            if path.is_file() {
                fs::copy(&path, to.join(path.file_name().expect("a name")))?;
            }
        }
    }
    Ok(())
}

fn folder_of(tree: &Path, name: &str) -> PathBuf {
    tree.join("examples/natmod").join(name)
}

/// The bytecode compiler, which one module has a part for.
fn mpy_cross(source: &Path) -> Result<PathBuf, String> {
    static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    MADE.get_or_init(|| {
        let build = Path::new(env!("CARGO_TARGET_TMPDIR")).join("natmods/mpy-cross");
        let program = build.join("mpy-cross");
        if !program.is_file() {
            let mut make = clean_make();
            make.arg("-j2").arg("-C").arg(source.join("mpy-cross")).arg("CFLAGS_EXTRA=-Wno-error");
            say(make.arg(format!("BUILD={}", build.display())))?;
        }
        Ok(program)
    })
    .clone()
}

fn clean_make() -> Command {
    let mut make = Command::new("make");
    make.env_remove("MAKEFLAGS").env_remove("MFLAGS").env_remove("MAKELEVEL").arg("-s");
    make
}

/// Runs a command; what it said when it fails.
pub fn say(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    if output.status.success() { Ok(said) } else { Err(format!("{command:?}: {}\n{said}", output.status)) }
}

/// Headers and compiler helpers where the compiler has none: `make`'s arguments for them.
fn stand_in(
    arch: &str,
    tree: &Path,
    libc: &Path,
    environment: &mut Vec<(String, PathBuf)>,
) -> Result<Vec<String>, String> {
    for (name, text_) in target_specs::port_files() {
        if let Some(name) = name.strip_prefix("libc/") {
            let path = libc.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).map_err(text)?;
            fs::write(path, text_).map_err(text)?;
        }
    }
    let include = tree.join("include");
    fs::create_dir_all(&include).map_err(text)?;
    for (name, text_) in c_runtime::HEADERS {
        fs::write(include.join(name), text_).map_err(text)?;
    }
    let arch = target_specs::arch(arch).map_err(text)?;
    let compiler = cc::find(arch).map_err(text)?;
    let mut flags = String::new();
    for (name, data) in compiler.runtime(&[], "-Os", &include).map_err(text)? {
        let path = tree.join(name).with_extension("o");
        fs::write(&path, data).map_err(text)?;
        flags = format!("{flags} -l{}", path.display());
    }
    // The one function of a mathematical library that a module calls.
    let round = tree.join("roundf.o");
    compiler
        .compile(&tree.join("lib/libm/roundf.c"), &round, &[], "-Os", &[libc, &tree.join("lib/libm")])
        .map_err(text)?;
    flags = format!("{flags} -l{}", round.display());
    if arch.compilers.iter().any(|known| known.assembler_plugin) {
        let plugin = assembler_plugin::build(compiler.program(), &|_| {}).map_err(text)?;
        environment.push((assembler_plugin::VARIABLE.to_owned(), plugin));
    }
    Ok(vec!["LINK_RUNTIME=0".to_owned(), format!("MPY_LD_FLAGS={flags}")])
}

fn make_one(
    arch: &str,
    name: &str,
    folder: &Path,
    common: &[String],
    environment: &[(String, PathBuf)],
) -> Result<Module, String> {
    let this = std::env::current_exe().map_err(text)?;
    let link = format!("{} mpy link", this.display());
    let mut make = clean_make();
    make.current_dir(folder).args(common).arg(format!("MPY_LD={link}"));
    make.envs(environment.iter().map(|(name, value)| (name, value)));
    let words = make.get_args().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>();
    say(make.arg("V=1")).map_err(|said| format!("{name}: {said}"))?;

    // The same again, only said: how it was linked.
    let mut again = clean_make();
    again.current_dir(folder).args(["-n", "-B"]).args(words);
    again.envs(environment.iter().map(|(name, value)| (name, value)));
    let said = say(&mut again)?;
    let start = format!("{link} --arch {arch} --qstrs ");
    let line = said.lines().find(|line| line.starts_with(&start)).ok_or("it was not linked")?;
    let mpy = [name.to_owned(), format!("{name}_{arch}")].map(|stem| folder.join(format!("{stem}.mpy")));
    let mpy = mpy.into_iter().find(|path| path.is_file()).ok_or_else(|| format!("{name}: no module"))?;
    let link = line[link.len()..].split_whitespace().map(str::to_owned).collect();
    Ok(Module { name: name.to_owned(), mpy, link, folder: folder.to_owned() })
}
