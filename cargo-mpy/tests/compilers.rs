//! C compilers end when the tool does, whichever way, and so do the programs that they started.
#![cfg(target_os = "linux")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Starts a build whose compiler never ends; the number of the process that the compiler starts.
#[expect(clippy::zombie_processes, reason = "who calls it waits")]
fn endless(folder: &Path, limit: &str) -> (Child, String) {
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let compiler = bin.join("arm-none-eabi-gcc");
    let id = folder.join("id");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n--version) echo 'gcc (Some) 12.2.0'; exit 0;;\n*-print-prog-name=*) echo as; exit 0;;\n\
         *' -c '*) ;;\n*) exit 0;;\nesac\nsleep 1000 &\necho $! > {0}.new\nmv {0}.new {0}\nwait\n",
        id.display()
    );
    std::fs::write(&compiler, script).unwrap();
    std::fs::set_permissions(&compiler, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(folder.join("m.wat"), "(module (func (export \"f\")))").unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    // A shell that starts this in the background makes it ignore Ctrl-C.
    let tool = Command::new("env")
        .args(["--default-signal=INT", env!("CARGO_BIN_EXE_cargo-mpy")])
        .args(["build", "m.wat", "--arch", "armv6m"])
        .current_dir(folder)
        .env("PATH", path)
        .env("CARGO_MPY_CACHE", folder.join("cache"))
        .env("CARGO_MPY_CC_TIMEOUT", limit)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    loop {
        if let Ok(id) = std::fs::read_to_string(&id) {
            return (tool, id.trim().to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until a process has ended; what tests wait for at most is the runner's affair.
fn ends(id: &str) {
    let is_running = || {
        let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let state = state.rsplit(')').next().unwrap_or_default().trim().chars().next();
        state.is_some_and(|state| state != 'Z')
    };
    while is_running() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(name: &str, tool: &Child) {
    let id = tool.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
}

#[test]
fn they_end_with_the_tool() {
    for name in ["INT", "TERM", "KILL"] {
        let folder = tempfile::tempdir().unwrap();
        let (tool, id) = endless(folder.path(), "");
        signal(name, &tool);
        assert!(!tool.wait_with_output().unwrap().status.success(), "{name}");
        ends(&id);
    }
}

#[test]
fn they_end_when_they_take_too_long() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, id) = endless(folder.path(), "1");
    let Output { status, stderr, .. } = tool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("error[compiler-timeout]"), "{said}");
    assert!(said.contains("`arm-none-eabi-gcc` took longer than 1 s"), "{said}");
    assert!(said.contains("unit.c"), "{said}");
    assert!(said.contains("gcc (Some) 12.2.0"), "{said}");
    ends(&id);
    assert!(!folder.path().join("target/mpy/armv6m/m.mpy").exists());
}

/// What is learnt of a compiler is no output of the command.
#[test]
fn a_compiler_that_fails_writes_nothing_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let compiler = bin.join("arm-none-eabi-gcc");
    let script = "#!/bin/sh\ncase \"$*\" in\n--version) echo 'gcc (Some) 12.2.0';;\n\
                  -print-*) echo as;;\n*) exit 1;;\nesac\n";
    std::fs::write(&compiler, script).unwrap();
    std::fs::set_permissions(&compiler, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(folder.path().join("m.wat"), "(module (func (export \"f\")))").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-mpy"))
        .args(["build", "m.wat", "--arch", "armv6m"])
        .current_dir(folder.path())
        .env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()))
        .env("CARGO_MPY_CACHE", folder.path().join("cache"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}
