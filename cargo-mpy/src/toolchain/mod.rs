//! Programs of the user's machine. No other part of the crate starts processes.

mod allocator;
pub mod assembler_plugin;
mod cache;
pub mod cargo;
pub mod cc;
pub mod crate_build;
pub mod debugger;
pub mod disassembler;
pub mod emulator;
mod futures;
pub mod micropython;
pub mod needs;
pub mod objects;
pub mod rust;
mod std_library;
mod unwinding;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use memmap2::Mmap;
use sha2::{Digest, Sha256};
use target_specs::{Diagnostic, Place, Result};

use crate::ui;

/// The path of a program on `PATH`.
pub fn which(program: &str) -> Option<PathBuf> {
    which_all(program).into_iter().next()
}

/// The paths of a program on `PATH`, in order, without duplicates.
pub fn which_all(program: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
        let path = folder.join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
        if is_executable(&path) && !found.contains(&path) {
            found.push(path);
        }
    }
    found
}

fn is_executable(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    {
        path.is_file()
    }
}

/// A command as a person would type it, for `-v` and messages.
pub fn shown(command: &Command) -> String {
    let mut words: Vec<String> = command
        .get_envs()
        .filter_map(|(key, value)| Some(format!("{}={}", key.to_string_lossy(), quoted(value?))))
        .collect();
    words.push(quoted(command.get_program()));
    words.extend(command.get_args().map(quoted));
    words.join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\x1f', " ").replace('\'', r"'\''"))
    }
}

/// Runs a command to its end and captures its output. The caller checks the exit status.
///
/// # Errors
/// `missing-tool` if it cannot be started.
pub fn capture(command: &mut Command) -> Result<Output> {
    ui::verbose("Running", format_args!("`{}`", shown(command)));
    command.stdin(Stdio::null()).output().map_err(|error| cannot_start(command, &error))
}

/// Like [`capture`], with a time limit. After it, or when this program ends first, the command is killed together with
/// every process that it started. Returns `None` after the limit.
///
/// # Errors
/// As [`capture`].
pub fn capture_within(command: &mut Command, limit: Option<Duration>) -> Result<Option<Output>> {
    ui::verbose("Running", format_args!("`{}`", shown(command)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let group = Group::new(command);
    let child = command.spawn().map_err(|error| cannot_start(command, &error))?;
    let id = child.id();
    let (done, is_done) = mpsc::channel::<()>();
    let (output, is_late) = std::thread::scope(|scope| {
        let timer = scope.spawn(move || {
            let waited = match limit {
                Some(limit) => is_done.recv_timeout(limit),
                None => is_done.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            let is_late = waited == Err(RecvTimeoutError::Timeout);
            if is_late {
                group.end(id);
            } else {
                group.let_go();
            }
            is_late
        });
        let output = child.wait_with_output();
        drop(done);
        (output, timer.join().unwrap_or(false))
    });
    if is_late {
        return Ok(None);
    }
    output.map(Some).map_err(|error| cannot_start(command, &error))
}

/// The processes that a command starts, and one more process that kills them all when this program ends in any way. It
/// reads from a pipe that only this program has open.
pub(crate) struct Group(Option<Child>);

impl Group {
    #[cfg(unix)]
    pub(crate) fn new(command: &mut Command) -> Group {
        use std::os::unix::process::CommandExt;
        // Compilers delete their temporary files when they receive SIGTERM.
        const WATCH: &str = "trap '' TERM; read -r _; kill -s TERM 0; sleep 1; kill -s KILL 0";
        let watch = Command::new("/bin/sh")
            .args(["-c", WATCH])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        if let Ok(watch) = &watch {
            command.process_group(watch.id().cast_signed());
        }
        Group(watch.ok())
    }

    #[cfg(not(unix))]
    pub(crate) fn new(_: &mut Command) -> Group {
        Group(None)
    }

    /// Kills the processes. `first` is the number of the first one.
    fn end(self, first: u32) {
        match self.0 {
            Some(mut watch) => {
                drop(watch.stdin.take());
                let _ = watch.wait();
            }
            // Windows has a program for that.
            None => drop(Command::new("taskkill").args(["/T", "/F", "/PID", &first.to_string()]).output()),
        }
    }

    /// Called after all of them have ended.
    pub(crate) fn let_go(self) {
        if let Some(mut watch) = self.0 {
            let _ = watch.kill();
            let _ = watch.wait();
        }
    }
}

/// Runs a command to its end and returns its standard output.
///
/// # Errors
/// `missing-tool` if it cannot be started, `tool-failed` with the end of its output if it fails.
pub fn output_of(command: &mut Command) -> Result<String> {
    let output = capture(command)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failed(command, &output))
}

/// The result of [`output_of`], which is kept: for questions about a program that always have the same answer.
///
/// # Errors
/// As [`output_of`].
pub fn answer_of(command: &mut Command) -> Result<String> {
    static KNOWN: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let question = shown(command);
    if let Some(answer) = known().get(&question) {
        return Ok(answer.clone());
    }
    let answer = output_of(command)?;
    known().insert(question, answer.clone());
    Ok(answer)
}

/// The error for a command that failed, with the last lines that it printed.
pub fn failed(command: &Command, output: &Output) -> Diagnostic {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    Diagnostic::new("tool-failed", format!("`{name}` failed ({})", output.status)).help(format!(
        "it is {}, was run as `{}` and said\n    {}",
        version_of(Path::new(command.get_program())),
        shown(command),
        tail(output)
    ))
}

/// The last lines that a command printed.
fn tail(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(12)..].join("\n    ")
}

/// The version of a program, in one line.
fn version_of(program: &Path) -> String {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    match text.lines().find(|line| !line.trim().is_empty()) {
        Some(line) => line.trim().to_owned(),
        None => format!("`{}`, which does not tell its version", program.display()),
    }
}

/// The first number with a point in a version text: major and minor.
fn version_number(version: &str) -> Option<(u32, u32)> {
    version.split([' ', '-', '(', ')']).find_map(|word| {
        let mut parts = word.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    })
}

/// The error for a command that could not be started.
pub fn cannot_start(command: &Command, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new("missing-tool", format!("cannot start `{}`: {error}", quoted(command.get_program())))
        .help("`cargo mpy doctor` lists what is missing")
}

/// The folder for results that are expensive to make and can be used again by any crate: firmware, objects, libraries.
/// It is `CARGO_MPY_CACHE` if that is set, otherwise in the user's cache folder.
pub fn cache_dir() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("CARGO_MPY_CACHE") {
        return folder;
    }
    if let Some(folder) = user_cache() {
        return folder;
    }
    // A folder with a name that only this process knows: others could put files into a folder with a known name.
    static PRIVATE: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = tempfile::Builder::new().prefix("cargo-mpy-").tempdir();
        folder.map_or_else(|_| PathBuf::from("target/cargo-mpy-cache"), tempfile::TempDir::keep)
    });
    PRIVATE.clone()
}

/// The cache folder in the user's own cache folder. Without HOME, the home directory is looked up in the system's list
/// of users.
fn user_cache() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let user = set("XDG_CACHE_HOME").or_else(|| set("LOCALAPPDATA")).or_else(|| {
        let home = std::env::home_dir().filter(|home| home.is_absolute())?;
        Some(if cfg!(target_os = "macos") { home.join("Library/Caches") } else { home.join(".cache") })
    });
    Some(user?.join("cargo-mpy"))
}

/// Creates the cache folder if it is missing, and checks that no one else can put programs into it, because they are
/// run.
///
/// # Errors
/// `unsafe-cache`, naming the folder.
pub fn check_cache() -> Result<()> {
    let is_named = std::env::var_os("CARGO_MPY_CACHE").is_some_and(|value| !value.is_empty());
    if !is_named && user_cache().is_none() {
        return Err(Diagnostic::new("unsafe-cache", "there is no folder for the cache: HOME is not set")
            .help("set CARGO_MPY_CACHE to a folder that only you can write to"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, MetadataExt};
        let folder = cache_dir();
        // If it cannot be created, nothing is put there.
        let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        let Ok(data) = folder.metadata() else { return Ok(()) };
        // A new file belongs to the current user and group.
        let ours = tempfile::tempfile().and_then(|file| file.metadata());
        let ours = ours.map_err(|error| io_error("create", &std::env::temp_dir(), &error))?;
        let unsafe_cache = |message: String, help: &str| {
            let at = Place::File { path: folder.clone(), line: 0, column: 0 };
            Err(Diagnostic::new("unsafe-cache", message)
                .at(at)
                .help(format!("{help}, or set CARGO_MPY_CACHE to a folder that only you can write to")))
        };
        if data.uid() != ours.uid() && data.uid() != 0 {
            let message = format!("the folder of the cache belongs to another user (number {})", data.uid());
            return unsafe_cache(message, "remove it");
        }
        // Distributions that allow groups to write give each user a group with the user's own number.
        let is_own_group = data.gid() == ours.gid() && data.gid() == ours.uid();
        if data.mode() & 0o002 != 0 || data.mode() & 0o020 != 0 && !is_own_group {
            let message =
                "other users can write to the folder of the cache, and put programs there".to_owned();
            return unsafe_cache(message, "remove it if others may have, then `chmod go-w` it");
        }
    }
    Ok(())
}

/// A short digest of `parts`, the same on every machine.
pub fn digest<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.as_ref().len() as u64).to_le_bytes());
        hash.update(part.as_ref());
    }
    hash.finalize()[..12].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of some data, in hexadecimal.
pub fn sha256(data: &[u8]) -> String {
    Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a file atomically: readers see the old contents or the new ones. A file that has these contents already is
/// not touched. A device or a pipe, such as `/dev/null`, is written to: it must not be replaced by a file.
///
/// # Errors
/// `io`, naming the file.
pub fn write_file(path: &Path, contents: &[u8]) -> Result<()> {
    if path.metadata().is_ok_and(|data| !data.is_file() && !data.is_dir()) {
        let write = || File::options().write(true).open(path)?.write_all(contents);
        return write().map_err(|error| io_error("write", path, &error));
    }
    if std::fs::read(path).is_ok_and(|old| old == contents) {
        return Ok(());
    }
    let write = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(contents)?;
        #[cfg(unix)]
        {
            // Temporary files are private. The result has the usual permissions.
            use std::os::unix::fs::PermissionsExt;
            file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| io_error("write", path, &error))
}

/// A lock on a file, against other threads and processes.
#[derive(Debug)]
pub struct Lock(File);

/// If the file were only closed, it would stay locked while another thread starts a process: the new process has copies
/// of all open files until it executes its program.
impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl Lock {
    /// Takes the lock. Calls `blocked` first if it has to wait.
    ///
    /// # Errors
    /// `io`, naming the file.
    pub fn take(path: &Path, blocked: impl FnOnce()) -> Result<Lock> {
        let take = || -> std::io::Result<File> {
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            let file = File::create(path)?;
            if file.try_lock().is_err() {
                blocked();
                file.lock()?;
            }
            Ok(file)
        };
        take().map(Lock).map_err(|error| io_error("lock", path, &error))
    }
}

/// Reads a file.
///
/// # Errors
/// `io`, naming the file.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| io_error("read", path, &error))
}

/// Maps a file into memory: for a large archive of which only a part is needed.
///
/// # Errors
/// `io`, naming the file.
pub fn map_file(path: &Path) -> Result<Mmap> {
    let map = || {
        let file = File::open(path)?;
        // SAFETY: the contents are treated as untrusted, so they may change. If another process truncates the file,
        // this process is killed, as with other linkers.
        unsafe { Mmap::map(&file) }
    };
    map().map_err(|error| io_error("read", path, &error))
}

/// The error for a file that could not be read or written.
pub fn io_error(verb: &str, path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new("io", format!("cannot {verb} the file: {error}")).at(Place::File {
        path: path.to_owned(),
        line: 0,
        column: 0,
    })
}

/// A text that changes when a program is replaced by another version.
pub fn identity(program: &Path) -> String {
    let real = program.canonicalize().unwrap_or_else(|_| program.to_owned());
    let data = real.metadata().ok();
    let modified = data.as_ref().and_then(|data| data.modified().ok());
    let modified = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    format!("{} {} {:?}", real.display(), data.map_or(0, |data| data.len()), modified.unwrap_or_default())
}

/// The package manager of this machine, by its name in the files of `target-specs`.
pub fn package_manager() -> Option<&'static str> {
    if cfg!(windows) {
        // Its other package managers have other names for the packages.
        return which("winget").map(|_| "winget");
    }
    [("apt", "apt-get"), ("dnf", "dnf"), ("pacman", "pacman"), ("brew", "brew")]
        .into_iter()
        .find(|(_, program)| which(program).is_some())
        .map(|(name, _)| name)
}

/// The command that installs packages with this package manager.
pub fn install_command(manager: &str, packages: &str) -> String {
    match manager {
        "apt" => format!("sudo apt-get install {packages}"),
        "dnf" => format!("sudo dnf install {packages}"),
        "pacman" => format!("sudo pacman -S {packages}"),
        _ => format!("{manager} install {packages}"),
    }
}

/// How to install what is missing on this machine, from pairs of package manager and packages.
pub fn install_help(packages: &[(&str, &str)]) -> String {
    let of = |manager: &str| packages.iter().find(|(name, _)| *name == manager).map(|(_, package)| *package);
    if let Some((manager, package)) = package_manager().and_then(|manager| Some((manager, of(manager)?))) {
        return format!("`{}`", install_command(manager, package));
    }
    let names: Vec<String> =
        packages.iter().map(|(manager, package)| format!("{package} ({manager})")).collect();
    match names[..] {
        [] => "install one of those by hand".to_owned(),
        _ => format!("install the package {}", names.join(", ")),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// A program that replaces `/dev/null` by a file, as a user who may, breaks everything that is started afterwards.
    #[test]
    fn what_is_no_file_is_written_to_and_not_replaced() {
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || std::fs::read(pipe).unwrap())
        };
        write_file(&pipe, b"a module").unwrap();
        assert_eq!(reader.join().unwrap(), b"a module");
        assert!(pipe.metadata().unwrap().file_type().is_fifo());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
