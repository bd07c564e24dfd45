//! Runs wasm-bindgen's descriptors: small functions that describe the types of an export or import, with one call for
//! each word. They are run before any pass changes the module.

use std::collections::{BTreeMap, HashMap};

use glue_gen::wbindgen::Raw;
use target_specs::{Diagnostic, Result};
use walrus::ir::{BinaryOp, Instr, InstrSeqId, Value};
use walrus::{ConstExpr, ExportItem, FunctionId, FunctionKind, GlobalKind, ImportKind, LocalId, Module};

/// The module that wasm-bindgen imports from before its tool has run.
pub(super) const PLACEHOLDER: &str = "__wbindgen_placeholder__";
const DESCRIBE: &str = "__wbindgen_describe_";
/// The maximum number of instructions of one descriptor. Those of the largest signatures take thousands.
const MOST_STEPS: u32 = 1_000_000;
/// The maximum depth of calls.
const DEEPEST: u32 = 100;

/// The functions that stand for an import whose type is found by running them, and the name of that import.
pub(super) type Generics = Vec<(String, FunctionId)>;

/// The bindings of `module`; `None` if it does not use wasm-bindgen.
///
/// # Errors
/// `invalid-bindings`, naming the function.
pub(super) fn read(module: &Module) -> Result<Option<(Raw, Generics)>> {
    let mut raw = Raw::default();
    for (_, section) in module.customs.iter() {
        if section.name() == "__wasm_bindgen_unstable" {
            raw.section.extend_from_slice(&section.data(&Default::default()));
        }
    }
    if raw.section.is_empty() {
        return Ok(None);
    }
    let machine = Machine::new(module);
    for export in module.exports.iter() {
        let (Some(name), ExportItem::Function(id)) = (export.name.strip_prefix(DESCRIBE), export.item) else {
            continue;
        };
        raw.descriptors.insert(name.to_owned(), machine.run(id, name)?);
    }
    let generics = generics(module);
    for (name, id) in &generics {
        raw.generics.insert(name.clone(), machine.run(*id, name)?);
    }
    Ok(Some((raw, generics)))
}

fn generics(module: &Module) -> Generics {
    let Some(marker) = import(module, "__wbindgen_describe_generic_import") else { return Vec::new() };
    let calls = |id: FunctionId, local: &walrus::LocalFunction| {
        let mut finder = Finder { marker, found: false };
        walrus::ir::dfs_in_order(&mut finder, local, local.entry_block());
        finder.found.then(|| (format!("generic_{}", id.index()), id))
    };
    module.funcs.iter_local().filter_map(|(id, local)| calls(id, local)).collect()
}

fn import(module: &Module, name: &str) -> Option<FunctionId> {
    module.imports.iter().find_map(|import| match import.kind {
        ImportKind::Function(id) if import.module == PLACEHOLDER && import.name == name => Some(id),
        _ => None,
    })
}

struct Finder {
    marker: FunctionId,
    found: bool,
}

impl walrus::ir::Visitor<'_> for Finder {
    fn visit_function_id(&mut self, id: &FunctionId) {
        self.found |= *id == self.marker;
    }
}

/// An interpreter for descriptors. It supports only what compilers generate for them, optimised or not: constants,
/// locals, calls, and the shadow stack.
struct Machine<'a> {
    module: &'a Module,
    describe: Option<FunctionId>,
    marker: Option<FunctionId>,
    globals: HashMap<walrus::GlobalId, i32>,
}

#[derive(Default)]
struct State {
    words: Vec<u32>,
    stack: Vec<i32>,
    memory: BTreeMap<u32, u8>,
    globals: HashMap<walrus::GlobalId, i32>,
    steps: u32,
    depth: u32,
}

/// How a sequence of instructions ended.
enum Flow {
    Next,
    Branch(InstrSeqId),
    Return,
    /// The marker was called. Nothing after it matters.
    Stop,
}

type Step<T> = std::result::Result<T, String>;

impl<'a> Machine<'a> {
    fn new(module: &'a Module) -> Self {
        let globals = module.globals.iter().filter_map(|global| match global.kind {
            GlobalKind::Local(ConstExpr::Value(Value::I32(value))) => Some((global.id(), value)),
            _ => None,
        });
        Machine {
            module,
            describe: import(module, "__wbindgen_describe"),
            marker: import(module, "__wbindgen_describe_generic_import"),
            globals: globals.collect(),
        }
    }

    fn run(&self, id: FunctionId, name: &str) -> Result<Vec<u32>> {
        let mut state = State { globals: self.globals.clone(), ..State::default() };
        let params = self.module.types.get(self.module.funcs.get(id).ty()).params().len();
        state.stack.resize(params, 0);
        match self.call(&mut state, id) {
            Ok(_) => Ok(state.words),
            Err(reason) => Err(Diagnostic::new(
                "invalid-bindings",
                format!("wasm-bindgen's description of `{name}` cannot be read: {reason}"),
            )
            .help("build the crate without coverage or other instrumentation")),
        }
    }

    /// Calls a function whose arguments are on the stack.
    fn call(&self, state: &mut State, id: FunctionId) -> Step<Flow> {
        if Some(id) == self.describe {
            let word = pop(state)?;
            state.words.push(word.cast_unsigned());
            return Ok(Flow::Next);
        }
        if Some(id) == self.marker {
            return Ok(Flow::Stop);
        }
        let function = self.module.funcs.get(id);
        let FunctionKind::Local(local) = &function.kind else {
            return Err("it calls an import".to_owned());
        };
        state.depth += 1;
        if state.depth > DEEPEST {
            return Err("its calls are nested too deeply".to_owned());
        }
        let mut locals = HashMap::new();
        for arg in local.args.iter().rev() {
            locals.insert(*arg, pop(state)?);
        }
        let base = state.stack.len();
        let flow = self.sequence(state, local, &mut locals, local.entry_block())?;
        state.depth -= 1;
        let results = self.module.types.get(function.ty()).results().len();
        if state.stack.len() < base + results {
            return Err("a result is missing".to_owned());
        }
        let kept = state.stack.split_off(state.stack.len() - results);
        state.stack.truncate(base);
        state.stack.extend(kept);
        Ok(if matches!(flow, Flow::Stop) { Flow::Stop } else { Flow::Next })
    }

    fn sequence(
        &self,
        state: &mut State,
        function: &walrus::LocalFunction,
        locals: &mut HashMap<LocalId, i32>,
        id: InstrSeqId,
    ) -> Step<Flow> {
        for (instr, _) in &function.block(id).instrs {
            state.steps += 1;
            if state.steps > MOST_STEPS {
                return Err("it does not end".to_owned());
            }
            let inner = match instr {
                Instr::Const(constant) => {
                    state.stack.push(match constant.value {
                        Value::I32(value) => value,
                        // Only counters of instrumentation are wider. No description depends on them.
                        Value::I64(value) => value as i32,
                        _ => return Err("it computes with floats".to_owned()),
                    });
                    continue;
                }
                Instr::LocalGet(get) => {
                    state.stack.push(locals.get(&get.local).copied().unwrap_or(0));
                    continue;
                }
                Instr::LocalSet(set) => {
                    let value = pop(state)?;
                    locals.insert(set.local, value);
                    continue;
                }
                Instr::LocalTee(tee) => {
                    let value = *state.stack.last().ok_or("its stack is empty")?;
                    locals.insert(tee.local, value);
                    continue;
                }
                Instr::GlobalGet(get) => {
                    state.stack.push(state.globals.get(&get.global).copied().unwrap_or(0));
                    continue;
                }
                Instr::GlobalSet(set) => {
                    let value = pop(state)?;
                    state.globals.insert(set.global, value);
                    continue;
                }
                Instr::Drop(_) => {
                    pop(state)?;
                    continue;
                }
                Instr::Binop(op) => {
                    let (b, a) = (pop(state)?, pop(state)?);
                    state.stack.push(match op.op {
                        BinaryOp::I32Add => a.wrapping_add(b),
                        BinaryOp::I32Sub => a.wrapping_sub(b),
                        BinaryOp::I32And => a & b,
                        BinaryOp::I32Or => a | b,
                        BinaryOp::I32Eq => i32::from(a == b),
                        BinaryOp::I32Ne => i32::from(a != b),
                        BinaryOp::I32LtU => i32::from(a.cast_unsigned() < b.cast_unsigned()),
                        BinaryOp::I32GtU => i32::from(a.cast_unsigned() > b.cast_unsigned()),
                        other => return Err(format!("it has the operator {other:?}")),
                    });
                    continue;
                }
                Instr::Load(load) => {
                    let address = pop(state)?.cast_unsigned().wrapping_add(load.arg.offset as u32);
                    let mut bytes = [0; 4];
                    for (i, byte) in (0..load.kind.width().min(4)).zip(&mut bytes) {
                        *byte = state.memory.get(&address.wrapping_add(i)).copied().unwrap_or(0);
                    }
                    state.stack.push(i32::from_le_bytes(bytes));
                    continue;
                }
                Instr::Store(store) => {
                    let value = pop(state)?;
                    let address = pop(state)?.cast_unsigned().wrapping_add(store.arg.offset as u32);
                    for (i, byte) in (0..store.kind.width().min(4)).zip(value.to_le_bytes()) {
                        state.memory.insert(address.wrapping_add(i), byte);
                    }
                    continue;
                }
                Instr::Call(call) => match self.call(state, call.func)? {
                    Flow::Stop => return Ok(Flow::Stop),
                    _ => continue,
                },
                Instr::ReturnCall(call) => {
                    return Ok(match self.call(state, call.func)? {
                        Flow::Stop => Flow::Stop,
                        _ => Flow::Return,
                    });
                }
                Instr::Return(_) => return Ok(Flow::Return),
                Instr::Block(block) => block.seq,
                // Descriptors do not throw.
                Instr::Try(block) => block.seq,
                Instr::TryTable(block) => block.seq,
                Instr::IfElse(branch) => {
                    if pop(state)? != 0 {
                        branch.consequent
                    } else {
                        branch.alternative
                    }
                }
                Instr::Br(branch) => return Ok(Flow::Branch(branch.block)),
                Instr::BrIf(branch) => {
                    if pop(state)? != 0 {
                        return Ok(Flow::Branch(branch.block));
                    }
                    continue;
                }
                other => return Err(format!("it has the instruction {other:?}")),
            };
            match self.sequence(state, function, locals, inner)? {
                Flow::Next => {}
                Flow::Branch(to) if to == inner => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::Next)
    }
}

fn pop(state: &mut State) -> Step<i32> {
    state.stack.pop().ok_or_else(|| "its stack is empty".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(body: &str) -> Result<Option<Raw>> {
        let text = format!(
            r#"(module
              (import "__wbindgen_placeholder__" "__wbindgen_describe" (func $describe (param i32)))
              (import "__wbindgen_placeholder__" "__wbindgen_describe_generic_import"
                (func $marker (param i32 i32) (result i32)))
              (memory 1)
              (global $sp (mut i32) (i32.const 1024))
              {body})"#
        );
        let mut module = Module::from_buffer(&wat::parse_str(text).unwrap()).unwrap();
        module.customs.add(walrus::RawCustomSection {
            name: "__wasm_bindgen_unstable".to_owned(),
            data: vec![1, 2, 3],
        });
        Ok(read(&module)?.map(|(raw, _)| raw))
    }

    #[test]
    fn descriptors_are_run() {
        let raw = read_text(
            r#"(func $inner (param i32) (result i32)
                 (call $describe (local.get 0)) (i32.add (local.get 0) (i32.const 1)))
               (func (export "__wbindgen_describe_f") (local i32)
                 ;; As unoptimised code does: through a frame on the shadow stack, and branches.
                 (global.set $sp (local.tee 0 (i32.sub (global.get $sp) (i32.const 16))))
                 (i32.store offset=4 (local.get 0) (i32.const 40))
                 (block (br_if 0 (i32.eq (i32.load offset=4 (local.get 0)) (i32.const 40)))
                   (call $describe (i32.const 99)))
                 (drop (call $inner (call $inner (i32.load offset=4 (local.get 0)))))
                 (global.set $sp (i32.add (local.get 0) (i32.const 16))))
               (func $cast (param i32) (result i32)
                 (call $describe (i32.const 0))
                 (i32.load (call $marker (i32.const 5) (i32.const 6))))
               (func (export "use") (result i32) (call $cast (i32.const 1)))"#,
        )
        .unwrap()
        .unwrap();
        assert_eq!(raw.section, [1, 2, 3]);
        assert_eq!(raw.descriptors["f"], [40, 41]);
        assert_eq!(raw.generics.values().collect::<Vec<_>>(), [&[0]]);
    }

    #[test]
    fn what_is_no_descriptor_is_an_error() {
        for body in [
            "(loop (br 0))",
            "(call $describe (i32.trunc_f32_s (f32.const 1)))",
            "(call $self)",
            "unreachable",
        ] {
            let text = format!(r#"(func $self (export "__wbindgen_describe_f") {body})"#);
            assert_eq!(read_text(&text).unwrap_err().code, "invalid-bindings", "{body}");
        }
    }

    #[test]
    fn a_module_without_bindings_has_none() {
        let module = Module::from_buffer(&wat::parse_str("(module)").unwrap()).unwrap();
        assert!(read(&module).unwrap().is_none());
    }
}
