//! Writes the functions of the module that Python calls.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use target_specs::{Diagnostic, Place, Result};
use wasm_to_c::{ExportedFunc, FuncType, Interface, literal};

use crate::c::{Strings, comment, line, objects};
use crate::host_imports::Builtin;
use crate::javascript::Meaning;
use crate::keywords::parameter_names;
use crate::tables::Tables;
use crate::types::{Direction, Encoded, Family, Scalar, TypeEncoder, UnsupportedType, Wire};
use crate::wbindgen::{Call, Type};

/// Functions with more parameters get their arguments as an array.
pub(crate) const MOST_FIXED: usize = 3;
/// The maximum number of words of arguments or results in a call if the native stack must not overflow. The frames of
/// the bindings are not checked.
const MOST_WORDS: usize = 64;

/// The parameters of a function that Python calls with keyword arguments, in C.
const KEYWORD_PARAMETERS: &str = "size_t n, const mp_obj_t *given, mp_map_t *keywords";

/// How the arguments of a function can be passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passing {
    /// Without names, and all of them.
    All,
    /// Without names; the last ones can be left out if they are optional.
    InOrder,
    /// As well by name, if the module takes keyword arguments.
    ByName,
}

/// A function in a table of the module.
#[derive(Debug, Clone)]
pub(crate) struct Registered {
    pub name: String,
    pub wrapper: String,
    /// The minimum and maximum number of arguments.
    pub arity: (usize, usize),
    /// If it takes keyword arguments: how many of the first arguments have no name.
    pub unnamed: Option<usize>,
}

impl Registered {
    /// Whether it takes its arguments separately, not as an array.
    pub fn is_fixed(&self) -> bool {
        self.unnamed.is_none() && self.arity.0 == self.arity.1 && self.arity.1 <= MOST_FIXED
    }

    /// The initializer of its function object in C.
    pub fn object(&self, tables: &mut Tables) -> String {
        let (least, most) = self.arity;
        let wrapper = tables.entry(&self.wrapper);
        if self.is_fixed() {
            return format!("{{&mp_type_fun_builtin_{most}, {{._{most} = {wrapper}}}}}");
        }
        let (signature, member) = match self.unnamed {
            // The firmware counts only arguments without a name.
            Some(first) => {
                (format!("MP_OBJ_FUN_MAKE_SIG({first}, {most}) | MP_OBJ_FUN_TAKES_KEYWORDS"), "_kw")
            }
            None => (format!("MP_OBJ_FUN_MAKE_SIG({least}, {most})"), "_var"),
        };
        format!("{{&mp_type_fun_builtin_var, {signature}, {{.{member} = {wrapper}}}}}")
    }
}

/// An error about an item of the crate.
pub(crate) fn unsupported(item: &str, what: &str, help: &str) -> Diagnostic {
    Diagnostic::new("unsupported-bindings", format!("{what} has no counterpart in MicroPython"))
        .at(Place::Item(item.to_owned()))
        .help(help)
}

pub(crate) fn at(item: &str) -> impl Fn(UnsupportedType) -> Diagnostic {
    move |UnsupportedType { what, help }| unsupported(item, &what, help)
}

/// Writes the bindings of a crate that uses wasm-bindgen.
pub(crate) struct Writer<'a> {
    pub interface: &'a Interface,
    /// Whether the module frees memory with the heap of the bindings.
    pub own_heap: bool,
    pub encoder: TypeEncoder<'a>,
    pub strings: &'a mut Strings,
    pub code: String,
    pub tables: Tables,
    pub slots: usize,
    pub arguments: usize,
    pub intrinsics: Vec<&'static str>,
    pub stores_exceptions: bool,
    pub variadic: bool,
    /// Thunks, by the called function and its types.
    pub thunks: Vec<(String, Vec<Scalar>, Vec<Scalar>, String)>,
    pub exports: usize,
    pub by_name: HashMap<&'a str, &'a ExportedFunc>,
    /// For each function of the module, whether a call of it may run the user's Python code.
    pub runs_python: Vec<bool>,
    /// The maximum number of buffers that a call borrows, and that it copies or may copy.
    pub lends: usize,
    /// Whether a parameter follows one of these, whose conversion can run code in Python.
    pub lends_first: bool,
    pub copies: usize,
    /// Whether a call records what must be freed if it ends in an exception.
    pub tracks: bool,
    /// Whether functions are written whose objects do not change when the module is closed.
    pub in_class: bool,
    /// The Python modules that are imported by name.
    pub modules: BTreeSet<String>,
    /// Whether functions of the firmware use bytes of Rust without a copy.
    pub lends_bytes: bool,
    /// Whether futures borrow objects of classes, and whether some return floats.
    pub holds: bool,
    pub floats: bool,
    /// Whether the module uses JavaScript's library.
    pub javascript: bool,
    /// The functions that stand for JavaScript's, by their number in C.
    pub substitutes: Vec<Meaning>,
    /// The functions of the bindings that imports with descriptions call.
    pub builtins: Vec<&'static Builtin>,
    /// The letters of the types whose values come from Python, and of those whose values come from Rust.
    pub lowered: BTreeSet<u8>,
    pub lifted: BTreeSet<u8>,
    /// The letters of the types that are elements of sequences.
    pub elements: BTreeSet<u8>,
    /// Whether functions take keyword arguments.
    pub keywords: bool,
    /// The rows of `mpy_types`, the most slots in one of them, and the kinds of members of classes.
    pub types: Vec<String>,
    pub type_slots: usize,
    pub members: BTreeSet<&'static str>,
    /// The letters of the integers that functions of numbers take.
    pub integers: BTreeSet<u8>,
    /// The constants that describe parameters to `mpy_take_arguments`. Functions with the same share one.
    pub params: Vec<String>,
}

/// Whether a value of type `ty` is a view of memory whose length Rust never changes.
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

/// Whether a value of type `ty` is a float, or None.
fn is_float(ty: &Type) -> bool {
    match ty {
        Type::Result(inner) | Type::Option(inner) => is_float(inner),
        Type::F32 | Type::F64 => true,
        _ => false,
    }
}

/// The types of a function, encoded.
pub(crate) struct Signature {
    pub params: Vec<Encoded>,
    pub result: Encoded,
}

impl Signature {
    /// The signature as the interpreter in `mpy_calls.h` reads it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut letters = Vec::new();
        self.params.iter().for_each(|param| param.wire.encode(&mut letters));
        letters.push(b'>');
        self.result.wire.encode(&mut letters);
        letters
    }

    /// Whether an error in a parameter would leak the memory of an earlier one.
    fn needs_guard(&self) -> bool {
        let lent = self.params.iter().filter(|param| param.borrowed()).count();
        // Borrowed buffers follow the others, and may have to be copied after all.
        let first = self.params.iter().position(Encoded::acquires);
        lent > 1 || first.is_some_and(|first| first + 1 < self.params.len() || lent > 0)
    }

    /// The number of parameters at the end that can be omitted.
    pub(crate) fn optional(&self) -> usize {
        self.params.iter().rev().take_while(|param| param.is_option()).count()
    }

    /// Whether every value is a number that one expression converts.
    fn is_plain(&self) -> bool {
        let is_number = |encoded: &Encoded| encoded.wire.number_letter().is_some();
        self.params.iter().all(is_number) && (self.result.wire == Wire::Unit || is_number(&self.result))
    }
}

/// The offset of each of `words` in the struct of several results, and its size.
pub(crate) fn layout(words: &[Scalar]) -> (Vec<u32>, u32) {
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
pub(crate) fn access(verb: &str, word: Scalar) -> String {
    let suffix = match word {
        Scalar::I32 => "32",
        Scalar::I64 => "64",
        Scalar::F32 => "f",
        Scalar::F64 => "d",
    };
    format!("mpy_{verb}{suffix}")
}

/// Checks that a function of type `ty` takes `params` and returns `results`. Several results are returned in memory.
pub(crate) fn check(item: &str, ty: &FuncType, params: &[Scalar], results: &[Scalar]) -> Result<()> {
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

impl<'a> Writer<'a> {
    /// The function of the module with the export `symbol`.
    pub(crate) fn function(&self, symbol: &str) -> Result<&'a ExportedFunc> {
        let name = format!("mpy:{symbol}");
        self.by_name.get(name.as_str()).copied().ok_or_else(|| {
            Diagnostic::new("invalid-bindings", format!("the module has no `{symbol}`"))
                .help("build the crate again, without tools that strip exports")
        })
    }

    /// The C name of the function with the export `symbol`.
    pub(crate) fn c_name(&self, symbol: &str) -> Result<&'a str> {
        Ok(&self.function(symbol)?.c_name)
    }

    /// Whether the function with the export `symbol` may use Python's buffers without copies: nothing that it calls
    /// changes them, and the heap ignores frees of them.
    pub(crate) fn can_lend(&self, symbol: &str) -> Result<bool> {
        let interface = self.interface;
        let is_direct = interface.memory.as_ref().is_some_and(|memory| memory.direct);
        let runs_python = self.runs_python.get(self.function(symbol)?.function).is_none_or(|runs| *runs);
        Ok(is_direct && self.has_own_heap() && !runs_python)
    }

    /// Adds a type of Python, with its flags and slots.
    pub(crate) fn add_type(&mut self, flags: &[&str], slots: &[(&str, String)]) {
        let mut row = "{.type = &mp_type_type".to_owned();
        if !flags.is_empty() {
            let _ = write!(row, ", .flags = {}", flags.join(" | "));
        }
        for (at, (slot, _)) in slots.iter().enumerate() {
            let _ = write!(row, ", .{slot} = {}", at + 1);
        }
        let values: Vec<String> = slots.iter().map(|(_, value)| format!("(const void *){value}")).collect();
        let _ = write!(row, ", .slots = {{{}}}}}", values.join(", "));
        self.types.push(row);
        self.type_slots = self.type_slots.max(slots.len());
    }

    /// Whether the module uses the heap of the bindings.
    pub(crate) fn has_own_heap(&self) -> bool {
        self.own_heap
    }

    /// Records what a call of a function with these parameters has to free.
    pub(crate) fn track(&mut self, params: &[Encoded]) {
        let copies = params.iter().filter(|param| param.is_buffer()).count();
        let writes_back = params.iter().any(Encoded::is_mutable_buffer);
        if self.has_own_heap() {
            self.copies = self.copies.max(copies);
        }
        self.tracks |= self.copies > 0 || writes_back || params.iter().any(Encoded::is_borrowed_object);
    }

    pub(crate) fn signature(&mut self, call: &Call, of: Option<Encoded>) -> Result<Signature> {
        let refuse = at(&call.name);
        // A buffer would be Python's again before the function ends.
        let lends = call.awaited.is_none() && self.can_lend(&call.symbol)?;
        let mut params: Vec<Encoded> = of.into_iter().collect();
        for (_, ty) in &call.params {
            let mut param = self.encoder.encode(ty, Direction::FromPython).map_err(&refuse)?;
            if lends && is_buffer(ty) {
                param.wire = Wire::Borrowed(Box::new(param.wire));
            }
            params.push(param);
        }
        let lent = params.iter().filter(|param| param.borrowed()).count();
        self.lends = self.lends.max(lent);
        self.track(&params);
        let mut result = self.encoder.encode(&call.result, Direction::FromRust).map_err(&refuse)?;
        // If it unwinds, Rust gives back what it borrows.
        let borrows =
            !self.interface.unwinds && params.iter().any(|param| matches!(param.wire, Wire::ClassRef(_)));
        if let Some(awaited) = &call.awaited
            && (borrows || is_float(awaited))
        {
            self.holds |= borrows;
            self.floats |= is_float(awaited);
            result.wire = Wire::Future { float: is_float(awaited) };
        }
        if matches!(result.wire, Wire::Closure(_)) {
            let what = UnsupportedType {
                what: "a closure as a result".to_owned(),
                help: "return it as a `JsValue`",
            };
            return Err(refuse(what));
        }
        Ok(Signature { params, result })
    }

    /// The constant that describes the parameters of `call` to `mpy_take_arguments`, if they can be passed by name.
    pub(crate) fn named_params(&mut self, call: &Call, signature: &Signature) -> Option<String> {
        let most = call.params.len();
        if !self.keywords || most == 0 {
            return None;
        }
        let names = parameter_names(call.params.iter().map(|(name, _)| name));
        let names: Vec<usize> = names.iter().map(|name| self.strings.index(name)).collect();
        let numbers = [most - signature.optional(), most].into_iter().chain(names);
        let text = numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
        let at = self.params.iter().position(|known| *known == text).unwrap_or_else(|| {
            line!(self.code, "static const uint16_t mpy_params_{}[] = {{{text}}};", self.params.len());
            self.params.push(text);
            self.params.len() - 1
        });
        Some(format!("mpy_params_{at}"))
    }

    /// Defines the function that Python calls for `call`, of the class `of` if it is a method.
    pub(crate) fn export(
        &mut self,
        call: &Call,
        of: Option<Encoded>,
        passing: Passing,
    ) -> Result<(Registered, Signature)> {
        let unnamed = usize::from(of.is_some());
        let signature = self.signature(call, of)?;
        let target = self.function(&call.symbol)?;
        // One function may be used for several that do the same.
        self.exports += 1;
        let name = format!("mpy_export_{}_{}", self.exports, target.c_name);
        let most = signature.params.len();
        let least = if passing == Passing::All { most } else { most - signature.optional() };
        let params = if passing == Passing::ByName { self.named_params(call, &signature) } else { None };
        line!(self.code, "/* {} */", comment(&call.name));
        if signature.is_plain() && most <= MOST_FIXED {
            self.plain(call, target, &signature, &name, params.as_deref())?;
        } else {
            let invoke = self.invocation(call, &signature)?;
            if let Some(params) = &params {
                line!(self.code, "static mp_obj_t {name}({KEYWORD_PARAMETERS}) {{");
                line!(self.code, "    mp_obj_t args[{most}];");
                if unnamed == 0 {
                    line!(self.code, "    mpy_take_arguments({params}, n, keywords->alloc, given, args);");
                } else {
                    line!(self.code, "    args[0] = given[0];");
                    line!(
                        self.code,
                        "    mpy_take_arguments({params}, n - 1, keywords->alloc, given + 1, args + 1);"
                    );
                }
                line!(self.code, "    return {invoke}, args);");
            } else if least == most && most <= MOST_FIXED {
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
        let unnamed = params.map(|_| unnamed);
        Ok((Registered { name: call.name.clone(), wrapper: name, arity: (least, most), unnamed }, signature))
    }

    /// Declares `args`: the arguments that were passed, and None for the rest.
    pub(crate) fn fill(&mut self, most: usize, count: &str, given: &str) {
        line!(self.code, "    mp_obj_t args[{}];", most.max(1));
        line!(self.code, "    for (size_t i = 0; i < {most}; i++) {{");
        line!(self.code, "        args[i] = i < {count} ? {given}[i] : mp_const_none;");
        line!(self.code, "    }}");
    }

    /// The types of a function as a C literal. The code in C knows them from then on; `params` is the direction of the
    /// parameters, and the result goes the other way.
    pub(crate) fn spell(&mut self, signature: &Signature, params: Direction) -> String {
        let (from, to) = match params {
            Direction::FromPython => (&mut self.lowered, &mut self.lifted),
            Direction::FromRust => (&mut self.lifted, &mut self.lowered),
        };
        from.extend(signature.params.iter().flat_map(|param| param.wire.letters()));
        let behind = signature.params.iter().skip_while(|param| !param.borrowed());
        self.lends_first |= behind.skip(1).any(|param| param.wire != Wire::ObjectRef);
        to.extend(signature.result.wire.letters());
        for value in signature.params.iter().chain([&signature.result]) {
            let letters: Vec<u8> = value.wire.letters().collect();
            let sequences = letters.windows(2).filter(|pair| b"VLMW".contains(&pair[0]));
            self.elements.extend(sequences.map(|pair| pair[1]));
        }
        literal(signature.encode())
    }

    /// `mpy_invoke(…, "type"`: to be followed by the arguments.
    pub(crate) fn invocation(&mut self, call: &Call, signature: &Signature) -> Result<String> {
        let target = self.function(&call.symbol)?;
        let thunk = self.thunk(&call.name, target, &[], signature)?;
        let guarded = signature.needs_guard();
        if guarded {
            self.encoder.uses.insert(Family::Guard);
        }
        let which = if guarded { "mpy_invoke_guarded" } else { "mpy_invoke" };
        Ok(format!("{which}({thunk}, {}", self.spell(signature, Direction::FromPython)))
    }

    /// Defines a function of numbers. `named` describes its parameters if it takes keyword arguments.
    pub(crate) fn plain(
        &mut self,
        call: &Call,
        target: &ExportedFunc,
        signature: &Signature,
        name: &str,
        named: Option<&str>,
    ) -> Result<()> {
        let words: Vec<Scalar> = signature.params.iter().flat_map(|param| param.words.clone()).collect();
        check(&call.name, &target.ty, &words, &signature.result.words)?;
        let taken = named.map_or_else(|| objects(words.len()), |_| KEYWORD_PARAMETERS.to_owned());
        line!(self.code, "static mp_obj_t {name}({taken}) {{");
        if self.in_class {
            line!(self.code, "    mpy_check_open();");
        }
        if let Some(params) = named {
            line!(self.code, "    mp_obj_t args[{}];", words.len());
            line!(self.code, "    mpy_take_arguments({params}, n, keywords->alloc, given, args);");
        }
        for (i, (param, word)) in signature.params.iter().zip(&words).enumerate() {
            let letter = param.wire.number_letter().unwrap_or_default();
            let arg = if named.is_some() { format!("args[{i}]") } else { format!("a{i}") };
            let convert = match word {
                Scalar::I32 => {
                    self.integers.insert(letter as u8);
                    format!("mpy_to_int({arg}, '{letter}')")
                }
                Scalar::I64 => format!("mpy_to_long({arg}, '{letter}')"),
                _ => format!("mpy_to_{}({arg})", word.suffix()),
            };
            line!(self.code, "    {} p{i} = {convert};", word.c_type());
        }
        let args = (0..words.len()).map(|i| format!("p{i}")).collect::<Vec<_>>().join(", ");
        let called = format!("{}({args})", target.c_name);
        let letter = signature.result.wire.number_letter().unwrap_or_default();
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

    /// Defines a function that calls `target` with values from slots, and stores the results there.
    pub(crate) fn thunk(
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
        let most = words.len().max(results.len());
        if self.interface.stack_ahead > 0 && most > MOST_WORDS {
            let message =
                format!("the arguments or the result of the function are {most} numbers and addresses");
            return Err(Diagnostic::new("inexpressible-export", message)
                .at(Place::Item(item.to_owned()))
                .help(format!(
                    "with checked or masked memory they can be at most {MOST_WORDS}: pass a slice"
                )));
        }
        self.slots = self.slots.max(most);
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

    /// Whether several results are returned on the shadow stack. With native addresses, the native stack is used, since
    /// the module may have no shadow stack.
    pub(crate) fn returns_on_shadow_stack(&self, item: &str) -> Result<bool> {
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
}
