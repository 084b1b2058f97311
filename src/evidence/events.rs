//! Questions to the event logs.
