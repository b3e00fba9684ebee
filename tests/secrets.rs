//! No secret leaves the place it belongs to: not into a log at its most talkative, not into the database or any other file
//! beside the key, not into an address, not back onto a page.
//!
//! A tour through the whole portal, in the real binary, uses passwords, tokens and cookies that are known here, in right and
//! wrong ways; then everything that was written anywhere is searched for each of them, in every spelling it may have taken.

#[path = "secrets/canaries.rs"]
mod canaries;
#[path = "secrets/debug_output.rs"]
mod debug_output;
#[path = "secrets/house.rs"]
mod house;
#[path = "support/mod.rs"]
mod support;
#[path = "secrets/tour.rs"]
mod tour;

use house::House;
use support::database::Schema;
use tour::Tour;

#[test]
fn no_secret_is_in_a_text_log_at_its_most_talkative_or_in_a_file() {
    nothing_leaks(None, "text");
}

#[test]
fn no_secret_is_in_a_json_log_at_its_most_talkative_or_in_a_file() {
    nothing_leaks(None, "json");
}

#[test]
fn no_secret_is_in_a_log_at_its_most_talkative_or_in_a_row_of_postgresql() {
    nothing_leaks(Some(Schema::create()), "text");
}

fn nothing_leaks(schema: Option<Schema>, log_format: &str) {
    let mut house = House::serve(schema, &["--log-level", "trace", "--log-format", log_format]);
    let Tour { mut canaries, answers, commands, .. } = Tour::take(&house);
    canaries.add_key(&house.key());
    assert!(canaries.count() > 50, "the tour used only {} secrets", canaries.count());

    // While it runs there is a write-ahead log, and when it has stopped there is none.
    house.assert_keeps_none_of(&canaries);
    house.stop();
    house.assert_keeps_none_of(&canaries);

    let log = house.log();
    assert!(log.contains("sign_in") || log.contains("/login"), "the log tells of requests:\n{log}");
    canaries.assert_absent("the log", log.as_bytes());
    for answer in &answers {
        answer.assert_leads_nowhere_with(&canaries);
    }
    for (command, said) in &commands {
        canaries.assert_absent(command, said.as_bytes());
    }
    canaries.assert_each_token_was_shown_when_asked_for(&answers);
}
