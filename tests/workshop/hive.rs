//! Writes registry hives and their transaction logs.
