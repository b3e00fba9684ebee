//! Secrets that are shown once: laid ready by a POST, shown by the one GET that takes them away.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse};
use zeroize::Zeroizing;

use super::error::Failure;
use super::extract::signed_in::SignedIn;
use super::portal::Portal;
use crate::domain::event::NewEvent;
use crate::domain::id::{SessionId, UserId};
use crate::domain::secret::random_code;
use crate::domain::timestamp::Timestamp;
use crate::randomness::{self, Randomness};
use crate::storage::sealing::SealingKeys;
use crate::storage::{Connection, Result as Stored, events, reveals};

/// The session that may look, and since when.
#[derive(Debug, Clone, Copy)]
pub struct Looker {
    user: UserId,
    session: SessionId,
    now: Timestamp,
}

impl Looker {
    pub const fn of(who: &SignedIn) -> Self {
        Self { user: who.user.id, session: who.session.id, now: who.now }
    }

    /// Lays `text`, the secret of `subject`, ready to be looked at once.
    pub fn lay(
        &self,
        connection: &mut Connection,
        rng: &mut Randomness,
        keys: &SealingKeys,
        subject: impl Into<i64> + Copy,
        text: &str,
    ) -> Stored<()> {
        let sealed = keys.seal(text, &reveals::bound_to(self.user, self.session, subject.into()), rng);
        reveals::put(connection, subject, self.session, &sealed, self.now)
    }
}

/// Whether this request may use the one look: HEAD and the prefetches of browsers may not.
pub fn is_a_look(request: &HttpRequest) -> bool {
    let speculative = ["sec-purpose", "purpose", "x-moz"].iter().any(|name| {
        request.headers().get(*name).is_some_and(|value| value.to_str().is_ok_and(|text| text.contains("prefetch")))
    });
    // Browsers say what they ask for; a page is a document, and not the picture that somebody makes of its address.
    let document = request.headers().get("sec-fetch-dest").is_none_or(|value| value == "document");
    *request.method() == Method::GET && !speculative && document
}

/// Takes away the secret of `subject` that waits for this session, if one does: whoever gets it shows it. `event` tells of it.
pub async fn take(
    portal: &Portal,
    who: &SignedIn,
    subject: impl Into<i64>,
    event: Option<NewEvent>,
) -> Result<Option<Zeroizing<String>>, Failure> {
    let (subject, session, now): (i64, _, _) = (subject.into(), who.session.id, who.now);
    let sealed = portal
        .db
        .write_beside_checks(move |connection: &mut Connection| -> Stored<_> {
            let sealed = reveals::take(connection, subject, session, now)?;
            if let (Some(_), Some(event)) = (&sealed, event) {
                events::append(connection, &event, now, &mut randomness::system())?;
            }
            Ok(sealed)
        })
        .await?;
    let Some(sealed) = sealed else { return Ok(None) };
    portal.keys.open(&sealed, &reveals::bound_to(who.user.id, session, subject)).map(Some).ok_or_else(|| {
        Failure::Internal(format!("the secret of {subject} laid ready does not open with the key {}", sealed.key_id))
    })
}

/// Gives the page with a secret a new value of the cookie that keeps it out of the back-forward cache.
pub fn keep_out_of_cache(portal: &Portal, response: &mut HttpResponse) -> Result<(), Failure> {
    let value = random_code(&mut randomness::system());
    let cookie = portal.cookies.make(&portal.cookies.navigation, value).to_string();
    let value = header::HeaderValue::from_str(&cookie).map_err(|error| Failure::Internal(error.to_string()))?;
    response.headers_mut().append(header::SET_COOKIE, value);
    Ok(())
}
