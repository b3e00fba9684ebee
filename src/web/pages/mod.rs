//! Pages for people: one module for each address, named as the address is.

pub mod admin;
pub mod home;
pub mod profile;
pub mod reauthentication;
pub mod reference;
pub mod repositories;
pub mod set_password;
pub mod setup;
pub mod sign_in;
