//! A registry in this process that speaks the distribution protocol, and misbehaves where it is told to.
#![allow(clippy::unwrap_used, dead_code, reason = "a helper that cannot go on has failed the test")]

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gs_release::registry::Digest;
use serde_json::{Value, json};

/// What a registry does to a request instead of answering it.
#[derive(Clone)]
pub enum Fault {
    /// Another answer: status, headers, body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// No answer, ever.
    Hang,
    /// The connection is closed before the answer.
    Drop,
    /// The connection is closed in the middle of the answer's body.
    Cut,
    /// The right answer, with its bytes changed by this.
    Bytes(fn(Vec<u8>) -> Vec<u8>),
    /// The right answer, with a header changed.
    Header(&'static str, &'static str),
}

impl Fault {
    /// A status with an error in the distribution specification's format.
    pub fn status(status: u16, code: &str, message: &str) -> Self {
        let body = json!({"errors": [{"code": code, "message": message}]});
        Fault::Answer(status, Vec::new(), body.to_string().into_bytes())
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: Method,
    /// Path and query.
    pub uri: String,
    pub authorization: Option<String>,
}

/// How clients have to log in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Login {
    None,
    /// `me` and `secret`.
    Basic,
    /// A token, which `me` and `secret` or the identity token `refresh` buy.
    Token,
}

/// The running registry. It answers until the test program ends.
#[derive(Clone)]
pub struct FakeRegistry {
    /// Address and port.
    pub host: String,
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<Inside>,
    arrived: Condvar,
}

struct Inside {
    login: Login,
    /// Tokens of another generation are refused.
    generation: u32,
    faults: Vec<(Method, String, u32, Fault)>,
    seen: Vec<Seen>,
    manifests: HashMap<String, BTreeMap<String, (String, Vec<u8>)>>,
    blobs: HashMap<String, HashMap<String, Vec<u8>>>,
}

impl FakeRegistry {
    /// Starts one on a free port, on a thread of its own.
    pub fn start() -> Self {
        let inside = Inside {
            login: Login::None,
            generation: 0,
            faults: Vec::new(),
            seen: Vec::new(),
            manifests: HashMap::new(),
            blobs: HashMap::new(),
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let registry = FakeRegistry { host, inner: Arc::new(Inner { state: inside.into(), arrived: Condvar::new() }) };
        let router = axum::Router::new().fallback(answer).with_state(registry.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), router).await.unwrap();
            });
        });
        registry
    }

    /// Asks for a login from now on.
    pub fn require(&self, login: Login) {
        self.lock().login = login;
    }

    /// Refuses every token that was given out.
    pub fn expire_tokens(&self) {
        self.lock().generation += 1;
    }

    /// Misbehaves for the next `times` requests of this method whose path and query contain `part`.
    pub fn fail(&self, times: u32, method: Method, part: &str, fault: Fault) {
        self.lock().faults.push((method, part.to_owned(), times, fault));
    }

    /// Behaves again.
    pub fn behave(&self) {
        self.lock().faults.clear();
    }

    /// Whether there are faults that no request has met yet.
    pub fn is_failing(&self) -> bool {
        self.lock().faults.iter().any(|(_, _, times, _)| *times > 0)
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.lock().seen.clear();
    }

    /// Waits until `count` requests that change something have arrived: false if their maker is done before.
    pub fn wait_for_writes(&self, count: usize, mut is_done: impl FnMut() -> bool) -> bool {
        let mut inside = self.lock();
        while inside.seen.iter().filter(|seen| ![Method::GET, Method::HEAD].contains(&seen.method)).count() < count {
            if is_done() {
                return false;
            }
            inside = self.inner.arrived.wait_timeout(inside, Duration::from_millis(5)).unwrap().0;
        }
        true
    }

    /// The bytes behind a tag or digest.
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<Vec<u8>> {
        self.lock().manifests.get(repository)?.get(reference).map(|(_, bytes)| bytes.clone())
    }

    /// Deletes a tag, or a manifest by its digest whatever refers to it.
    pub fn delete(&self, repository: &str, reference: &str) {
        self.lock().manifests.get_mut(repository).unwrap().remove(reference).unwrap();
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inner.state.lock().unwrap()
    }
}

async fn answer(State(registry): State<FakeRegistry>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default().to_vec();
    let uri = parts.uri.to_string();
    let authorization = parts.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let fault = {
        let mut inside = registry.lock();
        inside.seen.push(Seen { method: parts.method.clone(), uri: uri.clone(), authorization: authorization.clone() });
        registry.inner.arrived.notify_all();
        let found = inside
            .faults
            .iter_mut()
            .find(|(method, part, times, _)| *times > 0 && *method == parts.method && uri.contains(part.as_str()));
        found.map(|(_, _, times, fault)| {
            *times -= 1;
            fault.clone()
        })
    };
    match fault {
        None => {}
        Some(Fault::Hang) => std::future::pending().await,
        // hyper closes the connection of a handler that unwinds
        Some(Fault::Drop) => std::panic::resume_unwind(Box::new(())),
        Some(Fault::Answer(status, headers, body)) => {
            let mut builder = Response::builder().status(status);
            for (name, value) in headers {
                builder = builder.header(name, value);
            }
            return builder.body(body.into()).unwrap();
        }
        Some(Fault::Cut) => {
            let right = registry.lock().right(&registry.host, &parts.method, &uri, &parts.headers, body);
            let (parts, body) = right.into_parts();
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let half: Vec<Result<Vec<u8>, &str>> = vec![Ok(bytes[..bytes.len() / 2].to_vec()), Err("cut off")];
            return Response::from_parts(parts, Body::from_stream(futures_util::stream::iter(half)));
        }
        Some(Fault::Bytes(change)) => {
            let right = registry.lock().right(&registry.host, &parts.method, &uri, &parts.headers, body);
            let (parts, body) = right.into_parts();
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            return Response::from_parts(parts, change(bytes.to_vec()).into());
        }
        Some(Fault::Header(name, value)) => {
            let mut right = registry.lock().right(&registry.host, &parts.method, &uri, &parts.headers, body);
            right.headers_mut().insert(name, value.parse().unwrap());
            return right;
        }
    }
    registry.lock().right(&registry.host, &parts.method, &uri, &parts.headers, body)
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    (status, json!({"errors": [{"code": code, "message": message}]}).to_string()).into_response()
}

fn digest_header(digest: &str) -> [(&'static str, String); 1] {
    [("docker-content-digest", digest.to_owned())]
}

impl Inside {
    /// What the specification wants.
    fn right(&mut self, host: &str, method: &Method, uri: &str, headers: &HeaderMap, body: Vec<u8>) -> Response {
        let url = reqwest::Url::parse(&format!("http://{host}{uri}")).unwrap();
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let authorization = headers.get("authorization").map(|value| value.to_str().unwrap()).unwrap_or_default();
        if url.path() == "/token" {
            return self.token(&url, authorization, &body);
        }
        if let Some(refused) = self.refused(host, method, authorization) {
            return refused;
        }
        let path = url.path().strip_prefix("/v2/").unwrap_or_default();
        if let Some((repository, reference)) = path.split_once("/manifests/") {
            let media_type = headers.get("content-type").map(|value| value.to_str().unwrap()).unwrap_or_default();
            return self.manifests(method, repository, reference, media_type, body);
        }
        if let Some((repository, rest)) = path.split_once("/blobs/") {
            return self.blobs(method, repository, rest, &query, body);
        }
        if let Some(repository) = path.strip_suffix("/tags/list") {
            let all = self.manifests.get(repository).into_iter().flatten().map(|(name, _)| name);
            let after = query.get("last").map(String::as_str).unwrap_or_default();
            let mut tags = all.filter(|name| !name.contains(':') && name.as_str() > after);
            // small pages, so that clients have to turn them
            let page: Vec<&String> = tags.by_ref().take(2).collect();
            let next = page.last().filter(|_| tags.next().is_some());
            let mut answer = json!({"tags": page}).to_string().into_response();
            if let Some(last) = next {
                let link = format!("</v2/{repository}/tags/list?last={last}>; rel=\"next\"");
                answer.headers_mut().insert("link", link.parse().unwrap());
            }
            return answer;
        }
        error(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "no such address")
    }

    fn refused(&self, host: &str, method: &Method, authorization: &str) -> Option<Response> {
        let wants = match self.login {
            Login::None => return None,
            Login::Basic if authorization == basic("me", "secret") => return None,
            Login::Basic => "Basic realm=\"registry\"".to_owned(),
            Login::Token => {
                let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
                let (generation, scopes) = token.split_once('|').unwrap_or_default();
                let action = if [Method::GET, Method::HEAD].contains(method) { "pull" } else { "push" };
                if generation == self.generation.to_string() && (scopes.contains(action) || *method == Method::DELETE) {
                    return None;
                }
                format!("Bearer realm=\"http://{host}/token\",service=\"fake\"")
            }
        };
        let mut refused = error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required");
        refused.headers_mut().insert("www-authenticate", wants.parse().unwrap());
        Some(refused)
    }

    /// The token service. The token says what it is good for, so that a client has to ask for the right one.
    fn token(&self, url: &reqwest::Url, authorization: &str, body: &[u8]) -> Response {
        let form = reqwest::Url::parse(&format!("http://x/?{}", String::from_utf8_lossy(body))).unwrap();
        let fields: Vec<(String, String)> =
            url.query_pairs().into_owned().chain(form.query_pairs().into_owned()).collect();
        let knows = |name: &str, value: &str| fields.iter().any(|(n, v)| n == name && v == value);
        let may = authorization == basic("me", "secret") || knows("refresh_token", "refresh");
        if !may || !knows("service", "fake") {
            return (StatusCode::UNAUTHORIZED, json!({"details": "incorrect username or password"}).to_string())
                .into_response();
        }
        let scopes: Vec<&str> = fields.iter().filter(|(name, _)| name == "scope").map(|(_, scope)| &**scope).collect();
        json!({"token": format!("{}|{}", self.generation, scopes.join(" ")), "expires_in": 300})
            .to_string()
            .into_response()
    }

    fn manifests(
        &mut self,
        method: &Method,
        repository: &str,
        reference: &str,
        media_type: &str,
        body: Vec<u8>,
    ) -> Response {
        let unknown = || error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown");
        match *method {
            Method::GET => match self.manifests.get(repository).and_then(|manifests| manifests.get(reference)) {
                None => unknown(),
                Some((media_type, bytes)) => {
                    let digest = Digest::of(bytes).to_string();
                    let media_type = [("content-type", media_type.clone())];
                    (media_type, digest_header(&digest), bytes.clone()).into_response()
                }
            },
            Method::PUT => {
                if let Some(lacking) = self.lacking(repository, &body) {
                    return error(StatusCode::BAD_REQUEST, "MANIFEST_BLOB_UNKNOWN", &format!("unknown: {lacking}"));
                }
                let digest = Digest::of(&body).to_string();
                let manifests = self.manifests.entry(repository.to_owned()).or_default();
                for name in [reference.to_owned(), digest.clone()] {
                    manifests.insert(name, (media_type.to_owned(), body.clone()));
                }
                (StatusCode::CREATED, digest_header(&digest)).into_response()
            }
            Method::DELETE => match self.manifests.get_mut(repository).and_then(|all| all.remove(reference)) {
                Some(_) => StatusCode::ACCEPTED.into_response(),
                None => unknown(),
            },
            _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        }
    }

    /// A part of the manifest `body` that this repository does not have.
    fn lacking(&self, repository: &str, body: &[u8]) -> Option<String> {
        let document: Value = serde_json::from_slice(body).unwrap();
        let (manifests, blobs) = (self.manifests.get(repository), self.blobs.get(repository));
        let list = |name: &str| document[name].as_array().cloned().unwrap_or_default();
        let digests = |all: Vec<Value>| all.into_iter().map(|one| one["digest"].as_str().unwrap().to_owned());
        let config = document.get("config").cloned().into_iter().collect();
        let mut lacking = digests(list("manifests")).filter(|d| !manifests.is_some_and(|all| all.contains_key(d)));
        let parts = digests(list("layers")).chain(digests(config));
        lacking.next().or(parts.into_iter().find(|digest| !blobs.is_some_and(|all| all.contains_key(digest))))
    }

    fn blobs(
        &mut self,
        method: &Method,
        repository: &str,
        rest: &str,
        query: &HashMap<String, String>,
        body: Vec<u8>,
    ) -> Response {
        let location = [("location", format!("/v2/{repository}/blobs/uploads/1"))];
        match (method.as_str(), rest.strip_prefix("uploads/")) {
            ("POST", Some("")) => {
                let wanted = query.get("mount").zip(query.get("from"));
                let found =
                    wanted.and_then(|(digest, from)| Some((digest, self.blobs.get(from)?.get(digest)?.clone())));
                match found {
                    None => (StatusCode::ACCEPTED, location).into_response(),
                    Some((digest, bytes)) => {
                        self.blobs.entry(repository.to_owned()).or_default().insert(digest.clone(), bytes);
                        StatusCode::CREATED.into_response()
                    }
                }
            }
            ("PUT", Some(_)) if Digest::of(&body).as_str() == query["digest"] => {
                self.blobs.entry(repository.to_owned()).or_default().insert(query["digest"].clone(), body);
                StatusCode::CREATED.into_response()
            }
            ("PUT", Some(_)) => error(StatusCode::BAD_REQUEST, "DIGEST_INVALID", "content does not match the digest"),
            ("DELETE", Some(_)) => StatusCode::NO_CONTENT.into_response(),
            ("GET" | "HEAD", None) => match self.blobs.get(repository).and_then(|blobs| blobs.get(rest)) {
                Some(bytes) => bytes.clone().into_response(),
                None => error(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "blob unknown"),
            },
            _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        }
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
