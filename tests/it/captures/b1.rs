//! Captures of group B, first part.
