//! Whole-program tests: events.
