//! Repositories and services, made as other parts of the program make them.

use diesel::prelude::*;
use tokenhouse::domain::id::{RepositoryId, RepositoryTokenId, ServiceId};
use tokenhouse::domain::repository::RepositoryName;
use tokenhouse::domain::secret::{Secret, SecretKind, random_code};
use tokenhouse::randomness;
use tokenhouse::storage::{StorageError, nonces, repositories, schema};

use super::portal::Portal;

impl Portal {
    pub fn repository(&self, name: &str) -> RepositoryId {
        self.repository_with_token(name).0
    }

    /// A repository, and its token.
    pub fn repository_with_token(&self, name: &str) -> (RepositoryId, String) {
        let (name, now) = (RepositoryName::parse(name).expect("a name"), self.now());
        self.write(move |connection| {
            let (description, rng) = (format!("All of {name}"), &mut randomness::system());
            let made = repositories::insert(connection, &name, &description, now, rng)?;
            let (id, secret) = (made.expect("the name is free"), Secret::generate(SecretKind::RepositoryToken, rng));
            use schema::repository_tokens as t;
            let row = (
                t::id.eq(RepositoryTokenId::new(now, rng)),
                t::repository_id.eq(id),
                t::generation.eq(1),
                t::digest.eq(secret.digest().as_bytes().to_vec()),
                t::hint.eq(secret.hint()),
                t::created_at.eq(now.unix()),
                t::created_by.eq("nobody"),
                t::form_nonce.eq(nonces::number(&random_code(rng))),
            );
            diesel::insert_into(t::table).values(row).execute(connection).map_err(StorageError::from)?;
            Ok::<_, StorageError>((id, secret.reveal().to_owned()))
        })
    }

    /// A service, and its token.
    pub fn service(&self, name: &str) -> (ServiceId, String) {
        let (name, now) = (name.to_owned(), self.now());
        self.write(move |connection| {
            let rng = &mut randomness::system();
            let (id, secret) = (ServiceId::new(now, rng), Secret::generate(SecretKind::ServiceToken, rng));
            use schema::services as s;
            let row = (
                (s::id.eq(id), s::name.eq(&name), s::description.eq(""), s::hint.eq(secret.hint())),
                s::digest.eq(secret.digest().as_bytes().to_vec()),
                (s::generation.eq(1), s::created_at.eq(now.unix()), s::created_by.eq("nobody")),
                (s::token_created_at.eq(now.unix()), s::token_created_by.eq("nobody")),
                (s::form_nonce.eq(nonces::number(&random_code(rng))), s::search_key.eq(&name), s::revision.eq(0)),
            );
            diesel::insert_into(s::table).values(row).execute(connection).map_err(StorageError::from)?;
            Ok::<_, StorageError>((id, secret.reveal().to_owned()))
        })
    }
}
