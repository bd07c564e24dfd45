//! `cargo mpy deploy` and its kin, with emulated boards and the unix port on pseudo-terminals.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use cargo_mpy::serial::Transport;
use libtest_mimic::{Failed, Trial};
use tests::board;
use tests::line::{self, Served};
use tests::messages;
use tests::unix::{Kind, UnixBoard};

const BOARDS: [&str; 3] = ["qemu-armv6m", "qemu-armv7emsp", "qemu-rv32imc"];

fn main() -> ExitCode {
    // The test is the tool too: it calls itself.
    if std::env::args().nth(1).is_some_and(|word| word == "mpy") {
        return cargo_mpy::main();
    }
    let arguments = tests::arguments();
    let mut trials = Vec::new();
    for (board, why_not) in board::boards() {
        if !BOARDS.contains(&board.name.as_str()) {
            continue;
        }
        if let Some(why) = &why_not {
            eprintln!("skipped: {} ({why})", board.name);
        }
        let mut add = |what: &str, test: fn(&target_specs::Board) -> Result<(), Failed>| {
            let trial = Trial::test(format!("{}::{what}", board.name), move || test(board));
            trials.push(trial.with_ignored_flag(why_not.is_some() || board::is_nightly(board)));
        };
        add("deploy", |board| deploy(&line::serve(board, None)?, board));
        add("bad boards", bad_boards);
        add("imports", imports);
        add("rom", rom);
        if board.name == BOARDS[0] {
            add("monitor", monitor);
            add("Python files", |board| python_files(&line::serve(board, None)?, board));
            add("network", network);
            add("tests and benchmarks", |board| tests_and_benchmarks(&line::serve(board, None)?));
            add("dev, a crate", |board| dev_of_a_crate(&line::serve(board, None)?));
            add("dev, little memory", |board| dev_with_little_memory(&line::serve(board, None)?));
            add("endless loops", |board| endless_loops(&line::serve(board, None)?));
            add("output that imitates the REPL", |board| imitations(&line::serve(board, None)?));
        }
    }
    // What boards are asked fits into the smallest.
    for (board, why_not) in board::small_boards() {
        let trial = Trial::test(format!("{}::deploy", board.name), move || little_memory(board));
        trials.push(trial.with_ignored_flag(why_not.is_some()));
    }
    trials.push(Trial::test("unix::deploy", || unix(false)));
    trials.push(Trial::test("unix::deploy without raw paste", || unix(true)));
    trials.push(Trial::test("unix::dev", dev));
    trials.push(Trial::test("unix::tests and benchmarks", || {
        let files = tempfile::tempdir()?;
        tests_and_benchmarks(&line::serve_line(UnixBoard::start(files.path(), Kind::Usual)?, None)?)
    }));
    trials.push(Trial::test("settings", settings));
    trials.push(Trial::test("messages", json_messages));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What the tool says when called in `folder`: whether it succeeded, standard output, standard error.
fn tool(folder: &Path, words: &[&str]) -> (bool, String, String) {
    let me = std::env::current_exe().expect("this program");
    let output = Command::new(me)
        .arg("mpy")
        .args(words)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("this program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

fn holds(condition: bool, what: &str, said: &dyn std::fmt::Debug) -> Result<(), Failed> {
    if condition { Ok(()) } else { Err(format!("{what}: {said:#?}").into()) }
}

/// A module that says `number`.
fn wat(number: u32) -> String {
    format!("(module (func (export \"number\") (result i32) i32.const {number}))")
}

fn unix(plain: bool) -> Result<(), Failed> {
    let files = tempfile::tempdir()?;
    let served = line::serve_line(
        UnixBoard::start(files.path(), if plain { Kind::Plain } else { Kind::Usual })?,
        None,
    )?;
    deploy(&served, target_specs::board("unix")?)?;
    // What it has can be seen from outside.
    let mut names: Vec<_> =
        std::fs::read_dir(files.path())?.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    holds(names == ["answer.mpy", "apps"], "its files", &names)
}

/// What commands print as JSON is what the schema describes, and the schema describes nothing else.
fn json_messages() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let call = |words: &[&str]| tool(folder.path(), words);
    std::fs::write(folder.path().join("answer.wat"), wat(1))?;
    std::fs::write(folder.path().join("wrong.wat"), "(module (func (result i32)))")?;
    std::fs::write(folder.path().join("text.wat"), "(module (func")?;
    let boards = call(&["boards", "--json"]);
    messages::validate(&boards.1)?;
    let build = ["build", "--message-format", "json"];
    for (file, reasons) in [
        ("answer.wat", ["mpy-artifact", "build-finished"]),
        ("wrong.wat", ["mpy-diagnostic", "build-finished"]),
        ("text.wat", ["mpy-diagnostic", "build-finished"]),
        ("none.wat", ["mpy-diagnostic", "build-finished"]),
    ] {
        let said = call(&[&build[..], &["--wasm", file]].concat());
        messages::validate(&said.1)?;
        let lines =
            said.1.lines().map(serde_json::from_str).collect::<Result<Vec<serde_json::Value>, _>>()?;
        let found: Vec<_> = lines.iter().map(|line| line["reason"].as_str().unwrap_or_default()).collect();
        holds(found == reasons, file, &said)?;
    }
    let board = boards.1.lines().next().unwrap_or_default();
    for wrong in [
        board.replace("\"reason\":\"board\"", "\"reason\":\"bored\""),
        board.replace("\"arch\":", "\"architecture\":"),
        board.replace("\"name\":\"", "\"name\":1,\"x\":\""),
    ] {
        holds(wrong != board && messages::validate(&wrong).is_err(), "a wrong message", &wrong)?;
    }
    Ok(())
}

fn deploy(served: &Served, board: &target_specs::Board) -> Result<(), Failed> {
    let is_real = board.name != "unix";
    let folder = tempfile::tempdir()?;
    let put = |number| std::fs::write(folder.path().join("answer.wat"), wat(number));
    let base = ["deploy", "--port", &served.path, "--wasm", "answer.wat"];
    let call = |more: &[&str]| tool(folder.path(), &[&base[..], more].concat());
    let say = ["--run", "print('it says', answer.number())"];
    // --run starts anew in the session that imported the module.
    put(41)?;
    let said = call(&say);
    holds(said.0 && said.1 == "it says 41\n" && said.2.contains("Deployed answer.mpy"), "first", &said)?;
    let said = call(&say);
    holds(said.0 && said.1 == "it says 41\n" && said.2.contains("Unchanged"), "again", &said)?;
    put(42)?;
    let said = call(&say);
    holds(said.0 && said.1 == "it says 42\n" && said.2.contains("Deployed answer.mpy"), "changed", &said)?;
    // Of the unix port the root is this machine's.
    let dest = if is_real { "/apps/x" } else { "apps/x" };
    let said = call(&["--dest", dest, "--run", "print(answer.number())"]);
    holds(said.0 && said.2.contains(&format!("Deployed {dest}/answer.mpy")), "into a folder", &said)?;
    let said = call(&["--run", "1/0"]);
    holds(!said.0 && said.2.contains("ZeroDivisionError"), "an exception", &said)?;
    if is_real {
        let said = call(&["--timeout", "0.5", "--run", "while 1: pass"]);
        holds(!said.0 && said.2.contains("timed-out"), "a loop", &said)?;
    }
    let said = call(&["--json", "--run", "print(answer.number())"]);
    let events: Vec<&str> = said.1.lines().collect();
    holds(
        said.0
            && events.first().is_some_and(|event| event.contains(&format!("\"arch\":\"{}\"", board.arch)))
            && events.last().is_some_and(|event| event.contains("42")),
        "events",
        &said,
    )?;
    messages::validate(&said.1)?;

    // From RAM, with the board's files as they are.
    put(43)?;
    let run = [
        "run",
        "--port",
        &served.path,
        "--wasm",
        "answer.wat",
        "-e",
        "import answer; print(answer.number())",
    ];
    let said = tool(folder.path(), &run);
    holds(said.0 && said.1 == "43\n", "in RAM", &said)?;
    let said =
        tool(folder.path(), &[&run[..5], &["-e", "import sys; print(sys.argv)", "--", "-a", "b'"]].concat());
    holds(said.0 && said.1 == "['-c', '-a', \"b'\"]\n", "arguments", &said)?;
    put(42)?;
    let said = call(&say);
    holds(said.0 && said.1 == "it says 42\n" && said.2.contains("Unchanged"), "as it was", &said)?;

    // mpremote, which knows nothing of us, sees the same file.
    let mpy = folder.path().join("target/mpy").join(&board.arch).join("answer.mpy");
    let mpremote = |words: &[&str]| {
        let output = Command::new("python3")
            .env("PYTHONPATH", tests::tools::python())
            .args(["-m", "mpremote", "connect", &served.path])
            .args(words)
            .output()?;
        io::Result::Ok(format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ))
    };
    let theirs = mpremote(&["fs", "sha256sum", ":answer.mpy"])?;
    let ours = Command::new("sha256sum").arg(&mpy).output()?;
    let ours = String::from_utf8_lossy(&ours.stdout).split_whitespace().next().unwrap_or_default().to_owned();
    holds(theirs.contains(&ours) && ours.len() == 64, "mpremote's hash", &(ours, theirs))?;
    let list = mpremote(&["fs", "ls", ":"])?;
    holds(!list.contains(".part"), "nothing is left over", &list)
}

fn bad_boards(board: &target_specs::Board) -> Result<(), Failed> {
    let served = line::serve(board, None)?;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("answer.wat"), wat(1))?;
    let base = ["deploy", "--port", &served.path, "--wasm", "answer.wat"];
    let call = |more: &[&str]| tool(folder.path(), &[&base[..], more].concat());
    // Soft floats on a processor that passes them in registers would load, and be wrong.
    let other = if board.arch == "armv6m" { "xtensawin" } else { "armv6m" };
    let said = call(&["--arch", other]);
    holds(!said.0 && said.2.contains("error[wrong-board]"), "another architecture", &said)?;
    {
        let _mine = cargo_mpy::serial::port::open(&served.path, 115_200)?;
        let said = call(&[]);
        holds(!said.0 && said.2.contains("error[port]"), "a port in use", &said)?;
    }
    let said = call(&["--run", "import sys,time\nfor i in range(3): print('x', end='')"]);
    holds(said.0 && said.1 == "xxx", "released", &said)?;
    // No space, and a filesystem that cannot be written to.
    let full = "import os\ns=os.statvfs('/')\nwith open('fill','wb') as f:\n for i in range(s[3]-2): f.write(bytes(s[0]))";
    let run = |code: &str| {
        tool(folder.path(), &["run", "--port", &served.path, "--wasm", "answer.wat", "-e", code])
    };
    let said = run(full);
    holds(said.0, "filled", &said)?;
    // Not so small that a filesystem has it beside its name.
    let large = format!(
        "(module (memory (export \"memory\") 1) (data (i32.const 16) \"{}\")
           (func (export \"number\") (param i32) (result i32) (i32.load8_u (local.get 0))))",
        "0123456789".repeat(600)
    );
    std::fs::write(folder.path().join("answer.wat"), large)?;
    let said = call(&[]);
    holds(!said.0 && said.2.contains("error[no-space]"), "a full board", &said)?;
    let said = run("import os\nos.remove('fill')\nimport answer\nprint(os.listdir(), answer.number(16))");
    holds(said.0 && said.1.contains("'answer.mpy'") && !said.1.contains("part"), "as it was", &said)?;
    let said = run("class RO:\n def __getattr__(self,n):\n  def f(*a):\n   \
                    if n=='stat' and a[0]=='/': return (0x4000,)+(0,)*9\n   \
                    if n=='stat': raise OSError(2)\n   \
                    if n in('open','mkdir','remove'): raise OSError(30)\n  return f\n\
                    import os\nos.mount(RO(),'/ro')\nprint(os.listdir('/'))");
    holds(said.0 && said.1.contains("ro"), "mounted", &said)?;
    let said = call(&["--dest", "/ro"]);
    holds(!said.0 && said.2.contains("error[read-only]"), "a read-only filesystem", &said)?;

    // A board that prints without end, then one that nothing stops.
    let type_ = |line: &[u8]| -> Result<(), Failed> {
        let mut port = cargo_mpy::serial::port::open(&served.path, 115_200)?;
        let deadline = Instant::now() + Duration::from_secs(60);
        port.write(line, deadline)?;
        // The board is to be at it before it is spoken to: it prints what is not in the line.
        let mut read = Vec::new();
        while !read.windows(4).any(|bytes| bytes == b"42\r\n") {
            let mut buffer = [0; 256];
            let count = port.read(&mut buffer, deadline)?;
            holds(count > 0, "the board is at it", &String::from_utf8_lossy(&read))?;
            read.extend(&buffer[..count]);
        }
        Ok(())
    };
    type_(b"\r\x03exec('import time\\nwhile 1: print(6*7); time.sleep_ms(1)')\r")?;
    let said = call(&["--run", "print('quiet')"]);
    holds(said.0 && said.1 == "quiet\n", "a board that prints", &said)?;
    // It sleeps meanwhile: an emulator that is busy until the tool gives up takes the time of the other tests.
    type_(
        b"\r\x03exec('import micropython,time\\nmicropython.kbd_intr(-1)\\nprint(6*7)\\nwhile 1: time.sleep(1)')\r",
    )?;
    let said = call(&[]);
    holds(!said.0 && said.2.contains("error[no-answer]"), "a board that nothing stops", &said)
}

/// A module in the board's ROM, where its code is executed, beside what is there.
fn rom(board: &target_specs::Board) -> Result<(), Failed> {
    let served = line::serve(board, None)?;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("answer.wat"), wat(7))?;
    let to = ["--port", &served.path, "--wasm", "answer.wat", "--code", "flash"];
    let run = |code: &str| {
        let said = tool(folder.path(), &[&["run"], &to[..4], &["-e", code]].concat());
        holds(said.0, code, &said).map(|()| said.1)
    };
    let deploy = |more: &[&str]| tool(folder.path(), &[&["deploy", "--rom"], &to[..], more].concat());
    let say = ["--run", "print(answer.__file__, answer.number())"];
    let said = deploy(&say);
    holds(!said.0 && said.2.contains("error[no-rom]"), "a board without ROM", &said)?;
    let script = include_str!("../boards/rom.py");
    run(&format!(
        "with open('boot.py','w') as f:f.write({script:?})\n\
         with open('rom.bin','wb') as f:\n for i in range(8):f.write(b'\\xff'*1024)"
    ))?;
    let said = deploy(&say);
    holds(said.0 && said.1 == "/rom/lib/answer.mpy 7\n" && said.2.contains("Deployed"), "first", &said)?;
    let said = deploy(&say);
    holds(said.0 && said.1 == "/rom/lib/answer.mpy 7\n" && said.2.contains("Unchanged"), "again", &said)?;
    // Another module, which leaves the first where it is.
    std::fs::write(folder.path().join("answer.wat"), wat(8))?;
    let said = deploy(&["--name", "other", "--run", "import answer; print(answer.number(), other.number())"]);
    holds(said.0 && said.1 == "7 8\n", "beside it", &said)?;
    let said = deploy(&["--run", "import other; print(answer.number(), other.number())"]);
    holds(said.0 && said.1 == "8 8\n", "replaced", &said)?;
    let said =
        run("import gc\ngc.collect();a=gc.mem_alloc()\nimport other\ngc.collect();print(gc.mem_alloc()-a)")?;
    holds(said.trim().parse::<u32>().is_ok_and(|taken| taken < 600), "RAM", &said)?;
    let large = format!(
        "(module (memory (export \"memory\") 1) (data (i32.const 16) \"{}\")
           (func (export \"number\") (param i32) (result i32) (i32.load8_u (local.get 0))))",
        "0123456789".repeat(900)
    );
    std::fs::write(folder.path().join("answer.wat"), large)?;
    let said = deploy(&[]);
    holds(!said.0 && said.2.contains("error[no-space]"), "too large", &said)?;
    std::fs::write(folder.path().join("answer.wat"), wat(9))?;
    let said = deploy(&["--dest", "/lib"]);
    holds(!said.0 && said.2.contains("--dest"), "two places", &said)?;
    // What comes first in `sys.path` is told.
    run("open('/other.py','w').write('')")?;
    let said = deploy(&["--name", "other"]);
    holds(!said.0 && said.2.contains("error[shadowed]"), "shadowed", &said)?;
    // Something else than an image that can be kept.
    run("import os,vfs\nos.remove('/other.py')\nvfs.rom_ioctl(4,0,16,b'\\x00'*64)")?;
    let said = deploy(&[]);
    holds(!said.0 && said.2.contains("error[rom-image]"), "a damaged image", &said)?;
    run("import vfs\nvfs.rom_ioctl(3,0,16)")?;
    let said = deploy(&say);
    holds(said.0 && said.1 == "/rom/lib/answer.mpy 9\n", "erased", &said)?;
    // Each change is written there.
    let path = "import answer; print(answer.__file__, answer.number())";
    let mut running = Running::start(folder.path(), &[&["dev", "--rom", "-e", path], &to[..]].concat())?;
    for number in [9, 10] {
        std::fs::write(folder.path().join("answer.wat"), wat(number))?;
        running.says(&format!("/rom/lib/answer.mpy {number}"))?;
    }
    Ok(())
}

/// What is imported is the module, or the file that is imported instead is named.
fn imports(board: &target_specs::Board) -> Result<(), Failed> {
    let served = line::serve(board, None)?;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("answer.wat"), wat(7))?;
    let port = ["--port", &served.path, "--wasm", "answer.wat"];
    let say = ["--run", "import answer; print(answer.number())"];
    let deploy = |more: &[&str]| tool(folder.path(), &[&["deploy"], &port[..], &say, more].concat());
    let run = |code: &str| {
        let said = tool(folder.path(), &[&["run"], &port[..], &["-e", code]].concat());
        holds(said.0, code, &said)
    };
    for dest in ["/mylib", "/lib", "lib", "/", "mylib/"] {
        let said = deploy(&["--dest", dest]);
        let is_told = said.2.contains("`sys.path` of the board lacks");
        holds(said.0 && said.1 == "7\n" && is_told == dest.contains("mylib"), dest, &said)?;
    }
    // It may replace a module of the firmware that files go before.
    let words = ["--name", "json", "--run", "import json; print(json.number())"];
    let said = tool(folder.path(), &[&["deploy"], &port[..], &words].concat());
    holds(said.0 && said.1 == "7\n", "instead of json", &said)?;
    // Before it in `sys.path`, or in its folder.
    let old = "open('/answer.py','w').write('def number(): return 0')";
    let package = "import os; os.remove('/answer.py'); os.mkdir('/answer')";
    for (make, path, dests) in [(old, "answer.py", &["", "/lib"][..]), (package, "answer", &["/", "/lib"])] {
        run(make)?;
        for dest in dests {
            let said = deploy(&["--dest", dest]);
            let message = format!("`import answer` finds `{path}` on the board");
            holds(!said.0 && said.2.contains("error[shadowed]") && said.2.contains(&message), dest, &said)?;
            holds(!said.2.contains("Deployed") && !said.2.contains("Unchanged"), dest, &said)?;
        }
    }
    // Another folder is added before the others.
    let said = deploy(&["--dest", "/mylib"]);
    holds(said.0 && said.1 == "7\n", "in a folder of its own", &said)?;
    run("import os; os.rmdir('/answer')")?;
    // What is imported at the start is the module already.
    run("open('/boot.py','w').write('import answer')")?;
    let said = deploy(&[]);
    holds(said.0 && said.1 == "7\n", "imported by boot.py", &said)?;
    // A module of the firmware, in C and in Python. These boards have none but those whose names are refused.
    for path in ["[]", "['.frozen']"] {
        run(&format!(
            "open('/boot.py','w').write('''import builtins,sys\nsys.path.insert(0,'.frozen')\nreal=__import__\n\
             def fake(name,*rest):\n if name=='answer' and sys.path=={path}: return sys\n return real(name,*rest)\n\
             builtins.__import__=fake\n''')"
        ))?;
        let said = deploy(&[]);
        let is_told = said.2.contains("finds the firmware's own module `answer`");
        holds(!said.0 && said.2.contains("error[shadowed]") && is_told, path, &said)?;
    }
    run("import os\nos.remove('/boot.py')\nos.umount('/')")?;
    for dest in ["", "/", "/lib", "lib"] {
        let said = deploy(&["--dest", dest]);
        let helps = said.2.contains("error[no-filesystem]") && said.2.contains("cargo mpy run --port");
        holds(!said.0 && helps, "without a filesystem", &said)?;
    }
    // What works there.
    run("import answer; assert answer.number() == 7")
}

/// A program may print what ends the output of code, and go on, read, or fail.
fn imitations(served: &Served) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("answer.wat"), wat(7))?;
    let base = ["deploy", "--raw", "--port", &served.path, "--wasm", "answer.wat", "--run"];
    let call = |code: &str| tool(folder.path(), &[&base[..], &[code]].concat());
    for imitation in
        ["\\x04", "\\x04\\x04>", "raw REPL; CTRL-B to exit\\r\\n>", "\\x04E\\x04>OK-1\\r\\n\\x04\\x04>"]
    {
        let printed = imitation.replace("\\x04", "\x04").replace("\\r\\n", "\n");
        let code = format!("import time\nprint('a{imitation}b')\ntime.sleep(0.5)\nprint('c')");
        let said = call(&code);
        holds(said.0 && said.1 == format!("a{printed}b\nc\n"), imitation, &said)?;
        // A prompt is followed by a question, which the program may read.
        if imitation.contains("\\x04>") {
            for bytes in [1, 5, 13, 30] {
                let said = call(&format!("import sys\nprint('a{imitation}b')\nsys.stdin.read({bytes})\n1/0"));
                let fails = !said.0 && said.1 == format!("a{printed}b\n");
                holds(fails && said.2.contains("ZeroDivisionError"), imitation, &said)?;
            }
        }
        let said = call("print('still', answer.number())");
        holds(said.0 && said.1 == "still 7\n", "afterwards", &said)?;
    }
    Ok(())
}

/// A board with a heap of 16 to 36 KiB, where the heap has been used.
fn little_memory(board: &target_specs::Board) -> Result<(), Failed> {
    let served = line::serve(board, None)?;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("answer.wat"), wat(7))?;
    let to = ["--port", &served.path, "--wasm", "answer.wat"];
    let say = "import answer; print('it says', answer.number())";
    for words in
        [&["deploy", "--run", say][..], &["deploy", "--dest", "/apps", "--run", say], &["run", "-e", say]]
    {
        let said = tool(folder.path(), &[words, &to].concat());
        holds(said.0 && said.1 == "it says 7\n", words[0], &said)?;
    }
    let mut running = Running::start(folder.path(), &[&["dev", "-e", say], &to[..]].concat())?;
    running.says("it says 7")?;
    std::fs::write(folder.path().join("answer.wat"), wat(8))?;
    running.says("it says 8").map(drop)
}

/// The tool, running, with what it says line by line.
struct Running {
    child: Child,
    lines: Receiver<String>,
    /// What it has said so far.
    said: Vec<String>,
}

impl Running {
    fn start(folder: &Path, words: &[&str]) -> Result<Running, Failed> {
        // The other ends of the boards' terminals must not live on in it: their end is what it is to see.
        let alone = "import os,sys; os.closerange(3,1024); os.execv(sys.argv[1],sys.argv[1:])";
        let mut command = Command::new("python3");
        command.args(["-c", alone]).arg(std::env::current_exe()?);
        command.arg("mpy").args(words).current_dir(folder).env("NO_COLOR", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (sender, lines) = mpsc::channel();
        let streams: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().expect("piped")), Box::new(child.stderr.take().expect("piped"))];
        for stream in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                    let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Running { child, lines, said: Vec::new() })
    }

    /// Waits for a line with this in it.
    fn says(&mut self, what: &str) -> Result<String, Failed> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(what) {
                        return Ok(line);
                    }
                }
                Err(error) => {
                    return Err(format!("it does not say {what:?} ({error}): {:#?}", self.said).into());
                }
            }
        }
    }

    fn types(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        let stdin = self.child.stdin.as_mut().expect("piped");
        Ok(stdin.write_all(bytes).and_then(|()| stdin.flush())?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn dev() -> Result<(), Failed> {
    let files = tempfile::tempdir()?;
    let served = line::serve_line(UnixBoard::start(files.path(), Kind::Usual)?, None)?;
    let folder = tempfile::tempdir()?;
    let put = |number| std::fs::write(folder.path().join("answer.wat"), wat(number));
    let script = |text: &str| std::fs::write(folder.path().join("say.py"), text);
    for to in [&["--port", &served.path][..], &["--board", "unix"]] {
        put(41)?;
        script("import answer\nprint('it says', answer.number())\n")?;
        let mut running = Running::start(folder.path(), &[&["dev", "answer.wat", "say.py"], to].concat())?;
        // What is printed and what is said of it come by two roads, in any order.
        running.says("it says 41")?;
        put(42)?;
        running.says("it says 42")?;
        script("import answer\nprint('so', answer.number())\n")?;
        running.says("so 42")?;
        // A mistake is told, and the next change may be none.
        std::fs::write(folder.path().join("answer.wat"), "(module")?;
        running.says("error[")?;
        running.says("Watching")?;
        // The import may print.
        let text =
            "(module (import \"mpy\" \"print\" (func $print (param i32 i32))) (memory (export \"memory\") 1)
            (data (i32.const 16) \"at import\\04\\04>\\n\") (start $start)
            (func $start (call $print (i32.const 16) (i32.const 13)))
            (func (export \"number\") (result i32) i32.const 44))";
        std::fs::write(folder.path().join("answer.wat"), text)?;
        running.says("at import")?;
        running.says("so 44")?;
        put(43)?;
        running.says("so 43")?;
        // A program that does not end makes room.
        script("import answer, time\nprint('round and round')\nwhile 1: time.sleep(0.01)\n")?;
        running.says("round and round")?;
        if to[0] == "--board" {
            script("import answer\nprint('out', answer.number())\n")?;
            running.says("out 43")?;
        }
    }
    // It was all in RAM.
    let left: Vec<_> = std::fs::read_dir(files.path())?.flatten().collect();
    holds(left.is_empty(), "files on the board", &left)
}

/// A program that leaves no memory for the next module: the board is restarted. The bytes of a file are given back when
/// it has been imported.
fn dev_with_little_memory(served: &Served) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let put = |number: u32| {
        let data = "0123456789".repeat(3000);
        let text = format!(
            "(module (memory (export \"memory\") 1) (data (i32.const 16) \"{data}\")
               (func (export \"number\") (result i32) i32.const {number}))"
        );
        std::fs::write(folder.path().join("answer.wat"), text)
    };
    put(41)?;
    let code = "import answer,gc\nprint('it says', answer.number(), 'files', len(_FS.files))\n\
                gc.collect()\n_keep=[bytearray(1000) for _ in range((gc.mem_free()-LEFT)//1030)]\nprint('kept')";
    for left in ["20000", "6000", "3000"] {
        put(41)?;
        let code = code.replace("LEFT", left);
        // Events are in order, where messages and output come by two roads.
        let words = ["dev", "--json", "--wasm", "answer.wat", "-e", &code, "--port", &served.path];
        let mut running = Running::start(folder.path(), &words)?;
        running.says("it says 41 files 0")?;
        running.says("kept")?;
        for number in 42..44 {
            running.says("\"watching\"")?;
            put(number)?;
            running.says(&format!("it says {number} files 0"))?;
            running.says("kept")?;
        }
    }
    Ok(())
}

/// Files in Python beside the module: in RAM, on the board where `mip` puts packages, and while they are developed.
fn python_files(served: &Served, board: &target_specs::Board) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let put = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).and_then(|()| std::fs::write(path, text))
    };
    put("answer.wat", &wat(41))?;
    put("mpy.toml", "name = \"_answer\"\npython = \"python\"\n")?;
    put("python/answer/__init__.py", "from _answer import number\nfrom .words import word\n")?;
    put("python/answer/words.py", "def word(): return 'one'\n")?;
    put("python/half.py", "def of(n): return n // 2\n")?;
    put("python/half.pyi", "def of(n: int) -> int: ...\n")?;
    let code = "import answer, half\nprint(answer.number(), answer.word(), half.of(8))";
    let call = |words: &[&str]| tool(folder.path(), &[words, &["--wasm", "answer.wat"]].concat());
    let at_port = |words: &[&str]| call(&[words, &["--port", &served.path]].concat());
    for board in ["unix", &board.name] {
        let said = call(&["run", "--board", board, "-e", code]);
        holds(said.0 && said.1 == "41 one 4\n", board, &said)?;
    }
    let said = at_port(&["run", "-e", code]);
    holds(said.0 && said.1 == "41 one 4\n", "in RAM", &said)?;

    let deploy = || at_port(&["deploy", "--mip", "--run", code]);
    let files = ["/lib/answer/__init__.py", "/lib/answer/words.py", "/lib/half.py", "/lib/_answer.mpy"];
    for verb in ["Deployed", "Unchanged"] {
        let said = deploy();
        let are_told = files.iter().all(|file| said.2.contains(&format!("{verb} {file}")));
        holds(said.0 && said.1 == "41 one 4\n" && are_told && !said.2.contains(".pyi"), verb, &said)?;
    }
    put("python/answer/words.py", "def word(): return 'two'\n")?;
    let said = deploy();
    let is_sent =
        said.2.matches("Deployed ").count() == 1 && said.2.contains("Deployed /lib/answer/words.py");
    holds(said.0 && said.1 == "41 two 4\n" && is_sent, "one that changed", &said)?;

    let words = ["dev", "--json", "--wasm", "answer.wat", "-e", code, "--port", &served.path];
    let mut running = Running::start(folder.path(), &words)?;
    running.says("41 two 4")?;
    running.says("\"watching\"")?;
    put("python/answer/words.py", "def word(): return 'three'\n")?;
    running.says("41 three 4")?;
    running.says("\"watching\"")?;
    put("answer.wat", &wat(42))?;
    running.says("42 three 4")?;
    drop(running);

    // Python would find the file in place of the module.
    put("python/_answer.py", "")?;
    let said = call(&["run", "--board", "unix", "-e", code]);
    holds(!said.0 && said.2.contains("_answer.py") && said.2.contains("error[bad-value]"), "a name", &said)
}

/// A crate of `examples/`, as a user has it.
fn example(name: &str, folder: &Path) -> Result<(), Failed> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    std::fs::create_dir(folder.join("src"))?;
    for file in ["Cargo.toml", "src/lib.rs", "test.py"] {
        std::fs::copy(from.join(file), folder.join(file))?;
    }
    Ok(())
}

/// What is saved of the sources of `hello` runs, and what is wrong with it is told.
fn dev_of_a_crate(served: &Served) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    example("hello", folder.path())?;
    let library = folder.path().join("src/lib.rs");
    let source = std::fs::read_to_string(&library)?;
    let code = "import hello; print('it is', hello.add(2, 3))";
    let mut running = Running::start(folder.path(), &["dev", "--json", "--port", &served.path, "-e", code])?;
    running.says("\"connected\"")?;
    running.says("\"reason\":\"loaded\"")?;
    running.says("it is 5")?;
    for more in 1..=2 {
        running.says("\"watching\"")?;
        std::fs::write(
            &library,
            source.replace("a.wrapping_add(b)", &format!("a.wrapping_add(b) + {more}")),
        )?;
        running.says(&format!("it is {}", 5 + more))?;
    }
    running.says("\"watching\"")?;
    std::fs::write(&library, source.replace("a.wrapping_add(b)", "a.wrapping_add("))?;
    running.says("\"reason\":\"cargo-failed\"")?;
    running.says("\"watching\"")?;
    std::fs::write(&library, source.replace("a.wrapping_add(b)", "panic!(\"no sum\")"))?;
    running.says("\"reason\":\"exception\"").map(drop)
}

/// `test` and `bench` on a connected board, from its RAM.
fn tests_and_benchmarks(served: &Served) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    for (file, text) in [
        ("Cargo.toml", "[package]\nname = \"halves\"\nedition = \"2024\"\n[lib]\n[workspace]\n"),
        (
            "src/lib.rs",
            "#[unsafe(no_mangle)]\npub extern \"C\" fn half(n: i32) -> i32 {\n    n / 2\n}\n\
             #[unsafe(no_mangle)]\nextern \"C\" fn bench_half() -> i32 {\n    half(std::hint::black_box(40))\n}\n\
             #[test]\nfn of_a_number() {\n    assert_eq!(half(4), 2);\n}\n\
             #[test]\nfn is_wrong() {\n    assert_eq!(half(3), 2);\n}\n",
        ),
        ("tests/outside.rs", "#[test]\nfn from_outside() {\n    assert_eq!(halves::half(8), 4);\n}\n"),
        ("tests/good.py", "import halves\nassert halves.half(10) == 5\n"),
    ] {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a folder"))?;
        std::fs::write(path, text)?;
    }
    let call = |words: &[&str]| tool(folder.path(), &[words, &["--port", &served.path]].concat());
    let said = call(&["test"]);
    let lines = [
        "test of_a_number ... ok",
        "test is_wrong ... FAILED",
        "panicked at src/lib.rs:15:5",
        "test from_outside ... ok",
        "test tests/good.py ... ok",
    ];
    holds(!said.0 && lines.iter().all(|line| said.1.contains(line)), "tests", &said)?;
    let said = call(&["test", "--test", "outside"]);
    holds(said.0 && said.1.contains("1 passed; 0 failed"), "tests that pass", &said)?;
    // Time is measured there, which is never the same.
    let measured = |name: &str, more: &[&str]| -> Result<String, Failed> {
        let said = call(&[&["bench"], more].concat());
        let line = said.1.lines().find(|line| line.ends_with(name)).unwrap_or_default();
        let ns = line.split_whitespace().next().and_then(|ns| ns.replace(',', "").parse::<u64>().ok());
        holds(said.0 && ns.is_some_and(|ns| ns > 0), name, &said)?;
        Ok(line.to_owned())
    };
    let first = measured("bench_half", &[])?;
    let again = measured("bench_half", &["bench_"])?;
    holds(first.contains("new") && !again.contains("new"), "the last run", &(first, again))?;
    measured("halves.half(9)", &["-e", "halves.half(9)"])?;
    // The board is left as it was: it answers, and has none of the modules.
    let said = call(&["run", "-e", "import os; print(os.listdir())"]);
    holds(said.0 && !said.1.contains("halves"), "afterwards", &said)
}

/// Loops that do not end are interrupted when their time is over, and the board can be used.
fn endless_loops(served: &Served) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let manifest = "[package]\nname = \"loops\"\nedition = \"2024\"\n[lib]\n[workspace]\n\
                    [package.metadata.mpy]\ninterruptible = true\n";
    std::fs::create_dir(folder.path().join("src"))?;
    std::fs::write(folder.path().join("Cargo.toml"), manifest)?;
    std::fs::write(
        folder.path().join("src/lib.rs"),
        "#[unsafe(no_mangle)]\npub extern \"C\" fn endless() {\n    let mut n = 0;\n    loop {\n        \
         n = std::hint::black_box(n + 1);\n    }\n}\n",
    )?;
    let run = |code: &str| {
        let words = ["run", "--port", &served.path, "--timeout", "3", "-e", code];
        tool(folder.path(), &words)
    };
    let said = run("import loops; print('begins'); loops.endless()");
    let words = ["error[timed-out]", "it was interrupted"];
    let is_told = said.1 == "begins\n" && words.iter().all(|word| said.2.contains(word));
    holds(!said.0 && is_told, "an endless loop", &said)?;
    let said = run("print('goes on')");
    holds(said.0 && said.1 == "goes on\n", "afterwards", &said)
}

fn monitor(board: &target_specs::Board) -> Result<(), Failed> {
    let served = line::serve(board, None)?;
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join("src"))?;
    std::fs::write(folder.path().join("src/lib.rs"), "fn f() {\n    panic!(\"boom\")\n}\n")?;
    let link = folder.path().join("board");
    std::os::unix::fs::symlink(&served.path, &link)?;
    let path = link.to_string_lossy().into_owned();
    let mut running = Running::start(folder.path(), &["monitor", "--port", &path])?;
    running.says("Connected")?;
    // What is typed goes there, and what comes back is joined by the source it speaks of.
    running.types(b"\r\x03\x02raise RuntimeError('boom, src/lib.rs:2')\r")?;
    running.says("RuntimeError: boom, src/lib.rs:2")?;
    let source = running.says("2 |")?;
    holds(source.contains("panic!(\"boom\")"), "the source", &source)?;
    // Ctrl-C stops the board's program, not the monitor.
    running.types(b"import time\rwhile 1: print(6*7); time.sleep_ms(20)\r\r")?;
    running.says("42")?;
    running.types(b"\x03")?;
    running.says("KeyboardInterrupt")?;
    // The board is unplugged, and comes back.
    drop(served);
    running.says("Lost")?;
    let served = line::serve(board, None)?;
    std::fs::remove_file(&link)?;
    std::os::unix::fs::symlink(&served.path, &link)?;
    running.says("Back")?;
    running.types(b"\rprint('still', 6*7)\r")?;
    running.says("still 42")?;
    running.types(b"\x1d")?;
    let status = running.child.wait()?;
    holds(status.success(), "Ctrl-] leaves", &status)
}

/// A board behind a network, by RFC 2217 and by bare TCP.
fn network(board: &target_specs::Board) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("answer.wat"), wat(41))?;
    for scheme in ["rfc2217", "socket"] {
        let served = line::serve(board, None)?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("boards/server.py");
        let mut server = Command::new("python3")
            .env("PYTHONPATH", tests::tools::python())
            .arg(script)
            .args([&served.path, scheme])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut port = String::new();
        BufReader::new(server.stdout.take().expect("piped")).read_line(&mut port)?;
        let url = format!("{scheme}://127.0.0.1:{}", port.trim());
        let words = ["deploy", "--port", &url, "--wasm", "answer.wat", "--run", "print(answer.number())"];
        let said = tool(folder.path(), &words);
        let _ = server.kill();
        let _ = server.wait();
        holds(said.0 && said.1 == "41\n" && said.2.contains("Deployed"), scheme, &said)?;
    }
    // Something else listens there.
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let url = format!("rfc2217://{}", listener.local_addr()?);
    let said = tool(folder.path(), &["deploy", "--port", &url, "--wasm", "answer.wat"]);
    holds(!said.0 && said.2.contains("error[port]"), "not a server of ports", &said)
}

/// Where the port comes from when no flag says it.
fn settings() -> Result<(), Failed> {
    let files = tempfile::tempdir()?;
    let served = line::serve_line(UnixBoard::start(files.path(), Kind::Usual)?, None)?;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("answer.wat"), wat(41))?;
    let words = ["deploy", "--wasm", "answer.wat", "--run", "print(answer.number())"];
    let local = folder.path().join("mpy.local.toml");
    std::fs::write(&local, format!("port = {:?}\ndest = \"lib\"\n", served.path))?;
    let said = tool(folder.path(), &words);
    holds(said.0 && said.1 == "41\n" && said.2.contains("Deployed lib/answer.mpy"), "local", &said)?;
    std::fs::write(&local, "prot = 1\n")?;
    let said = tool(folder.path(), &words);
    holds(!said.0 && said.2.contains("error[bad-value]") && said.2.contains("mpy.local.toml:1"), "bad", &said)
}
