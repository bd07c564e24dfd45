//! `cargo mpy package`: what it makes is installed by `mip`, in MicroPython and from outside, mounted as ROM, and
//! unpacked; and large constants stay there.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use cargo_mpy::commands::new::{Ci, Options, Template, make};
use libtest_mimic::{Failed, Trial};
use tests::{board, line};

/// Boards that install the package of all architectures from outside.
const BOARDS: [&str; 3] = ["qemu-armv6m", "qemu-armv7emsp", "qemu-rv32imc"];

fn main() -> ExitCode {
    // The test is the tool too: it calls itself.
    if std::env::args().nth(1).is_some_and(|word| word == "mpy") {
        return cargo_mpy::main();
    }
    let arguments = tests::arguments();
    let trials = vec![
        Trial::test("package", package),
        Trial::test("tables", tables),
        Trial::test("state", state),
        Trial::test("index", index),
        Trial::test("workflow", workflow),
        Trial::test("action", action),
    ];
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
    command.env("PYTHONPATH", tests::tools::python());
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
    for board in board::named(&BOARDS) {
        mip_from_outside(&server, board)?;
    }
    Ok(())
}

const STATE: &str = r#"(module (memory (export "memory") 1 3) (global $g (export "level") (mut i32) (i32.const 5))
 (memory $fixed (export "fixed") 1 1)
 (func (export "bump") (global.set $g (i32.add (global.get $g) (i32.const 1))))
 (func (export "get") (result i32) (global.get $g))
 (func (export "poke") (param i32 i32) (i32.store8 $fixed (local.get 0) (local.get 1)))
 (func (export "grow") (result i32) (memory.grow (i32.const 1))))"#;

/// What is done to a module, and what is seen.
const USE_STATE: &str = "\
print(gl.level, gl.get(), len(gl.memory))
gl.bump(); print(gl.level, gl.get())
gl.level = 40; print(gl.level, gl.get())
gl.grow(); print(len(gl.memory))
gl.poke(3, 9); print(gl.fixed[3])
for wrong in 'gl.level = None', 'gl.memory = 1', 'del gl.level':
    try: exec(wrong)
    except (TypeError, AttributeError) as error: print(type(error).__name__)
gl.own = 1; print(gl.own, gl.__name__, [name for name in sorted(dir(gl)) if name[:2] != '__'])
import sys
try: print(sys.modules['gl.ARCH'].level)
except KeyError: print(40)
";

/// A package of several architectures is the module for Python: its memories and globals are not copied.
fn state() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("gl.wat"), STATE)?;
    for board in board::named(&["unix", "qemu-armv6m"]) {
        let words = ["mpy", "package", "--wasm", "gl.wat", "--arch", &board.arch];
        output(Command::new(std::env::current_exe()?).args(words).current_dir(folder.path()))?;
        let made = folder.path().join("target/mpy/package/gl-0.0.0");
        let read = |path: String| std::fs::read(made.join(path));
        let native = read(format!("{}/gl.mpy", board.arch))?;
        let package = vec![
            ("init.py".to_owned(), read("gl/__init__.py".to_owned())?),
            ("native.mpy".to_owned(), native.clone()),
        ];
        // Boards start with files in their root only.
        let lay_out = format!(
            "import os\nos.mkdir('gl')\nos.rename('init.py','gl/__init__.py')\n\
             os.rename('native.mpy','gl/{}.mpy')\n",
            board.arch
        );
        let code = format!("import gl\n{}", USE_STATE.replace("ARCH", &board.arch));
        let alone = board::execute(board, &[("gl.mpy".to_owned(), native)], &code)?;
        let packed = board::execute(board, &package, &format!("{lay_out}{code}"))?;
        holds(
            alone == packed && alone.starts_with("5 5 65536\n6 6\n40 40\n131072\n9\n"),
            "state",
            &(alone, packed),
        )?;
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

const TABLES: &str = r#"
#![no_std]
#[panic_handler]
fn on_panic(_: &core::panic::PanicInfo) -> ! { loop {} }
const fn numbers<const N: usize>(first: usize) -> [u8; N] {
    let mut all = [0; N];
    let mut i = 0;
    while i < N { all[i] = (first + 7 * i) as u8; i += 1; }
    all
}
const fn squares<const N: usize>() -> [u32; N] {
    let mut all = [0; N];
    let mut i = 0;
    while i < N { all[i] = (i * i) as u32; i += 1; }
    all
}
static WEIGHTS: [u8; 6001] = numbers(1);
static SQUARES: [u32; 500] = squares();
static FONTS: [&[u8]; 2] = [&numbers::<1500>(2), &numbers::<1501>(3)];
#[unsafe(no_mangle)]
extern "C" fn weight(i: usize) -> i32 { WEIGHTS.get(i).map_or(-1, |n| *n as i32) }
#[unsafe(no_mangle)]
extern "C" fn square(i: usize) -> u32 { SQUARES.get(i).copied().unwrap_or(7) }
#[unsafe(no_mangle)]
extern "C" fn glyph(font: usize, i: usize) -> i32 { FONTS[font & 1].get(i).map_or(-1, |n| *n as i32) }
"#;

/// Bytes of the tables there.
const TABLES_BYTES: i64 = 6001 + 4 * 500 + 1500 + 1501;

/// Large constants take no RAM when the module is in ROM, as much as before when it is not, and are the same.
fn tables() -> Result<(), Failed> {
    for board in ["qemu-armv6m", "qemu-rv32imc", "qemu-xtensa", "qemu-xtensawin"] {
        let board = target_specs::board(board)?;
        if let Some((_, Some(why))) = board::boards().into_iter().find(|(known, _)| known.name == board.name)
        {
            eprintln!("skipped: {} ({why})", board.name);
            continue;
        }
        let mut taken = Vec::new();
        for settings in ["", "[package.metadata.mpy]\nflash-tables = \"1K\"\n"] {
            let folder = tempfile::tempdir()?;
            std::fs::create_dir(folder.path().join("src"))?;
            std::fs::write(folder.path().join("src/lib.rs"), TABLES)?;
            let manifest = format!(
                "[package]\nname = \"tables\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                 [lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n{settings}"
            );
            std::fs::write(folder.path().join("Cargo.toml"), manifest)?;
            let words = ["mpy", "package", "--arch", &board.arch];
            output(Command::new(std::env::current_exe()?).args(words).current_dir(folder.path()))?;
            let made = folder.path().join("target/mpy/package/tables-0.1.0");
            let file = std::fs::read(made.join(&board.arch).join("tables.mpy"))?;
            let image = std::fs::read(made.join(format!("tables-{}.romfs", board.arch)))?;
            for (name, data, mount) in [
                ("tables.mpy", file, ""),
                (
                    "tables.romfs",
                    image,
                    "import vfs,sys\nvfs.mount(vfs.VfsRom(open('tables.romfs','rb').read()),'/rom')\n\
                     sys.path.insert(0,'/rom/lib')\n",
                ),
            ] {
                let code = format!(
                    "{mount}import gc\ngc.collect()\nfree = gc.mem_free()\nimport tables\ngc.collect()\n\
                     taken = free - gc.mem_free()\ngarbage = [bytes(50) for _ in range(100)]\n\
                     assert all(tables.weight(i) == 1 + 7 * i & 255 for i in range(6001))\n\
                     assert all(tables.square(i) == i * i for i in range(500))\n\
                     assert all(tables.glyph(0, i) == 2 + 7 * i & 255 for i in range(1500))\n\
                     assert all(tables.glyph(1, i) == 3 + 7 * i & 255 for i in range(1501))\n\
                     assert tables.weight(6001) == -1 == tables.glyph(1, 1501) and tables.square(500) == 7\n\
                     print(taken)\n"
                );
                let said = board::execute(board, &[(name.to_owned(), data)], &code)?;
                taken.push(said.trim().parse::<i64>().map_err(|_| said)?);
            }
        }
        let [plain, plain_rom, file, rom] = taken[..] else { unreachable!("two builds, two ways each") };
        eprintln!(
            "{:16} {TABLES_BYTES} bytes of tables; taken by the import: {plain} and from ROM {plain_rom}, apart \
             {file} and {rom}",
            board.name
        );
        holds(plain_rom - rom >= TABLES_BYTES - 600, "what ROM spares", &taken)?;
        holds((file - plain).abs() < 700, "nothing is lost without ROM", &taken)?;
    }
    Ok(())
}

/// An index of two versions of a package with files in Python, which `mip` installs from by name.
fn index() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let put = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).and_then(|()| std::fs::write(path, text))
    };
    put("src/lib.rs", "#[unsafe(no_mangle)]\npub extern \"C\" fn number() -> i32 {\n    41\n}\n")?;
    put("python/answer/__init__.py", "from _answer import number\nfrom answer.word import word\n")?;
    for version in ["1.0.0", "1.1.0"] {
        put("python/answer/word.py", &format!("def word(): return 'of {version}'\n"))?;
        let manifest = format!(
            "[package]\nname = \"answer\"\nversion = \"{version}\"\nedition = \"2024\"\n[lib]\n\
             crate-type = [\"cdylib\"]\n[workspace]\n[package.metadata.mpy]\nname = \"_answer\"\n\
             python = \"python\"\nboards = [\"unix\", \"qemu-armv6m\"]\n"
        );
        put("Cargo.toml", &manifest)?;
        let words = ["mpy", "package", "--index", "index"];
        output(Command::new(std::env::current_exe()?).args(words).current_dir(folder.path()))?;
    }
    let server = Server::start(folder.path())?;
    let list = std::fs::read_to_string(folder.path().join("index/index.json"))?;
    let list: serde_json::Value = serde_json::from_str(&list)?;
    let versions = &list["packages"][0]["versions"];
    holds(list["packages"][0]["version"] == "1.1.0", "the list", &list)?;
    holds(versions["py"] == versions["6"] && versions["6"][0] == "1.0.0", "its versions", &list)?;
    let address = format!("{}index", server.url);
    for (wanted, version) in [("", "1.1.0"), ("@1.0.0", "1.0.0")] {
        let lib = folder.path().join(format!("lib-{version}"));
        let code = format!(
            "import mip,sys\nmip.install('_answer'{},index={address:?},target={lib:?})\nsys.path.insert(0,{lib:?})\n\
             import answer,_answer\nprint('it is',answer.number(),answer.word(),_answer.__version__)\n",
            wanted.strip_prefix('@').map_or(String::new(), |version| format!(",version='{version}'")),
        );
        let run = "import sys,micropython_unix\nsys.exit(micropython_unix.run_main(['micropython','-c',sys.argv[1]]))";
        let said = output(python().args(["-c", run, &code]))?;
        holds(said.contains(&format!("it is 41 of {version} {version}")), version, &said)?;
        for board in board::named(&["qemu-armv6m"]) {
            let served = line::serve(board, None)?;
            let mpremote = |words: &[&str]| {
                output(python().args(["-m", "mpremote", "connect", &served.path]).args(words))
            };
            let package = format!("_answer{wanted}");
            mpremote(&["mip", "install", "--index", &address, "--target", "/lib", &package])?;
            let said = mpremote(&[
                "exec",
                "import answer,_answer\nprint(answer.number(),answer.word(),_answer.__version__)",
            ])?;
            holds(said.trim() == format!("41 of {version} {version}"), "from outside", &said)?;
        }
    }
    // The package of one architecture, and the image.
    let made = folder.path().join("target/mpy/package/_answer-1.1.0");
    for file in ["x64/answer/word.py", "x64/_answer.mpy", "python/answer/__init__.py"] {
        holds(made.join(file).is_file(), file, &made)?;
    }
    let image = std::fs::read(made.join("_answer-x64.romfs"))?;
    let code = "import vfs,sys\nvfs.mount(vfs.VfsRom(open('i.romfs','rb').read()),'/rom')\n\
                sys.path.append('/rom/lib')\nimport _answer\nfrom answer.word import word\n\
                print(_answer.number(), word())\n";
    let said = board::execute(target_specs::board("unix")?, &[("i.romfs".to_owned(), image)], code)?;
    holds(said == "41 of 1.1.0\n", "from ROM", &said)
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

/// The contents of a YAML file.
fn yaml(file: &Path) -> Result<serde_json::Value, Failed> {
    let read = "import json,sys,yaml\nprint(json.dumps(yaml.load(open(sys.argv[1]), yaml.BaseLoader)))";
    Ok(serde_json::from_str(&output(Command::new("python3").args(["-c", read]).arg(file))?)?)
}

/// The scripts of the action are bash, and it installs files that the release workflow makes.
fn action() -> Result<(), Failed> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let parsed = yaml(&root.join("action.yml"))?;
    let steps = parsed["runs"]["steps"].as_array().ok_or("steps")?;
    let scripts: Vec<&str> = steps.iter().filter_map(|step| step["run"].as_str()).collect();
    holds(scripts.len() == 3, "scripts", &scripts)?;
    for script in &scripts {
        output(Command::new("bash").args(["-n", "-c", script]))?;
    }
    let release = yaml(&root.join(".github/workflows/release.yml"))?;
    let made = &release["jobs"]["program"]["strategy"]["matrix"]["include"];
    let made: Vec<&str> =
        made.as_array().into_iter().flatten().filter_map(|one| one["target"].as_str()).collect();
    let taken = scripts[1].matches("file=cargo-mpy-").count();
    let known = made.iter().filter(|target| scripts[1].contains(&format!("file=cargo-mpy-{target}.")));
    holds(taken == made.len() && known.count() == taken, "programs", &made)
}

/// What the workflow of `init --ci github` runs, with the program instead of an installed one.
fn workflow() -> Result<(), Failed> {
    if board::named(&["qemu-armv6m"]).is_empty() {
        return Ok(());
    }
    let folder = tempfile::tempdir().expect("a folder");
    // A crate in a folder of a repository.
    std::fs::create_dir(folder.path().join(".git")).expect("a folder");
    let crate_ = folder.path().join("it's here/from-ci");
    std::fs::create_dir_all(crate_.parent().expect("a folder")).expect("a folder");
    let options = Options {
        template: Some(Template::Minimal),
        name: None,
        vcs: Some("none".to_owned()),
        ci: Some(Ci::Github),
    };
    make("new", &crate_, &options).expect("a new crate");
    let manifest = crate_.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).expect("a file");
    std::fs::write(&manifest, format!("{text}\n[package.metadata.mpy]\nboards = [\"rpi-pico\"]\n"))
        .expect("a file");
    let file = folder.path().join(".github/workflows/from_ci.yml");
    let workflow = std::fs::read_to_string(&file).expect("a workflow");
    // It is not made again over changes.
    assert!(make("init", &crate_, &options).is_err());
    assert_eq!(std::fs::read_to_string(&file).expect("a workflow"), workflow);

    let parsed = yaml(&file)?;
    let job = &parsed["jobs"]["module"];
    let home = folder.path().join(job["defaults"]["run"]["working-directory"].as_str().expect("a folder"));
    let steps = job["steps"].as_array().expect("steps");
    let commands: Vec<&str> = steps.iter().filter_map(|step| step["run"].as_str()).collect();
    let names: Vec<&str> =
        commands.iter().map(|command| command.split(' ').nth(2).unwrap_or_default()).collect();
    assert_eq!(names, ["build", "test", "size", "package"]);
    for command in commands {
        let program = std::env::current_exe()?;
        let command = command.replace("cargo mpy", &format!("'{}' mpy", program.display()));
        let budget = parsed["env"]["MAX_SIZE"].as_str().expect("a budget");
        let run =
            Command::new("bash").args(["-ec", &command]).current_dir(&home).env("MAX_SIZE", budget).output();
        let run = run.expect("bash");
        assert!(run.status.success(), "{command}: {}", String::from_utf8_lossy(&run.stderr));
    }
    // What is kept is there.
    let kept: Vec<&str> = steps.iter().filter_map(|step| step["with"]["path"].as_str()).collect();
    assert_eq!(kept.len(), 2);
    assert!(folder.path().join(kept[0]).join("from_ci-0.1.0.zip").is_file());
    let report = std::fs::read_to_string(folder.path().join(kept[1])).expect("a report");
    assert!(
        report.contains("<testsuite name=\"from_ci unittests on qemu-armv6m\" tests=\"2\" failures=\"0\""),
        "{report}"
    );
    Ok(())
}
