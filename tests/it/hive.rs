//! Binary hives: what the workshop's writer writes, what independent readers say of it, the corpus, and damage.

mod facts;
mod made;
