//! Explanations of ciphertexts of both origins.
