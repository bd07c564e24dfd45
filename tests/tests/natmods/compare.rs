//! The same objects linked by `mpy_ld.py` and by us: how large and how fast. Most of the examples are left out
//! but for `COMPARE=examples`, and what takes `mpy_ld.py` long, which reads a mathematical library for half a
//! minute, but for `COMPARE=all`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use cargo_mpy::options::BuildOptions;
use cargo_mpy::pipeline;
use cargo_mpy::toolchain::{cc, digest, micropython};
use libtest_mimic::Failed;
use object::{Object as _, ObjectSection as _};
use target_specs::Board;
use tests::{board, kept, readme};

use super::make::{is_known, make, say};

/// Something to link, in a folder that its words are relative to.
struct Job {
    arch: String,
    name: String,
    folder: PathBuf,
    /// Arguments of either linker but `-o`.
    words: Vec<String>,
    /// Of ours, not of MicroPython's.
    example: bool,
}

/// What came of a job: bytes of the module and the time of the process.
type Linked = Result<(u64, Duration), String>;

fn everything() -> bool {
    std::env::var_os("COMPARE").is_some_and(|value| value == "all")
}

fn all_examples() -> bool {
    everything() || std::env::var_os("COMPARE").is_some_and(|value| value == "examples")
}

/// On these boards no module is larger than `mpy_ld.py`'s, and at least so many are compared.
pub fn sizes(is_wanted: &dyn Fn(&Board) -> bool, least: usize) -> Result<(), Failed> {
    let mut jobs = Vec::new();
    for (board, _) in board::boards() {
        if is_known(board) && is_wanted(board) {
            if jobs.is_empty() || all_examples() {
                jobs.extend(examples(&board.arch)?);
            }
            jobs.extend(natmods(&board.arch)?);
        }
    }
    // By architecture and kind of module: how much smaller in percent, how many times faster.
    let mut found: Vec<(&Job, f64, f64)> = Vec::new();
    let mut larger = Vec::new();
    eprintln!(
        "{:10} {:10} {:>9} {:>6} {:>7} {:>10} {:>8}",
        "", "", "mpy_ld.py", "ours", "", "mpy_ld.py", "ours"
    );
    for job in &jobs {
        let mut row = format!("{:10} {:10}", job.arch, job.name);
        match (kept_theirs(job)?, ours(job)) {
            (Ok((their_size, their_time)), Ok((size, time))) => {
                let saving = 100.0 - size as f64 * 100.0 / their_size as f64;
                let (their_ms, ms) = (their_time.as_secs_f64() * 1e3, time.as_secs_f64() * 1e3);
                row += &format!("{their_size:10} {size:6} {saving:6.1}% {their_ms:7.0} ms {ms:5.1} ms");
                found.push((job, saving, their_ms / ms));
                if size > their_size {
                    larger.push(format!("{} {}: {size} > {their_size}", job.arch, job.name));
                }
            }
            (Err(why), Ok((size, _))) => {
                let why = why.rsplit('/').next().unwrap_or_default();
                row += &format!("         - {size:6}        mpy_ld.py: {why}");
            }
            (_, Err(why)) => return Err(format!("{} {}: {why}", job.arch, job.name).into()),
        }
        eprintln!("{row}");
    }
    let mut archs: Vec<&str> = found.iter().map(|(job, ..)| job.arch.as_str()).collect();
    archs.dedup();
    for arch in archs {
        summary(arch, found.iter().filter(|(job, ..)| job.arch == arch));
    }
    for example in [true, false] {
        let kind = if example { "examples" } else { "natmods" };
        summary(kind, found.iter().filter(|(job, ..)| job.example == example));
    }
    summary("all", found.iter());
    if larger.is_empty() && found.len() >= least {
        return Ok(());
    }
    Err(format!("{} compared; larger than mpy_ld.py's: {larger:#?}", found.len()).into())
}

fn summary<'a>(what: &str, of: impl Iterator<Item = &'a (&'a Job, f64, f64)>) {
    let (mut savings, mut ratios): (Vec<f64>, Vec<f64>) =
        of.map(|(_, saving, ratio)| (saving, ratio)).unzip();
    let [smaller, faster] = [&mut savings, &mut ratios].map(|numbers| median(numbers));
    let count = savings.len();
    eprintln!(
        "{what:10} {count:3} modules linked by both; median {smaller:.1} % smaller, {faster:.0} times faster"
    );
}

fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

fn natmods(arch: &str) -> Result<Vec<Job>, Failed> {
    let made = make(arch)?;
    let jobs = made.modules.iter().map(|module| {
        let mut words = module.link.clone();
        let output = words.iter().position(|word| word == "-o").expect("makefiles say -o");
        words.drain(output..output + 2);
        Job {
            arch: arch.to_owned(),
            name: module.name.clone(),
            folder: module.folder.clone(),
            words,
            example: false,
        }
    });
    Ok(jobs.collect())
}

/// Examples, by folder, and the files of those that are WebAssembly already.
const EXAMPLES: [(&str, Option<&str>); 10] = [
    ("assemblyscript", Some("blink.wasm")),
    ("cpp", Some("blink.wasm")),
    ("tinygo", Some("blink.wasm")),
    ("virgil", Some("blink.wasm")),
    ("wat", Some("blink.wat")),
    ("zig", Some("blink.wasm")),
    ("rust", None),
    ("coremark", None),
    ("dsp", None),
    ("hello", None),
];
/// How many of them are compared when not everything is.
const FEW: usize = 6;

/// Our examples, in a form that `mpy_ld.py` takes, and both linkers get: position-independent code where we
/// would not make any, and variables that start with a value in sections called `.data.rel.ro`, the only ones
/// with data that it knows. On Arm it links no constant that holds an address.
fn examples(arch: &str) -> Result<Vec<Job>, Failed> {
    let wanted = if all_examples() { EXAMPLES.len() } else { FEW };
    EXAMPLES[..wanted].iter().map(|(name, wasm)| example(arch, name, *wasm)).collect()
}

fn example(arch: &str, name: &str, wasm: Option<&str>) -> Result<Job, Failed> {
    let target = target_specs::arch(arch)?;
    let compiler = cc::find(target)?;
    let flags = if arch.starts_with("arm") { vec!["-fPIC".to_owned()] } else { Vec::new() };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    let natmods = Path::new(env!("CARGO_TARGET_TMPDIR")).join("natmods");
    let folder = natmods.join(format!("{arch}-{name}"));
    let options = BuildOptions {
        input: wasm.map(|file| root.join(file)),
        manifest_path: wasm.is_none().then(|| root.join("Cargo.toml")),
        archs: vec![arch.to_owned()],
        target_dir: Some(natmods.join(name)),
        ..Default::default()
    };
    let plan = pipeline::plan(&options).map_err(|failure| format!("{failure:?}"))?;
    let built = pipeline::build(&plan, None).map_err(|failure| format!("{failure:?}"))?;
    let module = mpy_link::inspect::read(&fs::read(&built[0].mpy)?)?;

    fs::create_dir_all(&folder)?;
    let memory = plan.memory_of(&plan.targets[0]).word();
    let c = plan.out_dir.join("c");
    let (sources, include) = (c.join(&plan.module).join(memory), c.join("include"));
    let object = folder.join("unit.o");
    compiler.compile(&sources.join("unit.c"), &object, &flags, "-Os", &[&include, &sources])?;
    rename_data(compiler.program(), &object)?;
    let mut header = String::new();
    for (number, qstr) in module.qstrs.iter().skip(1).enumerate() {
        header += &format!("#define MP_QSTR_{} (mp_native_qstr_table[{}])\n", qstr.text, number + 1);
    }
    fs::write(folder.join("qstrs.h"), header)?;
    let mut words = ["--arch", arch, "--qstrs", "qstrs.h", "unit.o"].map(str::to_owned).to_vec();
    let archive = folder.join("runtime.a");
    let _ = fs::remove_file(&archive);
    let mut ar = Command::new("ar");
    ar.arg("rc").arg(&archive);
    for (name, data) in compiler.runtime(&flags, "-Os", &include)?.iter() {
        let path = folder.join(name).with_extension("o");
        fs::create_dir_all(path.parent().expect("a folder"))?;
        fs::write(&path, data)?;
        ar.arg(path);
    }
    say(&mut ar)?;
    words.push("-lruntime.a".to_owned());
    if let Some((name, data)) = compiler.library(&flags)? {
        fs::write(folder.join(&name), data)?;
        words.push(format!("-l{name}"));
    }
    Ok(Job { arch: arch.to_owned(), name: name.to_owned(), folder, words, example: true })
}

/// Crates of ours, linked from position-independent code, print what their READMEs say.
pub fn position_independent(board: &Board) -> Result<(), Failed> {
    for name in ["coremark", "dsp", "hello"] {
        let job = example(&board.arch, name, None)?;
        ours(&job)?;
        let module = (format!("{name}.mpy"), fs::read(job.folder.join(OUTPUT))?);
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
        let markdown = fs::read_to_string(example.join("README.md"))?;
        let commands = readme::commands(&markdown);
        let run = commands.iter().find(|command| command.shell == "cargo mpy run test.py\n");
        let printed = board::execute(board, &[module], &fs::read_to_string(example.join("test.py"))?)?;
        let expected = &run.ok_or("the README does not say what `cargo mpy run test.py` prints")?.prints;
        if printed != *expected {
            return Err(format!("{name}: {printed}\nand not\n{expected}").into());
        }
    }
    Ok(())
}

/// Gives an object's sections of variables another name.
fn rename_data(compiler: &Path, object: &Path) -> Result<(), Failed> {
    let objcopy = say(Command::new(compiler).arg("-print-prog-name=objcopy"))?;
    let mut command = Command::new(objcopy.trim());
    let data = fs::read(object)?;
    for section in object::File::parse(&*data)?.sections() {
        let name = section.name()?;
        if let Some(rest) = name.strip_prefix(".data").filter(|rest| !rest.starts_with(".rel.ro")) {
            command.arg("--rename-section").arg(format!("{name}=.data.rel.ro{rest}"));
        }
    }
    say(command.arg(object))?;
    Ok(())
}

/// `mpy_ld.py` records the name of the file in it, so a short one.
const OUTPUT: &str = "module.mpy";

/// As [`theirs`], which is kept: what `mpy_ld.py` makes of the same files is the same, and it takes a second for each.
fn kept_theirs(job: &Job) -> Result<Linked, Failed> {
    let source = micropython::source(&|_| {})?.display().to_string();
    let packages = tests::tools::python().display().to_string();
    let mut inputs = vec![source.into_bytes(), packages.into_bytes(), vec![u8::from(everything())]];
    for word in &job.words {
        inputs.push(word.clone().into_bytes());
        inputs.extend(fs::read(job.folder.join(word.strip_prefix("-l").unwrap_or(word))));
    }
    kept::kept(&digest(inputs), || Ok(theirs(job)))
}

/// With the libraries that are needed and no more: `mpy_ld.py` reads all of each before it looks for anything.
fn theirs(job: &Job) -> Linked {
    let is_library = |word: &&String| word.starts_with("-l");
    let libraries = job.words.iter().filter(is_library).count();
    let mut last = Err("it was not run".to_owned());
    let most = if everything() { libraries } else { libraries.min(1) };
    for count in 0..=most {
        let keep = |index: usize| job.words[..index].iter().filter(is_library).count() < count;
        let words = job.words.iter().enumerate();
        let words = words.filter(|(index, word)| !is_library(word) || keep(*index));
        let words = words.map(|(_, word)| word.clone()).collect();
        last = theirs_with(&Job {
            words,
            arch: job.arch.clone(),
            name: job.name.clone(),
            folder: job.folder.clone(),
            example: job.example,
        });
        if !last.as_ref().is_err_and(|why| why.contains("undefined symbol")) {
            break;
        }
    }
    last
}

fn theirs_with(job: &Job) -> Linked {
    // What it remembers of libraries is the same for all.
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("natmods/.mpy_ld_cache");
    fs::create_dir_all(&cache).map_err(|error| error.to_string())?;
    let here = job.folder.join(".mpy_ld_cache");
    if !here.is_symlink() && !here.exists() {
        std::os::unix::fs::symlink(&cache, &here).map_err(|error| error.to_string())?;
    }
    let source = micropython::source(&|_| {}).map_err(|error| error.to_string())?;
    let mut command = Command::new("python3");
    command.arg(source.join("tools/mpy_ld.py")).env("PYTHONPATH", tests::tools::python());
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let first = linked(job, &mut command);
    if job.words.iter().any(|word| word.starts_with("-l")) && first.is_ok() && everything() {
        linked(job, &mut command)
    } else {
        first
    }
}

fn ours(job: &Job) -> Linked {
    let mut command = Command::new(std::env::current_exe().map_err(|error| error.to_string())?);
    linked(job, command.args(["mpy", "link"]))
}

fn linked(job: &Job, command: &mut Command) -> Linked {
    let output = job.folder.join(OUTPUT);
    let _ = fs::remove_file(&output);
    if command.get_current_dir().is_none() {
        command.args(&job.words).args(["-o", OUTPUT]).current_dir(&job.folder);
    }
    let start = Instant::now();
    let said = say(command);
    let time = start.elapsed();
    let said = said.map_err(|said| said.trim_end().lines().next_back().unwrap_or_default().to_owned())?;
    let data = output.metadata().map_err(|_| said.lines().next_back().unwrap_or_default().to_owned())?;
    Ok((data.len(), time))
}
