//! Statements.

use std::fmt::Write as _;

use target_specs::Result;

use super::c::variable;
use super::printer::{DEEPEST, Printer};
use crate::ir::{
    Bulk, Callee, Check, Expr, Form, Handlers, Leave, Loop, Stmt, TableHandler, Trap, Try, Unrolled, Var,
    Wide,
};
use crate::types::ValType;

impl Printer<'_, '_> {
    /// Statements in their order.
    ///
    /// # Errors
    /// `too-large`
    pub fn body(&mut self, body: &[Stmt]) -> Result<()> {
        for stmt in body {
            self.stmt(stmt)?;
            self.unit.check_size(self.before + self.code.text().len())?;
        }
        Ok(())
    }

    pub(super) fn stmt(&mut self, stmt: &Stmt) -> Result<()> {
        match stmt {
            Stmt::Block { label, body, used } => {
                self.body(body)?;
                if *used {
                    self.label(*label);
                }
            }
            Stmt::Loop(looped) => self.looped(looped)?,
            Stmt::If { label, condition, then, otherwise, used, falls } => {
                let condition = self.condition(condition);
                let (nested, beyond) = self.begin_if(&condition);
                self.body(then)?;
                let mut used = *used;
                match (nested, otherwise.is_empty()) {
                    (true, true) => {}
                    (true, false) => {
                        self.code.dedent();
                        self.code.open("} else {");
                        self.body(otherwise)?;
                    }
                    (false, true) => self.label(beyond),
                    (false, false) => {
                        if *falls {
                            used = true;
                            self.code.line(format!("goto L{label};"));
                        }
                        self.label(beyond);
                        self.body(otherwise)?;
                    }
                }
                if nested {
                    self.end_if(nested, beyond);
                }
                if used {
                    self.label(*label);
                }
            }
            Stmt::BrIf(condition, leave) => {
                let head = format!("if ({})", self.condition(condition));
                match &leave[..] {
                    [one] => {
                        let leave = self.simple(one);
                        self.code.line(format!("{head} {leave}"));
                    }
                    several => {
                        self.code.open(format!("{head} {{"));
                        self.body(several)?;
                        self.code.close("}");
                    }
                }
            }
            Stmt::Switch { index, cases, default } => {
                let index = self.expr(index);
                self.code.line(format!("switch ({index}) {{"));
                for (numbers, leave) in cases {
                    for number in numbers {
                        self.code.line(format!("case {number}:"));
                    }
                    self.code.indent();
                    self.body(leave)?;
                    self.code.dedent();
                }
                self.code.open("default:");
                self.body(default)?;
                self.code.close("}");
            }
            Stmt::Try(tried) => self.tried(tried)?,
            Stmt::MakeFrame { local, size, value, check } => {
                let Some(stack) = self.unit.shadow_stack else { return Ok(()) };
                let pointer = self.unit.global(stack.pointer);
                let value = self.expr(value);
                if !matches!(check, Check::None(_)) {
                    self.code.line(format!("WASM_STACK_ROOM({pointer}, {size}u);"));
                }
                self.code.line(format!("l{local} = {value};"));
                // Told what is known of it, the compiler does without other checks and masks.
                self.code.line(format!("WASM_KNOWN(l{local} <= {}u);", stack.top.saturating_sub(*size)));
            }
            Stmt::GlobalSet { global, value, after_tee, check, .. } => {
                self.set_global(*global, value, *after_tee, *check);
            }
            Stmt::Call { callee, args, results, recursive, thrown } => {
                self.call(callee, args, results);
                if *recursive {
                    self.code.line("WASM_KEEP_FRAME();");
                }
                if let Some(leave) = thrown {
                    let leave = self.leave(*leave);
                    self.code.line(format!("if (WASM_THROWN()) {leave}"));
                }
            }
            Stmt::Line(line) => {
                let directive = line.and_then(|line| self.unit.line_directive(line));
                self.code.set_place(directive);
            }
            Stmt::Label(label) => self.code.label(format_args!("L{label}: __attribute__((unused))")),
            simple => {
                let text = self.simple(simple);
                if !text.is_empty() {
                    self.code.line(text);
                }
            }
        }
        Ok(())
    }

    /// A statement of one line.
    fn simple(&mut self, stmt: &Stmt) -> String {
        match stmt {
            Stmt::Set(var, value) => format!("{} = {};", variable(*var), self.expr(value)),
            Stmt::Store(access, value) => self.store(access, value),
            Stmt::TailCall { callee, args, same } => {
                let args = self.arguments(args);
                let tail = if *same { "WASM_TAIL_CALL" } else { "WASM_TAIL_CALL_OTHER" };
                format!("{tail} return {}({args});", self.callee(callee))
            }
            Stmt::Bulk { op, args, result, checks } => self.bulk(*op, args, *result, *checks),
            Stmt::Wide(op, args, [low, high]) => {
                let name = match op {
                    Wide::Add => "add128",
                    Wide::Sub => "sub128",
                    Wide::MulS => "mul_wide_s",
                    Wide::MulU => "mul_wide_u",
                };
                let (low, high) = (variable(*low), variable(*high));
                format!("{low} = wasm_{name}({}, &{high});", self.arguments(args))
            }
            Stmt::Eval(expr) => format!("(void)({});", self.expr(expr)),
            Stmt::Br(label) => format!("goto L{label};"),
            Stmt::Return(values) => match &values[..] {
                [] => "return;".to_owned(),
                [one] => format!("return {};", self.expr(one)),
                several => format!("return ({}){{{}}};", self.result_type(), self.arguments(several)),
            },
            Stmt::Trap(trap) => {
                let kind = match trap {
                    Trap::Unreachable => "UNREACHABLE",
                    Trap::NotShared => "NOT_SHARED",
                    Trap::Endless => "ENDLESS_WAIT",
                };
                format!("wasm_trap(WASM_TRAP_{kind});")
            }
            Stmt::NeverReached => "__builtin_unreachable();".to_owned(),
            Stmt::Throw(tag, args) => {
                let name = self.unit.tag(*tag);
                let values: usize = args.iter().map(|arg| arg.ty.values()).sum();
                let mut text = format!("{{ wasm_exception_t *e = wasm_exception_new({name}, {values});");
                let mut at = 0;
                for arg in args {
                    let value = self.expr(arg);
                    let _ = match arg.ty.member() {
                        Some(member) => write!(text, " e->values[{at}].{member} = {value};"),
                        None => write!(text, " wasm_set_v128((uint8_t *)&e->values[{at}], {value});"),
                    };
                    at += arg.ty.values();
                }
                text.push_str(" wasm_thrown = e; }");
                text
            }
            Stmt::ThrowRef(reference) => {
                format!("wasm_thrown = (wasm_exception_t *)wasm_non_null({});", self.expr(reference))
            }
            Stmt::Rethrow(label) => format!("wasm_thrown = x{label};"),
            Stmt::Leave(leave) => self.leave(*leave),
            Stmt::Neighbours(local) => format!("WASM_NEIGHBOURS(l{local});"),
            _ => String::new(),
        }
    }

    fn label(&mut self, label: usize) {
        self.code.label(format_args!("L{label}:"));
    }

    fn result_type(&self) -> String {
        self.unit.result_type(&self.function.ty)
    }

    /// A statement with which an exception goes on.
    fn leave(&self, leave: Leave) -> String {
        match (leave, &self.function.ty.results[..]) {
            (Leave::Catch(label), _) => format!("goto C{label};"),
            (Leave::Return, []) => "return;".to_owned(),
            (Leave::Return, [one]) if *one != ValType::V128 => "return 0;".to_owned(),
            (Leave::Return, _) => format!("return ({}){{0}};", self.result_type()),
        }
    }

    /// What is done if `condition` holds, up to [`Printer::end_if`]: where it goes on in the other case, when it is no block
    /// of C.
    fn begin_if(&mut self, condition: &str) -> (bool, usize) {
        if self.nested < DEEPEST {
            self.nested += 1;
            self.code.open(format!("if ({condition}) {{"));
            return (true, 0);
        }
        self.labels += 1;
        let beyond = self.labels;
        self.code.line(format!("if (!({condition})) goto L{beyond};"));
        (false, beyond)
    }

    fn end_if(&mut self, nested: bool, beyond: usize) {
        if nested {
            self.nested -= 1;
            self.code.close("}");
        } else {
            self.label(beyond);
        }
    }

    fn looped(&mut self, looped: &Loop) -> Result<()> {
        let nested = self.nested < DEEPEST && looped.branches > 0;
        self.nested += usize::from(nested);
        match &looped.form {
            Form::DoWhile { condition, unrolled } if nested => {
                self.code.open("do {");
                match unrolled {
                    Some(Unrolled::Twice) => self.code.open("WASM_TWICE("),
                    Some(Unrolled::TwiceIfWide) => self.code.open("WASM_TWICE_WIDE("),
                    Some(Unrolled::FourTimes) => self.code.open("WASM_FOUR_TIMES("),
                    None | Some(Unrolled::Whole(_)) => {}
                }
                self.body(&looped.body)?;
                if !matches!(unrolled, None | Some(Unrolled::Whole(_))) {
                    self.code.close(")");
                }
                let condition = self.condition(condition);
                self.code.close(format!("}} while ({condition});"));
            }
            form => {
                if looped.branches > 0 {
                    self.label(looped.label);
                }
                if nested {
                    self.code.indent();
                }
                self.body(&looped.body)?;
                if let Form::DoWhile { condition, .. } = form {
                    let condition = self.condition(condition);
                    self.code.line(format!("if ({condition}) goto L{};", looped.label));
                }
                if nested {
                    self.code.dedent();
                }
            }
        }
        self.nested -= usize::from(nested);
        Ok(())
    }

    fn set_global(&mut self, global: u32, value: &Expr, after_tee: bool, check: Check) {
        let value = self.expr(value);
        if let Some(stack) = self.unit.shadow_stack.filter(|stack| stack.pointer == global)
            && !matches!(check, Check::None(_))
        {
            self.code.line(format!("WASM_STACK_TOP({value}, {}u);", stack.top));
        }
        if after_tee {
            self.code.line(format!("WASM_FRAME({value});"));
            if let Some(check) = self.unit.stack_check(&value) {
                self.code.line(check);
            }
        }
        let name = self.unit.global(global);
        self.code.line(format!("{name} = {value};"));
    }

    fn call(&mut self, callee: &Callee, args: &[Expr], results: &[Var]) {
        let args = self.arguments(args);
        let call = format!("{}({args})", self.callee(callee));
        match results {
            [] => self.code.line(format!("{call};")),
            [one] => self.code.line(format!("{} = {call};", variable(*one))),
            several => {
                let members = several.iter().enumerate();
                let members: Vec<String> =
                    members.map(|(at, var)| format!("{} = r.r{at};", variable(*var))).collect();
                let result = self.unit.called_type(callee);
                self.code.line(format!("{{ {result} r = {call}; {} }}", members.join(" ")));
            }
        }
    }

    fn bulk(&mut self, op: Bulk, args: &[Expr], result: Option<Var>, checks: [Check; 2]) -> String {
        let set = result.map_or(String::new(), |result| format!("{} = ", variable(result)));
        let unit = self.unit;
        match op {
            Bulk::MemoryGrow(memory) => {
                let pages = self.expr(&args[0]);
                format!("{set}{};", unit.memories[memory as usize].grow(&pages))
            }
            Bulk::MemoryCopy(to, from) => {
                let length = self.expr(&args[2]);
                let blocks = [(to, 0), (from, 1)].map(|(memory, arg): (u32, usize)| {
                    let is_inside = matches!(checks[arg], Check::None(_));
                    is_inside.then(|| {
                        let address = self.inner(&args[arg]);
                        unit.memories[memory as usize].block(&address, &mut self.uses)
                    })
                });
                if let [Some(to), Some(from)] = blocks {
                    return format!("__builtin_memmove({to}, {from}, {length});");
                }
                let (to, from) = (&unit.memories[to as usize], &unit.memories[from as usize]);
                format!(
                    "wasm_memory_copy({}, {}, {}, {}, {});",
                    to.begin(&mut self.uses),
                    to.bytes(),
                    from.begin(&mut self.uses),
                    from.bytes(),
                    self.arguments(args)
                )
            }
            Bulk::MemoryFill(memory) => {
                let memory = &unit.memories[memory as usize];
                if matches!(checks[0], Check::None(_)) {
                    let address = self.inner(&args[0]);
                    let block = memory.block(&address, &mut self.uses);
                    let (value, length) = (self.inner(&args[1]), self.expr(&args[2]));
                    return format!("__builtin_memset({block}, (int){value}, {length});");
                }
                let begin = memory.begin(&mut self.uses);
                format!("wasm_memory_fill({begin}, {}, {});", memory.bytes(), self.arguments(args))
            }
            Bulk::MemoryInit(memory, data) => {
                let memory = &unit.memories[memory as usize];
                let (data, size) = unit.data(data);
                let begin = memory.begin(&mut self.uses);
                let args = self.arguments(args);
                format!("wasm_memory_init({begin}, {}, {data}, {size}, {args});", memory.bytes())
            }
            Bulk::DataDrop(data) if unit.has_bytes(data) => format!("{} = 0;", unit.data(data).1),
            Bulk::ElemDrop(element) if unit.has_elements(element) => {
                format!("{} = 0;", unit.element(element).1)
            }
            Bulk::DataDrop(_) | Bulk::ElemDrop(_) => String::new(),
            Bulk::TableSet(table) => self.on_table("set", table, &set, args),
            Bulk::TableGrow(table) => self.on_table("grow", table, &set, args),
            Bulk::TableFill(table) => self.on_table("fill", table, &set, args),
            Bulk::TableCopy(to, from) => {
                let (to, from) = (unit.table_pointer(to), unit.table_pointer(from));
                format!("wasm_table_copy({to}, {from}, {});", self.arguments(args))
            }
            Bulk::TableInit(table, element) => {
                let (items, size) = unit.element(element);
                let table = unit.table_pointer(table);
                format!("wasm_table_init({table}, {items}, {size}, {});", self.arguments(args))
            }
        }
    }

    fn on_table(&mut self, what: &str, table: u32, set: &str, args: &[Expr]) -> String {
        let table = self.unit.table_pointer(table);
        format!("{set}wasm_table_{what}({table}, {});", self.arguments(args))
    }

    /// A `try`. An exception in it goes to its label `C`.
    fn tried(&mut self, tried: &Try) -> Result<()> {
        let label = tried.label;
        self.body(&tried.body)?;
        if tried.falls {
            self.code.line(format!("goto L{label};"));
        }
        self.code.line(format!("C{label}:;"));
        let rest = match &tried.handlers {
            Handlers::Catch(handlers, rest) => {
                if !handlers.is_empty() {
                    self.code.line(format!("x{label} = wasm_thrown;"));
                }
                for handler in handlers {
                    let condition = match handler.tag {
                        Some(tag) => format!("x{label}->tag == {}", self.unit.tag(tag)),
                        None => "1".to_owned(),
                    };
                    let (nested, beyond) = self.begin_if(&condition);
                    self.code.line("wasm_thrown = NULL;");
                    if handler.notes {
                        self.code.line(format!("wasm_caught = x{label};"));
                    }
                    self.body(&handler.body)?;
                    if handler.falls {
                        self.code.line(format!("goto L{label};"));
                    }
                    self.end_if(nested, beyond);
                }
                *rest
            }
            Handlers::Table(handlers, rest) => {
                for handler in handlers {
                    self.table_handler(handler)?;
                }
                *rest
            }
            Handlers::Delegate(to) => Some(*to),
        };
        if let Some(leave) = rest {
            let leave = self.leave(leave);
            self.code.line(leave);
        }
        if tried.used {
            self.label(label);
        }
        Ok(())
    }

    fn table_handler(&mut self, handler: &TableHandler) -> Result<()> {
        self.code.open(match handler.tag {
            Some(tag) => format!("if (wasm_thrown->tag == {}) {{", self.unit.tag(tag)),
            None => "{".to_owned(),
        });
        self.code.line("wasm_exception_t *e = wasm_thrown;");
        self.code.line("wasm_thrown = NULL;");
        if handler.notes {
            self.code.line("wasm_caught = e;");
        }
        self.code.line("(void)e;");
        self.body(&handler.leave)?;
        self.code.close("}");
        Ok(())
    }
}
