//! What a person is told of a failure.

use super::Failure;

impl Failure {
    /// What the person is told.
    pub fn sentence(&self) -> String {
        match self {
            Self::NotFound => "There is nothing here, or nothing that you may see.".into(),
            Self::Gone(sentence) => (*sentence).into(),
            Self::Forbidden(sentence) | Self::BadRequest(sentence) | Self::Conflict(sentence) => sentence.clone(),
            Self::PlainHttp => "Credentials are not accepted over plain HTTP. Use the portal's https address.".into(),
            Self::Unprocessable(problems) => {
                let named: Vec<_> = problems.iter().map(|problem| format!("“{}”", problem.field)).collect();
                format!("The body cannot be taken because of {}.", named.join(", "))
            }
            Self::TokenTyped(problem) => problem.detail.clone(),
            Self::Overtaken { sentence, .. } => sentence.clone(),
            Self::SessionMissing { .. } => "Your session has ended. Sign in and try again.".into(),
            Self::ReauthenticationNeeded { .. } => "Confirm your password first.".into(),
            Self::MethodNotAllowed(methods) => format!("This address takes {} only.", methods.replace(' ', " and ")),
            Self::Timeout => "The request came in too slowly. Send it again.".into(),
            Self::AddressTooLong => "The address is longer than 4 kB. Use a shorter one.".into(),
            Self::HeadTooLarge => "The headers are larger than 16 kB, or the cookies larger than 64 kB. Send fewer or shorter ones.".into(),
            Self::TooLarge => "The request is larger than 64 kB. Send less.".into(),
            Self::UnsupportedMediaType => {
                "The request has the wrong content type. Pages take application/x-www-form-urlencoded, the API takes application/json.".into()
            }
            Self::Misdirected => "This portal does not answer under this host name. Use its public address.".into(),
            Self::TooManyRequests { seconds } => {
                format!("Too many tries. Wait {} and try again.", in_words(*seconds))
            }
            Self::TooManyChanges { seconds } => {
                format!("Too many changes within an hour. Nothing was changed. Wait {} and try again.", in_words(*seconds))
            }
            Self::TooManyAnswers { seconds } => format!(
                "This token has 100 stored answers to requests with an Idempotency-Key. Nothing was changed. Wait {} and try again.",
                in_words(*seconds)
            ),
            Self::StillRunning => {
                "The first request with this Idempotency-Key is still running. Send the same request again in a second.".into()
            }
            Self::KeyReused => {
                "This Idempotency-Key was used for another request. Nothing was changed. Use a new random key for each change.".into()
            }
            Self::Unauthorized(_) => "The credentials are missing or not accepted. Send the token as Bearer or Basic.".into(),
            Self::InsufficientScope(scope) => format!("{}.", capitalised(&scope.to_string())),
            Self::Unavailable(_) => "The portal is busy at this moment. Try again in a few seconds.".into(),
            Self::Disk { is_full: true, .. } => "The disk of this portal is full, so nothing new can be stored. Revoking, disabling and deleting still work. Ask the operator to make room on the disk.".into(),
            Self::Disk { is_full: false, .. } => {
                "The disk of this portal cannot be read or written. Ask the operator to look at it.".into()
            }
            Self::OutcomeUnknown(_) => {
                "The database did not confirm the change, so it may have been made. Check before you try again.".into()
            }
            Self::Internal(_) => {
                "Something went wrong here, and it was logged. Try again, and tell an administrator the request number if it stays."
                    .into()
            }
        }
    }

    /// A short name of the failure, the heading of its page.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Gone(_) => "No longer here",
            Self::Forbidden(_) | Self::PlainHttp => "Not allowed",
            Self::SessionMissing { .. } | Self::ReauthenticationNeeded { .. } => "Sign in first",
            Self::MethodNotAllowed(_) => "Method not allowed",
            Self::Unprocessable(_) | Self::TokenTyped(_) => "Fields refused",
            Self::BadRequest(_) => "Request not understood",
            Self::Conflict(_) | Self::Overtaken { .. } => "No longer possible",
            Self::Timeout => "Too slow",
            Self::AddressTooLong | Self::HeadTooLarge | Self::TooLarge => "Too large",
            Self::UnsupportedMediaType => "Wrong content type",
            Self::Misdirected => "Wrong host",
            Self::TooManyRequests { .. } => "Too many tries",
            Self::TooManyChanges { .. } | Self::TooManyAnswers { .. } => "Too many changes",
            Self::StillRunning => "Still running",
            Self::KeyReused => "Idempotency-Key reused",
            Self::Unauthorized(_) => "Unauthorized",
            Self::InsufficientScope(_) => "Insufficient scope",
            Self::Unavailable(_) => "Busy",
            Self::Disk { is_full: true, .. } => "Disk full",
            Self::Disk { is_full: false, .. } => "Disk error",
            Self::OutcomeUnknown(_) => "Not confirmed",
            Self::Internal(_) => "Something went wrong",
        }
    }
}

fn in_words(seconds: i64) -> String {
    match seconds {
        ..=1 => "1 second".into(),
        2..120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", (seconds + 59) / 60),
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
