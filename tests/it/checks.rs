//! Whole-program tests: checks.
