//! Whole-program tests: bundle.
