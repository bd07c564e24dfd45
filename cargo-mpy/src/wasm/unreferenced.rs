//! Functions of the table that nothing refers to.
//!
//! A linker puts every function whose address is in data or code into the table, and a table keeps its functions: those in the
//! table of methods of a type that no code uses, for example, and all that they call. With the relocations, addresses can be
//! followed from the exports on.

use std::collections::{BTreeMap, HashSet};

use walrus::ir::{Const, Instr, InstrLocId, Value, Visitor, dfs_in_order};
use walrus::{
    ConstExpr, ElementItems, ElementKind, ExportItem, FunctionId, FunctionKind, LocalFunction, Module,
    RefType,
};
use wasm_to_c::relocs::{Reference, Relocations};

/// Takes out of the table the functions whose addresses no function has that can be called, and no data that such a function
/// refers to. Addresses in the code are those of `relocations`. What is called only by such functions remains in the module.
pub fn remove(module: &mut Module, relocations: &Relocations) {
    let mut table: BTreeMap<u32, FunctionId> = BTreeMap::new();
    for element in module.elements.iter() {
        match (&element.kind, &element.items) {
            (
                ElementKind::Active { offset: ConstExpr::Value(Value::I32(first)), .. },
                ElementItems::Functions(functions),
            ) => table.extend((first.cast_unsigned()..).zip(functions.iter().copied())),
            // No linker writes others, so it is not known what they are for.
            _ => return,
        }
    }
    let exported = module.exports.iter().filter_map(|export| match export.item {
        ExportItem::Function(id) => Some(id),
        _ => None,
    });
    let mut functions: Vec<FunctionId> = exported.chain(module.start).collect();
    let (mut seen, mut objects, mut referenced) = (HashSet::new(), HashSet::new(), HashSet::new());
    while let Some(id) = functions.pop() {
        let FunctionKind::Local(function) = &module.funcs.get(id).kind else { continue };
        if !seen.insert(id) {
            continue;
        }
        let mut found = Found { relocations, references: Vec::new(), functions: Vec::new() };
        dfs_in_order(&mut found, function, function.entry_block());
        functions.append(&mut found.functions);
        while let Some(reference) = found.references.pop() {
            match reference {
                Reference::Data { object, .. } if objects.insert(object) => {
                    found.references.extend(relocations.in_object(object).map(|(_, reference)| reference));
                }
                Reference::Data { .. } => {}
                Reference::Function(index) => {
                    referenced.insert(index);
                    functions.extend(table.get(&index));
                }
            }
        }
    }
    for element in module.elements.iter_mut() {
        let ElementKind::Active { offset: ConstExpr::Value(Value::I32(first)), .. } = element.kind else {
            continue;
        };
        let ElementItems::Functions(functions) = &element.items else { continue };
        let items = (first.cast_unsigned()..).zip(functions).map(|(index, function)| {
            match referenced.contains(&index) {
                true => ConstExpr::RefFunc(*function),
                false => ConstExpr::RefNull(RefType::FUNCREF),
            }
        });
        let items = items.collect();
        element.items = ElementItems::Expressions(RefType::FUNCREF, items);
    }
}

/// What the constants of a function refer to.
pub fn references(function: &LocalFunction, relocations: &Relocations) -> Vec<Reference> {
    let mut found = Found { relocations, references: Vec::new(), functions: Vec::new() };
    dfs_in_order(&mut found, function, function.entry_block());
    found.references
}

/// What a function refers to, and the functions that it names.
struct Found<'a> {
    relocations: &'a Relocations,
    references: Vec<Reference>,
    functions: Vec<FunctionId>,
}

impl<'instr> Visitor<'instr> for Found<'_> {
    fn visit_instr(&mut self, instr: &'instr Instr, _: &'instr InstrLocId) {
        let constant = match instr {
            Instr::Const(Const { value: Value::I32(value) }) => Some(value.cast_unsigned()),
            _ => offset(instr).and_then(|offset| u32::try_from(offset).ok()),
        };
        self.references.extend(constant.and_then(|constant| self.relocations.of_constant(constant)));
    }

    fn visit_function_id(&mut self, id: &FunctionId) {
        self.functions.push(*id);
    }
}

/// The offset of an instruction that accesses memory.
fn offset(instr: &Instr) -> Option<u64> {
    Some(match instr {
        Instr::Load(load) => load.arg.offset,
        Instr::Store(store) => store.arg.offset,
        Instr::LoadSimd(load) => load.arg.offset,
        Instr::AtomicRmw(access) => access.arg.offset,
        Instr::Cmpxchg(access) => access.arg.offset,
        Instr::AtomicNotify(access) => access.arg.offset,
        Instr::AtomicWait(access) => access.arg.offset,
        _ => return None,
    })
}
