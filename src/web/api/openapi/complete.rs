//! What every operation has in common, so that no handler repeats it: both ways to send a token, the problems that can
//! come anywhere, and their form.

use serde_json::{Map, Value, json};

/// Problems that any operation can answer with: status and description.
const ANYWHERE: [(&str, &str); 5] = [
    ("400", "The address or the body is not understood."),
    ("414", "The address is longer than 4 kB."),
    ("431", "The headers are larger than 16 kB, or the cookies larger than 64 kB."),
    ("500", "Something went wrong in the portal, and it was logged."),
    (
        "503",
        "The portal is busy, its database away or its disk full; `Retry-After` says when to try again. A change was not made, unless the answer says that it may have been.",
    ),
];
/// Those that come where a token is asked for.
const WITH_A_TOKEN: [(&str, &str); 2] = [
    ("401", "The token is missing or not accepted."),
    ("403", "The token lacks a permission, or its owner a privilege; `detail` names it."),
];
/// Those that come where there is a body.
const WITH_A_BODY: [(&str, &str); 4] = [
    ("408", "The body came too slowly."),
    ("413", "The body is larger than 64 kB."),
    ("415", "The body is not `application/json`."),
    ("422", "Fields of the body cannot be taken; `errors` names them."),
];
/// That comes where something is changed.
const WITH_A_CHANGE: [(&str, &str); 1] =
    [("429", "Too many changes within an hour; `Retry-After` says when to try again.")];
/// Those that come with an `Idempotency-Key`; added to what the handler says of the status.
const WITH_A_KEY: [(&str, &str); 2] = [
    ("409", "The first request with this `Idempotency-Key` is still running."),
    ("422", "The `Idempotency-Key` was used for another request."),
];
/// These come before it is known that the API was asked, so they are plain text or have no body.
const PLAIN: [&str; 2] = ["414", "431"];

/// Ranges of characters that no text may hold, as they stand between the brackets of a pattern.
const INVISIBLE: &str = "\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb\u{e0000}-\u{e007f}";

pub fn complete(document: &mut Value) {
    document["components"]["securitySchemes"] = json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token, a repository token or a service token (RFC 6750).",
        },
        "basic": {
            "type": "http",
            "scheme": "basic",
            "description": "The token as the password. The username is the owner's for an API token, the repository's name for a repository token, the service's name for a service token (RFC 7617).",
        },
    });
    for schema in document["components"]["schemas"].as_object_mut().into_iter().flatten().map(|(_, schema)| schema) {
        if schema["additionalProperties"] == json!(false) {
            tell_free_text(schema);
        }
    }
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for (path, operations) in paths {
        let Some(operations) = operations.as_object_mut() else { continue };
        for (method, operation) in operations.iter_mut().filter(|(_, operation)| operation.get("responses").is_some()) {
            complete_operation(method, path, operation);
        }
    }
}

/// A body's texts have no character that is invisible, and where they must not be empty, one that is no space: what
/// `domain::name` asks for.
fn tell_free_text(schema: &mut Value) {
    for (_, property) in schema["properties"].as_object_mut().into_iter().flatten() {
        let free = property["type"] == json!("string") && property.get("pattern").is_none();
        if !free {
            continue;
        }
        let pattern = match property["minLength"].as_u64() {
            Some(1..) => format!("^[^{INVISIBLE}]*[^{INVISIBLE}\\s][^{INVISIBLE}]*$"),
            _ => format!("^[^{INVISIBLE}]*$"),
        };
        property["pattern"] = json!(pattern);
    }
}

/// A body that may be left out is no body that may be `null`.
fn tell_optional_body(operation: &mut Value) {
    let Some(body) = operation.get_mut("requestBody") else { return };
    let schema = &mut body["content"]["application/json"]["schema"];
    let inner = schema["oneOf"].as_array().and_then(|any| any.iter().find(|one| one.get("$ref").is_some())).cloned();
    if let Some(inner) = inner {
        *schema = inner;
        body["required"] = json!(false);
    }
}

fn complete_operation(method: &str, path: &str, operation: &mut Value) {
    operation["operationId"] = json!(name(path, operation["operationId"].as_str().unwrap_or_default()));
    tell_optional_body(operation);
    let public = operation["security"] == json!([{}]);
    if !public {
        // A handler names Bearer alone; Basic is as good everywhere.
        let scopes = operation["security"][0]["bearer"].clone();
        operation["security"] = json!([{ "bearer": scopes }, { "basic": scopes }]);
    }
    let has_body = operation.get("requestBody").is_some();
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    let mut common = ANYWHERE.to_vec();
    if !public {
        common.extend(WITH_A_TOKEN);
    }
    if has_body {
        common.extend(WITH_A_BODY);
    }
    if method != "get" {
        common.extend(WITH_A_CHANGE);
    }
    for (status, description) in common {
        responses.entry(status).or_insert_with(|| json!({ "description": description }));
    }
    if method == "post" {
        for (status, case) in WITH_A_KEY {
            let response = responses.entry(status).or_insert_with(|| json!({ "description": "" }));
            let described = format!("{} {case}", response["description"].as_str().unwrap_or_default());
            response["description"] = json!(described.trim_start());
        }
    }
    let kept: Map<String, Value> = std::mem::take(responses);
    let mut sorted: Vec<_> = kept.into_iter().collect();
    sorted.sort_by(|one, other| one.0.cmp(&other.0));
    responses.extend(sorted);
    let tagged = responses.contains_key("304");
    for (status, response) in responses.iter_mut() {
        if status.as_str() >= "400" && !PLAIN.contains(&status.as_str()) {
            response["content"] = json!({
                "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } },
            });
        }
        match status.as_str() {
            "401" | "403" => {
                let value = "The scheme, and with 403 the permission that is missing (RFC 6750, section 3).";
                response["headers"]["WWW-Authenticate"] = header(value, "string");
            }
            "429" | "503" => response["headers"]["Retry-After"] = header("Seconds to wait.", "integer"),
            "200" | "304" if tagged => response["headers"]["ETag"] = header("Changes with the answer.", "string"),
            "201" => response["headers"]["Location"] = header("The address of what was made.", "string"),
            _ => {}
        }
    }
    if tagged {
        add_parameter(
            operation,
            json!({
                "name": "If-None-Match",
                "in": "header",
                "description": "The `ETag` of an earlier answer: 304 while nothing has changed.",
                "schema": { "type": "string" },
            }),
        );
    }
    if method == "post" {
        add_parameter(
            operation,
            json!({
                "name": "Idempotency-Key",
                "in": "header",
                "description": "A random value of 1 to 64 visible characters, stored on disk before the request. For 10 minutes the same request gets the same answer, and nothing is changed again.",
                "schema": { "type": "string", "pattern": "^([!#-~][!-~]{0,63}|\"([!#-\\[\\]-~]|\\\\[\"\\\\]){1,64}\")$" },
            }),
        );
    }
}

fn add_parameter(operation: &mut Value, parameter: Value) {
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
}

/// `repositories.token.create`: where the handler lies, and its name.
fn name(path: &str, handler: &str) -> String {
    let path = path.trim_start_matches("/api/v1/").trim_end_matches(".json");
    let parts = path.split('/').filter(|part| !part.starts_with('{'));
    parts.chain([handler]).collect::<Vec<_>>().join(".")
}

fn header(description: &str, r#type: &str) -> Value {
    json!({ "description": description, "schema": { "type": r#type } })
}
