//! wasm-bindgen's [`Api`] → C: functions with types of Rust's, classes, enums, and what Rust calls.

use std::collections::HashMap;
use std::fmt::Write as _;

use target_specs::{Diagnostic, Place, Result};
use wasm_to_c::{ExportedFunc, FuncType, ImportedFunc, Interface, literal};

use crate::c::{Strings, comment, line, objects, parameters};
use crate::classes;
use crate::intrinsics::{self, Intrinsic};
use crate::types::{From, Scalar, Spelled, Speller, Unspeakable};
use crate::wbindgen::{self, Api, Call, Import, Target, Type};

/// Functions of more parameters get their arguments as an array.
pub(crate) const MOST_FIXED: usize = 3;
/// Objects that can be lent at a time, in calls within calls.
const LENT: usize = 32;

/// A function that a table of the module names.
#[derive(Debug, Clone)]
pub(crate) struct Registered {
    pub name: String,
    pub wrapper: String,
    /// The numbers of arguments it takes.
    pub arity: (usize, usize),
}

impl Registered {
    /// Whether it takes its arguments one by one, not as an array.
    pub fn is_fixed(&self) -> bool {
        self.arity.0 == self.arity.1 && self.arity.1 <= MOST_FIXED
    }
}

/// What is to be written into the bindings of the module.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    /// Before the headers of the runtime, and after.
    pub before: String,
    pub code: String,
    pub functions: Vec<Registered>,
    /// Statements of `mpy_init`, after the module's own start.
    pub init: String,
    pub floats: bool,
}

/// An error about one item of the crate.
pub(crate) fn unsupported(item: &str, what: &str, help: &str) -> Diagnostic {
    Diagnostic::new("unsupported-bindings", format!("{what} has no counterpart in MicroPython"))
        .at(Place::Item(item.to_owned()))
        .help(help)
}

fn at(item: &str) -> impl Fn(Unspeakable) -> Diagnostic {
    move |Unspeakable { what, help }| unsupported(item, &what, help)
}

/// Writes what `api` says of the functions in `interface`.
///
/// # Errors
/// `unsupported-bindings`, `invalid-bindings`.
pub(crate) fn bindings<'a>(
    interface: &'a Interface,
    api: &'a Api,
    strings: &'a mut Strings,
) -> Result<Bindings> {
    let mut writer = Writer {
        interface,
        own_heap: interface.imports.iter().any(|import| import.module == "mpy" && import.field == "dealloc"),
        speller: Speller::new(api),
        strings,
        code: String::new(),
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
        copies: 0,
        tracks: false,
    };
    if interface.unwinds {
        writer.speller.uses.insert("OBJECTS");
    }
    writer.imports(api)?;
    let mut functions = Vec::new();
    for call in &api.functions {
        functions.push(writer.export(call, None, false)?.0);
    }
    classes::classes(&mut writer, api)?;
    let starts = writer.starts(api)?;
    writer.closures()?;
    writer.intrinsic_switch();
    let mut bindings = Bindings { functions, ..Bindings::default() };
    writer.before(api, &mut bindings.before)?;
    if !api.enums.is_empty() {
        line!(bindings.init, "    mpy_init_enums();");
    }
    if writer.speller.uses.contains("CLOSURE") {
        let name = writer.strings.index("closure");
        line!(bindings.init, "    mpy_init_type(&mpy_types[MPY_CLASSES], {name});");
        line!(
            bindings.init,
            "    mpy_set_slot(&mpy_types[MPY_CLASSES], &mpy_types[MPY_CLASSES].call, \
             (const void *)mpy_call_closure);"
        );
    }
    if !api.classes.is_empty() {
        line!(bindings.init, "    mpy_init_classes();");
    }
    bindings.init.push_str(&starts);
    bindings.floats = writer.speller.floats;
    bindings.code = writer.code;
    Ok(bindings)
}

pub(crate) struct Writer<'a> {
    interface: &'a Interface,
    /// The module frees with the heap of the bindings.
    own_heap: bool,
    pub speller: Speller<'a>,
    pub strings: &'a mut Strings,
    pub code: String,
    slots: usize,
    arguments: usize,
    intrinsics: Vec<&'static str>,
    stores_exceptions: bool,
    variadic: bool,
    /// Thunks by the function they call and what that takes and returns.
    thunks: Vec<(String, Vec<Scalar>, Vec<Scalar>, String)>,
    exports: usize,
    by_name: HashMap<&'a str, &'a ExportedFunc>,
    /// By function of the module, whether code of the user's in Python may run in a call of it.
    runs_python: Vec<bool>,
    /// The most buffers that are lent in a call, and that are copied or may be.
    lends: usize,
    copies: usize,
    /// A call holds what must be given back if it ends in an exception.
    tracks: bool,
}

/// Whether a value of type `ty` is a view of memory that Rust never changes the length of.
fn is_buffer(ty: &Type) -> bool {
    let number = |ty: &Type| {
        use Type::{F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
        matches!(ty, I8 | U8 | I16 | U16 | I32 | U32 | I64 | U64 | F32 | F64)
    };
    match ty {
        Type::Ref(inner) | Type::RefMut(inner) => match &**inner {
            Type::String => true,
            Type::Slice(element) => number(element),
            _ => false,
        },
        _ => false,
    }
}

/// The types of a function, spelled.
pub(crate) struct Signature {
    pub params: Vec<Spelled>,
    pub result: Spelled,
}

impl Signature {
    fn letters(&self) -> Vec<u8> {
        let mut letters: Vec<u8> = self.params.iter().flat_map(|param| param.letters.clone()).collect();
        letters.push(b'>');
        letters.extend(&self.result.letters);
        letters
    }

    /// Whether a parameter that is refused would leave an earlier one's memory behind.
    fn needs_guard(&self) -> bool {
        let lent = self.params.iter().filter(|param| param.is_lent()).count();
        // What is lent comes after the others, and may have to be copied after all.
        let first = self.params.iter().position(Spelled::acquires);
        lent > 1 || first.is_some_and(|first| first + 1 < self.params.len() || lent > 0)
    }

    /// How many of the last parameters may be left out.
    pub(crate) fn optional(&self) -> usize {
        self.params.iter().rev().take_while(|param| param.is_option()).count()
    }

    /// Whether every value is a number that one expression converts.
    fn is_plain(&self) -> bool {
        let plain = |spelled: &Spelled, more: &[u8]| match spelled.letters.as_slice() {
            [letter] => b"bBhHiIqQfd".contains(letter) || more.contains(letter),
            _ => false,
        };
        self.params.iter().all(|param| plain(param, b"")) && plain(&self.result, b"v")
    }
}

/// Where each of `words` lies in the struct that several results are returned in, and its size.
fn layout(words: &[Scalar]) -> (Vec<u32>, u32) {
    let mut end = 0_u32;
    let mut offsets = Vec::new();
    for word in words {
        let size = if matches!(word, Scalar::I64 | Scalar::F64) { 8 } else { 4 };
        end = end.next_multiple_of(size);
        offsets.push(end);
        end += size;
    }
    (offsets, end.next_multiple_of(16))
}

/// `load32`, `store32` and so on.
fn access(verb: &str, word: Scalar) -> String {
    let suffix = match word {
        Scalar::I32 => "32",
        Scalar::I64 => "64",
        Scalar::F32 => "f",
        Scalar::F64 => "d",
    };
    format!("mpy_{verb}{suffix}")
}

/// Checks that a function of type `ty` takes `params` and returns `results`, several through memory.
fn check(item: &str, ty: &FuncType, params: &[Scalar], results: &[Scalar]) -> Result<()> {
    let through_memory = results.len() > 1;
    let mut wanted: Vec<Scalar> = through_memory.then_some(Scalar::I32).into_iter().collect();
    wanted.extend(params);
    let wanted_results = if through_memory { &[][..] } else { results };
    let fits = Scalar::all(&ty.params).is_ok_and(|have| have == wanted)
        && Scalar::all(&ty.results).is_ok_and(|have| have == wanted_results);
    if fits {
        return Ok(());
    }
    Err(Diagnostic::new(
        "invalid-bindings",
        format!("the function behind `{item}` has the type {ty:?}, not that of its description"),
    )
    .at(Place::Item(item.to_owned()))
    .help("build the crate for wasm32 with wasm-bindgen's default ABI, without `multivalue`"))
}

/// By function of the module, whether code of the user's in Python may run in a call of it.
fn running_python(interface: &Interface, api: &Api) -> Vec<bool> {
    let described: HashMap<&str, &Import> =
        api.imports.iter().rev().map(|import| (import.symbol.as_str(), import)).collect();
    let runs = |import: &ImportedFunc| match import.module.as_str() {
        "mpy" => import.field == "print",
        wbindgen::MODULE => described.get(import.field.as_str()).is_some_and(|known| {
            known.crate_name.replace('-', "_") != "wasm_bindgen" || intrinsics::runs_python(&known.name)
        }),
        _ => true,
    };
    let imports = interface.imports.iter().enumerate().filter(|(_, import)| runs(import));
    interface.calls.leading_to(imports.map(|(at, _)| at))
}

impl<'a> Writer<'a> {
    /// The function of the module behind `symbol`.
    fn function(&self, symbol: &str) -> Result<&'a ExportedFunc> {
        let name = format!("mpy:{symbol}");
        self.by_name.get(name.as_str()).copied().ok_or_else(|| {
            Diagnostic::new("invalid-bindings", format!("the module has no `{symbol}`"))
                .help("build the crate again, without tools that strip exports")
        })
    }

    /// The C name of the function behind `symbol`.
    pub(crate) fn c_name(&self, symbol: &str) -> Result<&'a str> {
        Ok(&self.function(symbol)?.c_name)
    }

    /// Whether the function behind `symbol` may work on Python's buffers where they are: what it calls leaves them
    /// as they are, and the heap that Rust thinks they are from knows better.
    fn can_lend(&self, symbol: &str) -> Result<bool> {
        let interface = self.interface;
        let is_direct = interface.memory.as_ref().is_some_and(|memory| memory.direct);
        let runs_python = self.runs_python.get(self.function(symbol)?.function).is_none_or(|runs| *runs);
        Ok(is_direct && self.has_own_heap() && !runs_python)
    }

    /// Whether the module's heap is that of the bindings.
    fn has_own_heap(&self) -> bool {
        self.own_heap
    }

    /// Notes what a call of a function with these parameters has to give back.
    fn track(&mut self, params: &[Spelled]) {
        let copies = params.iter().filter(|param| param.is_buffer()).count();
        let writes_back = params.iter().any(Spelled::is_mutable_buffer);
        if self.has_own_heap() {
            self.copies = self.copies.max(copies);
        }
        self.tracks |= self.copies > 0 || writes_back || params.iter().any(Spelled::is_borrowed_object);
    }

    pub(crate) fn signature(&mut self, call: &Call, of: Option<Spelled>) -> Result<Signature> {
        let refuse = at(&call.name);
        let lends = self.can_lend(&call.symbol)?;
        let mut params: Vec<Spelled> = of.into_iter().collect();
        for (_, ty) in &call.params {
            let mut param = self.speller.spell(ty, From::Python).map_err(&refuse)?;
            if lends && is_buffer(ty) {
                param.letters.insert(0, b'&');
            }
            params.push(param);
        }
        let lent = params.iter().filter(|param| param.is_lent()).count();
        self.lends = self.lends.max(lent);
        self.track(&params);
        let result = self.speller.spell(&call.result, From::Rust).map_err(&refuse)?;
        if result.letters.starts_with(b"F") {
            let what =
                Unspeakable { what: "a closure as a result".to_owned(), help: "return it as a `JsValue`" };
            return Err(refuse(what));
        }
        Ok(Signature { params, result })
    }

    /// Defines the function that Python calls for `call`, of the class `of` if it is a method. The caller is to give
    /// every argument when it is `complete`.
    pub(crate) fn export(
        &mut self,
        call: &Call,
        of: Option<Spelled>,
        complete: bool,
    ) -> Result<(Registered, Signature)> {
        let signature = self.signature(call, of)?;
        let target = self.function(&call.symbol)?;
        // One function may stand for several that do the same.
        self.exports += 1;
        let name = format!("mpy_export_{}_{}", self.exports, target.c_name);
        let most = signature.params.len();
        let least = if complete { most } else { most - signature.optional() };
        line!(self.code, "/* {} */", comment(&call.name));
        if signature.is_plain() && most <= MOST_FIXED {
            self.plain(call, target, &signature, &name)?;
        } else {
            let invoke = self.invocation(call, &signature)?;
            if least == most && most <= MOST_FIXED {
                line!(self.code, "static mp_obj_t {name}({}) {{", objects(most));
                if most == 0 {
                    line!(self.code, "    return {invoke}, NULL);");
                } else {
                    let args: Vec<String> = (0..most).map(|i| format!("a{i}")).collect();
                    line!(self.code, "    mp_obj_t args[] = {{{}}};", args.join(", "));
                    line!(self.code, "    return {invoke}, args);");
                }
            } else if least == most {
                line!(self.code, "static mp_obj_t {name}(size_t n, const mp_obj_t *given) {{");
                line!(self.code, "    (void)n;");
                line!(self.code, "    return {invoke}, given);");
            } else {
                line!(self.code, "static mp_obj_t {name}(size_t n, const mp_obj_t *given) {{");
                self.fill(most, "n", "given");
                line!(self.code, "    return {invoke}, args);");
            }
            line!(self.code, "}}");
            line!(self.code);
        }
        Ok((Registered { name: call.name.clone(), wrapper: name, arity: (least, most) }, signature))
    }

    /// Declares `args`: those given, and None for the rest.
    pub(crate) fn fill(&mut self, most: usize, count: &str, given: &str) {
        line!(self.code, "    mp_obj_t args[{}];", most.max(1));
        line!(self.code, "    for (size_t i = 0; i < {most}; i++) {{");
        line!(self.code, "        args[i] = i < {count} ? {given}[i] : mp_const_none;");
        line!(self.code, "    }}");
    }

    /// `mpy_invoke(…, "type"`: to be followed by the arguments.
    pub(crate) fn invocation(&mut self, call: &Call, signature: &Signature) -> Result<String> {
        let target = self.function(&call.symbol)?;
        let thunk = self.thunk(&call.name, target, &[], signature)?;
        let guarded = signature.needs_guard();
        if guarded {
            self.speller.uses.insert("GUARD");
        }
        let which = if guarded { "mpy_invoke_guarded" } else { "mpy_invoke" };
        Ok(format!("{which}({thunk}, {}", literal(signature.letters())))
    }

    /// Defines a function of numbers.
    fn plain(&mut self, call: &Call, target: &ExportedFunc, signature: &Signature, name: &str) -> Result<()> {
        let words: Vec<Scalar> = signature.params.iter().flat_map(|param| param.words.clone()).collect();
        check(&call.name, &target.ty, &words, &signature.result.words)?;
        line!(self.code, "static mp_obj_t {name}({}) {{", objects(words.len()));
        for (i, (param, word)) in signature.params.iter().zip(&words).enumerate() {
            let letter = char::from(param.letters[0]);
            let convert = match word {
                Scalar::I32 => format!("mpy_to_int(a{i}, '{letter}')"),
                Scalar::I64 => format!("mpy_to_long(a{i}, '{letter}')"),
                _ => format!("mpy_to_{}(a{i})", word.suffix()),
            };
            line!(self.code, "    {} p{i} = {convert};", word.c_type());
        }
        let args = (0..words.len()).map(|i| format!("p{i}")).collect::<Vec<_>>().join(", ");
        let called = format!("{}({args})", target.c_name);
        let letter = char::from(signature.result.letters[0]);
        match (letter, signature.result.words.first()) {
            (_, None) => {
                line!(self.code, "    {called};");
                line!(self.code, "    return mp_const_none;");
            }
            (_, Some(Scalar::I32)) => line!(self.code, "    return mpy_from_int({called}, '{letter}');"),
            ('Q', _) => line!(self.code, "    return mpy_from_u64({called});"),
            (_, Some(word)) => line!(self.code, "    return mpy_from_{}({called});", word.suffix()),
        }
        line!(self.code, "}}");
        line!(self.code);
        Ok(())
    }

    /// Defines a function that calls `target` with what is in slots, and leaves its results there.
    fn thunk(
        &mut self,
        item: &str,
        target: &ExportedFunc,
        first: &[Scalar],
        signature: &Signature,
    ) -> Result<String> {
        let mut words = first.to_vec();
        words.extend(signature.params.iter().flat_map(|param| param.words.clone()));
        let results = &signature.result.words;
        check(item, &target.ty, &words, results)?;
        self.slots = self.slots.max(words.len()).max(results.len());
        let known = self.thunks.iter().find(|(called, takes, returns, _)| {
            *called == target.c_name && *takes == words && returns == results
        });
        if let Some((.., name)) = known {
            return Ok(name.clone());
        }
        let name = format!("mpy_thunk_{}_{}", self.thunks.len(), target.c_name);
        self.thunks.push((target.c_name.clone(), words.clone(), results.clone(), name.clone()));
        let mut args: Vec<String> =
            words.iter().enumerate().map(|(i, word)| format!("s[{i}].{}", word.letter())).collect();
        line!(self.code, "static void {name}(mpy_slot_t *s) {{");
        if results.len() > 1 {
            let (offsets, size) = layout(results);
            let shadow = self.returns_on_shadow_stack(item)?;
            if shadow {
                line!(self.code, "    uint32_t ret = MPY_STACK_POINTER - {size};");
                line!(self.code, "    MPY_STACK_POINTER = ret;");
            } else {
                line!(self.code, "    uint64_t returned[{}];", size / 8);
                line!(self.code, "    uint32_t ret = (uint32_t)(uintptr_t)returned;");
            }
            args.insert(0, "ret".to_owned());
            line!(self.code, "    {}({});", target.c_name, args.join(", "));
            for (i, (word, offset)) in results.iter().zip(offsets).enumerate() {
                line!(self.code, "    s[{i}].{} = {}(ret + {offset});", word.letter(), access("load", *word));
            }
            if shadow {
                line!(self.code, "    MPY_STACK_POINTER = ret + {size};");
            }
        } else {
            let to = results.first().map(|word| format!("s[0].{} = ", word.letter())).unwrap_or_default();
            if args.is_empty() && to.is_empty() {
                line!(self.code, "    (void)s;");
            }
            line!(self.code, "    {to}{}({});", target.c_name, args.join(", "));
        }
        line!(self.code, "}}");
        line!(self.code);
        Ok(name)
    }

    /// Whether several results are returned on the shadow stack. Where addresses are the machine's, its own stack will
    /// do; the module may have no other.
    fn returns_on_shadow_stack(&self, item: &str) -> Result<bool> {
        if self.interface.memory.as_ref().is_some_and(|memory| memory.direct) {
            return Ok(false);
        }
        if self.interface.stack_pointer.is_some() {
            return Ok(true);
        }
        Err(Diagnostic::new("invalid-bindings", "the module has no stack to return several values on")
            .at(Place::Item(item.to_owned()))
            .help("link the module with `--export=__stack_pointer`"))
    }

    /// Statements that run `#[wasm_bindgen(start)]` functions.
    fn starts(&mut self, api: &Api) -> Result<String> {
        let mut init = String::new();
        for symbol in &api.start {
            let Ok(target) = self.function(symbol) else { continue };
            if target.ty == FuncType::default() {
                line!(init, "    {}();", target.c_name);
                continue;
            }
            // It returns a result.
            let result = Type::Result(Box::new(Type::Unit));
            let call = Call { name: "start".to_owned(), symbol: symbol.clone(), result, ..Call::default() };
            let signature = self.signature(&call, None)?;
            let invoke = self.invocation(&call, &signature)?;
            line!(init, "    {invoke}, NULL);");
        }
        Ok(init)
    }

    /// Defines every function that Rust imports.
    fn imports(&mut self, api: &Api) -> Result<()> {
        let interface = self.interface;
        for import in interface.imports.iter().filter(|import| import.module == wbindgen::MODULE) {
            let described = api.imports.iter().find(|known| known.symbol == import.field);
            let cast = api.casts.iter().find(|(symbol, _)| *symbol == import.field);
            if let Some(known) = described {
                self.import(import, known)?;
            } else if let Some((_, signature)) = cast {
                let params = signature.params.clone();
                self.call(import, "a conversion", &params, &signature.result, ["MPY_CAST", "0"], &[])?;
            } else if let Some(class) = api.classes.iter().position(|class| class.wrap == import.field) {
                self.speller.uses.extend(["CLASS", "OBJECTS"]);
                if interface.unwinds {
                    // Whatever runs in Python's way throws.
                    let param = Type::Struct(api.classes[class].name.clone());
                    self.call(import, "an object", &[param], &Type::Object, ["MPY_CAST", "0"], &[])?;
                    continue;
                }
                let body = format!("return mpy_new_object(mpy_new_instance({class}, p0));");
                self.raw(import, &body);
            } else if let Some(class) = api.classes.iter().position(|class| class.unwrap == import.field) {
                self.speller.uses.extend(["CLASS", "OBJECTS"]);
                self.raw(import, &format!("return mpy_unwrap(mpy_object(p0), {class});"));
            } else {
                match import.field.as_str() {
                    "__wbindgen_object_clone_ref" => {
                        self.speller.uses.insert("OBJECTS");
                        if interface.unwinds {
                            let param = Type::Ref(Box::new(Type::Object));
                            self.call(import, "an object", &[param], &Type::Object, ["MPY_CAST", "0"], &[])?;
                            continue;
                        }
                        self.raw(import, "return mpy_new_object(mpy_object(p0));");
                    }
                    "__wbindgen_object_drop_ref" => {
                        self.speller.uses.insert("OBJECTS");
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
    fn import(&mut self, import: &ImportedFunc, known: &Import) -> Result<()> {
        let mut known = known.clone();
        if let Type::Result(inner) = known.signature.result {
            known.signature.result = *inner;
        }
        let (params, result) = (known.signature.params.clone(), known.signature.result.clone());
        let own = known.crate_name.replace('-', "_");
        if ["js_sys", "web_sys", "wasm_bindgen_futures"].contains(&own.as_str()) {
            return Err(unsupported(
                &format!("{own}::{}", known.name),
                "JavaScript's library",
                "use Python's: `#[wasm_bindgen(module = \"…\")] extern \"C\" { … }` imports any of its functions and types",
            ));
        }
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
                    let index =
                        self.intrinsics.iter().position(|known| *known == name).unwrap_or_else(|| {
                            self.intrinsics.push(name);
                            self.intrinsics.len() - 1
                        });
                    let index = index.to_string();
                    return self.call(import, &known.name, &params, &result, ["MPY_INTRINSIC", &index], &[]);
                }
                Some(Intrinsic::Exception) => {
                    let (path, kind) = (["RuntimeError".to_owned()], ["MPY_GLOBAL", "0"]);
                    return self.call(import, "JsError::new", &params, &result, kind, &path);
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
        let mut flags = Vec::new();
        if known.variadic {
            self.variadic = true;
            flags.push("MPY_VARIADIC");
        }
        if known.catch {
            self.stores_exceptions = true;
            self.speller.uses.insert("OBJECTS");
            flags.push("MPY_CATCH");
        }
        let flags = if flags.is_empty() { "0".to_owned() } else { flags.join(" | ") };
        self.call(import, &known.name, &params, &result, [kind, &flags], &path)
    }

    /// Defines an import as a call of Python's.
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
            .map(|ty| self.speller.spell(ty, From::Rust))
            .collect::<std::result::Result<Vec<_>, _>>();
        let mut params = params.map_err(&refuse)?;
        if kind == "MPY_CAST" {
            // JavaScript has one type of numbers; of its whole ones Python makes integers.
            for param in params.iter_mut().filter(|param| param.letters == b"d") {
                param.letters = b"D".to_vec();
            }
        }
        let result = self.speller.spell(result, From::Python).map_err(&refuse)?;
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
        let letters = Signature { params, result }.letters();
        line!(self.code, "    mpy_call(target, {}, s);", literal(letters));
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
        let closures = std::mem::take(&mut self.speller.closures);
        let mut rows = Vec::new();
        for closure in &closures {
            let target = self.function(&format!("shim_{}", closure.shim))?;
            self.track(&closure.params);
            let signature = Signature { params: closure.params.clone(), result: closure.result.clone() };
            let thunk = self.thunk("a closure", target, &[Scalar::I32, Scalar::I32], &signature)?;
            rows.push(format!(
                "    {{{thunk}, {}, {}, {}, {}}},",
                literal(signature.letters()),
                closure.params.len(),
                u8::from(closure.mutable),
                u8::from(closure.owned)
            ));
        }
        if !rows.is_empty() {
            line!(self.code, "static const mpy_closure_t mpy_closures[MPY_CLOSURES] = {{");
            for row in rows {
                line!(self.code, "{row}");
            }
            line!(self.code, "}};");
            line!(self.code);
        }
        self.speller.closures = closures;
        Ok(())
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

    /// What the headers of the runtime want to know.
    fn before(&mut self, api: &Api, out: &mut String) -> Result<()> {
        let memory = self.interface.memory.as_ref();
        let (base, size) = memory.map_or(("((uint8_t *)0)", "0u"), |memory| (&memory.base, &memory.size));
        line!(out, "#define MPY_MEMORY ({base})");
        line!(out, "#define MPY_MEMORY_SIZE ({size})");
        if memory.is_some_and(|memory| memory.direct) {
            line!(out, "#define MPY_IS_DIRECT 1");
        }
        line!(out, "#define MPY_SLOTS {}", self.slots + 2);
        line!(out, "#define MPY_ARGUMENTS {}", self.arguments);
        if self.speller.lends {
            line!(out, "#define MPY_LENT {LENT}");
        }
        if self.lends > 0 {
            line!(out, "#define MPY_LENDS {}", self.lends);
        }
        if self.copies > 0 {
            line!(out, "#define MPY_COPIES {}", self.copies);
        }
        if self.tracks {
            line!(out, "#define MPY_TRACKS 1");
        }
        for used in &self.speller.uses {
            line!(out, "#define MPY_USES_{used} 1");
        }
        if self.variadic {
            line!(out, "#define MPY_USES_VARIADIC 1");
        }
        if self.speller.uses.contains("MALLOC") {
            line!(out, "#define MPY_MALLOC(size, align) {}(size, align)", self.c_name("__wbindgen_malloc")?);
            line!(
                out,
                "#define MPY_FREE(ptr, size, align) {}(ptr, size, align)",
                self.c_name("__wbindgen_free")?
            );
        }
        if self.stores_exceptions {
            line!(
                out,
                "#define MPY_STORE_EXCEPTION(object) {}(object)",
                self.c_name("__wbindgen_exn_store")?
            );
        }
        if self.speller.uses.contains("SEQUENCE") {
            line!(out, "#define MPY_STRING_ARRAY {}", self.strings.index("array"));
        }
        if self.speller.uses.contains("CLASS") || self.speller.uses.contains("CLOSURE") {
            line!(out, "#define MPY_USES_ENTRIES 1");
            line!(out, "#define MPY_CLASSES {}", api.classes.len());
            line!(out, "#define MPY_STRING_GC {}", self.strings.index("gc"));
            line!(out, "#define MPY_STRING_COLLECT {}", self.strings.index("collect"));
            line!(out, "#define MPY_STRING_FREE {}", self.strings.index("free"));
        }
        if self.speller.uses.contains("CLOSURE") {
            line!(out, "#define MPY_CLOSURES {}", self.speller.closures.len());
            // Closures that are only lent need no end.
            let owned = self.speller.closures.iter().any(|closure| closure.owned);
            let destroy = if owned {
                format!("{}(a, b)", self.c_name("__wbindgen_destroy_closure")?)
            } else {
                "((void)(a), (void)(b))".to_owned()
            };
            line!(out, "#define MPY_DESTROY(a, b) {destroy}");
        }
        if !api.enums.is_empty() {
            let mut variants = Vec::new();
            let mut rows = Vec::new();
            for (item, hole) in api.enums.iter().zip(&self.speller.holes) {
                let (name, signed) = (self.strings.index(&item.name), u8::from(item.signed));
                rows.push(format!(
                    "{{{hole}u, {name}, {}, {}, {signed}}}",
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
        if self.speller.uses.contains("STRING_ENUM") {
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
