# shellcheck shell=sh
# Where cargo builds, by its own word: CARGO_TARGET_DIR may be relative, and CARGO_BUILD_TARGET_DIR or Cargo's configuration may name another place.
# Sourced, in the repository's folder, by whatever needs CARGO_TARGET_DIR, as an absolute path from here on, or WASM, the contract's.
CARGO_TARGET_DIR=$(cargo metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"\\]*\)".*/\1/p')
[ "$CARGO_TARGET_DIR" ] || {
    echo "error: cargo does not say where it builds; a path with a quote or a backslash in it is not taken" >&2
    exit 1
}
export CARGO_TARGET_DIR
export WASM="$CARGO_TARGET_DIR/wasm32v1-none/release/peer_to_peer_energy_sharing.wasm"
