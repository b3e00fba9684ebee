//! Container registries: how one is configured to take our tokens, and how a person signs in to it.

use super::Example;
use crate::web::portal::Settings;
use crate::web::urls;

/// Where a bundle lies for a registry as Debian and Docker install it.
pub const BUNDLE: &str = "/etc/docker/registry/tokenhouse.pem";
/// The extension of the file with the same keys as a JWK Set, which is written beside the bundle.
pub const JWKS_EXTENSION: &str = "jwks.json";
/// What [`JWKS_EXTENSION`] makes of [`BUNDLE`].
pub const JWKS: &str = "/etc/docker/registry/tokenhouse.jwks.json";
/// Stands for the address of the registry, where the service is not named by it.
const SOMEWHERE: &str = "registry.example.org";
/// Seconds for which registries take a token after its end.
const LEEWAY: i64 = 60;

/// The section `auth` of a registry's configuration. It is YAML, whose quoted texts are those of JSON. Distribution 2.8
/// finds the key of a token in `rootcertbundle` and ignores `jwks`; 3.x finds a key by its id in `jwks` only.
pub fn section(address: &str, service: &str, bundle: &str, jwks: Option<&str>) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let realm = format!("{address}{}", urls::OCI_TOKEN);
    let jwks = jwks.map(|jwks| format!("\n    jwks: {}", quoted(jwks))).unwrap_or_default();
    format!(
        "auth:\n  token:\n    realm: {}\n    service: {}\n    issuer: {}\n    rootcertbundle: {}{jwks}",
        quoted(&realm),
        quoted(service),
        quoted(address),
        quoted(bundle)
    )
}

/// For the configuration of the registry.
pub fn configuration(settings: &Settings) -> Example {
    Example {
        id: "integration-registry",
        label: "Container registry".into(),
        hint: format!(
            "Put it into config.yml of the registry, write the two files that it names with \
             tokenhouse oci registry-config --bundle {BUNDLE}, and restart the registry."
        ),
        code: section(settings.public_url.as_str(), &settings.oci_service, BUNDLE, Some(JWKS)),
    }
}

/// For whoever pulls and pushes.
pub fn login(settings: &Settings, username: &str) -> Example {
    let service = settings.oci_service.as_str();
    let (host, put) = if service.contains(['.', ':']) {
        (service, String::new())
    } else {
        (SOMEWHERE, format!(", and the address of your registry in the place of {SOMEWHERE}"))
    };
    Example {
        id: "example-login",
        label: "Docker, Podman or Skopeo login".into(),
        hint: format!(
            "For a container registry that asks this portal. Put podman or skopeo in the place of docker{put}. \
             After a token is revoked, the registry may take what it gave out for {} more.",
            after_revocation(settings)
        ),
        code: format!("printf %s \"$TOKENHOUSE_TOKEN\" | docker login --username {username} --password-stdin {host}"),
    }
}

/// How long a registry may go on taking what a token gave out before it was revoked.
pub fn after_revocation(settings: &Settings) -> String {
    let seconds = settings.oci_token_seconds + LEEWAY;
    format!("{} minutes", (seconds + 59) / 60)
}
