//! Registries to test against: Debian's `docker-registry` in a process of its own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    dead_code,
    reason = "a helper that cannot go on has failed the test"
)]

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gs_release::registry::Digest;

/// Debian's `docker-registry` on a free port, with a directory that goes away with it.
pub struct RealRegistry {
    /// Address and port.
    pub host: String,
    process: Child,
    _directory: tempfile::TempDir,
}

impl RealRegistry {
    /// Starts one; says so and gives nothing where it is not installed.
    pub async fn start() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let config = directory.path().join("config.yml");
        let storage = directory.path().join("storage");
        std::fs::write(
            &config,
            format!(
                "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
                 storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\nhttp: {{addr: '{host}'}}\n",
                storage.display()
            ),
        )
        .unwrap();
        let started = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let process = match started {
            Ok(process) => process,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                eprintln!("SKIPPED: docker-registry is not installed, so no real registry was asked");
                return None;
            }
            Err(error) => panic!("docker-registry: {error}"),
        };
        let registry = RealRegistry { host, process, _directory: directory };
        for _ in 0..400 {
            if tokio::net::TcpStream::connect(&registry.host).await.is_ok() {
                return Some(registry);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("docker-registry does not answer on {}", registry.host);
    }
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Uploads a blob in the two steps of the distribution specification.
pub async fn upload(host: &str, path: &str, bytes: Vec<u8>) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let started = http.post(format!("http://{host}/v2/{path}/blobs/uploads/")).send().await.unwrap();
    let mut location = started.url().join(started.headers()["location"].to_str().unwrap()).unwrap();
    location.query_pairs_mut().append_pair("digest", Digest::of(&bytes).as_str());
    let stored = http.put(location).body(bytes).send().await.unwrap();
    assert_eq!(stored.status(), 201);
}
