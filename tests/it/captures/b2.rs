//! Captures of group B, second part.
