//! Reads a request's body within its limits; of a body that is over one, only the head, which names the
//! review's uid and kind, is kept.

use crate::budget::{ByteBudget, Charge};
use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The envelope's head: `kind`, `apiVersion`, `request.uid`, `request.kind` … come before the objects.
pub(crate) const HEAD_BYTES: usize = 16 << 10;

/// How much of a refused body is read and thrown away, so that its sender, still sending, finds our answer
/// and not a reset connection.
const LINGER_BYTES: usize = 64 << 20;

/// And for how long.
const LINGER_TIME: Duration = Duration::from_secs(2);

/// Room is reserved for what a `Content-Length` promises, up to this; the rest as it arrives.
const FIRST_ROOM: usize = 1 << 20;

/// How a body arrived.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// All of it; the charge is held for as long as the bytes are.
    Whole(Bytes, Charge),
    /// It is over the limit for one body. Its head, and what has not been read.
    TooLarge(Vec<u8>, Body),
    /// It is over what all requests may hold. Its head, and what has not been read.
    OverBudget(Vec<u8>, Body),
    /// It had not arrived in time. What had.
    Late(Vec<u8>),
    /// The connection broke, or the framing is wrong.
    Broken,
}

/// Reads `body`, at most `limit` bytes, until `by`.
pub(crate) async fn read(mut body: Body, limit: usize, budget: &Arc<ByteBudget>, by: Instant) -> Arrival {
    let mut kept = Kept::default();
    let outcome = tokio::time::timeout_at(by.into(), fill(&mut body, &mut kept, limit, budget)).await;
    match outcome {
        Err(_) => Arrival::Late(kept.into_head()),
        Ok(Filled::Whole(charge)) => Arrival::Whole(kept.into_bytes(), charge),
        Ok(Filled::TooLarge) => Arrival::TooLarge(kept.into_head(), body),
        Ok(Filled::OverBudget) => Arrival::OverBudget(kept.into_head(), body),
        Ok(Filled::Broken) => Arrival::Broken,
    }
}

/// Throws away what comes, within bounds; `alive` is dropped at the end.
pub(crate) async fn linger<T>(mut body: Body, alive: T) {
    let discard = async {
        let mut seen = 0;
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, Bytes::len);
            if seen > LINGER_BYTES {
                break;
            }
        }
    };
    // Out of time or at the end: in both cases the connection is no longer held for this body.
    let _ = tokio::time::timeout(LINGER_TIME, discard).await;
    drop(alive);
}

enum Filled {
    Whole(Charge),
    TooLarge,
    OverBudget,
    Broken,
}

async fn fill(body: &mut Body, kept: &mut Kept, limit: usize, budget: &Arc<ByteBudget>) -> Filled {
    let promised = body.size_hint().lower();
    if usize::try_from(promised).is_ok_and(|promised| promised <= limit) {
        kept.room = usize::try_from(promised).unwrap_or(limit).min(FIRST_ROOM);
    } else {
        return fill_head(body, kept, Filled::TooLarge).await;
    }
    let mut charge = budget.open();
    loop {
        let data = match next_data(body).await {
            Next::Data(data) => data,
            Next::End => return Filled::Whole(charge),
            Next::Broken => return Filled::Broken,
        };
        let too_large = kept.len() + data.len() > limit;
        if too_large || !charge.grow(data.len()) {
            kept.truncate_to_head();
            kept.push_head(&data);
            drop(charge);
            let refused = if too_large { Filled::TooLarge } else { Filled::OverBudget };
            return fill_head(body, kept, refused).await;
        }
        kept.push(data);
    }
}

/// Reads on until the head is whole or the body ends; then answers `refused`.
async fn fill_head(body: &mut Body, kept: &mut Kept, refused: Filled) -> Filled {
    while kept.len() < HEAD_BYTES {
        match next_data(body).await {
            Next::Data(data) => kept.push_head(&data),
            Next::End => break,
            Next::Broken => return Filled::Broken,
        }
    }
    refused
}

enum Next {
    Data(Bytes),
    End,
    Broken,
}

async fn next_data(body: &mut Body) -> Next {
    loop {
        match body.frame().await {
            None => return Next::End,
            Some(Err(_)) => return Next::Broken,
            Some(Ok(frame)) => {
                // Trailers carry nothing that admission knows.
                if let Ok(data) = frame.into_data() {
                    return Next::Data(data);
                }
            }
        }
    }
}

/// What has arrived: one chunk is kept as it came, several are joined.
#[derive(Default)]
struct Kept {
    first: Bytes,
    joined: Vec<u8>,
    room: usize,
}

impl Kept {
    fn len(&self) -> usize {
        self.first.len() + self.joined.len()
    }

    fn push(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        if self.joined.is_empty() {
            self.joined.reserve(self.room.max(self.first.len() + data.len()));
            self.joined.extend_from_slice(&self.first);
            self.first = Bytes::new();
        }
        self.joined.extend_from_slice(&data);
    }

    fn push_head(&mut self, data: &Bytes) {
        let missing = HEAD_BYTES.saturating_sub(self.len());
        self.room = HEAD_BYTES;
        self.push(data.slice(..missing.min(data.len())));
    }

    fn truncate_to_head(&mut self) {
        self.first.truncate(HEAD_BYTES);
        self.joined.truncate(HEAD_BYTES);
        self.joined.shrink_to_fit();
    }

    fn into_bytes(self) -> Bytes {
        if self.joined.is_empty() { self.first } else { Bytes::from(self.joined) }
    }

    fn into_head(mut self) -> Vec<u8> {
        self.truncate_to_head();
        self.into_bytes().into()
    }
}
