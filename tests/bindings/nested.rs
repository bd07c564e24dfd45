//! Structs that give and take structs, through vectors, options, results and objects.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
#[derive(Clone)]
pub struct Leaf {
    pub value: i32,
}

#[wasm_bindgen]
pub struct Tree {
    leaves: Vec<Leaf>,
    #[wasm_bindgen(getter_with_clone)]
    pub best: Leaf,
}

#[wasm_bindgen]
impl Tree {
    #[wasm_bindgen(constructor)]
    pub fn new(leaves: Vec<Leaf>) -> Result<Tree, JsError> {
        let best = leaves.iter().max_by_key(|leaf| leaf.value).cloned().ok_or(JsError::new("no leaves"))?;
        Ok(Tree { leaves, best })
    }
    pub fn leaf(value: i32) -> Leaf {
        Leaf { value }
    }
    pub fn leaves(&self) -> Vec<Leaf> {
        self.leaves.clone()
    }
    pub fn find(&self, value: i32) -> Option<Leaf> {
        self.leaves.iter().find(|leaf| leaf.value == value).cloned()
    }
    pub fn graft(&mut self, leaf: Option<Leaf>) -> usize {
        self.leaves.extend(leaf);
        self.leaves.len()
    }
    pub fn swap(&mut self, other: &mut Tree) {
        std::mem::swap(&mut self.leaves, &mut other.leaves);
    }
    pub fn as_object(self) -> JsValue {
        self.into()
    }
}

#[wasm_bindgen]
pub fn count(trees: Vec<Tree>) -> usize {
    trees.iter().map(|tree| tree.leaves.len()).sum()
}

/* python
import nested as m
def attempt(f, *args):
    try: print(f(*args))
    except Exception as e: print(type(e).__name__, e)
t = m.Tree([m.Tree.leaf(3), m.Tree.leaf(8)])
print([leaf.value for leaf in t.leaves()], t.best.value, t.find(3).value, t.find(4))
t.best = m.Tree.leaf(1); print(t.best.value, t.graft(m.Tree.leaf(5)), t.graft(None), t.graft())
attempt(m.Tree, []); attempt(m.Tree, [1]); attempt(t.graft, 5)
u = m.Tree([m.Tree.leaf(0)]); t.swap(u); print(len(t.leaves()), len(u.leaves()))
attempt(t.swap, t)
o = t.as_object(); print(type(o).__name__, len(o.leaves())); attempt(t.leaves)
print(m.count([o, u])); attempt(o.leaves)
*/
/* expect
[3, 8] 8 3 None
1 3 3 3
RuntimeError no leaves
TypeError object of another class
TypeError object of another class
1 3
RuntimeError recursive use of an object detected which would lead to unsafe aliasing in rust
Tree 1
ValueError object was freed or given away
4
ValueError object was freed or given away
*/
