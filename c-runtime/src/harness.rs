//! What `#[test]` functions are run by in MicroPython. rustc writes `extern crate test` and a `main` that hands
//! every test to it; this crate stands in the place of the real one, which needs arguments, threads and a console.
//! It talks in lines that begin with `\x1e`, their fields parted by `\x1f`; `cargo mpy test` reads them.
use std::panic::PanicHookInfo;
use std::process::{ExitCode, Termination};

// These are the names, fields and variants that rustc writes.
#[derive(Clone, Copy)]
pub enum ShouldPanic {
    No,
    Yes,
    YesWithMessage(&'static str),
}

#[derive(Clone, Copy)]
pub enum TestType {
    UnitTest,
    IntegrationTest,
    DocTest,
    Unknown,
}

#[derive(Clone, Copy)]
pub struct StaticTestName(pub &'static str);

#[allow(dead_code)]
pub struct TestDesc {
    pub name: StaticTestName,
    pub ignore: bool,
    pub ignore_message: Option<&'static str>,
    pub source_file: &'static str,
    pub start_line: usize,
    pub start_col: usize,
    pub end_line: usize,
    pub end_col: usize,
    pub should_panic: ShouldPanic,
    pub compile_fail: bool,
    pub no_run: bool,
    pub test_type: TestType,
}

pub struct StaticTestFn(pub fn() -> Result<(), String>);

pub struct TestDescAndFn {
    pub desc: TestDesc,
    pub testfn: StaticTestFn,
}

pub fn assert_test_result<T: Termination>(result: T) -> Result<(), String> {
    if result.report() == ExitCode::SUCCESS {
        return Ok(());
    }
    Err("the test returned an error".to_owned())
}

#[link(wasm_import_module = "mpy_test")]
unsafe extern "C" {
    /// Prints a line.
    safe fn say(text: *const u8, len: usize);
}

fn line(text: &str) {
    say(text.as_ptr(), text.len());
}

static mut TESTS: &[&TestDescAndFn] = &[];
/// The test that runs.
static mut CURRENT: usize = 0;

/// Called by the `main` that rustc wrote, once: lists the tests.
pub fn test_main_static(tests: &'static [&'static TestDescAndFn]) {
    // SAFETY: modules have one thread.
    unsafe { TESTS = tests };
    std::panic::set_hook(Box::new(panicked));
    for TestDescAndFn { desc, .. } in tests {
        let ignored = match (desc.ignore, desc.ignore_message) {
            (false, _) => "",
            (true, None) => "ignored",
            (true, Some(why)) => &format!("ignored, {why}"),
        };
        let panics = if matches!(desc.should_panic, ShouldPanic::No) { "" } else { " - should panic" };
        line(&format!("\x1etest\x1f{}\x1f{panics}\x1f{ignored}", desc.name.0));
    }
}

/// Says where and why, and of a test that shall panic whether it was this.
fn panicked(info: &PanicHookInfo) {
    // SAFETY: modules have one thread.
    let desc = unsafe { &TESTS[CURRENT].desc };
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let payload = info.payload();
    let message = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text.as_str(),
        _ => "Box<dyn Any>",
    };
    line(&format!("\x1epanicked\nthread '{}' panicked at {place}:\n{message}", desc.name.0));
    match desc.should_panic {
        ShouldPanic::YesWithMessage(expected) if !message.contains(expected) => line(&format!(
            "note: panic did not contain expected string\n      panic message: {message:?}\n expected substring: {expected:?}"
        )),
        ShouldPanic::No => {}
        _ => line("\x1eas expected"),
    }
}

/// Runs a test. One that fails says why, and one that panics does not come back.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn mpy_test_run(index: usize) {
    // SAFETY: modules have one thread.
    let test = unsafe {
        CURRENT = index;
        TESTS[index]
    };
    match (test.testfn.0)() {
        Err(message) => line(&message),
        Ok(()) if matches!(test.desc.should_panic, ShouldPanic::No) => line("\x1eas expected"),
        Ok(()) => line("note: test did not panic as expected"),
    }
}
