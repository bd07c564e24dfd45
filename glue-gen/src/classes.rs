//! Rust structs as MicroPython types.

use std::fmt::Write as _;

use target_specs::Result;

use crate::c::line;
use crate::tables::Storage;
use crate::types::{Encoded, Family, Number, Scalar, Wire};
use crate::wbindgen::{Api, Class, Member};
use crate::writer::{Passing, Registered, Writer, unsupported};

/// Operators with one operand, and the methods that Python calls for them (`mp_unary_op_t`).
const UNARY: &[(&str, u8)] = &[
    ("__pos__", 0),
    ("__neg__", 1),
    ("__invert__", 2),
    ("__bool__", 4),
    ("__len__", 5),
    ("__hash__", 6),
    ("__abs__", 7),
    ("__int__", 8),
    ("__float__", 9),
];

/// Operators with two operands (`mp_binary_op_t`).
const BINARY: &[(&str, u8)] = &[
    ("__lt__", 0),
    ("__gt__", 1),
    ("__eq__", 2),
    ("__le__", 3),
    ("__ge__", 4),
    ("__or__", 22),
    ("__xor__", 23),
    ("__and__", 24),
    ("__lshift__", 25),
    ("__rshift__", 26),
    ("__add__", 27),
    ("__sub__", 28),
    ("__mul__", 29),
    ("__matmul__", 30),
    ("__floordiv__", 31),
    ("__truediv__", 32),
    ("__mod__", 33),
    ("__pow__", 34),
    ("__contains__", 36),
];

/// The number of operands besides the object itself, for operators that are not in [`UNARY`] and [`BINARY`]. `__call__`
/// takes any number.
const OTHERS: &[(&str, usize)] = &[
    ("__repr__", 0),
    ("__str__", 0),
    ("__iter__", 0),
    ("__next__", 0),
    ("__getitem__", 1),
    ("__delitem__", 1),
    ("__setitem__", 2),
];

/// The number of operands of the operator `name` besides the object itself; `None` if it is not an operator.
pub(crate) fn operands(name: &str) -> Option<usize> {
    let is = |(known, _): &&(&str, u8)| *known == name;
    let unary = UNARY.iter().find(is).map(|_| 0);
    let other = || OTHERS.iter().find(|(known, _)| *known == name).map(|(_, count)| *count);
    unary.or_else(|| BINARY.iter().find(is).map(|_| 1)).or_else(other)
}

/// The C function of a method.
struct Method {
    name: String,
    function: Registered,
    /// The class of its second parameter, if that is an object of a class of the module.
    other: Option<Number>,
    /// Of `__call__` with keyword arguments: the constant that describes its parameters.
    params: Option<String>,
}

impl Method {
    /// A call of it with `args`, of which the first is the object.
    fn call(&self, args: &[&str]) -> String {
        let Registered { wrapper, .. } = &self.function;
        if self.function.is_fixed() {
            return format!("{wrapper}({})", args.join(", "));
        }
        format!("{wrapper}({}, (const mp_obj_t[]){{{}}})", args.len(), args.join(", "))
    }
}

/// Writes the methods of all classes, and the table of classes.
pub(crate) fn classes(writer: &mut Writer, api: &Api) -> Result<()> {
    let mut rows = Vec::new();
    for (number, class) in api.classes.iter().enumerate() {
        writer.encoder.uses.insert(Family::Class);
        rows.push(one(writer, class, number)?);
    }
    let Writer { tables, code, .. } = writer;
    tables.array(code, Storage::Declared("MPY_CLASSES"), "mpy_class_t", "mpy_classes", &rows);
    line!(code);
    Ok(())
}

fn one(writer: &mut Writer, class: &Class, number: usize) -> Result<String> {
    let Ok(index) = Number::of(number) else {
        return Err(unsupported(
            &class.name,
            "more than 254 classes",
            "split the crate into several modules",
        ));
    };
    let of = |wire: fn(Number) -> Wire| Encoded::new(wire(index), [Scalar::I32]);
    let mut members = Vec::new();
    let mut has_properties = false;
    let mut methods: Vec<Method> = Vec::new();
    let mut taken_slots = Vec::new();
    for member in &class.members {
        let call = member.call();
        let this = match member {
            Member::Constructor(_) => {
                taken_slots.push(("make_new", constructor(writer, class, member, number)?));
                continue;
            }
            Member::Static(_) => None,
            Member::Method { consumes: true, .. } => Some(of(Wire::Class)),
            Member::Getter(call) | Member::Setter(call) if call.of_field => Some(of(Wire::FieldRef)),
            Member::Method { .. } | Member::Getter(_) | Member::Setter(_) => Some(of(Wire::ClassRef)),
        };
        let taken = match member {
            Member::Getter(_) => Some(0),
            Member::Setter(_) => Some(1),
            Member::Method { .. } => operands(&call.name),
            _ => None,
        };
        // A property has only the function that the firmware calls. An operator is a method as well.
        let is_property = matches!(member, Member::Getter(_) | Member::Setter(_));
        let is_call = call.name == "__call__" && matches!(member, Member::Method { .. });
        let passing = match taken {
            _ if is_property => Passing::All,
            // The firmware calls these, and only `__call__` with names.
            None if !is_call => Passing::ByName,
            _ => Passing::InOrder,
        };
        let (function, signature) = writer.export(call, this, passing)?;
        if let Some(taken) = taken {
            let (least, most) = function.arity;
            if !(least..=most).contains(&(taken + 1)) {
                let plural = if most == 2 { "" } else { "s" };
                let what = format!("`{}` with {} parameter{plural}", call.name, most - 1);
                let help = match taken {
                    0 => "it takes none besides `self`",
                    1 => "it takes one besides `self`",
                    _ => "it takes two besides `self`",
                };
                return Err(unsupported(&format!("{}.{}", class.name, call.name), &what, help));
            }
        }
        let other = match signature.params.get(1).map(|param| &param.wire) {
            Some(Wire::ClassRef(other) | Wire::Class(other)) => Some(*other),
            _ => None,
        };
        let name = writer.strings.index(&call.name);
        let kind = match member {
            Member::Getter(_) => "GETTER",
            Member::Setter(_) => "SETTER",
            Member::Static(_) => "STATIC",
            _ => "METHOD",
        };
        writer.members.insert(kind);
        if is_property {
            has_properties = true;
            members.push(format!(
                "{{{name}, MPY_{kind}, (const void *){}}}",
                writer.tables.address(&function.wrapper)
            ));
            continue;
        }
        let object = object(writer, &function);
        members.push(format!("{{{name}, MPY_{kind}, &{object}}}"));
        // A function without `self` is not an operator.
        if !matches!(member, Member::Static(_)) {
            let params = if is_call { writer.named_params(call, &signature) } else { None };
            methods.push(Method { name: call.name.clone(), function, other, params });
        }
    }
    taken_slots.extend(slots(writer, number, &methods));
    if has_properties {
        taken_slots.push(("attr", writer.tables.entry("mpy_attribute")));
    }
    // Each class has its own dictionary.
    taken_slots.push(("locals_dict", "NULL".to_owned()));
    let Writer { tables, code, .. } = writer;
    tables.array(code, Storage::Constant, "mpy_member_t", &format!("mpy_members_{number}"), &members);
    line!(code);
    let table = if members.is_empty() { "NULL".to_owned() } else { format!("mpy_members_{number}") };
    let mut flags = Vec::new();
    if methods.iter().any(|method| method.name == "__next__") {
        flags.push("MP_TYPE_FLAG_ITER_IS_ITERNEXT");
    }
    if methods.iter().any(|method| method.name == "__eq__" && method.other != Some(index)) {
        flags.push("MP_TYPE_FLAG_EQ_CHECKS_OTHER_TYPE");
    }
    writer.add_type(&flags, &taken_slots);
    let name = writer.strings.index(&class.name);
    let free = writer.c_name(&class.free)?;
    let count = members.len();
    Ok(format!("{{{name}, {count}, {table}, {}}}", writer.tables.address(free)))
}

/// Defines the function object of a method.
fn object(writer: &mut Writer, function: &Registered) -> String {
    let name = format!("mpy_object_{}", function.wrapper);
    let Writer { tables, code, .. } = writer;
    let value = function.object(tables);
    let ty = if function.is_fixed() { "mp_obj_fun_builtin_fixed_t" } else { "mp_obj_fun_builtin_var_t" };
    tables.object(code, ty, &name, &value);
    line!(writer.code);
    name
}

fn constructor(writer: &mut Writer, class: &Class, member: &Member, number: usize) -> Result<String> {
    let call = member.call();
    let signature = writer.signature(call, None)?;
    let made = match &signature.result.wire {
        Wire::Result(inner) | Wire::Option(inner) => inner,
        made => made,
    };
    if !matches!(made, Wire::Class(class) if usize::from(class.index()) == number) {
        return Err(unsupported(
            &format!("{}.{}", class.name, call.name),
            "a constructor of something else",
            "return `Self` or `Result<Self, _>`, or make it a static method",
        ));
    }
    let most = signature.params.len();
    let least = most - signature.optional();
    let invoke = writer.invocation(call, &signature)?;
    let params = writer.named_params(call, &signature);
    let name = format!("mpy_new_{number}");
    line!(
        writer.code,
        "static mp_obj_t {name}(const mp_obj_type_t *type, size_t n, size_t n_kw, const mp_obj_t *given) {{"
    );
    line!(writer.code, "    (void)type;");
    let (least, keywords) = match params {
        Some(_) => (0, " | MP_OBJ_FUN_TAKES_KEYWORDS"),
        None => (least, ""),
    };
    line!(
        writer.code,
        "    mp_fun_table.arg_check_num_sig(n, n_kw, MP_OBJ_FUN_MAKE_SIG({least}, {most}){keywords});"
    );
    if let Some(params) = params {
        line!(writer.code, "    mp_obj_t args[{most}];");
        line!(writer.code, "    mpy_take_arguments({params}, n, n_kw, given, args);");
        line!(writer.code, "    return {invoke}, args);");
    } else if least == most {
        line!(writer.code, "    return {invoke}, given);");
    } else {
        writer.fill(most, "n", "given");
        line!(writer.code, "    return {invoke}, args);");
    }
    line!(writer.code, "}}");
    line!(writer.code);
    Ok(writer.tables.entry(&name))
}

/// Defines the functions that the firmware calls for operators: their slots in the type, and what is in them.
fn slots(writer: &mut Writer, number: usize, methods: &[Method]) -> Vec<(&'static str, String)> {
    let find = |name: &str| methods.iter().find(|method| method.name == name);
    let Writer { tables, code: c, .. } = writer;
    let mut listed = Vec::new();
    let mut slot = |c: &mut String, kind: &'static str, head: &str, body: Vec<String>| {
        if body.is_empty() {
            return;
        }
        line!(c, "static {head} {{");
        for text in body {
            line!(c, "    {text}");
        }
        line!(c, "}}");
        line!(c);
        listed.push((kind, tables.entry(&format!("mpy_{kind}_{number}"))));
    };

    let text = find("__repr__").or_else(|| find("__str__")).map(|repr| {
        let [str, repr] = [find("__str__").unwrap_or(repr), repr].map(|method| method.call(&["self"]));
        vec![format!("mpy_print_text(print, kind == 0 ? {str} : {repr});")]
    });
    let head = format!("void mpy_print_{number}(const mp_print_t *print, mp_obj_t self, int kind)");
    slot(c, "print", &head, text.unwrap_or_default());

    let call = find("__call__").map(|method| {
        let Registered { wrapper, arity: (least, most), .. } = &method.function;
        let (least, keywords) = match method.params {
            Some(_) => (0, " | MP_OBJ_FUN_TAKES_KEYWORDS"),
            None => (least - 1, ""),
        };
        let mut body = vec![
            format!(
                "mp_fun_table.arg_check_num_sig(n, n_kw, MP_OBJ_FUN_MAKE_SIG({least}, {}){keywords});",
                most - 1
            ),
            format!("mp_obj_t args[{most}] = {{self}};"),
        ];
        let given = match &method.params {
            Some(params) => {
                body.push(format!("mpy_take_arguments({params}, n, n_kw, given, args + 1);"));
                format!("{most}, args")
            }
            None => {
                body.push("mp_fun_table.memmove(args + 1, given, n * sizeof(mp_obj_t));".to_owned());
                "n + 1, args".to_owned()
            }
        };
        let args = (0..*most).map(|i| format!("args[{i}]")).collect::<Vec<_>>().join(", ");
        let args = if method.function.is_fixed() { args } else { given };
        body.push(format!("return {wrapper}({args});"));
        body
    });
    let head =
        format!("mp_obj_t mpy_call_{number}(mp_obj_t self, size_t n, size_t n_kw, const mp_obj_t *given)");
    slot(c, "call", &head, call.unwrap_or_default());

    let mut unary = Vec::new();
    for (name, op) in UNARY {
        if let Some(method) = find(name) {
            let mut value = method.call(&["self"]);
            if *name == "__hash__" {
                // The firmware takes the result for a small integer, as the result of a class in Python.
                value = format!("mpy_hash({value})");
            }
            unary.push(format!("if (op == {op}) return {value};"));
        }
    }
    if !unary.is_empty() {
        unary.push("return MP_OBJ_NULL;".to_owned());
    }
    slot(c, "unary_op", &format!("mp_obj_t mpy_unary_op_{number}(int op, mp_obj_t self)"), unary);

    let mut binary = Vec::new();
    for (name, op) in BINARY {
        if let Some(method) = find(name) {
            // If the operand has another class, the operator of that class is tried.
            let other = method.other.map(|class| format!(" && mpy_cast(other, {}) != NULL", class.index()));
            let value = method.call(&["self", "other"]);
            binary.push(format!("if (op == {op}{}) return {value};", other.unwrap_or_default()));
        }
    }
    if !binary.is_empty() {
        binary.push("return MP_OBJ_NULL;".to_owned());
    }
    slot(
        c,
        "binary_op",
        &format!("mp_obj_t mpy_binary_op_{number}(int op, mp_obj_t self, mp_obj_t other)"),
        binary,
    );

    let mut subscr = Vec::new();
    if let Some(method) = find("__getitem__") {
        let item = method.call(&["self", "index"]);
        subscr.push(format!("if (value == MP_OBJ_SENTINEL) return {item};"));
    }
    if let Some(method) = find("__delitem__") {
        let done = method.call(&["self", "index"]);
        subscr.push(format!("if (value == MP_OBJ_NULL) return {done};"));
    }
    if let Some(method) = find("__setitem__") {
        let done = method.call(&["self", "index", "value"]);
        subscr.push(format!("if (value != MP_OBJ_NULL && value != MP_OBJ_SENTINEL) return {done};"));
    }
    if !subscr.is_empty() {
        subscr.push("return MP_OBJ_NULL;".to_owned());
    }
    let head = format!("mp_obj_t mpy_subscr_{number}(mp_obj_t self, mp_obj_t index, mp_obj_t value)");
    slot(c, "subscr", &head, subscr);

    let (head, iter) = match (find("__next__"), find("__iter__")) {
        (Some(next), _) => (
            format!("mp_obj_t mpy_iter_{number}(mp_obj_t self)"),
            vec![
                format!("mp_obj_t item = {};", next.call(&["self"])),
                "return item == mp_const_none ? MP_OBJ_NULL : item;".to_owned(),
            ],
        ),
        (None, Some(iter)) => (
            format!("mp_obj_t mpy_iter_{number}(mp_obj_t self, mp_obj_iter_buf_t *buffer)"),
            vec!["(void)buffer;".to_owned(), format!("return {};", iter.call(&["self"]))],
        ),
        (None, None) => (String::new(), Vec::new()),
    };
    slot(c, "iter", &head, iter);
    listed
}
