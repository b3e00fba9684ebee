//! Whether the API keeps what its OpenAPI document promises: schemathesis reads the document from the real binary, and
//! sends it what fits and what does not. An answer that is not in the document fails the test, and so does any failure of
//! the portal itself.

#[path = "contract/house.rs"]
mod house;
#[path = "support/mod.rs"]
mod support;

use house::House;

/// Ends the token that asks: each of these is tried with a token of its own.
const ENDS_ITSELF: [&str; 3] = ["tokens.current.destroy", "tokens.current.rotation.create", "tokens.destroy"];

#[test]
fn the_api_keeps_its_contract_for_an_administrator_with_every_permission() {
    let house = House::set_up();
    // These end the token that asks, so the answers after the first are 401. They come first: later sessions may be ended.
    for operation in ENDS_ITSELF {
        let token = house.token(operation, "write");
        house.check(Some(&token), &["--include-operation-id", operation, "--phases", "coverage,fuzzing"]);
    }
    let token = house.token("all", "write");
    let mut arguments = Vec::new();
    for operation in ENDS_ITSELF {
        arguments.extend(["--exclude-operation-id", operation]);
    }
    house.check(Some(&token), &arguments);
    assert!(house.accepts(&token), "the token lived through it, so all of it was asked with a good one");
}

#[test]
fn the_api_keeps_its_contract_for_a_token_that_may_only_read_and_for_nobody() {
    let house = House::set_up();
    let token = house.token("reads", "read");
    house.check(Some(&token), &["--phases", "coverage,fuzzing"]);
    house.check(None, &["--phases", "coverage"]);
}
