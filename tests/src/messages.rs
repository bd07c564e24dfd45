//! The lines of JSON that the tool prints, checked against the JSON Schema in `docs/`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Refuses lines that `docs/messages.schema.json` does not describe.
///
/// # Errors
/// The first such line and what is wrong with it; also if there are no lines.
pub fn validate(lines: &str) -> Result<(), String> {
    const CHECK: &str = "
import fastjsonschema, json, sys
check = fastjsonschema.compile(json.load(open(sys.argv[1])), use_formats=False)
lines = sys.stdin.read().splitlines()
for line in lines:
    try:
        check(json.loads(line))
    except ValueError as error:
        sys.exit(f'{error}: {line}')
if not lines:
    sys.exit('no lines')
";
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/messages.schema.json");
    let mut python = Command::new("python3");
    python.args(["-c", CHECK]).arg(schema).env("PYTHONPATH", crate::tools::python());
    let io = |error: std::io::Error| format!("python3: {error}");
    let mut child = python.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(io)?;
    let written = child.stdin.take().expect("it was piped").write_all(lines.as_bytes());
    let output = child.wait_with_output().map_err(io)?;
    if output.status.success() {
        return written.map_err(io);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}
