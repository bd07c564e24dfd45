//! Objects that say they were compiled for something else: refused by name, and what fits is not.

mod common;

use common::{Cc, lazy, object};
use target_specs::{Diagnostic, Place};

const ENTRY: &str = "float half(float); float volatile v; void mpy_init(void) { v = half(v); }\n";
const OTHER: &str = "float half(float x) { return x / 2; }\n";

/// Compiles one source for one architecture and links it as another.
fn as_other(from: &Cc, to: &Cc, flags: &[&str]) -> Result<(), Diagnostic> {
    let one = from.compile("one", "int v; void mpy_init(void) { v++; }", flags);
    to.link(&[("one.o", &one)]).map(drop)
}

/// Links two objects, the second compiled with other flags: a named one, or a member of an archive.
fn two(cc: &Cc, flags: &[&str], in_archive: bool) -> Result<(), Diagnostic> {
    let library = cc.library().unwrap_or_else(|| b"!<arch>\n".to_vec());
    let entry = cc.compile("entry", ENTRY, &[]);
    let other = cc.compile("other", OTHER, flags);
    let archive = cc.archive("lib.a", &["other"], "rcs").expect("an archiver");
    let second = if in_archive { lazy("lib.a", &archive) } else { object("other.o", &other) };
    cc.link_inputs(&[object("entry.o", &entry), second, lazy("libgcc.a", &library)]).map(drop)
}

/// The object that an error names.
fn named(error: &Diagnostic) -> &str {
    match &error.at {
        Place::Object { object, .. } => object,
        _ => "",
    }
}

#[track_caller]
fn refused(result: Result<(), Diagnostic>, object: &str, message: &str) {
    let error = result.expect_err(message);
    assert_eq!((error.code, named(&error)), ("foreign-object", object), "{error}");
    assert_eq!(error.message, message);
    assert!(error.help.is_some_and(|help| help.contains("compile")));
}

/// The cores of the Arm architectures, each of which runs what is for those before it.
const ARM: [(&str, &str); 5] = [
    ("armv6m", "v6S-M"),
    ("armv7m", "v7-M"),
    ("armv7emsp", "v7E-M"),
    ("armv7emdp", "v7E-M"),
    ("armv81m", "v8.1-M.mainline"),
];

#[test]
fn a_core_runs_what_is_for_a_lower_one() {
    let ccs: Vec<Cc> = ARM.iter().filter_map(|(arch, _)| common::cc(arch)).collect();
    if ccs.len() < ARM.len() {
        return;
    }
    for (from, cc) in ccs.iter().enumerate() {
        for (to, other) in ccs.iter().enumerate() {
            let result = as_other(cc, other, &[]);
            if from <= to {
                result.unwrap_or_else(|error| panic!("{} as {}: {error}", ARM[from].0, ARM[to].0));
            } else if ARM[from].1 == ARM[to].1 {
                let message = "not compiled for `armv7emsp`: its `Tag_FP_arch` is FPv5-D16, not VFPv4-D16";
                refused(result, "one.o", message);
            } else {
                let (arch, own) = ARM[to];
                let message =
                    format!("not compiled for `{arch}`: its `Tag_CPU_arch` is {}, not {own}", ARM[from].1);
                refused(result, "one.o", &message);
            }
        }
    }
}

#[test]
fn cores_and_units_that_an_architecture_has_not_are_refused() {
    let cases: &[(&str, &[&str], &str)] = &[
        ("armv7m", &["-mcpu=cortex-a9"], "armv7m`: its `Tag_CPU_arch` is v7-A, not v7-M"),
        ("armv7m", &["-mcpu=cortex-m23"], "armv7m`: its `Tag_CPU_arch` is v8-M.baseline, not v7-M"),
        (
            "armv7emsp",
            &["-mcpu=cortex-m33", "-mfpu=fpv5-sp-d16"],
            "armv7emsp`: its `Tag_CPU_arch` is v8-M.mainline, not v7E-M",
        ),
        (
            "armv7emsp",
            &["-mcpu=cortex-m7", "-mfpu=fpv5-sp-d16"],
            "armv7emsp`: its `Tag_FP_arch` is FPv5-D16, not VFPv4-D16",
        ),
        (
            "armv7emsp",
            &["-mfpu=vfpv3-d16"],
            "armv7emsp`: its `Tag_ABI_HardFP_use` is as Tag_FP_arch, not SP only",
        ),
        (
            "armv7emdp",
            &["-mcpu=cortex-m55", "-mfpu=auto"],
            "armv7emdp`: its `Tag_CPU_arch` is v8.1-M.mainline, not v7E-M",
        ),
        ("armv81m", &["-mcpu=cortex-a9"], "armv81m`: its `Tag_CPU_arch` is v7-A, not v8.1-M.mainline"),
        ("rv32imc", &["-march=rv32imafc", "-mabi=ilp32"], "rv32imc`: its `Tag_RISCV_arch` has f"),
        ("rv32imc", &["-march=rv32imc_zbb"], "rv32imc`: its `Tag_RISCV_arch` has zbb"),
        (
            "rv32imc",
            &["-march=rv32imafc", "-mabi=ilp32f"],
            "rv32imc`: its `float ABI of e_flags` is single, not soft",
        ),
        (
            "rv32imc",
            &["-march=rv32imafdc", "-mabi=ilp32d"],
            "rv32imc`: its `float ABI of e_flags` is double, not soft",
        ),
        ("rv32imc", &["-march=rv32ec", "-mabi=ilp32e"], "rv32imc`: its `base of e_flags` is RVE, not RVI"),
        (
            "rv64imc",
            &["-march=rv64imafdc", "-mabi=lp64d"],
            "rv64imc`: its `float ABI of e_flags` is double, not soft",
        ),
        ("rv64imc", &["-march=rv64imafdc", "-mabi=lp64"], "rv64imc`: its `Tag_RISCV_arch` has f"),
    ];
    for (arch, flags, message) in cases {
        let Some(cc) = common::cc(arch) else { continue };
        refused(as_other(&cc, &cc, flags), "one.o", &format!("not compiled for `{message}"));
    }
    // Lower, or what every board has.
    let cases: &[(&str, &[&str])] = &[
        ("armv81m", &["-mcpu=cortex-m33"]),
        ("armv81m", &["-mcpu=cortex-m7", "-mfpu=fpv5-d16"]),
        ("armv7emdp", &["-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16"]),
        ("armv7emsp", &["-mcpu=cortex-m4", "-mfloat-abi=soft"]),
        ("armv7m", &["-march=armv7"]),
        ("armv7m", &["-march=armv4t"]),
        ("rv32imc", &["-march=rv32imac"]),
        ("rv32imc", &["-march=rv32i"]),
        ("rv32imc", &["-march=rv32imc_zba"]),
        ("rv64imc", &["-march=rv64imac"]),
    ];
    for (arch, flags) in cases {
        let Some(cc) = common::cc(arch) else { continue };
        as_other(&cc, &cc, flags).unwrap_or_else(|error| panic!("{arch} {flags:?}: {error}"));
    }
}

#[test]
fn arm_objects_pass_floats_alike() {
    let Some(cc) = common::cc("armv7emsp") else { return };
    for in_archive in [false, true] {
        let name = if in_archive { "lib.a:other.o" } else { "other.o" };
        two(&cc, &[], in_archive).unwrap();
        for abi in ["-mfloat-abi=softfp", "-mfloat-abi=soft"] {
            let message = "not compiled as entry.o: its `Tag_ABI_VFP_args` is core registers, there it is VFP registers";
            refused(two(&cc, &[abi], in_archive), name, message);
        }
    }
    // The library of a compiler that was asked without the flags.
    let entry = cc.compile("entry", "float sinf(float), v; void mpy_init(void) { v = sinf(v); }", &[]);
    let path = std::process::Command::new(&cc.program)
        .args(["-mthumb", "-mcpu=cortex-m3", "-print-file-name=libm.a"])
        .output()
        .expect("a compiler that runs");
    if let Ok(libm) = std::fs::read(String::from_utf8_lossy(&path.stdout).trim()) {
        let error = cc.link_inputs(&[object("trig.o", &entry), lazy("libm.a", &libm)]).unwrap_err();
        assert!(named(&error).starts_with("libm.a:"), "{error}");
        assert!(error.message.contains("`Tag_ABI_VFP_args` is core registers"), "{error}");
    }
}

#[test]
fn sizes_of_enums_and_characters_are_alike_but_for_libraries() {
    let Some(cc) = common::cc("armv7m") else { return };
    let cases = [
        ("-fno-short-enums", "`Tag_ABI_enum_size` is int, there it is small"),
        ("-fshort-wchar", "`Tag_ABI_PCS_wchar_t` is 2 bytes, there it is 4 bytes"),
    ];
    for (flag, difference) in cases {
        refused(two(&cc, &[flag], false), "other.o", &format!("not compiled as entry.o: its {difference}"));
        two(&cc, &[flag], true).unwrap();
    }
    let format = ["-mfp16-format=ieee", "-mfp16-format=alternative"];
    let one = cc.compile("one", "__fp16 h; void mpy_init(void) { h++; }", &[format[0]]);
    let two = cc.compile("two", "__fp16 h; void two(void) { h++; }", &[format[1]]);
    let message = "not compiled as one.o: its `Tag_ABI_FP_16bit_format` is alternative, there it is IEEE 754";
    refused(cc.link(&[("one.o", &one), ("two.o", &two)]).map(drop), "two.o", message);
}

#[test]
fn windowed_and_other_calls_are_not_mixed() {
    let (Some(call0), Some(windowed)) = (common::cc("xtensa"), common::cc("xtensawin")) else { return };
    let of = |abi: &str, arch: &str, own: &str| {
        format!("not compiled for `{arch}`: its `ABI of .xtensa.info` is {abi}, not {own}")
    };
    as_other(&call0, &call0, &[]).unwrap();
    as_other(&windowed, &windowed, &[]).unwrap();
    refused(as_other(&call0, &windowed, &[]), "one.o", &of("call0", "xtensawin", "windowed"));
    refused(as_other(&windowed, &call0, &[]), "one.o", &of("windowed", "xtensa", "call0"));
    // A library of the other kind.
    let source = "int divide(int, int), v; void mpy_init(void) { v = divide(v, 3); }";
    let entry = windowed.compile("entry", source, &[]);
    call0.compile("divide", "int divide(int a, int b) { return a - b; }", &[]);
    let archive = call0.archive("libgcc.a", &["divide"], "rcs").expect("an archiver");
    let result = windowed.link_inputs(&[object("entry.o", &entry), lazy("libgcc.a", &archive)]).map(drop);
    refused(result, "libgcc.a:divide.o", &of("call0", "xtensawin", "windowed"));
}

/// The processors that one program compiles for, in the other word size.
#[test]
fn words_of_another_size_are_refused() {
    let cases: [(&str, &[&str]); 3] =
        [("x64", &["-m32"]), ("x64", &["-mx32"]), ("x86", &["-m64", "-march=x86-64"])];
    for (arch, flags) in cases {
        let Some(cc) = common::cc(arch) else { continue };
        let error = as_other(&cc, &cc, flags).unwrap_err();
        assert_eq!((error.code, named(&error)), ("foreign-object", "one.o"), "{arch}: {error}");
    }
}

#[test]
fn code_for_the_other_instruction_set_is_not_called() {
    let Some(cc) = common::cc("armv7m") else { return };
    let entry = cc.compile("entry", "int other(int), v; void mpy_init(void) { v = other(v); }", &[]);
    let arm = cc.compile("arm", "int other(int x) { return x + 1; }", &["-marm", "-mcpu=arm7tdmi"]);
    let error = cc.link(&[("entry.o", &entry), ("arm.o", &arm)]).unwrap_err();
    assert_eq!(error.code, "foreign-object", "{error}");
    assert!(error.message.contains("`other`"), "{error}");
    let thumb = cc.compile("thumb", "int other(int x) { return x + 1; }", &["-mthumb", "-mcpu=arm7tdmi"]);
    cc.link(&[("entry.o", &entry), ("thumb.o", &thumb)]).unwrap();
}

/// `objcopy` makes objects of files; it knows no flags, and they have no code.
#[test]
fn objects_without_code_fit_everywhere() {
    for cc in common::ccs() {
        let (Some(objcopy), source) = (cc.tool("objcopy"), cc.path("table.bin")) else { continue };
        std::fs::write(&source, [7; 32]).expect("a writable folder");
        let probe = cc.compile(
            "probe",
            "extern const char _binary_table_bin_start[]; const char *volatile v;
            void mpy_init(void) { v = _binary_table_bin_start; }",
            &[],
        );
        let format = match (cc.arch.name.as_str(), cc.arch.word_bits) {
            (name, _) if name.starts_with("arm") => "elf32-littlearm",
            (name, _) if name.starts_with("xtensa") => "elf32-xtensa-le",
            ("x64", _) => "elf64-x86-64",
            ("x86", _) => "elf32-i386",
            (_, 64) => "elf64-littleriscv",
            _ => "elf32-littleriscv",
        };
        let output = std::process::Command::new(objcopy)
            .current_dir(cc.folder.path())
            .args(["-I", "binary", "-O", format, "table.bin", "table.o"])
            .output()
            .expect("objcopy runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let table = std::fs::read(cc.path("table.o")).expect("an object");
        for inputs in [[("table.o", &table), ("probe.o", &probe)], [("probe.o", &probe), ("table.o", &table)]]
        {
            let inputs = inputs.map(|(name, data)| (name, data.as_slice()));
            cc.link(&inputs).unwrap_or_else(|error| panic!("{}: {error}", cc.arch.name));
        }
    }
}
