//! Certificates and proxies, which come from the environment: each case runs in a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;

use gs_release::github::{GitHub, Settings};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::{REPOSITORY, limits, name, rights, token};

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/github/keys");
const REPLY: &str =
    "HTTP/1.1 404 Not Found\r\ncontent-length: 23\r\nconnection: close\r\n\r\n{\"message\":\"Not Found\"}";

/// Looks for a branch at `api_url` with these environment variables set; what came of it, in one line.
fn look_with(api_url: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.args(["--exact", "tls::in_a_process_of_its_own", "--ignored", "--nocapture"]);
    command.env("GITHUB_API_URL", api_url).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| line.split_once("told: ")).map(|(_, told)| told.to_owned()).unwrap_or(text)
}

#[tokio::test]
#[ignore = "a part of the tests around it"]
#[expect(clippy::print_stdout, reason = "read by the test that started this process")]
async fn in_a_process_of_its_own() {
    let api_url = std::env::var("GITHUB_API_URL").unwrap();
    let limits = gs_release::github::Limits { attempts: 1, ..limits() };
    let settings = Settings { server_url: api_url.clone(), api_url, credentials: token("ghp_octocat"), limits };
    let found = match GitHub::connect(&settings, &name(REPOSITORY), &rights()).await {
        Ok(github) => github.repository(&name(REPOSITORY)).branch("main").await,
        Err(error) => Err(error),
    };
    match found {
        Ok(branch) => println!("told: {branch:?}"),
        Err(error) => println!("told: {}; {}", error.message, error.hints.join("; ")),
    }
}

/// A TLS server whose certificate is signed by `keys/ca.pem`; answers every call with 404.
fn tls_server() -> String {
    let certificate = CertificateDer::from_pem_file(format!("{KEYS}/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(format!("{KEYS}/server-key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, socket.unwrap());
            if stream.read(&mut [0; 8192]).is_ok() {
                stream.write_all(REPLY.as_bytes()).unwrap();
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    format!("https://127.0.0.1:{}", address.port())
}

/// A proxy that refuses every call, and gives what it was asked.
fn proxy() -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket: TcpStream = socket.unwrap();
            let lines = BufReader::new(socket.try_clone().unwrap()).lines().map_while(Result::ok);
            let request: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            asked.send(request.join("\n")).unwrap();
            socket.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").unwrap();
        }
    });
    (format!("http://{address}"), heard)
}

#[test]
fn ssl_cert_file_is_what_certificates_are_judged_by() {
    let server = tls_server();
    let bundle = format!("{KEYS}/ca.pem");
    assert_eq!(look_with(&server, &[("SSL_CERT_FILE", &bundle)]), "None");
    // An authority that did not sign it.
    let told = look_with(&server, &[("SSL_CERT_FILE", &format!("{KEYS}/server.pem"))]);
    assert!(told.contains("certificate") && told.contains("point SSL_CERT_FILE at its bundle"), "{told}");
}

#[test]
fn the_proxy_of_the_environment_is_asked_and_never_sees_the_token() {
    let (proxy, heard) = proxy();
    let bundle = format!("{KEYS}/ca.pem");
    let variables = [("HTTPS_PROXY", proxy.as_str()), ("SSL_CERT_FILE", &bundle)];
    let told = look_with("https://github.example.com/api/v3", &variables);
    assert!(told.contains("HTTPS_PROXY"), "{told}");
    let request = heard.recv().unwrap();
    assert!(request.starts_with("CONNECT github.example.com:443 "), "{request}");
    assert!(!request.contains("ghp_octocat"), "{request}");
}

#[test]
fn no_proxy_names_what_is_reached_directly() {
    let (proxy, heard) = proxy();
    let bundle = format!("{KEYS}/ca.pem");
    let variables = [("HTTPS_PROXY", proxy.as_str()), ("NO_PROXY", "127.0.0.1"), ("SSL_CERT_FILE", &bundle)];
    assert_eq!(look_with(&tls_server(), &variables), "None");
    assert!(heard.try_recv().is_err());
}
