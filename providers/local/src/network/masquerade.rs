//! Source address translation for machines: one nftables table of ours per cluster.

use ipnet::Ipv4Net;
use serde_json::Value;

use crate::owner::Owner;
use crate::{LocalError, command, names};

/// Makes the table as it must be, in one transaction.
pub(super) fn ensure(owner: &Owner, subnet: Ipv4Net) -> Result<(), LocalError> {
    if find(owner)? == Some(subnet) {
        return Ok(());
    }
    command::feed("nft", &["-f", "-"], &rules(owner, subnet)).map(drop)
}

/// Removes the table; fine where it is gone.
pub(super) fn remove(owner: &Owner) -> Result<(), LocalError> {
    let table = owner.table();
    if !tables()?.contains(&table) {
        return Ok(());
    }
    command::run("nft", &["delete", "table", "inet", &table]).map(drop)
}

/// The subnet that is masqueraded for a cluster, if any is.
pub(super) fn find(owner: &Owner) -> Result<Option<Ipv4Net>, LocalError> {
    let table = owner.table();
    if !tables()?.contains(&table) {
        return Ok(None);
    }
    Ok(read(owner, &command::json("nft", &["-j", "list", "table", "inet", &table])?))
}

/// Names of the tables that are ours.
pub(crate) fn tables() -> Result<Vec<String>, LocalError> {
    let json = command::json("nft", &["-j", "list", "tables"])?;
    let objects = json.get("nftables").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let named = objects.iter().filter_map(|object| {
        let table = object.get("table").filter(|table| table.get("family").and_then(Value::as_str) == Some("inet"))?;
        table.get("name").and_then(Value::as_str)
    });
    Ok(named.filter(|name| name.starts_with(names::TABLE)).map(str::to_owned).collect())
}

/// The table as nft reads it. Naming and deleting it first makes the replacement atomic and repeatable.
fn rules(owner: &Owner, subnet: Ipv4Net) -> String {
    let (table, marker) = (owner.table(), owner.marker());
    format!(
        "add table inet {table}\n\
         delete table inet {table}\n\
         table inet {table} {{\n\
         \tchain postrouting {{\n\
         \t\ttype nat hook postrouting priority 100; policy accept;\n\
         \t\tip saddr {subnet} ip daddr != {subnet} masquerade comment \"{marker}\"\n\
         \t}}\n\
         }}\n"
    )
}

/// The subnet of the marked rule that masquerades, from `nft -j list table`.
fn read(owner: &Owner, json: &Value) -> Option<Ipv4Net> {
    let marker = owner.marker();
    let rules = json.get("nftables")?.as_array()?.iter().filter_map(|object| object.get("rule"));
    let mut marked = rules.filter(|rule| rule.get("comment").and_then(Value::as_str) == Some(marker.as_str()));
    let expressions = marked.find_map(|rule| rule.get("expr")?.as_array())?;
    if !expressions.iter().any(|expression| expression.get("masquerade").is_some()) {
        return None;
    }
    let source = expressions.iter().find_map(|expression| {
        let matched = expression.get("match")?;
        let field = matched.get("left")?.get("payload")?.get("field")?.as_str()?;
        (field == "saddr").then(|| matched.get("right")?.get("prefix").cloned()).flatten()
    })?;
    let length = source.get("len")?.as_u64().and_then(|length| u8::try_from(length).ok())?;
    Ipv4Net::new(source.get("addr")?.as_str()?.parse().ok()?, length).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owner() -> Owner {
        Owner::new("1a2b3c4d-5e", "dev")
    }

    #[test]
    fn the_table_masquerades_what_leaves_the_subnet_and_says_whose_it_is() {
        let expected = "add table inet kubewright-dev_1a2b3c4d\n\
            delete table inet kubewright-dev_1a2b3c4d\n\
            table inet kubewright-dev_1a2b3c4d {\n\
            \tchain postrouting {\n\
            \t\ttype nat hook postrouting priority 100; policy accept;\n\
            \t\tip saddr 10.88.0.0/24 ip daddr != 10.88.0.0/24 masquerade comment \"kubewright:1a2b3c4d-5e/dev\"\n\
            \t}\n\
            }\n";
        assert_eq!(rules(&owner(), "10.88.0.0/24".parse().unwrap()), expected);
    }

    #[test]
    fn the_masqueraded_subnet_is_read_back() {
        let prefix = |op: &str, field: &str| {
            json!({"match": {"op": op, "left": {"payload": {"protocol": "ip", "field": field}},
                "right": {"prefix": {"addr": "10.88.0.0", "len": 24}}}})
        };
        let rule = json!({"rule": {"comment": "kubewright:1a2b3c4d-5e/dev", "handle": 2,
            "expr": [prefix("==", "saddr"), prefix("!=", "daddr"), {"masquerade": null}]}});
        let listed = json!({"nftables": [{"metainfo": {}}, {"chain": {}}, rule]});
        assert_eq!(read(&owner(), &listed), Some("10.88.0.0/24".parse().unwrap()));
        assert_eq!(read(&Owner::by_name("dev"), &listed), None);
    }
}
