//! The smallest image that a registry takes, laid out in a folder (OCI image layout, version 1.0.0).

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Makes an image with one layer, which holds one file with this text; returns what skopeo calls it.
pub fn make(folder: &Path, text: &str) -> String {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("a folder can be made");
    let tar = tar("hello.txt", text.as_bytes());
    let layer = blob(&blobs, &tar, "application/vnd.oci.image.layer.v1.tar");
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [digest(&tar)] },
    });
    let config = blob(&blobs, config.to_string().as_bytes(), "application/vnd.oci.image.config.v1+json");
    let manifest = "application/vnd.oci.image.manifest.v1+json";
    let text = json!({ "schemaVersion": 2, "mediaType": manifest, "config": config, "layers": [layer] }).to_string();
    let mut index = blob(&blobs, text.as_bytes(), manifest);
    index["annotations"] = json!({ "org.opencontainers.image.ref.name": "latest" });
    write(folder.join("index.json"), json!({ "schemaVersion": 2, "manifests": [index] }).to_string().as_bytes());
    write(folder.join("oci-layout"), json!({ "imageLayoutVersion": "1.0.0" }).to_string().as_bytes());
    format!("oci:{}:latest", folder.display())
}

/// Lays it down under its digest and describes it.
fn blob(blobs: &Path, bytes: &[u8], media_type: &str) -> Value {
    let digest = digest(bytes);
    write(blobs.join(&digest["sha256:".len()..]), bytes);
    json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold("sha256:".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes everything");
        text
    })
}

fn write(path: PathBuf, bytes: &[u8]) {
    fs::write(path, bytes).expect("a file can be written");
}

/// An archive with one file (POSIX ustar): a header, the content, and two empty blocks.
fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    let size = format!("{:011o}", content.len());
    for (at, field) in [
        (0, name),
        (100, "0000644"),
        (108, "0000000"),
        (116, "0000000"),
        (124, &size),
        (136, "00000000000"),
        (148, "        "),
        (156, "0"),
        (257, "ustar"),
        (263, "00"),
    ] {
        header[at..at + field.len()].copy_from_slice(field.as_bytes());
    }
    // Summed up while its own place holds spaces.
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = [&header, content].concat();
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}
