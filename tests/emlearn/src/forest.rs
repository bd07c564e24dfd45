//! A forest of decision trees, whose splits are given by formulas, as a table and as code. All of its leaves are four splits deep.

use crate::{CLASSES, FEATURES, Row, TREES};

/// Splits are numbered from 1 on: `2 * n` and `2 * n + 1` follow `n`, and leaves have the numbers from 16 on.
const fn feature(tree: usize, n: usize) -> usize {
    (tree * 5 + n * 3 + tree * n / 2) % FEATURES
}

/// Below it, one goes to the first of both.
const fn limit(tree: usize, n: usize) -> f32 {
    ((tree * 37 + n * 53) % 48) as f32 - 24.0
}

const fn class(tree: usize, leaf: usize) -> usize {
    (tree * 7 + leaf * 11 + leaf / 4) % CLASSES
}

/// A split. What is below the limit goes to one node, and the rest to the other. Behind the last node of all are the classes.
#[derive(Clone, Copy)]
pub struct Node {
    pub feature: u8,
    pub limit: f32,
    pub below: u16,
    pub above: u16,
}

/// The nodes of a tree.
pub fn table(tree: usize, nodes: &mut [Node]) {
    for (n, node) in (1..).zip(nodes) {
        let next = |to| (if to < 16 { 15 * tree + to - 1 } else { 15 * TREES + class(tree, to) }) as u16;
        *node = Node {
            feature: feature(tree, n) as u8,
            limit: limit(tree, n),
            below: next(2 * n),
            above: next(2 * n + 1),
        };
    }
}

/// The class that most trees are for.
fn most(votes: [u8; CLASSES]) -> u8 {
    let mut best = 0;
    for (class, count) in votes.iter().enumerate() {
        if *count > votes[best] {
            best = class;
        }
    }
    best as u8
}

#[inline(never)]
pub fn by_table(nodes: &[Node], roots: &[usize], row: &Row) -> u8 {
    let mut votes = [0; CLASSES];
    for root in roots {
        let mut at = *root;
        while let Some(node) = nodes.get(at) {
            let value = row[usize::from(node.feature) % FEATURES];
            at = usize::from(if value < node.limit { node.below } else { node.above });
        }
        votes[(at - nodes.len()) % CLASSES] += 1;
    }
    most(votes)
}

/// The code of a tree from a split on. Each `-` is a level.
macro_rules! tree {
    ($row:ident, $n:expr;) => {
        const { class(TREE, $n) }
    };
    ($row:ident, $n:expr; - $($levels:tt)*) => {
        if $row[const { feature(TREE, $n) }] < const { limit(TREE, $n) } {
            tree!($row, 2 * $n; $($levels)*)
        } else {
            tree!($row, 2 * $n + 1; $($levels)*)
        }
    };
}

#[inline(always)]
fn tree<const TREE: usize>(row: &Row) -> usize {
    tree!(row, 1; - - - -)
}

#[inline(never)]
pub fn by_code(row: &Row) -> u8 {
    const { assert!(TREES == 10) };
    let mut votes = [0; CLASSES];
    macro_rules! vote {
        ($($tree:literal)*) => { $(votes[tree::<$tree>(row)] += 1;)* };
    }
    vote!(0 1 2 3 4 5 6 7 8 9);
    most(votes)
}
