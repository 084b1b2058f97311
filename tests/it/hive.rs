//! Whole-program tests: hive.
