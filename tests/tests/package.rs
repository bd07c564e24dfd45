//! `cargo mpy package`: what it makes is installed by `mip`, in MicroPython and from outside, mounted as ROM, and
//! unpacked.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use cargo_mpy::toolchain::needs;
use libtest_mimic::{Arguments, Failed, Trial};
use tests::{board, line};

/// Boards that install the package of all architectures from outside.
const BOARDS: [&str; 3] = ["qemu-armv6m", "qemu-armv7emsp", "qemu-rv32imc"];

fn main() -> ExitCode {
    // The test is the tool too: it calls itself.
    if std::env::args().nth(1).is_some_and(|word| word == "mpy") {
        return cargo_mpy::main();
    }
    let arguments = Arguments::from_args();
    let trials = vec![Trial::test("package", package)];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn holds(condition: bool, what: &str, said: &dyn std::fmt::Debug) -> Result<(), Failed> {
    if condition { Ok(()) } else { Err(format!("{what}: {said:#?}").into()) }
}

/// What a command prints, which must succeed.
fn output(command: &mut Command) -> Result<String, Failed> {
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    holds(output.status.success(), "a command", &format!("{command:?}\n{text}\n{errors}"))?;
    Ok(text)
}

fn python() -> Command {
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", needs::test_python());
    command
}

/// A web server for a folder.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(folder: &Path) -> Result<Server, Failed> {
        let mut command = python();
        command.args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]).current_dir(folder);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line)?;
        // Serving HTTP on 127.0.0.1 port 41234 (http://127.0.0.1:41234/) ...
        let url = line.split(['(', ')']).nth(1).ok_or(line.clone())?.to_owned();
        Ok(Server { child, url })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn package() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join("src"))?;
    std::fs::write(
        folder.path().join("Cargo.toml"),
        "[package]\nname = \"answer\"\nversion = \"1.2.3\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n\
         [workspace]\n",
    )?;
    std::fs::write(
        folder.path().join("src/lib.rs"),
        "#![no_std]\n#[panic_handler]\nfn on_panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n\
         #[unsafe(no_mangle)]\nextern \"C\" fn number(n: i32) -> f64 { n as f64 * 1.5 }\n",
    )?;
    output(Command::new(std::env::current_exe()?).args(["mpy", "package"]).current_dir(folder.path()))?;
    let parent = folder.path().join("target/mpy/package");
    let made = parent.join("answer-1.2.3");
    let archs: Vec<&str> = target_specs::archs().iter().map(|arch| arch.name.as_str()).collect();
    let missing: Vec<_> = archs.iter().filter(|arch| !made.join(arch).join("answer.mpy").is_file()).collect();
    holds(missing.is_empty() || !tests::in_ci(), "every architecture", &missing)?;

    archive(&parent, &made)?;
    roms(&made)?;
    let server = Server::start(&parent)?;
    mip_in_micropython(&server)?;
    for (board, why_not) in board::boards() {
        if !BOARDS.contains(&board.name.as_str()) {
            continue;
        }
        if let Some(why) = why_not {
            eprintln!("skipped: {} ({why})", board.name);
            continue;
        }
        mip_from_outside(&server, board)?;
    }
    Ok(())
}

/// The zip unpacks to the folder.
fn archive(parent: &Path, made: &Path) -> Result<(), Failed> {
    let unpacked = tempfile::tempdir()?;
    let zip = parent.join("answer-1.2.3.zip");
    output(python().args(["-m", "zipfile", "-e"]).arg(&zip).arg(unpacked.path()))?;
    output(Command::new("diff").arg("-r").arg(made).arg(unpacked.path().join("answer-1.2.3")))?;
    Ok(())
}

/// The images are those that mpremote would make, and MicroPython imports from them.
fn roms(made: &Path) -> Result<(), Failed> {
    let source = tempfile::tempdir()?;
    for arch in ["x64", "armv6m"] {
        let image = std::fs::read(made.join(format!("answer-{arch}.romfs")))?;
        std::fs::create_dir_all(source.path().join("lib"))?;
        std::fs::copy(made.join(arch).join("answer.mpy"), source.path().join("lib/answer.mpy"))?;
        let theirs = source.path().join("theirs.romfs");
        let code = "import sys\nfrom mpremote.romfs import *\n\
                    open(sys.argv[2],'wb').write(make_romfs(sys.argv[1],mpy_cross=False))";
        // Only the folder `lib` is in it.
        let root = tempfile::tempdir()?;
        std::fs::rename(source.path().join("lib"), root.path().join("lib"))?;
        output(python().args(["-c", code]).arg(root.path()).arg(&theirs))?;
        holds(image == std::fs::read(&theirs)?, "mpremote's image", &arch)?;
        let board = target_specs::archs().iter().find(|known| known.name == arch);
        let board = board.and_then(|arch| arch.test_board.as_deref()).unwrap_or("unix");
        let board = target_specs::board(board)?;
        let bytes: String = image.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        let code = format!(
            "import vfs,sys\nvfs.mount(vfs.VfsRom(b'{bytes}'),'/rom')\nsys.path.append('/rom/lib')\n\
             import answer\nprint(answer.number(5))\n"
        );
        let said = board::execute(board, &[], &code)?;
        holds(said == "7.5\n", "from ROM", &said)?;
    }
    Ok(())
}

/// MicroPython's own `mip`, by both addresses.
fn mip_in_micropython(server: &Server) -> Result<(), Failed> {
    let lib = tempfile::tempdir()?;
    for (address, files) in [("x64/", &["answer.mpy"][..]), ("", &["answer/__init__.py", "answer/x64.mpy"])] {
        let target = lib.path().join(format!("lib-{}", address.len()));
        let url = format!("{}answer-1.2.3/{address}", server.url);
        let code = format!(
            "import mip,sys\nmip.install({url:?},target={target:?})\nsys.path.insert(0,{target:?})\n\
             import answer\nprint('it is',answer.number(5))\n"
        );
        let run = "import sys,micropython_unix\nsys.exit(micropython_unix.run_main(['micropython','-c',sys.argv[1]]))";
        let said = output(python().args(["-c", run, &code]))?;
        holds(said.contains("it is 7.5"), address, &said)?;
        for file in files {
            holds(target.join(file).is_file(), file, &said)?;
        }
    }
    Ok(())
}

/// mpremote's, onto a board, which takes its own of all architectures.
fn mip_from_outside(server: &Server, board: &target_specs::Board) -> Result<(), Failed> {
    let served = line::serve(board, None)?;
    let mpremote =
        |words: &[&str]| output(python().args(["-m", "mpremote", "connect", &served.path]).args(words));
    let one = format!("{}answer-1.2.3/{}/", server.url, board.arch);
    let all = format!("{}answer-1.2.3", server.url);
    for (url, target) in [(&one, "/one"), (&all, "/all")] {
        mpremote(&["mip", "install", "--target", target, url])?;
        let code =
            format!("import sys\nsys.path.insert(0,'{target}')\nimport answer\nprint(answer.number(5))");
        let said = mpremote(&["exec", &code])?;
        holds(said.trim() == "7.5", url, &said)?;
    }
    Ok(())
}
