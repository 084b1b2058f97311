//! Whole-program tests: registry.
