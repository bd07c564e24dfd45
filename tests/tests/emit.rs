//! `--emit` shows what each stage made, with nothing built before.

use std::path::Path;

use cargo_mpy::commands::new::{self, Template};
use cargo_mpy::options::{BuildOptions, Stage};
use cargo_mpy::pipeline;
use clap::ValueEnum;
use tests::board;

#[test]
fn every_stage_can_be_seen() {
    for stage in Stage::value_variants() {
        let folder = tempfile::tempdir().expect("a folder");
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello/Cargo.toml");
        let options = BuildOptions {
            manifest_path: Some(manifest),
            boards: ["unix", "qemu-armv6m"].map(str::to_owned).to_vec(),
            target_dir: Some(folder.path().to_owned()),
            ..Default::default()
        };
        let plan = pipeline::plan(&options).expect("a plan");
        let built = pipeline::build(&plan, Some(*stage)).expect("a stage");
        let made = |name: &str| folder.path().join("mpy").join(name).is_file();
        // A map is of a module that is there, as `size` wants both.
        let module = *stage >= Stage::Map;
        assert_eq!(built.len(), if module { 2 } else { 0 }, "{stage:?}");
        assert_eq!(made("hello.wasm"), *stage == Stage::Wasm, "{stage:?}");
        assert_eq!(made("armv6m/hello.o"), *stage >= Stage::Obj, "{stage:?}");
        assert_eq!(made("x64/hello.mpy"), module, "{stage:?}");
    }
}

#[test]
fn what_nothing_refers_to_is_not_in_the_module() {
    let folder = tempfile::tempdir().expect("a folder");
    let crate_ = folder.path().join("small_class");
    let options =
        new::Options { template: Some(Template::Class), name: None, vcs: Some("none".to_owned()), ci: None };
    new::make("new", &crate_, &options).expect("a new crate");
    let target = board::crates(env!("CARGO_TARGET_TMPDIR"));
    let options = BuildOptions {
        manifest_path: Some(crate_.join("Cargo.toml")),
        boards: vec!["qemu-armv6m".to_owned()],
        target_dir: Some(target.clone()),
        ..Default::default()
    };
    let plan = pipeline::plan(&options).expect("a plan");
    pipeline::build(&plan, Some(Stage::Wasm)).expect("a module");
    let module = std::fs::read(target.join("mpy/small_class.wasm")).expect("a file");
    let has = |name: &str| module.windows(name.len()).any(|bytes| bytes == name.as_bytes());
    assert!(has("mean_add"));
    // A panic's message, formatted, which only a table of methods refers to.
    assert!(!has("panic_fmt") && !has("PanicMessage"));
}
