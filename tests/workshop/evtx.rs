//! Writes EVTX files.
