//! `cargo mpy deploy` to many boards at once: boards that do not answer, are full or restart keep no other from it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::time::Instant;

use cargo_mpy::toolchain::micropython::Firmware;
use libtest_mimic::{Failed, Trial};
use tests::{board, line, messages};

/// The boards of the hub.
const BOARDS: usize = 64;
/// Boards among them that fail, and the error, which is not the same at each restart.
const BAD: [(usize, &str, Option<&str>); 3] =
    [(5, "Silent", Some("no-answer")), (17, "Full", Some("no-space")), (40, "Resetting", None)];

fn main() -> ExitCode {
    // The test is the tool too: it calls itself.
    if std::env::args().nth(1).is_some_and(|word| word == "mpy") {
        return cargo_mpy::main();
    }
    let arguments = tests::arguments();
    libtest_mimic::run(&arguments, vec![Trial::test("64 boards", fleet)]).exit_code()
}

fn holds(condition: bool, what: &str, said: &dyn std::fmt::Debug) -> Result<(), Failed> {
    if condition { Ok(()) } else { Err(format!("{what}: {said:#?}").into()) }
}

/// Boards of MicroPython's unix port. They end with this.
struct Hub {
    child: Child,
    ports: Vec<String>,
}

impl Hub {
    fn start(folder: &Path, kinds: &[&str]) -> Result<Hub, Failed> {
        let firmware = Firmware::build(target_specs::board("unix")?, &|_| {})?;
        let boards = Path::new(env!("CARGO_MANIFEST_DIR")).join("boards");
        let mut command = Command::new("python3");
        command.arg(boards.join("hub.py")).arg(&firmware.path).arg(boards.join("raw_repl.py")).arg(folder);
        let mut child = command.args(kinds).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let ports = lines.take(kinds.len()).collect::<Result<Vec<_>, _>>()?;
        Ok(Hub { child, ports })
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // It ends its boards when its input ends. A signal may be ignored: a shell's background process ignores `SIGINT`.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Deploys `answer.wat` in `folder` to these ports; what the tool says, and the seconds that it takes.
fn deploy(folder: &Path, ports: &[String], more: &[&str]) -> Result<(Output, f64), Failed> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["mpy", "deploy", "--wasm", "answer.wat", "--run", "print('it', answer.number())"])
        .args(more);
    command.args(ports.iter().flat_map(|port| ["--port", port])).current_dir(folder).env("NO_COLOR", "1");
    let start = Instant::now();
    Ok((command.output()?, start.elapsed().as_secs_f64()))
}

fn fleet() -> Result<(), Failed> {
    let files = tempfile::tempdir()?;
    let mut kinds = ["Usual"; BOARDS];
    for (number, kind, _) in BAD {
        kinds[number] = kind;
    }
    let hub = Hub::start(files.path(), &kinds)?;
    let folder = tempfile::tempdir()?;
    let wat = |number| format!("(module (func (export \"number\") (result i32) i32.const {number}))");
    std::fs::write(folder.path().join("answer.wat"), wat(41))?;
    let is_bad = |number: usize| BAD.iter().find(|(bad, ..)| *bad == number);
    let good = || hub.ports.iter().enumerate().filter(|(number, _)| is_bad(*number).is_none());

    let (output, seconds) = deploy(folder.path(), &hub.ports, &[])?;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    eprintln!("{BOARDS} boards, {} of them bad: {seconds:.1} s", BAD.len());
    holds(output.status.code() == Some(1), "the exit code", &(&output.status, &stderr))?;
    holds(stderr.contains("Finished 61 of 64 boards in "), "the sum", &stderr)?;
    // One build for all.
    holds(stderr.matches("Built answer for x64").count() == 1, "one build", &stderr)?;
    let mut lines: Vec<&str> = stdout.lines().collect();
    lines.sort_unstable();
    let mut expected: Vec<String> = good().map(|(_, port)| format!("{port}: it 41")).collect();
    expected.sort();
    holds(lines == expected, "the output", &(&lines, &stderr))?;
    let module = std::fs::read(folder.path().join("target/mpy/x64/answer.mpy"))?;
    for (number, port) in hub.ports.iter().enumerate() {
        let file = std::fs::read(files.path().join(number.to_string()).join("answer.mpy"));
        match is_bad(number) {
            None => {
                let is_told =
                    stderr.contains(&format!("Deployed {port}: answer.mpy, {} bytes", module.len()));
                holds(is_told && file.is_ok_and(|file| file == module), port, &stderr)?;
            }
            Some((_, _, code)) => {
                let error = code.map_or("]".to_owned(), |code| format!("error[{code}]"));
                holds(stderr.contains(&format!("{error}: {port}: ")), port, &stderr)?;
                holds(!stderr.contains(&format!("Deployed {port}:")), port, &stderr)?;
                holds(file.is_err(), "no file", port)?;
            }
        }
    }

    // Another module, as JSON, and a board of another architecture.
    std::fs::write(folder.path().join("answer.wat"), wat(42))?;
    let mut ports: Vec<String> = hub.ports.clone();
    let other = board::named(&["qemu-armv6m"]).pop();
    let served = other.map(|board| line::serve(board, None)).transpose()?;
    ports.extend(served.as_ref().map(|served| served.path.clone()));
    let (output, _) = deploy(folder.path(), &ports, &["--json"])?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    messages::validate(&stdout)?;
    let mut by_port: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in stdout.lines() {
        let line: serde_json::Value = serde_json::from_str(line)?;
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let what = [text("reason"), text("text"), text("code")].concat();
        by_port.entry(text("port")).or_default().push(what);
    }
    for (number, port) in ports.iter().enumerate() {
        let said = by_port.remove(port).unwrap_or_default();
        let error = |code: &str| format!("mpy-diagnostic{code}");
        let expected: Vec<String> = match is_bad(number) {
            None => vec!["connected".to_owned(), "deployed".to_owned(), "outputit 42\n".to_owned()],
            Some((_, "Full", Some(code))) => vec!["connected".to_owned(), error(code)],
            Some((_, _, Some(code))) => vec![error(code)],
            Some((_, _, None)) => {
                holds(said.last().is_some_and(|last| last.starts_with(&error(""))), port, &said)?;
                continue;
            }
        };
        holds(said == expected, port, &said)?;
    }
    holds(by_port.is_empty(), "other ports", &by_port)?;

    // Those that are well, with a module that they lack, and again. A port that is named twice is one.
    std::fs::write(folder.path().join("answer.wat"), wat(43))?;
    let ports: Vec<String> = good().flat_map(|(_, port)| [port.clone(), port.clone()]).collect();
    for verb in ["Deployed", "Unchanged"] {
        let (output, seconds) = deploy(folder.path(), &ports, &[])?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        eprintln!("61 boards, {verb}: {seconds:.1} s");
        holds(output.status.success() && stderr.contains("Finished 61 of 61 boards"), "all", &stderr)?;
        holds(stderr.matches(&format!("{verb} ")).count() == 61, verb, &stderr)?;
    }

    // A module that does not build is one error, and no board gets it.
    std::fs::write(folder.path().join("answer.wat"), "(module")?;
    let ports: Vec<String> = good().take(8).map(|(_, port)| port.clone()).collect();
    let (output, _) = deploy(folder.path(), &ports, &[])?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let told = (stderr.matches("error[").count(), stderr.matches("Failed /dev/").count());
    holds(output.status.code() == Some(1) && told == (1, 7), "a build that fails", &stderr)?;
    // The terminal of one board cannot show several.
    let (output, _) = deploy(folder.path(), &ports, &["--monitor"])?;
    holds(output.status.code() == Some(2), "--monitor", &output)
}
