//! The application: which rules hold around which routes.

use actix_session::SessionMiddleware;
use actix_session::config::CookieContentSecurity;
use actix_web::body::BoxBody;
use actix_web::cookie::SameSite;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, Error, guard, web};

use super::portal::Portal;
use super::session::Store;
use super::{gateway, middleware, routes, urls};

pub fn app(
    portal: web::Data<Portal>,
) -> App<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<BoxBody>, Error = Error, InitError = ()>,
> {
    let session = SessionMiddleware::builder(Store(portal.clone()), portal.cookie_key.clone())
        .cookie_name(portal.cookies.session.clone())
        .cookie_secure(portal.cookies.secure)
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .cookie_content_security(CookieContentSecurity::Signed)
        .build();
    App::new()
        .app_data(portal)
        // First, since it is asked far more often than the rest together.
        .configure(routes::forward)
        .service(web::scope("/auth").default_service(web::to(gateway::forward_auth::nothing)))
        .configure(routes::open)
        .service(
            web::scope("/api")
                // `/api` itself is a page.
                .guard(guard::fn_guard(|context| context.head().uri.path() != urls::API))
                .wrap(from_fn(super::api::idempotency::around))
                .wrap(from_fn(super::api::problem::around))
                .configure(routes::api)
                .default_service(web::to(routes::no_door)),
        )
        .service(web::scope("/oci").configure(routes::oci).default_service(web::to(routes::no_door)))
        .service(
            web::scope("/oauth")
                .wrap(from_fn(super::gateway::oauth::around))
                .configure(routes::oauth)
                .default_service(web::to(routes::no_endpoint)),
        )
        .service(
            web::scope("")
                .wrap(session)
                .wrap(from_fn(middleware::pages::around))
                // A router tries one route after the other: most pages lie where the others need not be tried.
                .service(part("/repositories", |config| {
                    // The name is looked for once, and not for each of a repository's pages.
                    config.configure(routes::repositories).service(part("/{name}", routes::repository));
                }))
                .service(part("/profile", routes::profile))
                .service(part("/admin", routes::admin))
                .configure(routes::pages)
                .default_service(web::to(routes::no_page)),
        )
        .wrap(from_fn(middleware::chunked::close_unread))
}

fn part(path: &str, routes: fn(&mut web::ServiceConfig)) -> actix_web::Scope {
    web::scope(path).configure(routes).default_service(web::to(routes::no_page))
}
