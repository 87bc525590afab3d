# shellcheck shell=bash
# The environment of the stellar CLI: sourced, in the repository's folder, by whatever calls it.

# Letters, digits and order are the same in every country: in a Turkish locale the small letter of I is not i.
export LC_ALL=C

# Of the CLI's variables, these change where it keeps its files, who signs and what a transaction may pay to be included. All others would change the
# network, the contract, the call or its fee behind the target's back. SOROBAN_* are the old names, which the CLI copies over the others.
for variable in "${!SOROBAN_@}" "${!STELLAR_@}"; do
    value=${!variable}
    unset "$variable"
    case ${variable#*_} in
    # The CLI runs in another folder. An empty value is none.
    CONFIG_HOME | DATA_HOME)
        [ "$value" ] || continue
        [ "${value:0:1}" = / ] || value=$PWD/$value
        ;;
    NO_CACHE | NO_UPDATE_CHECK | INCLUSION_FEE | SIGN_WITH_KEY | SIGN_WITH_LAB | SIGN_WITH_LEDGER | CONTAINER_ENGINE | CONTAINER_ARGS) ;;
    *) continue ;;
    esac
    export "STELLAR_${variable#*_}=$value"
done
unset variable value

cli_folder=$PWD/scripts/cli

# stellar ARGUMENT...: the CLI, in a folder with a .env that sets nothing.
stellar() { (cd "$cli_folder" && command stellar "$@"); }
