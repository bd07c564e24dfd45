//! Every type in every place where it can cross the border: crates and what is tried of them in Python, from a table.
//!
//! A value is told by its number among the samples of its type, which Rust and Python count alike. Rust says which
//! one it was given, and makes the one it is asked for; so neither side can take one for another unnoticed.

use std::fmt::Write as _;

/// A type that others are made of.
#[derive(Debug)]
struct Base {
    /// What it is called in names.
    word: &'static str,
    rust: &'static str,
    /// The values that are tried, in Rust; `None` where the crate's own code makes them.
    rust_samples: Option<&'static str>,
    /// The same in Python. Each use evaluates them anew.
    samples: &'static [&'static str],
    /// What is refused, with exceptions.
    wrong: &'static [(&'static str, &'static str)],
    family: Family,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// A number, by its code in Python's arrays.
    Number(&'static str),
    /// A number that there are no arrays of.
    Wide,
    /// Elements of slices are in cells of their own.
    Cell,
    Text,
    Class,
    Object,
}

const OVERFLOW: &str = "OverflowError";
const TYPE: &str = "TypeError";
const VALUE: &str = "ValueError";

macro_rules! number {
    ($word:literal, $family:expr, $rust:literal, [$($sample:literal),*], [$($over:literal),*]) => {
        Base {
            word: $word,
            rust: $word,
            rust_samples: Some($rust),
            samples: &[$($sample),*],
            wrong: &[$(($over, OVERFLOW),)* ("'x'", TYPE), ("1.5", TYPE), ("None", TYPE), ("[]", TYPE)],
            family: $family,
        }
    };
}

/// Every type that others are made of.
const BASES: &[Base] = &[
    Base {
        word: "bool",
        rust: "bool",
        rust_samples: Some("[false, true]"),
        samples: &["False", "True"],
        wrong: &[("1", TYPE), ("None", TYPE), ("'x'", TYPE)],
        family: Family::Cell,
    },
    Base {
        word: "char",
        rust: "char",
        rust_samples: Some("['a', '\\0', '\\u{20ac}', '\\u{1f40d}']"),
        samples: &["'a'", "'\\0'", "'\\u20ac'", "'\\U0001f40d'"],
        wrong: &[("''", VALUE), ("'ab'", VALUE), ("5", TYPE), ("None", TYPE)],
        family: Family::Cell,
    },
    number!(
        "i8",
        Family::Number("b"),
        "[-128, -1, 0, 127]",
        ["-128", "-1", "0", "127"],
        ["128", "-129", "1 << 70"]
    ),
    number!("u8", Family::Number("B"), "[0, 1, 255]", ["0", "1", "255"], ["256", "-1", "-1 << 70"]),
    number!(
        "i16",
        Family::Number("h"),
        "[-32768, -1, 32767]",
        ["-32768", "-1", "32767"],
        ["32768", "-32769"]
    ),
    number!("u16", Family::Number("H"), "[0, 1, 65535]", ["0", "1", "65535"], ["65536", "-1"]),
    number!(
        "i32",
        Family::Number("i"),
        "[-0x8000_0000, -1, 0x7fff_ffff]",
        ["-1 << 31", "-1", "(1 << 31) - 1"],
        ["1 << 31", "(-1 << 31) - 1", "1 << 70"]
    ),
    number!(
        "u32",
        Family::Number("I"),
        "[0, 0xff_ffff, 0xffff_ffff]",
        ["0", "0xffffff", "0xffffffff"],
        ["1 << 32", "-1", "1 << 70"]
    ),
    number!(
        "i64",
        Family::Number("q"),
        "[i64::MIN, -1, 0x1f_ffff_ffff_ffff]",
        ["-1 << 63", "-1", "(1 << 53) - 1"],
        ["1 << 63", "(-1 << 63) - 1"]
    ),
    number!(
        "u64",
        Family::Number("Q"),
        "[0, 1024, u64::MAX]",
        ["0", "1024", "(1 << 64) - 1"],
        ["1 << 64", "-1"]
    ),
    number!("usize", Family::Number("I"), "[0, 1, 0xffff_ffff]", ["0", "1", "0xffffffff"], ["1 << 32", "-1"]),
    number!("isize", Family::Number("i"), "[-0x8000_0000, 0]", ["-1 << 31", "0"], ["1 << 31"]),
    number!(
        "i128",
        Family::Wide,
        "[i128::MIN, -1, 1 << 64]",
        ["-1 << 127", "-1", "1 << 64"],
        ["1 << 127", "(-1 << 127) - 1"]
    ),
    number!(
        "u128",
        Family::Wide,
        "[0, 1 << 64, u128::MAX]",
        ["0", "1 << 64", "(1 << 128) - 1"],
        ["1 << 128", "-1"]
    ),
    Base {
        word: "f32",
        rust: "f32",
        rust_samples: Some("[0.0, -1.5, 9007199254740992.0]"),
        samples: &["0.0", "-1.5", "9007199254740992.0"],
        wrong: &[("'x'", TYPE), ("None", TYPE), ("[]", TYPE)],
        family: Family::Number("f"),
    },
    Base {
        word: "f64",
        rust: "f64",
        rust_samples: Some("[0.0, -1.5, 0.25]"),
        samples: &["0.0", "-1.5", "0.25"],
        wrong: &[("'x'", TYPE), ("None", TYPE), ("[]", TYPE)],
        family: Family::Number("d"),
    },
    Base {
        word: "text",
        rust: "String",
        rust_samples: Some("[String::new(), String::from(\"h\\u{e9}\"), String::from(\"abc\")]"),
        samples: &["''", "'h\\u00e9'", "'abc'"],
        wrong: &[("5", TYPE), ("None", TYPE), ("b'x'", TYPE)],
        family: Family::Text,
    },
    Base {
        word: "level",
        rust: "Level",
        rust_samples: Some("[Level::Low, Level::Zero, Level::High]"),
        samples: &["-5", "m.Level.Zero", "7"],
        // 1 is the number that stands for None.
        wrong: &[("1", VALUE), ("4294967291", VALUE), ("1 << 40", OVERFLOW), ("'x'", TYPE), ("None", TYPE)],
        family: Family::Cell,
    },
    Base {
        word: "big",
        rust: "Big",
        rust_samples: Some("[Big::A, Big::B]"),
        samples: &["m.Big.A", "0xfffffffe"],
        wrong: &[("0", VALUE), ("-1 << 31", VALUE), ("-2", VALUE), ("None", TYPE)],
        family: Family::Cell,
    },
    Base {
        word: "minus",
        rust: "Minus",
        rust_samples: Some("[Minus::One, Minus::Zero]"),
        samples: &["-1", "0"],
        wrong: &[("1", VALUE), ("0xffffffff", VALUE), ("None", TYPE)],
        family: Family::Cell,
    },
    Base {
        word: "color",
        rust: "Color",
        rust_samples: Some("[Color::Red, Color::Dark]"),
        samples: &["'red'", "'dark-green'"],
        wrong: &[("'blue'", VALUE), ("5", VALUE), ("None", VALUE)],
        family: Family::Cell,
    },
    Base {
        word: "bag",
        rust: "Bag",
        rust_samples: Some("[Bag { n: 3 }, Bag { n: 4 }]"),
        samples: &["m.Bag(3)", "m.Bag(4)"],
        wrong: &[("5", TYPE), ("None", TYPE), ("m.Other()", TYPE), ("freed()", VALUE)],
        family: Family::Class,
    },
    Base {
        word: "any",
        rust: "JsValue",
        rust_samples: None,
        samples: &["THINGS[0]", "THINGS[1]", "THINGS[2]"],
        wrong: &[],
        family: Family::Object,
    },
    Base {
        word: "pin",
        rust: "Pin",
        rust_samples: None,
        samples: &["THINGS[0]", "THINGS[1]", "THINGS[2]"],
        wrong: &[],
        family: Family::Object,
    },
];

/// Which types are in a crate, and what is done with them.
struct Plan {
    name: &'static str,
    bases: &'static [&'static str],
    parts: Parts,
}

/// What of the table is tried: operators are as many as all other places together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// All places but operators.
    Places,
    /// Operators alone.
    Operators,
    /// Both, of a type of every family. Sequences are as other operands to operators, so those of some will do.
    Families,
}

// Small enough for the emulated boards.
const PLANS: &[Plan] = &[
    Plan { name: "families_1", bases: &["bool", "u32"], parts: Parts::Families },
    Plan { name: "families_2", bases: &["i64", "i128", "f32"], parts: Parts::Families },
    Plan { name: "families_3", bases: &["text", "color"], parts: Parts::Families },
    Plan { name: "families_4", bases: &["level", "bag", "pin"], parts: Parts::Families },
    Plan { name: "places_1", bases: &["char", "u8", "i16"], parts: Parts::Places },
    Plan { name: "places_2", bases: &["i8", "u16", "i32"], parts: Parts::Places },
    Plan { name: "places_3", bases: &["u64", "usize", "isize"], parts: Parts::Places },
    Plan { name: "places_4", bases: &["u128", "f64", "big", "minus", "any"], parts: Parts::Places },
    Plan { name: "operators_1", bases: &["bool", "u32", "char", "u8"], parts: Parts::Operators },
    Plan { name: "operators_2", bases: &["i64", "i128", "f32", "i16"], parts: Parts::Operators },
    Plan { name: "operators_3", bases: &["text", "color", "i8", "u16"], parts: Parts::Operators },
    Plan { name: "operators_4", bases: &["level", "bag", "pin", "i32"], parts: Parts::Operators },
    Plan { name: "operators_5", bases: &["u64", "usize", "isize"], parts: Parts::Operators },
    Plan { name: "operators_6", bases: &["u128", "f64", "big", "minus", "any"], parts: Parts::Operators },
];

/// What is behind every crate: how a value is told.
const WHICH: &str = "
pub trait Which {
    fn which(&self) -> u32;
}
pub trait Sample: Which + Sized {
    const COUNT: u32;
    fn sample(n: u32) -> Self;
}
impl<T: Sample> Which for Option<T> {
    fn which(&self) -> u32 {
        self.as_ref().map_or(0, |value| 1 + value.which())
    }
}
impl<T: Sample> Sample for Option<T> {
    const COUNT: u32 = T::COUNT + 1;
    fn sample(n: u32) -> Self {
        n.checked_sub(1).map(T::sample)
    }
}
impl<T: Sample> Which for [T] {
    fn which(&self) -> u32 {
        let all = self.len() as u32 == T::COUNT && self.iter().zip(0..).all(|(item, n)| item.which() == n);
        if self.is_empty() { 0 } else if all { 1 } else { 99 }
    }
}
impl<T: Sample> Which for Vec<T> {
    fn which(&self) -> u32 {
        self.as_slice().which()
    }
}
impl<T: Sample> Sample for Vec<T> {
    const COUNT: u32 = 2;
    fn sample(n: u32) -> Self {
        (0..n * T::COUNT).map(T::sample).collect()
    }
}
macro_rules! cells {
    ($($t:ty, $count:literal: $values:expr;)*) => {
        $(
            impl Which for $t {
                fn which(&self) -> u32 {
                    (0..Self::COUNT).find(|n| Self::sample(*n) == *self).unwrap_or(99)
                }
            }
            impl Sample for $t {
                const COUNT: u32 = $count;
                fn sample(n: u32) -> Self {
                    $values[n as usize].clone()
                }
            }
        )*
    };
}
#[wasm_bindgen(module = \"host\")]
extern \"C\" {
    pub type Host;
    fn call(f: &JsValue, n: u32) -> u32;
    fn call_both(f: &JsValue, n: u32) -> u32;
}
";

const TEXT: &str = "
impl Which for str {
    fn which(&self) -> u32 {
        String::from(self).which()
    }
}
";

const ENUMS: &str = "
#[wasm_bindgen]
#[derive(Clone, Copy, PartialEq)]
pub enum Level {
    Low = -5,
    Zero = 0,
    High = 7,
}
#[wasm_bindgen]
#[derive(Clone, Copy, PartialEq)]
#[repr(u32)]
pub enum Big {
    A = 0x8000_0000,
    B = 0xffff_fffe,
}
#[wasm_bindgen]
#[derive(Clone, Copy, PartialEq)]
pub enum Minus {
    One = -1,
    Zero = 0,
}
#[wasm_bindgen]
#[derive(Clone, Copy, PartialEq)]
pub enum Color {
    Red = \"red\",
    Dark = \"dark-green\",
}
";

const OBJECTS: &str = "
#[wasm_bindgen]
#[derive(Clone, PartialEq)]
pub struct Bag {
    pub n: u32,
}
#[wasm_bindgen]
impl Bag {
    #[wasm_bindgen(constructor)]
    pub fn new(n: u32) -> Bag {
        Bag { n }
    }
}
#[wasm_bindgen]
pub struct Other {
    pub n: u32,
}
#[wasm_bindgen]
impl Other {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Other {
        Other { n: 3 }
    }
}
#[wasm_bindgen(module = \"host\")]
extern \"C\" {
    #[derive(Clone)]
    pub type Pin;
    fn thing(n: u32) -> JsValue;
    #[wasm_bindgen(js_name = which)]
    fn which_thing(thing: &JsValue) -> u32;
}
impl Which for JsValue {
    fn which(&self) -> u32 {
        which_thing(self)
    }
}
impl Sample for JsValue {
    const COUNT: u32 = 3;
    fn sample(n: u32) -> Self {
        thing(n)
    }
}
impl Which for Pin {
    fn which(&self) -> u32 {
        which_thing(self)
    }
}
impl Sample for Pin {
    const COUNT: u32 = 3;
    fn sample(n: u32) -> Self {
        wasm_bindgen::JsCast::unchecked_into(thing(n))
    }
}
";

/// What a type is made of a base, and where it can stand.
struct Form {
    word: String,
    rust: String,
    /// The type that its values are made of, and how.
    owned: String,
    made: &'static str,
    samples: Vec<String>,
    /// Other values of Python that are the samples to Rust.
    others: Vec<String>,
    wrong: Vec<(String, &'static str)>,
    /// Python gives it: arguments.
    given: bool,
    /// Rust owns it: fields, results of imports, more parameters of closures.
    stored: bool,
    /// Rust returns it.
    returned: bool,
    /// An argument of imports.
    passed: bool,
    /// Of what Rust changes, the other order shows in Python.
    reversed: bool,
    /// It converts to `JsValue`.
    converts: bool,
    /// It can be what a `Result` has: wasm-bindgen has no way for values of three words.
    fallible: bool,
}

fn list(samples: &[&str]) -> String {
    format!("[{}]", samples.join(", "))
}

fn texts(samples: &[&str]) -> Vec<String> {
    samples.iter().map(|sample| (*sample).to_owned()).collect()
}

/// The forms of `base`.
fn forms(base: &Base) -> Vec<Form> {
    let Base { word, rust, samples, wrong, family, .. } = base;
    let wrongs: Vec<(String, &'static str)> =
        wrong.iter().map(|(value, error)| ((*value).to_owned(), *error)).collect();
    let plain = || Form {
        word: (*word).to_owned(),
        rust: (*rust).to_owned(),
        owned: (*rust).to_owned(),
        made: "value",
        samples: texts(samples),
        others: Vec::new(),
        wrong: wrongs.clone(),
        given: true,
        stored: true,
        returned: true,
        passed: true,
        reversed: false,
        converts: !matches!(family, Family::Cell) || *rust == "bool",
        fallible: true,
    };
    let mut all = vec![plain()];
    // What is borrowed.
    let borrowed = |word: String, rust: String, owned: String, made| Form {
        word,
        rust,
        owned,
        made,
        stored: false,
        returned: false,
        converts: false,
        ..plain()
    };
    let (given, passed) = match family {
        Family::Text | Family::Object => (true, true),
        Family::Class => (true, false),
        Family::Number(_) | Family::Wide => (false, true),
        Family::Cell => (false, *word == "bool" || *word == "char"),
    };
    if given || passed {
        let target = if *family == Family::Text { "str" } else { rust };
        let form = borrowed(format!("ref_{word}"), format!("&{target}"), (*rust).to_owned(), "&value");
        all.push(Form { given, passed, ..form });
    }
    if *family == Family::Class {
        let form = borrowed(format!("mut_{word}"), format!("&mut {rust}"), (*rust).to_owned(), "&mut value");
        all.push(Form { passed: false, ..form });
    }
    // Sequences.
    if *family != Family::Wide {
        let items = vec!["[]".to_owned(), list(samples)];
        let mut not_items: Vec<(String, &'static str)> =
            wrong.iter().map(|(value, error)| (format!("[{}, {value}]", samples[0]), *error)).collect();
        not_items.extend(["5", "None", "'text'"].map(|value| (value.to_owned(), TYPE)));
        let arrays = match family {
            Family::Number(code) => {
                vec![format!("array({code:?}, [])"), format!("array({code:?}, {})", list(samples))]
            }
            _ => vec!["()".to_owned(), format!("tuple({})", list(samples))],
        };
        let of = |form: Form| Form {
            samples: items.clone(),
            others: arrays.clone(),
            wrong: not_items.clone(),
            converts: false,
            ..form
        };
        let vector = format!("Vec<{rust}>");
        all.push(of(Form {
            word: format!("vec_{word}"),
            rust: vector.clone(),
            owned: vector.clone(),
            ..plain()
        }));
        let boxed = format!("Box<[{rust}]>");
        let form = Form {
            word: format!("box_{word}"),
            rust: boxed,
            owned: vector.clone(),
            made: "value.into_boxed_slice()",
            ..plain()
        };
        all.push(of(Form { stored: false, ..form }));
        let is_number = matches!(family, Family::Number(_));
        if *family != Family::Class {
            let form = borrowed(format!("slice_{word}"), format!("&[{rust}]"), vector.clone(), "&value[..]");
            all.push(of(Form { given: is_number, ..form }));
            let form = borrowed(
                format!("opt_slice_{word}"),
                format!("Option<&[{rust}]>"),
                format!("Option<{vector}>"),
                "value.as_deref()",
            );
            all.push(optional(of(Form { given: false, ..form })));
        }
        if is_number {
            let form = borrowed(
                format!("mut_slice_{word}"),
                format!("&mut [{rust}]"),
                vector.clone(),
                "&mut value[..]",
            );
            let form = of(form);
            let wrong = ["[1]", "b'1'", "5", "None", "'x'"].map(|value| (value.to_owned(), TYPE)).to_vec();
            all.push(Form { samples: arrays.clone(), others: Vec::new(), wrong, reversed: true, ..form });
            let form = borrowed(
                format!("opt_mut_slice_{word}"),
                format!("Option<&mut [{rust}]>"),
                format!("Option<{vector}>"),
                "value.as_deref_mut()",
            );
            all.push(optional(of(Form { given: false, reversed: true, ..form })));
        }
        if *family == Family::Text {
            let form = borrowed(
                "strs".to_owned(),
                "&[&str]".to_owned(),
                vector.clone(),
                "&value.iter().map(|text| text.as_str()).collect::<Vec<_>>()[..]",
            );
            all.push(of(Form { given: false, ..form }));
        }
        let form = of(Form { word: format!("vec_{word}"), rust: vector.clone(), owned: vector, ..plain() });
        all.push(optional(form));
    }
    all.push(Form { fallible: *family != Family::Wide, ..optional(plain()) });
    let (target, made) = match family {
        Family::Text => ("str", "value.as_deref()"),
        _ => (*rust, "value.as_ref()"),
    };
    if matches!(family, Family::Text | Family::Object | Family::Number(_) | Family::Wide) {
        let form = borrowed(
            format!("opt_ref_{word}"),
            format!("Option<&{target}>"),
            format!("Option<{rust}>"),
            made,
        );
        let form = optional(Form { given: false, ..form });
        all.push(Form { word: format!("opt_ref_{word}"), ..form });
    }
    all
}

/// The form `form` as an option, unless its type says so already.
fn optional(form: Form) -> Form {
    let is_already = form.rust.starts_with("Option<");
    let option = |ty: String| if is_already { ty } else { format!("Option<{ty}>") };
    Form {
        word: if is_already { form.word } else { format!("opt_{}", form.word) },
        rust: option(form.rust),
        owned: option(form.owned),
        samples: [vec!["None".to_owned()], form.samples].concat(),
        others: if form.others.is_empty() {
            form.others
        } else {
            [vec!["None".to_owned()], form.others].concat()
        },
        wrong: form.wrong.into_iter().filter(|(value, _)| value != "None").collect(),
        ..form
    }
}

/// The operators whose operand, and whose result, may be anything.
const BINARY: &[(&str, &str)] = &[
    ("lt", "a < b"),
    ("gt", "a > b"),
    ("eq", "a == b"),
    ("le", "a <= b"),
    ("ge", "a >= b"),
    ("or", "a | b"),
    ("xor", "a ^ b"),
    ("and", "a & b"),
    ("lshift", "a << b"),
    ("rshift", "a >> b"),
    ("add", "a + b"),
    ("sub", "a - b"),
    ("mul", "a * b"),
    ("matmul", "a @ b"),
    ("floordiv", "a // b"),
    ("truediv", "a / b"),
    ("mod", "a % b"),
    ("pow", "a ** b"),
    ("contains", "b in a"),
];
const UNARY: &[(&str, &str)] = &[("pos", "+a"), ("neg", "-a"), ("invert", "~a"), ("abs", "abs(a)")];

/// How an argument of an import is passed: what follows its `extern "C"` attribute and the function's type, the call.
const PASSED: &[(&str, &str, &str)] = &[
    ("js_name = take", "(v: P) -> u32", "(V)"),
    ("js_name = take_first", "(v: P, n: u32) -> u32", "(V, 5)"),
    ("js_name = take_last", "(n: u32, v: P) -> u32", "(5, V)"),
    ("catch, js_name = take", "(v: P) -> Result<u32, JsValue>", "(V).unwrap_or(98)"),
    ("method, js_name = take", "(this: &Host, v: P) -> u32", "(host, V)"),
    ("method, setter, js_name = slot", "(this: &Host, v: P)", "(host, V)"),
    ("method, indexing_setter", "(this: &Host, n: u32, v: P)", "(host, 5, V)"),
    ("method, js_name = \"__call__\"", "(this: &Host, v: P) -> u32", "(host, V)"),
    ("static_method_of = Host, js_name = take_static", "(v: P) -> u32", "(V)"),
];
/// How a result of an import is returned.
const RETURNED: &[(&str, &str, &str)] = &[
    ("js_name = give", "(n: u32) -> P", "(n)"),
    ("catch, js_name = give", "(n: u32) -> Result<P, JsValue>", "(n).unwrap()"),
    ("method, js_name = give", "(this: &Host, n: u32) -> P", "(host, n)"),
    ("method, getter, js_name = given", "(this: &Host) -> P", "(host)"),
    ("method, indexing_getter", "(this: &Host, n: u32) -> P", "(host, n)"),
    ("method, js_name = \"__call__\"", "(this: &Host, n: u32) -> P", "(host, n)"),
    ("static_method_of = Host, js_name = give_static", "(n: u32) -> P", "(n)"),
];

/// What Python gives: arguments of functions, methods, constructors and setters.
fn given(code: &mut String, form: &Form) {
    let Form { word, rust, .. } = form;
    let change = if form.reversed { "v.reverse();" } else { "" };
    let _ = write!(
        code,
        "
#[wasm_bindgen] pub fn a1_{word}(v: {rust}) -> u32 {{ let n = v.which(); {change} n }}
#[wasm_bindgen] pub fn a2_{word}(v: {rust}, n: u32) -> u32 {{ v.which() * 1000 + n }}
#[wasm_bindgen] pub fn a3_{word}(n: u32, v: {rust}) -> u32 {{ v.which() * 1000 + n }}
#[wasm_bindgen] pub fn a4_{word}(n: u32, v: {rust}, w: {rust}, m: Option<u32>) -> u32 {{
    v.which() * 1000 + w.which() * 10000 + n + m.unwrap_or(7)
}}
#[wasm_bindgen] pub struct In_{word} {{ w: u32 }}
#[wasm_bindgen] impl In_{word} {{
    #[wasm_bindgen(constructor)] pub fn new(v: {rust}) -> In_{word} {{ In_{word} {{ w: v.which() }} }}
    #[wasm_bindgen(getter)] pub fn w(&self) -> u32 {{ self.w }}
    #[wasm_bindgen(setter)] pub fn set_p(&mut self, v: {rust}) {{ self.w = v.which() }}
    pub fn m1(&self, v: {rust}) -> u32 {{ v.which() }}
    pub fn m2(&mut self, n: u32, v: {rust}) -> u32 {{ v.which() * 1000 + n }}
    pub fn s1(v: {rust}) -> u32 {{ v.which() }}
}}
"
    );
}

/// Operators, of operands that Python gives.
fn operands(code: &mut String, form: &Form) {
    let Form { word, rust, .. } = form;
    let _ = write!(
        code,
        "
#[wasm_bindgen] pub struct Op_{word} {{ pub w: u32 }}
#[wasm_bindgen] impl Op_{word} {{
    #[wasm_bindgen(constructor)] pub fn new() -> Op_{word} {{ Op_{word} {{ w: 0 }} }}
    pub fn __call__(&self, v: {rust}) -> u32 {{ v.which() }}
    pub fn __getitem__(&self, v: {rust}) -> u32 {{ v.which() }}
    pub fn __setitem__(&mut self, k: {rust}, v: {rust}) {{ self.w = k.which() * 100 + v.which() }}
    pub fn __delitem__(&mut self, v: {rust}) {{ self.w = v.which() }}
"
    );
    for (name, _) in BINARY {
        let _ = writeln!(code, "    pub fn __{name}__(&self, v: {rust}) -> u32 {{ v.which() }}");
    }
    code.push_str("}\n");
}

/// What Rust returns.
fn returned(code: &mut String, form: &Form) {
    let Form { word, rust, owned, made, .. } = form;
    let value = |n: &str| format!("let value = <{owned}>::sample({n}); {made}");
    let (of_n, of_self) = (value("n"), value("self.n"));
    let _ = write!(
        code,
        "
#[wasm_bindgen] pub fn r1_{word}(n: u32) -> {rust} {{ {of_n} }}
#[wasm_bindgen] pub struct Out_{word} {{ n: u32 }}
#[wasm_bindgen] impl Out_{word} {{
    #[wasm_bindgen(constructor)] pub fn new(n: u32) -> Out_{word} {{ Out_{word} {{ n }} }}
    #[wasm_bindgen(getter)] pub fn p(&self) -> {rust} {{ {of_self} }}
    pub fn m1(&self, n: u32) -> {rust} {{ {of_n} }}
    pub fn s1(n: u32) -> {rust} {{ {of_n} }}
}}
"
    );
    if form.converts {
        let _ = writeln!(
            code,
            "#[wasm_bindgen] pub fn x_{word}(n: u32) -> JsValue {{ JsValue::from({{ {of_n} }}) }}"
        );
    }
}

/// Operators, of results that Rust returns.
fn results(code: &mut String, form: &Form) {
    let Form { word, rust, owned, made, .. } = form;
    let value = |n: &str| format!("let value = <{owned}>::sample({n}); {made}");
    let (of_n, of_self) = (value("n"), value("self.n"));
    let _ = write!(
        code,
        "
#[wasm_bindgen] pub struct Res_{word} {{ n: u32 }}
#[wasm_bindgen] impl Res_{word} {{
    #[wasm_bindgen(constructor)] pub fn new(n: u32) -> Res_{word} {{ Res_{word} {{ n }} }}
    pub fn __call__(&self, n: u32) -> {rust} {{ {of_n} }}
    pub fn __getitem__(&self, n: u32) -> {rust} {{ {of_n} }}
"
    );
    for (name, _) in BINARY {
        let _ = writeln!(code, "    pub fn __{name}__(&self, n: u32) -> {rust} {{ {of_n} }}");
    }
    for (name, _) in UNARY {
        let _ = writeln!(code, "    pub fn __{name}__(&self) -> {rust} {{ {of_self} }}");
    }
    if !rust.starts_with("Option") {
        let _ = writeln!(
            code,
            "    pub fn __next__(&mut self) -> Option<{rust}> {{
        self.n += 1;
        (self.n <= <{owned}>::COUNT).then(|| {{ let value = <{owned}>::sample(self.n - 1); {made} }})
    }}"
        );
    }
    code.push_str("}\n");
}

/// What Rust keeps: public fields, results of imports, parameters and results of closures.
fn stored(code: &mut String, form: &Form) {
    let Form { word, rust, .. } = form;
    let _ = write!(
        code,
        "
#[wasm_bindgen(getter_with_clone)] pub struct Field_{word} {{ pub f: {rust} }}
#[wasm_bindgen] impl Field_{word} {{
    #[wasm_bindgen(constructor)] pub fn new(n: u32) -> Field_{word} {{ Field_{word} {{ f: <{rust}>::sample(n) }} }}
    pub fn w(&self) -> u32 {{ self.f.which() }}
}}
#[wasm_bindgen(module = \"host\")] extern \"C\" {{
    #[wasm_bindgen(thread_local_v2, js_name = constant_{word})] static CONSTANT_{upper}: {rust};
",
        upper = word.to_uppercase(),
    );
    for (at, (attribute, ty, _)) in RETURNED.iter().enumerate() {
        let _ = writeln!(code, "    #[wasm_bindgen({attribute})] fn g{at}_{word}{};", ty.replace('P', rust));
    }
    let _ = write!(
        code,
        "}}
#[wasm_bindgen] pub fn j_{word}(how: u32, n: u32, host: &Host) -> u32 {{
    match how {{
"
    );
    for (at, (attribute, _, call)) in RETURNED.iter().enumerate() {
        let class = if attribute.starts_with("static") { "Host::" } else { "" };
        let function = if attribute.starts_with("method") {
            format!("host.g{at}_{word}{}", call.replace("(host, ", "(").replace("(host)", "()"))
        } else {
            format!("{class}g{at}_{word}{call}")
        };
        let _ = writeln!(code, "        {at} => {function}.which(),");
    }
    let _ = write!(
        code,
        "        _ => CONSTANT_{upper}.with(|value| value.which()),
    }}
}}
#[wasm_bindgen] pub fn k2_{word}(n: u32) -> u32 {{
    let closure = Closure::<dyn Fn(u32, {rust}) -> u32>::new(|n: u32, v: {rust}| v.which() * 1000 + n);
    call_both(closure.as_ref(), n)
}}
#[wasm_bindgen] pub fn l_{word}() -> JsValue {{
    Closure::<dyn Fn(u32) -> {rust}>::new(|n: u32| <{rust}>::sample(n)).into_js_value()
}}
",
        upper = word.to_uppercase(),
    );
    if form.fallible {
        let _ = write!(
            code,
            "#[wasm_bindgen] pub fn l2_{word}() -> JsValue {{
    Closure::<dyn FnMut(u32) -> Result<{rust}, String>>::new(|n: u32| {{
        if n < 50 {{ Ok(<{rust}>::sample(n)) }} else {{ Err(String::from(\"failed\")) }}
    }})
    .into_js_value()
}}
"
        );
    }
}

/// Parameters of closures.
fn closures(code: &mut String, form: &Form) {
    let Form { word, rust, .. } = form;
    let _ = write!(
        code,
        "
#[wasm_bindgen(module = \"host\")] extern \"C\" {{
    #[wasm_bindgen(js_name = call)] fn k_lent_{word}(f: &dyn Fn({rust}) -> u32, n: u32) -> u32;
    #[wasm_bindgen(js_name = call)] fn k_lent_mut_{word}(f: &mut dyn FnMut({rust}) -> u32, n: u32) -> u32;
    #[wasm_bindgen(js_name = call)] fn k_option_{word}(f: Option<&Closure<dyn Fn({rust}) -> u32>>, n: u32) -> u32;
    #[wasm_bindgen(js_name = call)] fn k_owned_{word}(f: Closure<dyn Fn({rust}) -> u32>, n: u32) -> u32;
}}
#[wasm_bindgen] pub fn k_{word}(how: u32, n: u32) -> u32 {{
    let which = |v: {rust}| v.which();
    match how {{
        0 => call(Closure::<dyn Fn({rust}) -> u32>::new(which).as_ref(), n),
        1 => k_lent_{word}(&which, n),
        2 => {{
            let mut calls = 0;
            let which = k_lent_mut_{word}(&mut |v: {rust}| {{ calls += 1; v.which() }}, n);
            which * calls
        }}
        3 => k_option_{word}(Some(&Closure::new(which)), n),
        4 => k_owned_{word}(Closure::new(which), n),
        _ => k_option_{word}(None, n),
    }}
}}
"
    );
}

/// Arguments of imports.
fn passed(code: &mut String, form: &Form) {
    let Form { word, rust, owned, made, .. } = form;
    code.push_str("\n#[wasm_bindgen(module = \"host\")] extern \"C\" {\n");
    for (at, (attribute, ty, _)) in PASSED.iter().enumerate() {
        let attribute = attribute.replace("setter, js_name = slot", &format!("setter, js_name = slot{at}"));
        let _ = writeln!(code, "    #[wasm_bindgen({attribute})] fn p{at}_{word}{};", ty.replace('P', rust));
    }
    let _ = write!(
        code,
        "}}
#[wasm_bindgen] pub fn i_{word}(how: u32, n: u32, host: &Host) -> u32 {{
    #[allow(unused_mut)] let mut value = <{owned}>::sample(n);
    let n = match how {{
"
    );
    for (at, (attribute, ty, call)) in PASSED.iter().enumerate() {
        let class = if attribute.starts_with("static") { "Host::" } else { "" };
        let call = call.replace('V', made);
        let function = if attribute.starts_with("method") {
            format!("host.p{at}_{word}{}", call.replace("(host, ", "("))
        } else {
            format!("{class}p{at}_{word}{call}")
        };
        let function = if ty.contains("->") { function } else { format!("{{ {function}; 97 }}") };
        let _ = writeln!(code, "        {at} => {function},");
    }
    code.push_str("        _ => unreachable!(),\n    };\n");
    if form.reversed {
        // What Python has changed is seen: it has put the items into the other order.
        let reverse = if rust.starts_with("Option") {
            "value.as_mut().map(|items| items.reverse());"
        } else {
            "value.reverse();"
        };
        let _ = write!(code, "    {reverse}\n    n + value.which() * 10000\n}}\n");
    } else {
        code.push_str("    n\n}\n");
    }
}

/// A crate, and what is tried of it.
#[derive(Debug)]
pub struct Crossings {
    /// The name of the crate.
    pub name: &'static str,
    /// Which part of the list it covers.
    pub parts: Parts,
    /// Its source.
    pub rust: String,
    /// The code that uses it. It prints the number of its checks.
    pub python: String,
}

/// All crates.
pub fn crossings() -> Vec<Crossings> {
    let covered = |word| PLANS.iter().any(|plan| plan.bases.contains(&word));
    assert!(BASES.iter().all(|base| covered(base.word)), "a type is in no crate");
    PLANS.iter().map(one).collect()
}

fn one(Plan { name, bases, parts }: &Plan) -> Crossings {
    let bases = || BASES.iter().filter(|base| bases.contains(&base.word));
    let mut rust = format!("use wasm_bindgen::prelude::*;\n{WHICH}");
    for (code, words) in [
        (TEXT, &["text"][..]),
        (ENUMS, &["level", "big", "minus", "color"]),
        (OBJECTS, &["bag", "any", "pin"]),
    ] {
        if bases().any(|base| words.contains(&base.word)) {
            rust.push_str(code);
        }
    }
    rust.push_str("cells! {\n");
    for base in BASES {
        let known = bases().any(|other| other.word == base.word);
        if let Some(samples) = base.rust_samples.filter(|_| known) {
            let _ = writeln!(rust, "    {}, {}: {samples};", base.rust, base.samples.len());
        }
    }
    rust.push_str("}\n");
    let mut python = String::new();
    let (places, operators) = (*parts != Parts::Operators, *parts != Parts::Places);
    for form in bases().flat_map(forms) {
        let is_sequence = form.owned.contains("Vec<");
        let few = *parts != Parts::Families
            || !is_sequence
            || form.word.ends_with("u32")
            || form.word.ends_with("pin");
        let in_closures = form.stored || (form.given && form.rust == format!("&{}", form.owned));
        for (wanted, write) in [
            (places && form.given, given as fn(&mut String, &Form)),
            (places && form.returned, returned),
            (places && form.stored, stored),
            (places && in_closures, closures),
            (places && form.passed, passed),
            (operators && few && form.given, operands),
            (operators && few && form.returned, results),
        ] {
            if wanted {
                write(&mut rust, &form);
            }
        }
        let lambdas =
            |values: &[String]| values.iter().map(|v| format!("lambda: {v}")).collect::<Vec<_>>().join(", ");
        let wrong: Vec<String> =
            form.wrong.iter().map(|(value, error)| format!("(lambda: {value}, {error})")).collect();
        let others = if form.others.is_empty() { &form.samples } else { &form.others };
        let _ = writeln!(
            python,
            "try_({:?}, [{}], [{}], [{}], {})",
            form.word,
            lambdas(&form.samples),
            lambdas(others),
            wrong.join(", "),
            if form.reversed { "True" } else { "False" },
        );
    }
    Crossings { name, parts: *parts, rust, python: format!("import {name} as m\n{}{python}{END}", driver()) }
}

const END: &str = "print(cells, 'cells')\n";

/// What every crate is tried with.
fn driver() -> String {
    let table = |name: &str, rows: &[(&str, &str)]| {
        let rows: Vec<String> =
            rows.iter().map(|(name, code)| format!("({name:?}, lambda a, b=None: {code})")).collect();
        format!("{name} = [{}]\n", rows.join(", "))
    };
    let sources = [
        include_str!("crossings.py").to_owned(),
        table("BINARY", BINARY),
        table("UNARY", UNARY),
        format!("PASSED = {}\nRETURNED = {}\n", PASSED.len(), RETURNED.len()),
    ];
    sources.concat()
}
