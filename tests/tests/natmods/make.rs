//! Makes the modules: a tree that looks like MicroPython's, for each architecture.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cargo_mpy::toolchain::{assembler_plugin, cc, digest, identity, micropython, which};
use serde::{Deserialize, Serialize};
use target_specs::Board;
use tests::{kept, programs};

/// The modules, by folder. The last one needs more of a C library, and parts that Debian's source of MicroPython lacks.
const MODULES: [&str; 11] = [
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
    "btree",
];

/// The modules that can be made of this source for an architecture.
fn made_of(source: &Path, variant: &Variant) -> impl Iterator<Item = &'static str> {
    let has_btree = !variant.lacks_libc && source.join("lib/berkeley-db-1.xx/btree/bt_open.c").is_file();
    MODULES.into_iter().filter(move |name| *name != "btree" || has_btree)
}

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
    // Later makefiles ask for cross compilers here.
    Variant { arch: "x64", make: &["CROSS="], lacks_libc: false },
    Variant { arch: "x86", make: &["CROSS=", "CFLAGS_EXTRA=-m32"], lacks_libc: false },
    Variant { arch: "armv6m", make: &[], lacks_libc: false },
    Variant { arch: "armv7m", make: &[], lacks_libc: false },
    Variant { arch: "armv7emsp", make: &[], lacks_libc: false },
    Variant { arch: "armv7emdp", make: &[], lacks_libc: false },
    Variant { arch: "rv32imc", make: &[], lacks_libc: false },
    Variant {
        arch: "rv64imc",
        // `re` allows itself 2048 bytes of stack. GCC 12 needs more for its tests, as it saves all registers, whoever links.
        make: &["CFLAGS_EXTRA=-ffixed-s8 -ffixed-s9 -ffixed-s10 -ffixed-s11"],
        lacks_libc: false,
    },
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

/// Whether MicroPython's makefiles know the board's architecture: RV64 only those of 1.28 and later do, which load its code.
pub fn is_known(board: &Board) -> bool {
    let makefile = || {
        let source = micropython::source(&|_| {}).ok()?;
        fs::read_to_string(source.join("py/dynruntime.mk")).ok()
    };
    let is_in = |text: String| text.contains(&format!("($(ARCH),{})", board.arch));
    VARIANTS.iter().any(|variant| variant.arch == board.arch)
        && (board.arch != "rv64imc" || makefile().is_some_and(is_in))
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
    lay(&source, &tree, variant).map_err(text)?;
    let compiler = tree.join("mpy-cross/build/mpy-cross");
    fs::create_dir_all(compiler.parent().expect("a folder")).map_err(text)?;
    symlink(mpy_cross(&source)?, &compiler).map_err(text)?;

    let mut common = vec![format!("ARCH={arch}"), "LINK_RUNTIME=1".to_owned()];
    // Where no hardware has floats MicroPython's makefiles leave them out unless they are told that the
    // firmware has some, and the boards' has.
    if ["armv6m", "armv7m", "rv32imc", "rv64imc", "xtensa"].contains(&arch) {
        common.push("MICROPY_FLOAT_IMPL=float".to_owned());
    }
    let libc = tree.join("libc");
    common.extend(variant.make.iter().map(|word| word.replace("$(LIBC)", &libc.display().to_string())));
    let mut environment = Vec::new();
    if variant.lacks_libc {
        common.extend(stand_in(arch, &tree, &libc, &mut environment)?);
    }

    let mut modules = Vec::new();
    for name in made_of(&source, variant) {
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
fn lay(source: &Path, tree: &Path, variant: &Variant) -> std::io::Result<()> {
    fs::create_dir_all(tree.join("tests"))?;
    for folder in ["py", "extmod", "shared", "lib", "tools", "ports", "tests/extmod", "tests/feature_check"] {
        symlink(source.join(folder), tree.join(folder))?;
    }
    for name in ["run-natmodtests.py", "run-tests.py", "test_utils.py"] {
        let from = source.join("tests").join(name);
        if from.is_file() {
            fs::copy(from, tree.join("tests").join(name))?;
        }
    }
    for name in made_of(source, variant) {
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
        let compiler = which("cc").ok_or("`cc` is missing")?;
        let key = digest([&*source.to_string_lossy(), &identity(&compiler), "mpy-cross"]);
        programs::kept(&key, |build| {
            let mut make = clean_make();
            make.arg("-j2").arg("-C").arg(source.join("mpy-cross")).arg("CFLAGS_EXTRA=-Wno-error");
            say(make.arg(format!("BUILD={}", build.display())))?;
            Ok(build.join("mpy-cross"))
        })
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
    for (name, data) in compiler.runtime(&[], "-Os", &include).map_err(text)?.iter() {
        // The firmware's are called.
        if ["memset", "memmove", "memcpy"].iter().any(|function| name.starts_with(function)) {
            continue;
        }
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
    let words = line[link.len()..].split_whitespace();
    let link = words.map(|word| word.trim_matches('"').to_owned()).collect();
    Ok(Module { name: name.to_owned(), mpy, link, folder: folder.to_owned() })
}
