//! Plans: equal ones for equal inputs, and nothing done that is not in them.

use std::collections::BTreeSet;

use engine::StateStore as _;
use engine::journal::Record;
use plan::ActionId;
use testkit::Site;

use crate::check::{apply, site};
use crate::clusters::{self, EDITS, Wanted};

#[tokio::test(start_paused = true)]
async fn equal_inputs_give_byte_equal_plans() {
    for name in clusters::names() {
        let mut sites = [site().await, site().await];
        for documents in [clusters::wanted, |name: &str| clusters::changed(name, EDITS[5].1)] {
            let mut texts = Vec::new();
            for site in &mut sites {
                let wanted = documents(&name);
                let plan = site.plan(&wanted).await.unwrap();
                texts.push(serde_json::to_string(&plan).unwrap());
                apply(site, &wanted).await;
            }
            assert!(texts[0] == texts[1], "{name}: the plans differ");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_was_saved_and_read_is_the_same() {
    let plan = site().await.plan(&clusters::wanted("local.yaml")).await.unwrap();
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<plan::Plan>(&text).unwrap(), plan);
}

/// Carries out what is wanted, and compares the journal with the plan.
async fn journalled(site: &Site, wanted: &Wanted) {
    let serial = site.load().await.unwrap().head.serial;
    let plan = apply(site, wanted).await;
    let planned: BTreeSet<&ActionId> = plan.changes.iter().map(|change| &change.id).collect();
    let records = site.journal(serial).await.unwrap();
    let done: BTreeSet<&ActionId> = Site::journalled(&records).into_iter().collect();
    let begun = records.first().expect("a run begins");
    assert!(matches!(begun, Record::RunStarted { who, .. } if who == "somebody@host"), "{begun:?}");
    assert!(!done.is_empty() && done == planned, "{:?}", done.symmetric_difference(&planned));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_done_that_is_not_in_the_plan() {
    let site = site().await;
    journalled(&site, &clusters::wanted("local.yaml")).await;
    for (_, edit) in EDITS {
        journalled(&site, &clusters::changed("local.yaml", edit)).await;
    }
    journalled(&site, &Wanted::new()).await;
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_in_the_state_or_the_journal() {
    let site = site().await;
    let serial = site.load().await.unwrap().head.serial;
    apply(&site, &clusters::wanted("local.yaml")).await;
    let mut texts = site.store.read_journal("demo", &site.run_at(serial)).await.unwrap();
    for key in site.store.list("demo", "").await.unwrap() {
        let bytes = site.store.get("demo", &key).await.unwrap().unwrap();
        texts.push(String::from_utf8(bytes).unwrap());
    }
    let secrets = site.vault.all();
    assert!(secrets.len() > 20);
    for secret in secrets {
        let leak = texts.iter().find(|text| text.contains(secret.reveal()));
        assert!(leak.is_none(), "{} is in {}", secret.reveal(), leak.unwrap());
    }
}
