//! Changed specifications of every kind, made from what is known of the components: the same ones from the same seed.

mod containerd;
mod control_plane;
mod flags;
mod gates;
mod kube_proxy;
mod kubelet;
mod values;

use std::collections::BTreeSet;

use catalog::Release;
use tests::random::SplitMix64;

use super::case::Case;

/// Numbers that follow from a seed.
pub(super) struct Dice(SplitMix64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(SplitMix64::new(seed))
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.draw() % u64::try_from(end).unwrap()).unwrap()
    }

    /// One of some.
    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// `count` of some, each at most once.
    pub(super) fn some_of<T>(&mut self, mut all: Vec<T>, count: usize) -> Vec<T> {
        for at in 0..all.len() {
            let other = at + self.below(all.len() - at);
            all.swap(at, other);
        }
        all.truncate(count);
        all
    }
}

/// The seed of the whole corpus: it changes with the corpus, not with the day.
const SEED: u64 = 1;

/// All cases for a release.
pub(super) fn all(release: &Release) -> Vec<Case> {
    let mut dice = Dice::new(SEED);
    let facts = catalog::facts(release.minor).expect("every minor has facts");
    let mut cases = flags::cases(facts, &mut dice);
    cases.extend(gates::cases(release, facts, &mut dice));
    cases.extend(kubelet::cases(facts, &mut dice));
    cases.extend(kube_proxy::cases());
    cases.extend(control_plane::cases());
    cases.extend(containerd::cases());
    let mut seen = BTreeSet::new();
    cases.retain(|case| seen.insert(case.to_string()));
    cases
}

#[test]
fn the_corpus_is_large_and_always_the_same() {
    for release in catalog::releases() {
        let cases = all(release);
        assert!(cases.len() >= 400, "{} cases for {}", cases.len(), release.kubernetes);
        assert_eq!(cases, all(release));
        for program in ["containerd", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"]
        {
            assert!(cases.iter().filter(|case| case.program == program).count() >= 20, "few cases for {program}");
        }
    }
}

#[test]
fn a_sample_has_each_case_once_and_follows_from_its_seed() {
    let sample = |seed| Dice::new(seed).some_of((0..100).collect(), 30);
    assert_eq!(sample(5).iter().collect::<BTreeSet<_>>().len(), 30);
    assert_eq!(sample(5), sample(5));
    assert_ne!(sample(5), sample(6));
}
