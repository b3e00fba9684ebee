//! Large bodies, sent piece by piece: a connection copies a piece at a time to what waits to be sent, and never all of a body.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

use crate::web::connection::UnderWay;

const PIECE_BYTES: usize = 16 * 1024;

/// The same body, in pieces if it is large. Until the last piece is taken, the request stays under way.
pub fn in_pieces(body: BoxBody, under_way: Option<UnderWay>) -> BoxBody {
    match body.try_into_bytes() {
        Ok(bytes) if bytes.len() > PIECE_BYTES => BoxBody::new(Pieces { left: bytes, _under_way: under_way }),
        Ok(bytes) => BoxBody::new(bytes),
        Err(body) => body,
    }
}

struct Pieces {
    left: Bytes,
    _under_way: Option<UnderWay>,
}

impl MessageBody for Pieces {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.left.len() as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.left.len().min(PIECE_BYTES);
        Poll::Ready(Some(Ok(self.left.split_to(length))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;
    use std::pin::pin;

    #[actix_web::test]
    async fn in_pieces_keeps_length_and_bytes() {
        for length in [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES] {
            let bytes: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
            let body = in_pieces(BoxBody::new(bytes.clone()), None);
            assert_eq!(body.size(), BodySize::Sized(length as u64));
            assert_eq!(to_bytes(body).await.unwrap(), bytes);
        }
    }

    #[test]
    fn in_pieces_never_gives_more_than_a_piece_at_once() {
        let mut body = pin!(in_pieces(BoxBody::new(vec![b'x'; 3 * PIECE_BYTES + 1]), None));
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut sizes = Vec::new();
        while let Poll::Ready(Some(piece)) = body.as_mut().poll_next(&mut context) {
            sizes.push(piece.unwrap().len());
        }
        assert_eq!(sizes, [PIECE_BYTES, PIECE_BYTES, PIECE_BYTES, 1]);
    }
}
