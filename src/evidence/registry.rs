//! One view over all hives and exports of a machine.
