//! A key that signs registry tokens: ES256 (RFC 7518, section 3.4), the one algorithm that all registries take.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::SigningError;
use crate::domain::signing_key::{PublicKey, SigningKeyId};
use crate::storage::signing_keys::NewSigningKey;

/// Makes a key and its certificate, which carries the public part to registries that know X.509 only: it is signed with
/// the key itself, and nobody looks how long it is good.
pub fn generate() -> Result<NewSigningKey, SigningError> {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(SigningError::cause)?;
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, "Tokenhouse registry tokens");
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let certificate = parameters.self_signed(&pair).map_err(SigningError::cause)?.pem();
    let private = Zeroizing::new(pair.serialize_der());
    let public = PublicKey::from_point(pair.public_key_raw()).ok_or(SigningError::NotAKey)?;
    Ok(NewSigningKey { public, certificate, private: Zeroizing::new(STANDARD.encode(&private[..])) })
}

/// A key in memory, ready to sign.
pub struct SigningKey {
    id: SigningKeyId,
    pair: EcdsaKeyPair,
    random: SystemRandom,
    /// The header of every token that it signs, encoded, with the dot behind it.
    header: String,
}

impl SigningKey {
    /// From what `generate` made.
    pub fn parse(id: SigningKeyId, private: &str) -> Result<Self, SigningError> {
        let random = SystemRandom::new();
        let der = Zeroizing::new(STANDARD.decode(private).map_err(|_| SigningError::NotAKey)?);
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random)
            .map_err(|_| SigningError::NotAKey)?;
        let header = json!({ "typ": "JWT", "alg": "ES256", "kid": id.as_str() }).to_string();
        Ok(Self { id, pair, random, header: URL_SAFE_NO_PAD.encode(header) + "." })
    }

    pub const fn id(&self) -> &SigningKeyId {
        &self.id
    }

    /// The claims as a signed token (RFC 7519) in its compact form.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, SigningError> {
        let claims = serde_json::to_vec(claims).map_err(SigningError::cause)?;
        let mut token = self.header.clone();
        URL_SAFE_NO_PAD.encode_string(&claims, &mut token);
        let signature = self.pair.sign(&self.random, token.as_bytes()).map_err(SigningError::cause)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}
