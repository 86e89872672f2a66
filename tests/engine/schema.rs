//! The schema of plans is true of every plan, and of nothing else.

use serde_json::Value;

use crate::check::{apply, site};
use crate::clusters::{self, EDITS, Wanted};

#[tokio::test(start_paused = true)]
async fn every_plan_is_as_the_schema_says() {
    let schema = jsonschema::validator_for(&plan::json_schema()).unwrap();
    let check = |plan: &plan::Plan| {
        let data: Value = serde_json::from_str(&plan.to_text().unwrap()).unwrap();
        let wrong: Vec<String> =
            schema.iter_errors(&data).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    };
    for name in clusters::names() {
        let site = site().await;
        check(&apply(&site, &clusters::wanted(&name)).await);
        for (_, edit) in EDITS {
            check(&apply(&site, &clusters::changed(&name, edit)).await);
        }
        check(&apply(&site, &Wanted::new()).await);
    }
}

#[test]
fn what_is_no_plan_is_not_as_the_schema_says() {
    let schema = jsonschema::validator_for(&plan::json_schema()).unwrap();
    let mut data = serde_json::to_value(plan::Plan::empty(plan::Base::of_nothing("demo"))).unwrap();
    assert!(schema.is_valid(&data));
    data["base"]["revision"] = "short".into();
    assert!(!schema.is_valid(&data));
    data["base"]["revision"] = "0".repeat(64).into();
    data["surplus"] = true.into();
    assert!(!schema.is_valid(&data));
}
