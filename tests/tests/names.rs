//! Names that mean something to Python and its type checkers do not break stubs.

use std::fs;
use std::process::Command;

use glue_gen::Mappings;
use glue_gen::wbindgen::{Api, Call, Class, Enum, Member, Type};
use tests::in_ci;
use wasm_to_c::{ExportedFunc, FuncType, Interface, ValType};

/// Every name that Python and its type checkers have, as Python lists them: builtins, keywords, what is in `typing`, and
/// the special attributes of modules, classes and objects of many types.
const LIST: &str = "
import builtins, keyword, typing, types
names = {*dir(builtins), *keyword.kwlist, *keyword.softkwlist, *typing.__all__, *dir(types.ModuleType)}
for cls in (object, type, int, float, str, bytes, list, dict, set, tuple, memoryview, types.FunctionType,
            types.GeneratorType, types.CoroutineType, BaseException):
    names |= {*dir(cls)}
names |= {'__all__', '__path__', '__file__', '__slots__', '__match_args__', '__getattr__', '__setattr__', '__del__',
          '__matmul__', '__rmatmul__', '__imatmul__', '__bytes__', '__complex__', '__aenter__', '__aexit__', '__enter__',
          '__exit__', '__get__', '__set__', '__set_name__', '__missing__', '__instancecheck__', '__post_init__',
          '__class_getitem__', '__iadd__', '__isub__', '__length_hint__', 'array', 'reveal_type', 'self', 'cls', 'free',
          'p0', 'p1', '_int', '__int', '_Any', 'value', 'other'}
print('\\n'.join(sorted(names)))
";

/// Types that stubs name.
fn types() -> Vec<Type> {
    let boxed = |ty: &Type| Box::new(ty.clone());
    let plain = [Type::Bool, Type::Char, Type::U8, Type::I64, Type::F32, Type::String, Type::Object];
    let mut all = plain.to_vec();
    all.extend(plain.iter().map(|ty| Type::Vector(boxed(ty))));
    all.extend(plain.iter().map(|ty| Type::Option(boxed(ty))));
    all.extend([Type::U8, Type::I16, Type::F64].map(|ty| Type::RefMut(Box::new(Type::Slice(Box::new(ty))))));
    all.push(Type::Struct("Plain".to_owned()));
    all.push(Type::Unit);
    all
}

fn call(name: &str, params: &[(&str, &Type)], result: &Type) -> Call {
    let params = params.iter().map(|(name, ty)| ((*name).to_owned(), (*ty).clone())).collect();
    Call { name: name.to_owned(), params, result: result.clone(), ..Call::default() }
}

fn class(name: &str, members: Vec<Member>) -> Class {
    let [free, wrap, unwrap] = [const { String::new() }; 3];
    Class { name: name.to_owned(), free, wrap, unwrap, docs: Vec::new(), members }
}

/// Functions of a module of WebAssembly, of all names.
fn functions(names: &[String]) -> Interface {
    use ValType::{F32, I32, I64};
    let shapes: [(&[ValType], &[ValType]); 4] =
        [(&[I32, F32], &[I32]), (&[], &[F32]), (&[I64], &[]), (&[], &[I32, F32])];
    let export = |(name, (params, results)): (&String, &(&[ValType], &[ValType]))| ExportedFunc {
        name: name.clone(),
        c_name: String::new(),
        ty: FuncType { params: params.to_vec(), results: results.to_vec() },
        result_type: String::new(),
        function: 0,
        within: String::new(),
    };
    let exports = names.iter().zip(shapes.iter().cycle()).map(export).collect();
    Interface { exports, ..Interface::default() }
}

/// Classes, enums and functions of a crate: each kind of thing has every name.
fn crates(names: &[String]) -> Vec<Api> {
    let types = types();
    let types = || types.iter().cycle();
    let plain = || class("Plain", Vec::new());
    let member = |make: fn(Call) -> Member| {
        let one = |(at, (name, ty)): (usize, (&String, &Type))| {
            make(call(name, &[("a", ty), (names[(at * 7) % names.len()].as_str(), ty)], ty))
        };
        names.iter().zip(types()).enumerate().map(one).collect::<Vec<_>>()
    };
    let property = |make: fn(Call) -> Member, taken: bool| {
        let one = move |(name, ty): (&String, &Type)| {
            let params: &[(&str, &Type)] = if taken { &[("value", ty)] } else { &[] };
            make(call(name, params, if taken { &Type::Unit } else { ty }))
        };
        names.iter().zip(types()).map(one).collect::<Vec<_>>()
    };
    let methods = class("Methods", member(|call| Member::Method { call, consumes: false }));
    let statics = class("Statics", member(Member::Static));
    let properties = [property(Member::Getter, false), property(Member::Setter, true)].concat();
    let setters = class("Setters", property(Member::Setter, true));
    let values: Vec<(String, u32)> = names.iter().cloned().zip(0..).collect();
    let item = Enum { name: "Values".to_owned(), signed: false, variants: values, docs: Vec::new() };
    let own = |name: &String| {
        // A method that hides its class from the others.
        let this = Type::Struct(name.clone());
        let method =
            |name: &str| Member::Method { call: call(name, &[("other", &this)], &this), consumes: false };
        class(name, vec![method(name), method("other")])
    };
    let functions =
        names.iter().zip(types()).map(|(name, ty)| call(name, &[("a", ty), (name, ty)], ty)).collect();
    vec![
        Api { classes: vec![plain(), methods, statics], ..Api::default() },
        Api {
            classes: vec![plain(), class("Properties", properties), setters],
            enums: vec![item],
            ..Api::default()
        },
        Api { classes: names.iter().map(own).chain([plain()]).collect(), ..Api::default() },
        Api { functions, classes: vec![plain()], ..Api::default() },
    ]
}

#[test]
fn type_checkers_read_stubs_of_all_names() {
    let python = tests::tools::python();
    if !python.join("mypy").is_dir() {
        assert!(!in_ci(), "mypy is missing: `cargo xtask setup` installs it");
        eprintln!("skipped: mypy is missing");
        return;
    }
    let output = Command::new("python3").args(["-c", LIST]).output().expect("python3");
    let names: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    assert!(names.len() > 400, "{} names", names.len());
    let folder = tempfile::tempdir().expect("a folder");
    let mut stubs = Vec::new();
    let mut write = |text: String| {
        let path = folder.path().join(format!("stub{}.pyi", stubs.len()));
        fs::write(&path, text).expect("a file");
        stubs.push(path);
    };
    let interface = functions(&names);
    write(glue_gen::stub(&interface, None, &Mappings::default()).expect("a stub"));
    for api in crates(&names) {
        for keywords in [false, true] {
            let mappings = Mappings { keywords, ..Mappings::default() };
            write(glue_gen::stub(&Interface::default(), Some(&api), &mappings).expect("a stub"));
        }
    }
    // What is described has the types it should have.
    let uses = folder.path().join("uses.py");
    let int = names.iter().position(|name| name == "int").expect("a builtin") % 4;
    let call =
        ["x: int = stub0.int(1, 1.5)", "x: float = stub0.int()", "stub0.int(1)", "x: int = stub0.int()[0]"]
            [int];
    let code = format!("import stub0\n{call}\ny: int = stub0.{}(1, 1.5)\n", names[0]);
    fs::write(&uses, code).expect("a file");
    stubs.push(uses);
    let mut mypy = Command::new("python3");
    mypy.args(["-m", "mypy", "--strict", "--no-color-output", "--cache-dir=/dev/null"]).args(&stubs);
    let output = mypy.env("PYTHONPATH", python).env("MYPYPATH", folder.path()).output().expect("python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Lines of documentation that would end their string, or change what is seen of it.
const DOCS: &[&str] = &[
    " ends with a \"",
    " has \"\"\" in it, and \\ at its end\\",
    " turns \u{202e}text\u{202c} around",
    "\u{1b}[31m\u{7}\u{0}\u{85}\u{2028}\u{200b}\u{feff}\u{e0041}",
    " \\x41 \\u0041 \\N{BULLET} \\",
    "\"\"\"",
    "\"",
];

/// Prints the documentation of everything, as Python reads it.
const READ: &str = "
import ast, sys
tree = ast.parse(open(sys.argv[1], encoding='utf-8').read())
for node in ast.walk(tree):
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        doc = ast.get_docstring(node, clean=False)
        if doc is not None:
            print(ascii(doc))
";

#[test]
fn documentation_is_a_string_of_python_with_nothing_hidden() {
    let folder = tempfile::tempdir().expect("a folder");
    for docs in DOCS {
        let docs = vec![(*docs).to_owned()];
        let documented = |name: &str| Call { docs: docs.clone(), ..call(name, &[], &Type::Unit) };
        let method = Member::Method { call: documented("method"), consumes: false };
        let api = Api {
            functions: vec![documented("function")],
            classes: vec![Class { docs: docs.clone(), ..class("Documented", vec![method]) }],
            enums: vec![Enum {
                name: "Item".to_owned(),
                signed: false,
                variants: Vec::new(),
                docs: docs.clone(),
            }],
            ..Api::default()
        };
        let stub = glue_gen::stub(&Interface::default(), Some(&api), &Mappings::default()).expect("a stub");
        let hidden = stub.chars().find(|c| target_specs::is_hidden(*c) && *c != '\n');
        assert_eq!(hidden, None, "{}", stub.escape_debug());
        let path = folder.path().join("stub.pyi");
        fs::write(&path, stub).expect("a file");
        let output = Command::new("python3").args(["-c", READ]).arg(&path).output().expect("python3");
        let said = String::from_utf8_lossy(&output.stdout);
        let expected = Command::new("python3")
            .args(["-c", "import sys; print(ascii(bytes.fromhex(sys.argv[1]).decode()))"])
            .arg(
                docs[0].trim_start_matches(' ').bytes().map(|byte| format!("{byte:02x}")).collect::<String>(),
            )
            .output()
            .expect("python3");
        let expected = String::from_utf8_lossy(&expected.stdout);
        assert_eq!(*said, expected.repeat(4), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
