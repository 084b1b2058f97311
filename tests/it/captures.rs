//! Whole-program tests: captures.
