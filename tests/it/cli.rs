//! Whole-program tests: cli.
