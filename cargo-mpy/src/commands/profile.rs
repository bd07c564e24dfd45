//! `cargo mpy profile`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use inferno::differential;
use inferno::flamegraph::{self, Options};
use target_specs::{Diagnostic, Result};

use super::files;
use crate::failure::Failure;
use crate::options::{self, BuildOptions};
use crate::profile::{self, Counts, Profile};
use crate::serial::Sources;
use crate::session::connected::contents;
use crate::session::emulated::{firmware, under_qemu};
use crate::session::events::{Events, Output};
use crate::session::loaded::Loaded;
use crate::symbols::Symbols;
use crate::toolchain::{self, emulator, write_file};
use crate::{pipeline, ui};

/// Count the instructions of each function and line in an emulated board, and draw a flame graph
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy profile test.py
  cargo mpy profile -e 'import dsp; dsp.filter()' --board qemu-rv32imc
  cargo mpy profile test.py --baseline before.folded
      compare with an earlier run: what became slower is red in the flame graph

All that is executed from the import of the module to the end of the code is
counted, also the functions of the firmware. The counts of the module are the
same in every run; they are no clock cycles. The stacks are written beside the
flame graph, as `.folded`, which other tools read too.")]
pub struct Profiler {
    /// Python code to run
    #[arg(short, long, value_name = "PYTHON", conflicts_with = "files")]
    execute: Option<String>,

    /// Python file to run; a `.wasm` or `.wat` file is built instead of the current crate
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Compare with the stacks of an earlier run
    #[arg(long, value_name = "FILE.folded")]
    baseline: Option<PathBuf>,

    /// Write the flame graph to this file [default: in target/mpy/profile]
    #[arg(short, long, value_name = "FILE.svg")]
    output: Option<PathBuf>,

    /// Show this many functions and lines
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,

    /// Stop after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    timeout: f32,

    #[command(flatten)]
    options: BuildOptions,
}

impl Profiler {
    pub fn run(self) -> std::result::Result<(), Failure> {
        let (module, script) = files::module_and_script(self.files.clone())?;
        let script = files::code(script.as_deref(), self.execute.as_deref())?;
        let timeout = options::timeout(self.timeout)?;
        let baseline = self
            .baseline
            .as_ref()
            .map(|path| Profile::from_folded(&String::from_utf8_lossy(&toolchain::read_file(path)?), path));
        let baseline = baseline.transpose()?;
        let input = module.or(self.options.input.clone());
        let (plan, board) = under_qemu(BuildOptions { input, debug: true, ..self.options.clone() })?;
        let built = pipeline::build(&plan, None)?.remove(0);
        let symbols = Symbols::of(&built.mpy)?;
        let firmware = firmware(board)?;
        let firmware_functions = firmware.functions()?;
        let functions = profile::functions(&firmware_functions, &symbols)?;
        let code = script.unwrap_or_else(|| contents(&plan.module));
        let Loaded { modules, mut faults } = Loaded::new(&plan, &built)?;
        let modules = emulator::with_hardware(&modules);
        ui::status("Profiling", format_args!("{} on {}", plan.module, board.name));
        let run = emulator::Run {
            board,
            firmware: &firmware,
            modules: &modules,
            code: &code,
            timeout,
            arguments: &[],
        };
        let mut output = Output::new(Events::default(), false, &mut faults);
        let counted = emulator::profile(&run, &functions, &mut |bytes| output.write(bytes));
        let (outcome, text) = counted.map_err(|error| faults.explained(error))?;
        ui::raw(&Sources::here().with(outcome.stderr.as_bytes()));
        if text.is_empty() {
            let message = format!("the code does not import `{}`", plan.module);
            let help = "what is executed after the import is counted";
            return Err(Diagnostic::new("no-profile", message).help(help).into());
        }
        let profile = Profile::read(&text, &firmware_functions, &symbols, plan.source.root())?;
        self.show(&profile, baseline.as_ref());
        let svg = self.output.clone().unwrap_or_else(|| {
            plan.out_dir.join("profile").join(format!("{}-{}.svg", plan.module, board.name))
        });
        let title = format!("{} on {}", plan.module, board.name);
        write_file(&svg, &flame_graph(&title, &profile, baseline.as_ref())?)?;
        let folded = svg.with_extension("folded");
        write_file(&folded, profile.folded().as_bytes())?;
        ui::status("Wrote", format_args!("{} and {}", svg.display(), folded.display()));
        if outcome.status == 0 { Ok(()) } else { Err(Failure::Exit(outcome.status)) }
    }

    /// Prints the tables.
    fn show(&self, profile: &Profile, baseline: Option<&Profile>) {
        let all = profile.total();
        let share = |count: u64| format!("{:.1} %", 100.0 * count as f64 / all.max(1) as f64);
        ui::output(format_args!("{} instructions\n\n", profile.executed));
        let functions = profile.functions();
        let before = baseline.map(Profile::functions);
        let mut names: Vec<&String> = functions.keys().collect();
        let of = |of: &BTreeMap<String, Counts>, name: &str| of.get(name).copied().unwrap_or_default();
        let change = |name: &str| {
            let old = before.as_ref().map_or(Counts::default(), |before| of(before, name));
            of(&functions, name).own as i64 - old.own as i64
        };
        if let Some(before) = &before {
            names.extend(before.keys().filter(|name| !functions.contains_key(*name)));
            // What changed most comes first.
            names.retain(|name| change(name) != 0);
            names.sort_by_key(|name| (std::cmp::Reverse(change(name).unsigned_abs()), *name));
        } else {
            names.sort_by_key(|name| (std::cmp::Reverse(functions[*name].own), *name));
        }
        let rows = names.iter().take(self.top).map(|name| {
            let Counts { own, total } = of(&functions, name);
            let changed = if before.is_some() { format!("{:+}", change(name)) } else { String::new() };
            [own.to_string(), share(own), total.to_string(), changed, (*name).clone()]
        });
        let changed = if before.is_some() { "change" } else { "" };
        ui::columns(&["own", "", "with calls", changed, "function"], &rows.collect::<Vec<_>>());
        if before.is_some() {
            let (old, new) = (baseline.map_or(0, Profile::total), all);
            // Rounded, and without the sign of a zero.
            let percent = (1000.0 * (new as f64 / old.max(1) as f64 - 1.0)).round() / 10.0 + 0.0;
            ui::output(format_args!("\n{old} instructions before: {percent:+.1} %\n"));
            return;
        }
        let mut lines: Vec<(&String, &u64)> = profile.lines.iter().collect();
        lines.sort_by_key(|(line, count)| (std::cmp::Reverse(**count), *line));
        let rows = lines
            .iter()
            .take(self.top)
            .map(|(line, count)| [count.to_string(), share(**count), (*line).clone()]);
        ui::output("\n");
        ui::columns(&["own", "", "line"], &rows.collect::<Vec<_>>());
    }
}

/// The flame graph, in SVG. With a baseline, colours show what changed.
fn flame_graph(title: &str, profile: &Profile, baseline: Option<&Profile>) -> Result<Vec<u8>> {
    let failed = |error: &dyn std::fmt::Display| {
        Diagnostic::new("no-profile", format!("cannot draw the flame graph: {error}"))
    };
    let mut folded = profile.folded().into_bytes();
    if let Some(baseline) = baseline {
        let mut both = Vec::new();
        let before = baseline.folded();
        differential::from_readers(
            differential::Options::default(),
            before.as_bytes(),
            &folded[..],
            &mut both,
        )
        .map_err(|error| failed(&error))?;
        folded = both;
    }
    let mut options = Options::default();
    options.title = title.to_owned();
    "instructions".clone_into(&mut options.count_name);
    let mut svg = Vec::new();
    flamegraph::from_reader(&mut options, &folded[..], &mut svg).map_err(|error| failed(&error))?;
    Ok(svg)
}
