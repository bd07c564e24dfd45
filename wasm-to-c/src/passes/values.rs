//! Values as sums of others, by which it shows how they depend on one another.

use arrayvec::ArrayVec;

use crate::ops::OpId;
use crate::range::{self, Range};

/// A value that is no sum of others: what an operator, a load or a call makes, or a variable where paths meet. It never
/// changes: what is computed again in the next iteration of a loop is a value of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Atom(u32);

/// So many atoms make a sum at most. What has more is an atom itself.
const TERMS: usize = 6;

/// Atoms in their order, each with its coefficient, which is not 0.
pub(super) type Terms = ArrayVec<(Atom, u32), TERMS>;

/// A constant plus some atoms times their coefficients, modulo 2^32.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Affine {
    pub constant: u32,
    pub terms: Terms,
}

impl Affine {
    pub fn constant(constant: u32) -> Affine {
        Affine { constant, terms: Terms::new() }
    }

    pub fn of(atom: Atom) -> Affine {
        Affine { constant: 0, terms: Terms::from_iter([(atom, 1)]) }
    }

    /// The value, if it is a constant.
    pub fn known(&self) -> Option<u32> {
        self.terms.is_empty().then_some(self.constant)
    }

    /// The atom, if it is that alone.
    pub fn atom(&self) -> Option<Atom> {
        match self.terms[..] {
            [(atom, 1)] if self.constant == 0 => Some(atom),
            _ => None,
        }
    }

    /// Whether all its atoms are among the first so many.
    pub fn is_of_first(&self, count: usize) -> bool {
        self.terms.last().is_none_or(|(atom, _)| (atom.0 as usize) < count)
    }

    /// The same plus a constant.
    pub fn moved(mut self, by: u32) -> Affine {
        self.constant = self.constant.wrapping_add(by);
        self
    }

    /// So many times the value. It has no more terms.
    fn times(&self, times: u32) -> Option<Affine> {
        Affine::constant(0).plus(times, self)
    }

    /// The same plus so many times another; `None` if it has too many terms.
    pub fn plus(&self, times: u32, other: &Affine) -> Option<Affine> {
        let mut sum = self.clone();
        sum.constant = sum.constant.wrapping_add(times.wrapping_mul(other.constant));
        for (atom, coefficient) in &other.terms {
            let more = times.wrapping_mul(*coefficient);
            match sum.terms.binary_search_by_key(atom, |(known, _)| *known) {
                Ok(at) => {
                    sum.terms[at].1 = sum.terms[at].1.wrapping_add(more);
                    if sum.terms[at].1 == 0 {
                        sum.terms.remove(at);
                    }
                }
                Err(_) if more == 0 => {}
                Err(at) => sum.terms.try_insert(at, (*atom, more)).ok()?,
            }
        }
        Some(sum)
    }

    /// How often some terms are in it, so that the rest has fewer terms, and the rest.
    fn divided(&self, terms: &Terms) -> Option<(u32, Affine)> {
        let (atom, divisor) = *terms.first()?;
        let at = self.terms.binary_search_by_key(&atom, |(known, _)| *known).ok()?;
        let (coefficient, divisor) = (self.terms[at].1.cast_signed(), divisor.cast_signed());
        let times =
            coefficient.checked_div(divisor).filter(|times| times.wrapping_mul(divisor) == coefficient)?;
        let times = times.cast_unsigned();
        let rest = self.plus(times.wrapping_neg(), &Affine::from(terms.clone()))?;
        (rest.terms.len() < self.terms.len()).then_some((times, rest))
    }
}

impl From<Terms> for Affine {
    fn from(terms: Terms) -> Affine {
        Affine { constant: 0, terms }
    }
}

/// How an atom is made of other values.
type Made = (OpId, ArrayVec<Affine, 2>);

/// What is known of an atom wherever it is.
#[derive(Debug)]
struct Known {
    range: Range,
    made: Option<Made>,
}

/// All atoms of a function.
#[derive(Debug, Default)]
pub(super) struct Atoms(Vec<Known>);

/// So far a value's operands, and theirs, are looked at again.
const DEPTH: usize = 2;

impl Atoms {
    /// One of which this is known.
    pub fn add(&mut self, range: Range) -> Atom {
        self.made(range, None)
    }

    fn made(&mut self, range: Range, made: Option<Made>) -> Atom {
        self.0.push(Known { range, made });
        Atom(self.0.len() as u32 - 1)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// What makes an atom, if an operator does.
    pub fn maker(&self, atom: Atom) -> Option<&Made> {
        self.0[atom.0 as usize].made.as_ref()
    }

    /// What an operator makes of values, when `facts` hold.
    pub fn operate(&mut self, op: OpId, operands: &[Affine], facts: &Ranges) -> Affine {
        let shift = |by: u32| 1 << (by & 31);
        let sum = match (op, operands) {
            (OpId::I32Add, [a, b]) => a.plus(1, b),
            (OpId::I32Sub, [a, b]) => a.plus(u32::MAX, b),
            (OpId::I32Mul, [a, b]) => match (a.known(), b.known()) {
                (_, Some(times)) => a.times(times),
                (Some(times), _) => b.times(times),
                _ => None,
            },
            (OpId::I32Shl, [a, b]) => b.known().and_then(|by| a.times(shift(by))),
            _ => None,
        };
        sum.unwrap_or_else(|| {
            let ranges: ArrayVec<Range, 2> =
                operands.iter().map(|operand| self.range(operand, facts)).collect();
            // A mask of bits that are 0 already.
            if op == OpId::I32And
                && let Some(mask) = ranges[1].known()
                && mask & mask.wrapping_add(1) == 0
                && ranges[0].largest() <= mask
            {
                return operands[0].clone();
            }
            let made = Some((op, operands.iter().cloned().collect()));
            Affine::of(self.made(range::result(op, &ranges), made))
        })
    }

    /// What values it can have when `facts` hold.
    pub fn range(&self, value: &Affine, facts: &Ranges) -> Range {
        self.range_to(DEPTH, value, facts)
    }

    fn range_to(&self, depth: usize, value: &Affine, facts: &Ranges) -> Range {
        let mut range = self.sum(depth, value, facts);
        for (terms, known) in &facts.0 {
            if let Some((times, rest)) = value.divided(terms) {
                let other = known.times(times).plus(self.sum(depth, &rest, facts));
                range = range.intersection(other);
            }
        }
        for (atom, _) in &value.terms {
            // `x - x / by * by` is a remainder.
            if let Some((remainder, by)) = self.remainder(*atom)
                && let Some((times, rest)) = value.divided(&remainder.terms)
            {
                // The constant is in the remainder, not in its terms.
                let rest = rest.moved(times.wrapping_mul(remainder.constant).wrapping_neg());
                let other = Range::to(by - 1).times(times).plus(self.sum(depth, &rest, facts));
                range = range.intersection(other);
            }
        }
        range
    }

    /// If an atom is an unsigned quotient, what is left by the division, and its divisor.
    fn remainder(&self, atom: Atom) -> Option<(Affine, u32)> {
        let (OpId::I32DivU, operands) = self.maker(atom)? else { return None };
        let by = operands[1].known().filter(|by| *by > 0)?;
        Some((operands[0].plus(by.wrapping_neg(), &Affine::of(atom))?, by))
    }

    /// The sum of what each term can be.
    fn sum(&self, depth: usize, value: &Affine, facts: &Ranges) -> Range {
        let terms = value.terms.iter();
        let ranges = terms.map(|(atom, times)| self.range_of(depth, *atom, facts).times(*times));
        ranges.fold(Range::constant(value.constant), Range::plus)
    }

    fn range_of(&self, depth: usize, atom: Atom, facts: &Ranges) -> Range {
        let Known { range, made } = &self.0[atom.0 as usize];
        let fact = facts.0.iter().find(|(terms, _)| terms[..] == [(atom, 1)]);
        let range = fact.map_or(*range, |(_, fact)| range.intersection(*fact));
        match made {
            Some((op, operands)) if depth > 0 && range.known().is_none() => {
                let operands = operands.iter().map(|operand| self.range_to(depth - 1, operand, facts));
                range.intersection(range::result(*op, &operands.collect::<ArrayVec<Range, 2>>()))
            }
            _ => range,
        }
    }
}

/// What sums of atoms can be at a place, the last found out at the end.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Ranges(Vec<(Terms, Range)>);

impl Ranges {
    /// So many are kept, so that what looks at all of them takes no longer the longer a function is.
    const MOST: usize = 32;

    /// A value is in a range.
    pub fn narrow(&mut self, value: &Affine, to: Range, atoms: &Atoms) {
        if value.terms.is_empty() || to.is_any() {
            return;
        }
        let to = to.moved(value.constant.wrapping_neg());
        let known = self.0.iter().position(|(terms, _)| *terms == value.terms).map(|at| self.0.remove(at).1);
        let terms = Affine::from(value.terms.clone());
        let range = known.unwrap_or_else(|| atoms.range(&terms, self)).intersection(to);
        if self.0.len() == Self::MOST {
            self.0.remove(0);
        }
        self.0.push((terms.terms, range));
    }

    /// What is known where a path with these facts and one with the others meet.
    pub fn join(&mut self, other: &Ranges, atoms: &Atoms) {
        self.0.retain_mut(|(terms, range)| {
            *range = range.union(atoms.range(&Affine::from(terms.clone()), other));
            !range.is_any()
        });
    }
}
