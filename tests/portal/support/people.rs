//! Users, roles, grants and tokens, made as other parts of the program make them.

use diesel::prelude::*;
use tokenhouse::auth::hasher::Hasher;
use tokenhouse::domain::api_token::{NewApiToken, RepositorySelection};
use tokenhouse::domain::event::Actor;
use tokenhouse::domain::id::{ApiTokenId, RepositoryId, RoleId, SessionId, UserId};
use tokenhouse::domain::name::TokenName;
use tokenhouse::domain::password::Password;
use tokenhouse::domain::permission::{Permission, Permissions};
use tokenhouse::domain::privilege::Privilege;
use tokenhouse::domain::secret::{Secret, SecretKind, random_code};
use tokenhouse::domain::timestamp::Timestamp;
use tokenhouse::domain::user::{DisplayName, Email, NewUser, Username};
use tokenhouse::randomness;
use tokenhouse::storage::api_token_changes::{Change, Made, Refusal};
use tokenhouse::storage::schema;
use tokenhouse::storage::{StorageError, grants, roles, sessions, users};
use zeroize::Zeroizing;

use super::answer::Answer;
use super::browser::Browser;
use super::portal::{CHEAP, Portal};

/// The password of everybody.
pub const PASSWORD: &str = "kupfer wal neun laterne";

#[derive(Clone, Copy)]
pub struct User<'p> {
    portal: &'p Portal,
    pub id: UserId,
    pub username: &'static str,
}

/// An API token and its secret.
#[derive(Debug, Clone)]
pub struct Token {
    pub id: ApiTokenId,
    pub owner: UserId,
    pub username: &'static str,
    pub secret: String,
}

impl Token {
    pub fn path(&self) -> String {
        format!("/profile/api-tokens/{}", self.id)
    }

    /// The address of one of the pages below: `rotation`, `name` and so on.
    pub fn page(&self, name: &str) -> String {
        format!("{}/{name}", self.path())
    }
}

impl<'p> User<'p> {
    /// A browser in which this user is signed in.
    #[track_caller]
    pub fn sign_in(&self) -> Browser<'p> {
        let browser = self.portal.visitor();
        browser.try_sign_in(self.username, PASSWORD).with(303);
        browser
    }

    /// The session that began last.
    pub fn session(&self) -> SessionId {
        let id = self.id;
        let begun = self.portal.read(move |connection| sessions::list(connection, id));
        begun.iter().map(|begun| begun.session.id).max().expect("somebody signed in")
    }

    pub fn disable(&self) {
        let (id, now) = (self.id, self.portal.now());
        assert!(self.portal.write(move |connection| users::disable(connection, id, now)));
    }

    /// Takes away every role.
    pub fn strip(&self) {
        self.portal.sql(&format!("DELETE FROM user_roles WHERE user_id = '{}'", self.id));
    }

    pub fn add_role(&self, name: &str) {
        let (id, name) = (self.id, name.to_owned());
        self.portal.write(move |connection| {
            let role = roles::find_by_name(connection, &name)?.expect("the role is there");
            diesel::insert_into(schema::user_roles::table)
                .values((schema::user_roles::user_id.eq(id), schema::user_roles::role_id.eq(role.id)))
                .execute(connection)
                .map_err(StorageError::from)
        });
    }

    /// Lets this user read or write one repository.
    pub fn grant(&self, repository: RepositoryId, permission: Permission) {
        let (id, now) = (self.id, self.portal.now());
        self.portal.write(move |connection| grants::set(connection, id, repository, permission, now));
    }

    pub fn ungrant(&self) {
        self.portal.sql(&format!("DELETE FROM grants WHERE user_id = '{}'", self.id));
    }
}

impl Portal {
    /// A developer: may use the API and view repositories.
    pub fn user(&self, username: &'static str) -> User<'_> {
        self.user_with(username, "developer")
    }

    pub fn user_with(&self, username: &'static str, role: &str) -> User<'_> {
        let user = NewUser {
            username: Username::parse(username).expect("a username"),
            display_name: DisplayName::parse(&format!("{username} of Tokenhouse")).expect("a display name"),
            email: Some(Email::parse(&format!("{username}@example.org")).expect("an email")),
        };
        let password = Password::typed(Zeroizing::new(PASSWORD.into()));
        let hash = Hasher::hash_here(CHEAP, &password, &mut randomness::system()).expect("it hashes");
        let (role, now) = (role.to_owned(), self.now());
        let id = self.write(move |connection| {
            let role = roles::find_by_name(connection, &role)?.expect("the role is there");
            users::insert(connection, &user, Some(&hash), role.id, now, &mut randomness::system())
        });
        User { portal: self, id: id.expect("the username is free"), username }
    }

    /// A role of its own, with these privileges and no others.
    pub fn role(&self, name: &str, privileges: &[Privilege]) {
        let id = RoleId::new(self.now(), &mut randomness::system());
        let names: Vec<&str> = privileges.iter().map(|privilege| privilege.name()).collect();
        let row = (id, name.to_owned(), format!("Role {name}"), names.join(" "));
        self.write(move |connection| {
            use schema::roles::{built_in, id, name, privileges, title};
            let values = (id.eq(row.0), name.eq(row.1), title.eq(row.2), privileges.eq(row.3), built_in.eq(false));
            diesel::insert_into(schema::roles::table).values(values).execute(connection).map_err(StorageError::from)
        });
    }

    /// What the service with this token is told of another.
    #[track_caller]
    pub fn introspect(&self, service: &str, token: &str) -> Answer {
        self.request("POST", "/oauth/introspect").bearer(service).form(&[("token", token)]).send()
    }

    /// Ends a token as whoever holds it.
    #[track_caller]
    pub fn revoke_held(&self, token: &str) {
        let answer = self.request("POST", "/oauth/revoke").form(&[("token", token)]).send().with(200);
        assert!(answer.body.is_empty(), "{answer:?}");
    }

    /// A token named `ci` that may read repositories and lasts 90 days, unless `change` says otherwise.
    pub fn token(&self, owner: &User<'_>, change: impl FnOnce(&mut NewApiToken)) -> Token {
        let mut wish = NewApiToken {
            note: None,
            name: TokenName::parse("ci").expect("a name"),
            permissions: Permissions { repositories: Permission::Read, ..Permissions::default() },
            repositories: RepositorySelection::All,
            expires_at: Some(self.now().plus(90 * 86_400)),
            recreates: None,
        };
        change(&mut wish);
        let made_by = self.change(owner.id);
        let (id, secret) = self.write(move |connection| -> Result<_, Refusal> {
            let rng = &mut randomness::system();
            let secret = Secret::generate(SecretKind::ApiToken, rng);
            let nonce = random_code(rng);
            let Made::Now(id) = made_by.create(connection, rng, &wish, &secret, &nonce, 100_000)? else {
                panic!("the nonce is new")
            };
            Ok((id, secret.reveal().to_owned()))
        });
        Token { id, owner: owner.id, username: owner.username, secret }
    }

    /// A token with this name and the rest as usual.
    pub fn token_named(&self, owner: &User<'_>, name: &str) -> Token {
        self.token(owner, |wish| wish.name = TokenName::parse(name).expect("a name"))
    }

    /// A change of a user's tokens from outside of the pages.
    pub fn change(&self, owner: UserId) -> Change {
        Change { owner, actor: Actor::System, by: None, now: self.now() }
    }

    pub fn disable(&self, token: &Token) {
        let (change, id) = (self.change(token.owner), token.id);
        self.write(move |connection| change.disable(connection, &mut randomness::system(), id));
    }

    pub fn revoke(&self, token: &Token) {
        let (change, id) = (self.change(token.owner), token.id);
        self.write(move |connection| change.revoke(connection, &mut randomness::system(), id));
    }

    /// `GET` with the token as Bearer.
    #[track_caller]
    pub fn api(&self, secret: &str, path: &str) -> Answer {
        self.request("GET", path).bearer(secret).send()
    }

    /// Whether the secret opens the API.
    #[track_caller]
    pub fn accepts(&self, secret: &str) -> bool {
        match self.api(secret, "/api/v1/me").status {
            200 => true,
            401 => false,
            other => panic!("/api/v1/me was answered {other}"),
        }
    }

    /// A moment so many seconds from now.
    pub fn later(&self, seconds: i64) -> Timestamp {
        self.now().plus(seconds)
    }
}
