//! Functions that the bindings of a module provide.

/// Declares functions of a module that WebAssembly imports from. Elsewhere they panic, so that tests of a crate can be
/// linked for the host.
macro_rules! import {
    ($module:literal: $(fn $name:ident($($parameter:ident: $ty:ty),*) $(-> $result:ty)?;)+) => {
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = $module)]
        unsafe extern "C-unwind" {
            $(pub(crate) fn $name($($parameter: $ty),*) $(-> $result)?;)+
        }

        $(
            #[cfg(not(target_arch = "wasm32"))]
            pub(crate) unsafe fn $name($(_: $ty),*) $(-> $result)? {
                panic!(concat!($module, ".", stringify!($name), " is there in MicroPython only"))
            }
        )+
    };
}

pub(crate) use import;
