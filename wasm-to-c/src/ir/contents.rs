//! What is inside of expressions and statements.

use super::{Callee, Expr, ExprKind, Form, Handlers, Loop, Stmt, Try};

/// What is inside of expressions and statements, to be read or, with `mut`, to be changed.
macro_rules! contents {
    ($parts:ident, $exprs:ident, $bodies:ident, $iter:ident, $from:ident $(, $mut:tt)?) => {
        impl Expr {
            /// Its parts, in their order.
            pub fn $parts(&$($mut)? self) -> &$($mut)? [Expr] {
                match &$($mut)? self.kind {
                    ExprKind::Op(_, operands) => operands,
                    ExprKind::Load(access) => std::slice::$from(&$($mut)? access.address),
                    ExprKind::Select(parts) => &$($mut)? **parts,
                    ExprKind::NarrowProduct(parts)
                    | ExprKind::NarrowLanes { factors: parts, .. }
                    | ExprKind::Shuffle(parts, _) => &$($mut)? **parts,
                    ExprKind::DualProduct(parts) => &$($mut)? **parts,
                    ExprKind::QuadProduct(parts) => &$($mut)? **parts,
                    ExprKind::DotProduct(parts, ..) => &$($mut)? **parts,
                    ExprKind::NonNull(part)
                    | ExprKind::TableGet(_, part)
                    | ExprKind::Index(part, _)
                    | ExprKind::Aligned(part, ..)
                    | ExprKind::Count(part)
                    | ExprKind::WidenedLoad { load: part, .. }
                    | ExprKind::Computed(part) => std::slice::$from(part),
                    ExprKind::Const(_)
                    | ExprKind::Vector(_)
                    | ExprKind::Address(_)
                    | ExprKind::Get(_)
                    | ExprKind::Global(_)
                    | ExprKind::Null
                    | ExprKind::RefFunc(_)
                    | ExprKind::TableSize(_)
                    | ExprKind::MemorySize(_)
                    | ExprKind::MemoryBytes(_)
                    | ExprKind::NativeFrame
                    | ExprKind::HasDotProduct(_)
                    | ExprKind::Payload(..)
                    | ExprKind::Exception => &$($mut)? [],
                }
            }
        }

        impl Stmt {
            /// The expressions that it evaluates itself, in their order. A loop evaluates its condition after its body.
            pub fn $exprs(&$($mut)? self) -> Vec<&$($mut)? Expr> {
                match self {
                    Stmt::Set(_, value)
                    | Stmt::MakeFrame { value, .. }
                    | Stmt::GlobalSet { value, .. }
                    | Stmt::Eval(value)
                    | Stmt::BrIf(value, _)
                    | Stmt::If { condition: value, .. }
                    | Stmt::Switch { index: value, .. }
                    | Stmt::Loop(Loop { form: Form::DoWhile { condition: value, .. }, .. })
                    | Stmt::ThrowRef(value) => vec![value],
                    Stmt::Store(access, value) => vec![&$($mut)? access.address, value],
                    Stmt::Call { callee, args, .. } | Stmt::TailCall { callee, args, .. } => {
                        let callee = match callee {
                            Callee::Function(_) => None,
                            Callee::Indirect { index: value, .. }
                            | Callee::Reference { reference: value, .. } => Some(value),
                        };
                        args.$iter().chain(callee).collect()
                    }
                    Stmt::Bulk { args, .. }
                    | Stmt::Wide(_, args, _)
                    | Stmt::Return(args)
                    | Stmt::Throw(_, args) => args.$iter().collect(),
                    Stmt::Block { .. }
                    | Stmt::Loop(_)
                    | Stmt::Br(_)
                    | Stmt::Label(_)
                    | Stmt::Trap(_)
                    | Stmt::NeverReached
                    | Stmt::Rethrow(_)
                    | Stmt::Leave(_)
                    | Stmt::Try(_)
                    | Stmt::Neighbours(_)
                    | Stmt::Line(_) => Vec::new(),
                }
            }

            /// The statements inside of it, in their order.
            pub fn $bodies(&$($mut)? self) -> Vec<&$($mut)? Vec<Stmt>> {
                match self {
                    Stmt::Block { body, .. } | Stmt::Loop(Loop { body, .. }) | Stmt::BrIf(_, body) => {
                        vec![body]
                    }
                    Stmt::If { then, otherwise, .. } => vec![then, otherwise],
                    Stmt::Switch { cases, default, .. } => {
                        cases.$iter().map(|(_, body)| body).chain([default]).collect()
                    }
                    Stmt::Try(Try { body, handlers, .. }) => {
                        let mut bodies = vec![body];
                        bodies.extend(handlers.$bodies());
                        bodies
                    }
                    _ => Vec::new(),
                }
            }
        }

        impl Handlers {
            /// The statements of each handler.
            pub fn $bodies(&$($mut)? self) -> Vec<&$($mut)? Vec<Stmt>> {
                match self {
                    Handlers::Catch(handlers, _) => {
                        handlers.$iter().map(|handler| &$($mut)? handler.body).collect()
                    }
                    Handlers::Table(handlers, _) => {
                        handlers.$iter().map(|handler| &$($mut)? handler.leave).collect()
                    }
                    Handlers::Delegate(_) => Vec::new(),
                }
            }
        }
    };
}

contents! { parts, exprs, bodies, iter, from_ref }
contents! { parts_mut, exprs_mut, bodies_mut, iter_mut, from_mut, mut }
