//! A tree as text, for people: `--emit ir`.
//!
//! One line per statement, in the specification's names for operators. Each access says how it is checked, and without a check
//! why it needs none.

use std::fmt::Write as _;

use super::{
    Access, Bulk, Callee, Caught, Check, Expr, ExprKind, Form, Function, Handlers, Label, Leave, Loop, Proof,
    Stmt, Trap, Try, Unrolled, Var,
};
use crate::ops::OpId;
use crate::types::ValType;

/// Writes a function of this name behind `text`.
pub(crate) fn function(name: &str, function: &Function, text: &mut String) {
    let types = |types: &[ValType]| types.iter().map(|ty| ty.word()).collect::<Vec<_>>().join(" ");
    let _ = writeln!(
        text,
        "func {} {name} ({}) -> ({})",
        function.index,
        types(&function.ty.params),
        types(&function.ty.results)
    );
    Printer { text, depth: 1 }.body(&function.body);
    text.push('\n');
}

struct Printer<'a> {
    text: &'a mut String,
    depth: usize,
}

impl Printer<'_> {
    fn line(&mut self, text: impl AsRef<str>) {
        self.text.extend(std::iter::repeat_n("  ", self.depth));
        self.text.push_str(text.as_ref());
        self.text.push('\n');
    }

    fn body(&mut self, body: &[Stmt]) {
        body.iter().for_each(|stmt| self.stmt(stmt));
    }

    /// A line, and what is inside of it.
    fn inside(&mut self, head: impl AsRef<str>, body: &[Stmt]) {
        self.line(head);
        self.depth += 1;
        self.body(body);
        self.depth -= 1;
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Block { label, body, used } => {
                self.inside(if *used { format!("block L{label}") } else { "block".to_owned() }, body);
            }
            Stmt::Loop(looped) => self.looped(looped),
            Stmt::If { label, condition, then, otherwise, used, .. } => {
                let label = if *used { format!(" L{label}") } else { String::new() };
                self.inside(format!("if{label} {}", expr(condition)), then);
                if !otherwise.is_empty() {
                    self.inside("else", otherwise);
                }
            }
            Stmt::BrIf(condition, leave) => self.inside(format!("br_if {}", expr(condition)), leave),
            Stmt::Switch { index, cases, default } => {
                self.line(format!("br_table {}", expr(index)));
                for (numbers, leave) in cases {
                    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
                    self.inside(format!("case {}", numbers.join(" ")), leave);
                }
                self.inside("default", default);
            }
            Stmt::Try(tried) => self.tried(tried),
            Stmt::Line(_) => {}
            simple => {
                let text = self::simple(simple);
                self.line(text);
            }
        }
    }

    fn looped(&mut self, looped: &Loop) {
        let head = format!("loop L{}", looped.label);
        match &looped.form {
            Form::Label => self.inside(head, &looped.body),
            Form::DoWhile { condition, unrolled } => {
                let unrolled = match unrolled {
                    None => String::new(),
                    Some(Unrolled::Twice) => " twice".to_owned(),
                    Some(Unrolled::FourTimes) => " four times".to_owned(),
                    Some(Unrolled::TwiceIfWide) => " twice if wide".to_owned(),
                    Some(Unrolled::Whole(times)) => format!(" of {times} iterations"),
                };
                self.inside(format!("{head}{unrolled} while {}", expr(condition)), &looped.body);
            }
        }
    }

    fn tried(&mut self, tried: &Try) {
        self.inside(format!("try L{}", tried.label), &tried.body);
        let tag = |tag: Option<u32>| tag.map_or("all".to_owned(), |tag| format!("tag {tag}"));
        let rest = match &tried.handlers {
            Handlers::Catch(handlers, rest) => {
                for handler in handlers {
                    self.inside(format!("catch {}", tag(handler.tag)), &handler.body);
                }
                *rest
            }
            Handlers::Table(handlers, rest) => {
                for handler in handlers {
                    self.inside(format!("catch {}", tag(handler.tag)), &handler.leave);
                }
                *rest
            }
            Handlers::Delegate(to) => Some(*to),
        };
        if let Some(rest) = rest {
            self.line(format!("otherwise {}", leave(rest)));
        }
    }
}

fn var(var: Var) -> String {
    match var {
        Var::Local(local) => format!("local {local}"),
        Var::Temp(temp) => format!("temp {temp}"),
    }
}

fn leave(leave: Leave) -> String {
    match leave {
        Leave::Catch(label) => format!("throw to L{label}"),
        Leave::Return => "throw".to_owned(),
    }
}

fn exprs(exprs: &[Expr]) -> String {
    exprs.iter().map(expr).collect::<Vec<_>>().join(", ")
}

/// A statement of one line.
fn simple(stmt: &Stmt) -> String {
    let to = |label: &Label| format!("L{label}");
    match stmt {
        Stmt::Set(to, value) => format!("{} = {}", var(*to), expr(value)),
        Stmt::MakeFrame { local, size, value, check } => {
            let check = match check {
                Check::None(proof) => self::proof(*proof),
                _ => "checked".to_owned(),
            };
            format!("local {local} = {} (frame of {size} bytes) {{{check}}}", expr(value))
        }
        Stmt::GlobalSet { global, value, check, .. } => {
            let proof = match check {
                Check::None(proof) => format!(" {{{}}}", self::proof(*proof)),
                _ => String::new(),
            };
            format!("global {global} = {}{proof}", expr(value))
        }
        Stmt::Store(access, value) => format!("store {} = {}", self::access(access), expr(value)),
        Stmt::Call { callee, args, results, thrown, .. } => {
            let results: Vec<String> = results.iter().map(|result| var(*result)).collect();
            let results =
                if results.is_empty() { String::new() } else { format!("{} = ", results.join(", ")) };
            let thrown = thrown.map_or(String::new(), |thrown| format!(" or {}", leave(thrown)));
            format!("{results}call {}({}){thrown}", self::callee(callee), exprs(args))
        }
        Stmt::TailCall { callee, args, .. } => {
            format!("return_call {}({})", self::callee(callee), exprs(args))
        }
        Stmt::Bulk { op, args, result, checks } => {
            let result = result.map_or(String::new(), |result| format!("{} = ", var(result)));
            let proofs = checks.iter().filter_map(|check| match check {
                Check::None(proof) => Some(format!(" {{{}}}", self::proof(*proof))),
                _ => None,
            });
            let proofs: String = proofs.collect();
            format!("{result}{}({}){proofs}", bulk(*op), exprs(args))
        }
        Stmt::Wide(op, args, [low, high]) => {
            format!("{}, {} = {op:?}128({})", var(*low), var(*high), exprs(args))
        }
        Stmt::Eval(value) => format!("drop {}", expr(value)),
        Stmt::Br(label) => format!("br {}", to(label)),
        Stmt::Label(label) => format!("label {}", to(label)),
        Stmt::Return(values) => format!("return {}", exprs(values)).trim_end().to_owned(),
        Stmt::Trap(Trap::Unreachable) => "unreachable".to_owned(),
        Stmt::Trap(Trap::NotShared) => "trap: not shared".to_owned(),
        Stmt::Trap(Trap::Endless) => "trap: endless wait".to_owned(),
        Stmt::NeverReached => "never reached".to_owned(),
        Stmt::Throw(tag, args) => format!("exception of tag {tag} ({})", exprs(args)),
        Stmt::ThrowRef(value) => format!("exception {}", expr(value)),
        Stmt::Rethrow(label) => format!("exception of {}", to(label)),
        Stmt::Leave(to) => leave(*to),
        Stmt::Neighbours(local) => format!("local {local} is near many accesses"),
        Stmt::Block { .. }
        | Stmt::Loop(_)
        | Stmt::If { .. }
        | Stmt::BrIf(..)
        | Stmt::Switch { .. }
        | Stmt::Try(_)
        | Stmt::Line(_) => String::new(),
    }
}

fn callee(callee: &Callee) -> String {
    match callee {
        Callee::Function(function) => format!("func {function} "),
        Callee::Indirect { table, ty, index } => format!("table {table}[{}] of type {ty} ", expr(index)),
        Callee::Reference { ty, reference } => format!("{} of type {ty} ", expr(reference)),
    }
}

fn bulk(op: Bulk) -> String {
    match op {
        Bulk::MemoryGrow(at) => format!("memory.grow {at} "),
        Bulk::MemoryCopy(to, from) => format!("memory.copy {to} {from} "),
        Bulk::MemoryFill(at) => format!("memory.fill {at} "),
        Bulk::MemoryInit(at, data) => format!("memory.init {at} {data} "),
        Bulk::DataDrop(data) => format!("data.drop {data} "),
        Bulk::TableSet(at) => format!("table.set {at} "),
        Bulk::TableGrow(at) => format!("table.grow {at} "),
        Bulk::TableFill(at) => format!("table.fill {at} "),
        Bulk::TableCopy(to, from) => format!("table.copy {to} {from} "),
        Bulk::TableInit(at, elements) => format!("table.init {at} {elements} "),
        Bulk::ElemDrop(elements) => format!("elem.drop {elements} "),
    }
}

fn expr(value: &Expr) -> String {
    match &value.kind {
        ExprKind::Const(bits) => match value.ty {
            ValType::I32 => (*bits as u32).cast_signed().to_string(),
            ValType::F32 => format!("{:?}", f32::from_bits(*bits as u32)),
            ValType::F64 => format!("{:?}", f64::from_bits(*bits)),
            _ => bits.cast_signed().to_string(),
        },
        ExprKind::Vector([low, high]) => format!("{low:#x}:{high:#x}"),
        ExprKind::Address(reference) => format!("{reference:?}"),
        ExprKind::Get(from) => var(*from),
        ExprKind::Global(global) => format!("global {global}"),
        ExprKind::Null => "null".to_owned(),
        ExprKind::RefFunc(function) => format!("ref func {function}"),
        ExprKind::Op(OpId::Vector(op), parts) => format!("{op:?}({})", exprs(parts)),
        ExprKind::Op(op, parts) => format!("{op:?}({})", exprs(parts)),
        ExprKind::Shuffle(parts, lanes) => format!("I8x16Shuffle({}, {lanes:?})", exprs(&parts[..])),
        ExprKind::Load(access) => format!("load {}", self::access(access)),
        ExprKind::Select(parts) => format!("select({})", exprs(&parts[..])),
        ExprKind::NonNull(part) => format!("ref.as_non_null({})", expr(part)),
        ExprKind::TableGet(table, index) => format!("table {table}[{}]", expr(index)),
        ExprKind::TableSize(table) => format!("table.size {table}"),
        ExprKind::MemorySize(memory) => format!("memory.size {memory}"),
        ExprKind::MemoryBytes(memory) => format!("bytes of memory {memory}"),
        ExprKind::NativeFrame => "native frame".to_owned(),
        ExprKind::Payload(Caught::Handler, at) => format!("caught[{at}]"),
        ExprKind::Payload(Caught::Try(label), at) => format!("caught by L{label}[{at}]"),
        ExprKind::Exception => "caught".to_owned(),
        ExprKind::Index(part, _) => format!("index({})", expr(part)),
        ExprKind::Aligned(part, _, bytes) => format!("aligned to {bytes}({})", expr(part)),
        ExprKind::Count(part) => format!("count({})", expr(part)),
        ExprKind::NarrowProduct(parts) => format!("narrow_product({}, {})", expr(&parts[0]), expr(&parts[1])),
        ExprKind::NarrowLanes { factors, width, .. } => {
            format!("narrow_product{width}({}, {})", expr(&factors[0]), expr(&factors[1]))
        }
        ExprKind::WidenedLoad { load, from, to, is_signed } => {
            format!("widened{from}to{to}_{}({})", if *is_signed { 's' } else { 'u' }, expr(load))
        }
        ExprKind::DualProduct(parts) => {
            format!("dual_product({})", exprs(&parts[..]))
        }
        ExprKind::QuadProduct(parts) => format!("quad_product({})", exprs(&parts[..])),
        ExprKind::DotProduct(parts, products, addend) => {
            format!("dot_product {}({}, {addend})", products.name(), exprs(&parts[..]))
        }
        ExprKind::HasDotProduct(products) => format!("has dot_product {}", products.name()),
        ExprKind::Computed(part) => format!("computed({})", expr(part)),
    }
}

/// A cell and how it is kept inside its memory.
fn access(access: &Access) -> String {
    let memory = if access.memory == 0 { String::new() } else { format!("memory {} ", access.memory) };
    let offset = if access.offset == 0 { String::new() } else { format!(" + {}", access.offset) };
    let check = match access.check {
        Check::None(proof) => self::proof(proof),
        Check::Mask => "masked".to_owned(),
        Check::Bounds => "checked".to_owned(),
        Check::Outside => "outside".to_owned(),
    };
    format!("{memory}{}[{}{offset}] {{{check}}}", access.cell.name(), expr(&access.address))
}

fn proof(proof: Proof) -> String {
    match proof {
        Proof::Direct => "direct".to_owned(),
        Proof::Trusted => "trusted".to_owned(),
        Proof::Depth(bytes) => format!("calls use at most {bytes} bytes of the stack"),
        Proof::Repeated(label) => format!("checked where L{label} is entered and repeated"),
        Proof::BeforeLoop(label) => format!("checked before L{label}"),
        Proof::Between { least, most } => format!("address {least} to {most}"),
        Proof::Frame { size, least, most } => format!("{least} to {most} in a frame of {size} bytes"),
    }
}
