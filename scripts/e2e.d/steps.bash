# shellcheck shell=bash
# How a step is made and checked.

label='' notes='' command='' answer='' shown='' estimate='' hash='' fee=0

# stop LINE...: the step failed.
stop() {
    [ ! "$label" ] || printf '✗ %s\n' "$label"
    [ ! "$command" ] || printf '  %s\n' "$command"
    [ $# -eq 0 ] || printf '  %s\n' "$@"
    [ ! -s "$home/stderr" ] || sed 's/^/  | /' "$home/stderr"
    exit 1
} >&2

# same WHAT EXPECTED ACTUAL
same() { [ "$2" = "$3" ] || stop "$1 should be: $2" "$(printf "%${#1}s    but is: %s" '' "$3")"; }

# has JSON FIELD=VALUE...
has() {
    local json=$1 field
    shift
    for field; do same "${field%%=*}" "${field#*=}" "$(jq -r ".${field%%=*}" <<<"$json")"; done
}

# line MARK LABEL [FEE ESTIMATE NOTES]: with digits in groups, and the difference in percent; with its notes where it is over 15. Note 4 is for a
# difference that is small in stroops.
line() {
    awk -v "mark=$1" -v "label=$2" -v "fee=${3-}" -v "estimate=${4-}" -v "notes=${5-}" '
        function grouped(n) { return n < 1000 ? n "" : grouped(int(n / 1000)) sprintf(",%03d", n % 1000) }
        BEGIN {
            text = sprintf("%s %-76s", mark, label)
            if (fee) text = text sprintf(" %13s", grouped(fee))
            if (estimate) {
                percent = 100 * (fee - estimate) / estimate
                text = text sprintf(" %11s %+9.1f %%", grouped(estimate), percent)
                if (percent > 15 || percent < -15) text = text "  " (notes ? notes : fee > estimate && fee < estimate + 3000 ? 4 : "?")
            }
            sub(/ +$/, "", text)
            print text
        }'
}

# finish: prints the step that passed.
finish() {
    [ ! "$label" ] || line ✓ "$label" "${fee#0}" "$estimate" "$notes"
    label=
}

# step LABEL [NOTES]: begins a step, and so ends the one before. The notes, explained at the end, say why its fee is not the estimate.
step() {
    finish
    label=$1 notes=${2-} command='' answer='' estimate='' fee=0
}

# run COMMAND...: something that must succeed. What it sent is added to the step's fee.
run() {
    [ "$1" = make ] || command=$*
    answer=$("$@" 2>"$home/stderr") || stop
    charge
}

# charge: adds the fees of what was sent. Its hash is `hash`.
charge() {
    local charged
    # A fee over 32 bits is paid by a transaction around the first.
    for hash in $(awk '/Signing transaction:|Transaction hash is/ { if (hash) print hash; hash = $NF }
            /Signing fee bump transaction:/ { hash = $NF }
            END { if (hash) print hash }' "$home/stderr"); do
        charged=$(stellar tx fetch fee --hash "$hash" --network "$network" --output json) || stop
        fee=$((fee + $(jq .charged.fee <<<"$charged")))
    done
}

# ---- Calls by the Makefile's targets

# target NAME VARIABLE=VALUE...: one of the Makefile's targets on this network.
target() {
    command="make $1-$network ${*:2}"
    run make --silent -o build "$1-$network" "${@:2}"
}

# call EVENTS TARGET VARIABLE=VALUE...: a call of the contract, and the names of its events.
call() {
    local events=$1 row=${row:-${2//-/_}}
    shift
    target "$@"
    expect "$row"
    happened "$events"
}

# expect ROW: the estimate is the fee in this row of docs/costs.md, its rent at this network's rate; none where there is no such row.
expect() {
    estimate=$(awk -F ' *[|] *' -v "row=$1" -v "rent_rate=$rent_rate" '
        /<!-- costs -->/ { table = 1 }
        table && $2 == row { gsub(",", ""); rent = $(NF - 2); printf "%.0f", $(NF - 1) - rent + rent * rent_rate / 12000 }' docs/costs.md)
}

# happened NAMES: the names of the contract's events since the last time; the last of them is what `event` looks at.
happened() {
    local events names
    for _ in {1..10}; do
        events=$(stellar events --network "$network" --id "$CONTRACT_ID" "${since[@]}" --count 100 --output json 2>"$home/events") || stop
        names=$(jq -r .event_name <<<"$events" | xargs)
        [ "$1" != none ] && [ "${names:-none}" != "$1" ] || break
        sleep 1
    done
    same "events" "$1" "${names:-none}"
    [ "$1" = none ] || { shown=$(tail -n 1 <<<"$events") since=(--cursor "$(jq -r .id <<<"$shown")"); }
}

event() { has "$(jq .params <<<"$shown")" "$@"; }

# fails TARGET VARIABLE=VALUE...: a call that is not even sent. What it says is in $home/stderr.
fails() {
    command="make $1-$network ${*:2}"
    ! make --silent -o build "$1-$network" "${@:2}" >"$home/stdout" 2>"$home/stderr" || stop "it should fail"
    happened none
}

# refused ERROR TARGET VARIABLE=VALUE...: a call that the contract refuses, with the name of its error.
refused() {
    fails "${@:2}"
    same "the error" "$1" "$(sed -n 's/^error: \([A-Za-z]*\) ([0-9]*): [A-Z].*/\1/p' "$home/stderr")"
}

# signed_by WHO: the last call has only this signature, that of its source account.
signed_by() {
    run stellar tx fetch --hash "$hash" --network "$network" --output json
    has "$(jq '.tx | .tx + { signatures: .signatures | length, signs: [.tx.operations[0].body.invoke_host_function.auth[].credentials] }' <<<"$answer")" \
        "source_account=$(stellar keys public-key "$1")" signatures=1 'signs|unique|join(" ")=source_account'
}

# ---- Calls that are simulated, and sent when something else has happened

declare -A prepared=() signer=()

# compose CALL SIGNER CONTRACT FUNCTION ARGUMENT...: a call of any contract, not yet simulated.
compose() {
    signer[$1]=$2
    run stellar contract invoke --id "$3" --network "$network" --source-account "$2" --build-only -- "${@:4}"
    prepared[$1]=$answer
}

# prepare CALL SIGNER FUNCTION ARGUMENT...: a call of the contract that is built and simulated.
prepare() {
    compose "$1" "$2" "$CONTRACT_ID" "${@:3}"
    simulate "$1"
}

# edit CALL FILTER [OPTION...]: changed by jq.
edit() { prepared[$1]=$(stellar tx decode <<<"${prepared[$1]}" | jq -c "${@:3}" "$2" | stellar tx encode) || stop "it cannot be edited"; }

# room CALL: with the room that deliver-energy adds to what a simulation says. As it was simulated the call is `bare`.
room() {
    prepared[bare]=${prepared[$1]} signer[bare]=${signer[$1]}
    run env name=- scripts/contract room <<<"${prepared[$1]}"
    prepared[$1]=$answer
}

# simulate CALL: what it may read, write and cost is as of now. Who signed stays.
simulate() {
    run stellar tx simulate --network "$network" --source-account "${signer[$1]}" <<<"${prepared[$1]}"
    prepared[$1]=$answer
}

# authorize CALL WHO: somebody other than the source account signs it, for the next 100 ledgers.
authorize() {
    local until
    until=$(in_100_ledgers)
    SECRET=$(stellar keys secret "$2") run node app/examples/authorize.mjs "$until" "$passphrase" <<<"${prepared[$1]}"
    prepared[$1]=$answer
    simulate "$1"
}

in_100_ledgers() { echo $(($(rpc getLatestLedger sequence) + 100)); }

# agree CALL [SIGNATURE]: for those who sign with what anybody can make up, nothing if not given: contracts as accounts.
agree() {
    edit "$1" '(.tx.tx.operations[0].body.invoke_host_function.auth[].credentials | objects | .address)
        |= (.signature_expiration_ledger = $until | .signature = $signature)' --argjson until "$(in_100_ledgers)" --argjson signature "${2-\"void\"}"
}

# authorization CALL: what was signed for it.
authorization() { stellar tx decode <<<"${prepared[$1]}" | jq -c '.tx.tx.operations[0].body.invoke_host_function.auth'; }

# sign CALL: as its source account, with that account's next number. The answer is what is sent.
sign() {
    run stellar tx update sequence-number next --network "$network" <<<"${prepared[$1]}"
    run stellar --quiet tx sign --sign-with-key "${signer[$1]}" --network "$network" <<<"$answer"
}

# apply EVENTS CALL: the network applies it as it was simulated, and the answer is what it returns.
apply() {
    sign "$2"
    run stellar tx send --network "$network" <<<"$answer"
    answer=$(jq -r '.result_meta.v4.soroban_meta.return_value | if type == "object" then .u64 else . end' <<<"$answer")
    [ ! "${row-}" ] || expect "$row"
    happened "$1"
}

# rejected WORD CALL: the network takes its fee and does not apply it, for a reason that has this word.
rejected() {
    sign "$2"
    command="stellar tx send"
    ! stellar tx send --network "$network" <<<"$answer" >"$home/stdout" 2>"$home/stderr" || stop "it should fail with $1"
    grep -qF "$1" "$home/stderr" || stop "it should fail with $1"
    charge
    happened none
}

# ---- What the ledger says

# show TARGET VARIABLE=VALUE... -- FIELD=VALUE...: what a getter answers.
show() {
    local words=()
    while [ "$1" != -- ]; do words+=("$1"); shift; done
    shift
    target "${words[@]}"
    has "$(jq -s add <<<"$answer")" "$@"
}
agreement() { show get-agreement "AGREEMENT_ID=$1" -- "${@:2}"; }
transaction() { show get-transaction "TRANSACTION_ID=$1" -- "${@:2}"; }

# nth K AGREEMENT: the id of its k-th transaction.
nth() { echo $((($1 - 1) * 10000000000000 + $2)); }

# ids FIELD EXPECTED TARGET VARIABLE=VALUE...: the ids in the first list that it shows.
ids() {
    target "${@:3}"
    same "the list" "$2" "$(jq -rs ".[0][].$1" <<<"$answer" | xargs)"
}

# owned WHO: how much of the token; "nothing" without a trustline.
owned() {
    [ "$1" != contract ] || set -- "$CONTRACT_ID"
    stellar token balance --id "$token" --network "$network" --account "$1" 2>"$home/stderr" ||
        { grep -q 'trustline entry is missing' "$home/stderr" && echo nothing; } || stop
}

# What everybody should own of the token that this run issued.
declare -A purse=()

# moved AMOUNT FROM TO: and nothing else did, among all who own the token.
moved() {
    purse[$2]=$((purse[$2] - $1)) purse[$3]=$((purse[$3] + $1))
    unmoved
}
unmoved() {
    local who
    for who in "${!purse[@]}"; do same "the balance of $who" "${purse[$who]}" "$(owned "$who")"; done
}

rpc() { curl -fsS "$rpc_url" -H 'Content-Type: application/json' -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$1\"}" | jq ".result.$2"; }
now() { rpc getLatestLedger closeTime | tr -d '"'; }

# lives_until contract|code: its last ledger.
lives_until() {
    case $1 in
    contract) set -- contract-data --contract "$CONTRACT_ID" --instance ;;
    code) set -- contract-code --wasm-hash "$(stellar contract info hash --id "$CONTRACT_ID" --network "$network")" ;;
    esac
    stellar ledger entry fetch "$@" --network "$network" | jq '.entries[0].liveUntilLedgerSeq'
}

# later SECONDS: events are looked for from then on, since a request looks through 14 hours only, and those of a week ago are forgotten.
later() {
    run curl -fsS -X POST "$ADVANCE_URL$1"
    since=(--start-ledger "$(rpc getLatestLedger sequence)")
}
hour=3600
day=86400

# pause: a second passes on the network. In it each plant here exports more than is sold at once.
pause() {
    local before
    if [ "${ADVANCE_URL-}" ]; then
        later 1
    else
        before=$(now)
        until (($(now) > before)); do sleep 1; done
    fi
}
