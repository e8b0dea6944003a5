//! git's smart HTTP protocol over the bare repositories in a directory: `git http-backend` behind axum, with the
//! troubles of real servers on demand.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test file uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header, response};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine;
use tokio::io::AsyncWriteExt;

/// What the server does beside serving; changed between requests through [`Options::set`].
#[derive(Default)]
pub struct Behaviour {
    /// Who does not show this token is asked for it.
    pub token: Option<String>,
    /// Who shows nothing is asked for a token, and any will do.
    pub asks: bool,
    /// Requests whose line has this text are answered with this status.
    pub status: Option<(&'static str, u16)>,
    /// Requests whose line has this text are never answered.
    pub hang: Option<&'static str>,
    /// Requests whose line has this text are answered with a byte now and then, for ever.
    pub trickle: Option<&'static str>,
    /// All requests are sent to this base URL.
    pub redirect: Option<String>,
    /// Runs once, after a push was negotiated and before it is carried out.
    pub before_push: Option<Box<dyn FnOnce() + Send>>,
    /// The push is carried out, and its report lost.
    pub lose_report: bool,
    /// Every request so far.
    pub seen: Vec<Seen>,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Method, path and query: `GET /a/b.git/info/refs?service=git-upload-pack`.
    pub line: String,
    /// What the client showed.
    pub authorization: Option<String>,
}

/// The behaviour of one server, shared with the test.
#[derive(Default, Clone)]
pub struct Options(Arc<Mutex<Behaviour>>);

impl Options {
    /// The behaviour, to look at or to change.
    pub fn set(&self) -> MutexGuard<'_, Behaviour> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the requests so far showed, without those that showed nothing.
    pub fn shown(&self) -> Vec<String> {
        self.set().seen.iter().filter_map(|seen| seen.authorization.clone()).collect()
    }
}

/// What git clients show for `token`.
pub fn basic(token: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("x-access-token:{token}")))
}

/// Routes of the repositories `{root}/{owner}/{name}`, to be served alone or merged with others.
pub fn router(root: &Path, options: &Options) -> Router {
    let serve = {
        let (root, options) = (root.to_owned(), options.clone());
        move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            answer(root.clone(), options.clone(), method, uri, headers, body)
        }
    };
    Router::new()
        .route("/{owner}/{name}/info/refs", get(serve.clone()))
        .route("/{owner}/{name}/git-upload-pack", post(serve.clone()))
        .route("/{owner}/{name}/git-receive-pack", post(serve))
}

/// A router, served on a free port of this machine until it is dropped.
pub struct Server {
    /// `http://127.0.0.1:port`, without a slash.
    pub url: String,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    /// Starts to serve `router`.
    pub fn start(router: Router) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async { axum::serve(listener, router).await.unwrap() });
        Server { url, runtime: Some(runtime) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // a request that hangs on purpose must not be waited for
        self.runtime.take().unwrap().shutdown_background();
    }
}

async fn answer(
    root: PathBuf,
    options: Options,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let line = format!("{method} {uri}");
    let text = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let authorization = text(header::AUTHORIZATION);
    let is = |part: &Option<&'static str>| part.is_some_and(|part| line.contains(part));
    let (hangs, trickles, before_push, lose_report) = {
        let mut behaviour = options.set();
        behaviour.seen.push(Seen { line: line.clone(), authorization: authorization.clone() });
        if let Some(base) = &behaviour.redirect {
            let location = format!("{base}{uri}");
            return plain(302).header(header::LOCATION, location).body(Body::empty()).unwrap();
        }
        let refused = behaviour.token.as_deref().is_some_and(|token| authorization != Some(basic(token)));
        if refused || (behaviour.asks && authorization.is_none()) {
            return plain(401).header(header::WWW_AUTHENTICATE, "Basic realm=\"GitHub\"").body(Body::empty()).unwrap();
        }
        if let Some((_, status)) = behaviour.status.filter(|(part, _)| line.contains(part)) {
            return plain(status).body(Body::empty()).unwrap();
        }
        let pushes = line.starts_with("POST") && line.contains("git-receive-pack");
        let before_push = if pushes { behaviour.before_push.take() } else { None };
        (is(&behaviour.hang), is(&behaviour.trickle), before_push, pushes && behaviour.lose_report)
    };
    if hangs {
        std::future::pending::<()>().await;
    }
    if trickles {
        return trickle();
    }
    if let Some(before_push) = before_push {
        tokio::task::spawn_blocking(before_push).await.unwrap();
    }
    let mut backend = tokio::process::Command::new("git");
    backend
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("REMOTE_USER", "x-access-token")
        .env("REQUEST_METHOD", method.as_str())
        .env("PATH_INFO", uri.path())
        .env("QUERY_STRING", uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", text(header::CONTENT_TYPE).unwrap_or_default())
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", text(header::CONTENT_ENCODING).unwrap_or_default());
    let mut process = backend.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let feed = tokio::spawn(async move {
        // a backend that refuses does not read to the end
        let _ = stdin.write_all(&body).await;
    });
    let output = process.wait_with_output().await.unwrap();
    feed.await.unwrap();
    match lose_report {
        true => plain(502).body(Body::empty()).unwrap(),
        false => from_cgi(&output.stdout),
    }
}

fn plain(status: u16) -> response::Builder {
    Response::builder().status(StatusCode::from_u16(status).unwrap())
}

/// A CGI program's output (RFC 3875, section 6): headers, `Status` among them, and the body.
fn from_cgi(output: &[u8]) -> Response {
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let headers = std::str::from_utf8(&output[..end]).unwrap().lines().map(|line| line.split_once(": ").unwrap());
    let mut response = plain(200);
    for (name, value) in headers {
        response = match name {
            "Status" => response.status(value.split(' ').next().unwrap()),
            _ => response.header(name, value),
        };
    }
    response.body(Body::from(output[end + 4..].to_owned())).unwrap()
}

/// A body that never ends: each read of it succeeds.
fn trickle() -> Response {
    let bytes = futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        Some((Ok::<_, std::convert::Infallible>(Bytes::from_static(b"0")), ()))
    });
    let response = plain(200).header(header::CONTENT_TYPE, "application/x-git-upload-pack-advertisement");
    response.body(Body::from_stream(bytes)).unwrap()
}
