//! `cargo mpy test`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, Parser};
use target_specs::{Diagnostic, Place, Result};

use crate::failure::Failure;
use crate::junit::{self, Outcome, Report};
use crate::options::{self, BuildOptions};
use crate::plan::{BuildPlan, Source};
use crate::serial::{FORGET, plain};
use crate::session::loaded::Loaded;
use crate::session::{self, Machine};
use crate::toolchain::crate_build::Unit;
use crate::toolchain::{read_file, write_file};
use crate::{pipeline, ui};

/// The exit code of cargo when a test fails.
const FAILED: i32 = 101;

/// Run the crate's tests in MicroPython, on this machine or on a connected board
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy test
      run all tests in MicroPython on this machine
  cargo mpy test --board qemu-armv6m filter
      run tests with `filter` in their name, on an emulated Cortex-M0
  cargo mpy test --port auto
      run in the RAM of the board on USB
  cargo mpy test --junit target/junit.xml
      write a report for GitHub, GitLab and other services
  cargo mpy test --lib -- --exact tests::sum
      use libtest's flags, before or after `--`

Tests are the crate's #[test] functions, in the library and in tests/*.rs, and
the Python files tests/*.py. A Python file imports the module and passes if it
ends without an exception. A file tests/NAME.py.exp contains its expected
output. Tests are built like the module, with the profile release;
`--profile dev` adds overflow checks. A no_std crate needs #[cfg(not(test))] on
its #[panic_handler], as for `cargo test`.

The exit code is 101 if a test fails, as with `cargo test`.")]
pub struct Test {
    #[command(flatten)]
    choice: Choice,

    /// Run only the tests of the library
    #[arg(long, help_heading = "Test selection")]
    lib: bool,

    /// Run only the tests of this file in tests/, named without extension; can be repeated
    #[arg(long = "test", value_name = "NAME", help_heading = "Test selection")]
    files: Vec<String>,

    /// Run on the connected board at this port; see `deploy`
    #[arg(long, value_name = "PORT")]
    port: Option<String>,

    /// Stop a test run after this many seconds; the tests after the one that hangs still run
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    timeout: f32,

    /// Write the results to this file too, in JUnit's XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Pass terminal control sequences that the tests print to the terminal
    #[arg(long)]
    raw: bool,

    #[command(flatten)]
    options: BuildOptions,

    /// Flags of libtest
    #[arg(last = true, value_name = "FLAGS")]
    rest: Vec<String>,
}

/// Which tests run, and what is printed: libtest's flags.
#[derive(Debug, Clone, Default, Args)]
struct Choice {
    /// Run only tests whose name contains this; can be repeated
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,

    /// Match filters exactly
    #[arg(long, help_heading = "Test selection")]
    exact: bool,

    /// Skip tests whose name contains this; can be repeated
    #[arg(long, value_name = "FILTER", help_heading = "Test selection")]
    skip: Vec<String>,

    /// Run only ignored tests
    #[arg(long, help_heading = "Test selection", conflicts_with = "include_ignored")]
    ignored: bool,

    /// Run ignored tests too
    #[arg(long, help_heading = "Test selection")]
    include_ignored: bool,

    /// List the tests instead of running them
    #[arg(long, help_heading = "Test selection")]
    list: bool,

    /// Show the output of tests while they run
    #[arg(long, alias = "no-capture")]
    nocapture: bool,
}

#[derive(Parser)]
#[command(name = "cargo mpy test --")]
struct Rest {
    #[command(flatten)]
    choice: Choice,
}

impl Choice {
    fn and(self, other: Choice) -> Choice {
        Choice {
            filters: [self.filters, other.filters].concat(),
            exact: self.exact || other.exact,
            skip: [self.skip, other.skip].concat(),
            ignored: self.ignored || other.ignored,
            include_ignored: self.include_ignored || other.include_ignored,
            list: self.list || other.list,
            nocapture: self.nocapture || other.nocapture,
        }
    }

    fn wants(&self, test: &Case) -> bool {
        let meets =
            |filter: &String| if self.exact { test.name == *filter } else { test.name.contains(filter) };
        (self.filters.is_empty() || self.filters.iter().any(meets))
            && !self.skip.iter().any(meets)
            && (!self.ignored || test.ignored.is_some())
    }

    fn runs(&self, test: &Case) -> bool {
        test.ignored.is_none() || self.ignored || self.include_ignored
    }
}

/// A test.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Case {
    name: String,
    /// The text that libtest adds to the name.
    mark: String,
    /// Why the test is ignored, in libtest's form.
    ignored: Option<String>,
    kind: TestKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TestKind {
    /// The number of the test in the harness.
    Function(usize),
    /// A Python file.
    Script(PathBuf),
}

/// The result of a test.
#[derive(Debug, Clone, Default)]
struct Verdict {
    passed: bool,
    output: String,
}

/// Tests that are built and run together: one `Running` line of cargo.
struct Suite {
    title: String,
    /// The module to import, for each target.
    loaded: Vec<Loaded>,
    module: String,
    cases: TestSource,
}

enum TestSource {
    /// The `#[test]` functions of the module.
    InModule,
    Scripts(Vec<PathBuf>),
}

impl Test {
    /// Builds the tests and runs them.
    ///
    /// # Errors
    /// Those of the build and of the board, and exit code 101 if a test fails.
    pub fn run(self) -> std::result::Result<(), Failure> {
        let rest = Rest::try_parse_from(std::iter::once("cargo mpy test --").chain(
            // Tests always run in one thread, so this flag changes nothing.
            self.rest.iter().map(String::as_str).filter(|flag| *flag != "--test-threads=1"),
        ));
        let rest = match rest {
            Ok(rest) => rest,
            Err(error) => return ui::argument_error(&error),
        };
        let choice = self.choice.clone().and(rest.choice);
        let timeout = options::timeout(self.timeout)?;
        let shown: Shown = if self.raw { str::to_owned } else { plain };
        let mut report = Report::default();
        let done = (|| {
            let mut failed = false;
            for options in pipeline::each_package(&self.options)? {
                match self.test(&options, &choice, timeout, shown, &mut report) {
                    Err(Failure::Exit(FAILED)) => failed = true,
                    other => other?,
                }
            }
            if failed { Err(Failure::Exit(FAILED)) } else { Ok(()) }
        })();
        // Also after an error.
        if let Some(file) = self.junit.as_ref().filter(|_| !choice.list) {
            write_file(file, report.to_string().as_bytes())?;
        }
        done
    }

    /// The tests of one package.
    fn test(
        &self,
        options: &BuildOptions,
        choice: &Choice,
        timeout: Duration,
        shown: Shown,
        report: &mut Report,
    ) -> std::result::Result<(), Failure> {
        let (plan, mut machines) = session::machines(options, self.port.as_deref())?;
        let done = (|| {
            let mut suites = suites(&plan, self.lib, &self.files)?;
            if suites.is_empty() {
                ui::status("Nothing", "to test: there is no library, and nothing in tests/");
            }
            let mut failed = false;
            for suite in &mut suites {
                for (target, machine) in &mut machines {
                    ui::status("Running", format_args!("{} on {}", suite.title, machine.name()));
                    let start = Instant::now();
                    let mut cases = Vec::new();
                    let passed = suite.run(*target, machine, choice, timeout, shown, &mut cases);
                    if let Err(error) = &passed {
                        let outcome = Outcome::Error(error.to_string());
                        cases.push(junit::Case { name: suite.title.clone(), seconds: 0.0, outcome });
                    }
                    report.suites.push(junit::Suite {
                        name: format!("{} {} on {}", plan.module, suite.title, machine.name()),
                        class: format!("{}.{}.{}", plan.module, suite.title, machine.name()),
                        seconds: start.elapsed().as_secs_f64(),
                        cases,
                    });
                    failed |= !passed?;
                }
            }
            if failed { Err(Failure::Exit(FAILED)) } else { Ok(()) }
        })();
        // Leave the raw REPL also after an error.
        machines.into_iter().for_each(|(_, machine)| machine.leave());
        done
    }
}

/// Builds all tests before any of them runs, so that compile errors come first.
fn suites(plan: &BuildPlan, lib: bool, files: &[String]) -> std::result::Result<Vec<Suite>, Failure> {
    let all = !lib && files.is_empty();
    let (units, root) = match &plan.source {
        Source::Crate(build) => (&build.tests[..], build.manifest.parent().unwrap_or(Path::new("."))),
        Source::Wasm(file) => (&[][..], file.parent().unwrap_or(Path::new("."))),
    };
    let scripts = scripts(root)?;
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    for file in files {
        let known = units.iter().filter_map(|unit| match unit {
            Unit::Tests(Some(name)) => Some(name.clone()),
            _ => None,
        });
        let known: Vec<String> = known.chain(scripts.iter().map(|path| stem(path))).collect();
        if !known.contains(file) {
            return Err(Diagnostic::new("unknown-test", format!("no file in tests/ is called `{file}`"))
                .at(Place::Argument(format!("--test {file}")))
                .help(format!("there are {}", known.join(", ")))
                .into());
        }
    }
    let mut suites = Vec::new();
    for unit in units {
        let (wanted, title) = match unit {
            Unit::Tests(Some(name)) => (files.contains(name), format!("tests/{name}.rs")),
            _ => (lib, "unittests".to_owned()),
        };
        if all || wanted {
            suites.push(suite(plan.for_tests(unit), title, TestSource::InModule)?);
        }
    }
    let wanted: Vec<PathBuf> =
        scripts.into_iter().filter(|path| all || files.contains(&stem(path))).collect();
    if !wanted.is_empty() {
        suites.push(suite(plan.clone(), "tests/*.py".to_owned(), TestSource::Scripts(wanted))?);
    }
    Ok(suites)
}

fn suite(plan: BuildPlan, title: String, cases: TestSource) -> std::result::Result<Suite, Failure> {
    let built = pipeline::build(&plan, None)?;
    let loaded = built.iter().map(|built| Loaded::new(&plan, built)).collect::<Result<_>>()?;
    Ok(Suite { title, loaded, module: plan.module, cases })
}

/// The Python tests: `tests/*.py` below `root`, sorted.
fn scripts(root: &Path) -> Result<Vec<PathBuf>> {
    let folder = root.join("tests");
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let paths = entries.flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|e| e == "py")).collect();
    paths.sort();
    Ok(paths)
}

impl Suite {
    /// Runs the selected tests and prints libtest's output; returns whether all of them passed.
    fn run(
        &mut self,
        target: usize,
        machine: &mut Machine,
        choice: &Choice,
        timeout: Duration,
        shown: Shown,
        report: &mut Vec<junit::Case>,
    ) -> Result<bool> {
        let start = Instant::now();
        let show = choice.nocapture.then_some(shown);
        let loaded = &mut self.loaded[target];
        let all = match &self.cases {
            TestSource::InModule => list(machine, loaded, &self.module, timeout)?,
            TestSource::Scripts(paths) => paths.iter().map(|path| script(path)).collect(),
        };
        let (wanted, others): (Vec<Case>, Vec<Case>) = all.into_iter().partition(|case| choice.wants(case));
        if choice.list {
            for case in &wanted {
                ui::output(format_args!("{}: test\n", case.name));
            }
            ui::output(format_args!("\n{}, 0 benchmarks\n", counted(wanted.len())));
            return Ok(true);
        }
        ui::output(format_args!("\nrunning {}\n", counted(wanted.len())));
        let (run, ignored): (Vec<Case>, Vec<Case>) = wanted.into_iter().partition(|case| choice.runs(case));
        let mut waiting = ignored.iter().peekable();
        // Sorted by name, as in libtest.
        let mut pass_over = |name: Option<&str>| {
            while let Some(case) = waiting.next_if(|case| name.is_none_or(|name| *case.name < *name)) {
                let why = case.ignored.as_deref().unwrap_or_default();
                ui::test(&format!("{}{}", case.name, case.mark), why, None);
            }
        };
        let named = |case: &Case, seconds, outcome| junit::Case { name: case.name.clone(), seconds, outcome };
        for case in &ignored {
            let why = case.ignored.clone().unwrap_or_default();
            report.push(named(case, 0.0, Outcome::Ignored(why)));
        }
        let mut failures: Vec<(Case, String)> = Vec::new();
        let mut passed = 0;
        let mut last = Instant::now();
        let mut verdict = |case: &Case, verdict: Verdict| {
            pass_over(Some(&case.name));
            let shown = format!("{}{}", case.name, case.mark);
            ui::test(&shown, if verdict.passed { "ok" } else { "FAILED" }, Some(verdict.passed));
            let seconds = last.elapsed().as_secs_f64();
            last = Instant::now();
            if verdict.passed {
                passed += 1;
                report.push(named(case, seconds, Outcome::Passed));
            } else {
                report.push(named(case, seconds, Outcome::Failed(plain(&verdict.output))));
                failures.push((case.clone(), verdict.output));
            }
        };
        match &self.cases {
            TestSource::InModule => {
                functions(machine, loaded, &self.module, &run, show, timeout, &mut verdict)?;
            }
            TestSource::Scripts(_) => {
                for case in &run {
                    let ended = run_script(machine, loaded, case, show, timeout)?;
                    verdict(case, ended);
                }
            }
        }
        pass_over(None);
        if !failures.is_empty() {
            ui::output("\nfailures:\n");
            for (case, output) in &failures {
                ui::output(format_args!("\n---- {} stdout ----\n{}\n", case.name, shown(output)));
            }
            ui::output("\nfailures:\n");
            for (case, _) in &failures {
                ui::output(format_args!("    {}\n", case.name));
            }
        }
        ui::test_result(failures.is_empty());
        ui::output(format_args!(
            "{passed} passed; {} failed; {} ignored; 0 measured; {} filtered out; finished in {:.2}s\n\n",
            failures.len(),
            ignored.len(),
            others.len(),
            start.elapsed().as_secs_f64()
        ));
        Ok(failures.is_empty())
    }
}

fn counted(tests: usize) -> String {
    format!("{tests} {}", if tests == 1 { "test" } else { "tests" })
}

fn script(path: &Path) -> Case {
    let name = format!("tests/{}", path.file_name().unwrap_or_default().to_string_lossy());
    Case { name, mark: String::new(), ignored: None, kind: TestKind::Script(path.to_owned()) }
}

/// The tests that the module lists.
fn list(machine: &mut Machine, loaded: &mut Loaded, module: &str, timeout: Duration) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let mut other = String::new();
    let code = format!("import {module}\n{module}.main(0,0)\n");
    let ended = machine.run(loaded, &code, timeout, false, &mut |line| match listed(line, cases.len()) {
        Some(case) => cases.push(case),
        None => add_line(&mut other, line),
    })?;
    if ended.status != 0 {
        let said = plain(&format!("{other}{}", ended.traceback));
        return Err(Diagnostic::new("no-tests", "the tests do not start").help(said.trim_end()));
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(cases)
}

/// Parses a line in which the harness lists a test.
fn listed(line: &str, number: usize) -> Option<Case> {
    let mut fields = line.strip_prefix("\x1etest\x1f")?.split('\x1f').map(str::to_owned);
    let (name, mark, ignored) = (fields.next()?, fields.next()?, fields.next()?);
    Some(Case {
        name: plain(&name),
        mark: plain(&mark),
        ignored: Some(plain(&ignored)).filter(|why| !why.is_empty()),
        kind: TestKind::Function(number),
    })
}

/// Runs functions in one MicroPython. If one of them crashes it, the rest run in a new one.
fn functions(
    machine: &mut Machine,
    loaded: &mut Loaded,
    module: &str,
    cases: &[Case],
    show: Option<Shown>,
    timeout: Duration,
    verdict: &mut dyn FnMut(&Case, Verdict),
) -> Result<()> {
    let number = |case: &Case| match case.kind {
        TestKind::Function(number) => number,
        TestKind::Script(_) => 0,
    };
    let mut done = 0;
    while done < cases.len() {
        let rest = &cases[done..];
        let numbers: Vec<String> = rest.iter().map(|case| format!("{},", number(case))).collect();
        let code = format!(
            "import {module} as m,sys,gc\n{FORGET}m.main(0,0)\nfor i in ({}):\n gc.collect()\n print('\\x1ebegin')\n \
             try:\n  m.mpy_test_run(i)\n except BaseException as e:\n  print('\\x1eraised')\n  \
             sys.print_exception(e,sys.stdout)\n print('\\x1eend')\n",
            numbers.concat()
        );
        let before = done;
        let mut test = Running::default();
        let ended = machine.run(loaded, &code, timeout, false, &mut |line| {
            if let Some(shown) = show.filter(|_| !line.starts_with('\x1e') && test.begun) {
                ui::output(format_args!("{}\n", shown(line)));
            }
            if let Some(ended) = test.line(line)
                && let Some(case) = cases.get(done)
            {
                verdict(case, ended);
                done += 1;
            }
        });
        let why = match ended {
            Ok(_) if done == cases.len() => break,
            Ok(ended) if ended.traceback.is_empty() => "the program ended".to_owned(),
            Ok(ended) => ended.traceback,
            // Output before the first test belongs to no test.
            Err(error) if !test.begun => return Err(error),
            Err(error) => error.to_string(),
        };
        if done == before && !test.begun {
            return Err(Diagnostic::new("no-tests", "the tests do not start").help(why.trim_end()));
        }
        let case = &cases[done];
        verdict(case, Verdict { passed: false, output: format!("{}{why}\n", test.output) });
        done += 1;
    }
    Ok(())
}

/// How the output of a test is printed.
type Shown = fn(&str) -> String;

/// Adds a line to the output of a test. The first MiB is kept.
fn add_line(output: &mut String, line: &str) {
    const KEPT: usize = 1 << 20;
    if output.len() + line.len() < KEPT {
        output.push_str(line);
        output.push('\n');
    }
}

/// The running test and its output.
#[derive(Default)]
struct Running {
    begun: bool,
    as_expected: bool,
    panicked: bool,
    raised: bool,
    output: String,
}

impl Running {
    /// Processes a line of output. Returns the result if it was the last line of the test.
    fn line(&mut self, line: &str) -> Option<Verdict> {
        match line.strip_prefix('\x1e') {
            Some("begin") => *self = Running { begun: true, ..Running::default() },
            Some("as expected") => self.as_expected = true,
            Some("panicked") => self.panicked = true,
            Some("raised") => self.raised = true,
            Some("end") => {
                let test = std::mem::take(self);
                return Some(Verdict { passed: test.as_expected, output: test.output });
            }
            // The traceback of a panic repeats its message.
            _ if self.raised && self.panicked => {}
            _ => add_line(&mut self.output, line),
        }
        None
    }
}

fn run_script(
    machine: &mut Machine,
    loaded: &mut Loaded,
    case: &Case,
    show: Option<Shown>,
    timeout: Duration,
) -> Result<Verdict> {
    let TestKind::Script(path) = &case.kind else { return Ok(Verdict::default()) };
    let code = String::from_utf8_lossy(&read_file(path)?).into_owned();
    let mut expected = path.clone().into_os_string();
    expected.push(".exp");
    let expected = Path::new(&expected).is_file().then(|| read_file(Path::new(&expected))).transpose()?;
    let mut output = String::new();
    let ended = machine.run(loaded, &code, timeout, false, &mut |line| {
        if let Some(shown) = show {
            ui::output(format_args!("{}\n", shown(line)));
        }
        add_line(&mut output, line);
    });
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) => return Ok(Verdict { passed: false, output: format!("{output}{error}\n") }),
    };
    let expected = expected.map(|bytes| String::from_utf8_lossy(&bytes).replace('\r', ""));
    let as_expected = expected.as_ref().is_none_or(|expected| expected.trim_end() == output.trim_end());
    if let Some(expected) = expected.filter(|_| !as_expected) {
        output = format!("expected:\n{expected}\nprinted:\n{output}");
    }
    output += &ended.traceback;
    Ok(Verdict { passed: ended.status == 0 && as_expected, output })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(lines: &[&str]) -> Option<(bool, String)> {
        let mut running = Running::default();
        let verdict = lines.iter().find_map(|line| running.line(line));
        verdict.map(|verdict| (verdict.passed, verdict.output))
    }

    #[test]
    fn a_test_is_judged_by_what_it_prints() {
        let good = ["\x1ebegin", "text", "\x1eas expected", "\x1eend"];
        assert_eq!(verdict(&good), Some((true, "text\n".to_owned())));
        let panics = [
            "\x1ebegin",
            "\x1epanicked",
            "thread 'a' panicked at b:1:2:",
            "\x1eraised",
            "RuntimeError",
            "\x1eend",
        ];
        assert_eq!(verdict(&panics), Some((false, "thread 'a' panicked at b:1:2:\n".to_owned())));
        let traps = ["\x1ebegin", "\x1eraised", "RuntimeError", "\x1eend"];
        assert_eq!(verdict(&traps), Some((false, "RuntimeError\n".to_owned())));
        assert_eq!(verdict(&["\x1ebegin", "\x1eas expected"]), None);
    }

    #[test]
    fn tests_are_chosen_as_libtest_does() {
        let case = |name: &str, ignored: bool| Case {
            name: name.to_owned(),
            mark: String::new(),
            ignored: ignored.then(|| "ignored".to_owned()),
            kind: TestKind::Function(0),
        };
        let (one, two) = (case("tests::one", false), case("tests::two", true));
        let of = |flags: &[&str]| Rest::parse_from([&["x"], flags].concat()).choice;
        assert!(of(&["one"]).wants(&one) && !of(&["one"]).wants(&two));
        assert!(!of(&["one", "--exact"]).wants(&one) && of(&["tests::one", "--exact"]).wants(&one));
        assert!(!of(&["--skip", "one"]).wants(&one));
        assert!(!of(&["--ignored"]).wants(&one) && of(&["--ignored"]).runs(&two));
        assert!(of(&[]).wants(&two) && !of(&[]).runs(&two) && of(&["--include-ignored"]).runs(&two));
    }
}
