//! Random operations on every kind of collection; what they come to depends on all of memory being right.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

/// Numerical Recipes' linear congruential generator.
struct Random(u32);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % end
    }
}

trait Shape {
    fn area(&self) -> u32;
}

struct Square(u32);
struct Polygon(Vec<(u16, u16)>);

impl Shape for Square {
    fn area(&self) -> u32 {
        self.0.wrapping_mul(self.0)
    }
}

impl Shape for Polygon {
    fn area(&self) -> u32 {
        let corners = self.0.iter().zip(self.0.iter().cycle().skip(1));
        corners.fold(0, |sum, (a, b)| {
            sum.wrapping_add(u32::from(a.0) * u32::from(b.1)).wrapping_sub(u32::from(a.1) * u32::from(b.0))
        })
    }
}

struct Node {
    value: u32,
    next: Option<Rc<Node>>,
}

/// More than a cache line, and aligned as nothing else.
#[repr(align(64))]
struct Aligned([u32; 20]);

pub struct State {
    random: Random,
    sum: u32,
    lists: Vec<Vec<u32>>,
    texts: Vec<String>,
    map: BTreeMap<u32, Box<dyn Shape>>,
    chains: Vec<Rc<Node>>,
    /// Boxes, for blocks of such an alignment.
    #[allow(clippy::vec_box)]
    aligned: Vec<Box<Aligned>>,
}

impl State {
    pub fn new(seed: u32) -> Self {
        State {
            random: Random(seed),
            sum: 0,
            lists: (0..8).map(|_| Vec::new()).collect(),
            texts: (0..8).map(|_| String::new()).collect(),
            map: BTreeMap::new(),
            chains: Vec::new(),
            aligned: Vec::new(),
        }
    }

    fn mix(&mut self, value: u32) {
        self.sum = (self.sum.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b1);
    }

    /// One operation.
    pub fn step(&mut self) {
        let at = self.random.below(8) as usize;
        let value = self.random.below(1 << 16);
        match self.random.below(12) {
            0 | 1 => self.lists[at].push(value),
            2 => {
                let length = self.lists[at].len() as u32;
                if length > 60 {
                    self.lists[at] = self.lists[at].iter().copied().step_by(3).collect();
                } else if length > 0 {
                    let index = self.random.below(length) as usize;
                    let gone = self.lists[at].swap_remove(index);
                    self.mix(gone);
                }
            }
            3 => {
                let mut sorted = self.lists[at].clone();
                sorted.sort_unstable();
                self.mix(sorted.iter().rev().fold(0, |sum, x| sum.wrapping_mul(31).wrapping_add(*x)));
            }
            4 => {
                if self.texts[at].len() > 150 {
                    self.texts[at] = String::new();
                }
                self.texts[at] += &format!("{value}, {}; ", value ^ 0x55);
            }
            5 => {
                let sum = self.texts[at].bytes().fold(0, |sum: u32, b| sum.wrapping_mul(131) + u32::from(b));
                let text = &mut self.texts[at];
                text.truncate(text.len() / 2);
                text.shrink_to_fit();
                self.mix(sum);
            }
            6 | 7 => {
                let shape: Box<dyn Shape> = if value & 1 == 0 {
                    Box::new(Square(value))
                } else {
                    Box::new(Polygon((0..value as u16 % 7).map(|i| (i * 3, value as u16 ^ i)).collect()))
                };
                if let Some(old) = self.map.insert(value % 40, shape) {
                    self.mix(old.area());
                }
            }
            8 => {
                if let Some(shape) = self.map.remove(&(value % 40)) {
                    self.mix(shape.area());
                }
            }
            9 => {
                let next = self.chains.get(at).cloned();
                self.chains.push(Rc::new(Node { value, next }));
                if self.chains.len() > 20 {
                    // What others hold stays.
                    self.chains.drain(..10);
                }
            }
            10 => {
                let mut link = self.chains.get(at);
                let mut sum = 0;
                while let Some(node) = link {
                    sum = node.value.wrapping_add(sum).rotate_left(3);
                    link = node.next.as_ref();
                }
                self.mix(sum);
                if value.is_multiple_of(16) {
                    self.chains.clear();
                }
            }
            _ => {
                let boxed = Box::new(Aligned([value; 20]));
                let address = &raw const *boxed as usize;
                self.mix(boxed.0.iter().sum::<u32>() + (address % 64) as u32);
                self.aligned.push(boxed);
                if self.aligned.len() > 4 {
                    let first = self.aligned.remove(value as usize % 4);
                    self.mix(first.0[19]);
                }
            }
        }
    }

    /// What it all came to.
    pub fn end(mut self) -> u32 {
        let areas: Vec<u32> = self.map.values().map(|shape| shape.area()).collect();
        let lengths: Vec<usize> = self.texts.iter().map(String::len).collect();
        areas.into_iter().for_each(|area| self.mix(area));
        lengths.into_iter().for_each(|length| self.mix(length as u32));
        self.sum
    }
}
