//! How errors of the other layers become failures.

use super::Failure;
use crate::auth::authorize::InsufficientScope;
use crate::auth::hasher::Busy;
use crate::auth::signing::SigningError;
use crate::auth::{authenticate, sign_in};
use crate::storage::acting::Ended;
use crate::storage::api_token_changes::Refusal;
use crate::storage::{StorageError, repository_changes, role_changes, service_changes, user_changes};
use crate::web::urls;

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(cause) => Self::Unavailable(cause),
            StorageError::TooManyAnswers { seconds } => Self::TooManyAnswers { seconds },
            StorageError::Disk { is_full, cause } => Self::Disk { is_full, cause },
            StorageError::OutcomeUnknown(cause) => Self::OutcomeUnknown(cause),
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        Self::Internal(format!("template: {error}"))
    }
}

impl From<Busy> for Failure {
    fn from(busy: Busy) -> Self {
        Self::Unavailable(busy.to_string())
    }
}

impl From<authenticate::Refusal> for Failure {
    fn from(refusal: authenticate::Refusal) -> Self {
        match refusal {
            authenticate::Refusal::NotGood(reason) => Self::Unauthorized(reason),
            authenticate::Refusal::Storage(error) => error.into(),
        }
    }
}

impl From<InsufficientScope> for Failure {
    fn from(scope: InsufficientScope) -> Self {
        Self::InsufficientScope(scope)
    }
}

impl From<SigningError> for Failure {
    fn from(error: SigningError) -> Self {
        match error {
            SigningError::Storage(error) => error.into(),
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<sign_in::Refusal> for Failure {
    fn from(refusal: sign_in::Refusal) -> Self {
        match refusal {
            sign_in::Refusal::Wrong | sign_in::Refusal::SessionEnded => Self::SessionMissing { next: None },
            sign_in::Refusal::Throttled(wait) => Self::TooManyRequests { seconds: wait.0 },
            sign_in::Refusal::InvalidPassword(invalid) => Self::BadRequest(invalid.0),
            sign_in::Refusal::Busy(busy) => busy.into(),
            sign_in::Refusal::Storage(error) => error.into(),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::NotFound,
            Refusal::Ended(ended) => ended.into(),
            Refusal::LimitReached(most) => {
                Self::Conflict(format!("You have {most} of {most} tokens. Revoke one, then create another."))
            }
            Refusal::NameTaken => Self::Conflict("A token of this name already exists. Choose another name.".into()),
            Refusal::WrongStatus(status) => Self::Conflict(format!(
                "The token is {} now, so this can no longer be done. Go back and look at it again.",
                status.to_lowercase()
            )),
            Refusal::RepositoryGone => Self::Conflict(
                "A repository that you selected was deleted meanwhile. Load the page again and choose once more."
                    .into(),
            ),
            Refusal::Replaced => Self::Conflict("This token was rotated before. Use the new one.".into()),
            Refusal::Overtaken => {
                Self::Conflict("The token was changed after this page was loaded. Go back and look at it again.".into())
            }
            Refusal::Storage(error) => error.into(),
        }
    }
}

impl From<Ended> for Failure {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Session => Self::SessionMissing { next: None },
            Ended::Token => Self::Unauthorized(authenticate::Reason::EndedMeanwhile),
            Ended::Privilege => {
                Self::Forbidden("You no longer hold the privilege that this needs. Ask an administrator for it.".into())
            }
            Ended::Storage(error) => error.into(),
        }
    }
}

impl From<repository_changes::Refusal> for Failure {
    fn from(refusal: repository_changes::Refusal) -> Self {
        use repository_changes::Refusal;
        match refusal {
            Refusal::NotFound => Self::NotFound,
            Refusal::NameTaken => {
                Self::Conflict("A repository of this name already exists. Choose another name.".into())
            }
            Refusal::Overtaken { by, at, repository } => Self::Overtaken {
                sentence: format!(
                    "{} at {}, after your page was loaded. Yours was not generated. Look at the repository again before you go on.",
                    who_was_first(&by, "generated a new token"),
                    at.for_people()
                ),
                back: urls::repository_configure(repository.as_str()),
                back_label: "Back to Configure",
            },
            Refusal::FormUsed => {
                Self::Conflict("This form was used before. Load the page again and fill it in once more.".into())
            }
            Refusal::OwnGrant => Self::Conflict(refusal.to_string()),
            Refusal::NotShown(sentence) => Self::Conflict(sentence.into()),
            Refusal::Ended(ended) => ended.into(),
            Refusal::Storage(error) => error.into(),
        }
    }
}

/// Nobody is named where whoever held the old token revoked it.
fn who_was_first(by: &str, did: &str) -> String {
    if by.is_empty() { "Somebody who held the old token revoked it".into() } else { format!("{by} {did}") }
}

impl From<service_changes::Refusal> for Failure {
    fn from(refusal: service_changes::Refusal) -> Self {
        use service_changes::Refusal;
        match refusal {
            Refusal::NotFound => Self::NotFound,
            Refusal::NameTaken => Self::Conflict("A service of this name already exists. Choose another name.".into()),
            Refusal::Overtaken { by, at, service } => Self::Overtaken {
                sentence: format!(
                    "{} at {}, after your page was loaded. You rotated nothing. Look at the service again before you go on.",
                    who_was_first(&by, "rotated the token"),
                    at.for_people()
                ),
                back: urls::service(&service),
                back_label: "Back to the service",
            },
            Refusal::FormUsed => {
                Self::Conflict("This form was used before. Load the page again and fill it in once more.".into())
            }
            Refusal::Ended(ended) => ended.into(),
            Refusal::Storage(error) => error.into(),
        }
    }
}

impl From<user_changes::Refusal> for Failure {
    fn from(refusal: user_changes::Refusal) -> Self {
        use user_changes::Refusal;
        match refusal {
            Refusal::NotFound => Self::NotFound,
            Refusal::UsernameTaken => {
                Self::Conflict("A user with this username already exists. Choose another username.".into())
            }
            Refusal::FormUsed => {
                Self::Conflict("This form was used before. Load the page again and fill it in once more.".into())
            }
            Refusal::RoleNotGiven(_) => {
                Self::Forbidden("You can give only roles whose privileges you hold yourself. Choose among those.".into())
            }
            Refusal::HoldsMore => Self::Forbidden(
                "This user has privileges or access to repositories that you do not have, so you cannot change this user. Ask an administrator who has them."
                    .into(),
            ),
            Refusal::OnlyOnPages => Self::Forbidden(
                "This user has User Management, System Management or View Audit Log, so the API cannot change this user. Sign in and use the pages of Administration."
                    .into(),
            ),
            Refusal::LastAdministrator => Self::Conflict(
                "This is the last enabled user with the role Administrator. Give that role to another user first."
                    .into(),
            ),
            Refusal::Oneself(sentence) => Self::Conflict(sentence.into()),
            Refusal::LinkEnded => {
                Self::Gone("This link was used before or has expired. Ask an administrator for a new one.")
            }
            Refusal::Ended(ended) => ended.into(),
            Refusal::Storage(error) => error.into(),
        }
    }
}

impl From<role_changes::Refusal> for Failure {
    fn from(refusal: role_changes::Refusal) -> Self {
        use role_changes::Refusal;
        match refusal {
            Refusal::NotFound => Self::NotFound,
            Refusal::NameTaken => Self::Conflict("A role of this name already exists. Choose another name.".into()),
            Refusal::TitleTaken => Self::Conflict("A role of this title already exists. Choose another title.".into()),
            Refusal::LimitReached(most) => {
                Self::Conflict(format!("There are {most} roles, and no more can be made. Delete one, then create another."))
            }
            Refusal::BuiltIn => {
                Self::Conflict("This role is built in and stays as it is. Create another in its place.".into())
            }
            Refusal::NotHeld => {
                Self::Forbidden("You can give a role only privileges that you hold yourself. Choose among those.".into())
            }
            Refusal::NotOverApi => Self::Forbidden(
                "The API cannot grant User Management, System Management or View Audit Log. Choose other privileges."
                    .into(),
            ),
            Refusal::HoldsMore => Self::Forbidden(
                "This role, or a user with it, has privileges or access to repositories that you do not have, so you cannot change it. Ask an administrator who has them."
                    .into(),
            ),
            Refusal::OnlyOnPages => Self::Forbidden(
                "A user with this role has User Management, System Management or View Audit Log, so the API cannot change the role. Take the role from that user on the pages of Administration first."
                    .into(),
            ),
            Refusal::InUse(1) => Self::Conflict("1 user holds this role. Take it from that user first.".into()),
            Refusal::InUse(users) => {
                Self::Conflict(format!("{users} users hold this role. Take it from them first."))
            }
            Refusal::Ended(ended) => ended.into(),
            Refusal::Storage(error) => error.into(),
        }
    }
}
