//! `cargo mpy bench`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};
use target_specs::{Diagnostic, Place, Result};

use crate::failure::Failure;
use crate::options::{self, BuildOptions};
use crate::plan::{BuildPlan, Source};
use crate::serial::{Sources, plain};
use crate::session::loaded::Loaded;
use crate::session::{self, Machine};
use crate::toolchain::{read_file, write_file};
use crate::{pipeline, ui};

/// Measure the speed of functions in MicroPython and compare it with the last run
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy bench --board qemu-armv6m -e 'my_dsp.isqrt(1000)'
      count instructions on an emulated Cortex-M0
  cargo mpy bench --port auto
      measure microseconds on the board on USB
  cargo mpy bench --board qemu-armv6m --max-slowdown 2
      for CI: the exit code is 1 if a benchmark is over 2 % slower

Benchmarks are functions without arguments whose names begin with `bench_`, in
the module and in the Python files benches/*.py. On emulated boards, the
instructions of native code are counted, without those of MicroPython; the
count is the same on every run. Elsewhere, time is measured, including the call
from Python. The results of the last run are kept in target/mpy/bench.")]
pub struct Bench {
    /// Run only benchmarks whose name contains this
    #[arg(value_name = "FILTER")]
    filter: Option<String>,

    /// Measure this Python expression instead of functions; can be repeated
    #[arg(short = 'e', long = "execute", value_name = "PYTHON")]
    expressions: Vec<String>,

    /// Fail if a benchmark is more than this many percent slower than in the last run, and keep the old results
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    max_slowdown: Option<f64>,

    /// Run on the connected board at this port; see `deploy`
    #[arg(long, value_name = "PORT")]
    port: Option<String>,

    /// Stop a file of benchmarks after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    timeout: f32,

    #[command(flatten)]
    options: BuildOptions,
}

/// The measurement of one call.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Figure {
    value: f64,
    /// Half the difference between the minimum and the maximum.
    spread: f64,
}

/// Python code that counts the instructions of `_f` and prints them as the benchmark `_n`.
const COUNT: &str = "\
import machine as _machine,gc as _gc
def _measure(_n,_f):
 _f()
 _gc.collect()
 _machine.idle()
 _f()
 _machine.idle()
 print('\\x1ebench\\x1f%s\\x1f1\\x1f0'%_n)
";

/// The same with times: seven runs of as many calls as take 20 ms.
const TIME: &str = "\
import time as _time,gc as _gc
def _measure(_n,_f):
 def run(k):
  _gc.collect()
  t=_time.ticks_us()
  for _ in range(k):
   _f()
  return _time.ticks_diff(_time.ticks_us(),t)
 _f()
 k=1
 while k<1<<24 and run(k)<20000:
  k*=2
 print('\\x1ebench\\x1f%s\\x1f%d\\x1f%s'%(_n,k,','.join([str(run(k)) for _ in range(7)])))
";

/// A number of percent.
fn percent(text: &str) -> std::result::Result<f64, String> {
    let number: f64 = text.parse().map_err(|error: std::num::ParseFloatError| error.to_string())?;
    if number >= 0.0 { Ok(number) } else { Err("it takes a number from 0 on".to_owned()) }
}

impl Bench {
    pub fn run(self) -> std::result::Result<(), Failure> {
        let timeout = options::timeout(self.timeout)?;
        let (plan, mut machines) = session::machines(&self.options, self.port.as_deref())?;
        let done = self.measure_all(&plan, &mut machines, timeout);
        // Leave the raw REPL also after an error.
        machines.into_iter().for_each(|(_, machine)| machine.leave());
        done
    }

    fn measure_all(
        &self,
        plan: &BuildPlan,
        machines: &mut [(usize, Machine)],
        timeout: Duration,
    ) -> std::result::Result<(), Failure> {
        let built = pipeline::build(plan, None)?;
        let programs = self.programs(plan)?;
        let mut slower = None;
        for (target, machine) in machines {
            let mut loaded = Loaded::new(plan, &built[*target])?;
            let counts = machine.counts();
            let unit = if counts { "instructions" } else { "ns" };
            ui::status("Measuring", format_args!("{unit} on {}", machine.name()));
            let mut figures = BTreeMap::new();
            for program in &programs {
                figures.extend(measure(machine, &mut loaded, program, timeout)?);
            }
            let store = plan.out_dir.join("bench").join(format!("{}.json", file_name(machine.name())));
            let last = last(&store, unit);
            show(&figures, &last, unit);
            let worst =
                figures.iter().filter_map(|(name, figure)| Some((name, change(figure, last.get(name)?))));
            let worst = worst.max_by(|a, b| a.1.total_cmp(&b.1));
            match (worst, self.max_slowdown) {
                (Some((name, change)), Some(limit)) if change > limit => {
                    slower = slower.or(Some((name.clone(), change, machine.name().to_owned(), limit)));
                }
                _ => {
                    // Benchmarks that did not run keep their last figures.
                    let all: BTreeMap<_, _> = last.into_iter().chain(figures).collect();
                    let text = serde_json::to_string_pretty(&Kept { unit: unit.to_owned(), figures: all });
                    write_file(&store, format!("{}\n", text.unwrap_or_default()).as_bytes())?;
                }
            }
        }
        match slower {
            Some((name, change, board, limit)) => {
                let message =
                    format!("{change:.1} % slower than in the last run on {board}, {limit} % are allowed");
                let help = "the last run is kept; without `--max-slowdown` this one takes its place";
                Err(Diagnostic::new("slower", message).at(Place::Item(name)).help(help).into())
            }
            None => Ok(()),
        }
    }

    /// The Python programs that run the benchmarks, one after the other.
    fn programs(&self, plan: &BuildPlan) -> Result<Vec<String>> {
        let module = &plan.module;
        let wanted = match &self.filter {
            Some(filter) => format!("{} in _n", python(filter)),
            None => "True".to_owned(),
        };
        if !self.expressions.is_empty() {
            let each = self
                .expressions
                .iter()
                .map(|expression| format!("_measure({},lambda:({expression}\n))\n", python(expression)));
            return Ok(vec![format!("import {module}\n$MEASURE{}", each.collect::<String>())]);
        }
        let functions = format!(
            "import {module} as _m\n$MEASURE\
             for _n in sorted(dir(_m)):\n if _n.startswith('bench_') and {wanted}:\n  _measure(_n,getattr(_m,_n))\n"
        );
        let mut programs = vec![functions];
        let root = match &plan.source {
            Source::Crate(build) => build.manifest.parent().unwrap_or(Path::new(".")),
            Source::Wasm(file) => file.parent().unwrap_or(Path::new(".")),
        };
        let entries = std::fs::read_dir(root.join("benches")).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> =
            entries.map(|e| e.path()).filter(|path| path.extension().is_some_and(|e| e == "py")).collect();
        files.sort();
        for file in files {
            let text = String::from_utf8_lossy(&read_file(&file)?).into_owned();
            programs.push(format!(
                "{text}\n$MEASURE\
                 for _n in sorted([_n for _n in globals() if _n.startswith('bench_') and {wanted}]):\n \
                 _measure(_n,globals()[_n])\n"
            ));
        }
        Ok(programs)
    }
}

/// The results of the last run on a machine.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    unit: String,
    figures: BTreeMap<String, Figure>,
}

fn last(store: &Path, unit: &str) -> BTreeMap<String, Figure> {
    let kept = std::fs::read(store).ok().and_then(|text| serde_json::from_slice::<Kept>(&text).ok());
    kept.filter(|kept| kept.unit == unit).map(|kept| kept.figures).unwrap_or_default()
}

fn file_name(machine: &str) -> String {
    machine.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// A Python string literal.
fn python(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n");
    format!("'{text}'")
}

fn measure(
    machine: &mut Machine,
    loaded: &mut Loaded,
    program: &str,
    timeout: Duration,
) -> std::result::Result<Vec<(String, Figure)>, Failure> {
    let counts = machine.counts();
    let code = program.replace("$MEASURE", if counts { COUNT } else { TIME });
    let mut lines = Vec::new();
    let ended = machine.run(loaded, &code, timeout, counts, &mut |line| match line
        .strip_prefix("\x1ebench\x1f")
    {
        Some(line) => lines.push(line.to_owned()),
        None => ui::output(format_args!("{}\n", plain(line))),
    })?;
    if ended.status != 0 {
        ui::raw(&Sources::here().with(ended.traceback.as_bytes()));
        return Err(Failure::Exit(1));
    }
    if counts && ended.marks.len() != 2 * lines.len() {
        let help = "it is how instructions are counted; leave the call out of what is measured";
        return Err(Diagnostic::new("miscounted", "a benchmark calls `machine.idle()`").help(help).into());
    }
    let mut figures = Vec::new();
    for (line, number) in lines.iter().zip(0..) {
        let mut fields = line.rsplitn(3, '\x1f');
        let times = fields.next().unwrap_or_default();
        let calls: f64 = fields.next().and_then(|calls| calls.parse().ok()).unwrap_or(1.0);
        let name = fields.next().unwrap_or_default().to_owned();
        let figure = if counts {
            Figure { value: (ended.marks[2 * number + 1] - ended.marks[2 * number]) as f64, spread: 0.0 }
        } else {
            figure(times.split(',').filter_map(|time| time.parse().ok()).collect(), calls)
        };
        figures.push((name, figure));
    }
    Ok(figures)
}

/// The median of times in microseconds for this many calls, in nanoseconds for one.
fn figure(mut times: Vec<f64>, calls: f64) -> Figure {
    times.sort_by(f64::total_cmp);
    let of_one = |time: Option<&f64>| time.copied().unwrap_or_default() * 1e3 / calls;
    let spread = (of_one(times.last()) - of_one(times.first())) / 2.0;
    Figure { value: of_one(times.get(times.len() / 2)), spread }
}

/// The slowdown in percent.
fn change(now: &Figure, last: &Figure) -> f64 {
    if last.value > 0.0 { (now.value / last.value - 1.0) * 100.0 } else { 0.0 }
}

/// Prints a line for each benchmark, in libtest's form, with the change since the last run.
fn show(figures: &BTreeMap<String, Figure>, last: &BTreeMap<String, Figure>, unit: &str) {
    if figures.is_empty() {
        ui::status("Nothing", "to measure: no function is called `bench_…`, and `-e` is not given");
        return;
    }
    let rows: Vec<[String; 4]> = figures
        .iter()
        .map(|(name, figure)| {
            let spread = if unit == "ns" { format!("+/- {}", grouped(figure.spread)) } else { String::new() };
            let change = match last.get(name) {
                None => "new".to_owned(),
                Some(last) if last.value == figure.value => "unchanged".to_owned(),
                // A change within the variation of the times means nothing.
                Some(last) if (last.value - figure.value).abs() <= figure.spread + last.spread => {
                    "noise".to_owned()
                }
                Some(last) => format!("{:+.1} %", change(figure, last)),
            };
            [grouped(figure.value), spread, change, name.clone()]
        })
        .collect();
    ui::columns(&[&format!("{unit}/call"), "", "change", "benchmark"], &rows);
}

/// A whole number with its digits in groups of three.
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.max(0.0));
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_one_call() {
        let of = figure(vec![30.0, 10.0, 20.0], 10.0);
        assert_eq!(of, Figure { value: 2000.0, spread: 1000.0 });
        assert_eq!(change(&Figure { value: 3.0, spread: 0.0 }, &Figure { value: 2.0, spread: 0.0 }), 50.0);
        assert_eq!(grouped(1_234_567.4), "1,234,567");
        assert_eq!((grouped(0.0), grouped(999.0)), ("0".to_owned(), "999".to_owned()));
        assert_eq!(python("a['b']"), r"'a[\'b\']'");
    }
}
