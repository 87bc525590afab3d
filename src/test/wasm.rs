//! The built Wasm: its size, what it exports and what it asks of its host.

use wasmparser::{ExternalKind, Parser, Payload};

use super::*;

/// Of the whole file, and of what is left without its custom sections: what was built, and about 2 %.
const MAX_BYTES: usize = 41_400;
const MAX_CODE_BYTES: usize = 18_900;

#[test]
#[ignore = "reads the built Wasm: make test-wasm"]
fn the_wasm_is_small_and_exports_just_the_entrypoints() {
    let wasm = fs::read(var("CONTRACT_WASM").unwrap()).unwrap();
    let (mut functions, mut pages, mut custom) = (Vec::new(), 0, 0);
    for payload in Parser::new(0).parse_all(&wasm) {
        match payload.unwrap() {
            Payload::ExportSection(exports) => {
                let exports = exports.into_iter().map(Result::unwrap);
                functions.extend(exports.filter(|export| export.kind == ExternalKind::Func).map(|export| export.name));
            }
            Payload::MemorySection(memories) => pages = memories.into_iter().next().unwrap().unwrap().initial,
            Payload::CustomSection(section) => custom += section.range().len(),
            _ => {}
        }
    }
    let mut entrypoints = auth::CLASSES.map(|(name, _)| name);
    entrypoints.sort();
    functions.sort();
    assert_eq!(functions, entrypoints);
    // More than one would be allocated, and charged, for every call.
    assert_eq!(pages, 1);
    std::println!("{} bytes, {} without custom sections", wasm.len(), wasm.len() - custom);
    assert!(
        wasm.len() <= MAX_BYTES && wasm.len() - custom <= MAX_CODE_BYTES,
        "{} bytes, {custom} of them custom",
        wasm.len()
    );
}
