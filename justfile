# `just` lists the recipes.
default:
    @just --list

# Opens the console
run *arguments:
    cargo run --release -- {{arguments}}

# Runs all tests
test *arguments:
    cargo test --workspace --locked {{arguments}}

# Checks formatting and lints
lint:
    cargo fmt --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo clippy --all-targets --no-default-features --locked -- -D warnings

# Reviews changed snapshots
review:
    cargo insta test --review

# Plays the tapes and compares their screens with golden files
tapes *arguments:
    cargo run -- test tests/tapes {{arguments}}

# Regenerates the pictures in screenshots/ and docs/src/pictures/
pictures:
    cargo xtask pictures

# Builds the book
book:
    mdbook build docs

# Builds the API documentation
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked

# Lists all text that users read
strings:
    python3 .ci/strings.py > target/strings.txt

# Makes the files of a release for a target, which must be one of this machine
release target:
    .ci/release build {{target}}

# Runs the benchmarks, and prints their figures
bench *arguments:
    cargo xtask bench {{arguments}}

# Checks everything that must hold before a change lands
ci:
    .ci/run
