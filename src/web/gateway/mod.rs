//! Doors for programs that are not scripts: probes so far.

pub mod health;
