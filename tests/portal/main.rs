//! The portal as people and scripts meet it: the real application on a free port, once on SQLite and once on PostgreSQL,
//! with a clock that stands still. A file for each resource, unhappy paths first.

mod support;

mod admin_user_changes;
mod admin_users;
mod api_me;
mod api_repositories;
mod api_token_creation;
mod api_tokens_list;
mod bad_input;
mod configure;
mod cookies;
mod credentials;
mod cross_site;
mod disablement;
mod forward_auth;
mod headers;
mod health;
mod hosts;
mod names;
mod oci_token;
mod policies;
mod profile;
mod races;
mod reauthentication;
mod recreation;
mod rename;
mod repositories;
mod repository_access;
mod repository_api;
mod reveal;
mod revocation;
mod rotation;
mod routes;
mod security;
mod sessions;
mod set_password;
mod setup;
mod sign_in;
mod uses;
