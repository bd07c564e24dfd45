//! Who calls whom, in one reading of a module's code.

use std::collections::{BTreeSet, HashMap};

use wasmparser::Operator;

use crate::module::{Constant, Module};
use crate::types::FuncType;

/// A graph of calls. Its nodes are the functions by their index, then one for each type that functions are called of
/// through references, whose callees are the functions there are references of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallGraph {
    callees: Vec<Vec<u32>>,
    /// The nodes that some function calls in a loop.
    in_loops: Vec<u32>,
}

impl CallGraph {
    #[cfg(test)]
    pub(crate) fn of(callees: &[Vec<u32>]) -> CallGraph {
        CallGraph { callees: callees.to_vec(), in_loops: Vec::new() }
    }

    pub(crate) fn callees(&self) -> &[Vec<u32>] {
        &self.callees
    }

    /// Whether a call of each node may lead to one of these functions.
    pub fn leading_to(&self, functions: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let callers = reversed(&self.callees);
        let mut leads = vec![false; self.callees.len()];
        // Functions that are in no graph are called by none.
        let known = functions.into_iter().filter(|function| *function < leads.len());
        let mut left: Vec<usize> = known.collect();
        while let Some(at) = left.pop() {
            if !std::mem::replace(&mut leads[at], true) {
                left.extend(callers[at].iter().map(|caller| *caller as usize));
            }
        }
        leads
    }

    /// Whether some function calls in a loop what may lead to one of these functions.
    pub fn repeats(&self, functions: impl IntoIterator<Item = usize>) -> bool {
        let leads = self.leading_to(functions);
        self.in_loops.iter().any(|node| leads[*node as usize])
    }

    /// What can be called from these functions without a call of those in `left_out`; nothing else calls or is called.
    pub(crate) fn from(&self, functions: impl IntoIterator<Item = u32>, left_out: &[bool]) -> CallGraph {
        let is_left_out = |node: &u32| left_out.get(*node as usize) == Some(&true);
        let mut callees = vec![Vec::new(); self.callees.len()];
        let mut seen = vec![false; self.callees.len()];
        let mut left: Vec<u32> = functions.into_iter().filter(|node| !is_left_out(node)).collect();
        while let Some(at) = left.pop() {
            if !std::mem::replace(&mut seen[at as usize], true) {
                let called = self.callees[at as usize].iter().copied().filter(|node| !is_left_out(node));
                callees[at as usize] = called.collect();
                left.extend(&callees[at as usize]);
            }
        }
        CallGraph { callees, in_loops: Vec::new() }
    }

    /// The bytes of the shadow stack that calls use, when each function takes so many; `None` is a function of which that
    /// is unknown.
    pub(crate) fn depth(&self, frames: &[Option<u32>]) -> Depth {
        let frame = |node: u32| frames.get(node as usize).copied().unwrap_or(Some(0));
        let mut depths = vec![0_u32; self.callees.len()];
        let mut is_bounded = true;
        for circle in circles(&self.callees) {
            let callees = || circle.iter().flat_map(|node| &self.callees[*node as usize]);
            // Those of the circle itself are 0 so far.
            let below = callees().map(|callee| depths[*callee as usize]).max().unwrap_or(0);
            let own = circle.iter().filter_map(|node| frame(*node)).max().unwrap_or(0);
            let again = circle.len() > 1 || callees().any(|callee| circle.contains(callee));
            is_bounded &= (!again || own == 0) && circle.iter().all(|node| frame(*node).is_some());
            circle.iter().for_each(|node| depths[*node as usize] = own.saturating_add(below));
        }
        Depth { bytes: depths.into_iter().max().unwrap_or(0), is_bounded }
    }
}

/// How much of the shadow stack calls use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Depth {
    /// Bytes of the deepest calls, when no function is called again by those that it calls.
    pub bytes: u32,
    /// There are no deeper ones.
    pub is_bounded: bool,
}

/// The ways of a graph backwards.
fn reversed(ways: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let mut back = vec![Vec::new(); ways.len()];
    for (from, to) in (0..).zip(ways) {
        for to in to {
            back[*to as usize].push(from);
        }
    }
    back
}

/// The nodes of a graph that lead to each other, together, behind those they lead to (Tarjan, "Depth-first search and
/// linear graph algorithms", without recursion).
fn circles(ways: &[Vec<u32>]) -> Vec<Vec<u32>> {
    const UNSEEN: u32 = u32::MAX;
    const DONE: u32 = u32::MAX - 1;
    let mut found = Vec::new();
    // The least number of a node that each leads to, of those that are not in a circle yet.
    let mut low = vec![UNSEEN; ways.len()];
    let (mut next, mut waiting) = (0, Vec::new());
    for root in 0..ways.len() as u32 {
        if low[root as usize] != UNSEEN {
            continue;
        }
        // Nodes on the way from the root, with their number and how many of their ways were gone.
        let mut path: Vec<(u32, u32, usize)> = Vec::new();
        let mut enter = Some(root);
        loop {
            if let Some(node) = enter.take() {
                low[node as usize] = next;
                waiting.push(node);
                path.push((node, next, 0));
                next += 1;
            }
            let Some((node, number, gone)) = path.last_mut() else { break };
            let (node, number) = (*node, *number);
            if let Some(to) = ways[node as usize].get(*gone) {
                *gone += 1;
                match low[*to as usize] {
                    UNSEEN => enter = Some(*to),
                    DONE => {}
                    seen => low[node as usize] = low[node as usize].min(seen),
                }
                continue;
            }
            path.pop();
            if let Some((before, ..)) = path.last() {
                low[*before as usize] = low[*before as usize].min(low[node as usize]);
            }
            if low[node as usize] == number {
                let start = waiting.iter().rposition(|at| *at == node).unwrap_or(0);
                let circle = waiting.split_off(start);
                circle.iter().for_each(|node| low[*node as usize] = DONE);
                found.push(circle);
            }
        }
    }
    found
}

/// Whether each remains when those are taken away, again and again, that go to none that remains; `from` are the ways back.
fn remaining(to: &[Vec<u32>], from: &[Vec<u32>]) -> Vec<bool> {
    let mut left: Vec<usize> = to.iter().map(Vec::len).collect();
    let mut ends: Vec<usize> = (0..left.len()).filter(|at| left[*at] == 0).collect();
    while let Some(end) = ends.pop() {
        for at in &from[end] {
            left[*at as usize] -= 1;
            if left[*at as usize] == 0 {
                ends.push(*at as usize);
            }
        }
    }
    left.into_iter().map(|left| left > 0).collect()
}

/// What the functions of a module call and do.
pub(crate) struct Calls {
    /// By function, those it names.
    named: Vec<Vec<u32>>,
    /// By function, whether it calls through a reference.
    through_references: Vec<bool>,
    /// By function, the indices of the types it calls through references.
    types: Vec<Vec<u32>>,
    /// The functions that are called in loops by their name, and the indices of the types of those that are called through
    /// references.
    named_in_loops: BTreeSet<u32>,
    types_in_loops: BTreeSet<u32>,
    /// Functions there are references of in code.
    referenced: Vec<u32>,
    /// By function, whether it throws.
    throws: Vec<bool>,
    /// By function, whether it has a loop.
    pub loops: Vec<bool>,
    /// By function, whether it grows a memory.
    grows: Vec<bool>,
}

impl Calls {
    pub fn of(module: &Module<'_>) -> Self {
        let count = module.functions.len();
        let mut calls = Calls {
            named: vec![Vec::new(); count],
            through_references: vec![false; count],
            types: vec![Vec::new(); count],
            named_in_loops: BTreeSet::new(),
            types_in_loops: BTreeSet::new(),
            referenced: Vec::new(),
            throws: vec![false; count],
            loops: vec![false; count],
            grows: vec![false; count],
        };
        for (body, at) in module.bodies.iter().zip(module.imported()..) {
            // Of each block around an operator, whether it is in a loop.
            let mut blocks: Vec<bool> = Vec::new();
            for op in body.get_operators_reader().into_iter().flatten().flatten() {
                let in_loop = blocks.last() == Some(&true);
                match op {
                    Operator::Block { .. }
                    | Operator::If { .. }
                    | Operator::Try { .. }
                    | Operator::TryTable { .. } => blocks.push(in_loop),
                    Operator::Loop { .. } => blocks.push(true),
                    Operator::End | Operator::Delegate { .. } => {
                        blocks.pop();
                    }
                    _ => {}
                }
                match op {
                    Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                        calls.named[at].push(function_index);
                        calls.named_in_loops.extend(in_loop.then_some(function_index));
                    }
                    Operator::CallIndirect { type_index, .. }
                    | Operator::ReturnCallIndirect { type_index, .. }
                    | Operator::CallRef { type_index }
                    | Operator::ReturnCallRef { type_index } => {
                        calls.through_references[at] = true;
                        calls.types[at].push(type_index);
                        calls.types_in_loops.extend(in_loop.then_some(type_index));
                    }
                    Operator::RefFunc { function_index } => calls.referenced.push(function_index),
                    Operator::Throw { .. } | Operator::ThrowRef | Operator::Rethrow { .. } => {
                        calls.throws[at] = true;
                    }
                    Operator::Loop { .. } => calls.loops[at] = true,
                    Operator::MemoryGrow { .. } => calls.grows[at] = true,
                    _ => {}
                }
            }
        }
        calls
    }

    /// For each function, whether a call of it may come back to it: it is on a circle of calls, or calls
    /// through a reference.
    pub fn recursive(&self) -> Vec<bool> {
        // What remains after functions that call none that remains, or that none calls that remains, are taken away,
        // again and again, is on a circle or between two.
        let callers = reversed(&self.named);
        let calls = remaining(&self.named, &callers);
        let called = remaining(&callers, &self.named);
        let circles = calls.iter().zip(&called).map(|(calls, called)| *calls && *called);
        circles.zip(&self.through_references).map(|(circle, through)| circle || *through).collect()
    }

    /// The graph of the calls.
    pub fn graph(&self, module: &Module<'_>) -> CallGraph {
        let mut callees = self.named.clone();
        let mut nodes: HashMap<&FuncType, u32> = HashMap::new();
        for (at, types) in self.types.iter().enumerate() {
            for ty in types {
                let node = *nodes.entry(&module.types[*ty as usize]).or_insert_with(|| {
                    callees.push(Vec::new());
                    callees.len() as u32 - 1
                });
                callees[at].push(node);
            }
        }
        // Calls through references may be of those in a table or in a global.
        let items = module.elements.iter().flat_map(|element| &element.items);
        let constants = items.chain(module.globals.iter().map(|global| &global.init));
        let constants = constants.filter_map(|constant| match constant {
            Constant::Function(index) => Some(*index),
            _ => None,
        });
        for index in constants.chain(self.referenced.iter().copied()) {
            if let Some(node) = nodes.get(&module.functions[index as usize].ty) {
                callees[*node as usize].push(index);
            }
        }
        let types = self.types_in_loops.iter().filter_map(|ty| nodes.get(&module.types[*ty as usize]));
        let in_loops = self.named_in_loops.iter().chain(types).copied().collect();
        CallGraph { callees, in_loops }
    }

    /// For each function, whether an exception may wait after a call of it; the first ones are imports, of which
    /// `imported` tells it.
    pub fn throwing(&self, imported: impl Iterator<Item = bool>) -> Vec<bool> {
        let mut throws = self.throws.clone();
        for (throws, imported) in throws.iter_mut().zip(imported) {
            *throws = imported;
        }
        if throws.contains(&true) {
            for (throws, through) in throws.iter_mut().zip(&self.through_references) {
                *throws |= through;
            }
        }
        self.spread(&mut throws);
        throws
    }

    /// For each function, whether a memory may grow in a call of it; the first `imported` are imports, which may do
    /// anything, as may calls through references.
    pub fn moving(&self, imported: usize) -> Vec<bool> {
        let mut moves: Vec<bool> =
            self.grows.iter().zip(&self.through_references).map(|(a, b)| *a || *b).collect();
        moves[..imported].fill(true);
        self.spread(&mut moves);
        moves
    }

    /// Makes true what calls something that is.
    fn spread(&self, of: &mut [bool]) {
        let callers = reversed(&self.named);
        let mut left: Vec<usize> = (0..of.len()).filter(|at| of[*at]).collect();
        while let Some(at) = left.pop() {
            for caller in callers[at].iter().map(|caller| *caller as usize) {
                if !std::mem::replace(&mut of[caller], true) {
                    left.push(caller);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(calls: &[&[u32]]) -> CallGraph {
        CallGraph { callees: calls.iter().map(|calls| calls.to_vec()).collect(), in_loops: Vec::new() }
    }

    #[test]
    fn depth_is_that_of_the_deepest_calls() {
        let chain = graph(&[&[1, 2], &[2], &[]]);
        let circle = graph(&[&[1], &[2], &[1]]);
        let bounded = |bytes| Depth { bytes, is_bounded: true };
        let unbounded = |bytes| Depth { bytes, is_bounded: false };
        let depth = |calls: &CallGraph, frames: &[u32]| {
            calls.depth(&frames.iter().copied().map(Some).collect::<Vec<_>>())
        };
        assert_eq!(depth(&graph(&[]), &[]), bounded(0));
        assert_eq!(depth(&chain, &[16, 32, 64]), bounded(112));
        assert_eq!(depth(&chain, &[16, u32::MAX, 64]), bounded(u32::MAX));
        // The last is a type.
        assert_eq!(depth(&graph(&[&[2], &[], &[1]]), &[8, 16]), bounded(24));
        // A circle that takes none, and one that does.
        assert_eq!(depth(&circle, &[16, 0, 0]), bounded(16));
        assert_eq!(depth(&circle, &[16, 0, 8]), unbounded(24));
        assert_eq!(depth(&graph(&[&[0]]), &[8]), unbounded(8));
        assert_eq!(depth(&graph(&[&[0]]), &[0]), bounded(0));
        assert_eq!(chain.depth(&[Some(16), None, Some(64)]), unbounded(80));
    }

    #[test]
    fn what_is_left_out_is_not_called() {
        let calls = graph(&[&[1, 2], &[3], &[4], &[3], &[2], &[0]]);
        let from =
            |functions: &[u32], left_out: &[bool]| calls.from(functions.iter().copied(), left_out).callees;
        assert_eq!(from(&[0], &[false; 6]), graph(&[&[1, 2], &[3], &[4], &[3], &[2], &[]]).callees);
        assert_eq!(from(&[0], &[false, true]), graph(&[&[2], &[], &[4], &[], &[2], &[]]).callees);
        assert_eq!(from(&[0, 5], &[true]), graph(&[&[], &[], &[], &[], &[], &[]]).callees);
    }

    #[test]
    fn what_is_called_in_a_loop_is_found() {
        let calls = |body: &str| {
            let text = format!(
                r#"(module (import "a" "b" (func $a)) (func $f {body}) (func $g (call $a)) (table funcref (elem $g)) (type $t (func)))"#
            );
            let buffer = wast::parser::ParseBuffer::new(&text).unwrap();
            let bytes = wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap().encode().unwrap();
            let source = crate::options::WasmModule::new("test", bytes);
            let module = crate::module::read(&source).unwrap();
            Calls::of(&module).graph(&module).repeats([0])
        };
        for body in [
            "(loop (call $a))",
            "(loop (block (if (i32.const 1) (then (call $g)))))",
            "(loop (call_indirect (type $t) (i32.const 0)))",
            "(block (loop (block) (call $g)))",
        ] {
            assert!(calls(body), "{body}");
        }
        for body in ["(call $a)", "(loop) (call $a)", "(block (loop (block)) (call $g))", "(loop (call $f))"]
        {
            assert!(!calls(body), "{body}");
        }
    }

    #[test]
    fn circles_come_behind_what_they_lead_to() {
        let sorted = |calls: &[&[u32]]| {
            let mut circles = circles(&graph(calls).callees);
            circles.iter_mut().for_each(|circle| circle.sort_unstable());
            circles
        };
        assert_eq!(sorted(&[&[1], &[2, 3], &[0], &[4], &[]]), [vec![4], vec![3], vec![0, 1, 2]]);
        assert_eq!(sorted(&[&[], &[0, 2], &[1, 1], &[2]]), [vec![0], vec![1, 2], vec![3]]);
    }

    #[test]
    fn who_may_lead_to_a_function_is_found() {
        let calls = graph(&[&[], &[], &[1, 3], &[4], &[0, 3], &[1]]);
        assert_eq!(calls.leading_to([0]), [true, false, true, true, true, false]);
        assert_eq!(calls.leading_to([1]), [false, true, true, false, false, true]);
    }
}
