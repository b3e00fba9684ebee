//! HTTP: `pages` for people, `api` for scripts, `gateway` for proxies, registries and probes.
//! The layer that everything else knows nothing of.

pub mod api;
pub mod app;
pub mod assets;
pub mod budget;
pub mod chart;
pub mod client;
pub mod confirmation;
pub mod connection;
pub mod connections;
pub mod cookies;
mod denial;
pub mod drawn;
pub mod error;
pub mod examples;
pub mod extract;
pub mod form;
mod forwarded;
pub mod gateway;
pub mod listener;
pub mod listing;
pub mod middleware;
pub mod next;
pub mod notice;
pub mod page;
pub mod pages;
pub mod portal;
pub mod reveal;
pub mod routes;
pub mod server;
pub mod session;
pub mod stopping;
pub mod urls;
