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
