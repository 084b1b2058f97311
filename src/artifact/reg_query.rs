//! `reg query` output, with and without `/s`.
