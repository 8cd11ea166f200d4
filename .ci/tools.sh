# shellcheck shell=bash
# Installs the tools of .ci/run and .ci/release in pinned versions in target/tools. Sourced by both, in the root of the
# repository.

tools="$PWD/target/tools"

# Prints a step and runs it. A trap of the caller can print what failed.
step="start"
run() {
    step="$*"
    echo "== $step"
    "$@"
}

# rustup's cargo looks for its toolchains in HOME; with another HOME they are still beside the cargo in PATH.
find_cargo() {
    step="find cargo"
    if ! cargo --version >/dev/null 2>&1 && [ -z "${RUSTUP_HOME:-}" ]; then
        local beside
        beside="$(dirname "$(dirname "$(dirname "$(command -v cargo)")")")/.rustup"
        [ ! -d "$beside" ] || export RUSTUP_HOME="$beside"
    fi
    if [ -z "${CARGO_HOME:-}" ] && { [ -z "${HOME:-}" ] || [ ! -w "${HOME:-/}" ]; }; then
        export CARGO_HOME="$PWD/target/cargo-home"
    fi
    run cargo --version
}

# install_tool NAME VERSION [OPTION...]: installs a program of crates.io, unless it's there in this version. It's optimized a little only,
# because building it takes longer than using it. The tools share what they depend on.
install_tool() {
    local name="$1" version="$2"
    grep --quiet --fixed-strings "\"$name $version (" "$tools/.crates.toml" 2>/dev/null ||
        CARGO_TARGET_DIR="$tools/build" CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=false \
            run cargo install --quiet --locked --debug "$name" --version "$version" --root "$tools" "${@:3}"
}
