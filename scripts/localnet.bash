# shellcheck shell=bash
# A network of one's own, for scripts that need one.

# start_localnet FOLDER: LOCALNET at a free port of this machine. Its process is `localnet` from here on, which the caller ends, and its address
# `localnet_url`; what it says goes into the folder.
# shellcheck disable=SC2034  # They are the caller's.
start_localnet() {
    : >"$1/localnet.log"
    "${LOCALNET:?make names it}" --port 0 >"$1/localnet.log" 2>&1 &
    localnet=$!
    until localnet_url=$(sed -n 's,^localnet ready at \([^ ]*\)/rpc .*,\1,p' "$1/localnet.log") && [ "$localnet_url" ]; do
        kill -0 "$localnet" 2>/dev/null || {
            cat "$1/localnet.log" >&2
            return 1
        }
        sleep 0.1
    done
}
