//! HTTPS, certificates and proxies. Names cannot be resolved here, so a proxy stands in for the world.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::fake::FakeRegistry;
use crate::place::Place;

const HOST: &str = "registry.example.com";

/// A proxy that answers for `registry.example.com` itself, with a certificate of its own authority.
struct Proxy {
    address: String,
    /// The authority's certificate, as PEM.
    authority: String,
    /// The first line of each request.
    seen: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn before(registry: &FakeRegistry) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (authority, acceptor) = certificates();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (lines, behind) = (Arc::clone(&seen), registry.host.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, acceptor.clone(), behind.clone(), Arc::clone(&lines)));
            }
        });
        Proxy { address, authority, seen }
    }
}

/// Answers CONNECT, ends TLS, and passes everything on to `behind`.
async fn serve(mut client: TcpStream, tls: tokio_rustls::TlsAcceptor, behind: String, seen: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    let line = String::from_utf8_lossy(&head).lines().next().unwrap().to_owned();
    seen.lock().unwrap().push(line);
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    // a client that does not trust the certificate hangs up
    let Ok(mut client) = tls.accept(client).await else { return };
    let mut registry = TcpStream::connect(behind).await.unwrap();
    let _closed = tokio::io::copy_bidirectional(&mut client, &mut registry).await;
}

fn certificates() -> (String, tokio_rustls::TlsAcceptor) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec![HOST.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    (authority_certificate.pem(), Arc::new(config).into())
}

/// Creates `v2` of `v1` on `host`.
async fn create(host: &str, proxy: &str, certificates: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gs-release"));
    for name in
        ["NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "SSL_CERT_DIR"]
    {
        command.env_remove(name);
    }
    command.env("HTTPS_PROXY", format!("http://{proxy}")).env("HTTP_PROXY", format!("http://{proxy}"));
    command.env("SSL_CERT_FILE", certificates).env("DOCKER_CONFIG", "/nonexistent");
    command.args(["manifest", "create", &format!("{host}/g/app:v2"), &format!("{host}/g/app:v1")]);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

async fn registry() -> FakeRegistry {
    let fake = FakeRegistry::start();
    let place = Place::at(&fake.host);
    place.push(&place.repository("g/app").tag("v1").unwrap(), "amd64", "content").await;
    fake
}

#[tokio::test]
async fn https_goes_through_the_proxy_and_trusts_the_certificates_of_ssl_cert_file() {
    let fake = registry().await;
    let proxy = Proxy::before(&fake).await;
    let directory = tempfile::tempdir().unwrap();
    let trusted = directory.path().join("authority.pem");
    std::fs::write(&trusted, &proxy.authority).unwrap();
    let output = create(HOST, &proxy.address, &trusted).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(fake.manifest("g/app", "v2").is_some());
    assert_eq!(proxy.seen.lock().unwrap()[0], format!("CONNECT {HOST}:443 HTTP/1.1"));
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_with_what_to_do() {
    let fake = registry().await;
    let proxy = Proxy::before(&fake).await;
    let directory = tempfile::tempdir().unwrap();
    let other = directory.path().join("other.pem");
    std::fs::write(&other, certificates().0).unwrap();
    let output = create(HOST, &proxy.address, &other).await;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(told.contains("invalid peer certificate") && told.contains("SSL_CERT_FILE"), "{told}");
    assert_eq!(proxy.seen.lock().unwrap().len(), 1, "trying again does not help");
}

#[tokio::test]
async fn a_registry_on_this_machine_is_asked_without_a_proxy() {
    let fake = registry().await;
    let output = create(&fake.host, "127.0.0.1:1", Path::new("/etc/ssl/certs/ca-certificates.crt")).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
