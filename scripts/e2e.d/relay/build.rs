//! A hundred of these stand on one call stack, and fit the memory of a call only with a page each: a small stack.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg-cdylib=-zstack-size={}", 32 * 1024);
}
