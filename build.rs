//! A stack of 32 KiB, so that stack and data fit one page of memory. The linker's default of 1 MiB is 17 pages, which
//! the network would allocate, and charge, for every call. An overflow traps: the stack lies below the data.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size={}", 32 * 1024);
    }
}
