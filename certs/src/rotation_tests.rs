//! Tests of the rotation: each branch of the decision, then a small cluster in which everything arrives late.

use super::*;
use crate::authority::AUTHORITY_LIFE;
use crate::names::ServingNames;
use crate::samples::now;
use crate::secret::{
    CA_CERTIFICATE, CA_KEY, NEXT_CERTIFICATE, NEXT_KEY, NEXT_PUBLISHED_AT, PREVIOUS_CERTIFICATES,
    PREVIOUS_SINCE, ROTATE_NOW,
};
use crate::serving::ServingCertificate;

const MINUTE: Duration = Duration::from_mins(1);

fn authority_of(at: SystemTime) -> Authority {
    Authority::generate(at).unwrap()
}

fn fresh(at: SystemTime) -> AuthoritySecret {
    AuthoritySecret { active: Some(authority_of(at)), ..AuthoritySecret::default() }
}

fn due() -> SystemTime {
    now() + AUTHORITY_LIFE / 3 * 2
}

/// A webhook entry that holds what the state asks for.
fn seen(state: &AuthoritySecret) -> Observed {
    observed([state.bundle().to_pem().into_bytes()])
}

fn observed(bundles: impl IntoIterator<Item = Vec<u8>>) -> Observed {
    Observed { ca_bundles: bundles.into_iter().collect(), leaves: LeavesSeen::Unknown }
}

fn decide(state: &AuthoritySecret, at: SystemTime, observed: &Observed) -> Step {
    next_step(Some(&state.to_data(None)), at, observed)
}

fn done(step: &Step, state: &AuthoritySecret, at: SystemTime) -> AuthoritySecret {
    let data = carry_out(step, Some(&state.to_data(None)), at).unwrap().expect("this step writes the Secret");
    AuthoritySecret::from_data(&data).unwrap()
}

#[test]
fn without_a_secret_or_with_an_empty_one_an_authority_is_made_and_signs_at_once() {
    for secret in [None, Some(SecretData::new())] {
        let step = next_step(secret.as_ref(), now(), &Observed::default());
        assert_eq!(step, Step::Create { trusted: CaBundle::default(), reason: SecretError::Empty });
        let data = carry_out(&step, secret.as_ref(), now()).unwrap().unwrap();
        let state = AuthoritySecret::from_data(&data).unwrap();
        assert!(state.active.is_some() && state.next.is_none() && state.previous.is_empty());
        let wait = Step::Nothing { check_again_at: now() + LONGEST_PAUSE };
        assert_eq!(decide(&state, now(), &Observed::default()), wait);
        assert_eq!(decide(&state, now(), &seen(&state)), wait);
    }
}

#[test]
fn the_secret_of_something_else_is_never_written() {
    let data = SecretData::from([("tls.crt".to_owned(), b"theirs".to_vec())]);
    let step = next_step(Some(&data), now(), &Observed::default());
    assert!(matches!(&step, Step::Refuse { reason: SecretError::Foreign { keys } } if keys == &["tls.crt"]));
    assert_eq!(carry_out(&step, Some(&data), now()), Ok(None));
    assert!(carry_out(&Step::PrepareNext, Some(&data), now()).is_err());
}

#[test]
fn a_lost_authority_is_replaced_without_withdrawing_trust_in_leaves_that_are_served() {
    let lost = authority_of(now());
    let in_bundle = observed([lost.certificate().to_pem().into_bytes(), b"\n".to_vec()]);
    let step = next_step(None, now(), &in_bundle);
    let trusted = CaBundle::default().with(lost.certificate());
    assert_eq!(step, Step::Create { trusted: trusted.clone(), reason: SecretError::Empty });
    let data = carry_out(&step, None, now()).unwrap().unwrap();
    let state = AuthoritySecret::from_data(&data).unwrap();
    assert!(state.active.is_none(), "nothing signs before it is published");
    assert_eq!((state.previous, state.previous_since), (trusted, Some(now())));
    assert!(state.next.is_some_and(|next| next.published_at.is_none()));
}

#[test]
fn what_is_left_of_a_broken_secret_stays_trusted_but_not_what_has_expired() {
    let state = fresh(now());
    let mut data = state.to_data(None);
    data.insert(CA_KEY.to_owned(), b"nonsense".to_vec());
    let kept = CaBundle::default().with(state.active.as_ref().unwrap().certificate());
    let Step::Create { trusted, reason } = next_step(Some(&data), now(), &Observed::default()) else {
        panic!("a broken Secret must be made anew")
    };
    assert_eq!(trusted, kept);
    assert!(reason.to_string().starts_with("`ca.crt` and `ca.key` of the Secret cannot be used"));
    let Step::Create { trusted, .. } =
        next_step(Some(&data), now() + 2 * AUTHORITY_LIFE, &Observed::default())
    else {
        panic!("a broken Secret must be made anew")
    };
    assert!(trusted.is_empty());
}

#[test]
fn of_very_many_old_cas_those_that_live_longest_stay_trusted() {
    let authorities: Vec<_> =
        (0..12).map(|hour| authority_of(now() + Duration::from_hours(hour) - BACKDATED * 11)).collect();
    let bundle = authorities.iter().fold(CaBundle::default(), |all, one| all.with(one.certificate()));
    let Step::Create { trusted, .. } = next_step(None, now(), &observed([bundle.to_pem().into_bytes()]))
    else {
        panic!("there is no Secret")
    };
    assert_eq!(trusted.certificates().len(), MOST_SALVAGED);
    assert!(authorities.iter().skip(4).all(|one| trusted.contains(one.certificate())));
}

#[test]
fn a_ca_bundle_that_differs_is_put_right() {
    let state = fresh(now());
    let publish = Step::Publish { bundle: state.bundle() };
    let good = state.bundle().to_pem().into_bytes();
    let more = (state.bundle().to_pem() + &authority_of(now()).certificate().to_pem()).into_bytes();
    for bad in [vec![], b"nonsense".to_vec(), vec![b'x'; 70_000], more] {
        assert_eq!(decide(&state, now(), &observed([good.clone(), bad.clone()])), publish, "{bad:?}");
    }
    assert!(matches!(decide(&state, now(), &observed([good.clone(), good])), Step::Nothing { .. }));
    assert_eq!(carry_out(&publish, Some(&state.to_data(None)), now()), Ok(None));
}

#[test]
fn a_rotation_goes_through_its_steps_in_order() {
    let state = fresh(now());
    let old = state.active.as_ref().unwrap().certificate().clone();
    let before = due() - BACKDATED;
    assert!(matches!(decide(&state, before - MINUTE, &seen(&state)), Step::Nothing { .. }));
    let at = due();
    assert_eq!(decide(&state, at, &seen(&state)), Step::PrepareNext);

    let prepared = done(&Step::PrepareNext, &state, at);
    assert_eq!(prepared.active.as_ref().unwrap().certificate(), &old);
    let publish = decide(&prepared, at, &seen(&state));
    assert_eq!(publish, Step::Publish { bundle: prepared.bundle() });
    assert_eq!(prepared.bundle().certificates().len(), 2);
    assert_eq!(decide(&prepared, at, &seen(&prepared)), Step::MarkPublished);

    let marked = done(&Step::MarkPublished, &prepared, at);
    let wait = decide(&marked, at + SETTLE - Duration::from_secs(1), &seen(&marked));
    assert_eq!(wait, Step::Nothing { check_again_at: at + SETTLE });
    let at = at + SETTLE;
    assert_eq!(decide(&marked, at, &seen(&marked)), Step::Activate);

    let active = done(&Step::Activate, &marked, at);
    assert!(active.next.is_none());
    assert_ne!(active.active.as_ref().unwrap().certificate(), &old);
    assert_eq!(active.previous, CaBundle::default().with(&old));
    assert!(active.bundle().same_as(&marked.bundle()), "activation changes no caBundle");
    let last = at + OVERLAP - Duration::from_secs(1);
    assert_eq!(decide(&active, last, &seen(&active)), Step::Nothing { check_again_at: at + OVERLAP });
    assert_eq!(decide(&active, at + OVERLAP, &seen(&active)), Step::DropPrevious);

    let dropped = done(&Step::DropPrevious, &active, at + OVERLAP);
    assert_eq!(decide(&dropped, at + OVERLAP, &seen(&active)), Step::Publish { bundle: dropped.bundle() });
    assert_eq!(dropped.bundle().certificates().len(), 1);
    assert!(matches!(decide(&dropped, at + OVERLAP, &seen(&dropped)), Step::Nothing { .. }));
}

#[test]
fn who_asks_for_a_rotation_gets_one_by_the_same_steps_and_only_one() {
    let state = AuthoritySecret { active: Some(authority_of(now())), ..AuthoritySecret::default() };
    let mut data = state.to_data(None);
    data.insert(ROTATE_NOW.to_owned(), b"leaked".to_vec());
    let seen = |data: &SecretData| seen(&AuthoritySecret::from_data(data).unwrap());
    let mut steps = Vec::new();
    for at in [now(), now(), now() + SETTLE, now() + SETTLE] {
        let step = next_step(Some(&data), at, &seen(&data));
        if let Some(changed) = carry_out(&step, Some(&data), at).unwrap() {
            data = changed;
        }
        assert!(!data.contains_key(ROTATE_NOW), "{step:?}");
        steps.push(step);
    }
    assert!(
        matches!(*steps, [Step::PrepareNext, Step::MarkPublished, Step::Activate, Step::Nothing { .. }]),
        "{steps:?}"
    );
    // Asked again while one is on its way, it is one more, after that.
    data.insert(ROTATE_NOW.to_owned(), Vec::new());
    assert_eq!(next_step(Some(&data), now(), &seen(&data)), Step::PrepareNext);
    // It makes nothing ours that is not.
    let foreign = SecretData::from([(ROTATE_NOW.to_owned(), vec![]), ("tls.key".to_owned(), vec![])]);
    assert!(matches!(next_step(Some(&foreign), now(), &Observed::default()), Step::Refuse { .. }));
}

#[test]
fn nothing_signs_that_has_not_been_seen_in_every_bundle() {
    let prepared = done(&Step::PrepareNext, &fresh(now()), due());
    let old = CaBundle::default().with(prepared.active.as_ref().unwrap().certificate()).to_pem().into_bytes();
    let good = prepared.bundle().to_pem().into_bytes();
    // However long one of two entries lags, the step is to publish, and activation is refused.
    for at in [due(), due() + OVERLAP, due() + Duration::from_hours(1000)] {
        let step = decide(&prepared, at, &observed([good.clone(), old.clone()]));
        assert_eq!(step, Step::Publish { bundle: prepared.bundle() });
        assert_eq!(
            carry_out(&Step::Activate, Some(&prepared.to_data(None)), at),
            Err(RotationError::NotPublished)
        );
    }
    // An entry that loses it again starts the wait anew.
    let marked = done(&Step::MarkPublished, &prepared, due());
    let step = decide(&marked, due() + SETTLE, &observed([good, old]));
    assert_eq!(step, Step::MarkUnpublished);
    let unmarked = done(&step, &marked, due() + SETTLE);
    assert_eq!(unmarked.next.unwrap().published_at, None);
    for step in [Step::MarkPublished, Step::MarkUnpublished, Step::Activate] {
        let data = fresh(now()).to_data(None);
        assert_eq!(carry_out(&step, Some(&data), now()), Err(RotationError::NotPublished), "{step:?}");
    }
}

#[test]
fn old_cas_stay_while_a_replica_still_serves_a_leaf_of_theirs() {
    let marked = done(&Step::MarkPublished, &done(&Step::PrepareNext, &fresh(now()), due()), due());
    let state = done(&Step::Activate, &marked, due() + SETTLE);
    let late = due() + SETTLE + OVERLAP;
    let with = |leaves| Observed { leaves, ..seen(&state) };
    let wait = Step::Nothing { check_again_at: late + RECHECK };
    assert_eq!(decide(&state, late, &with(LeavesSeen::SomeFromPrevious)), wait);
    for leaves in [LeavesSeen::Unknown, LeavesSeen::AllFromActive] {
        assert_eq!(decide(&state, late, &with(leaves)), Step::DropPrevious);
        assert!(matches!(decide(&state, late - MINUTE, &with(leaves)), Step::Nothing { .. }));
    }
}

#[test]
fn an_expired_authority_is_replaced_without_waiting_for_leaves_that_no_client_takes() {
    let state = fresh(now());
    let late = now() + AUTHORITY_LIFE + MINUTE;
    assert_eq!(decide(&state, late, &seen(&state)), Step::PrepareNext);
    let prepared = done(&Step::PrepareNext, &state, late);
    let marked = done(&Step::MarkPublished, &prepared, late);
    assert_eq!(decide(&marked, late, &seen(&marked)), Step::Activate);
    assert_eq!(done(&Step::Activate, &marked, late).previous.certificates().len(), 1);
}

#[test]
fn a_next_authority_that_expired_unpublished_is_made_anew() {
    let prepared = done(&Step::PrepareNext, &fresh(now()), due());
    let late = due() + AUTHORITY_LIFE + MINUTE;
    assert_eq!(decide(&prepared, late, &seen(&prepared)), Step::PrepareNext);
    let again = done(&Step::PrepareNext, &prepared, late);
    assert_ne!(again.next.unwrap().authority.fingerprint(), prepared.next.unwrap().authority.fingerprint());
}

#[test]
fn clocks_that_were_wrong_neither_stall_a_rotation_nor_keep_old_cas_for_years() {
    let years = Duration::from_hours(24 * 1000);
    let prepared = done(&Step::PrepareNext, &fresh(now()), due());
    let ahead = done(&Step::MarkPublished, &prepared, due() + years);
    assert_eq!(decide(&ahead, due(), &seen(&ahead)), Step::MarkPublished);

    let marked = done(&Step::MarkPublished, &prepared, due());
    let state = done(&Step::Activate, &marked, due() + SETTLE);
    for written in [Some(due() + years), None] {
        let previous = state.previous.clone();
        let active = Authority::parse(
            state.active.as_ref().unwrap().certificate().to_pem().as_bytes(),
            state.active.as_ref().unwrap().key().expose().as_bytes(),
        )
        .unwrap();
        let odd =
            AuthoritySecret { active: Some(active), previous, previous_since: written, ..Default::default() };
        assert!(matches!(decide(&odd, due() + MINUTE, &seen(&odd)), Step::Nothing { .. }));
        assert_eq!(decide(&odd, due() + OVERLAP, &seen(&odd)), Step::DropPrevious);
    }
    // A leader from the future prepares an authority, but cannot make clients forget the one that works.
    let state = fresh(now());
    let prepared = done(&Step::PrepareNext, &state, now() + years);
    assert!(prepared.bundle().contains(state.active.as_ref().unwrap().certificate()));
}

#[test]
fn the_keys_of_the_secret_are_those_that_the_layout_names() {
    let marked = done(&Step::MarkPublished, &done(&Step::PrepareNext, &fresh(now()), due()), due());
    let keys: Vec<_> = marked.to_data(None).into_keys().collect();
    assert_eq!(keys, [CA_CERTIFICATE, CA_KEY, NEXT_PUBLISHED_AT, NEXT_CERTIFICATE, NEXT_KEY]);
    let active = done(&Step::Activate, &marked, due() + SETTLE);
    let keys: Vec<_> = active.to_data(None).into_keys().collect();
    assert_eq!(keys, [CA_CERTIFICATE, CA_KEY, PREVIOUS_SINCE, PREVIOUS_CERTIFICATES]);
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Replicas read the Secret late, configurations are written one by one, leaders die between decision and write, the
/// Secret is deleted, a bundle is tampered with: a served leaf is trusted by every entry that holds what we wrote.
#[test]
fn in_a_cluster_where_everything_is_late_no_entry_ever_distrusts_a_replica() {
    let names = ServingNames::for_service("gate", "ns").unwrap();
    for seed in 0..4 {
        let mut dice = Dice(seed);
        let mut at = now();
        let mut secret: Option<SecretData> = None;
        let mut entries: Vec<Vec<u8>> = Vec::new();
        let replicas: Vec<_> = (0..3).map(|_| ServingCertificate::empty()).collect();
        let (mut activations, mut losses) = (0, 0);
        let mut last_loss = at;
        while activations < 3 || losses < 2 {
            assert!(at < now() + 6 * AUTHORITY_LIFE, "seed {seed}: it should have rotated by now");
            // Replicas notice a new Secret within a minute or so: some do now, all do before a long pause.
            let catch_up = dice.roll(2) == 0;
            for replica in &replicas {
                if catch_up || dice.roll(3) == 0 {
                    let state = secret.as_ref().and_then(|data| AuthoritySecret::from_data(data).ok());
                    if let Some(active) = state.and_then(|state| state.active) {
                        let _ = replica.renew_from(&active, &names, at);
                    }
                }
            }
            let seen: CaBundle = entries
                .iter()
                .filter_map(|text| CaBundle::from_pem(text).ok())
                .fold(CaBundle::default(), |all, one| all.and(&one));
            let leaves = if replicas.iter().all(|replica| {
                let signer = replica.current().and_then(|leaf| leaf.authority());
                let state = secret.as_ref().and_then(|data| AuthoritySecret::from_data(data).ok());
                signer.is_none() || signer == state.and_then(|state| Some(state.active?.fingerprint()))
            }) {
                LeavesSeen::AllFromActive
            } else {
                LeavesSeen::SomeFromPrevious
            };
            let step = next_step(secret.as_ref(), at, &Observed { ca_bundles: entries.clone(), leaves });
            match &step {
                // The leader dies before it writes; or of two entries only one is written.
                _ if dice.roll(8) == 0 => {}
                Step::Publish { bundle } => {
                    let one = usize::from(dice.roll(4) == 0);
                    for entry in entries.iter_mut().skip(one) {
                        *entry = bundle.to_pem().into_bytes();
                    }
                }
                Step::Nothing { check_again_at } => {
                    assert!(*check_again_at > at, "seed {seed}: {step:?} at {at:?}");
                    if entries.is_empty() {
                        let state = AuthoritySecret::from_data(secret.as_ref().unwrap()).unwrap();
                        entries = vec![state.bundle().to_pem().into_bytes(); 2];
                    }
                    let pause = check_again_at.duration_since(at).unwrap();
                    at +=
                        if pause < LONGEST_PAUSE { pause } else { Duration::from_hours(1 + dice.roll(200)) };
                }
                Step::Refuse { reason } => panic!("seed {seed}: {reason}"),
                _ => {
                    activations += u32::from(step == Step::Activate);
                    secret = carry_out(&step, secret.as_ref(), at).unwrap();
                }
            }
            at += Duration::from_secs(dice.roll(5));
            // Rare and far apart: somebody deletes the Secret.
            if secret.is_some() && at > last_loss + Duration::from_hours(3000) && dice.roll(20) == 0 {
                (secret, last_loss, losses) = (None, at, losses + 1);
            }
            for (number, replica) in replicas.iter().enumerate() {
                let Some(leaf) = replica.current() else { continue };
                if leaf.certificate().check_time(at).is_err() {
                    continue; // It was told too late to renew by this test's long pauses; time is not the matter here.
                }
                for entry in &entries {
                    let bundle = CaBundle::from_pem(entry).unwrap();
                    bundle.check(&leaf, "gate.ns.svc", at).unwrap_or_else(|error| {
                        panic!("seed {seed}, replica {number}, after {step:?}, seen {seen:?}: {error}")
                    });
                }
            }
        }
    }
}
