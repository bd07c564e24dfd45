//! Bindings of hand-written modules, compiled with every C compiler of this machine, warnings being
//! errors.

use std::path::Path;
use std::process::Command;

use glue_gen::{Glue, Imports, Mappings, glue};
use wasm_to_c::{ExportedFunc, FuncType, ImportedFunc, Interface, MemoryInfo, ValType};

/// `iqfd` for the four number types, parameters before and results behind the `>`.
fn ty(text: &str) -> FuncType {
    let types = |letters: &str| {
        letters
            .chars()
            .map(|letter| match letter {
                'i' => ValType::I32,
                'q' => ValType::I64,
                'f' => ValType::F32,
                'd' => ValType::F64,
                'x' => ValType::ExternRef,
                other => panic!("no type is written {other}"),
            })
            .collect()
    };
    let (params, results) = text.split_once('>').expect("a type");
    FuncType { params: types(params), results: types(results) }
}

fn c_result(ty: &FuncType, several: &str) -> String {
    match ty.results.as_slice() {
        [] => "void",
        [ValType::I32] => "uint32_t",
        [ValType::I64] => "uint64_t",
        [ValType::F32] => "float",
        [ValType::F64] => "double",
        _ => several,
    }
    .to_owned()
}

fn export(name: &str, c_name: &str, text: &str) -> ExportedFunc {
    let ty = ty(text);
    let result_type = c_result(&ty, "struct pair");
    ExportedFunc {
        name: name.to_owned(),
        c_name: c_name.to_owned(),
        within: c_name.to_owned(),
        ty,
        result_type,
        function: 0,
    }
}

fn import(module: &str, field: &str, c_name: &str, text: &str) -> ImportedFunc {
    let ty = ty(text);
    let result_type = c_result(&ty, "struct pair");
    ImportedFunc {
        module: module.to_owned(),
        field: field.to_owned(),
        c_name: c_name.to_owned(),
        ty,
        result_type,
    }
}

/// Every kind of binding at once, and the module behind it.
fn everything() -> (Interface, &'static str) {
    let interface = Interface {
        exports: vec![
            export("none", "f_none", ">"),
            export("add", "f_add", "ii>i"),
            export("sum", "f_add", "ii>i"),
            export("a*/b", "f_wide", "q>q"),
            export("mixed", "f_mixed", "iqfd>d"),
            export("halve", "f_halve", "f>f"),
            export("pair", "f_pair", "iii>iq"),
            export("_initialize", "f_initialize", ">"),
        ],
        imports: vec![
            import("time", "ticks_ms", "i_ticks", ">i"),
            import("host", "mixed", "i_mixed", "iqfd>d"),
            import("host", "pair", "i_pair", "f>iq"),
            import("host", "log", "i_log", "i>"),
            import("mpy", "panic", "i_panic", "ii>"),
            import("mpy", "print", "i_print", "ii>"),
            import("mpy", "alloc", "i_alloc", "ii>i"),
            import("mpy", "alloc_zeroed", "i_alloc_zeroed", "ii>i"),
            import("mpy", "realloc", "i_realloc", "iiii>i"),
            import("mpy", "dealloc", "i_dealloc", "i>"),
            import("mpy", "out_of_memory", "i_out_of_memory", ">"),
        ],
        init: Some("start".to_owned()),
        stack_pointer: Some(("stack_pointer".to_owned(), "4096".to_owned())),
        memory: Some(MemoryInfo {
            base: "memory".to_owned(),
            size: "4096u".to_owned(),
            direct: false,
            grows: false,
            heap_base: Some(1000),
            heap_reserve: 0,
            growth: None,
        }),
        ..Interface::default()
    };
    let module = r#"#include "wasm.h"
struct pair { uint32_t r0; uint64_t r1; };
WASM_STORAGE uint32_t stack_pointer = 4096;
WASM_STORAGE uint8_t memory[4096];
static uint32_t i_ticks(void);
static double i_mixed(uint32_t, uint64_t, float, double);
static struct pair i_pair(float);
static void i_log(uint32_t);
static void i_panic(uint32_t, uint32_t);
static void i_print(uint32_t, uint32_t);
static uint32_t i_alloc(uint32_t, uint32_t);
static uint32_t i_alloc_zeroed(uint32_t, uint32_t);
static uint32_t i_realloc(uint32_t, uint32_t, uint32_t, uint32_t);
static void i_dealloc(uint32_t);
static void i_out_of_memory(void);
static void start(void) { i_log(i_ticks()); }
static void f_initialize(void) {
    uint32_t a = i_alloc(10, 4), b = i_alloc_zeroed(10, 64);
    if (a == 0 || b == 0) i_out_of_memory();
    i_print(i_realloc(a, 10, 20, 4), 10);
    i_dealloc(b);
}
static void f_none(void) { i_panic(0, 10); }
static uint32_t f_add(uint32_t a, uint32_t b) { return a + b; }
static uint64_t f_wide(uint64_t a) { return wasm_div_u64(100, a); }
static float f_halve(float a) { return a * 0.5f; }
static double f_mixed(uint32_t a, uint64_t b, float c, double d) { return i_mixed(a, b, c, d); }
static struct pair f_pair(uint32_t a, uint32_t b, uint32_t c) { return i_pair((float)(a + b + c)); }
"#;
    (interface, module)
}

fn first_on_path(commands: &[String]) -> Option<&String> {
    commands.iter().find(|command| Command::new(command).arg("--version").output().is_ok())
}

/// Compiles `module` and its bindings for every architecture whose compiler is here.
fn compile(module: &str, glue: &Glue) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    for (name, text) in c_runtime::HEADERS {
        write(name, text);
    }
    write("module.c", module);
    write(&glue.unit.file_name, &glue.unit.source);
    write("unit.c", &format!("#include \"module.c\"\n#include \"{}\"\n", glue.unit.file_name));
    let mut compiled = 0;
    for arch in target_specs::archs() {
        for compiler in &arch.compilers {
            let Some(command) = first_on_path(&compiler.commands) else { continue };
            for optimisation in ["-O0", "-Os", "-O2"] {
                compile_one(command, &compiler.flags, optimisation, folder.path(), &arch.name);
            }
            compiled += 1;
        }
    }
    assert!(compiled > 0, "no C compiler is installed");
}

fn compile_one(command: &str, flags: &[String], optimisation: &str, folder: &Path, arch: &str) {
    let output = tests::programs::cached(command)
        .current_dir(folder)
        .args(flags)
        // Not every assembler knows every architecture its compiler writes for.
        .args(["-S", optimisation, "-std=c11", "-ffreestanding", "-Wall", "-Wextra", "-Werror"])
        .args(wasm_to_c::C_FLAGS)
        // Clang says of flags that it has not what GCC does without them.
        .args(command.contains("clang").then_some("-Wno-ignored-optimization-argument"))
        .args(["-I.", "-o", "unit.s", "unit.c"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command} {optimisation} for {arch}: {said}");
}

#[test]
fn every_kind_of_binding_compiles_everywhere() {
    let (interface, module) = everything();
    compile(module, &glue("everything", &interface, None, &Mappings::default()).unwrap());
    // The same where addresses are the machine's.
    let memory = MemoryInfo {
        base: "(uint8_t *)0".to_owned(),
        size: "0xffffffffu".to_owned(),
        direct: true,
        grows: false,
        heap_base: None,
        heap_reserve: 100,
        growth: None,
    };
    let direct = Interface { memory: Some(memory), ..interface };
    compile(module, &glue("everything", &direct, None, &Mappings::default()).unwrap());
}

/// All that the bindings provide, and every type that `[imports]` know.
#[test]
fn every_shim_compiles_everywhere() {
    let mut imports = Vec::new();
    let mut source = String::from(
        "#include \"wasm.h\"\nWASM_STORAGE uint32_t stack_pointer = 4096;\nWASM_STORAGE uint8_t memory[4096];\n",
    );
    let mut calls = String::new();
    let c_type = |letter: char| match letter {
        'i' => "uint32_t",
        'q' => "uint64_t",
        'f' => "float",
        _ => "double",
    };
    let mut add = |module: &str, name: &str, signature: &str| {
        let c_name = format!("i_{module}_{name}");
        let item = import(module, name, &c_name, signature);
        let params: Vec<_> = signature.split('>').next().unwrap_or_default().chars().map(c_type).collect();
        let list = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
        source += &format!("static {} {c_name}({list});\n", item.result_type);
        calls += &format!("    {c_name}({});\n", vec!["0"; params.len()].join(", "));
        imports.push(item);
    };
    for (name, signature) in glue_gen::builtin_functions() {
        add("mpy", name, signature);
    }
    let answers = [
        ("all", "iqfdIQiiiii>i", "host.all(i32, i64, f32, f64, u32, u64, bool, str, bytes) -> bool"),
        ("texts", "ii>i", "host.texts(cstr, utf16) -> low32"),
    ];
    for (name, signature, _) in answers {
        add("env", name, &signature.replace('I', "i").replace('Q', "q"));
    }
    source += &format!("static void start(void) {{\n{calls}}}\n");
    let (everything, _) = everything();
    let interface = Interface { imports, exports: Vec::new(), ..everything };
    let answers = answers.map(|(name, _, answer)| (format!("env.{name}"), answer.to_owned().into()));
    let mappings = Mappings { imports: Imports::from(answers), ..Mappings::default() };
    compile(&source, &glue("shims", &interface, None, &mappings).unwrap());
}

/// Texts of Python's, as arguments and as what imports return, and every type that `[exports]` know.
#[test]
fn every_text_compiles_everywhere() {
    let module = r#"#include "wasm.h"
struct pair { uint32_t r0; uint32_t r1; };
WASM_STORAGE uint8_t memory[4096];
static uint32_t m_alloc(uint32_t size) { return 4096 - size; }
static void m_free(uint32_t ptr) { memory[ptr] = 0; }
static void m_free_sized(uint32_t ptr, uint32_t size) { memory[ptr + size - 1] = 0; }
static uint32_t m_new(uint32_t size, uint32_t id) { return m_alloc(size) + id; }
static uint32_t m_pin(uint32_t ptr) { return ptr; }
static uint32_t i_path(void);
static uint32_t f_all(uint32_t a, uint64_t b, float c, double d, uint32_t e, uint64_t f, uint32_t g, uint32_t h,
                      uint32_t i, uint32_t j, uint32_t k, uint32_t l, uint32_t m, uint32_t n) {
    return (uint32_t)(a + b + (uint32_t)c + (uint32_t)d + e + f + g + h + i + j + k + l + m + n);
}
static uint32_t f_path(void) { return i_path(); }
static struct pair f_both(uint32_t a) { return (struct pair){a, 1}; }
static void f_nothing(void) {}
"#;
    let exports = vec![
        export("malloc", "m_alloc", "i>i"),
        export("free", "m_free", "i>"),
        export("free_sized", "m_free_sized", "ii>"),
        export("__new", "m_new", "ii>i"),
        export("__pin", "m_pin", "i>i"),
        export("__unpin", "m_free", "i>"),
        export("all", "f_all", "iqfdiqiiiiiiii>i"),
        export("path", "f_path", ">i"),
        export("both", "f_both", "i>ii"),
        export("nothing", "f_nothing", ">"),
    ];
    let imports = vec![import("os", "getcwd", "i_path", ">i")];
    let (everything, _) = everything();
    let interface = Interface { exports, imports, init: None, stack_pointer: None, ..everything };
    let exports = [
        ("all", "(i32, i64, f32, f64, u32, u64, bool, low32, str, bytes, cstr, utf16) -> cstr"),
        ("path", "() -> utf16"),
        ("both", "(u32) -> str"),
        ("nothing", "()"),
    ];
    let mut mappings = Mappings {
        imports: Imports::from([("os.getcwd".to_owned(), "os.getcwd() -> cstr".into())]),
        exports: exports.map(|(name, types)| (name.to_owned(), types.to_owned())).into(),
        ..Mappings::default()
    };
    compile(module, &glue("texts", &interface, None, &mappings).unwrap());
    mappings.allocator = vec!["malloc".to_owned(), "free_sized".to_owned()];
    let glued = glue("texts", &interface, None, &mappings).unwrap();
    compile(module, &glued);
    assert!(glued.stub.contains(
        "def all(p0: int, p1: int, p2: float, p3: float, p4: int, p5: int, p6: bool, p7: int, p8: str, \
         p9: bytes | bytearray | memoryview, p10: str, p11: str | None, /) -> str: ...\n"
    ));
    assert!(glued.stub.contains("def both(p0: int, /) -> str: ...\ndef nothing() -> None: ...\n"));

    let refused = |exports: &[(&str, &str)], allocator: &[&str]| {
        let exports = exports.iter().map(|(name, types)| ((*name).to_owned(), (*types).to_owned())).collect();
        let allocator = allocator.iter().map(|name| (*name).to_owned()).collect();
        let mappings = Mappings { exports, allocator, ..Mappings::default() };
        let error = glue("texts", &interface, None, &mappings).unwrap_err();
        (error.code, error.at.to_string())
    };
    assert_eq!(refused(&[("paths", "()")], &[]), ("unknown-export", "`paths`".into()));
    assert_eq!(refused(&[("path", "() -> str")], &[]), ("inexpressible-export", "`path`".into()));
    let takes = [("both", "(cstr) -> str")];
    assert_eq!(refused(&takes, &["reserve"]), ("unknown-export", "`reserve`".into()));
    assert_eq!(refused(&takes, &["malloc", "malloc"]), ("unknown-export", "`malloc`".into()));
    assert_eq!(refused(&[("both", "(str) -> str")], &[]), ("inexpressible-export", "`both`".into()));
}

#[test]
fn a_module_needs_nothing_but_its_own() {
    let interface = Interface::default();
    let glue = glue("empty", &interface, None, &Mappings::default()).unwrap();
    assert!(glue.qstrs.is_empty());
    compile("", &glue);

    let add = Interface { exports: vec![export("add", "add", "ii>i")], ..Interface::default() };
    let module = "#include \"wasm.h\"\nstatic uint32_t add(uint32_t a, uint32_t b) { return a + b; }\n";
    compile(module, &crate::glue("one", &add, None, &Mappings::default()).unwrap());
}

#[test]
fn exported_names_come_first_in_the_order_of_the_tables() {
    let (interface, _) = everything();
    let glue = glue("everything", &interface, None, &Mappings::default()).unwrap();
    // Up to three parameters, then more, then what imports add.
    assert_eq!(
        glue.qstrs,
        ["none", "add", "sum", "a*/b", "halve", "pair", "mixed", "time", "ticks_ms", "host", "log"]
    );
}

#[test]
fn what_python_cannot_express_is_refused_by_name() {
    let refused = |interface: Interface| {
        let error = glue("m", &interface, None, &Mappings::default()).unwrap_err();
        (error.code, error.at.to_string())
    };
    let exports = |exports| Interface { exports, ..Interface::default() };
    let imports = |import| Interface { imports: vec![import], ..Interface::default() };
    assert_eq!(refused(exports(vec![export("f", "f", "x>")])), ("inexpressible-export", "`f`".into()));
    assert_eq!(refused(exports(vec![export("f", "f", ">x")])).0, "inexpressible-export");
    let long = "n".repeat(256);
    assert_eq!(refused(exports(vec![export(&long, "f", ">")])).0, "inexpressible-export");
    assert_eq!(refused(imports(import("m", "f", "f", "x>"))), ("inexpressible-import", "`m.f`".into()));
    let many = format!("{}>", "i".repeat(256));
    assert_eq!(refused(imports(import("m", "f", "f", &many))).0, "inexpressible-import");
    assert_eq!(refused(imports(import("mpy", "nothing", "f", ">"))).0, "unknown-import");
    assert_eq!(refused(imports(import("mpy", "panic", "f", "i>"))).0, "inexpressible-import");
    // There is no memory to read the text from.
    assert_eq!(refused(imports(import("mpy", "panic", "f", "ii>"))).0, "inexpressible-import");
}
