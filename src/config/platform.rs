//! What an image is built for, as the OCI image index and Docker write it.

use std::fmt;
use std::str::FromStr;

use super::names::{all, refuse};
use crate::error::{Error, Result};

/// `os/arch` or `os/arch/variant`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// `amd64`.
    pub arch: String,
    /// `v7`.
    pub variant: Option<String>,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.arch)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = Error;

    /// Reads `os/arch` or `os/arch/variant`.
    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let is_word = |part: &&str| all(part, |b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let (os, arch, variant) = match parts[..] {
            [os, arch] if parts.iter().all(is_word) => (os, arch, None),
            [os, arch, variant] if parts.iter().all(is_word) => (os, arch, Some(variant)),
            _ => {
                let arch = go_architecture(parts.last().copied().unwrap_or_default());
                let hint = arch.map_or("linux/arm64 is one".into(), |arch| format!("write `linux/{arch}`"));
                return refuse(format!("`{text}` is not a platform: os/architecture"), hint);
            }
        };
        if let Some(known) = go_architecture(arch).filter(|known| *known != arch) {
            return refuse(format!("`{text}` is not a platform of images"), format!("write `{os}/{known}`"));
        }
        Ok(Platform { os: os.into(), arch: arch.into(), variant: variant.map(Into::into) })
    }
}

/// What images call an architecture that the kernel, or a person, calls otherwise.
fn go_architecture(name: &str) -> Option<&'static str> {
    match name {
        "amd64" | "x86_64" | "x86-64" | "x64" => Some("amd64"),
        "arm64" | "aarch64" => Some("arm64"),
        _ => None,
    }
}
