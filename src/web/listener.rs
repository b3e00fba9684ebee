//! From a listening socket to the application: like actix-web's `HttpServer`, with each connection wrapped in a
//! [`Connection`] of ours.

use std::future::ready;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::Server;
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::{Error, web};
use tokio::net::TcpStream;

use super::api::openapi;
use super::app::app;
use super::connection::Connection;
use super::next;
use super::pages::reference;
use super::portal::Portal;

/// Where actix-http logs the end of connections. It calls a malformed request an error; `log_end` logs the same at the
/// level that it deserves.
pub const DISPATCHER_LOG_TARGET: &str = "actix_http::h1::dispatcher";
/// Where actix-server logs errors of its listening socket. After an orderly stop closed that socket, they mean nothing.
pub const ACCEPT_LOG_TARGET: &str = "actix_server::accept";

const KEEP_ALIVE: Duration = Duration::from_secs(15);
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a client may go on sending a body that was refused: the answer is lost to it if the connection closes before.
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);
/// Connections of one worker; further ones wait until one is closed.
const MAX_CONNECTIONS: usize = 2_048;
/// Bytes that wait to be sent before the next piece of a body is added.
const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// Starts to answer requests.
pub fn serve(portal: web::Data<Portal>, listener: TcpListener, workers: usize) -> io::Result<Server> {
    // What takes milliseconds is done before the first request, and not on an async worker.
    next::prepare();
    openapi::prepare();
    reference::prepare();
    let server = Server::build()
        .workers(workers)
        .max_concurrent_connections(MAX_CONNECTIONS)
        .disable_signals()
        .listen("http", listener, move || {
            let connections = portal.connections.clone();
            actix_web::rt::spawn(Arc::clone(&connections).confirm_sealed());
            let application = app(portal.clone()).into_factory().map_err(|error: Error| error.error_response());
            let http = HttpService::build()
                .keep_alive(KEEP_ALIVE)
                .client_request_timeout(HEAD_TIMEOUT)
                .client_disconnect_timeout(LINGER_TIMEOUT)
                // A client that closes does not wait for an answer: what it asked for is given up where it waits.
                .h1_allow_half_closed(false)
                .h1_write_buffer_size(WRITE_BUFFER_BYTES)
                .on_connect_ext(|connection: &Connection, data: &mut actix_http::Extensions| {
                    data.insert(connection.exchange());
                })
                .h1(map_config(application, |()| AppConfig::default()));
            fn_service(move |stream: TcpStream| {
                let peer = stream.peer_addr();
                ready(peer.map_err(DispatchError::Io).and_then(|peer| {
                    let admission = connections.admit(peer.ip());
                    let admission =
                        admission.ok_or_else(|| io::Error::other("this address has too many connections"))?;
                    Ok((Connection::new(stream, admission), Some(peer)))
                }))
            })
            .and_then(http)
            .map_err(|error: DispatchError| log_end(&error))
        })?;
    Ok(server.run())
}

/// Why a connection ended early. What its client did is no failure; the messages contain nothing that it sent.
fn log_end(error: &DispatchError) {
    match error {
        DispatchError::Service(_) | DispatchError::Body(_) | DispatchError::Upgrade | DispatchError::InternalError => {
            tracing::error!(cause = %error, "a connection failed");
        }
        DispatchError::Parse(cause) => tracing::debug!(%cause, "a malformed HTTP request was refused"),
        _ => tracing::debug!(cause = %error, "a connection ended early"),
    }
}
