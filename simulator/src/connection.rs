//! A connection that can be cut: the client sees the end of the stream, and no answer.

use std::any::Any;
use std::net::Shutdown;

use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::{SockRef, Socket};

/// A second handle on the socket of a connection. actix-web gives a handler no way to leave a request unanswered, but
/// a socket that is shut down through one handle is shut down for all.
struct Connection(Socket);

/// Keeps a handle for each new connection.
pub(crate) fn keep(stream: &dyn Any, extensions: &mut Extensions) {
    if let Some(stream) = stream.downcast_ref::<TcpStream>()
        && let Ok(socket) = SockRef::from(stream).try_clone()
    {
        extensions.insert(Connection(socket));
    }
}

/// Cuts the connection of a request, at once and in both directions.
pub(crate) fn cut(request: &HttpRequest) {
    if let Some(Connection(socket)) = request.conn_data::<Connection>() {
        // It fails only when the client was faster.
        let _ = socket.shutdown(Shutdown::Both);
    }
}
