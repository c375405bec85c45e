//! Holds a dependency and no code.
