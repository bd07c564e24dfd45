//! The bindings of wasm-bindgen's [`Api`] in C: functions with Rust types, classes, enums, and the functions that Rust
//! imports.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use target_specs::Result;
use wasm_to_c::{FuncType, ImportedFunc, Interface, literal};

use crate::c::{Strings, comment, line, parameters};
use crate::classes;
use crate::host_imports::{self, Builtin, FUTURE_STRINGS, MAKES_FUTURES};
use crate::intrinsics::{self, Intrinsic};
use crate::javascript::{self, Answer, Meaning};
use crate::tables::{Storage, Tables};
use crate::types::{Direction, Family, Scalar, TypeEncoder, Wire};
use crate::wbindgen::{self, Api, Call, Import, Target, Type};
use crate::writer::{Passing, Registered, Signature, Writer, access, at, check, layout, unsupported};

/// The crate whose methods of Python do not keep their buffers: what it calls reads or writes them until it returns.
const SUPPORT_CRATE: &str = "mpy";

/// The number of objects that can be borrowed at a time, in nested calls.
const LENT: usize = 32;

/// The parts of the bindings that are written here.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    /// C code before the headers of the runtime, and after them.
    pub before: String,
    pub code: String,
    pub functions: Vec<Registered>,
    /// Statements of `mpy_init`, after the start function of the module.
    pub init: String,
    /// The constants that contain addresses.
    pub tables: Tables,
    /// Statements of `mpy_end`.
    pub end: String,
    /// The Python modules that are imported by name.
    pub modules: BTreeSet<String>,
    pub floats: bool,
    /// The functions of the bindings that are called.
    pub builtins: Vec<&'static Builtin>,
    /// Whether `mpy_js.h` is needed.
    pub javascript: bool,
    /// Whether functions take keyword arguments.
    pub keywords: bool,
}

/// Writes the bindings for `api`, which describes functions in `interface`.
///
/// # Errors
/// `unsupported-bindings`, `invalid-bindings`.
pub(crate) fn bindings<'a>(
    interface: &'a Interface,
    api: &'a Api,
    strings: &'a mut Strings,
    keywords: bool,
) -> Result<Bindings> {
    let mut writer = Writer {
        interface,
        own_heap: interface.imports.iter().any(|import| import.module == "mpy" && import.field == "dealloc"),
        encoder: TypeEncoder::new(api),
        strings,
        code: String::new(),
        tables: Tables::new(interface.code),
        slots: 4,
        arguments: 1,
        intrinsics: Vec::new(),
        stores_exceptions: false,
        variadic: false,
        thunks: Vec::new(),
        exports: 0,
        by_name: interface.exports.iter().map(|export| (export.name.as_str(), export)).collect(),
        runs_python: running_python(interface, api),
        lends: 0,
        lends_first: false,
        copies: 0,
        tracks: false,
        in_class: false,
        modules: BTreeSet::new(),
        lends_bytes: false,
        holds: false,
        floats: false,
        javascript: javascript::is_used(api, described(interface, api)),
        substitutes: Vec::new(),
        builtins: Vec::new(),
        lowered: BTreeSet::new(),
        lifted: BTreeSet::new(),
        elements: BTreeSet::new(),
        types: Vec::new(),
        type_slots: 0,
        members: BTreeSet::new(),
        integers: BTreeSet::new(),
        keywords,
        params: Vec::new(),
    };
    let own = |import: &&ImportedFunc| import.module == "mpy";
    let imports = || interface.imports.iter().filter(own).map(|import| import.field.as_str());
    if imports().any(|name| MAKES_FUTURES.contains(&name)) {
        writer.encoder.uses.extend([Family::Future, Family::Objects]);
        writer.modules.insert(FUTURE_STRINGS[0].to_owned());
    }
    if interface.unwinds {
        writer.encoder.uses.insert(Family::Objects);
    }
    writer.imports(api)?;
    let mut functions = Vec::new();
    for call in &api.functions {
        functions.push(writer.export(call, None, Passing::ByName)?.0);
    }
    writer.in_class = true;
    classes::classes(&mut writer, api)?;
    let starts = writer.starts(api)?;
    writer.closures()?;
    writer.other_types();
    writer.intrinsic_switch();
    writer.substitute_switch();
    let mut bindings = Bindings { functions, ..Bindings::default() };
    writer.before(api, &mut bindings.before)?;
    if !api.enums.is_empty() {
        line!(bindings.init, "    mpy_init_enums();");
    }
    if writer.encoder.uses.contains(&Family::Closure) {
        let name = writer.strings.index("closure");
        line!(bindings.init, "    mpy_types[MPY_CLASSES].name = mp_native_qstr_table[{name}];");
    }
    if !api.classes.is_empty() {
        line!(bindings.init, "    mpy_init_classes();");
    }
    if writer.encoder.uses.contains(&Family::Future) {
        line!(
            bindings.init,
            "    mpy_types[MPY_FUTURE_TYPE].name = mp_native_qstr_table[MPY_STRING_Future];"
        );
    }
    bindings.init.push_str(&starts);
    if writer.encoder.uses.contains(&Family::Objects) {
        line!(bindings.end, "    mpy_end_objects();");
    }
    if writer.has_entries() {
        line!(bindings.end, "    mpy_end_entries();");
    }
    if writer.encoder.uses.contains(&Family::Sequence) {
        writer.modules.insert("array".to_owned());
    }
    if writer.javascript {
        line!(bindings.end, "    mpy_end_js();");
    }
    for own in &writer.builtins {
        writer.modules.extend(own.modules().map(str::to_owned));
    }
    bindings.javascript = writer.javascript;
    bindings.keywords = !writer.params.is_empty();
    bindings.builtins = writer.builtins;
    bindings.modules = writer.modules;
    bindings.floats = writer.encoder.floats;
    bindings.code = writer.code;
    bindings.tables = writer.tables;
    Ok(bindings)
}

/// The imports of the module that wasm-bindgen describes.
fn described<'a>(interface: &Interface, api: &'a Api) -> Vec<&'a Import> {
    let imports = interface.imports.iter().filter(|import| import.module == wbindgen::MODULE);
    let known = imports.map(|import| api.imports.iter().find(|known| known.symbol == import.field));
    known.flatten().collect()
}

/// The set of these letters as `MPY_LETTER` numbers them. The two marks before a type have no number.
fn letter_set(letters: &BTreeSet<u8>) -> u64 {
    letters.iter().filter(|letter| **letter >= b'?').map(|letter| 1 << (letter & 63)).sum()
}

/// Whether an import may run the user's Python code, by module and name.
pub fn import_runs_python(api: &Api) -> impl Fn(&str, &str) -> bool + use<'_> {
    let described: HashMap<&str, &Import> =
        api.imports.iter().rev().map(|import| (import.symbol.as_str(), import)).collect();
    move |module, field| match module {
        "mpy" => host_imports::runs_python(field),
        wbindgen::MODULE => described.get(field).is_some_and(|known| {
            known.crate_name.replace('-', "_") != "wasm_bindgen" || intrinsics::runs_python(&known.name)
        }),
        _ => true,
    }
}

/// For each function of the module, whether a call of it may run the user's Python code.
fn running_python(interface: &Interface, api: &Api) -> Vec<bool> {
    let runs = import_runs_python(api);
    let imports = interface.imports.iter().enumerate();
    let imports = imports.filter(|(_, import)| runs(&import.module, &import.field));
    interface.calls.leading_to(imports.map(|(at, _)| at))
}

impl Writer<'_> {
    /// Statements that run `#[wasm_bindgen(start)]` functions.
    fn starts(&mut self, api: &Api) -> Result<String> {
        let mut init = String::new();
        for symbol in &api.start {
            let Ok(target) = self.function(symbol) else { continue };
            if target.ty == FuncType::default() {
                line!(init, "    {}();", target.c_name);
                continue;
            }
            // The function returns a `Result`.
            let result = Type::Result(Box::new(Type::Unit));
            let call = Call { name: "start".to_owned(), symbol: symbol.clone(), result, ..Call::default() };
            let signature = self.signature(&call, None)?;
            let invoke = self.invocation(&call, &signature)?;
            line!(init, "    {invoke}, NULL);");
        }
        Ok(init)
    }

    /// Defines all functions that Rust imports.
    fn imports(&mut self, api: &Api) -> Result<()> {
        let interface = self.interface;
        for import in interface.imports.iter().filter(|import| import.module == wbindgen::MODULE) {
            let described = api.imports.iter().find(|known| known.symbol == import.field);
            let cast = api.casts.iter().find(|(symbol, _)| *symbol == import.field);
            if let Some(known) = described {
                self.import(import, known, api)?;
            } else if let Some((_, signature)) = cast {
                let params = signature.params.clone();
                self.call(import, "a conversion", &params, &signature.result, ["MPY_CAST", "0"], &[])?;
            } else if let Some(class) = api.classes.iter().position(|class| class.wrap == import.field) {
                self.encoder.uses.extend([Family::Class, Family::Objects]);
                if interface.unwinds {
                    // Every call of Python may throw.
                    let param = Type::Struct(api.classes[class].name.clone());
                    self.call(import, "an object", &[param], &Type::Object, ["MPY_CAST", "0"], &[])?;
                    continue;
                }
                let body = format!("return mpy_new_object(mpy_new_instance({class}, p0));");
                self.raw(import, &body);
            } else if let Some(class) = api.classes.iter().position(|class| class.unwrap == import.field) {
                self.encoder.uses.extend([Family::Class, Family::Objects]);
                self.raw(import, &format!("return mpy_unwrap(mpy_object(p0), {class});"));
            } else {
                match import.field.as_str() {
                    "__wbindgen_object_clone_ref" => {
                        self.encoder.uses.insert(Family::Objects);
                        if interface.unwinds {
                            let param = Type::Ref(Box::new(Type::Object));
                            self.call(import, "an object", &[param], &Type::Object, ["MPY_CAST", "0"], &[])?;
                            continue;
                        }
                        self.raw(import, "return mpy_new_object(mpy_object(p0));");
                    }
                    "__wbindgen_object_drop_ref" => {
                        self.encoder.uses.insert(Family::Objects);
                        self.raw(import, "mpy_drop_object(p0);");
                    }
                    other => {
                        return Err(unsupported(
                            other,
                            "this import",
                            "a crate made for JavaScript, such as js-sys or web-sys, is among the dependencies: \
                             import what is needed from Python instead",
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether addresses are native.
    fn is_direct(&self) -> bool {
        self.interface.memory.as_ref().is_some_and(|memory| memory.direct)
    }

    fn head(&mut self, import: &ImportedFunc, item: &str) {
        let params = parameters(&Scalar::all(&import.ty.params).unwrap_or_default());
        line!(self.code, "/* {} */", comment(item));
        line!(self.code, "static {} {}({params}) {{", import.result_type, import.c_name);
    }

    fn raw(&mut self, import: &ImportedFunc, body: &str) {
        self.head(import, &import.field);
        line!(self.code, "    {body}");
        line!(self.code, "}}");
        line!(self.code);
    }

    /// Defines an import that wasm-bindgen describes.
    fn import(&mut self, import: &ImportedFunc, known: &Import, api: &Api) -> Result<()> {
        let mut known = known.clone();
        if let Type::Result(inner) = known.signature.result {
            known.signature.result = *inner;
        }
        let (params, result) = (known.signature.params.clone(), known.signature.result.clone());
        let own = known.crate_name.replace('-', "_");
        let meaning = match javascript::answer(api, &known) {
            Answer::Known(meaning) => Some(meaning),
            // The crate may have a function of that name in Python.
            Answer::Missing(_) if !javascript::is_library(&own) => None,
            Answer::Missing(name) => {
                return Err(unsupported(&name, "a part of JavaScript's library", javascript::HELP));
            }
            Answer::Python | Answer::Member(_) => None,
        };
        if own == "wasm_bindgen" {
            match intrinsics::find(&known.name) {
                Some(Intrinsic::Throw) => {
                    let throw = if self.interface.unwinds { "throw_text" } else { "panic" };
                    self.raw(import, &format!("mpy_{throw}(p0, p1);"));
                    return Ok(());
                }
                Some(Intrinsic::WriteBack) => {
                    self.raw(import, "mpy_write_back(p0, p1, p2);");
                    return Ok(());
                }
                Some(Intrinsic::Named(name)) => {
                    let name = if self.javascript && name == "in" { "js_in" } else { name };
                    let index =
                        self.intrinsics.iter().position(|known| *known == name).unwrap_or_else(|| {
                            self.intrinsics.push(name);
                            self.intrinsics.len() - 1
                        });
                    let index = index.to_string();
                    return self.call(import, &known.name, &params, &result, ["MPY_INTRINSIC", &index], &[]);
                }
                Some(Intrinsic::Exception) => {
                    check("JsError::new", &import.ty, &[Scalar::I32; 2], &[Scalar::I32])?;
                    self.encoder.uses.insert(Family::Objects);
                    self.raw(import, "return mpy_new_error(p0, p1);");
                    return Ok(());
                }
                None => {
                    return Err(unsupported(&known.name, "this part of wasm-bindgen", "do without it"));
                }
            }
        }
        if known.suspending {
            let help = "do without it: calls to Python return when they are done";
            return Err(unsupported(&known.name, "`suspending`", help));
        }
        if let Some(meaning) = meaning {
            return self.substitute(import, &known, meaning);
        }
        let mut path: Vec<String> = known.module.iter().cloned().collect();
        path.extend(known.namespace.iter().cloned());
        let of =
            |global: &'static str, module: &'static str| if known.module.is_some() { module } else { global };
        let kind = match &known.target {
            Target::Function | Target::Constructor => {
                path.push(known.name.clone());
                of("MPY_GLOBAL", "MPY_MODULE")
            }
            Target::StaticMethod { class } => {
                path.extend([class.clone(), known.name.clone()]);
                of("MPY_GLOBAL", "MPY_MODULE")
            }
            Target::StaticGetter { class } => {
                path.extend([class.clone(), known.name.clone()]);
                of("MPY_GLOBAL_VALUE", "MPY_MODULE_VALUE")
            }
            Target::StaticSetter { class } => {
                let item = format!("{class}.{}", known.name);
                return Err(unsupported(&item, "a static setter", "import the class and use `setattr`"));
            }
            Target::Static => {
                path.push(known.name.clone());
                of("MPY_GLOBAL_VALUE", "MPY_MODULE_VALUE")
            }
            Target::InstanceOf => {
                path.push(known.name.clone());
                of("MPY_GLOBAL_INSTANCE", "MPY_MODULE_INSTANCE")
            }
            Target::Text => {
                path = vec![known.name.clone()];
                "MPY_TEXT"
            }
            Target::Method if known.name == "__call__" => {
                path.clear();
                "MPY_CALL_OBJECT"
            }
            Target::Method if own == SUPPORT_CRATE && known.name == "__call_keywords__" => {
                path.clear();
                "MPY_CALL_KEYWORDS"
            }
            Target::Method if own == SUPPORT_CRATE && known.name == "__operator__" => {
                path.clear();
                "MPY_OPERATOR"
            }
            Target::Method => {
                path = vec![known.name.clone()];
                "MPY_CALL_METHOD"
            }
            Target::Getter(name) => {
                path = vec![name.clone()];
                "MPY_GET"
            }
            Target::Setter(name) => {
                path = vec![name.clone()];
                "MPY_SET"
            }
            Target::IndexingGetter => {
                path.clear();
                "MPY_INDEX_GET"
            }
            Target::IndexingSetter => {
                path.clear();
                "MPY_INDEX_SET"
            }
            Target::IndexingDeleter => {
                path.clear();
                "MPY_INDEX_DELETE"
            }
        };
        let mut flags = self.flags(&known);
        let bytes = |ty: &Type| match ty {
            Type::Ref(inner) | Type::RefMut(inner) => **inner == Type::Slice(Box::new(Type::U8)),
            _ => false,
        };
        let lends = kind == "MPY_CALL_METHOD" && own == SUPPORT_CRATE && params.iter().any(bytes);
        if lends && self.is_direct() {
            self.lends_bytes = true;
            flags.push("MPY_LENDING");
        }
        self.call_path(import, &known, kind, &flags, &path)
    }

    /// The flags of the target of an import.
    fn flags(&mut self, known: &Import) -> Vec<&'static str> {
        let mut flags = Vec::new();
        if known.variadic {
            self.variadic = true;
            flags.push("MPY_VARIADIC");
        }
        if known.catch {
            self.stores_exceptions = true;
            self.encoder.uses.insert(Family::Objects);
            flags.push("MPY_CATCH");
        }
        flags
    }

    /// Defines an import as a call of what has this path in Python.
    fn call_path(
        &mut self,
        import: &ImportedFunc,
        known: &Import,
        kind: &str,
        flags: &[&str],
        path: &[String],
    ) -> Result<()> {
        let flags = if flags.is_empty() { "0".to_owned() } else { flags.join(" | ") };
        // A global with a path may be a module, if there is no such global when it is used.
        if kind.starts_with("MPY_MODULE") || kind.starts_with("MPY_GLOBAL") && path.len() > 1 {
            self.modules.extend(path.first().cloned());
        }
        let Import { signature, .. } = known;
        self.call(import, &known.name, &signature.params, &signature.result, [kind, &flags], path)
    }

    /// Defines an import of JavaScript's library.
    fn substitute(&mut self, import: &ImportedFunc, known: &Import, meaning: Meaning) -> Result<()> {
        let flags = self.flags(known);
        let split = |path: &str| -> Vec<String> {
            path.strip_prefix("builtins.").unwrap_or(path).split('.').map(str::to_owned).collect()
        };
        let kind = |path: &[String], global: &'static str, module: &'static str| {
            if path.len() == 1 { global } else { module }
        };
        match meaning {
            Meaning::Function(path) if known.target == Target::InstanceOf => {
                let path = split(path);
                let kind = kind(&path, "MPY_GLOBAL_INSTANCE", "MPY_MODULE_INSTANCE");
                self.call_path(import, known, kind, &flags, &path)
            }
            Meaning::Function(path) => {
                let path = split(path);
                self.call_path(import, known, kind(&path, "MPY_GLOBAL", "MPY_MODULE"), &flags, &path)
            }
            Meaning::Value(path) => {
                let path = split(path);
                let kind = kind(&path, "MPY_GLOBAL_VALUE", "MPY_MODULE_VALUE");
                self.call_path(import, known, kind, &flags, &path)
            }
            Meaning::Method(name) => {
                self.call_path(import, known, "MPY_CALL_METHOD", &flags, &[name.to_owned()])
            }
            Meaning::This => self.call_path(import, known, "MPY_CAST", &flags, &[]),
            Meaning::Builtin(own) => self.call_builtin(import, known, own),
            Meaning::Helper(_) | Meaning::Python(_) | Meaning::Shared { .. } => {
                let index =
                    self.substitutes.iter().position(|known| *known == meaning).unwrap_or_else(|| {
                        self.substitutes.push(meaning);
                        self.substitutes.len() - 1
                    });
                let number = format!("{index} << MPY_JS_NUMBER");
                let flags: Vec<&str> = flags.iter().copied().chain([number.as_str()]).collect();
                self.call_path(import, known, "MPY_JS", &flags, &[])
            }
        }
    }

    /// Defines an import as a call of a function of the bindings, which takes no object.
    fn call_builtin(&mut self, import: &ImportedFunc, known: &Import, own: &'static Builtin) -> Result<()> {
        let params = Scalar::all(&import.ty.params).unwrap_or_default();
        let results = Scalar::all(&import.ty.results).unwrap_or_default();
        let skipped = usize::from(known.class.is_some());
        let letters = |types: &[Scalar]| types.iter().map(|ty| ty.letter()).collect::<String>();
        let (takes, gives) = (params.get(skipped..).unwrap_or_default(), &results);
        if own.signature != format!("{}>{}", letters(takes), letters(gives)) {
            let what = format!("`{}` with other types", known.name);
            return Err(unsupported(&known.name, &what, "declare it as js-sys and web-sys do"));
        }
        let args = (skipped..params.len()).map(|i| format!("p{i}")).collect::<Vec<_>>().join(", ");
        let ignored = (0..skipped).map(|i| format!("(void)p{i}; ")).collect::<String>();
        let give = if results.is_empty() { "" } else { "return " };
        self.raw(import, &format!("{ignored}{give}mpy_{}({args});", own.name));
        self.uses_builtin(own);
        Ok(())
    }

    fn uses_builtin(&mut self, own: &'static Builtin) {
        if !self.builtins.contains(&own) {
            self.builtins.push(own);
        }
    }

    /// Defines an import as a call of Python.
    fn call(
        &mut self,
        import: &ImportedFunc,
        item: &str,
        params: &[Type],
        result: &Type,
        [kind, flags]: [&str; 2],
        path: &[String],
    ) -> Result<()> {
        let refuse = at(item);
        let params = params
            .iter()
            .map(|ty| self.encoder.encode(ty, Direction::FromRust))
            .collect::<std::result::Result<Vec<_>, _>>();
        let mut params = params.map_err(&refuse)?;
        if flags.contains("MPY_LENDING") {
            let bytes = [Wire::Slice(Box::new(Wire::U8)), Wire::RustMutSlice(Box::new(Wire::U8))];
            for param in params.iter_mut().filter(|param| bytes.contains(&param.wire)) {
                param.wire = Wire::Borrowed(Box::new(std::mem::take(&mut param.wire)));
            }
        }
        if kind == "MPY_CAST" || kind == "MPY_JS" {
            // JavaScript has one type of numbers. Whole numbers become integers in Python.
            for param in params.iter_mut().filter(|param| param.wire == Wire::F64) {
                param.wire = Wire::Number;
            }
        }
        let mut result = self.encoder.encode(result, Direction::FromPython).map_err(&refuse)?;
        if self.javascript {
            // And integers that have more digits than a float of the firmware keep them.
            match &mut result.wire {
                Wire::Option(inner) if **inner == Wire::F64 => **inner = Wire::Number,
                wire if *wire == Wire::F64 => *wire = Wire::Number,
                _ => {}
            }
        }
        let words: Vec<Scalar> = params.iter().flat_map(|param| param.words.clone()).collect();
        let results = result.words.clone();
        check(item, &import.ty, &words, &results)?;
        self.arguments = self.arguments.max(params.len());
        let first = usize::from(results.len() > 1);
        self.head(import, item);
        let mut target = vec![kind.to_owned(), flags.to_owned(), path.len().to_string()];
        for name in path {
            target.push(self.strings.index(name).to_string());
        }
        line!(self.code, "    static const mpy_target_t target[] = {{{}}};", target.join(", "));
        line!(self.code, "    mpy_slot_t s[{}];", words.len().max(results.len()).max(3) + 1);
        for (i, word) in words.iter().enumerate() {
            line!(self.code, "    s[{i}].{} = p{};", word.letter(), i + first);
        }
        let types = self.spell(&Signature { params, result }, Direction::FromRust);
        line!(self.code, "    mpy_call(target, {types}, s);");
        match results.as_slice() {
            [] => {}
            [word] => line!(self.code, "    return s[0].{};", word.letter()),
            several => {
                for (i, (word, offset)) in several.iter().zip(layout(several).0).enumerate() {
                    line!(
                        self.code,
                        "    {}(p0 + {offset}, s[{i}].{});",
                        access("store", *word),
                        word.letter()
                    );
                }
            }
        }
        line!(self.code, "}}");
        line!(self.code);
        Ok(())
    }

    /// Defines how each type of closure is called.
    fn closures(&mut self) -> Result<()> {
        let closures = std::mem::take(&mut self.encoder.closures);
        let mut rows = Vec::new();
        for closure in &closures {
            let target = self.function(&format!("shim_{}", closure.shim))?;
            self.track(&closure.params);
            let signature = Signature { params: closure.params.clone(), result: closure.result.clone() };
            let thunk = self.thunk("a closure", target, &[Scalar::I32, Scalar::I32], &signature)?;
            let types = self.spell(&signature, Direction::FromPython);
            rows.push(format!(
                "{{{}, {}, {}, {}, {}}}",
                self.tables.address(&thunk),
                self.tables.address(&types),
                closure.params.len(),
                u8::from(closure.mutable),
                u8::from(closure.owned)
            ));
        }
        let storage = Storage::Declared("MPY_CLOSURES");
        self.tables.array(&mut self.code, storage, "mpy_closure_t", "mpy_closures", &rows);
        line!(self.code);
        self.encoder.closures = closures;
        Ok(())
    }

    /// The types of closures and futures, which are behind those of the classes; and all types.
    fn other_types(&mut self) {
        if self.encoder.uses.contains(&Family::Closure) {
            let call = self.tables.entry("mpy_call_closure");
            self.add_type(&[], &[("call", call)]);
        }
        if self.encoder.uses.contains(&Family::Future) {
            let attr = self.tables.entry("mpy_future_attribute");
            let iter = self.tables.entry("mpy_future_next");
            self.add_type(&["MP_TYPE_FLAG_ITER_IS_ITERNEXT"], &[("attr", attr), ("iter", iter)]);
        }
        let rows = std::mem::take(&mut self.types);
        self.tables.array(&mut self.code, Storage::State("MPY_TYPES"), "mpy_type_t", "mpy_types", &rows);
        self.types = rows;
    }

    fn intrinsic_switch(&mut self) {
        line!(self.code, "WASM_UNUSED static mp_obj_t mpy_intrinsic(unsigned which, mp_obj_t *args) {{");
        line!(self.code, "    switch (which) {{");
        for (i, name) in self.intrinsics.iter().enumerate() {
            line!(self.code, "        case {i}: return mpy_intrinsic_{name}(args);");
        }
        line!(self.code, "    }}");
        line!(self.code, "    return args[0];");
        line!(self.code, "}}");
        line!(self.code);
    }

    /// Whether objects of Python stand for memory of Rust.
    fn has_entries(&self) -> bool {
        [Family::Class, Family::Closure, Family::Future]
            .iter()
            .any(|family| self.encoder.uses.contains(family))
    }

    /// The functions of `c-runtime/src/futures.rs` that the bindings call.
    fn futures(&mut self, out: &mut String) -> Result<()> {
        let mut functions = vec![
            ("poll_future", "future, number", 1),
            ("drop_future", "future", 0),
            ("abandon_future", "future", 0),
        ];
        let own = |import: &ImportedFunc| import.module == "mpy" && import.field == "start_await";
        if self.interface.imports.iter().any(own) {
            line!(out, "#define MPY_AWAITS 1");
            functions.extend([("end_await", "state, object, failed", 0), ("drop_await", "state", 0)]);
        }
        for (name, params, results) in functions {
            let target = self.function(name)?;
            check(
                name,
                &target.ty,
                &vec![Scalar::I32; params.split(',').count()],
                &vec![Scalar::I32; results],
            )?;
            line!(out, "#define MPY_{}({params}) {}({params})", name.to_uppercase(), target.c_name);
        }
        for name in FUTURE_STRINGS {
            line!(out, "#define MPY_STRING_{} {}", name.replace('.', "_"), self.strings.index(name));
        }
        if self.holds {
            line!(out, "#define MPY_HOLDS 1");
        }
        if self.floats {
            line!(out, "#define MPY_RETURNS_FLOATS 1");
        }
        Ok(())
    }

    fn substitute_switch(&mut self) {
        if !self.javascript {
            return;
        }
        let shared = self.shared_texts();
        for name in &shared {
            let text = javascript::text(name).unwrap_or_default();
            line!(self.code, "static const char mpy_js_{name}[] = {};", literal(text.as_bytes()));
        }
        line!(self.code, "static mp_obj_t mpy_js(unsigned which, size_t n, mp_obj_t *args) {{");
        line!(self.code, "    (void)n;");
        line!(self.code, "    switch (which) {{");
        // What the texts define comes first.
        let mut functions = shared.len();
        for (i, meaning) in self.substitutes.iter().enumerate() {
            match meaning {
                Meaning::Python(text) => {
                    let text = match text.strip_prefix("lambda") {
                        Some(rest) => format!("f=lambda{rest}"),
                        None => (*text).to_owned(),
                    };
                    let (length, text) = (text.len(), literal(text.into_bytes()));
                    line!(
                        self.code,
                        "        case {i}: return mpy_js_run({functions}, {text}, {length}, n, args);"
                    );
                    functions += 1;
                }
                Meaning::Shared { text, name } => {
                    let at = shared.iter().position(|known| known == text).unwrap_or_default();
                    line!(
                        self.code,
                        "        case {i}: return mpy_js_run_shared({functions}, {at}, mpy_js_{text}, \
                         sizeof(mpy_js_{text}) - 1, {}, {}, n, args);",
                        literal(name.as_bytes()),
                        name.len()
                    );
                    functions += 1;
                }
                Meaning::Helper(name) => {
                    line!(self.code, "        case {i}: return mpy_js_{name}(n, args);");
                }
                _ => {}
            }
        }
        line!(self.code, "    }}");
        line!(self.code, "    return args[0];");
        line!(self.code, "}}");
        line!(self.code);
    }

    /// The source texts that several functions share.
    fn shared_texts(&self) -> Vec<&'static str> {
        let texts = self.substitutes.iter().filter_map(|meaning| match meaning {
            Meaning::Shared { text, .. } => Some(*text),
            _ => None,
        });
        texts.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The definitions of `mpy_js.h`, and the strings that its functions use.
    fn before_javascript(&mut self, out: &mut String) {
        line!(out, "#define MPY_USES_JS 1");
        let is_python = |meaning: &&Meaning| matches!(meaning, Meaning::Python(_) | Meaning::Shared { .. });
        let texts = self.substitutes.iter().filter(is_python).count() + self.shared_texts().len();
        if texts > 0 {
            line!(out, "#define MPY_JS_FUNCTIONS {texts}");
            line!(out, "#define MPY_JS_EXEC {}", self.strings.index("exec"));
        }
        let mut helpers: Vec<&str> = Vec::new();
        for meaning in &self.substitutes {
            if let Meaning::Helper(name) = meaning {
                line!(out, "#define MPY_JS_USES_{} 1", name.to_uppercase());
                helpers.push(name);
            }
        }
        if self.intrinsics.contains(&"js_in") {
            helpers.push("has");
        }
        let strings: BTreeSet<&str> = helpers.iter().flat_map(|name| javascript::strings(name)).collect();
        for text in strings {
            if let Some(own) = text.strip_prefix("mpy:").and_then(host_imports::builtin_function) {
                self.uses_builtin(own);
                continue;
            }
            self.modules.extend(host_imports::is_module(text).then(|| text.to_owned()));
            line!(out, "#define MPY_STRING_{text} {}", self.strings.index(text));
        }
    }

    /// The definitions that control the headers of the runtime.
    fn before(&mut self, api: &Api, out: &mut String) -> Result<()> {
        let memory = self.interface.memory.as_ref();
        let (base, size) = memory.map_or(("((uint8_t *)0)", "0u"), |memory| (&memory.base, &memory.size));
        line!(out, "#define MPY_MEMORY ({base})");
        line!(out, "#define MPY_MEMORY_SIZE ({size})");
        if self.is_direct() {
            line!(out, "#define MPY_IS_DIRECT 1");
        }
        line!(out, "#define MPY_SLOTS {}", self.slots + 2);
        line!(out, "#define MPY_ARGUMENTS {}", self.arguments);
        if self.encoder.lends {
            line!(out, "#define MPY_LENT {LENT}");
        }
        if self.lends > 0 {
            line!(out, "#define MPY_LENDS {}", self.lends);
            if self.lends_first {
                line!(out, "#define MPY_LENDS_FIRST 1");
            }
        }
        if self.copies > 0 {
            line!(out, "#define MPY_COPIES {}", self.copies);
        }
        if self.tracks {
            line!(out, "#define MPY_TRACKS 1");
        }
        for used in &self.encoder.uses {
            line!(out, "#define MPY_USES_{} 1", used.name());
        }
        self.integers.extend(self.lowered.iter().filter(|letter| b"bBhHiI".contains(letter)));
        if self.lowered.contains(&b'a') {
            self.integers.insert(b'I');
        }
        let sets = [
            ("LOWERED", &self.lowered),
            ("LIFTED", &self.lifted),
            ("ELEMENTS", &self.elements),
            ("INTEGERS", &self.integers),
        ];
        for (which, letters) in sets {
            line!(
                out,
                "#define MPY_{which} {:#x}ull /* {} */",
                letter_set(letters),
                String::from_utf8_lossy(&letters.iter().copied().collect::<Vec<u8>>())
            );
        }
        if self.lends_bytes {
            line!(out, "#define MPY_LENDS_BYTES 1");
        }
        if self.variadic {
            line!(out, "#define MPY_USES_VARIADIC 1");
        }
        if self.encoder.uses.contains(&Family::Malloc) {
            line!(out, "#define MPY_MALLOC(size, align) {}(size, align)", self.c_name("__wbindgen_malloc")?);
            line!(
                out,
                "#define MPY_FREE(ptr, size, align) {}(ptr, size, align)",
                self.c_name("__wbindgen_free")?
            );
        }
        if self.javascript {
            self.before_javascript(out);
        }
        if self.stores_exceptions {
            line!(
                out,
                "#define MPY_STORE_EXCEPTION(object) {}(object)",
                self.c_name("__wbindgen_exn_store")?
            );
        }
        if self.encoder.uses.contains(&Family::Sequence) {
            line!(out, "#define MPY_STRING_ARRAY {}", self.strings.index("array"));
        }
        if self.has_entries() {
            line!(out, "#define MPY_USES_ENTRIES 1");
            line!(out, "#define MPY_CLASSES {}", api.classes.len());
            line!(out, "#define MPY_TYPES {}", self.types.len());
            line!(out, "#define MPY_TYPE_SLOTS {}", self.type_slots);
            for kind in &self.members {
                line!(out, "#define MPY_USES_{kind} 1");
            }
            line!(out, "#define MPY_STRING_GC {}", self.strings.index("gc"));
            line!(out, "#define MPY_STRING_COLLECT {}", self.strings.index("collect"));
            line!(out, "#define MPY_STRING_FREE {}", self.strings.index("free"));
        }
        if self.encoder.uses.contains(&Family::Closure) {
            line!(out, "#define MPY_CLOSURES {}", self.encoder.closures.len());
            // Borrowed closures are not freed.
            let owned = self.encoder.closures.iter().any(|closure| closure.owned);
            let destroy = if owned {
                format!("{}(a, b)", self.c_name("__wbindgen_destroy_closure")?)
            } else {
                "((void)(a), (void)(b))".to_owned()
            };
            line!(out, "#define MPY_DESTROY(a, b) {destroy}");
        }
        if self.encoder.uses.contains(&Family::Future) {
            self.futures(out)?;
        }
        if !api.enums.is_empty() {
            let mut variants = Vec::new();
            let mut rows = Vec::new();
            for (item, none_value) in api.enums.iter().zip(&self.encoder.none_values) {
                let (name, signed) = (self.strings.index(&item.name), u8::from(item.signed));
                rows.push(format!(
                    "{{{none_value}u, {name}, {}, {}, {signed}}}",
                    item.variants.len(),
                    variants.len()
                ));
                for (name, value) in &item.variants {
                    variants.push(format!("{{{value}u, {}}}", self.strings.index(name)));
                }
            }
            line!(out, "#define MPY_ENUMS {}", rows.len());
            line!(
                out,
                "static const struct {{ uint32_t value; uint16_t name; }} mpy_enum_variants[] = {{{}}};",
                variants.join(", ")
            );
            line!(
                out,
                "static const struct {{ uint32_t hole; uint16_t name, count, first; uint8_t is_signed; }} \
                 mpy_enums[MPY_ENUMS] = {{{}}};",
                rows.join(", ")
            );
        }
        if self.encoder.uses.contains(&Family::StringEnum) {
            let mut names = Vec::new();
            let mut rows = Vec::new();
            for item in &api.string_enums {
                rows.push(format!("{{{}, {}}}", item.variants.len(), names.len()));
                names.extend(item.variants.iter().map(|name| self.strings.index(name).to_string()));
            }
            line!(out, "static const uint16_t mpy_variants[] = {{{}}};", names.join(", "));
            line!(
                out,
                "static const struct {{ uint16_t count; uint16_t first; }} mpy_string_enums[] = {{{}}};",
                rows.join(", ")
            );
        }
        Ok(())
    }
}
