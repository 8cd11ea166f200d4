//! Key policy documents: the one the console writes, and how any is checked and read back.
