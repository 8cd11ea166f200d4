# shellcheck shell=bash disable=SC2154
# `.ci/release fixture`: writes what this version stores to tests/fixtures/upgrade, for the test that later versions open it.
# Sourced by .ci/release.

write_fixture() {
    local dir="$PWD/target/fixture" archive="tests/fixtures/upgrade/$version.tar.gz"
    local -a test=(cargo test --quiet --locked --test it -- --exact upgrade::data_of_every_released_version_opens)
    # What a released version has stored doesn't change anymore.
    ! git rev-parse --quiet --verify "refs/tags/v$version" >/dev/null || fail "$version is released already"
    rm -rf "$dir"
    mkdir -p "$dir" "$(dirname "$archive")"
    # With this variable, the program would be built once more.
    local epoch="$SOURCE_DATE_EPOCH"
    unset SOURCE_DATE_EPOCH
    XKS_CONSOLE_WRITE_FIXTURE="$dir" run "${test[@]}"
    find "$dir" -name '*.lock' -delete
    SOURCE_DATE_EPOCH="$epoch" run python3 .ci/archive.py "$dir" "$version" "$archive"
    run "${test[@]}"
    ls -l "$archive"
}
