//! The command on other systems: it compiles for all of them, and on Windows, that is Wine, makes the same as here.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Result, cargo, root, run};

/// Systems whose standard library can be installed without their linker.
const CHECKED: [&str; 3] = ["aarch64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-apple-darwin"];
const WINDOWS: &str = "x86_64-pc-windows-gnu";
/// Programs of this system that the command starts in what follows.
const FORWARDED: [&str; 2] = ["cargo", "arm-none-eabi-gcc"];
const RANDOM: &str = "#include <windows.h>
BOOLEAN NTAPI SystemFunction036(void *, ULONG);
__declspec(dllexport) BOOL ProcessPrng(BYTE *data, SIZE_T size) { return SystemFunction036(data, size); }
";
const ANSWER: &str =
    "(module (memory (export \"memory\") 1) (func (export \"answer\") (param i32) (result i32)
  local.get 0 i32.load8_u i32.const 42 i32.add) (data (i32.const 0) \"\\01\\02\"))";

/// Installs what [`check`] needs.
fn install() -> Result {
    run(Command::new("rustup").args(["target", "add", WINDOWS]).args(CHECKED))?;
    let packages = ["gcc-mingw-w64-x86-64", "wine64", "wine"].map(str::to_owned);
    Ok(cargo_mpy::toolchain::needs::install(&packages)?)
}

/// Compiles for each system, and compares what the Windows program makes with what the program of this system makes.
pub fn check() -> Result {
    install()?;
    for target in CHECKED {
        run(cargo().args(["check", "--quiet", "--locked", "--package", "cargo-mpy", "--target", target]))?;
    }
    run(cargo().args(["build", "--release", "--locked", "--package", "cargo-mpy", "--target", WINDOWS]))?;
    run(cargo().args(["build", "--locked", "--package", "cargo-mpy"]))?;
    let windows = Windows::prepare()?;
    let (there, here) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let object = here.path().join("add.o");
    for folder in [there.path(), here.path()] {
        fs::write(folder.join("answer.wat"), ANSWER)?;
        fs::write(
            folder.join("add.c"),
            "extern void (*const mp_fun_table[])(void);\nvoid *mpy_init(void) { mp_fun_table[0](); return 0; }\n",
        )?;
    }
    let mut compile = Command::new("arm-none-eabi-gcc");
    compile.args(["-mthumb", "-mcpu=cortex-m0", "-mword-relocations", "-fno-pic", "-Os", "-c", "add.c"]);
    run(compile.current_dir(here.path()))?;
    fs::copy(&object, there.path().join("add.o"))?;

    let commands: [&[&str]; 8] = [
        &["new", "small", "--template", "minimal", "--vcs", "none"],
        &["boards"],
        &["boards", "--json"],
        &["build", "--wasm", "answer.wat", "--board", "rp2040"],
        &["size", "--wasm", "answer.wat", "--board", "rp2040"],
        &["inspect", "target/mpy/armv6m/answer.mpy"],
        &["link", "--arch", "armv6m", "-o", "add.mpy", "add.o"],
        &["explain", "no-space"],
    ];
    for words in commands {
        let printed = windows.mpy(there.path(), words)?;
        let expected = output(
            Command::new(root().join("target/debug/cargo-mpy"))
                .arg("mpy")
                .args(words)
                .current_dir(here.path()),
        )?;
        same(&words.join(" "), &printed, &expected)?;
    }
    for file in [
        "small/Cargo.toml",
        "small/src/lib.rs",
        "small/test.py",
        "target/mpy/armv6m/answer.mpy",
        "target/mpy/armv6m/answer.pyi",
        "add.mpy",
    ] {
        if fs::read(there.path().join(file))? != fs::read(here.path().join(file))? {
            return Err(format!("{file} is another one on Windows").into());
        }
        println!("{file}: the same on Windows");
    }
    Ok(())
}

/// Times differ; paths are those of the system; lines may end in two characters.
fn same(what: &str, there: &str, here: &str) -> Result {
    let plain = |text: &str| text.replace('\\', "/").replace("\r\n", "\n");
    let (there, here) = (plain(there), plain(here));
    if there == here {
        println!("{what}: prints the same on Windows");
        return Ok(());
    }
    Err(format!("`{what}` prints on Windows:\n{there}\nand here:\n{here}").into())
}

/// What a command prints on standard output, which must succeed.
fn output(command: &mut Command) -> std::result::Result<String, Box<dyn std::error::Error>> {
    let output = command.env("NO_COLOR", "1").output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&text)).into())
}

/// A Windows with programs of this system.
struct Windows {
    program: PathBuf,
    prefix: PathBuf,
    forwarders: PathBuf,
    address: String,
}

impl Windows {
    fn prepare() -> std::result::Result<Windows, Box<dyn std::error::Error>> {
        let folder = root().join("target/windows");
        let forwarders = folder.join("bin");
        fs::create_dir_all(&forwarders)?;
        let forward = forwarders.join("forward.exe");
        let mut compile = Command::new("rustc");
        compile.args(["--edition", "2024", "--target", WINDOWS, "-o"]).arg(&forward);
        run(compile.arg(root().join("xtask/src/hosts/forward.rs")))?;
        // Wine before 9 lacks a library that Rust's standard library needs.
        let source = folder.join("bcryptprimitives.c");
        fs::write(&source, RANDOM)?;
        let mut library = Command::new("x86_64-w64-mingw32-gcc");
        library.arg("-shared").arg("-o").arg(forwarders.join("bcryptprimitives.dll")).arg(&source);
        run(library.arg("-ladvapi32"))?;
        for name in FORWARDED {
            fs::copy(&forward, forwarders.join(format!("{name}.exe")))?;
        }
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let prefix = folder.join("prefix");
        let drives = prefix.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let drives = drives.clone();
                std::thread::spawn(move || {
                    if let Err(error) = serve(stream, &drives) {
                        eprintln!("a forwarded program: {error}");
                    }
                });
            }
        });
        let program = forwarders.join("cargo-mpy.exe");
        fs::copy(root().join("target").join(WINDOWS).join("release/cargo-mpy.exe"), &program)?;
        Ok(Windows { program, prefix, forwarders, address })
    }

    fn mpy(&self, folder: &Path, words: &[&str]) -> std::result::Result<String, Box<dyn std::error::Error>> {
        let mut wine = Command::new("wine");
        wine.arg(&self.program).arg("mpy").args(words).current_dir(folder);
        wine.env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all").env("DISPLAY", "");
        wine.env("WINEPATH", format!("Z:{}", self.forwarders.display())).env("FORWARD_TO", &self.address);
        // Those of the cargo that started this.
        wine.env_remove("CARGO").env_remove("RUSTC");
        output(&mut wine)
    }
}

/// Runs one program for [`forward.rs`](self).
fn serve(mut stream: TcpStream, prefix: &Path) -> std::io::Result<()> {
    let mut line = String::new();
    stream.read_to_string(&mut line)?;
    let mut words = line.split('\0').map(|word| unix(word, prefix));
    let (folder, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let output = Command::new(name).args(words).current_dir(folder).output()?;
    stream.write_all(&output.status.code().unwrap_or(1).to_le_bytes())?;
    stream.write_all(&u32::try_from(output.stdout.len()).unwrap_or(0).to_le_bytes())?;
    stream.write_all(&output.stdout)?;
    stream.write_all(&output.stderr)
}

/// A word of a command line with the paths of this system. `prefix` has the drive C.
fn unix(word: &str, prefix: &Path) -> String {
    let drive_c = prefix.join("drive_c").display().to_string();
    word.replace("\\\\?\\", "").replace("Z:", "").replace("C:", &drive_c).replace('\\', "/")
}
