//! One kubeconfig for clusters of many makers: what is put in, what is taken out, and what is somebody else's.

use std::path::Path;

use super::document::{Cluster, NamedCluster, NamedContext, NamedUser};
use super::{Entry, Kubeconfig, Trust};

/// Whether an authority is the one of the cluster that is talked about.
pub type IsOurs<'a> = &'a dyn Fn(&Trust) -> bool;

/// Something that stands where a cluster's entry would go, and is another cluster's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Foreign {
    /// A cluster of the name, at this address.
    Cluster {
        /// Its name.
        name: String,
        /// Where it is.
        server: String,
    },
    /// A context of the name, of this cluster.
    Context {
        /// Its name.
        name: String,
        /// The cluster that it is of.
        cluster: String,
    },
    /// A user of the name.
    User {
        /// Its name.
        name: String,
    },
}

/// Which of a cluster's three entries are its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Own {
    context: bool,
    cluster: bool,
    user: bool,
}

/// The names of a cluster's three entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The name of its context.
    pub context: String,
    /// The name of the cluster.
    pub cluster: String,
    /// The name of its user.
    pub user: String,
}

impl Own {
    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl Kubeconfig {
    /// Several files as kubectl sees them: of what has the same name, the first counts.
    pub fn joined(files: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::empty();
        for file in files {
            add(&mut all.clusters, file.clusters);
            add(&mut all.contexts, file.contexts);
            add(&mut all.users, file.users);
            if all.current_context.is_empty() {
                all.current_context = file.current_context;
            }
        }
        all
    }

    /// The same, with the authorities' files named from the root; those of a kubeconfig are named from its directory.
    #[must_use]
    pub fn read_in(mut self, directory: &Path) -> Self {
        for NamedCluster { cluster, .. } in &mut self.clusters {
            if let Some(path) = &mut cluster.certificate_authority {
                *path = directory.join(&*path).display().to_string();
            }
        }
        self
    }

    /// The name of the context in use; empty where there is none.
    pub fn current_context(&self) -> &str {
        &self.current_context
    }

    /// Uses another context.
    pub fn use_context(&mut self, name: &str) {
        name.clone_into(&mut self.current_context);
    }

    /// Whether it has a context of this name.
    pub fn has_context(&self, name: &str) -> bool {
        self.contexts.iter().any(|item| item.name == name)
    }

    /// Whether it has any entry of these names.
    pub fn has_any(&self, names: &Names) -> bool {
        self.has_context(&names.context) || self.cluster(&names.cluster).is_some() || self.has_user(&names.user)
    }

    /// What stands under these names and is another cluster's.
    pub fn foreign(&self, names: &Names, is_ours: IsOurs<'_>) -> Vec<Foreign> {
        let mut found = Vec::new();
        let is_own = self.is_own(&names.cluster, is_ours);
        if let Some(cluster) = self.cluster(&names.cluster).filter(|_| !is_own) {
            found.push(Foreign::Cluster { name: names.cluster.clone(), server: cluster.server.clone() });
        }
        if let Some(cluster) = self.cluster_of(&names.context).filter(|cluster| !self.is_own(cluster, is_ours)) {
            found.push(Foreign::Context { name: names.context.clone(), cluster: cluster.to_owned() });
        }
        let users = self.contexts.iter().filter(|item| item.context.user == names.user);
        let is_shared = users.map(|item| &item.context.cluster).any(|cluster| !self.is_own(cluster, is_ours));
        if self.has_user(&names.user) && (is_shared || !is_own) {
            found.push(Foreign::User { name: names.user.clone() });
        }
        found
    }

    /// What of these names is the cluster's own and used by nobody else.
    pub fn own(&self, names: &Names, is_ours: IsOurs<'_>) -> Own {
        let context = self.cluster_of(&names.context).is_some_and(|cluster| self.is_own(cluster, is_ours));
        let is_own = self.is_own(&names.cluster, is_ours);
        let others = || self.contexts.iter().filter(|item| !(context && item.name == names.context));
        let cluster = is_own && !others().any(|item| item.context.cluster == names.cluster);
        let user = is_own && self.has_user(&names.user) && !others().any(|item| item.context.user == names.user);
        Own { context, cluster, user }
    }

    /// Takes these out. A context that is taken out is not in use any more.
    pub fn take_out(&mut self, names: &Names, own: Own) {
        self.contexts.retain(|item| !(own.context && item.name == names.context));
        self.clusters.retain(|item| !(own.cluster && item.name == names.cluster));
        self.users.retain(|item| !(own.user && item.name == names.user));
        if own.context && self.current_context == names.context {
            self.current_context.clear();
        }
    }

    /// Puts in what `entry` says, under a context of this name. Of entries that are there already, everything stays that says
    /// neither where a cluster is nor who somebody is: a namespace, a proxy.
    pub fn put(&mut self, entry: &Entry, context: &str) {
        let new = Self::named(entry, context);
        put(&mut self.clusters, new.clusters);
        put(&mut self.contexts, new.contexts);
        put(&mut self.users, new.users);
    }

    fn cluster(&self, name: &str) -> Option<&Cluster> {
        self.clusters.iter().find(|item| item.name == name).map(|item| &item.cluster)
    }

    fn has_user(&self, name: &str) -> bool {
        self.users.iter().any(|item| item.name == name)
    }

    /// The cluster of a context, as far as that is there itself.
    fn cluster_of(&self, context: &str) -> Option<&str> {
        let context = &self.contexts.iter().find(|item| item.name == context)?.context;
        self.cluster(&context.cluster).map(|_| context.cluster.as_str())
    }

    fn is_own(&self, cluster: &str, is_ours: IsOurs<'_>) -> bool {
        self.cluster(cluster).and_then(Cluster::trust).is_some_and(|trust| is_ours(&trust))
    }
}

/// An item of one of the three lists.
trait Item {
    /// The name that it is found by.
    fn name(&self) -> &str;

    /// Takes over what kubewright says nothing of from the item that it replaces.
    fn keep_others_of(&mut self, old: Self);
}

impl Item for NamedCluster {
    fn name(&self) -> &str {
        &self.name
    }

    fn keep_others_of(&mut self, old: Self) {
        (self.others, self.cluster.others) = (old.others, old.cluster.others);
    }
}

impl Item for NamedContext {
    fn name(&self) -> &str {
        &self.name
    }

    fn keep_others_of(&mut self, old: Self) {
        (self.others, self.context.others) = (old.others, old.context.others);
    }
}

impl Item for NamedUser {
    fn name(&self) -> &str {
        &self.name
    }

    fn keep_others_of(&mut self, old: Self) {
        (self.others, self.user.others) = (old.others, old.user.others);
    }
}

/// Adds what is not there by its name.
fn add<T: Item>(items: &mut Vec<T>, new: Vec<T>) {
    for item in new {
        if !items.iter().any(|existing| existing.name() == item.name()) {
            items.push(item);
        }
    }
}

/// Replaces what is there by its name, in its place.
fn put<T: Item>(items: &mut Vec<T>, new: Vec<T>) {
    for mut item in new {
        match items.iter_mut().find(|existing| existing.name() == item.name()) {
            Some(existing) => {
                std::mem::swap(existing, &mut item);
                existing.keep_others_of(item);
            }
            None => items.push(item),
        }
    }
}

#[cfg(test)]
mod tests;
