use serde_json::{Map, Value, json};

use super::*;
use crate::kernel::{ambient::Ambient, ids::TypedId as _};

const ISSUER: &str = "https://tinvia.example";

fn at(seconds: i64) -> Instant {
    chrono::DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

fn ring() -> KeyRing {
    KeyRing::of([7; 32], at(-1_000))
}

fn signer(ring: &KeyRing) -> Signer {
    Signer::new(ring, ISSUER.into()).unwrap()
}

fn ids() -> (AccountId, SessionId) {
    (
        AccountId::fresh(at(0), [1; 8]),
        SessionId::fresh(at(0), [2; 8]),
    )
}

fn token(signer: &Signer, now: Instant) -> String {
    let (account, session) = ids();
    let roles = [Role::Shop];
    signer
        .sign(
            &Grant {
                account,
                session,
                roles: &roles,
                entropy: [9; 16],
            },
            now,
        )
        .unwrap()
}

fn decoded(part: &str) -> Map<String, Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn encoded(part: &Map<String, Value>) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap())
}

/// A token with our real signature over whatever header and claims a test wants.
fn forged(
    ring: &KeyRing,
    change: impl Fn(&mut Map<String, Value>, &mut Map<String, Value>),
) -> String {
    let signer = signer(ring);
    let honest = token(&signer, at(0));
    let mut parts = honest.split('.');
    let (mut header, mut claims) = (
        decoded(parts.next().unwrap()),
        decoded(parts.next().unwrap()),
    );
    change(&mut header, &mut claims);
    let message = format!("{}.{}", encoded(&header), encoded(&claims));
    let seed = ring.key(Purpose::AccessToken).1;
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.bytes()).unwrap();
    format!(
        "{message}.{}",
        URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()))
    )
}

#[test]
fn an_honest_token_says_who_and_for_how_long() {
    let signer = signer(&ring());
    let claims = signer.verify(&token(&signer, at(0)), at(1)).unwrap();
    let (account, session) = ids();
    assert_eq!((claims.sub, claims.sid), (account, session));
    assert_eq!(claims.exp - claims.iat, ACCESS_TOKEN_SECONDS);
    // The forging helper forges nothing when it changes nothing.
    assert!(signer.verify(&forged(&ring(), |_, _| {}), at(1)).is_some());
}

fn with_header(ring: &KeyRing, name: &str, value: &Value) -> String {
    forged(ring, |header, _| {
        header.insert(name.to_owned(), value.clone());
    })
}

fn with_claim(ring: &KeyRing, name: &str, value: &Value) -> String {
    forged(ring, |_, claims| {
        claims.insert(name.to_owned(), value.clone());
    })
}

fn without(ring: &KeyRing, name: &str) -> String {
    forged(ring, |header, claims| {
        header.remove(name);
        claims.remove(name);
    })
}

#[test]
fn s01_an_absent_or_symmetric_algorithm_is_refused() {
    let signer = signer(&ring());
    let refused = |token: &str| assert!(signer.verify(token, at(1)).is_none(), "{token}");
    let honest = token(&signer, at(0));
    let (message, signature) = honest.rsplit_once('.').unwrap();
    let (head, body) = message.split_once('.').unwrap();
    for alg in ["none", "None", "NONE", ""] {
        let mut header = decoded(head);
        header.insert("alg".to_owned(), json!(alg));
        refused(&format!("{}.{body}.", encoded(&header)));
        refused(&format!("{}.{body}.{signature}", encoded(&header)));
    }
    // A MAC keyed with what everybody knows: the public key, raw and as text.
    let public = signer.public_keys(at(1)).keys.remove(0);
    let raw = URL_SAFE_NO_PAD.decode(&public.x).unwrap();
    for key in [raw.as_slice(), public.x.as_bytes()] {
        for alg in [Algorithm::HS256, Algorithm::HS512] {
            let mut header = super::header(&public.kid);
            header.alg = alg;
            let key = EncodingKey::from_secret(key);
            refused(&jsonwebtoken::encode(&header, &decoded(body), &key).unwrap());
        }
    }
}

#[test]
fn s01_a_key_of_the_senders_choice_has_no_say() {
    let ring = ring();
    let signer = signer(&ring);
    let refused = |token: &str| assert!(signer.verify(token, at(1)).is_none(), "{token}");
    let honest = token(&signer, at(0));
    let (message, signature) = honest.rsplit_once('.').unwrap();
    let (head, body) = message.split_once('.').unwrap();
    // Our own signature under another key's name, and under none.
    refused(&with_header(&ring, "kid", &json!("other")));
    refused(&without(&ring, "kid"));
    // A key or a reference that the sender brings along, even under our own signature.
    let public = signer.public_keys(at(1)).keys.remove(0);
    for (name, value) in [
        (
            "jwk",
            json!({"kty": "OKP", "crv": "Ed25519", "x": public.x}),
        ),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/chain")),
        ("x5c", json!(["AAAA"])),
        ("crit", json!(["exp"])),
        ("cty", json!("JWT")),
        ("anything", json!(1)),
    ] {
        refused(&with_header(&ring, name, &value));
    }
    // A stranger's signature under our key's name, and a claim changed after signing.
    let stranger = Signer::new(&KeyRing::of([8; 32], at(-1_000)), ISSUER.into()).unwrap();
    let strange = token(&stranger, at(0));
    refused(&strange);
    refused(&format!(
        "{message}.{}",
        strange.rsplit_once('.').unwrap().1
    ));
    let mut claims = decoded(body);
    claims.insert("roles".to_owned(), json!(["admin"]));
    refused(&format!("{head}.{}.{signature}", encoded(&claims)));
}

#[test]
fn s02_each_claim_missing_or_mistyped_is_refused() {
    let ring = ring();
    let signer = signer(&ring);
    let refused = |what: &str, token: &str| {
        assert!(signer.verify(token, at(1)).is_none(), "{what}");
    };
    for name in [
        "iss", "aud", "sub", "sid", "jti", "roles", "iat", "nbf", "exp",
    ] {
        refused(name, &without(&ring, name));
        let text = json!("1790000600");
        for value in [
            Value::Null,
            json!({}),
            json!(true),
            json!(1.5),
            json!(-1),
            json!([1]),
            text,
        ] {
            // Any text is a name for a token.
            if name != "jti" || !value.is_string() {
                refused(&format!("{name} {value}"), &with_claim(&ring, name, &value));
            }
        }
    }
}

#[test]
fn s02_another_type_issuer_audience_or_life_is_refused() {
    let ring = ring();
    let signer = signer(&ring);
    let refused = |what: &str, token: &str| {
        assert!(signer.verify(token, at(1)).is_none(), "{what}");
    };
    refused("typ", &without(&ring, "typ"));
    for typ in [json!("JWT"), json!("jwt"), json!("dpop+jwt"), Value::Null] {
        refused("typ", &with_header(&ring, "typ", &typ));
    }
    let (account, _) = ids();
    // A life longer than ours, though not over yet.
    let late = at(ACCESS_TOKEN_SECONDS + 1).timestamp();
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{ISSUER}/"))),
        ("aud", json!("other")),
        ("aud", json!(["tinvia", "other"])),
        ("sid", json!(account)),
        ("exp", json!(late)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(i64::MIN)),
        ("nbf", json!(late)),
        ("nbf", json!(i64::MAX)),
        ("iat", json!(i64::MIN)),
        ("iat", json!(i64::MAX)),
    ] {
        refused(&format!("{name} {value}"), &with_claim(&ring, name, &value));
    }
}

#[test]
fn s02_time_is_judged_by_our_clock_with_five_seconds_to_spare() {
    let signer = signer(&ring());
    let token = token(&signer, at(0));
    assert!(signer.verify(&token, at(-5)).is_some());
    assert!(signer.verify(&token, at(-6)).is_none());
    assert!(
        signer
            .verify(&token, at(ACCESS_TOKEN_SECONDS + 4))
            .is_some()
    );
    assert!(
        signer
            .verify(&token, at(ACCESS_TOKEN_SECONDS + 5))
            .is_none()
    );
}

#[test]
fn s04_after_a_rotation_old_tokens_live_out_their_time_and_no_longer() {
    let old_ring = ring();
    let old = signer(&old_ring);
    let last = token(&old, at(0));
    let ring = old_ring.clone().rotated([8; 32], at(0));
    let fresh = signer(&ring);
    assert!(fresh.verify(&last, at(ACCESS_TOKEN_SECONDS - 1)).is_some());
    assert_eq!(fresh.public_keys(at(1)).keys.len(), 2);
    // Whoever still holds the old key signs in vain once its last honest token is over.
    let later = ACCESS_TOKEN_SECONDS + LEEWAY_SECONDS;
    let late = token(&old, at(later));
    assert!(old.verify(&late, at(later)).is_some());
    assert!(fresh.verify(&late, at(later)).is_none());
    assert_eq!(fresh.public_keys(at(later)).keys.len(), 1);
    // And new tokens carry the new key's name.
    assert!(fresh.verify(&token(&fresh, at(later)), at(later)).is_some());
}

#[test]
fn s03_no_other_secret_of_ours_is_an_access_token() {
    let ambient = Ambient::system();
    let signer = signer(&ring());
    let (refresh, _) = super::super::opaque::fresh_refresh_token(&ambient);
    let (key, _) = super::super::opaque::fresh_key(ambient.id(), &ambient);
    for text in [refresh.expose(), key.expose(), "", ".", "..", "a.b.c"] {
        assert!(signer.verify(text, at(1)).is_none());
    }
    assert!(super::super::opaque::refresh_digest(&token(&signer, at(0))).is_none());
}

#[test]
fn the_thumbprint_is_that_of_rfc_8037() {
    // RFC 8037, appendix A: the seed, its public key and its thumbprint.
    let seed = URL_SAFE_NO_PAD
        .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
        .unwrap();
    let key = signing_key(&seed.try_into().unwrap(), None).unwrap();
    assert_eq!(key.public.x, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(
        key.public.kid,
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
}

#[test]
fn a_signing_key_never_prints() {
    let signer = signer(&ring());
    let seed = ring().key(Purpose::AccessToken).1;
    let printed = format!("{signer:?}");
    assert!(!printed.contains(&URL_SAFE_NO_PAD.encode(seed.bytes())));
    assert!(printed.contains("[redacted]"));
}
