//! Whole-program tests: damage.
