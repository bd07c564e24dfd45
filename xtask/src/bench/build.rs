//! A program by one of several roads → a module, with the same compiler, bindings and linker.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_mpy::code_in_flash;
use cargo_mpy::toolchain::{self, cc};
use cargo_mpy::wasm;
use glue_gen::Glue;
use mpy_link::{Input, InputKind};
use target_specs::Arch;
use wasm_to_c::{
    CodePlace, ExportedFunc, FuncType, Interface, NativeStack, Safety, StackChecks, StackSize, Translation,
    ValType, WasmModule,
};

use super::subjects::{Language, Program, STACK, c_source, only, rust_library};
use super::{Options, Result, checked, libraries};

/// How a program becomes C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Road {
    /// By rustc or the same C compiler, without WebAssembly.
    Native,
    Ours(Safety),
    /// Ours, with the machine's addresses: 32-bit targets alone.
    Direct,
    /// The same, whose code stays in flash.
    Flash,
    /// As [`Direct`](Road::Direct), and its loops can be interrupted.
    Interruptible,
    Wasm2c {
        checked: bool,
    },
    W2c2,
}

impl Road {
    pub fn name(self) -> &'static str {
        match self {
            Road::Native => "native",
            Road::Ours(Safety::Checked) => "checked",
            Road::Ours(Safety::Masked) => "masked",
            Road::Ours(Safety::Trusted) => "trusted",
            Road::Direct => "direct",
            Road::Flash => "direct, in flash",
            Road::Interruptible => "direct, interruptible",
            Road::Wasm2c { checked: true } => "wasm2c, checked",
            Road::Wasm2c { checked: false } => "wasm2c, unchecked",
            Road::W2c2 => "w2c2, unchecked",
        }
    }
}

impl Road {
    /// Whether WebAssembly becomes C by cargo-mpy.
    pub fn is_ours(self) -> bool {
        matches!(self, Road::Ours(_) | Road::Direct | Road::Flash | Road::Interruptible)
    }
}

pub const ROADS: &[Road] = &[
    Road::Native,
    Road::Ours(Safety::Checked),
    Road::Ours(Safety::Masked),
    Road::Ours(Safety::Trusted),
    Road::Direct,
    Road::Flash,
    Road::Interruptible,
    Road::Wasm2c { checked: true },
    Road::Wasm2c { checked: false },
    Road::W2c2,
];

/// Flags of C that is not ours, beside the architecture's.
const FLAGS: &[&str] = &[
    "-std=gnu11",
    "-ffreestanding",
    "-fbuiltin",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-common",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fno-strict-aliasing",
    "-fno-tree-loop-distribute-patterns",
    // The same results everywhere.
    "-ffp-contract=off",
    "-w",
];

/// C, what it exports, what it includes from, and a library to link behind it.
struct Unit {
    text: String,
    interface: Interface,
    includes: Vec<PathBuf>,
    library: Option<Vec<u8>>,
    /// More flags for the compiler, behind all others.
    flags: &'static [&'static str],
    /// What is needed to write it again with other checks of the native stack.
    stack: Option<(WasmModule, Safety, NativeStack)>,
}

/// The C of cargo-mpy.
fn ours(
    module: &WasmModule,
    safety: Safety,
    code: CodePlace,
    checks: Option<StackChecks>,
    level: &str,
    arch: &Arch,
) -> target_specs::Result<Unit> {
    let options = wasm_to_c::Options {
        safety,
        stack: Some(StackSize::Fixed(STACK)),
        aligned: true,
        stack_checks: checks,
        code,
        for_speed: level != "-Os",
        wide_addresses: arch.word_bits == 64,
        condition_flags: arch.condition_flags,
        modified_immediates: arch.modified_immediates,
        ..Default::default()
    };
    let translation = wasm_to_c::transpile(module, &options)?;
    let stack = translation.native_stack.map(|stack| (module.clone(), safety, stack));
    let Translation { unit, interface, .. } = translation;
    Ok(Unit { text: unit.source, interface, includes: Vec::new(), library: None, flags: &[], stack })
}

pub struct Builder<'a> {
    pub arch: &'a Arch,
    pub options: &'a Options,
    /// Scratch.
    pub folder: &'a Path,
}

/// A module.
pub struct Made {
    pub mpy: Vec<u8>,
    /// Of what comes in where it is read into.
    pub name: String,
}

fn exports(program: &Program, prefix: &str) -> Interface {
    let exports = program.exports.iter().map(|name| ExportedFunc {
        name: (*name).to_owned(),
        c_name: format!("{prefix}{name}"),
        within: format!("{prefix}{name}"),
        ty: FuncType {
            params: vec![ValType::I32],
            results: if *name == "start" { Vec::new() } else { vec![ValType::I32] },
        },
        result_type: if *name == "start" { "void" } else { "uint32_t" }.to_owned(),
        function: 0,
    });
    Interface { exports: exports.collect(), ..Interface::default() }
}

impl Builder<'_> {
    /// `None` when what it takes is not there.
    pub fn build(
        &self,
        program: &Program,
        language: Language,
        road: Road,
        wasm: &[u8],
        level: &str,
    ) -> Result<Option<Made>> {
        match self.unit(program, language, road, wasm, level)? {
            Some(unit) => {
                let road_name = road.name().replace(", ", "-");
                let features = program.features.replace(',', "-");
                let stem =
                    format!("{}-{language:?}-{}{features}{level}-{road_name}", self.arch.name, program.name);
                self.module(&stem, program, &unit, road, level).map(Some)
            }
            None => Ok(None),
        }
    }

    /// A module with a program's functions, which do nothing.
    pub fn hollow(&self, program: &Program) -> Result<Made> {
        let interface = exports(program, "hollow_");
        let mut text = "#include <stdint.h>\n".to_owned();
        for export in &interface.exports {
            let _ = writeln!(
                text,
                "static {} {}(uint32_t a) {{ return ({0})a; }}",
                export.result_type, export.c_name
            );
        }
        let unit = Unit { text, interface, includes: Vec::new(), library: None, flags: &[], stack: None };
        self.module("hollow", program, &unit, Road::Native, "-O2")
    }

    fn module(&self, stem: &str, program: &Program, unit: &Unit, road: Road, level: &str) -> Result<Made> {
        let name = format!("m{}", program.name);
        let bind = |unit: &Unit| glue_gen::glue(&name, &unit.interface, None, &glue_gen::Mappings::default());
        let mut glue = bind(unit)?;
        let file = |ext: &str| self.folder.join(format!("{stem}.{ext}"));
        let (c, object) = (file("c"), file("o"));
        let write = |unit: &Unit, glue: &Glue| {
            let (head, tail) = match road {
                Road::Flash => (code_in_flash::head(glue), code_in_flash::TAIL),
                _ => (String::new(), ""),
            };
            let whole = format!("{head}{}\n{}\n{tail}", unit.text, glue.unit.source);
            toolchain::write_file(&c, whole.as_bytes())
        };
        write(unit, &glue)?;
        let include = self.folder.join("include");
        let compiler = cc::find(self.arch)?;
        let flags = &self.options.flags;
        if let Some((module, safety, stack)) = &unit.stack {
            let compile = |_: &_| compiler.compile_measured(&c, &object, flags, level, &[&include]);
            let again = |checks| {
                let unit = ours(module, *safety, CodePlace::Loaded, Some(checks), level, self.arch)?;
                let glue = bind(&unit)?;
                write(&unit, &glue)?;
                let stack = unit.stack.map(|(.., stack)| stack);
                Ok((stack.expect("checks were given"), glue))
            };
            glue = wasm_to_c::settled((stack.clone(), glue), |(stack, _)| Some(stack), compile, again)?.1;
        } else if road == Road::Flash {
            let flags = [&flags[..], &code_in_flash::flags(&compiler)?].concat();
            compiler.compile(&c, &object, &flags, level, &[&include])?;
            let toolchain = code_in_flash::Toolchain {
                compiler: &compiler,
                arch: self.arch,
                c_flags: &[],
                optimisation: level,
                include: &include,
            };
            let mpy = code_in_flash::link(&toolchain, &object, &glue, None)?.bytes;
            std::fs::write(file("mpy"), &mpy)?;
            return Ok(Made { mpy, name });
        } else if road == Road::Direct {
            let flags = [&flags[..], compiler.direct_tuning(level)].concat();
            compiler.compile(&c, &object, &flags, level, &[&include])?;
        } else if matches!(road, Road::Ours(_) | Road::Interruptible) {
            compiler.compile(&c, &object, flags, level, &[&include])?;
        } else {
            let mut command = self.compiler(&compiler);
            // Native code is what one gets from that compiler; what tools make gets what ours gets.
            if road != Road::Native {
                command.args(compiler.tuning(level));
            }
            command.args(FLAGS).arg(level).args(unit.flags).arg("-c").arg(&c).arg("-o").arg(&object);
            for folder in unit.includes.iter().chain([&include]) {
                command.arg("-I").arg(folder);
            }
            checked(&mut command)?;
        }
        let data = std::fs::read(&object)?;
        let runtime = compiler.runtime(&[], level, &include)?;
        let library = compiler.library(&[])?;
        let mut inputs = vec![Input { name: "unit.o", kind: InputKind::Object, data: &data }];
        let behind = runtime.iter().chain(&library).map(|(name, data)| (name.as_str(), data.as_slice()));
        let behind = behind.chain(unit.library.as_deref().map(|data| ("librust.a", data)));
        inputs.extend(behind.map(|(name, data)| Input { name, kind: InputKind::Lazy, data }));
        let file_name = format!("{name}.mpy");
        let options = mpy_link::Options {
            file_name: &file_name,
            qstrs: &glue.qstrs,
            ..mpy_link::Options::new(self.arch)
        };
        let mpy = mpy_link::link(&inputs, &options)?.bytes;
        std::fs::write(file("mpy"), &mpy)?;
        Ok(Made { mpy, name })
    }

    /// The size of what MicroPython's own linker makes of wasm2c's C, as its makefile would.
    pub fn by_mpy_ld(&self, program: &Program, wasm: &[u8]) -> Result<Option<usize>> {
        let Some(mpy_ld) = &self.options.mpy_ld else { return Ok(None) };
        let road = Road::Wasm2c { checked: true };
        let Some(unit) = self.unit(program, Language::Rust, road, wasm, "-Os")? else { return Ok(None) };
        let glue = glue_gen::glue("m", &unit.interface, None, &glue_gen::Mappings::default())?;
        let folder = std::path::absolute(self.folder.join("mpy_ld"))?;
        std::fs::create_dir_all(&folder)?;
        let (c, object) = (folder.join("unit.c"), folder.join("unit.o"));
        std::fs::write(&c, format!("{}\n{}", unit.text, glue.unit.source))?;
        let include = self.folder.join("include");
        let compiler = cc::find(self.arch)?;
        let compile = |c: &Path, object: &Path| {
            let mut command = self.compiler(&compiler);
            command.args(["-std=gnu11", "-Os", "-fpic", "-fno-common", "-ffreestanding", "-fbuiltin", "-w"]);
            command
                .args(["-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-c"])
                .arg(c)
                .arg("-o")
                .arg(object);
            command.arg("-I").arg(&include).args(unit.includes.iter().flat_map(|i| [Path::new("-I"), i]));
            checked(&mut command)
        };
        compile(&c, &object)?;
        let archive = folder.join("runtime.a");
        let _ = std::fs::remove_file(&archive);
        for (name, text) in c_runtime::SOURCES.iter().filter(|(name, _)| name.starts_with("mem")) {
            let source = folder.join(name);
            std::fs::write(&source, text)?;
            compile(&source, &source.with_extension("o"))?;
            checked(Command::new("ar").arg("rcs").arg(&archive).arg(source.with_extension("o")))?;
        }
        let mut qstrs = String::new();
        for (at, name) in glue.qstrs.iter().enumerate() {
            let _ = writeln!(qstrs, "#define MP_QSTR_{name} (mp_native_qstr_table[{}])", at + 1);
        }
        std::fs::write(folder.join("qstrs.h"), qstrs)?;
        let mut libgcc = self.compiler(&compiler);
        let libgcc = checked(libgcc.arg("-print-libgcc-file-name"))?;
        let mpy = folder.join("m.mpy");
        let mut command = Command::new("python3");
        command.env("PYTHONPATH", tests::tools::python());
        command
            .arg(std::path::absolute(mpy_ld)?)
            .args(["--arch", &self.arch.name, "--qstrs"])
            .arg(folder.join("qstrs.h"));
        command.arg(format!("-l{}", archive.display())).arg(format!("-l{}", libgcc.trim()));
        // It writes the path it is given into the file.
        checked(command.current_dir(&folder).args(["-o", "m.mpy"]).arg(&object))?;
        Ok(Some(std::fs::metadata(&mpy)?.len() as usize))
    }

    /// The compiler.
    fn compiler(&self, compiler: &cc::CCompiler) -> Command {
        let mut command = Command::new(compiler.program());
        let known = self.arch.compilers.iter().find(|known| {
            known
                .commands
                .iter()
                .any(|name| compiler.program().file_name().is_some_and(|file| file == name.as_str()))
        });
        command.args(known.into_iter().flat_map(|known| &known.flags));
        command
    }

    fn unit(
        &self,
        program: &Program,
        language: Language,
        road: Road,
        wasm: &[u8],
        level: &str,
    ) -> Result<Option<Unit>> {
        let is_direct = matches!(road, Road::Direct | Road::Flash | Road::Interruptible);
        if is_direct && self.arch.word_bits != 32
            || road == Road::Flash && cc::find(self.arch)?.flash_register().is_err()
        {
            return Ok(None);
        }
        let origin = wasm::Origin::Crate { interruptible: road == Road::Interruptible };
        let module = if is_direct {
            // Some linkers say too little.
            let (bytes, relocations) = match wasm_to_c::relocs::read("m", wasm) {
                Err(error) if error.code == "no-direct-memory" => return Ok(None),
                other => other?,
            };
            wasm::prepare("m", &only(&bytes, program.exports)?, 0, None, Some(relocations), origin, None)?
                .module
        } else {
            wasm::prepare("m", &only(wasm, program.exports)?, 0, None, None, origin, None)?.module
        };
        Ok(match road {
            Road::Ours(_) | Road::Direct | Road::Flash | Road::Interruptible => {
                let safety = if let Road::Ours(safety) = road { safety } else { Safety::Checked };
                let is_sandbox = matches!(road, Road::Ours(Safety::Checked | Safety::Masked));
                let code = if road == Road::Flash { CodePlace::Anywhere } else { CodePlace::Loaded };
                Some(ours(&module, safety, code, is_sandbox.then(StackChecks::default), level, self.arch)?)
            }
            Road::Native if language == Language::C => {
                let Some((text, mut includes)) = c_source(program, self.options)? else { return Ok(None) };
                includes.push(self.folder.join("libc"));
                let flags = libraries::flags(program);
                Some(Unit {
                    text,
                    interface: exports(program, ""),
                    includes,
                    library: None,
                    flags,
                    stack: None,
                })
            }
            Road::Native => {
                let Some(library) = rust_library(program, self.arch, self.options, self.folder, level)?
                else {
                    return Ok(None);
                };
                let mut text = include_str!("rust_runtime.h").to_owned();
                let interface = exports(program, "");
                for export in &interface.exports {
                    let _ = writeln!(text, "{} {}(uint32_t);", export.result_type, export.c_name);
                }
                Some(Unit {
                    text,
                    interface,
                    includes: Vec::new(),
                    library: Some(library),
                    flags: &[],
                    stack: None,
                })
            }
            Road::Wasm2c { checked: checks } => {
                let Some(header) = &self.options.wasm2c else { return Ok(None) };
                std::fs::copy(header.join("wasm-rt.h"), self.folder.join("libc/wasm-rt.h"))?;
                let (input, output) = (self.folder.join("peer.wasm"), self.folder.join("peer.c"));
                std::fs::write(&input, &module.bytes)?;
                checked(Command::new("wasm2c").args(["-n", "m", "-o"]).arg(&output).arg(&input))?;
                let mut text = String::new();
                // Where the processor's memory protection would check, nothing does here.
                let _ = writeln!(text, "#define WASM_RT_MEMCHECK_SIGNAL_HANDLER {}", u8::from(!checks));
                let _ = writeln!(text, "#define WASM_RT_SKIP_SIGNAL_RECOVERY {}", u8::from(!checks));
                let _ = writeln!(text, "#define WASM_RT_USE_STACK_DEPTH_COUNT {}", u8::from(checks));
                text.push_str("#include \"wasm2c_runtime.h\"\n");
                // State is visible: see wasm_state.h.
                let c = std::fs::read_to_string(&output)?;
                text.push_str(
                    &c.replace("static bool s_module", "bool s_module")
                        .replace("static u32 func_types", "u32 func_types"),
                );
                text.push_str("Z_m_instance_t peer_instance;\n");
                for name in program.exports {
                    let give = if *name == "start" { "" } else { "return " };
                    let ty = if *name == "start" { "void" } else { "uint32_t" };
                    let _ = writeln!(
                        text,
                        "static {ty} call_{name}(uint32_t a) {{ {give}Z_mZ_{name}(&peer_instance, a); }}"
                    );
                }
                text.push_str(
                    "static void call_init(void) { Z_m_init_module(); Z_m_instantiate(&peer_instance); }\n",
                );
                Some(self.peer(program, text))
            }
            Road::W2c2 => {
                let Some(w2c2) = &self.options.w2c2 else { return Ok(None) };
                let (input, output) = (self.folder.join("peer.wasm"), self.folder.join("peer.c"));
                std::fs::write(&input, &module.bytes)?;
                checked(Command::new(w2c2.join("w2c2-bin")).arg(&input).arg(&output))?;
                let mut text = "#define HAS_SYS_ENDIAN_H 0\n#include \"w2c2_runtime.h\"\n".to_owned();
                text.push_str(&std::fs::read_to_string(&output)?);
                text.push_str(
                    "\npeerInstance peer_instance;\nvoid trap(Trap kind) { (void)kind; peer_trap(); }\n",
                );
                for name in program.exports {
                    let give = if *name == "start" { "" } else { "return " };
                    let ty = if *name == "start" { "void" } else { "uint32_t" };
                    let _ = writeln!(
                        text,
                        "static {ty} call_{name}(uint32_t a) {{ {give}peer_{name}(&peer_instance, a); }}"
                    );
                }
                text.push_str("static void call_init(void) { peerInstantiate(&peer_instance, NULL); }\n");
                let mut unit = self.peer(program, text);
                unit.includes.push(w2c2.join("w2c2"));
                Some(unit)
            }
        })
    }

    fn peer(&self, program: &Program, text: String) -> Unit {
        let mut interface = exports(program, "call_");
        interface.init = Some("call_init".to_owned());
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bench");
        let includes = vec![self.folder.join("libc"), self.folder.to_owned(), here];
        Unit { text, interface, includes, library: None, flags: &[], stack: None }
    }
}
