//! MicroPython: its source, and the firmware of emulated boards.
//!
//! A firmware is built once and found by the hash of its recipe: the identity of the source, the files of the port, the
//! flags and the compiler. Incomplete builds never enter the cache.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use object::{Object as _, ObjectSymbol as _};
use target_specs::{Board, Compiler, Diagnostic, Emulator, Result};

use super::{
    Lock, answer_of, assembler_plugin, cache, cache_dir, cannot_start, digest, io_error, output_of,
    read_file, which, write_file,
};

/// The environment variable that names a release of MicroPython, a source tree, or a tarball of one.
const SOURCE_VARIABLE: &str = "CARGO_MPY_MICROPYTHON";

/// A release of MicroPython whose `.mpy` files are of version 6.3.
#[derive(Debug, PartialEq, Eq)]
pub struct Release {
    /// Its number, such as `1.25.0`.
    pub version: &'static str,
    /// Of the archive of its source.
    sha256: &'static str,
    /// The Debian release whose source package has the same version.
    debian: Option<&'static str>,
}

const fn release(version: &'static str, sha256: &'static str, debian: Option<&'static str>) -> Release {
    Release { version, sha256, debian }
}

/// The releases that firmware can be built of, from the first one that passes integers to modules correctly.
pub const RELEASES: [Release; 6] = [
    release("1.24.1", "5d624a0b23389134d963b204601db9bc4ca57bfb615d13f13592bc2b5b494c03", None),
    release("1.25.0", "9fe99ad5808e66bb40d374f5cad187c32c7d1c49cf47f72b38fd453c28c2aebe", Some("trixie")),
    release("1.26.1", "12be6514df6272c0fcb328122b534af6b12abdd52435c19f40ee1707cc43ac98", Some("forky")),
    release("1.27.0", "9874b20646c3bbe81d524f779a16875e5d088b7065e175ffd2aa2a02f50573c9", None),
    release("1.28.0", "4e43c59657b8da33b4bc503509a827cc3ea6cb66c446475c57776cf4467ba215", None),
    release("1.29.0", "d925a7c664e79a2bdf3dfcb285ba5e2237041cc35a0bd4ee573b6c5711efeca0", None),
];

/// The release that is built unless the user names another.
const DEFAULT: &Release = &RELEASES[1];

/// The release with this number.
fn release_of(version: &str) -> Option<&'static Release> {
    RELEASES.iter().find(|release| release.version == version)
}

/// An archive that several servers offer.
struct Archive<'a> {
    urls: &'a [&'a str],
    sha256: &'a str,
}

/// What firmware is built of.
enum Wanted {
    Release(&'static Release),
    /// A source tree or a tarball.
    Path(PathBuf),
}

/// What [`SOURCE_VARIABLE`] says.
fn wanted() -> Wanted {
    match std::env::var_os(SOURCE_VARIABLE).filter(|value| !value.is_empty()) {
        None => Wanted::Release(DEFAULT),
        Some(value) => match value.to_str().and_then(release_of) {
            Some(release) => Wanted::Release(release),
            None => Wanted::Path(PathBuf::from(value)),
        },
    }
}

/// A program that runs MicroPython: an ELF file for QEMU, or a program of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firmware {
    /// The board it is for, by name.
    pub board: String,
    /// The file.
    pub path: PathBuf,
}

/// A program that must be installed, and the package that brings it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The name of the missing program.
    pub program: String,
    /// The package that contains it, for the package manager of this machine, if known.
    pub package: Option<String>,
}

impl Firmware {
    /// The firmware of a board, if it is built.
    pub fn find(board: &Board) -> Option<Firmware> {
        let source = Source::find()?.checked().ok()?;
        let recipe = Recipe::new(board, &source)?;
        let path = recipe.file();
        cache::used(&recipe.folder());
        // A tree that the user named belongs to the user.
        if source.folder.starts_with(home()) {
            cache::used(&source.folder);
        }
        cache::is_whole(&path).then(|| Firmware { board: board.name.clone(), path })
    }

    fn bad(&self, why: &str) -> Diagnostic {
        Diagnostic::new("bad-firmware", format!("cannot use the firmware of `{}`: {why}", self.board))
            .help("`cargo mpy clean --cache` deletes it, so that it is built again")
    }

    /// Its functions: addresses, sizes and names, sorted.
    ///
    /// # Errors
    /// `io`, `bad-firmware`
    pub fn functions(&self) -> Result<Vec<(u64, u64, String)>> {
        let data = read_file(&self.path)?;
        let file = object::File::parse(&*data).map_err(|error| self.bad(&error.to_string()))?;
        let functions = file.symbols().filter(|symbol| symbol.kind() == object::SymbolKind::Text);
        // The lowest bit is that of Thumb; code begins at even addresses everywhere.
        let functions = functions.filter_map(|symbol| {
            Some((symbol.address() & !1, symbol.size(), symbol.name().ok()?.to_owned()))
        });
        let mut functions: Vec<_> = functions.filter(|(_, size, _)| *size > 0).collect();
        functions.sort();
        functions.dedup_by_key(|(address, ..)| *address);
        Ok(functions)
    }

    /// The addresses of these symbols.
    ///
    /// # Errors
    /// `io`, `bad-firmware` if one is not there.
    pub fn addresses<const N: usize>(&self, names: [&str; N]) -> Result<[u64; N]> {
        let data = read_file(&self.path)?;
        let file = object::File::parse(&*data).map_err(|error| self.bad(&error.to_string()))?;
        let mut found = [0; N];
        for (name, address) in names.iter().zip(&mut found) {
            let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name));
            *address = symbol.ok_or_else(|| self.bad(&format!("it lacks `{name}`")))?.address();
        }
        Ok(found)
    }

    /// The firmware of a board with user C modules in it: those in the folders that `modules` contains. It is built in
    /// `folder`, an absolute path, where a later call continues. `make` are more arguments for it.
    ///
    /// # Errors
    /// As [`Firmware::build`].
    pub fn with_user_modules(
        board: &Board,
        modules: &Path,
        folder: &Path,
        make: &[&str],
    ) -> Result<Firmware> {
        let source = Source::obtain(&|_| {})?;
        let mut recipe = Recipe::new(board, &source)
            .ok_or_else(|| Diagnostic::new("missing-tool", format!("no compiler for `{}`", board.name)))?;
        recipe.make.extend(make.iter().map(|argument| (*argument).to_owned()));
        create_dir(folder)?;
        let path = recipe.make_in(folder, Some(modules), &source, &folder.join("log"), &|_| {})?;
        recipe.write_library(&source, path.parent().unwrap_or(folder))?;
        Ok(Firmware { board: board.name.clone(), path })
    }

    /// The firmware of a board. It is built if necessary. `progress` is called often, with the current step.
    ///
    /// # Errors
    /// `no-emulator` for a board without an emulator, `missing-tool`, `no-micropython-source`, `firmware-failed` with
    /// the end of the log, `io`.
    pub fn build(board: &Board, progress: &dyn Fn(&str)) -> Result<Firmware> {
        if let Some(ready) = Firmware::find(board) {
            return Ok(ready);
        }
        if board.emulator.is_none() {
            let help = "boards that do: ".to_owned()
                + &emulated().map(|board| board.name.as_str()).collect::<Vec<_>>().join(", ");
            let message = format!("board `{}` does not run on this machine", board.name);
            return Err(Diagnostic::new("no-emulator", message).help(help));
        }
        let missing = missing_tools(board);
        if !missing.is_empty() {
            return Err(missing_diagnostic(board, &missing));
        }
        let source = Source::obtain(progress)?;
        let recipe = Recipe::new(board, &source)
            .ok_or_else(|| Diagnostic::new("missing-tool", format!("no compiler for `{}`", board.name)))?;
        let _lock = Lock::take(&home().join(format!("{}.lock", recipe.board.name)), || {})?;
        if !cache::is_whole(&recipe.file()) {
            cache::discard(&recipe.folder());
            recipe.make(&source, progress)?;
        }
        Ok(Firmware { board: board.name.clone(), path: recipe.file() })
    }
}

/// MicroPython's source tree. It is downloaded if necessary. It must not be written to.
///
/// # Errors
/// `no-micropython-source`, `missing-tool`, `tool-failed`, `io`.
pub fn source(progress: &dyn Fn(&str)) -> Result<PathBuf> {
    let folder = Source::obtain(progress)?.folder;
    folder.canonicalize().map_err(|error| io_error("read", &folder, &error))
}

/// The boards that have an emulator.
pub fn emulated() -> impl Iterator<Item = &'static Board> {
    target_specs::boards().iter().filter(|board| board.emulator.is_some())
}

/// What must be installed to build and run the board's firmware.
pub fn missing_tools(board: &Board) -> Vec<Package> {
    let manager = super::package_manager();
    let package = |name: &str| manager.filter(|m| !["brew", "winget"].contains(m)).map(|_| name.to_owned());
    let mut missing = Vec::new();
    let mut need = |program: &str, package: Option<String>| {
        if which(program).is_none() {
            missing.push(Package { program: program.to_owned(), package });
        }
    };
    let ready = Firmware::find(board).is_some();
    if !ready {
        need("make", package("make"));
        need("python3", package(if manager == Some("pacman") { "python" } else { "python3" }));
        need("tar", package("tar"));
        need("xz", package(if manager == Some("apt") { "xz-utils" } else { "xz" }));
    }
    match &board.emulator {
        Some(Emulator::Unix { host_flags, packages, .. }) if !ready => {
            need("cc", package("gcc"));
            if which("cc").is_some() && !host_compiler_works(host_flags) {
                let package = manager.and_then(|m| packages.get(m)).cloned();
                let program = format!("C library for `cc {}`", host_flags.join(" "));
                missing.push(Package { program, package });
            }
        }
        Some(Emulator::Unix { .. }) | None => {}
        Some(Emulator::Qemu { program, cross, packages, .. }) => {
            need(program, manager.and_then(|m| packages.get(m)).cloned());
            if !ready && cross_compiler(cross).is_none() {
                let program = format!("{}gcc", cross.first().map_or("", String::as_str));
                let package = target_specs::arch(&board.arch).ok().and_then(|arch| {
                    let compiler = arch.compilers.iter().find(|c| c.commands.contains(&program))?;
                    compiler.packages.get(manager?).cloned()
                });
                missing.push(Package { program, package });
            }
        }
    }
    missing
}

fn missing_diagnostic(board: &Board, missing: &[Package]) -> Diagnostic {
    let programs: Vec<&str> = missing.iter().map(|m| m.program.as_str()).collect();
    let packages: Vec<&str> = missing.iter().filter_map(|m| m.package.as_deref()).collect();
    let message = format!("board `{}` needs {}", board.name, programs.join(", "));
    let help = match super::package_manager() {
        Some(manager) if !packages.is_empty() => super::install_command(manager, &packages.join(" ")),
        _ => "install them with your system's package manager".to_owned(),
    };
    Diagnostic::new("missing-tool", message).help(help)
}

/// Whether the host's C compiler finds its C library with these flags.
fn host_compiler_works(flags: &[String]) -> bool {
    // The compiler prints only the name if it does not have the file.
    let start = Command::new("cc").args(flags).arg("-print-file-name=crt1.o").output();
    start.is_ok_and(|o| Path::new(String::from_utf8_lossy(&o.stdout).trim()).is_absolute())
}

fn cross_compiler(prefixes: &[String]) -> Option<&str> {
    prefixes.iter().map(String::as_str).find(|prefix| which(&format!("{prefix}gcc")).is_some())
}

/// The files of the port that this board's firmware is made of, so that a change for one processor does not rebuild the
/// firmware of others. These are the common files, the files that the board's makefile names, and the files that those
/// name.
fn port_files_of(board: &Board) -> Vec<(&'static str, &'static str)> {
    let is_shared = |name: &str| {
        let specific = ["boards/", "cpu_", "uart_"].iter().any(|start| name.starts_with(start));
        !specific && !name.ends_with(".s")
    };
    let own = format!("boards/{}.mk", board.name);
    let mut files: Vec<_> = target_specs::port_files()
        .iter()
        .filter(|(name, _)| *name == own || is_shared(name))
        .copied()
        .collect();
    loop {
        let named = |name: &str| {
            let name = name.rsplit('/').next().unwrap_or(name);
            files.iter().any(|(user, text)| !is_shared(user) && text.contains(name))
        };
        let more: Vec<_> = target_specs::port_files()
            .iter()
            .filter(|file| !files.contains(file) && named(file.0))
            .copied()
            .collect();
        if more.is_empty() {
            return files;
        }
        files.extend(more);
    }
}

/// The compiler that the architecture's data describes.
fn compiler_facts(board: &Board, program: &str) -> Option<&'static Compiler> {
    let arch = target_specs::arch(&board.arch).ok()?;
    arch.compilers.iter().find(|compiler| compiler.commands.iter().any(|name| name == program))
}

/// The sources that replace the compiler's library if it has none that fits, and the headers that they include.
fn helper_files() -> Vec<c_runtime::File> {
    let mut files = c_runtime::COMPILER_HELPERS.to_vec();
    let mut at = 0;
    // Headers include others.
    while let Some((_, text)) = files.get(at).copied() {
        let included = |name: &str| text.contains(&format!("\"{name}\""));
        let new = c_runtime::HEADERS.iter().filter(|file| included(file.0) && !files.contains(file));
        files.extend(new.copied().collect::<Vec<_>>());
        at += 1;
    }
    files
}

fn home() -> PathBuf {
    cache_dir().join("micropython")
}

/// An unpacked source tree of MicroPython.
struct Source {
    folder: PathBuf,
    /// An identity that depends on the contents only.
    identity: String,
}

impl Source {
    /// The source that the user named, otherwise the one in the cache.
    fn find() -> Option<Source> {
        let release = match wanted() {
            Wanted::Release(release) => release,
            Wanted::Path(path) if path.is_dir() => {
                let identity = tree_identity(&path);
                return Some(Source { folder: path, identity });
            }
            Wanted::Path(path) => {
                let identity = digest([fs::read(&path).ok()?]);
                let folder = home().join(format!("source-{identity}"));
                return folder.is_dir().then_some(Source { folder, identity });
            }
        };
        // Found by its origin.
        let of = |identity: String| {
            let folder = home().join(format!("source-{identity}"));
            let is_it = folder.is_dir() && !identity.is_empty();
            let source = is_it.then_some(Source { folder, identity })?;
            (source.version().as_deref() == Some(release.version)).then_some(source)
        };
        let named =
            |origin| of(fs::read_to_string(home().join(format!("source-{origin}"))).unwrap_or_default());
        // If the record of the name is damaged: the only source of this release in the cache.
        named(release.version).or_else(|| named(release.debian?)).or_else(|| {
            let entries = fs::read_dir(home()).ok()?.flatten();
            let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
            let mut sources = names.filter_map(|name| of(name.strip_prefix("source-")?.to_owned()));
            sources.next().filter(|_| sources.next().is_none())
        })
    }

    /// Whether the tree is unchanged since it was unpacked. A tree that the user named may change.
    fn is_whole(&self) -> bool {
        !self.folder.starts_with(home()) || cache::is_whole(&self.folder)
    }

    fn obtain(progress: &dyn Fn(&str)) -> Result<Source> {
        let _lock = Lock::take(&home().join("source.lock"), || {})?;
        if let Some(source) = Source::find() {
            if source.is_whole() {
                return source.checked();
            }
            cache::discard(&source.folder);
        }
        let temporary = temporary_folder()?;
        let (tarball, origin) = match wanted() {
            Wanted::Path(path) if !path.exists() => {
                return Err(no_source("there is no such release, file or folder".to_owned(), &path));
            }
            Wanted::Path(path) => (path, None),
            Wanted::Release(release) => {
                progress("fetching MicroPython's source");
                let (tarball, origin) = fetched(release, temporary.path())?;
                (tarball, Some(origin))
            }
        };
        let identity = digest([read_file(&tarball)?]);
        let folder = home().join(format!("source-{identity}"));
        if !folder.is_dir() {
            progress("unpacking MicroPython's source");
            let unpacked = temporary.path().join("source");
            create_dir(&unpacked)?;
            output_of(
                Command::new("tar")
                    .args(["--strip-components=1", "-xf"])
                    .arg(&tarball)
                    .arg("-C")
                    .arg(&unpacked),
            )?;
            fs::rename(&unpacked, &folder).map_err(|error| io_error("create", &folder, &error))?;
            cache::seal(&folder)?;
        }
        if let Some(origin) = origin {
            write_file(&home().join(format!("source-{origin}")), identity.as_bytes())?;
        }
        Source { folder, identity }.checked()
    }

    /// The number of the release, or of the one that a checkout becomes.
    fn version(&self) -> Option<String> {
        let text = fs::read_to_string(self.folder.join("py/mpconfig.h")).ok()?;
        let number = |name: &str| {
            let start = format!("#define MICROPY_VERSION_{name} ");
            text.lines().find_map(|line| line.strip_prefix(&start)).map(str::trim)
        };
        Some([number("MAJOR")?, number("MINOR")?, number("MICRO")?].join("."))
    }

    /// Refuses trees that are not MicroPython, that have a different native ABI, or that are too old.
    fn checked(self) -> Result<Source> {
        let header = self.folder.join("py/persistentcode.h");
        let text = fs::read_to_string(&header).unwrap_or_default();
        let number = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("#define {name} ")))?;
            line.trim().parse::<u8>().ok()
        };
        match (number("MPY_VERSION"), number("MPY_SUB_VERSION")) {
            (Some(6), Some(3)) => {
                let version = self.version().unwrap_or_default();
                let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
                let numbers = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
                // 1.23 has the same `.mpy` version, see `Facts` of connected boards.
                if numbers >= (1, 24) {
                    return Ok(self);
                }
                let message = format!("native modules need MicroPython 1.24 or later, this is {version}");
                Err(no_source(message, &self.folder))
            }
            (Some(version), Some(sub)) => {
                let message = format!("this MicroPython loads `.mpy` {version}.{sub}, and modules are 6.3");
                Err(no_source(message, &self.folder))
            }
            _ => Err(no_source("no MicroPython source tree".to_owned(), &self.folder)),
        }
    }
}

fn no_source(message: String, path: &Path) -> Diagnostic {
    let at = target_specs::Place::File { path: path.to_owned(), line: 0, column: 0 };
    let releases = RELEASES.each_ref().map(|release| release.version).join(", ");
    let help = format!(
        "set {SOURCE_VARIABLE} to a release ({releases}), or to a source tree or tarball of MicroPython 1.24 or later"
    );
    Diagnostic::new("no-micropython-source", message).at(at).help(help)
}

/// The parts of a checkout that firmware is made of.
fn tree_identity(root: &Path) -> String {
    let mut files = Vec::new();
    for part in ["py", "extmod", "shared", "lib/littlefs", "ports/unix"] {
        collect(&root.join(part), &mut files);
    }
    files.sort();
    digest(files.iter().map(|path| fs::read(path).unwrap_or_default()))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !entry.file_name().to_string_lossy().starts_with("build") {
            collect(&path, files);
        } else if path.is_file() {
            files.push(path);
        }
    }
}

/// Downloads MicroPython's source into a folder. Returns the tarball and its origin.
fn fetched(release: &'static Release, folder: &Path) -> Result<(PathBuf, &'static str)> {
    let file = format!("micropython-{}.tar.xz", release.version);
    let github = "https://github.com/micropython/micropython/releases/download";
    let urls = [
        format!("{github}/v{}/{file}", release.version),
        format!("https://micropython.org/resources/source/{file}"),
    ];
    let archive = Archive { urls: &urls.each_ref().map(String::as_str), sha256: release.sha256 };
    let mut reasons = match download(&archive, &folder.join("release.tar.xz")) {
        Ok(tarball) => return Ok((tarball, release.version)),
        Err(reasons) => reasons,
    };
    let suite = release.debian.ok_or_else(|| {
        let message = format!("no Debian release has MicroPython {}", release.version);
        Diagnostic::new("no-micropython-source", message)
    });
    match suite.and_then(|suite| Ok((debian_source(suite, release.version, folder)?, suite))) {
        Ok(found) => Ok(found),
        Err(error) => {
            reasons.push(format!("Debian's source package: {}", error.message));
            let help = format!(
                "{}\nset {SOURCE_VARIABLE} to a source tree or tarball of MicroPython 1.24 or later and repeat",
                reasons.join("\n")
            );
            let message = "MicroPython's source cannot be fetched from any of its places";
            Err(Diagnostic::new("no-micropython-source", message).help(help))
        }
    }
}

/// Downloads an archive from the first server that has it with the right digest. Otherwise returns what is wrong with
/// each.
fn download(archive: &Archive, to: &Path) -> std::result::Result<PathBuf, Vec<String>> {
    let mut reasons = Vec::new();
    for url in archive.urls {
        let got = download_command(url, to).and_then(|mut command| {
            output_of(&mut command)?;
            Ok(super::sha256(&read_file(to)?))
        });
        match got {
            Ok(sum) if sum == archive.sha256 => return Ok(to.to_owned()),
            Ok(sum) => reasons.push(format!("{url}: its SHA-256 is {sum}, not {}", archive.sha256)),
            Err(error) => reasons.push(format!("{url}: {}", error.help.unwrap_or(error.message))),
        }
    }
    Err(reasons)
}

/// The programs that can download a file: curl, wget, or Python, which MicroPython's makefiles need anyway.
fn download_command(url: &str, to: &Path) -> Result<Command> {
    const FETCH: &str = "import socket,sys,urllib.request as r\nsocket.setdefaulttimeout(20)\n\
                         r.urlretrieve(sys.argv[2],sys.argv[1])";
    let programs: [(&str, &[&str]); 3] = [
        (
            "curl",
            &["--fail", "--silent", "--show-error", "--location", "--connect-timeout", "20", "--output"],
        ),
        ("wget", &["--quiet", "--timeout=20", "--tries=2", "--output-document"]),
        ("python3", &["-c", FETCH]),
    ];
    let (program, args) = programs
        .into_iter()
        .find_map(|(name, args)| Some((which(name)?, args)))
        .ok_or_else(|| Diagnostic::new("missing-tool", "curl, wget and python3 are not installed"))?;
    let mut command = Command::new(program);
    command.args(args).arg(to).arg(url);
    Ok(command)
}

/// Downloads the tarball of Debian's source package with a private configuration of apt: the machine's mirror and
/// keyring, but another release. Nothing on the machine is changed.
fn debian_source(suite: &str, version: &str, folder: &Path) -> Result<PathBuf> {
    let missing = |what: &str| Diagnostic::new("no-micropython-source", what.to_owned());
    if which("apt-get").is_none() {
        return Err(missing("apt is not installed"));
    }
    let mirror = debian_mirror(Path::new("/etc/apt"));
    let (uri, keyring) = mirror.ok_or_else(|| missing("no Debian mirror is set up"))?;
    let signed = keyring.map(|path| format!("Signed-By: {path}\n")).unwrap_or_default();
    let entry = format!("Types: deb-src\nURIs: {uri}\nSuites: {suite}\nComponents: main\n{signed}");
    let list = folder.join("parts/debian.sources");
    write_file(&list, entry.as_bytes())?;
    for part in ["lists/partial", "cache/archives/partial", "source"] {
        create_dir(&folder.join(part))?;
    }
    let apt = || {
        let mut command = Command::new("apt-get");
        let option = |name: &str, path: &str| format!("{name}={}", folder.join(path).display());
        for option in [
            option("Dir::Etc::SourceParts", "parts"),
            option("Dir::Etc::SourceList", "none"),
            option("Dir::State::Lists", "lists"),
            option("Dir::Cache", "cache"),
            // apt downloads as a user who may not enter root's folder.
            "APT::Sandbox::User=".to_owned(),
            "Acquire::Languages=none".to_owned(),
        ] {
            command.arg("-o").arg(option);
        }
        command.arg("-q").current_dir(folder.join("source"));
        command
    };
    output_of(apt().arg("update"))?;
    output_of(apt().args(["source", "--download-only", "micropython"]))?;
    let mut files = Vec::new();
    collect(&folder.join("source"), &mut files);
    let tarball = files.into_iter().find(|path| path.to_string_lossy().contains(".orig.tar."));
    let tarball = tarball.ok_or_else(|| missing("the source package has no tarball"))?;
    let name = tarball.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // A release that is not stable yet gets newer versions.
    match name
        .strip_prefix(&format!("micropython_{version}"))
        .is_some_and(|rest| rest.starts_with(['+', '.']))
    {
        true => Ok(tarball),
        false => Err(missing(&format!("{suite} has {name}, not {version}"))),
    }
}

/// The machine's Debian mirror and its keyring: the first source whose URI ends in `/debian`, in either of apt's
/// formats (sources.list(5)).
fn debian_mirror(etc: &Path) -> Option<(String, Option<String>)> {
    let mut files = Vec::new();
    collect(&etc.join("sources.list.d"), &mut files);
    files.push(etc.join("sources.list"));
    files.sort();
    let is_debian = |uri: &&str| uri.trim_end_matches('/').ends_with("/debian");
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        if file.extension().is_some_and(|e| e == "sources") {
            for stanza in text.split("\n\n") {
                let field = |name: &str| {
                    let line = stanza.lines().find_map(|line| line.strip_prefix(name))?;
                    Some(line.trim())
                };
                let uris = field("URIs:").unwrap_or_default();
                if let Some(uri) = uris.split_whitespace().find(is_debian) {
                    return Some((uri.to_owned(), field("Signed-By:").map(str::to_owned)));
                }
            }
        } else {
            for line in text.lines().map(str::trim).filter(|line| line.starts_with("deb")) {
                if let Some(uri) = line.split_whitespace().find(is_debian) {
                    let keyring = line.split(['[', ']', ' ']).find_map(|w| w.strip_prefix("signed-by="));
                    return Some((uri.to_owned(), keyring.map(str::to_owned)));
                }
            }
        }
    }
    None
}

/// A variant of the unix port that handles Ctrl-C as boards do: between instructions of Python. The port itself leaves by
/// `longjmp` from wherever the signal comes, be it the middle of an allocation.
const UNIX_VARIANT: &str = "#include \"variants/standard/mpconfigvariant.h\"\n\
                            #undef MICROPY_ASYNC_KBD_INTR\n#define MICROPY_ASYNC_KBD_INTR (0)\n";

/// How the firmware of a board is built.
struct Recipe<'a> {
    board: &'a Board,
    /// Arguments of `make`, except the folders.
    make: Vec<String>,
    /// Helper functions that the compiler's library lacks.
    helpers: Vec<c_runtime::File>,
    /// The compiler, if its assembler needs a plugin.
    plugin: Option<String>,
    hash: String,
}

impl<'a> Recipe<'a> {
    /// `None` if the board has no emulator or its compiler is missing.
    fn new(board: &'a Board, source: &Source) -> Option<Recipe<'a>> {
        let board = match &board.emulator {
            Some(Emulator::Qemu { firmware: Some(name), .. }) => target_specs::board(name).ok()?,
            _ => board,
        };
        let mut parts = vec!["2".to_owned(), source.identity.clone()];
        let mut helpers = Vec::new();
        let mut plugin = None;
        let (compiler, make) = match board.emulator.as_ref()? {
            Emulator::Unix { make, .. } => {
                // Without other libraries and frozen code, so that mpy-cross is not needed.
                let common = [
                    "MICROPY_PY_BTREE=0",
                    "MICROPY_PY_SSL=0",
                    "MICROPY_SSL_MBEDTLS=0",
                    "MICROPY_PY_FFI=0",
                    "FROZEN_MANIFEST=",
                    // The source is older than some compilers and their newer warnings.
                    "CFLAGS_EXTRA=-Wno-error",
                ];
                let make = common.iter().map(|s| (*s).to_owned()).chain(make.iter().cloned()).collect();
                parts.push(UNIX_VARIANT.to_owned());
                ("cc".to_owned(), make)
            }
            Emulator::Qemu { cross, .. } => {
                let prefix = cross_compiler(cross)?;
                for (name, text) in port_files_of(board) {
                    parts.extend([name.to_owned(), text.to_owned()]);
                }
                let mut make = vec![format!("BOARD={}", board.name), format!("CROSS_COMPILE={prefix}")];
                let compiler = format!("{prefix}gcc");
                let facts = compiler_facts(board, &compiler);
                if facts.is_some_and(|facts| !facts.runtime_library) {
                    let names = c_runtime::COMPILER_HELPERS.iter().map(|(name, _)| format!("helpers/{name}"));
                    make.push(format!("HELPERS={}", names.collect::<Vec<_>>().join(" ")));
                    helpers = helper_files();
                    parts.extend(helpers.iter().map(|(_, text)| (*text).to_owned()));
                }
                plugin = facts.is_some_and(|facts| facts.assembler_plugin).then(|| compiler.clone());
                (compiler, make)
            }
        };
        parts.extend(make.iter().cloned());
        parts.push(answer_of(Command::new(&compiler).arg("--version")).ok()?);
        Some(Recipe { board, make, helpers, plugin, hash: digest(&parts) })
    }

    fn folder(&self) -> PathBuf {
        home().join(format!("{}-{}", self.board.name, self.hash))
    }

    fn file(&self) -> PathBuf {
        let name = match self.board.emulator {
            Some(Emulator::Unix { .. }) => "micropython",
            _ => "firmware.elf",
        };
        self.folder().join(name)
    }

    /// Builds in a temporary folder and renames the result.
    fn make(&self, source: &Source, progress: &dyn Fn(&str)) -> Result<()> {
        let temporary = temporary_folder()?;
        let log_path = home().join(format!("{}.log", self.board.name));
        let built = self.make_in(temporary.path(), None, source, &log_path, progress)?;
        let target = self.folder();
        let result = temporary.path().join("result");
        create_dir(&result)?;
        let file = self.file();
        let name = file.file_name().unwrap_or_default();
        fs::rename(&built, result.join(name)).map_err(|error| io_error("read", &built, &error))?;
        cache::seal(&result.join(name))?;
        self.write_library(source, &result)?;
        fs::rename(&result, &target).map_err(|error| io_error("create", &target, &error))?;
        cache::forget_old();
        Ok(())
    }

    /// Writes Python's own modules beside a program, if they are not in it.
    fn write_library(&self, source: &Source, beside: &Path) -> Result<()> {
        let Some(Emulator::Unix { .. }) = self.board.emulator else { return Ok(()) };
        asyncio(source)?
            .into_iter()
            .try_for_each(|(name, text)| write_file(&beside.join(LIBRARY).join(name), text.as_bytes()))
    }

    /// Builds in a folder, and returns the path of the result. `user_modules` is for `USER_C_MODULES`.
    fn make_in(
        &self,
        folder: &Path,
        user_modules: Option<&Path>,
        source: &Source,
        log: &Path,
        progress: &dyn Fn(&str),
    ) -> Result<PathBuf> {
        let build = folder.join("build");
        let mut command = Command::new("make");
        // The job slots and flags of a `make` that started this program must not be used.
        command.env_remove("MAKEFLAGS").env_remove("MFLAGS").env_remove("MAKELEVEL");
        command.env("SOURCE_DATE_EPOCH", "1745000000").env_remove("CFLAGS").env_remove("LDFLAGS");
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        command.arg(format!("-j{jobs}")).args(&self.make).arg(format!("BUILD={}", build.display()));
        command.args(user_modules.map(|modules| format!("USER_C_MODULES={}", modules.display())));
        match self.board.emulator {
            Some(Emulator::Qemu { .. }) => {
                let port = folder.join("port");
                for (name, text) in target_specs::port_files() {
                    write_file(&port.join(name), text.as_bytes())?;
                }
                for (name, text) in &self.helpers {
                    write_file(&port.join("helpers").join(name), text.as_bytes())?;
                }
                write_file(&port.join("frozen.c"), frozen(&asyncio(source)?).as_bytes())?;
                let root =
                    source.folder.canonicalize().map_err(|error| io_error("read", &source.folder, &error))?;
                if let Some(compiler) = &self.plugin {
                    let plugin = assembler_plugin::build(Path::new(compiler), progress)?;
                    command.env(assembler_plugin::VARIABLE, plugin);
                }
                let rules = fs::read_to_string(root.join("py/mkrules.mk")).unwrap_or_default();
                if !rules.contains("MICROPY_BOARD_BUILD_NAME") {
                    // Those of MicroPython before 1.25 do not define it.
                    let name = format!("-DMICROPY_BOARD_BUILD_NAME='\"{}\"'", self.board.name);
                    command.env("INC", name);
                }
                command.arg("-C").arg(port).arg(format!("MPY={}", root.display()));
            }
            _ => {
                let variant = folder.join("variant");
                write_file(&variant.join("mpconfigvariant.h"), UNIX_VARIANT.as_bytes())?;
                write_file(&variant.join("mpconfigvariant.mk"), b"")?;
                command.arg("-C").arg(source.folder.join("ports/unix"));
                command.arg(format!("VARIANT_DIR={}", variant.display()));
            }
        }
        run_logged(&mut command, log, &self.board.name, progress)?;
        Ok(build.join(self.file().file_name().unwrap_or_default()))
    }
}

/// The folder beside a program of this machine that contains Python modules of MicroPython.
pub const LIBRARY: &str = "lib";

/// The files of the package `asyncio`, whose other part is in the firmware: names in the library, and texts.
fn asyncio(source: &Source) -> Result<Vec<(String, String)>> {
    let folder = source.folder.join("extmod/asyncio");
    let io = |error: std::io::Error| io_error("read", &folder, &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // The firmware has its own `task`.
        if name.ends_with(".py") && !["manifest.py", "task.py"].contains(&&*name) {
            files.push((format!("asyncio/{name}"), fs::read_to_string(&path).map_err(io)?));
        }
    }
    files.sort();
    Ok(files)
}

/// C that defines what MicroPython looks for frozen modules in (`py/frozenmod.c`), as mpy-cross is not needed for.
fn frozen(files: &[(String, String)]) -> String {
    let names: String = files.iter().map(|(name, _)| format!("{name}\\0")).collect();
    let sizes: String = files.iter().map(|(_, text)| format!("{}, ", text.len())).collect();
    let bytes = files.iter().flat_map(|(_, text)| text.bytes().chain([0]));
    let bytes: String = bytes.map(|byte| format!("{byte},")).collect();
    format!(
        "#include <stddef.h>\n#include <stdint.h>\n\
         const char mp_frozen_names[] = \"{names}\";\n\
         const uint32_t mp_frozen_str_sizes[] = {{{sizes}0}};\n\
         const unsigned char mp_frozen_str_content[] = {{{bytes}}};\n\
         const void *const mp_frozen_mpy_content[] = {{NULL}};\n"
    )
}

/// Runs a build, writes its output to a log, and reports each file that it compiles.
fn run_logged(command: &mut Command, log: &Path, board: &str, progress: &dyn Fn(&str)) -> Result<()> {
    crate::ui::verbose("Running", format_args!("`{}`", super::shown(command)));
    let io = |error: std::io::Error| io_error("write", log, &error);
    let mut file = File::create(log).map_err(io)?;
    let errors = file.try_clone().map_err(io)?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .map_err(|error| cannot_start(command, &error))?;
    let mut compiled = 0;
    let lines = BufReader::new(child.stdout.take().expect("it was piped"));
    for line in lines.split(b'\n') {
        let line = line.map_err(io)?;
        if line.starts_with(b"CC ") {
            compiled += 1;
            progress(&format!("MicroPython for {board}: {compiled} files"));
        }
        file.write_all(&line).and_then(|()| file.write_all(b"\n")).map_err(io)?;
    }
    let status = child.wait().map_err(io)?;
    if status.success() {
        return Ok(());
    }
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    // The errors, without the long list of compiled files.
    let lines: Vec<&str> =
        text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with("CC ") && l.len() < 500).collect();
    let tail = lines[lines.len().saturating_sub(15)..].join("\n    ");
    Err(Diagnostic::new("firmware-failed", format!("MicroPython for `{board}` does not build ({status})"))
        .help(format!("the whole log is in {}; it ends\n    {tail}", log.display())))
}

/// A folder next to the results, so that they can be renamed.
fn temporary_folder() -> Result<tempfile::TempDir> {
    let home = home();
    create_dir(&home)?;
    // An absolute path, because `make` runs in another directory.
    let home = home.canonicalize().map_err(|error| io_error("read", &home, &error))?;
    tempfile::Builder::new()
        .prefix("building-")
        .tempdir_in(&home)
        .map_err(|error| io_error("create", &home, &error))
}

fn create_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| io_error("create", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirror(name: &str, text: &str) -> Option<(String, Option<String>)> {
        let etc = tempfile::tempdir().expect("tempdir");
        write_file(&etc.path().join(name), text.as_bytes()).expect("write");
        debian_mirror(etc.path())
    }

    #[test]
    fn an_archive_comes_from_the_first_place_that_has_it() {
        let folder = tempfile::tempdir().expect("tempdir");
        let place = |name: &str, text: Option<&str>| {
            let path = folder.path().join(name);
            if let Some(text) = text {
                fs::write(&path, text).expect("write");
            }
            format!("file://{}", path.display())
        };
        let urls = [place("none", None), place("other", Some("abd")), place("right", Some("abc"))];
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        // FIPS 180-2, appendix B.1.
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let to = folder.path().join("archive");
        let archive = Archive { urls: &urls, sha256 };
        assert_eq!(download(&archive, &to).as_deref(), Ok(to.as_path()));
        assert_eq!(fs::read_to_string(&to).expect("read"), "abc");
        let reasons = download(&Archive { urls: &urls[..2], ..archive }, &to).expect_err("refused");
        assert_eq!(reasons.len(), 2);
        assert!(
            reasons[0].contains("/none: ") && reasons[1].contains("/other: its SHA-256 is "),
            "{reasons:?}"
        );
    }

    #[test]
    fn only_releases_with_the_right_abi_are_taken() {
        let folder = tempfile::tempdir().expect("tempdir");
        let checked = |version: [u32; 3], sub: u8| {
            let [major, minor, micro] = version;
            let numbers = format!(
                "#define MICROPY_VERSION_MAJOR {major}\n#define MICROPY_VERSION_MINOR {minor}\n\
                 #define MICROPY_VERSION_MICRO {micro}\n"
            );
            write_file(&folder.path().join("py/mpconfig.h"), numbers.as_bytes()).expect("write");
            let abi = format!("#define MPY_VERSION 6\n#define MPY_SUB_VERSION {sub}\n");
            write_file(&folder.path().join("py/persistentcode.h"), abi.as_bytes()).expect("write");
            let source = Source { folder: folder.path().to_owned(), identity: String::new() };
            source.checked().map(|source| source.version()).map_err(|error| error.message)
        };
        assert_eq!(checked([1, 24, 0], 3), Ok(Some("1.24.0".to_owned())));
        assert_eq!(checked([2, 0, 0], 3), Ok(Some("2.0.0".to_owned())));
        let refused = checked([1, 23, 0], 3).expect_err("too old");
        assert!(refused.contains("1.24 or later, this is 1.23.0"), "{refused}");
        assert!(checked([1, 29, 0], 4).expect_err("another ABI").contains("6.4"));
    }

    #[test]
    fn boards_share_a_firmware() {
        let source = Source { folder: PathBuf::new(), identity: "1".to_owned() };
        for board in emulated() {
            let Some(Emulator::Qemu { firmware: Some(other), .. }) = &board.emulator else { continue };
            let other = target_specs::board(other).expect("there is such a board");
            assert_eq!(board.arch, other.arch);
            let file = |board| Recipe::new(board, &source).map(|recipe| recipe.file());
            assert_eq!(file(board), file(other));
        }
    }

    #[test]
    fn a_firmware_is_made_of_its_own_processors_files() {
        let names = |board: &str| -> Vec<&str> {
            let board = target_specs::board(board).expect("there is such a board");
            port_files_of(board).into_iter().map(|(name, _)| name).collect()
        };
        let files = names("qemu-armv6m");
        for file in ["main.c", "libc/math.h", "cpu_arm.c", "uart_nrf51.c", "boards/arm.mk", "boards/arm.ld"] {
            assert!(files.contains(&file), "{file} of {files:?}");
        }
        for file in ["cpu_riscv.c", "uart_cmsdk.c", "boards/qemu-armv7m.mk", "boards/riscv.ld"] {
            assert!(!files.contains(&file), "{file} of {files:?}");
        }
    }

    #[test]
    fn the_mirror_is_read_in_both_formats_of_apt() {
        let deb822 = "Types: deb\nURIs: http://mirror.test/debian-security\nSuites: a\n\n\
            # comment\nTypes: deb\nURIs: http://mirror.test/debian\nSuites: bookworm\nSigned-By: /k.gpg\n";
        let found = mirror("sources.list.d/debian.sources", deb822).expect("found");
        assert_eq!(found, ("http://mirror.test/debian".to_owned(), Some("/k.gpg".to_owned())));
        let line = "# x\ndeb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian/ bookworm main\n";
        let found = mirror("sources.list", line).expect("found");
        assert_eq!(found, ("http://mirror.test/debian/".to_owned(), Some("/k.gpg".to_owned())));
        assert_eq!(mirror("sources.list", "deb http://mirror.test/ubuntu noble main\n"), None);
    }
}
