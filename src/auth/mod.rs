//! Who is this, and may they? Answered here once, for every front door. Knows no HTTP.

pub mod admission;
mod argon2id;
pub mod authenticate;
pub mod authorize;
pub mod budgets;
pub mod counters;
pub mod credentials;
pub mod hasher;
pub mod password_change;
pub mod recovery;
pub mod sign_in;
pub mod signing;
pub mod throttle;
