//! The rules of the house that the compiler does not know, checked by reading the files.
//!
//! Each test lists every place that breaks its rule, as `path:line: what`, so that one run shows all of them.

use std::fs;
use std::path::{Path, PathBuf};

const LONGEST: usize = 250;
const LONGER: &str = "// Longer than 250 lines:";

// ---- The layers, arrows one way: domain <- storage <- auth <- web; jobs stands on storage and domain.

/// For each layer the modules of this crate that it must not know.
const LAYERS: [(&str, &[&str]); 4] = [
    ("domain", &["storage", "auth", "jobs", "web", "cli", "config", "clock"]),
    ("storage", &["auth", "jobs", "web", "cli", "config"]),
    ("auth", &["jobs", "web", "cli", "config"]),
    ("jobs", &["auth", "web", "cli", "config"]),
];

#[test]
fn no_layer_knows_the_ones_above_it() {
    let mut broken = Vec::new();
    for source in sources() {
        for (layer, above) in LAYERS {
            if source.is_in(layer) {
                for (line, module) in modules_of_this_crate(&source.code()) {
                    if above.contains(&module.as_str()) {
                        broken.push(source.at(line, &format!("{layer} uses {module}")));
                    }
                }
            }
        }
    }
    assert_none(&broken, "a layer knows only those below it");
}

#[test]
fn only_storage_knows_diesel() {
    refuse_outside(&["storage"], &["diesel::", "use diesel", "extern crate diesel", "diesel_migrations"]);
}

#[test]
fn only_web_knows_actix() {
    refuse_outside(&["web"], &["actix_", "actix::"]);
}

#[test]
fn only_the_clock_asks_the_time() {
    let mut broken = Vec::new();
    for source in sources() {
        if !source.is_in("clock") {
            broken.extend(source.mentions(&["now_utc", "now_local", "SystemTime::now"]));
        }
        if source.is_in("domain") {
            broken.extend(source.mentions(&["Instant::now"]));
        }
    }
    assert_none(&broken, "the time comes in as an argument, from the clock");
}

/// A write that wrongly says so would leave revoked tokens working.
#[test]
fn only_a_few_writes_pass_by_the_index_of_checks() {
    const BESIDE: [&str; 9] = [
        "src/auth/sign_in.rs",
        "src/jobs/denials.rs",
        "src/jobs/pruning.rs",
        "src/jobs/uses.rs",
        "src/jobs/uses/parts.rs",
        "src/storage/db.rs",
        "src/web/pages/sign_in.rs",
        "src/web/reveal.rs",
        "src/web/session.rs",
    ];
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| !BESIDE.iter().any(|path| source.path.ends_with(path))) {
        broken.extend(source.mentions(&["write_beside_checks"]));
    }
    assert_none(&broken, "look whether no check can notice the change, then add the file here");
}

// ---- The way a source file is written.

#[test]
fn every_source_file_says_what_it_is() {
    let silent: Vec<_> = sources()
        .iter()
        .filter(|source| {
            let first = source.text.lines().find(|line| !line.trim().is_empty());
            !first.is_some_and(|line| line.starts_with("//!"))
        })
        .map(|source| source.at(1, "does not start with //!"))
        .collect();
    assert_none(&silent, "a module begins by saying what it is and what it may not do");
}

#[test]
fn a_long_source_file_says_why_it_is_long() {
    let long: Vec<_> = sources()
        .iter()
        .filter(|source| source.text.lines().count() > LONGEST && !gives_a_reason(&source.text))
        .map(|source| source.at(LONGEST + 1, &format!("goes on after line {LONGEST}")))
        .collect();
    assert_none(&long, &format!("split it, or add a line `{LONGER} …` that says why not"));
}

fn gives_a_reason(text: &str) -> bool {
    text.lines().filter_map(|line| line.trim().strip_prefix(LONGER)).any(|reason| !reason.trim().is_empty())
}

#[test]
fn nothing_outside_tests_unwraps() {
    let mut broken = Vec::new();
    for source in sources() {
        broken.extend(source.mentions(&[".unwrap()"]));
    }
    assert_none(&broken, "return an error, or `expect` with the reason why it cannot fail");
}

// ---- Templates.

#[test]
fn templates_never_print_text_unescaped() {
    let mut broken = Vec::new();
    for template in templates() {
        for (line, text) in numbered(&template.without_comments()) {
            let squeezed: String = text.split_whitespace().collect();
            for raw in [
                "|safe",
                "%autoescape",
                "%-autoescape",
                "%+autoescape",
                "%~autoescape",
                "|escape(\"none\")",
                "|e(\"none\")",
            ] {
                if squeezed.contains(raw) {
                    broken.push(template.at(line, raw));
                }
            }
        }
    }
    assert_none(&broken, "every value is escaped");
}

#[test]
fn templates_hold_no_inline_script_and_no_inline_style() {
    let mut broken = Vec::new();
    for template in templates() {
        let text = template.without_comments().to_lowercase();
        for (line, text) in numbered(&text) {
            if text.contains("<style") || text.contains("javascript:") {
                broken.push(template.at(line, text.trim()));
            }
            for attribute in attributes(text) {
                if attribute == "style" || (attribute.starts_with("on") && attribute.len() > 2) {
                    broken.push(template.at(line, &format!("attribute {attribute}=")));
                }
            }
        }
        for (position, _) in text.match_indices("<script") {
            let tag = text[position..].split('>').next().unwrap_or_default();
            if !tag.contains(" src=") {
                let line = text[..position].matches('\n').count() + 1;
                broken.push(template.at(line, "<script> without src"));
            }
        }
    }
    assert_none(&broken, "the content security policy allows neither");
}

/// The names that stand before a `=`: what HTML calls attributes, and whatever else looks like one.
fn attributes(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('=').filter_map(|(position, _)| {
        let before = &text[..position];
        let start = before.rfind(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c)))? + 1;
        let name = &before[start..];
        (before[..start].ends_with([' ', '\t', '"', '\'']) && !name.is_empty()).then_some(name)
    })
}

// ---- Migrations.

#[test]
fn every_migration_has_its_twin_and_a_way_back() {
    let [sqlite, postgres] = ["sqlite", "postgres"].map(|kind| {
        let folder = root().join("migrations").join(kind);
        let mut names = entries(&folder);
        names.retain(|path| path.is_dir());
        for path in &names {
            for file in ["up.sql", "down.sql"] {
                assert!(path.join(file).is_file(), "{} is missing", path.join(file).display());
            }
        }
        names.iter().map(|path| path.file_name().expect("a folder has a name").to_owned()).collect::<Vec<_>>()
    });
    assert!(!sqlite.is_empty(), "there are no migrations");
    assert_eq!(sqlite, postgres, "the same migrations, by the same names, for both databases");
}

// ---- The whole tree.

#[test]
fn no_file_names_a_place_on_the_machine_it_was_written_on() {
    // In two pieces, or this file would name them itself.
    let places = [concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/ho", "me/")];
    let mut broken = Vec::new();
    for file in tracked() {
        for (line, text) in numbered(&file.text) {
            for place in places {
                if text.match_indices(place).any(|(position, _)| begins_a_path(text, position)) {
                    broken.push(file.at(line, text.trim()));
                }
            }
        }
    }
    assert_none(&broken, "nobody else has these folders");
}

/// Whether the slash at this position is a path's first one, and not the middle of an address or of a relative path.
fn begins_a_path(text: &str, position: usize) -> bool {
    !text[..position].ends_with(|c: char| c.is_alphanumeric() || "_.-~})".contains(c))
}

#[test]
fn every_dependency_comes_from_the_public_registry() {
    let mut broken = Vec::new();
    for file in tracked() {
        let lock = file.path.ends_with("Cargo.lock");
        for (line, text) in numbered(&file.text) {
            let elsewhere = lock
                && text.starts_with("source = ")
                && text != "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
            let redirected = [concat!("index", "-url"), concat!("find", "-links"), concat!("replace", "-with")]
                .iter()
                .any(|setting| text.contains(setting));
            if elsewhere || redirected {
                broken.push(file.at(line, text.trim()));
            }
        }
    }
    assert_none(&broken, "whoever clones this reaches the public registries only");
}

// ---- Reading the tree.

struct File {
    path: PathBuf,
    text: String,
}

impl File {
    fn at(&self, line: usize, what: &str) -> String {
        let path = self.path.strip_prefix(root()).unwrap_or(&self.path);
        format!("{}:{line}: {what}", path.display())
    }

    /// Whether this is `src/{module}.rs` or lies in `src/{module}/`.
    fn is_in(&self, module: &str) -> bool {
        let src = root().join("src");
        self.path.starts_with(src.join(module)) || self.path == src.join(format!("{module}.rs"))
    }

    /// The text without comments, line for line.
    fn code(&self) -> String {
        let mut code = String::with_capacity(self.text.len());
        for line in self.text.lines() {
            let trimmed = line.trim_start();
            if !trimmed.starts_with("//") {
                // A comment behind code stands apart from it; the slashes of an address do not.
                code.push_str(line.split(" // ").next().unwrap_or(line));
            }
            code.push('\n');
        }
        code
    }

    /// The code that is in the program: without comments and without `#[cfg(test)] mod … { … }`.
    fn shipped_code(&self) -> String {
        if self.path.ends_with("tests.rs") {
            return String::new();
        }
        let code = self.code();
        let mut shipped = String::with_capacity(code.len());
        let (mut announced, mut inside) = (false, false);
        for line in code.lines() {
            if inside {
                inside = line != "}";
            } else if announced && line.starts_with("mod ") {
                inside = line.ends_with('{');
                announced = false;
            } else {
                announced = line == "#[cfg(test)]" || (announced && line.starts_with("#["));
                shipped.push_str(line);
            }
            shipped.push('\n');
        }
        shipped
    }

    fn mentions(&self, words: &[&str]) -> Vec<String> {
        let code = self.shipped_code();
        numbered(&code)
            .flat_map(|(line, text)| {
                words.iter().filter(move |word| text.contains(**word)).map(move |word| self.at(line, word))
            })
            .collect()
    }

    /// A template's text without `{# … #}`, line for line.
    fn without_comments(&self) -> String {
        let mut rest = self.text.as_str();
        let mut kept = String::with_capacity(rest.len());
        while let Some(start) = rest.find("{#") {
            let length = rest[start..].find("#}").map_or(rest.len() - start, |end| end + 2);
            kept.push_str(&rest[..start]);
            kept.extend(rest[start..start + length].chars().filter(|c| *c == '\n'));
            rest = &rest[start + length..];
        }
        kept + rest
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<File> {
    let mut files = below(&root().join("src"));
    files.retain(|file| file.path.extension().is_some_and(|extension| extension == "rs"));
    files
}

fn templates() -> Vec<File> {
    let files = below(&root().join("templates"));
    assert!(!files.is_empty(), "there are no templates");
    files
}

/// All text files but those that git is told to ignore.
fn tracked() -> Vec<File> {
    let ignored = fs::read_to_string(root().join(".gitignore")).expect(".gitignore is there");
    let mut skipped = vec![root().join(".git")];
    for line in ignored.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let name = line.strip_prefix('/').expect("each line of .gitignore begins with a slash");
        skipped.push(root().join(name));
    }
    entries(&root()).into_iter().filter(|path| !skipped.contains(path)).flat_map(|path| below(&path)).collect()
}

/// The text files at or below a path, in order.
fn below(path: &Path) -> Vec<File> {
    if path.is_dir() {
        return entries(path).iter().flat_map(|entry| below(entry)).collect();
    }
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text = String::from_utf8(bytes).ok();
    text.map(|text| File { path: path.to_owned(), text }).into_iter().collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let list = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = list.map(|entry| entry.expect("the folder can be read").path()).collect();
    paths.sort();
    paths
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// The modules of this crate that are named, with their lines: `crate::web::page`, `use crate::{web::page, auth}`, and
/// `super::web` as well, whichever module that would be.
fn modules_of_this_crate(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for prefix in ["crate::", "super::"] {
        for (position, _) in code.match_indices(prefix) {
            let line = code[..position].matches('\n').count() + 1;
            let path = &code[position + prefix.len()..];
            let modules = match path.strip_prefix('{') {
                Some(group) => first_names(group),
                None => vec![first_name(path)],
            };
            found.extend(modules.into_iter().map(|module| (line, module)));
        }
    }
    found
}

/// The first name of each path in `a::{b, c}, d}`: `a` and `d`.
fn first_names(group: &str) -> Vec<String> {
    let (mut names, mut depth, mut start) = (Vec::new(), 0, 0);
    for (position, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' if depth == 0 => {
                names.push(first_name(&group[start..position]));
                start = position + 1;
            }
            '}' if depth == 0 => {
                names.push(first_name(&group[start..position]));
                names.retain(|name| !name.is_empty()); // what follows a last comma
                break;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    names
}

fn first_name(path: &str) -> String {
    path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn refuse_outside(homes: &[&str], words: &[&str]) {
    let mut broken = Vec::new();
    for source in sources() {
        if !homes.iter().any(|home| source.is_in(home)) {
            let code = source.code();
            for (line, text) in numbered(&code) {
                broken.extend(words.iter().filter(|word| text.contains(**word)).map(|word| source.at(line, word)));
            }
        }
    }
    assert_none(&broken, &format!("this belongs into src/{}", homes.join(" or src/")));
}

fn assert_none(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

// ---- The readers themselves, or a rule could pass because nothing was read.

#[test]
fn the_readers_find_what_they_look_for() {
    let group = "use crate::{\n    auth::{Caller, web},\n    storage,\n};\nlet x = crate::web::page();";
    let modules: Vec<_> =
        modules_of_this_crate(group).into_iter().map(|(line, module)| format!("{line} {module}")).collect();
    assert_eq!(modules, ["1 auth", "1 storage", "5 web"]);

    let source = File {
        path: root().join("src/domain/secret.rs"),
        text: "a.unwrap();\n// b.unwrap()\n#[cfg(test)]\nmod tests {\n    c.unwrap();\n}\nd.unwrap();\n".to_owned(),
    };
    assert!(source.is_in("domain"));
    assert_eq!(
        source.mentions(&[".unwrap()"]),
        ["src/domain/secret.rs:1: .unwrap()", "src/domain/secret.rs:7: .unwrap()"]
    );

    assert_eq!(
        attributes(r#"<a href="x" onclick="y" data-on-x="z">1=2"#).collect::<Vec<_>>(),
        ["href", "onclick", "data-on-x"]
    );
    assert!(begins_a_path("cd /x/", 3) && !begins_a_path("a/x/", 1) && !begins_a_path("$HOME/x/", 5));
}
