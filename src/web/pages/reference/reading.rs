//! From the OpenAPI document to what the page shows of it.

use serde_json::{Value, json};

use crate::domain::permission::{Area, Permission};
use crate::web::urls;

use super::objects::{Field, Schema, field, list, named, properties, schemas, text};

/// The schema of errors, told once.
const ERROR: &str = "Problem";

/// All that there is to show.
pub struct Reference {
    pub introduction: String,
    /// In the order of the document.
    pub groups: Vec<Group>,
    /// What most operations may answer besides their own.
    pub common: Vec<Answer>,
    /// What errors are told in.
    pub errors: Vec<Schema>,
}

/// The operations that have to do with one thing.
pub struct Group {
    pub id: String,
    pub name: String,
    pub description: String,
    pub operations: Vec<Operation>,
    /// What they take and answer.
    pub schemas: Vec<Schema>,
}

/// One way to call the API.
pub struct Operation {
    pub id: String,
    tag: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    pub description: String,
    /// "Repositories: Read", "Any good token" or "None".
    pub needs: String,
    pub parameters: Vec<Field>,
    /// Name of the body's schema, and whether it may be left out.
    pub body: Option<(String, bool)>,
    pub answers: Vec<Answer>,
    /// With `place`, behind the public address, runs as pasted, once the token is in its variable.
    pub call: String,
    pub place: String,
    /// All that a search looks into, in lower case.
    text: String,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: String,
    pub description: String,
    /// Name of the schema; empty where there is none.
    pub schema: String,
}

impl Reference {
    pub fn of(document: &Value) -> Self {
        let mut operations = operations(document);
        let common = common_answers(&operations);
        for operation in &mut operations {
            operation.answers.retain(|answer| !common.contains(answer));
            for answer in operation.answers.iter_mut().filter(|answer| answer.schema == ERROR) {
                answer.schema.clear();
            }
        }
        let groups = list(&document["tags"]).map(|tag| {
            let name = text(&tag["name"]);
            let operations: Vec<Operation> = operations.extract_if(.., |operation| operation.tag == name).collect();
            Group {
                id: name.to_lowercase().replace(' ', "-"),
                description: text(&tag["description"]),
                schemas: schemas(document, operations.iter().flat_map(Operation::schemas)),
                operations,
                name,
            }
        });
        Self {
            groups: groups.collect(),
            introduction: text(&document["info"]["description"]).replace('`', ""),
            errors: schemas(document, [ERROR.to_owned()]),
            common,
        }
    }
}

impl Group {
    pub fn path(&self) -> String {
        urls::api_group(&self.id)
    }
}

impl Operation {
    /// Whether all of these words are in it.
    pub fn holds(&self, words: &[String]) -> bool {
        words.iter().all(|word| self.text.contains(word.as_str()))
    }

    /// The names of what it takes and answers.
    fn schemas(&self) -> impl Iterator<Item = String> {
        let answered = self.answers.iter().map(|answer| answer.schema.clone());
        answered.chain(self.body.iter().map(|(name, _)| name.clone()))
    }
}

/// All operations, by path.
fn operations(document: &Value) -> Vec<Operation> {
    let order = ["get", "post", "put", "patch", "delete"];
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, operations)| {
            let known = order.iter().filter_map(|method| Some((*method, operations.get(*method)?)));
            known.map(|(method, operation)| read(document, path, method, operation))
        })
        .collect()
}

fn read(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let body = &operation["requestBody"];
    let schema = named(&body["content"]["application/json"]["schema"]);
    let responses = operation["responses"].as_object().into_iter().flatten();
    let (call, place) = example(document, path, method, operation, &schema);
    let mut read = Operation {
        id: text(&operation["operationId"]),
        tag: text(&operation["tags"][0]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]).replace('`', ""),
        needs: needs(&operation["security"][0]),
        parameters: list(&operation["parameters"])
            .map(|parameter| field(&text(&parameter["name"]), parameter))
            .collect(),
        body: (!schema.is_empty()).then(|| (schema, body["required"] != json!(true))),
        answers: responses
            .map(|(status, answer)| Answer {
                status: status.clone(),
                description: text(&answer["description"]).replace('`', ""),
                schema: content(answer).map_or_else(String::new, named),
            })
            .collect(),
        call,
        place,
        text: String::new(),
    };
    let all = [&read.tag, &read.method, &read.path, &read.summary, &read.description, &read.needs];
    read.text = all.map(|text| text.to_lowercase()).join(" ");
    read
}

fn content(answer: &Value) -> Option<&Value> {
    Some(&answer["content"].as_object()?.values().next()?["schema"])
}

fn needs(security: &Value) -> String {
    let Some(scopes) = security["bearer"].as_array() else { return "No token".into() };
    let Some((area, permission)) = scopes.first().and_then(Value::as_str).and_then(|scope| scope.split_once(':'))
    else {
        return "Any good token".into();
    };
    let area = Area::ALL.into_iter().find(|known| known.label().eq_ignore_ascii_case(area));
    let permission = Permission::from_name(permission).unwrap_or_default();
    area.map_or_else(String::new, |area| format!("{}: {}", area.label(), permission.label()))
}

/// A call with curl, and its path. The token stands in a variable and on no command line.
fn example(document: &Value, path: &str, method: &str, operation: &Value, schema: &str) -> (String, String) {
    let mut place = path.to_owned();
    for parameter in list(&operation["parameters"]).filter(|parameter| parameter["in"] == "path") {
        let name = text(&parameter["name"]);
        let value = parameter["example"].as_str().map_or_else(|| format!("${}", name.to_uppercase()), str::to_owned);
        place = place.replace(&format!("{{{name}}}"), &value);
    }
    let mut call = "curl".to_owned();
    if method != "get" {
        call.push_str(&format!(" --request {}", method.to_uppercase()));
    }
    if !schema.is_empty() {
        let body = sample(&document["components"]["schemas"][schema]);
        call.push_str(&format!(" --header 'Content-Type: application/json' --data '{body}'"));
    }
    if operation["security"][0]["bearer"].is_array() {
        call = call.replacen("curl", "printf 'Authorization: Bearer %s' \"$TOKENHOUSE_TOKEN\" | curl --header @-", 1);
    }
    (call, place)
}

/// The object that the examples of its fields make.
fn sample(schema: &Value) -> Value {
    let fields = properties(schema).into_iter();
    let given = fields.filter_map(|(name, field)| Some((name, field.get("example")?.clone())));
    Value::Object(given.collect())
}

/// What at least every fourth operation may answer, word by word.
fn common_answers(operations: &[Operation]) -> Vec<Answer> {
    let having = |answer: &Answer| operations.iter().filter(|operation| operation.answers.contains(answer)).count();
    let mut common: Vec<Answer> = Vec::new();
    for answer in operations.iter().flat_map(|operation| &operation.answers) {
        if !common.contains(answer) && having(answer) * 4 >= operations.len() {
            common.push(answer.clone());
        }
    }
    common.sort_by(|a, b| a.status.cmp(&b.status));
    common
}
