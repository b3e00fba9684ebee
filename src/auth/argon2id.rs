//! Argon2id (RFC 9106) over a given block of memory, and its PHC form.

use argon2::password_hash::phc::{Output, PasswordHash as Phc, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::domain::password::PasswordHash;

/// Bytes of a tag made here.
pub const TAG: usize = 32;

/// A hash in PHC form.
pub fn hash(params: &Params, password: &str, salt: &[u8], memory: &mut Vec<Block>) -> Option<PasswordHash> {
    let tag = tag(params, password, salt, TAG, memory)?;
    encode(params, salt, &tag)
}

/// Whether the password made the stored hash; a malformed one matches nothing.
pub fn matches(stored: &PasswordHash, password: &str, memory: &mut Vec<Block>) -> bool {
    let Ok(phc) = Phc::new(stored.as_phc()) else { return false };
    let (Ok(params), Some(salt), Some(expected)) = (Params::try_from(&phc), phc.salt, phc.hash) else { return false };
    let tag = tag(&params, password, &salt, expected.len(), memory);
    // The comparison of `Output` takes the same time wherever the two differ.
    tag.and_then(|tag| Output::new(&tag).ok()).is_some_and(|tag| tag == expected)
}

fn tag(params: &Params, password: &str, salt: &[u8], length: usize, memory: &mut Vec<Block>) -> Option<Vec<u8>> {
    if memory.len() < params.block_count() {
        memory.resize(params.block_count(), Block::new());
    }
    let mut tag = vec![0; length];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut tag, &mut memory[..])
        .ok()?;
    Some(tag)
}

/// The PHC form of a hash that is already there.
pub fn encode(params: &Params, salt: &[u8], tag: &[u8]) -> Option<PasswordHash> {
    let phc = Phc {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: params.try_into().ok()?,
        salt: Some(Salt::new(salt).ok()?),
        hash: Some(Output::new(tag).ok()?),
    };
    Some(PasswordHash::from_phc(phc.to_string()))
}

/// Whether the stored hash cost less than one would today.
pub fn is_weaker(stored: &PasswordHash, today: &Params) -> bool {
    Phc::new(stored.as_phc())
        .ok()
        .and_then(|phc| Params::try_from(&phc).ok())
        .is_none_or(|params| params.m_cost() < today.m_cost() || params.t_cost() < today.t_cost())
}
