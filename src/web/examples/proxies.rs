//! How a service is put behind a repository: configurations of reverse proxies that ask this very portal.
//! `127.0.0.1:9000` stands for the service. The tests run those of nginx and Caddy as they are printed, and send by themselves
//! what Traefik, which Debian lacks, would.

use std::fmt::Write as _;

use super::Example;
use crate::config::PublicUrl;
use crate::web::urls;

/// What a service learns of whoever asks it.
pub const IDENTITY: [&str; 6] =
    ["X-Auth-User", "X-Auth-Kind", "X-Auth-Token-Id", "X-Auth-Token-Name", "X-Auth-Repository", "X-Auth-Permission"];

/// Two dots at the beginning of a part of the path, in any spelling. Proxies take them away before they choose the location and
/// hand on the address as it was sent; a service that counts empty parts, cuts off parameters, or takes `#` and `\` otherwise
/// arrives elsewhere, perhaps at what another repository protects.
const CLIMBS: &str = r"^[^?]*(/|%2f|\x5c|%5c)(\.|%2e)(\.|%2e)";

/// For the repository `name`.
pub fn of(portal: &PublicUrl, name: &str) -> Vec<Example> {
    vec![
        Example {
            id: "integration-nginx",
            label: "nginx".into(),
            hint: "Put it into the server block of the service, and its address in the place of 127.0.0.1:9000. \
                 Where one server has several repositories, each gets a location of its own. WebSockets pass."
                .into(),
            code: nginx(portal, name),
        },
        Example {
            id: "integration-caddy",
            label: "Caddy".into(),
            hint: "Put it into the site block of the service, and its address in the place of 127.0.0.1:9000. \
                 Where one site has several repositories, each gets a route of its own."
                .into(),
            code: caddy(portal, name),
        },
        Example {
            id: "integration-traefik",
            label: "Traefik".into(),
            hint:
                "For the dynamic configuration. Give the service's router these middlewares, in this order. Traefik's \
                 own address must be among the trusted proxies of Tokenhouse. Use Traefik \
                 2.11.9, 3.1.3 or later: with earlier versions a client can remove the identity headers."
                    .into(),
            code: traefik(portal, name),
        },
    ]
}

/// Of the client's headers, the portal gets those alone that are named. The service gets what the portal said in the place of
/// what the client made up, and no token. WebSockets pass, and no other upgrade, such as to HTTP/2: it would lead past this check.
fn nginx(portal: &PublicUrl, name: &str) -> String {
    let ask = format!("/_tokenhouse/{name}");
    let (mut taken, mut handed_on) = (String::new(), String::new());
    for header in IDENTITY {
        let lower = header.to_lowercase().replace('-', "_");
        let variable = format!("$tokenhouse_{}", lower.trim_start_matches("x_auth_"));
        let _ = writeln!(taken, "    auth_request_set {variable} $upstream_http_{lower};");
        let _ = writeln!(handed_on, "    proxy_set_header {header} {variable};");
    }
    let tls = if portal.is_https() {
        "    proxy_ssl_server_name on;\n    proxy_ssl_verify on;\n    proxy_ssl_verify_depth 3;\n    \
         proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;\n"
    } else {
        ""
    };
    format!(
        "location / {{\n    \
             if ($request_uri ~* \"{CLIMBS}\") {{ return 400; }}\n    \
             auth_request {ask};\n\
         {taken}{handed_on}    \
             proxy_set_header Authorization \"\";\n    \
             set $tokenhouse_upgrade \"\";\n    \
             set $tokenhouse_connection \"\";\n    \
             if ($http_upgrade ~* \"^websocket$\") {{\n        \
                 set $tokenhouse_upgrade websocket;\n        \
                 set $tokenhouse_connection upgrade;\n    \
             }}\n    \
             proxy_http_version 1.1;\n    \
             proxy_set_header Upgrade $tokenhouse_upgrade;\n    \
             proxy_set_header Connection $tokenhouse_connection;\n    \
             proxy_set_header Host $http_host;\n    \
             proxy_set_header X-Forwarded-For $remote_addr;\n    \
             proxy_set_header X-Forwarded-Proto $scheme;\n    \
             proxy_pass http://127.0.0.1:9000;\n\
         }}\n\
         location = {ask} {{\n    \
             internal;\n    \
             proxy_pass {address};\n\
         {tls}    \
             proxy_pass_request_body off;\n    \
             proxy_pass_request_headers off;\n    \
             proxy_set_header Content-Length \"\";\n    \
             proxy_set_header Authorization $http_authorization;\n    \
             proxy_set_header User-Agent $http_user_agent;\n    \
             proxy_set_header X-Original-Method $request_method;\n    \
             proxy_set_header X-Original-URI $request_uri;\n    \
             proxy_set_header X-Forwarded-For $remote_addr;\n    \
             proxy_set_header X-Forwarded-Proto $scheme;\n\
         }}",
        address = portal.join(&urls::auth_nginx(name)),
    )
}

/// What the client made up goes first, in whatever spelling a service may take for the same. The identity headers are set once
/// more where Caddy passes the request on, because it removes those that the client names in `Connection` before that.
fn caddy(portal: &PublicUrl, name: &str) -> String {
    let (address, path) = (portal.as_str(), urls::auth_forward(name));
    // A proxy before the portal chooses by the name.
    let host = if portal.is_https() {
        format!("\t\theader_up Host {}\n", address.trim_start_matches("https://"))
    } else {
        String::new()
    };
    let identity: String =
        IDENTITY.iter().map(|name| format!("\t\theader_up {name} {{http.request.header.{name}}}\n")).collect();
    format!(
        "route {{\n\
         \t@climbs vars_regexp {{http.request.orig_uri}} (?i){CLIMBS}\n\
         \trespond @climbs 400\n\
         \trequest_header -X-Auth*\n\
         \trequest_header -X_Auth*\n\
         \t@upgrades not header_regexp Upgrade (?i)^websocket$\n\
         \trequest_header @upgrades -Upgrade\n\
         \tforward_auth {address} {{\n\
         \t\turi {path}\n\
         \t\theader_up -Cookie\n\
         {host}\
         \t\tcopy_headers {}\n\
         \t}}\n\
         \treverse_proxy 127.0.0.1:9000 {{\n\
         {identity}\
         \t\theader_up -Authorization\n\
         \t}}\n\
         }}",
        IDENTITY.join(" "),
    )
}

fn traefik(portal: &PublicUrl, name: &str) -> String {
    let headers: String = IDENTITY.iter().map(|header| format!("          - {header}\n")).collect();
    // A dot would divide a key.
    let key = name.replace('.', "-");
    format!(
        "http:\n  \
           middlewares:\n    \
             tokenhouse-{key}:\n      \
               forwardAuth:\n        \
                 # This address must be an internal one: another proxy in front of it would replace what Traefik says.\n        \
                 address: \"{address}\"\n        \
                 trustForwardHeader: false\n        \
                 authRequestHeaders:\n          \
                   - Authorization\n          \
                   - User-Agent\n        \
                 authResponseHeaders:\n\
         {headers}    \
             tokenhouse-strip:\n      \
               headers:\n        \
                 customRequestHeaders:\n          \
                   Authorization: \"\"",
        address = portal.join(&urls::auth_forward(name)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_says_the_same() {
        let readme = include_str!("../../../README.md");
        let portal = PublicUrl::parse("http://127.0.0.1:8080").unwrap();
        for example in of(&portal, "payments").iter().filter(|example| example.label != "Traefik") {
            assert!(readme.contains(&format!("```\n{}\n```", example.code)), "{}:\n{}", example.label, example.code);
        }
    }

    #[test]
    fn a_portal_behind_tls_is_asked_under_its_name_and_its_certificate_is_checked() {
        let portal = PublicUrl::parse("https://tokens.example.org").unwrap();
        let (nginx, caddy) = (nginx(&portal, "payments"), caddy(&portal, "payments"));
        assert!(
            nginx.contains("proxy_pass https://tokens.example.org/auth/nginx/payments;\n    proxy_ssl_server_name on;")
        );
        assert!(nginx.contains("proxy_ssl_verify on;"));
        assert!(
            caddy.contains("forward_auth https://tokens.example.org {")
                && caddy.contains("header_up Host tokens.example.org\n")
        );
    }
}
