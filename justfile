# `just` lists the recipes.
default:
    @just --list

# Opens the console
run *arguments:
    cargo run --release -- {{arguments}}

# Runs all tests
test *arguments:
    cargo test --locked {{arguments}}

# Checks formatting and lints
lint:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings

# Reviews changed snapshots
review:
    cargo insta test --review

# Plays the tapes and compares their screens with golden files
tapes *arguments:
    cargo run -- test tests/tapes {{arguments}}

# Regenerates screenshots/
screenshots:
    cargo run -- play assets/tapes/method-1.tape assets/tapes/method-2.tape --pictures screenshots --png method-1-03-configure-key-120x40
    cargo run -- play assets/tapes/book.tape --pictures docs/src/pictures
    cargo run -- play assets/tapes/first-key.tape --svg screenshots/first-key.svg

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

# Measures
bench:
    cargo bench

# Checks everything that must hold before a change lands
ci:
    .ci/run
