//! Around every page: is it asked for under our name, by our own pages and with our own cookies; and what an error looks like.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{StatusCode, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse, web};
use askama::Template;

use super::request::{Line, RequestId};
use super::{cookie_guard, same_origin};
use crate::domain::secret::contains_secret;
use crate::web::cookies;
use crate::web::denial;
use crate::web::error::{Failure, PageFailure};
use crate::web::extract::signed_in::Viewer;
use crate::web::form::Typed;
use crate::web::notice;
use crate::web::page::{Shell, html};
use crate::web::portal::Portal;
use crate::web::urls;

pub async fn around(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let portal = match admit(&mut request) {
        Ok(portal) => portal,
        Err(failure) => {
            let (request, _) = request.into_parts();
            return Ok(with_page(ServiceResponse::from_err(PageFailure(failure), request)));
        }
    };
    let own = &portal.cookies;
    let at_rest = cookies::raw(request.headers(), &own.navigation) == Some(cookies::AT_REST);
    let mut response = next.call(request).await?.map_into_boxed_body();
    if response.status().is_client_error() || response.status().is_server_error() {
        response = with_page(response);
    }
    if response.request().extensions().contains::<notice::Shown>() {
        append_cookie(&mut response, &own.removal(&own.notice));
    }
    let signed_in = response.request().extensions().contains::<Viewer>();
    if signed_in && !at_rest && !sets_cookie(&response, &own.navigation) {
        append_cookie(&mut response, &own.make(&own.navigation, cookies::AT_REST.into()).to_string());
    }
    Ok(response)
}

fn admit(request: &mut ServiceRequest) -> Result<web::Data<Portal>, Failure> {
    let portal =
        request.app_data::<web::Data<Portal>>().cloned().ok_or_else(|| Failure::Internal("no portal".into()))?;
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let public_url = &portal.settings.public_url;
    if !public_url.is_host(host) || request.uri().authority().is_some_and(|own| !public_url.is_host(own.as_str())) {
        return Err(Failure::Misdirected);
    }
    if holds_secret(request.uri()) {
        let typed = Typed::token_in_query(request.query_string());
        return Err(typed.unwrap_or(Failure::BadRequest(
            "A token does not belong into an address. Treat it as leaked: revoke it.".into(),
        )));
    }
    if cookie_guard::keep_own(request.headers_mut(), &portal.cookies).is_err() {
        return Err(Failure::BadRequest(
            "The browser sent cookies that another site made to look like ours. Delete the cookies of this site."
                .into(),
        ));
    }
    if !same_origin::passes(request.method(), request.headers(), public_url) {
        return Err(Failure::Forbidden(
            "This request does not come from a page of this portal. Open the portal itself and try again.".into(),
        ));
    }
    Ok(portal)
}

fn holds_secret(uri: &Uri) -> bool {
    uri.path_and_query().is_some_and(|text| contains_secret(text.as_str()))
}

#[derive(Template)]
#[template(path = "pages/error.html")]
struct ErrorPage {
    shell: Shell,
    status: u16,
    title: String,
    sentence: String,
    request_id: String,
    back: String,
    back_label: &'static str,
}

/// Draws the page of an error that a handler or the framework answered with.
fn with_page(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let failure = response.response().error().and_then(|error| error.as_error::<PageFailure>());
    let mut back = if response.status() == StatusCode::UNAUTHORIZED {
        (urls::LOGIN.to_owned(), "Sign in")
    } else {
        (urls::ROOT.to_owned(), "Back to the start")
    };
    if let Some(PageFailure(Failure::Overtaken { back: address, back_label, .. })) = failure {
        back = (address.clone(), back_label);
    }
    let (title, sentence) = match failure {
        Some(PageFailure(failure)) => (failure.title().to_owned(), failure.sentence()),
        // A page of its own, such as a form with what was typed.
        None if response.headers().contains_key(header::CONTENT_TYPE) => return response,
        None => of_status(response.status()),
    };
    if let Some(PageFailure(failure)) = failure {
        // The page that is drawn in place of the answer no longer knows the cause.
        if !denial::record(response.request(), failure) {
            Line::of(response.request()).failure(failure);
        }
    }
    let (request, old) = response.into_parts();
    let mut drawn = draw(&request, old.status(), title, sentence, back);
    for name in [header::RETRY_AFTER, header::ALLOW, header::SET_COOKIE] {
        copy(&name, &old, &mut drawn);
    }
    ServiceResponse::new(request, drawn)
}

/// For what the framework itself refuses.
fn of_status(status: StatusCode) -> (String, String) {
    let failure = match status {
        StatusCode::NOT_FOUND => Failure::NotFound,
        _ => Failure::Internal(String::new()),
    };
    (failure.title().to_owned(), failure.sentence())
}

fn draw(
    request: &HttpRequest,
    status: StatusCode,
    title: String,
    sentence: String,
    (back, back_label): (String, &'static str),
) -> HttpResponse {
    let viewer = request.extensions().get::<Viewer>().cloned();
    let instance = request
        .app_data::<web::Data<Portal>>()
        .map_or_else(String::new, |portal| portal.settings.instance_name.clone());
    let page = ErrorPage {
        shell: Shell {
            instance,
            sections: viewer.as_ref().map(|viewer| viewer.sections).unwrap_or_default(),
            signed_in: viewer.map(|viewer| viewer.display_name),
            ..Shell::default()
        },
        status: status.as_u16(),
        title,
        sentence,
        request_id: RequestId::of(request).to_string(),
        back,
        back_label,
    };
    html(status, &page).unwrap_or_else(|_| HttpResponse::new(status))
}

fn copy(name: &HeaderName, from: &HttpResponse, to: &mut HttpResponse) {
    for value in from.headers().get_all(name) {
        to.headers_mut().append(name.clone(), value.clone());
    }
}

fn append_cookie(response: &mut ServiceResponse<BoxBody>, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

fn sets_cookie(response: &ServiceResponse<BoxBody>, name: &str) -> bool {
    response.headers().get_all(header::SET_COOKIE).any(|value| value.as_bytes().starts_with(name.as_bytes()))
}
