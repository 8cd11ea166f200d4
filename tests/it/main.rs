//! Tests of the whole: the bundled AWS on the wire, flows as tapes, and the program in a pseudo-terminal.

mod bundled;
mod flows;
mod process;
