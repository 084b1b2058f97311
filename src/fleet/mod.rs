//! The report on a fleet: one typed model ([`model`]), its sections as tables ([`sections`]), and one renderer a file. It knows nothing of
//! Parquet: `crate::dataset` (with the cargo feature `dataset`) makes the model out of a dataset.

pub mod csv;
pub mod html;
pub mod model;
pub mod sections;
pub mod terminal;
