//! What the hashing threads must and must not do.

use super::*;
use argon2::password_hash::phc::PasswordHash as Phc;
use rand::SeedableRng as _;
use rand::rngs::ChaCha12Rng;

const CHEAP: Cost = Cost { memory: 64, passes: 1 };

fn rng() -> ChaCha12Rng {
    ChaCha12Rng::from_seed([5; 32])
}

fn typed(text: &str) -> Password {
    Password::typed(Zeroizing::new(text.to_owned()))
}

fn ada() -> Requester {
    Requester { account: "ada".into(), address: Some([192, 0, 2, 1].into()) }
}

async fn hash_new(hasher: &Hasher, text: &str) -> Result<PasswordHash, NewPasswordError> {
    hasher.hash_new(Zeroizing::new(text.to_owned()), vec!["ada".into()], ada(), &mut rng()).await
}

async fn verify(hasher: &Hasher, text: &str, stored: Option<PasswordHash>) -> Verdict {
    hasher.verify(typed(text), stored, Line::Strangers, ada(), &mut rng()).await.unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

#[test]
fn a_password_is_told_from_another() {
    let hasher = Hasher::start(CHEAP, 1, &mut rng()).unwrap();
    block_on(async {
        let stored = hash_new(&hasher, "kupfer-Wal-9").await.unwrap();
        assert!(stored.as_phc().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        let right = verify(&hasher, "kupfer-Wal-9", Some(stored.clone())).await;
        assert_eq!(right, Verdict::Right { stronger: None });
        assert_eq!(verify(&hasher, "kupfer-Wal-8", Some(stored)).await, Verdict::Wrong);
    });
}

#[test]
fn hash_new_with_refused_password_returns_its_sentence() {
    let hasher = Hasher::start(CHEAP, 1, &mut rng()).unwrap();
    for text in ["short", "password1234", "adaadaadaada"] {
        let refused = block_on(hash_new(&hasher, text));
        assert!(matches!(refused, Err(NewPasswordError::Invalid(_))), "{text}: {refused:?}");
    }
}

#[test]
fn password_typed_in_another_unicode_form_is_right() {
    let hasher = Hasher::start(CHEAP, 1, &mut rng()).unwrap();
    let (composed, decomposed) = ("gr\u{fc}ner Wal neun", "gru\u{308}ner Wal neun");
    block_on(async {
        let stored = hash_new(&hasher, decomposed).await.unwrap();
        for text in [composed, decomposed] {
            assert_eq!(verify(&hasher, text, Some(stored.clone())).await, Verdict::Right { stronger: None });
        }
    });
}

#[test]
fn hash_of_a_password_that_was_not_normalized_stays_right_and_is_replaced() {
    let hasher = Hasher::start(CHEAP, 1, &mut rng()).unwrap();
    let (composed, decomposed) = ("gr\u{fc}ner Wal neun", "gru\u{308}ner Wal neun");
    let former = hash(&hasher.params, decomposed, &[7; SALT], &mut Vec::new()).unwrap();
    block_on(async {
        assert_eq!(verify(&hasher, composed, Some(former.clone())).await, Verdict::Wrong);
        let verdict = verify(&hasher, decomposed, Some(former)).await;
        let Verdict::Right { stronger: Some(stronger) } = verdict else { panic!("{verdict:?}") };
        assert_eq!(verify(&hasher, composed, Some(stronger)).await, Verdict::Right { stronger: None });
    });
}

#[test]
fn flood_of_one_account_leaves_the_queue_to_others() {
    let hasher = Hasher::start(CHEAP, 1, &mut rng()).unwrap();
    block_on(async {
        let (blocked, release) = std::sync::mpsc::channel::<()>();
        let held = hasher.run(ada(), Line::KnownDevices, move |_| release.recv().is_err());
        let flood = (0..2 * QUEUE).map(|_| hasher.run(ada(), Line::KnownDevices, |_| ()));
        let flood = futures_util::future::join_all(flood.collect::<Vec<_>>());
        let other = Requester { account: "eve".into(), address: Some([192, 0, 2, 2].into()) };
        let other = async {
            // All of the flood that is let in waits in the queue by now.
            drop(blocked);
            hasher.verify(typed("x"), None, Line::Strangers, other, &mut rng()).await
        };
        let (_, _, verdict) = futures_util::future::join3(held, flood, other).await;
        assert_eq!(verdict.unwrap(), Verdict::Wrong);
    });
}

#[test]
fn an_unknown_users_password_is_hashed_at_full_cost_and_wrong() {
    let hasher = Hasher::start(CHEAP, 1, &mut rng()).unwrap();
    let phc = Phc::new(hasher.nobody.as_phc()).unwrap();
    assert_eq!(Params::try_from(&phc).unwrap().m_cost(), CHEAP.memory);
    let mut memory = Vec::new();
    assert!(!matches(&hasher.nobody, "anything", &mut memory));
    assert_eq!(memory.len(), CHEAP.memory as usize, "the hash was really calculated");
    assert_eq!(block_on(verify(&hasher, "anything", None)), Verdict::Wrong);
}

#[test]
fn a_cheaper_stored_hash_is_replaced_on_the_way() {
    let cheap = Hasher::start(CHEAP, 1, &mut rng()).unwrap();
    let strong = Hasher::start(Cost { memory: 128, passes: 2 }, 1, &mut rng()).unwrap();
    block_on(async {
        let stored = hash_new(&cheap, "kupfer-Wal-9").await.unwrap();
        let verdict = verify(&strong, "kupfer-Wal-9", Some(stored)).await;
        let Verdict::Right { stronger: Some(stronger) } = verdict else { panic!("{verdict:?}") };
        assert!(stronger.as_phc().contains("m=128,t=2"));
    });
}

#[test]
fn malformed_stored_hashes_match_nothing() {
    let mut memory = Vec::new();
    for text in ["", "x", "$argon2id$v=19$m=64,t=1,p=1$", "$argon2id$v=19$m=0,t=0,p=0$c2FsdHNhbHQ$aGFzaGhhc2g"] {
        assert!(!matches(&PasswordHash::from_phc(text.to_owned()), "", &mut memory), "{text}");
    }
}
