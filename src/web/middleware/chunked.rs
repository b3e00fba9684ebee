//! Chunked bodies (RFC 9112, section 7.1), which do not say how long they are.

use std::cell::RefCell;
use std::error::Error as StdError;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::{InternalError, PayloadError};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage as _};
use futures_util::Stream;

use super::request;

/// Closes the connection of a chunked body that was not read to its end.
///
/// The framework closes it only while such a body is still there when its answer is written. One that was dropped is
/// read on without a limit and without a deadline: a client could keep a connection for ever by a byte now and then.
pub async fn close_unread(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if !request.headers().contains_key(header::TRANSFER_ENCODING) {
        return request::around(request, next).await;
    }
    let payload = SharedPayload(Rc::new(RefCell::new(request.take_payload())));
    request.set_payload(Payload::Stream { payload: Box::pin(payload.clone()) });
    let keep = |body: BoxBody| BoxBody::new(AnswerBody { body, _request_body: payload });
    match request::around(request, next).await {
        Ok(response) => Ok(response.map_body(|_, body| keep(body))),
        Err(error) => {
            let response = error.error_response().map_body(|_, body| keep(body));
            Err(InternalError::from_response("refused", response).into())
        }
    }
}

/// The body of a request, which its answer keeps alive.
#[derive(Clone)]
struct SharedPayload(Rc<RefCell<Payload>>);

impl Stream for SharedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

struct AnswerBody {
    body: BoxBody,
    _request_body: SharedPayload,
}

impl MessageBody for AnswerBody {
    type Error = Box<dyn StdError>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
