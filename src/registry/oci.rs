//! A real registry, over the OCI distribution protocol
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md>).
//!
//! Why requests are made here with `reqwest` and not with the `oci-client` crate: that one hides the answer's headers, so
//! that `Retry-After` cannot be obeyed; asks `/v2/` before each anonymous request; drops the token service's errors;
//! and can neither delete a tag nor use an identity token.

use std::path::PathBuf;

use async_trait::async_trait;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, LINK, LOCATION};
use reqwest::{Body, Method, RequestBuilder, Response, Url};
use serde::Deserialize;

use super::Registry;
use super::auth::{Access, Auth};
use super::manifest::{DOCKER_LIST, DOCKER_MANIFEST, Descriptor, Manifest, OCI_INDEX, OCI_MANIFEST};
use super::reference::{ImageRef, Repository, Target};
use crate::error::{Error, Result};
use crate::transport::{self, Answer, Failure, Limits, Subject, Transport};

/// The header that announces the digest of a manifest.
const CONTENT_DIGEST: &str = "docker-content-digest";

/// All registries that can be reached from here; the image says which one.
pub struct OciRegistry {
    transport: Transport,
    auth: Auth,
}

impl OciRegistry {
    /// A client with the logins of `docker_config` (see [`docker_config_dir`](super::docker_config_dir)), anonymous
    /// without one.
    ///
    /// # Errors
    /// The system's certificates cannot be loaded.
    pub fn new(docker_config: Option<PathBuf>, limits: Limits) -> Result<Self> {
        Ok(OciRegistry { transport: Transport::new(limits)?, auth: Auth::new(docker_config) })
    }

    /// One request to a manifest, answered in full.
    async fn to_manifest(
        &self,
        image: &ImageRef,
        method: Method,
        actions: &str,
        shape: impl Fn(RequestBuilder) -> RequestBuilder + Sync,
    ) -> Result<Answer> {
        let name = match &image.target {
            Target::Tag(tag) => tag,
            Target::Digest(digest) => digest.as_str(),
        };
        let url = url(&image.repository, &format!("manifests/{name}"))?;
        let access = access(&[(&image.repository, actions)]);
        let build = || shape(self.transport.request(method.clone(), url.clone()));
        self.transport
            .repeat(image, || async { transport::read(image, self.authorised(image, &access, &build).await?).await })
            .await
    }

    /// Sends a request with the authorisation that the registry wants, asking for it once where need be. A final 401 or
    /// 403 is an error; any other status is the caller's business.
    async fn authorised(
        &self,
        image: Subject<'_>,
        access: &Access,
        build: &(impl Fn() -> RequestBuilder + Sync),
    ) -> Result<Response, Failure> {
        let mut used = self.auth.header(&self.transport, image, access).await?;
        let mut response = transport::send(image, with(build(), used.as_ref())).await?;
        if response.status() == 401 {
            self.auth.challenged(access, response.headers(), used.as_ref()).await?;
            let fresh = self.auth.header(&self.transport, image, access).await?;
            if fresh.is_some() && fresh != used {
                used = fresh;
                response = transport::send(image, with(build(), used.as_ref())).await?;
            }
        }
        if matches!(response.status().as_u16(), 401 | 403) {
            let answer = transport::read(image, response).await?;
            return Err(self.auth.denied(image, access, &answer).await.into());
        }
        Ok(response)
    }

    /// Starts an upload to `to`, or mounts a blob of `from`: `None` where that was all, else where to send it.
    async fn start_upload(
        &self,
        to: &Repository,
        access: &Access,
        mount: Option<(&Repository, &Descriptor)>,
    ) -> Result<Option<Url>, Failure> {
        let mut url = url(to, "blobs/uploads/")?;
        if let Some((from, blob)) = mount {
            url.query_pairs_mut().append_pair("mount", blob.digest.as_str()).append_pair("from", from.path());
        }
        let build = || self.transport.request(Method::POST, url.clone()).header(CONTENT_LENGTH, 0);
        let response = self.authorised(to, access, &build).await?;
        match response.status().as_u16() {
            201 if mount.is_some() => Ok(None),
            202 => {
                let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
                let location = location.and_then(|text| url.join(text).ok()).filter(transport::is_allowed);
                let missing = || Error::remote(format!("{to}: the registry does not say where to upload to"));
                Ok(Some(location.ok_or_else(missing)?))
            }
            _ => Err(transport::refused(to, &transport::read(to, response).await?).into()),
        }
    }

    /// A request to the address of an upload. It gets the login only where it stays on the registry's own host.
    async fn to_upload(
        &self,
        to: &Repository,
        access: &Access,
        method: Method,
        location: &Url,
    ) -> Result<RequestBuilder, Failure> {
        let request = self.transport.request(method, location.clone());
        let home = url(to, "")?;
        match (home.host_str(), home.port_or_known_default()) == (location.host_str(), location.port_or_known_default())
        {
            true => Ok(with(request, self.auth.header(&self.transport, to, access).await?.as_ref())),
            false => Ok(request),
        }
    }

    /// One attempt to copy a blob; what is there is not copied.
    async fn try_copy(&self, from: &Repository, to: &Repository, blob: &Descriptor) -> Result<(), Failure> {
        let pull = access(&[(from, "pull")]);
        let mut push = access(&[(to, "pull,push")]);
        let there = url(to, &format!("blobs/{}", blob.digest))?;
        let head = self.authorised(to, &push, &|| self.transport.request(Method::HEAD, there.clone())).await?;
        match head.status().as_u16() {
            200 => return Ok(()),
            404 => {}
            _ => return Err(transport::refused(to, &transport::read(to, head).await?).into()),
        }

        let same_registry = from.registry() == to.registry();
        if same_registry {
            push = access(&[(to, "pull,push"), (from, "pull")]);
        }
        let Some(location) = self.start_upload(to, &push, same_registry.then_some((from, blob))).await? else {
            return Ok(());
        };
        let here = url(from, &format!("blobs/{}", blob.digest))?;
        let limit = self.transport.transfer_limit(blob.size);
        let get = || self.transport.request(Method::GET, here.clone()).timeout(limit);
        let source = self.authorised(from, &pull, &get).await?;
        if source.status() != 200 {
            return Err(transport::refused(from, &transport::read(from, source).await?).into());
        }
        // the registry compares what arrives with the digest
        let mut target = location;
        target.query_pairs_mut().append_pair("digest", blob.digest.as_str());
        let put = self.to_upload(to, &push, Method::PUT, &target).await?;
        let put = put.header(CONTENT_TYPE, "application/octet-stream").header(CONTENT_LENGTH, blob.size);
        let body = Body::wrap_stream(source.bytes_stream());
        let response = transport::send(to, put.timeout(limit).body(body)).await?;
        match response.status().as_u16() {
            201 | 204 => Ok(()),
            _ => Err(transport::refused(to, &transport::read(to, response).await?).into()),
        }
    }

    /// One page of the tags, and the address of the next.
    async fn tags_page(&self, repository: &Repository, page: &Url) -> Result<(Vec<String>, Option<Url>)> {
        #[derive(Deserialize)]
        struct Page {
            tags: Option<Vec<String>>,
        }
        let access = access(&[(repository, "pull")]);
        let build = || self.transport.request(Method::GET, page.clone());
        let read = || async { transport::read(repository, self.authorised(repository, &access, &build).await?).await };
        let answer = self.transport.repeat(repository, read).await?;
        match answer.status.as_u16() {
            404 if !transport::is_html(&answer.headers, &answer.body) => return Ok((Vec::new(), None)),
            200 if !transport::is_html(&answer.headers, &answer.body) => {}
            _ => return Err(transport::refused(repository, &answer)),
        }
        let listed: Page = serde_json::from_slice(&answer.body)
            .map_err(|error| Error::remote(format!("{repository}: the list of tags cannot be read: {error}")))?;
        // the next page is on the same registry, whatever the header says
        let next = next_page(&answer.headers).and_then(|link| page.join(&link).ok());
        let next = next.filter(|url| url.origin() == page.origin() && url != page);
        Ok((listed.tags.unwrap_or_default(), next))
    }
}

#[async_trait]
impl Registry for OciRegistry {
    async fn manifest(&self, image: &ImageRef) -> Result<Option<Manifest>> {
        let kinds = [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST].join(", ");
        let answer = self.to_manifest(image, Method::GET, "pull", |request| request.header(ACCEPT, &kinds)).await?;
        match answer.status.as_u16() {
            404 if !transport::is_html(&answer.headers, &answer.body) => return Ok(None),
            200 if !transport::is_html(&answer.headers, &answer.body) => {}
            _ => return Err(transport::refused(image, &answer)),
        }
        let announced = announced_digest(image, &answer.headers)?;
        if let Some(digest) = image.digest().or(announced.as_ref()).filter(|digest| !digest.matches(&answer.body)) {
            return Err(Error::remote(format!(
                "{image}: the registry sent {} bytes that do not have the digest {digest}",
                answer.body.len()
            ))
            .hint("nothing was changed; a proxy may have cut or altered the answer: try again"));
        }
        let media_type = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.map(|text| text.split(';').next().unwrap_or(text).trim().to_owned());
        let manifest = Manifest::parse(media_type.as_deref(), answer.body);
        manifest.map(Some).map_err(|why| {
            Error::remote(format!("{image}: {why}"))
                .hint("something else has pushed it: push it again with a current tool, or delete it")
        })
    }

    async fn put_manifest(&self, image: &ImageRef, manifest: &Manifest) -> Result<()> {
        let shape =
            |request: RequestBuilder| request.header(CONTENT_TYPE, &manifest.media_type).body(manifest.bytes.clone());
        let answer = self.to_manifest(image, Method::PUT, "pull,push", shape).await?;
        if !answer.status.is_success() {
            return Err(transport::refused(image, &answer));
        }
        match announced_digest(image, &answer.headers)? {
            Some(digest) if digest != manifest.digest => {
                Err(Error::remote(format!("{image}: the registry stored {digest} instead of {}", manifest.digest)))
            }
            _ => Ok(()),
        }
    }

    async fn delete_tag(&self, image: &ImageRef) -> Result<bool> {
        if image.tag().is_none() {
            return Err(Error::usage(format!("{image} is not a tag: what it names may be in use under others")));
        }
        let answer = self.to_manifest(image, Method::DELETE, "delete", |request| request).await?;
        match answer.status.as_u16() {
            200..=299 => Ok(true),
            // gone already, or an address that this registry does not have
            404 => Ok(self.manifest(image).await?.is_none()),
            // what the specification wants of a registry without this
            400 | 405 => Ok(false),
            _ => Err(transport::refused(image, &answer)),
        }
    }

    async fn tags(&self, repository: &Repository) -> Result<Vec<String>> {
        let mut all = Vec::new();
        let mut page = Some(url(repository, "tags/list?n=1000")?);
        while let Some(url) = page {
            let (tags, next) = self.tags_page(repository, &url).await?;
            // a registry whose pages are empty for ever is not followed
            page = next.filter(|_| !tags.is_empty());
            all.extend(tags);
        }
        all.sort();
        all.dedup();
        Ok(all)
    }

    async fn blob(&self, repository: &Repository, blob: &Descriptor) -> Result<Vec<u8>> {
        let image = repository.digest(&blob.digest);
        let url = url(repository, &format!("blobs/{}", blob.digest))?;
        let access = access(&[(repository, "pull")]);
        let build = || self.transport.request(Method::GET, url.clone());
        let read = || async { transport::read(&image, self.authorised(&image, &access, &build).await?).await };
        let answer = self.transport.repeat(&image, read).await?;
        if answer.status != 200 {
            return Err(transport::refused(&image, &answer));
        }
        match blob.digest.matches(&answer.body) {
            true => Ok(answer.body),
            false => Err(Error::remote(format!("{image}: the registry sent a blob that does not have this digest"))),
        }
    }

    async fn copy_blob(&self, from: &Repository, to: &Repository, blob: &Descriptor) -> Result<()> {
        let limit = self.transport.transfer_limit(blob.size);
        self.transport.repeat_within(limit, to, || self.try_copy(from, to, blob)).await
    }

    async fn check_push(&self, repository: &Repository) -> Result<()> {
        let access = access(&[(repository, "pull,push")]);
        let started = self.transport.repeat(repository, || self.start_upload(repository, &access, None));
        if let Some(location) = started.await? {
            // an upload that is not cancelled expires by itself
            if let Ok(request) = self.to_upload(repository, &access, Method::DELETE, &location).await {
                let _cancelled = request.send().await;
            }
        }
        Ok(())
    }
}

/// The address of something in a repository: plain HTTP on this machine, HTTPS elsewhere.
fn url(repository: &Repository, rest: &str) -> Result<Url> {
    let host = match repository.registry() {
        "docker.io" => "registry-1.docker.io",
        host => host,
    };
    let text = format!("http://{host}/v2/{}/{rest}", repository.path());
    let bad = |why: String| Error::usage(format!("{repository}: {why}"));
    let plain = Url::parse(&text).map_err(|error| bad(error.to_string()))?;
    match transport::is_loopback(&plain) {
        true => Ok(plain),
        false => Url::parse(&text.replacen("http:", "https:", 1)).map_err(|error| bad(error.to_string())),
    }
}

/// What a request to these repositories of one registry needs.
fn access(needs: &[(&Repository, &str)]) -> Access {
    let registry = needs.first().map(|(repository, _)| repository.registry().to_owned()).unwrap_or_default();
    let scopes = needs.iter().map(|(repository, actions)| format!("repository:{}:{actions}", repository.path()));
    Access { registry, scopes: scopes.collect() }
}

fn with(request: RequestBuilder, header: Option<&reqwest::header::HeaderValue>) -> RequestBuilder {
    match header {
        Some(header) => request.header(AUTHORIZATION, header),
        None => request,
    }
}

/// The digest that an answer announces, if it announces one.
fn announced_digest(image: &ImageRef, headers: &HeaderMap) -> Result<Option<super::Digest>> {
    let Some(value) = headers.get(CONTENT_DIGEST) else { return Ok(None) };
    let text = String::from_utf8_lossy(value.as_bytes());
    text.parse().map(Some).map_err(|_| Error::remote(format!("{image}: the registry announces the digest `{text}`")))
}

/// The address in `Link: <address>; rel="next"`.
fn next_page(headers: &HeaderMap) -> Option<String> {
    let link = headers.get(LINK)?.to_str().ok()?;
    let (address, relation) = link.strip_prefix('<')?.split_once('>')?;
    relation.contains("next").then(|| address.to_owned())
}
