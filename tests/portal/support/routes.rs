//! The addresses of the route table, with something real in the place of each `{…}`.

use tokenhouse::web::assets;
use tokenhouse::web::routes::{ROUTES, Scope};

use super::people::Token;

/// What stands in the places of a route.
pub struct Place {
    pub id: String,
    pub name: String,
    pub user: String,
}

impl Place {
    pub fn of(token: &Token) -> Self {
        Self { id: token.id.to_string(), name: "alpha".into(), user: token.owner.to_string() }
    }

    pub fn path(&self, route: &str) -> String {
        let file = assets::PORTAL_CSS.path.strip_prefix("/static/").expect("an asset");
        let path = route.replace("{id}", &self.id).replace("{name}", &self.name);
        let path = path.replace("{user}", &self.user).replace("{file}", file);
        assert!(!path.contains('{'), "{route} has a place that the tests do not know");
        path
    }
}

/// The addresses of all pages that take this method, `/setup` excepted, which is not there once there is a user.
pub fn pages(method: &str, place: &Place) -> Vec<String> {
    let routes = ROUTES.iter().filter(|route| route.scope == Scope::Pages && route.method == method);
    routes.filter(|route| route.path != "/setup").map(|route| place.path(route.path)).collect()
}
