/work/wt/speed/tests/kernels/k6/rust-wasm/wasm32-unknown-unknown/release/deps/kernels.d: src/lib.rs src/float.rs src/integer.rs src/text.rs

/work/wt/speed/tests/kernels/k6/rust-wasm/wasm32-unknown-unknown/release/deps/kernels.wasm: src/lib.rs src/float.rs src/integer.rs src/text.rs

src/lib.rs:
src/float.rs:
src/integer.rs:
src/text.rs:
