//! A registry for tests, in this process and on loopback: it keeps what is pushed, and misbehaves as it is told.

use crate::digest::Digest;
use crate::registry::fallback_tag;
use crate::registry::manifest::{Content, Descriptor, EMPTY, IMAGE, INDEX, Index, Manifest};
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

type Body = BoxBody<Bytes, std::io::Error>;

/// What a registry does instead of answering well, for requests whose path has a text in it.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers with a status, and `Retry-After` if given.
    Status(u16, Option<u64>),
    /// Redirects there.
    Redirect(String),
    /// Answers after so long.
    Slow(Duration),
    /// Sends a body that does not end.
    Endless,
    /// Ends the connection within the body.
    Cut,
    /// Sends other bytes.
    Bytes(Bytes),
}

/// What is kept, and what is told to go wrong.
#[derive(Debug, Default)]
struct State {
    blobs: BTreeMap<String, Bytes>,
    manifests: BTreeMap<(String, String), (Bytes, String)>,
    /// Text in the path, what happens, and how often still.
    faults: Vec<(String, Fault, usize)>,
    /// Method, path and `Authorization` of what was asked.
    log: Vec<(String, String, Option<String>)>,
    referrers: bool,
    page: usize,
    login: Option<Login>,
}

/// How one logs in.
#[derive(Clone, Debug)]
pub enum Login {
    /// `Basic` with this header.
    Basic(String),
    /// A token, given for this `Basic` header, or to anyone.
    Bearer(Option<String>),
}

/// A running registry; it ends when it is dropped.
#[derive(Debug)]
pub struct TestRegistry {
    host: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for TestRegistry {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TestRegistry {
    /// Starts one that keeps lists of referrers.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let host = format!("127.0.0.1:{}", listener.local_addr()?.port());
        let state = Arc::new(Mutex::new(State { referrers: true, ..State::default() }));
        let (served, name) = (Arc::clone(&state), host.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, name) = (Arc::clone(&served), name.clone());
                tokio::spawn(async move {
                    let service =
                        service_fn(move |request| answer(Arc::clone(&state), name.clone(), request));
                    let connection = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service);
                    // A client that goes away is nothing to tell.
                    connection.await.ok();
                });
            }
        });
        Ok(Self { host, state, task })
    }

    /// Its host and port, as references name it.
    pub fn host(&self) -> &str {
        &self.host
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it keeps lists of referrers; without, it answers 404 there.
    pub fn keep_referrers(&self, keep: bool) {
        self.with(|state| state.referrers = keep);
    }

    /// Lists so many referrers on a page.
    pub fn page(&self, size: usize) {
        self.with(|state| state.page = size);
    }

    /// Asks for a login.
    pub fn require(&self, login: Login) {
        self.with(|state| state.login = Some(login));
    }

    /// Misbehaves so often for requests whose path has this text in it.
    pub fn fail(&self, path: &str, fault: Fault, times: usize) {
        self.with(|state| state.faults.push((path.to_owned(), fault, times)));
    }

    /// Behaves again.
    pub fn behave(&self) {
        self.with(|state| state.faults.clear());
    }

    /// What was asked since the last time: method, path, `Authorization`.
    pub fn asked(&self) -> Vec<(String, String, Option<String>)> {
        self.with(|state| std::mem::take(&mut state.log))
    }

    /// Puts another manifest in a tag's place, as somebody who can push does.
    pub fn tag(&self, repository: &str, tag: &str, manifest: Bytes, media_type: &str) {
        let key = (repository.to_owned(), tag.to_owned());
        let by_digest = (repository.to_owned(), Digest::of(&manifest).to_string());
        let value = (manifest, media_type.to_owned());
        self.with(|state| {
            state.manifests.insert(by_digest, value.clone());
            state.manifests.insert(key, value);
        });
    }

    /// Lets a tag name what another names.
    pub fn retag(&self, repository: &str, from: &str, to: &str) {
        self.with(|state| {
            let known = state.manifests.get(&(repository.to_owned(), from.to_owned())).cloned();
            state.manifests.extend(known.map(|known| ((repository.to_owned(), to.to_owned()), known)));
        });
    }

    /// Keeps an image under a tag, as if it had been pushed; its one layer has the tag's name in it.
    pub fn image(&self, repository: &str, tag: &str) -> Descriptor {
        let config = br#"{"architecture":"amd64","os":"linux","created":"2026-01-01T00:00:00Z"}"#;
        let layer = format!("layer of {tag}");
        self.artifact(repository, tag, config, ("application/vnd.oci.image.layer.v1.tar", layer.into()), None)
    }

    /// Keeps something that refers to an image.
    pub fn attach(&self, repository: &str, image: &Descriptor, media_type: &str, bytes: Bytes) -> Descriptor {
        self.artifact(repository, "", b"{}", (media_type, bytes), Some(image.clone()))
    }

    fn artifact(
        &self,
        repository: &str,
        tag: &str,
        config: &'static [u8],
        (media_type, layer): (&str, Bytes),
        subject: Option<Descriptor>,
    ) -> Descriptor {
        let described = |bytes: &Bytes, media_type: &str| Descriptor {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: BTreeMap::new(),
            platform: None,
        };
        let config = Bytes::from_static(config);
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(IMAGE.to_owned()),
            artifact_type: None,
            config: described(&config, EMPTY),
            layers: vec![described(&layer, media_type)],
            subject,
            annotations: BTreeMap::new(),
        };
        let bytes = Bytes::from(serde_json::to_vec(&manifest).unwrap_or_default());
        let descriptor = described(&bytes, IMAGE);
        self.with(|state| {
            for blob in [config, layer] {
                state.blobs.insert(Digest::of(&blob).to_string(), blob);
            }
        });
        let name = if tag.is_empty() { descriptor.digest.to_string() } else { tag.to_owned() };
        self.tag(repository, &name, bytes, IMAGE);
        descriptor
    }

    /// Keeps other bytes under a digest than its own.
    pub fn swap_blob(&self, digest: Digest, bytes: Bytes) {
        self.with(|state| state.blobs.insert(digest.to_string(), bytes));
    }
}

fn whole(status: StatusCode, bytes: Bytes) -> Response<Body> {
    let mut response = Response::new(Full::new(bytes).map_err(|never: Infallible| match never {}).boxed());
    *response.status_mut() = status;
    response
}

fn status(code: u16) -> Response<Body> {
    whole(StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Bytes::new())
}

fn header(mut response: Response<Body>, name: &'static str, value: &str) -> Response<Body> {
    if let Ok(value) = value.parse() {
        response.headers_mut().insert(name, value);
    }
    response
}

async fn answer(
    state: Arc<Mutex<State>>,
    host: String,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (method, path) = (request.method().clone(), request.uri().to_string());
    let authorization =
        request.headers().get("authorization").and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let media_type = request
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let body =
        request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let (fault, refusal) = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.log.push((method.to_string(), path.clone(), authorization.clone()));
        (state.fault(&path), state.refusal(&host, &path, authorization.as_deref()))
    };
    match fault {
        Some(Fault::Status(code, wait)) => {
            let response = status(code);
            return Ok(wait.map_or_else(
                || status(code),
                |seconds| header(response, "retry-after", &seconds.to_string()),
            ));
        }
        Some(Fault::Redirect(to)) => return Ok(header(status(307), "location", &to)),
        Some(Fault::Slow(time)) => tokio::time::sleep(time).await,
        Some(Fault::Endless) => return Ok(endless(None)),
        Some(Fault::Cut) => return Ok(endless(Some(3))),
        Some(Fault::Bytes(bytes)) => return Ok(whole(StatusCode::OK, bytes)),
        None => {}
    }
    if let Some(refusal) = refusal {
        return Ok(refusal);
    }
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(state.serve(&method, &path, &media_type, body))
}

/// A body of so many pieces that then fails, or of pieces without an end.
fn endless(pieces: Option<usize>) -> Response<Body> {
    let piece = Bytes::from(vec![b' '; 64 << 10]);
    let frames = futures::stream::unfold(0, move |at| {
        let piece = piece.clone();
        async move {
            if pieces.is_some_and(|last| at >= last) {
                // What was sent before is on its way when the end comes.
                tokio::time::sleep(Duration::from_millis(20)).await;
                return Some((Err(std::io::Error::other("cut")), at));
            }
            Some((Ok(Frame::data(piece)), at + 1))
        }
    });
    Response::new(BodyExt::boxed(StreamBody::new(frames)))
}

impl State {
    fn fault(&mut self, path: &str) -> Option<Fault> {
        let (_, fault, times) =
            self.faults.iter_mut().find(|(part, _, times)| *times > 0 && path.contains(part.as_str()))?;
        *times -= 1;
        Some(fault.clone())
    }

    /// What is answered to who is not logged in.
    fn refusal(&self, host: &str, path: &str, authorization: Option<&str>) -> Option<Response<Body>> {
        let login = self.login.as_ref()?;
        if path.starts_with("/token") {
            let Login::Bearer(wanted) = login else { return Some(status(404)) };
            if wanted.as_deref().is_some_and(|wanted| authorization != Some(wanted)) {
                return Some(status(401));
            }
            return Some(whole(StatusCode::OK, Bytes::from_static(br#"{"token":"t0ken","expires_in":300}"#)));
        }
        let (wanted, challenge) = match login {
            Login::Basic(wanted) => (wanted.as_str(), r#"Basic realm="test""#.to_owned()),
            Login::Bearer(_) => {
                ("Bearer t0ken", format!(r#"Bearer realm="http://{host}/token",service="test""#))
            }
        };
        (authorization != Some(wanted)).then(|| header(status(401), "www-authenticate", &challenge))
    }

    fn serve(&mut self, method: &Method, path: &str, media_type: &str, body: Bytes) -> Response<Body> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let Some(rest) = path.strip_prefix("/v2/") else { return status(404) };
        for part in ["/manifests/", "/referrers/", "/blobs/uploads/", "/blobs/"] {
            let Some((repository, name)) = rest.rsplit_once(part) else { continue };
            return match (part, method.as_str()) {
                ("/manifests/", "PUT") => self.put_manifest(repository, name, media_type, body),
                ("/manifests/", _) => self.manifest(repository, name),
                ("/referrers/", _) => self.referrers(repository, name, query),
                ("/blobs/uploads/", "POST") => {
                    header(status(202), "location", &format!("/v2/{repository}/blobs/uploads/1"))
                }
                ("/blobs/uploads/", _) => self.put_blob(query, body),
                (_, _) => self
                    .blobs
                    .get(name)
                    .map_or_else(|| status(404), |bytes| whole(StatusCode::OK, bytes.clone())),
            };
        }
        status(404)
    }

    fn manifest(&self, repository: &str, name: &str) -> Response<Body> {
        match self.manifests.get(&(repository.to_owned(), name.to_owned())) {
            Some((bytes, media_type)) => {
                header(whole(StatusCode::OK, bytes.clone()), "content-type", media_type)
            }
            None => status(404),
        }
    }

    fn put_manifest(
        &mut self,
        repository: &str,
        name: &str,
        media_type: &str,
        body: Bytes,
    ) -> Response<Body> {
        let digest = Digest::of(&body).to_string();
        for name in [name.to_owned(), digest] {
            self.manifests.insert((repository.to_owned(), name), (body.clone(), media_type.to_owned()));
        }
        status(201)
    }

    fn put_blob(&mut self, query: &str, body: Bytes) -> Response<Body> {
        let digest = Digest::of(&body).to_string();
        if !query.replace("%3A", ":").contains(&digest) {
            return status(400);
        }
        self.blobs.insert(digest, body);
        status(201)
    }

    fn referrers(&self, repository: &str, name: &str, query: &str) -> Response<Body> {
        let Ok(digest) = name.parse::<Digest>() else { return status(400) };
        if !self.referrers {
            return status(404);
        }
        let mut found: Vec<Descriptor> = Vec::new();
        for ((at, name), (bytes, media_type)) in &self.manifests {
            let Ok(Content::Image(manifest)) = Content::read(bytes) else { continue };
            let refers = manifest.subject.is_some_and(|subject| subject.digest == digest);
            if at == repository && refers && name.starts_with("sha256:") && *name != fallback_tag(digest) {
                found.push(Descriptor {
                    media_type: media_type.clone(),
                    digest: Digest::of(bytes),
                    size: bytes.len() as u64,
                    artifact_type: Some(manifest.config.media_type.clone()),
                    annotations: manifest.annotations.clone(),
                    platform: None,
                });
            }
        }
        let size = if self.page == 0 { found.len().max(1) } else { self.page };
        let from = query.strip_prefix("from=").and_then(|text| text.parse().ok()).unwrap_or(0_usize);
        let next = (from + size < found.len())
            .then(|| format!(r#"</v2/{repository}/referrers/{digest}?from={}>; rel="next""#, from + size));
        let manifests = found.into_iter().skip(from).take(size).collect();
        let index = Index { schema_version: 2, media_type: Some(INDEX.to_owned()), manifests };
        let response = whole(StatusCode::OK, serde_json::to_vec(&index).unwrap_or_default().into());
        let response = header(response, "content-type", INDEX);
        match next {
            Some(link) => header(response, "link", &link),
            None => response,
        }
    }
}
