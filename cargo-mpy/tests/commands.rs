//! `test`, `bench`, `size` and `expand` on a crate, as a user types them: on this machine, and on a small board.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tests::board;

const LIBRARY: &str = r#"
/// Half of it.
#[unsafe(no_mangle)]
pub extern "C" fn half(n: i32) -> i32 {
    n / 2
}

#[unsafe(no_mangle)]
pub extern "C" fn bench_half() -> i32 {
    half(std::hint::black_box(40))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_number() {
        assert_eq!(half(4), 2);
    }

    #[test]
    fn is_wrong() {
        assert_eq!(half(3), 2, "three");
    }

    #[test]
    #[should_panic(expected = "overflow")]
    fn panics_as_it_should() {
        panic!("an overflow");
    }

    #[test]
    #[should_panic(expected = "overflow")]
    fn panics_otherwise() {
        panic!("something else");
    }

    #[test]
    fn uses_up_the_stack() {
        fn deep(n: u64) -> u64 {
            let next = std::hint::black_box(n + 1);
            if next == 0 { 0 } else { deep(next) + std::hint::black_box(1) }
        }
        assert!(deep(0) > 0);
    }

    #[test]
    #[ignore = "takes long"]
    fn is_ignored() {}

    #[test]
    fn zeroth() -> Result<(), std::num::ParseIntError> {
        "0".parse::<i32>().map(|_| ())
    }
}
"#;

const FILES: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[package]\nname = \"halves\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"lib\"]\n[workspace]\n",
    ),
    ("src/lib.rs", LIBRARY),
    ("tests/outside.rs", "#[test]\nfn from_outside() {\n    assert_eq!(halves::half(8), 4);\n}\n"),
    ("tests/good.py", "import halves\nassert halves.half(10) == 5\n"),
    ("tests/prints.py", "import halves\nprint(halves.half(7))\n"),
    ("tests/prints.py.exp", "4\n"),
    ("benches/two.py", "import halves\ndef bench_twice():\n    halves.half(2)\n    halves.half(4)\n"),
];

/// The crate in a folder of its own; what is built for it is kept between runs.
fn halves(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    for (path, text) in FILES {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

fn mpy(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-mpy"));
    command
        .arg("mpy")
        .args(args)
        .current_dir(folder)
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether a board of this machine can be used; in CI it must.
fn has(name: &str) -> bool {
    let boards = board::boards();
    let (_, why_not) = boards.iter().find(|(board, _)| board.name == name).expect("such a board");
    if let Some(why) = why_not {
        eprintln!("skipped: {name} ({why})");
    }
    why_not.is_none()
}

/// Output without what differs between runs.
fn plain(output: &str) -> Vec<&str> {
    output.lines().map(|line| line.split("; finished in").next().unwrap_or(line)).collect()
}

#[test]
fn tests_run_in_micropython_and_read_like_libtest() {
    for board in ["unix", "qemu-armv6m"] {
        if !has(board) {
            continue;
        }
        let folder = halves(&format!("halves-{board}"));
        let output = mpy(&folder, &["test", "--board", board, "--lib"]);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(101), "{board}: {said}\n{}", text(&output.stderr));
        let lines = plain(&said);
        for line in [
            "running 7 tests",
            "test tests::of_a_number ... ok",
            "test tests::is_wrong ... FAILED",
            "test tests::is_ignored ... ignored, takes long",
            "test tests::panics_as_it_should - should panic ... ok",
            "test tests::panics_otherwise - should panic ... FAILED",
            "test tests::uses_up_the_stack ... FAILED",
            "test tests::zeroth ... ok",
            "---- tests::is_wrong stdout ----",
            "thread 'tests::is_wrong' panicked at src/lib.rs:24:9:",
            "assertion `left == right` failed: three",
            "note: panic did not contain expected string",
            "test result: FAILED. 3 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out",
        ] {
            assert!(lines.contains(&line), "{board}: no `{line}` in\n{said}");
        }
        let output = mpy(&folder, &["test", "--board", board, "--test", "outside", "--test", "good"]);
        let said = text(&output.stdout);
        assert!(output.status.success(), "{board}: {said}\n{}", text(&output.stderr));
        assert!(said.contains("test from_outside ... ok\n") && said.contains("test tests/good.py ... ok\n"));
    }
}

/// The report has what the output has.
#[test]
fn tests_are_reported_as_junit() {
    let boards: Vec<&str> = ["unix", "qemu-armv6m"].into_iter().filter(|board| has(board)).collect();
    let folder = halves("halves-junit");
    let flags: Vec<&str> = boards.iter().flat_map(|board| ["--board", board]).collect();
    let output = mpy(&folder, &[&["test", "--junit", "out/junit.xml"], &flags[..]].concat());
    assert_eq!(output.status.code(), Some(101), "{}", text(&output.stderr));
    let read = "import sys,xml.etree.ElementTree as E\nroot=E.parse(sys.argv[1]).getroot()\n\
                for s in root.iter('testsuite'):\n \
                print(s.get('name'),*[s.get(n) for n in ('tests','failures','errors','skipped')])\n \
                for c in s.iter('testcase'):\n  \
                assert float(c.get('time'))>=0 and c.get('classname').startswith('halves.')\n  \
                print('',c.get('name'),*[e.tag+' '+e.get('message') for e in c])\n";
    let report = folder.join("out/junit.xml");
    let read = Command::new("python3").args(["-c", read]).arg(&report).output().expect("python3");
    let said = text(&read.stdout);
    for board in boards {
        for line in [
            &*format!("halves unittests on {board} 7 3 0 1"),
            &format!("halves tests/outside.rs on {board} 1 0 0 0"),
            &format!("halves tests/*.py on {board} 2 1 0 0"),
            " tests::of_a_number",
            " tests::is_ignored skipped ignored, takes long",
            " tests::is_wrong failure thread 'tests::is_wrong' panicked at src/lib.rs:24:9:",
            " tests/good.py",
            " tests/prints.py failure expected:",
        ] {
            assert!(said.lines().any(|known| known == line), "no `{line}` in\n{said}{}", text(&read.stderr));
        }
    }
    // A list is no result.
    std::fs::remove_file(&report).expect("the report");
    mpy(&folder, &["test", "--list", "--junit", "out/junit.xml"]);
    assert!(!report.exists());
}

#[test]
fn tests_are_listed_filtered_and_compared_with_what_they_should_print() {
    if !has("unix") {
        return;
    }
    let folder = halves("halves-flags");
    let output = mpy(&folder, &["test", "-q", "--lib", "of_a", "--list"]);
    assert_eq!(text(&output.stdout), "tests::of_a_number: test\n\n1 test, 0 benchmarks\n");
    let output = mpy(&folder, &["test", "-q", "--lib", "--", "--exact", "tests::is_ignored", "--ignored"]);
    let said = text(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed; 0 failed; 0 ignored; 0 measured; 6 filtered out")
    );
    let output = mpy(&folder, &["test", "-q", "--test", "prints"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(101), "{said}");
    assert!(said.contains("expected:\n4\n\nprinted:\n3\n"), "{said}");
}

#[test]
fn a_panic_handler_in_tests_is_answered_with_what_to_write() {
    let folder = halves("halves-handler");
    let handler = "#![no_std]\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n#[test]\nfn t() {}\n";
    std::fs::write(folder.join("src/lib.rs"), handler).expect("a file");
    let output = mpy(&folder, &["test", "--lib"]);
    let said = text(&output.stderr);
    assert!(said.contains("error[panic-handler]") && said.contains("#[cfg(not(test))]"), "{said}");
    let mended = handler.replace("#[panic_handler]", "#[cfg(not(test))]\n#[panic_handler]");
    std::fs::write(folder.join("src/lib.rs"), mended).expect("a file");
    if has("unix") {
        let output = mpy(&folder, &["test", "--lib"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

#[test]
fn instructions_are_counted_and_compared() {
    if !has("qemu-armv6m") {
        return;
    }
    let folder = halves("halves-bench");
    let store = folder.join("target/mpy/bench/qemu-armv6m.json");
    let _ = std::fs::remove_file(&store);
    let bench = |args: &[&str]| mpy(&folder, &[&["bench", "-q", "--board", "qemu-armv6m"], args].concat());
    let first = bench(&[]);
    let said = text(&first.stdout);
    assert!(first.status.success(), "{said}\n{}", text(&first.stderr));
    let figure = |name: &str| -> f64 {
        let line =
            said.lines().find(|line| line.ends_with(name)).unwrap_or_else(|| panic!("no {name} in {said}"));
        line.split_whitespace().next().expect("a figure").replace(',', "").parse().expect("a number")
    };
    // Two calls of a function cost more than one.
    assert!(figure("bench_half") > 5.0 && figure("bench_twice") > figure("bench_half"), "{said}");
    assert!(said.contains("new") && !said.contains("unchanged"));
    assert!(text(&bench(&[]).stdout).contains("unchanged"));

    // As if it had been twice as fast.
    let kept = std::fs::read_to_string(&store).expect("the last run");
    let mut faster: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    faster["figures"]["bench_half"]["value"] = (figure("bench_half") / 2.0).into();
    std::fs::write(&store, faster.to_string()).expect("a file");
    let slower = bench(&["bench_half", "--max-slowdown", "50"]);
    assert_eq!(slower.status.code(), Some(1));
    assert!(text(&slower.stderr).contains("error[slower]: 100.0 % slower"), "{}", text(&slower.stderr));
    assert!(text(&slower.stdout).contains("+100.0 %"), "{}", text(&slower.stdout));
    assert!(bench(&["-e", "halves.half(9)"]).status.success());
}

#[test]
fn sizes_add_up_and_budgets_are_kept() {
    let folder = halves("halves-size");
    let arch = &target_specs::archs()[0].name;
    if cargo_mpy::toolchain::cc::find(&target_specs::archs()[0]).is_err() {
        assert!(std::env::var_os("CI").is_none(), "no compiler for {arch}");
        eprintln!("skipped: no compiler for {arch}");
        return;
    }
    let size = |args: &[&str]| mpy(&folder, &[&["size", "-q", "--arch", arch], args].concat());
    let output = size(&["--top", "0", "--html", "size.html", "--svg", "size.svg"]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", text(&output.stderr));
    let whole: u32 = said
        .split("loaded ")
        .nth(1)
        .expect("a sum")
        .split(':')
        .next()
        .expect("it")
        .parse()
        .expect("a number");
    let of = |table: &str| -> u32 {
        let rows = table.lines().map_while(|line| line.split_whitespace().next()?.parse::<u32>().ok());
        rows.sum()
    };
    let tables: Vec<&str> =
        said.split("bytes ").skip(1).map(|table| table.split_once('\n').expect("rows").1).collect();
    assert_eq!((of(tables[0]), of(tables[1])), (whole, whole), "{said}");
    assert!(said.contains("half with its bindings") && said.contains(" halves"), "{said}");
    for file in ["size.html", "size.svg"] {
        let picture = std::fs::read_to_string(folder.join(file)).expect("a picture");
        assert!(picture.contains("half with its bindings") && !picture.contains("src="), "{file}");
    }
    assert!(size(&["--max", "1M", "--max-loaded", "1M"]).status.success());
    let over = size(&["--max", "100"]);
    assert_eq!(over.status.code(), Some(1));
    assert!(text(&over.stderr).contains("error[over-budget]"), "{}", text(&over.stderr));
}

/// Several at once, into the same folder and with nothing in the cache: what they make is what one of them makes alone.
#[test]
fn builds_at_once_do_not_disturb_each_other() {
    if !has("unix") {
        return;
    }
    let build = |folder: &Path, cache: &Path, args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-mpy"));
        command.args(["mpy", "build", "-q"]).args(args).current_dir(folder).env_remove("CARGO_TARGET_DIR");
        command.env("CARGO_MPY_CACHE", cache).stderr(std::process::Stdio::piped()).spawn().expect("it starts")
    };
    // Of each two the one knows nothing of the other's stack.
    let kinds: [&[&str]; 2] = [&["--board", "unix"], &["--board", "unix", "--stack", "8K"]];
    let arch = &target_specs::board("unix").expect("such a board").arch;
    let folder = halves("halves-at-once");
    let module = || std::fs::read(folder.join("target/mpy").join(arch).join("halves.mpy")).expect("a module");
    let wanted = kinds.map(|kind| {
        let cache = tempfile::tempdir().expect("a folder");
        let output = build(&folder, cache.path(), kind).wait_with_output().expect("an end");
        assert!(output.status.success(), "{}", text(&output.stderr));
        module()
    });
    assert_ne!(wanted[0], wanted[1]);

    for round in 0..2 {
        let _ = std::fs::remove_dir_all(folder.join("target/mpy"));
        let cache = tempfile::tempdir().expect("a folder");
        let running: Vec<_> =
            (0..4).map(|number| build(&folder, cache.path(), kinds[(number + round) % 2])).collect();
        for child in running {
            let output = child.wait_with_output().expect("an end");
            assert!(output.status.success(), "{}", text(&output.stderr));
        }
        assert!(wanted.contains(&module()), "a module that nobody wanted");
        // Nobody believes of what is there that it is something else.
        for (kind, wanted) in kinds.iter().zip(&wanted) {
            let output = build(&folder, cache.path(), kind).wait_with_output().expect("an end");
            assert!(output.status.success() && module() == *wanted, "{}", text(&output.stderr));
        }
    }
}

#[test]
fn bindings_and_builds_are_told() {
    let folder = halves("halves-told");
    let output = mpy(&folder, &["expand", "-q", "half"]);
    let said = text(&output.stdout);
    assert!(said.contains("def half(p0: int, /) -> int: ...") && said.contains("f_half("), "{said}");
    let arch = &target_specs::archs()[0].name;
    if cargo_mpy::toolchain::cc::find(&target_specs::archs()[0]).is_err() {
        return;
    }
    let output = mpy(&folder, &["build", "--message-format", "json", "--arch", arch]);
    let lines: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let artifact = lines.iter().find(|line| line["reason"] == "mpy-artifact").expect("a module");
    assert_eq!((&artifact["module"], &artifact["arch"]), (&"halves".into(), &arch.as_str().into()));
    let bytes = std::fs::metadata(artifact["mpy"].as_str().expect("a path")).expect("the module").len();
    assert_eq!(artifact["file_size"], bytes);
    assert_eq!(lines.last().expect("an end")["success"], true);
}

/// A workspace of three packages, of which two are modules.
#[test]
fn several_packages_are_built_tested_measured_and_packed_at_once() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("halves-workspace");
    let _ = std::fs::remove_dir_all(folder.join("target/mpy/x64"));
    let source = |name: &str| {
        format!(
            "#[unsafe(no_mangle)]\npub extern \"C\" fn of_{name}() -> i32 {{ 7 }}\n\
             #[test]\nfn {name}_is_tested() {{ assert_eq!(of_{name}(), 7); }}\n"
        )
    };
    let put = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    put("Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\", \"helper\"]\nresolver = \"3\"\n");
    for (name, kind) in [("one", "cdylib"), ("two", "cdylib"), ("helper", "lib")] {
        put(&format!("{name}/src/lib.rs"), &source(name));
        let manifest =
            format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"{kind}\"]\n");
        put(&format!("{name}/Cargo.toml"), &manifest);
    }
    let run = |words: &[&str]| {
        let output = mpy(&folder, words);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let built = |said: &str| ["one", "two", "helper"].map(|name| said.contains(&format!("Built {name} for")));
    for (words, expected) in [
        (&["--workspace"][..], [true, true, false]),
        (&["--workspace", "--exclude", "one", "-j", "1"], [false, true, false]),
        (&["-p", "helper", "-p", "two", "--frozen", "--jobs=-1"], [false, true, true]),
        (&["-p", "one", "--locked", "--offline"], [true, false, false]),
    ] {
        let said = run(&[&["build", "--board", "unix"], words].concat());
        assert_eq!((said.0, built(&said.2)), (Some(0), expected), "{words:?}: {said:?}");
    }
    for (words, code, error) in [
        (&["build"][..], 1, "which-package"),
        (&["build", "--workspace", "-p", "one"], 2, "cannot be used with"),
        (&["build", "--exclude", "one"], 2, "--workspace"),
        (&["build", "-p", "one", "-p", "tow"], 2, "there are `one`, `two`, `helper`"),
        (&["build", "--workspace", "--exclude", "tow"], 2, "there are `one`, `two`, `helper`"),
        (&["build", "--workspace", "--name", "x"], 2, "several modules cannot have one name"),
        (&["run", "-p", "one", "-p", "two", "-e", "1"], 2, "this command takes one package"),
        (&["expand", "--workspace"], 2, "this command takes one package"),
        (&["build", "-p", "one", "-j", "0"], 2, "is not a number of jobs"),
    ] {
        let said = run(words);
        assert_eq!(said.0, Some(code), "{words:?}: {said:?}");
        assert!(said.2.contains(error), "{words:?}: {said:?}");
    }
    let said = run(&["size", "--workspace", "--board", "unix", "--html", "size.html"]);
    assert!(
        said.0 == Some(0) && said.1.contains("one for x64\n") && said.1.contains("two for x64\n"),
        "{said:?}"
    );
    let said = run(&["package", "--workspace", "--arch", "x64"]);
    for name in ["one", "two"] {
        let zip = folder.join(format!("target/mpy/package/{name}-0.0.0.zip"));
        assert!(said.0 == Some(0) && zip.is_file(), "{said:?}");
    }
    if !has("unix") {
        return;
    }
    let said = run(&["test", "--workspace"]);
    let ran = ["one", "two"].map(|name| said.1.contains(&format!("test {name}_is_tested ... ok")));
    assert_eq!((said.0, ran), (Some(0), [true, true]), "{said:?}");
    put("one/src/lib.rs", &source("one").replace("() -> i32 { 7 }", "() -> i32 { 8 }"));
    let said = run(&["test", "--workspace"]);
    let fails =
        said.1.contains("test one_is_tested ... FAILED") && said.1.contains("test two_is_tested ... ok");
    assert!(said.0 == Some(101) && fails, "{said:?}");
}

#[test]
fn code_gets_arguments() {
    let folder = halves("halves-arguments");
    for board in ["unix", "qemu-armv6m"] {
        if !has(board) {
            continue;
        }
        std::fs::write(folder.join("args.py"), "import sys\nprint('|'.join(sys.argv))\n").expect("a file");
        let say = "import sys; print('|'.join(sys.argv))";
        let arguments = ["--", "-x", "é'\\ ", "--board"];
        for words in [&["-e", say][..], &["args.py"]] {
            let output = mpy(&folder, &[&["run", "-q", "--board", board], words, &arguments].concat());
            assert_eq!(text(&output.stdout), "-c|-x|é'\\ |--board\n", "{}", text(&output.stderr));
        }
    }
}

/// The shell completes `cargo mpy` and `cargo-mpy`, with the names of boards.
#[test]
fn bash_completes_boards() {
    let script = mpy(Path::new("."), &["completions", "bash"]).stdout;
    let complete = |words: &[&str]| {
        let code = format!(
            "{}\nCOMP_WORDS=({})\nCOMP_CWORD={}\n$(complete -p {} | sed 's/.*-F \\([^ ]*\\).*/\\1/') {} '{}' '{}'\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
            text(&script),
            words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
            words.len() - 1,
            words[0],
            words[0],
            words[words.len() - 1],
            words[words.len() - 2],
        );
        // Cargo's own completions are not needed. The script is longer than an argument can be.
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), code).expect("a file");
        let output = Command::new("bash").arg("--norc").arg(file.path()).output().expect("bash");
        assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {}", text(&output.stderr));
        text(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    for name in [&["cargo", "mpy"][..], &["cargo-mpy"]] {
        let of = |words: &[&str]| complete(&[name, words].concat());
        let boards = of(&["build", "--board", "rpi-pico"]);
        assert!(
            boards.contains(&"rpi-pico".to_owned()) && boards.contains(&"rpi-pico2".to_owned()),
            "{boards:?}"
        );
        assert_eq!(of(&["test", "-b", "qemu-armv6"]), ["qemu-armv6m", "qemu-armv6m-16k"]);
        assert_eq!(of(&["deploy", "--arch", "rv64"]), ["rv64imc"]);
        assert_eq!(of(&["pack"]), ["package"]);
        assert_eq!(of(&["build", "--memory", "m"]), ["masked"]);
        assert_eq!(of(&["explain", "no-fi"]), ["no-filesystem"]);
    }
}

#[test]
fn objects_are_linked_with_the_options_of_mpy_ld() {
    if !has("qemu-rv32imc") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let source = "extern int rom_word; int *volatile p; void mpy_init(void) { p = &rom_word; }";
    std::fs::write(folder.join("one.c"), source).unwrap();
    std::fs::write(folder.join("rom.ld"), "/* ROM */\nPROVIDE ( rom_word = 0x40001230 );\n").unwrap();
    let flags = ["-march=rv32imac", "-mabi=ilp32", "-fPIC", "-Os", "-c", "one.c"];
    let compiled = Command::new("riscv64-unknown-elf-gcc").args(flags).current_dir(folder).status();
    assert!(compiled.unwrap().success());
    let link = ["link", "--arch", "rv32imc", "one.o"];
    let options =
        ["--externs", "rom.ld", "--arch-flags", "zba,zcmp", "--source-name=two.mpy", "-o", "three.mpy"];
    let output = mpy(folder, &[&link[..], &options].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let module = mpy_link::inspect::read(&std::fs::read(folder.join("three.mpy")).unwrap()).unwrap();
    assert_eq!((module.arch_flags, module.qstrs[0].text.as_str()), (3, "two.mpy"));
    assert!(module.text.windows(4).any(|word| word == 0x4000_1230u32.to_le_bytes()));
    let output = mpy(folder, &link);
    assert!(text(&output.stderr).contains("undefined symbol `rom_word`"), "{}", text(&output.stderr));
}
