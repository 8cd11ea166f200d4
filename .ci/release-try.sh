# shellcheck shell=bash disable=SC2034,SC2154
# `.ci/release try`: makes an archive and packages of a program that is already built, and runs it from each of them. Sourced by
# .ci/release.
#
# It tests the packaging alone, in seconds. So the debug program can take the place of the real one, the notices are missing, the
# archive of this machine stands in for those of other targets, and a package for RHEL is only made if cargo-generate-rpm, which takes
# minutes to build, is there already.

# Runs the program of a file system that has nothing else, if this user can use chroot.
run_inside() {
    local root="$1"
    local -a command=("$root/usr/bin/xks-console")
    if [ "$(id -u)" -eq 0 ]; then
        command=(chroot "$root" /usr/bin/xks-console)
    elif sudo -n true 2>/dev/null; then
        command=(sudo chroot "$root" /usr/bin/xks-console)
    fi
    env -i HOME=/tmp PATH="$PATH" "${command[@]}" "${@:2}"
}

# Checks what a package has installed below a directory, and uses it.
check_installed() {
    local root="$1" library file
    for file in bin/xks-console share/man/man1/xks-console.1 share/bash-completion/completions/xks-console \
        share/fish/vendor_completions.d/xks-console.fish _xks-console LICENSE THIRD-PARTY-NOTICES.txt; do
        grep --quiet "$file\(\.gz\)\?$" <<<"$(cd "$root" && find usr -type f)" || fail "$root has no $file"
    done
    while read -r library; do
        install -D "$library" "$root$library"
    done < <(ldd "$root/usr/bin/xks-console" | grep --only-matching '/[^ ]*')
    mkdir -p "$root/tmp"
    [ "$(run_inside "$root" --version)" = "xks-console $version" ] || fail "$root has another version"
    grep --quiet 'Frankfurt HSM' <<<"$(run_inside "$root" list-stores --ephemeral)" || fail "$root doesn't work"
    grep --quiet '4 external key stores' <<<"$(printf '%s\n' 3 quit | run_inside "$root" --accessible --ephemeral)" ||
        fail "the console of $root doesn't work"
    cp assets/tapes/method-1.tape "$root/tmp"
    run_inside "$root" test /tmp/method-1.tape --accept >/dev/null || fail "$root can't accept the screens of a tape"
    run_inside "$root" test /tmp/method-1.tape >/dev/null || fail "$root can't test a tape"
}

try() {
    local target other roots="$PWD/target/try-roots"
    target="$(rustc -vV | sed -n 's/^host: //p')"
    files="$PWD/target/try-files"
    rm -rf "$files" "$roots"
    mkdir -p "$files" "$roots/extracted" "$roots/archive"
    step="stage $1"
    strip -o "$files/xks-console" "$1"
    stage "$files/xks-console"
    rm "$files/xks-console"
    echo "The notices are made for a release." >"$stage/THIRD-PARTY-NOTICES.txt"
    package "$target" gzip 1
    for other in "${targets[@]}"; do
        [ "$other" = "$target" ] || ln "$files/$name-$target.tar.gz" "$files/$name-$other.tar.gz"
    done
    collect
    step="install the archive as the PKGBUILD does"
    tar -xzf "$files/$name-$target.tar.gz" -C "$roots/extracted"
    (
        set -euo pipefail
        srcdir="$roots/extracted" pkgdir="$roots/archive"
        # shellcheck source=packaging/aur/PKGBUILD
        . "$files/PKGBUILD"
        package
    )
    check_installed "$roots/archive"
    if command -v dpkg-deb >/dev/null; then
        step="install the package for Debian"
        dpkg-deb --extract "$files"/*.deb "$roots/deb"
        check_installed "$roots/deb"
    fi
    if [ -e "$(echo "$files"/*.rpm)" ] && command -v rpm2archive >/dev/null; then
        step="install the package for RHEL"
        mkdir "$roots/rpm"
        rpm2archive - <"$(echo "$files"/*.rpm)" | tar -xzC "$roots/rpm"
        check_installed "$roots/rpm"
    fi
    rm -rf "$roots"
}
