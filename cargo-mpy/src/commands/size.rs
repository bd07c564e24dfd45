//! `cargo mpy size`.

use std::path::PathBuf;

use clap::Args;
use mpy_link::Part;
use target_specs::{Diagnostic, Place};

use crate::failure::Failure;
use crate::map::{self, Entry};
use crate::options::Size as Bytes;
use crate::options::{BuildOptions, Stage};
use crate::pipeline::Built;
use crate::symbols::{Lines, Symbols};
use crate::treemap::{self, Picture};
use crate::{pipeline, toolchain, ui};

/// Show the module's size by function and crate
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo mpy size --board rp2040
      list the crates, and the 20 largest functions and data objects
  cargo mpy size --board rp2040 --html size.html
      write a picture and a searchable table to one file
  cargo mpy size --arch armv6m --max 8K
      for CI: the exit code is 1 if the file is larger

Sizes are those of the loaded module: text, rodata and bss. On boards that
cannot run code in flash, all of it is in RAM. The file is larger by its
relocations and strings. Inlined code counts for the function that contains it.
Entries in parentheses belong to no crate.")]
pub struct Size {
    /// Number of functions and data objects to list; 0 for all
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    top: usize,

    /// Write a picture and a table of everything to an HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write only the picture, as SVG
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Fail if the .mpy file is larger than this
    #[arg(long, value_name = "SIZE")]
    max: Option<Bytes>,

    /// Fail if text, rodata and bss together, which take RAM, are larger than this
    #[arg(long, visible_alias = "max-ram", value_name = "SIZE")]
    max_loaded: Option<Bytes>,

    /// Also list the files of the source that the code is from; implies `--debug`
    #[arg(long)]
    lines: bool,

    #[command(flatten)]
    options: BuildOptions,
}

impl Size {
    pub fn run(mut self) -> Result<(), Failure> {
        self.options.debug |= self.lines;
        let packages = pipeline::each_package(&self.options)?;
        let plans = packages.iter().map(pipeline::plan).collect::<Result<Vec<_>, _>>()?;
        let modules: usize = plans.iter().map(|plan| plan.targets.len()).sum();
        if let (Some(svg), 2..) = (&self.svg, modules) {
            return Err(Diagnostic::new("bad-value", "a picture is of one module for one architecture")
                .at(Place::Argument(format!("--svg {}", svg.display())))
                .help("name one with `-p`, `--board` or `--arch`; a page (`--html`) has room for several")
                .into());
        }
        let mut built: Vec<(&str, Built)> = Vec::new();
        for plan in &plans {
            let made = pipeline::build(plan, Some(Stage::Map))?;
            built.extend(made.into_iter().map(|one| (&*plan.module, one)));
        }
        for ((module, one), number) in built.iter().zip(0..) {
            if number > 0 {
                ui::output("\n");
            }
            show(one, module, self.top);
            if self.lines {
                show_lines(&Symbols::of(&one.mpy)?.lines()?, self.top);
            }
        }
        let pictures: Vec<Picture> = built
            .iter()
            .map(|(module, one)| Picture {
                title: format!("{module} for {}: {} bytes", one.target.arch.name, loaded(&one.map)),
                entries: &one.map,
            })
            .collect();
        if let Some(file) = &self.html {
            toolchain::write_file(file, treemap::html(&pictures).as_bytes())?;
            ui::status("Wrote", file.display());
        }
        if let (Some(file), [picture]) = (&self.svg, &pictures[..]) {
            toolchain::write_file(file, treemap::svg(picture).as_bytes())?;
            ui::status("Wrote", file.display());
        }
        for (_, one) in &built {
            let limits = [
                (self.max, one.file_size, "file"),
                (self.max_loaded, u64::from(loaded(&one.map)), "loaded module"),
            ];
            for (limit, size, what) in limits {
                if let Some(limit) = limit.filter(|limit| size > u64::from(limit.0)) {
                    return Err(over(one, size, limit, what).into());
                }
            }
        }
        Ok(())
    }
}

/// Prints how much of the code is from which file.
fn show_lines(lines: &Lines, top: usize) {
    let percent = |bytes: u64| format!("{:.1}", bytes as f64 * 100.0 / lines.code.max(1) as f64);
    let (known, translated) = (lines.known(), lines.known() + lines.translated);
    let share = known as f64 * 100.0 / translated.max(1) as f64;
    ui::output(format_args!(
        "\n{known} of {translated} translated bytes ({share:.1} %) have a line of the source;\n\
         {} bytes are of the bindings and the runtime, {} of libraries without lines\n\n",
        lines.bindings,
        lines.code.saturating_sub(translated + lines.bindings)
    ));
    let mut files: Vec<(&String, &u64)> = lines.files.iter().collect();
    files.sort_by_key(|(path, bytes)| (std::cmp::Reverse(**bytes), *path));
    let shown = if top == 0 { files.len() } else { top };
    let rows = files.iter().take(shown);
    let rows: Vec<[String; 3]> =
        rows.map(|(path, bytes)| [bytes.to_string(), percent(**bytes), (*path).clone()]).collect();
    ui::columns(&["bytes", "%", "file of the source"], &rows);
}

/// Bytes of RAM. Constant objects stay in ROM.
fn loaded(entries: &[Entry]) -> u32 {
    entries.iter().filter(|entry| entry.part != Part::Objects).map(|entry| entry.size).sum()
}

fn over(built: &Built, size: u64, limit: Bytes, what: &str) -> Diagnostic {
    let more = size - u64::from(limit.0);
    let message = format!("the {what} has {size} bytes, {more} more than the {} allowed", limit.0);
    let largest: Vec<String> =
        map::by_owner(&built.map).iter().take(3).map(|(owner, size)| format!("{owner} {size}")).collect();
    Diagnostic::new("over-budget", message)
        .at(Place::File { path: built.mpy.clone(), line: 0, column: 0 })
        .help(format!("the largest parts of it are {}", largest.join(", ")))
}

/// Prints one module: crates, then functions and data.
fn show(built: &Built, module: &str, top: usize) {
    let entries = &built.map;
    let whole: u32 = entries.iter().map(|entry| entry.size).sum();
    let percent = |size: u32| format!("{:.1}", f64::from(size) * 100.0 / f64::from(whole.max(1)));
    let sizes = &built.sizes;
    let (arch, file) = (&built.target.arch.name, built.file_size);
    ui::heading(format_args!("{module} for {arch}"));
    let rom = match sizes.objects {
        0 => String::new(),
        bytes => format!("; objects {bytes}, which stay in ROM if the file is there"),
    };
    ui::output(format_args!(
        "file {file}, loaded {}: text {}, rodata {}, bss {}{rom}\n\n",
        loaded(entries),
        sizes.text,
        sizes.rodata,
        sizes.bss
    ));
    let crates: Vec<[String; 3]> = map::by_owner(entries)
        .into_iter()
        .map(|(owner, size)| [size.to_string(), percent(size), owner.to_owned()])
        .collect();
    ui::columns(&["bytes", "%", "crate"], &crates);

    let mut largest: Vec<&Entry> = entries.iter().collect();
    largest.sort_by_key(|entry| std::cmp::Reverse(entry.size));
    let shown = if top == 0 { largest.len() } else { top.min(largest.len()) };
    let rows: Vec<[String; 4]> = largest[..shown]
        .iter()
        .map(|entry| {
            [entry.size.to_string(), percent(entry.size), entry.part.name().to_owned(), entry.name.clone()]
        })
        .collect();
    ui::output("\n");
    ui::columns(&["bytes", "%", "part", "function or datum"], &rows);
    let others = &largest[shown..];
    if !others.is_empty() {
        let rest: u32 = others.iter().map(|entry| entry.size).sum();
        ui::output(format_args!("and {} more with {rest} bytes; `--top 0` lists all\n", others.len()));
    }
}
