//! Accepts connections on one port and serves HTTP/1.1 on them: TLS for admission, plain for health.
//!
//! HTTP/1.1 only: the API server speaks nothing else to webhooks, and what is not there (HTTP/2's streams and
//! header compression) cannot be abused.

use crate::connections::{Connection, Connections, Open, Order};
use axum::Router;
use axum::http::Request;
use axum::http::header::{CONNECTION, HeaderValue};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tower::Service;

/// How long to wait after an `accept` that failed (no file descriptors left) before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Per connection; a body passes through in pieces of this size.
const BUFFER_BYTES: usize = 64 << 10;

/// The API server sends about ten.
const MOST_HEADERS: usize = 64;

/// What is behind one port.
pub(crate) struct Door {
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) handshake_timeout: Duration,
    pub(crate) handshake_failures: Arc<AtomicU64>,
    pub(crate) router: Router,
    pub(crate) connections: Arc<Connections>,
}

impl Door {
    /// Accepts until `stop` turns true or is dropped, then lets every connection finish what it has begun.
    pub(crate) async fn serve(self, socket: TcpListener, stop: watch::Receiver<bool>) {
        let connections = Arc::clone(&self.connections);
        let serving = async {
            Arc::new(self).accept(socket, stop).await;
            connections.close_all();
            connections.emptied().await;
        };
        tokio::select! {
            () = serving => {}
            () = connections.sweep() => {}
        }
    }

    /// Owns the socket, so that it is closed on return: clients that still wait turn to another replica.
    async fn accept(self: Arc<Self>, socket: TcpListener, mut stop: watch::Receiver<bool>) {
        loop {
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    if let Some(open) = self.connections.open() {
                        tokio::spawn(Arc::clone(&self).connection(stream, open));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, open: Open) {
        // A response is written whole; waiting for more to send only costs time.
        let _ = stream.set_nodelay(true);
        let connection = Arc::clone(&open.connection);
        let Some(acceptor) = &self.tls else {
            return self.http(stream, connection).await;
        };
        let handshake = tokio::time::timeout(self.handshake_timeout, acceptor.accept(stream));
        let outcome = tokio::select! {
            outcome = handshake => outcome,
            _ = connection.order_after(Order::None) => return,
        };
        match outcome {
            Ok(Ok(stream)) => self.http(stream, connection).await,
            // Port scans and probes look like this; the metric shows if it is the API server.
            Ok(Err(error)) => {
                self.handshake_failures.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(%error, "TLS handshake failed");
            }
            Err(_) => {
                self.handshake_failures.fetch_add(1, Ordering::Relaxed);
                tracing::debug!("TLS handshake timed out");
            }
        }
        drop(open);
    }

    async fn http<S>(&self, stream: S, connection: Arc<Connection>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        connection.established();
        let service = {
            let (router, connections, connection) =
                (self.router.clone(), Arc::clone(&self.connections), Arc::clone(&connection));
            hyper::service::service_fn(move |mut request: Request<Incoming>| {
                let (mut router, connections, connection) =
                    (router.clone(), Arc::clone(&connections), Arc::clone(&connection));
                let busy = Arc::new(connection.busy());
                request.extensions_mut().insert(Arc::clone(&busy));
                async move {
                    let mut response = router.call(request).await?;
                    if connections.must_close(&connection) {
                        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                    }
                    drop(busy);
                    Ok::<_, std::convert::Infallible>(response)
                }
            })
        };
        let io = TokioIo::new(Watched { stream, connection: Arc::clone(&connection) });
        let mut serving = pin!(
            hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                // The sweeper's task: hyper's own time-out would close idle connections too.
                .header_read_timeout(None)
                .max_headers(MOST_HEADERS)
                .max_buf_size(BUFFER_BYTES)
                .serve_connection(io, service)
        );
        let mut known = Order::None;
        loop {
            tokio::select! {
                outcome = serving.as_mut() => {
                    if let Err(error) = outcome {
                        tracing::debug!(%error, "connection ended");
                    }
                    return;
                }
                order = connection.order_after(known) => match order {
                    Order::Drop => return,
                    other => {
                        known = other;
                        serving.as_mut().graceful_shutdown();
                    }
                },
            }
        }
    }
}

/// A stream that tells its connection when bytes arrive.
struct Watched<S> {
    stream: S,
    connection: Arc<Connection>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.connection.bytes_arrived();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
