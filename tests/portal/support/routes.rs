//! The addresses of the route table, with something real in the place of each `{…}`.

use tokenhouse::domain::id::SessionId;
use tokenhouse::web::assets;
use tokenhouse::web::routes::{ROUTES, Scope};

use super::people::Token;

/// What stands in the places of a route.
pub struct Place {
    pub id: String,
    pub name: String,
    /// Id of a user.
    pub user: String,
    /// One that is not there, where none is given.
    pub session: String,
    /// One that is not there, where none is given.
    pub service: String,
}

impl Place {
    pub fn of(token: &Token) -> Self {
        let nothing = "1";
        let (session, service) = (nothing.into(), nothing.into());
        Self { id: token.id.to_string(), name: "alpha".into(), user: token.owner.to_string(), session, service }
    }

    pub fn and_session(self, id: SessionId) -> Self {
        Self { session: id.to_string(), ..self }
    }

    pub fn path(&self, route: &str) -> String {
        let file = assets::PORTAL_CSS.path.strip_prefix("/static/").expect("an asset");
        let path = route.replace("/sessions/{id}", &format!("/sessions/{}", self.session));
        let path = path.replace("{id}", &self.id).replace("{name}", &self.name).replace("{file}", file);
        // The token's own user would be disabled there.
        let path = path.replace("/users/{username}", "/users/grace").replace("{username}", "ada");
        let path = path.replace("{user}", &self.user).replace("{service}", &self.service);
        let path = path.replace("{role}", "desk");
        assert!(!path.contains('{'), "{route} has a place that the tests do not know");
        path
    }
}

/// The addresses of all pages that take this method, `/setup` excepted, which is not there once there is a user.
pub fn pages(method: &str, place: &Place) -> Vec<String> {
    let routes = ROUTES.iter().filter(|route| route.scope == Scope::Pages && route.method == method);
    routes.filter(|route| route.path != "/setup").map(|route| place.path(route.path)).collect()
}
