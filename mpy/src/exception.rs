//! Python's exceptions, from Python and to Python.

use alloc::string::String;
use core::cell::{Cell, RefCell};
use core::fmt::{self, Debug, Display, Write};

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = OSError)]
    type OsError;
    #[wasm_bindgen(method, getter, catch)]
    fn errno(this: &OsError) -> core::result::Result<i32, JsValue>;
}

/// The result of what may raise an exception.
pub type Result<T> = core::result::Result<T, Exception>;

/// A Python exception that was caught.
///
/// It is the error type of everything in this crate. As the error of a function with `#[wasm_bindgen]`, or converted
/// into a `JsValue`, it is raised again as it was.
#[derive(Clone, PartialEq)]
pub struct Exception(JsValue);

impl Exception {
    /// The number of an `OSError`, such as 19 for `ENODEV`; `None` if it is another exception.
    ///
    /// ```no_run
    /// use embedded_hal::i2c::I2c as _;
    /// use mpy::hal::I2c;
    ///
    /// /// Whether a device answers.
    /// fn is_there(i2c: &mut I2c, address: u8) -> mpy::Result<bool> {
    ///     match i2c.write(address, &[]) {
    ///         Ok(()) => Ok(true),
    ///         Err(error) if error.errno() == Some(19) => Ok(false),
    ///         Err(error) => Err(error),
    ///     }
    /// }
    /// ```
    pub fn errno(&self) -> Option<i32> {
        self.0.dyn_ref::<OsError>()?.errno().ok()
    }
}

impl From<JsValue> for Exception {
    fn from(exception: JsValue) -> Exception {
        Exception(exception)
    }
}

impl From<Exception> for JsValue {
    fn from(exception: Exception) -> JsValue {
        exception.0
    }
}

impl Debug for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if CAUGHT.is_wanted.get() {
            CAUGHT.exception.replace(Some(self.clone()));
            return Ok(());
        }
        Debug::fmt(&self.0, f)
    }
}

impl Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(self, f)
    }
}

impl core::error::Error for Exception {}

/// The exception inside an error that is being formatted.
struct Caught {
    is_wanted: Cell<bool>,
    exception: RefCell<Option<Exception>>,
}

// SAFETY: a module runs in one thread.
unsafe impl Sync for Caught {}

static CAUGHT: Caught = Caught { is_wanted: Cell::new(false), exception: RefCell::new(None) };

/// The error of a function that Python calls: `?` converts any error into it.
///
/// An error that contains an [`Exception`], as the errors of drivers do if a bus raised one, raises that exception.
/// Any other error raises a `RuntimeError` whose text is the error's `Debug` output.
///
/// ```no_run
/// use wasm_bindgen::prelude::*;
///
/// #[derive(Debug)]
/// enum DriverError<E> {
///     Bus(E),
///     WrongChip,
/// }
///
/// fn read() -> Result<u8, DriverError<mpy::Exception>> {
///     Err(DriverError::WrongChip)
/// }
///
/// #[wasm_bindgen]
/// pub fn measure() -> Result<u8, mpy::Raise> {
///     Ok(read()?)
/// }
/// ```
// Without `Debug`, because it would then be converted from itself in two ways.
pub struct Raise(JsValue);

impl<E: Debug> From<E> for Raise {
    fn from(error: E) -> Raise {
        // Derived implementations format the errors inside, so an exception finds its way here from any depth.
        let mut text = String::new();
        CAUGHT.is_wanted.set(true);
        // A `String` accepts any text.
        let _ = write!(text, "{error:?}");
        CAUGHT.is_wanted.set(false);
        match CAUGHT.exception.take() {
            Some(exception) => Raise(exception.0),
            None => Raise(JsError::new(&text).into()),
        }
    }
}

impl From<Raise> for JsValue {
    fn from(error: Raise) -> JsValue {
        error.0
    }
}
