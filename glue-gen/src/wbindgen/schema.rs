//! The custom section in which wasm-bindgen's macro says what it has seen.
//!
//! `wasm-bindgen-shared` publishes the schema as a macro over its structs; how they are laid out
//! in bytes is wasm-bindgen's `macro-support/src/encode.rs`. Nothing here trusts the bytes.

use target_specs::Result;

use super::input::refuse;

/// The remaining bytes.
pub(super) struct Input<'a>(&'a [u8]);

/// Nested items of a malicious section must not use up memory before the bytes end: every item takes at least one byte.
impl<'a> Input<'a> {
    fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self.0.split_first().ok_or_else(|| refuse("a program ends early"))?;
        self.0 = rest;
        Ok(*first)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(|| refuse("a program ends early"))?;
        self.0 = rest;
        Ok(taken)
    }

    /// Takes the next block of a section: a length in little-endian order, and its bytes.
    fn blob(&mut self) -> Result<&'a [u8]> {
        let length = self.take(4)?;
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
        self.take(length as usize)
    }
}

/// A part of a program.
pub(super) trait Decode<'a>: Sized {
    fn decode(input: &mut Input<'a>) -> Result<Self>;
}

impl<'a> Decode<'a> for bool {
    fn decode(input: &mut Input<'a>) -> Result<Self> {
        Ok(input.byte()? != 0)
    }
}

impl<'a> Decode<'a> for u32 {
    fn decode(input: &mut Input<'a>) -> Result<Self> {
        let mut value = 0_u32;
        for shift in (0..32).step_by(7) {
            let byte = input.byte()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(refuse("a number is too long"))
    }
}

impl<'a> Decode<'a> for &'a str {
    fn decode(input: &mut Input<'a>) -> Result<Self> {
        let length = u32::decode(input)?;
        let bytes = input.take(length as usize)?;
        std::str::from_utf8(bytes).map_err(|_| refuse("a name is not UTF-8"))
    }
}

impl<'a> Decode<'a> for String {
    fn decode(input: &mut Input<'a>) -> Result<Self> {
        Ok(<&str>::decode(input)?.to_owned())
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Vec<T> {
    fn decode(input: &mut Input<'a>) -> Result<Self> {
        let count = u32::decode(input)?;
        (0..count).map(|_| T::decode(input)).collect()
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Option<T> {
    fn decode(input: &mut Input<'a>) -> Result<Self> {
        match input.byte()? {
            0 => Ok(None),
            1 => Ok(Some(T::decode(input)?)),
            _ => Err(refuse("an option is neither there nor not")),
        }
    }
}

/// A string that is a literal in the macro's output, or that the compiler computed.
#[allow(dead_code, reason = "the schema is decoded whole, in order")]
pub struct LitOrExpr<'a>(&'a str);

impl<'a> Decode<'a> for LitOrExpr<'a> {
    fn decode(input: &mut Input<'a>) -> Result<Self> {
        Ok(LitOrExpr(<&str>::decode(input)?))
    }
}

macro_rules! schema {
    () => {};
    (struct $name:ident<'a> { $($field:ident: $ty:ty,)* } $($rest:tt)*) => {
        #[allow(dead_code, reason = "the schema is decoded whole, in order")]
        pub struct $name<'a> { $(pub $field: $ty,)* }
        impl<'a> Decode<'a> for $name<'a> {
            fn decode(input: &mut Input<'a>) -> Result<Self> {
                Ok($name { $($field: Decode::decode(input)?,)* })
            }
        }
        schema!($($rest)*);
    };
    (struct $name:ident { $($field:ident: $ty:ty,)* } $($rest:tt)*) => {
        #[allow(dead_code, reason = "the schema is decoded whole, in order")]
        pub struct $name { $(pub $field: $ty,)* }
        impl<'a> Decode<'a> for $name {
            fn decode(input: &mut Input<'a>) -> Result<Self> {
                Ok($name { $($field: Decode::decode(input)?,)* })
            }
        }
        schema!($($rest)*);
    };
    (enum $name:ident<'a> { $($variant:ident $(($ty:ty))?,)* } $($rest:tt)*) => {
        #[allow(dead_code, reason = "the schema is decoded whole, in order")]
        pub enum $name<'a> { $($variant $(($ty))?,)* }
        schema!(@decode ($name<'a>) $name; $($variant $(($ty))?,)*);
        schema!($($rest)*);
    };
    (enum $name:ident { $($variant:ident $(($ty:ty))?,)* } $($rest:tt)*) => {
        pub enum $name { $($variant $(($ty))?,)* }
        schema!(@decode ($name) $name; $($variant $(($ty))?,)*);
        schema!($($rest)*);
    };
    (@decode ($self:ty) $name:ident; $($variant:ident $(($ty:ty))?,)*) => {
        impl<'a> Decode<'a> for $self {
            fn decode(input: &mut Input<'a>) -> Result<Self> {
                let tag = input.byte()?;
                let mut count = 0_u8;
                $(
                    if tag == count {
                        return Ok($name::$variant $((<$ty as Decode>::decode(input)?))?);
                    }
                    count += 1;
                )*
                let _ = count;
                Err(refuse(concat!("an unknown kind of ", stringify!($name))))
            }
        }
    };
}

wasm_bindgen_shared::shared_api!(schema);

/// The programs of a section: one for each use of wasm-bindgen's macro.
///
/// # Errors
/// `wasm-bindgen-version` when the crate was built against another version; `invalid-bindings`.
pub fn programs(section: &[u8]) -> Result<Vec<Program<'_>>> {
    let mut input = Input(section);
    let mut programs = Vec::new();
    while !input.0.is_empty() {
        check_version(input.blob()?)?;
        let mut program = Input(input.blob()?);
        programs.push(Program::decode(&mut program)?);
        if !program.0.is_empty() {
            return Err(refuse("a program has bytes left over"));
        }
    }
    Ok(programs)
}

/// Checks the line of JSON before each program: `{"schema_version":"0.2.130","version":"0.2.130"}`.
fn check_version(line: &[u8]) -> Result<()> {
    let line = String::from_utf8_lossy(line);
    let found = line
        .split_once("\"schema_version\":\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(version, _)| version);
    super::input::check_version(found.ok_or_else(|| refuse("a program has no version"))?)
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_shared::SCHEMA_VERSION;

    use super::*;

    fn blob(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).unwrap().to_le_bytes(), bytes].concat()
    }

    fn version(schema: &str) -> Vec<u8> {
        blob(format!(r#"{{"schema_version":"{schema}","version":"{schema}"}}"#).as_bytes())
    }

    /// A program of the crate `c-1` without items.
    fn empty() -> Vec<u8> {
        blob(b"\0\0\0\0\0\0\0\x03c-1\x01c\0\0")
    }

    #[test]
    fn programs_follow_one_another() {
        let one = [version(SCHEMA_VERSION), empty()].concat();
        let section = [one.clone(), one].concat();
        let found = programs(&section).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].unique_crate_identifier, "c-1");
        assert!(programs(&[]).unwrap().is_empty());
    }

    #[test]
    fn another_version_is_answered_with_the_command_that_mends_it() {
        let error = programs(&version("0.2.99")).map(|_| ()).unwrap_err();
        assert_eq!(error.code, "wasm-bindgen-version");
        assert_eq!(
            error.help.unwrap(),
            format!("run `cargo update -p wasm-bindgen --precise {SCHEMA_VERSION}`")
        );
    }

    #[test]
    fn a_cut_or_changed_section_is_an_error() {
        let whole = [version(SCHEMA_VERSION), empty()].concat();
        for end in 1..whole.len() {
            assert!(programs(&whole[..end]).is_err(), "cut at {end}");
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] = byte;
                // Most are errors, some are other names. None may panic, or allocate memory for items that do not
                // exist.
                let _ = programs(&changed);
            }
        }
    }
}
