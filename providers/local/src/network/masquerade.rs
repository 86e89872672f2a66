//! Address translation for machines: one nftables table of ours per cluster.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde_json::Value;

use super::resolver;
use crate::inputs::NetworkInputs;
use crate::owner::Owner;
use crate::{LocalError, command, names};

/// Makes the table as it must be, in one transaction.
pub(super) fn ensure(owner: &Owner, inputs: &NetworkInputs) -> Result<(), LocalError> {
    let bridge = &inputs.bridge;
    let wanted = Translation { subnet: Some(inputs.subnet), resolver: inputs.resolver };
    if inputs.resolver.is_none() {
        resolver::set_open(bridge, false)?;
    }
    if find(owner, bridge)? != wanted {
        command::feed("nft", &["-f", "-"], &rules(owner, inputs))?;
    }
    resolver::set_open(bridge, inputs.resolver.is_some())
}

/// Removes the table; fine where it is gone.
pub(super) fn remove(owner: &Owner) -> Result<(), LocalError> {
    let table = owner.table();
    if !tables()?.contains(&table) {
        return Ok(());
    }
    command::run("nft", &["delete", "table", "inet", &table]).map(drop)
}

/// What a cluster's table does.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Translation {
    /// The subnet that is masqueraded.
    pub(super) subnet: Option<Ipv4Net>,
    /// The resolver on the host's loopback that is asked at the gateway.
    pub(super) resolver: Option<Ipv4Addr>,
}

/// What is translated for a cluster.
pub(super) fn find(owner: &Owner, bridge: &str) -> Result<Translation, LocalError> {
    let table = owner.table();
    if !tables()?.contains(&table) {
        return Ok(Translation::default());
    }
    let json = command::json("nft", &["-j", "list", "table", "inet", &table])?;
    let marker = owner.marker();
    Ok(Translation { subnet: read(&marker, &json), resolver: resolver::find(bridge, &marker, &json) })
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
fn rules(owner: &Owner, inputs: &NetworkInputs) -> String {
    let (table, marker, subnet) = (owner.table(), owner.marker(), inputs.subnet);
    let resolver = resolver::chains(inputs, &marker);
    format!(
        "add table inet {table}\n\
         delete table inet {table}\n\
         table inet {table} {{\n\
         \tchain postrouting {{\n\
         \t\ttype nat hook postrouting priority 100; policy accept;\n\
         \t\tip saddr {subnet} ip daddr != {subnet} masquerade comment \"{marker}\"\n\
         \t}}\n\
         {resolver}}}\n"
    )
}

/// What the marked rules of `nft -j list table` consist of.
pub(super) fn marked<'a>(marker: &str, json: &'a Value) -> Vec<&'a Vec<Value>> {
    let objects = json.get("nftables").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let rules = objects.iter().filter_map(|object| object.get("rule"));
    let marked = rules.filter(|rule| rule.get("comment").and_then(Value::as_str) == Some(marker));
    marked.filter_map(|rule| rule.get("expr")?.as_array()).collect()
}

/// The subnet of the marked rule that masquerades, from `nft -j list table`.
fn read(marker: &str, json: &Value) -> Option<Ipv4Net> {
    let masquerades = |rule: &&Vec<Value>| rule.iter().any(|expression| expression.get("masquerade").is_some());
    let expressions = marked(marker, json).into_iter().find(masquerades)?;
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
        let inputs = json!({"bridge": "kw-dev", "subnet": "10.88.0.0/24", "gateway": "10.88.0.1"});
        let inputs: NetworkInputs = serde_json::from_value(inputs).unwrap();
        let expected = "add table inet kubewright-dev_1a2b3c4d\n\
            delete table inet kubewright-dev_1a2b3c4d\n\
            table inet kubewright-dev_1a2b3c4d {\n\
            \tchain postrouting {\n\
            \t\ttype nat hook postrouting priority 100; policy accept;\n\
            \t\tip saddr 10.88.0.0/24 ip daddr != 10.88.0.0/24 masquerade comment \"kubewright:1a2b3c4d-5e/dev\"\n\
            \t}\n\
            }\n";
        assert_eq!(rules(&owner(), &inputs), expected);
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
        assert_eq!(read(&owner().marker(), &listed), Some("10.88.0.0/24".parse().unwrap()));
        assert_eq!(read(&Owner::by_name("dev").marker(), &listed), None);
    }
}
