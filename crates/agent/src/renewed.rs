//! Certificates that somebody renewed on the machine, as `kubeadm certs renew` does: as good as ours, and left alone.

use machine::{Body, DesiredFile, certificate};

use crate::work::View;

/// Whether what stands at `path` is the wanted certificate, its key, or the wanted kubeconfig, renewed.
pub(crate) fn is_renewed(view: View<'_>, path: &str, file: &DesiredFile) -> bool {
    let Body::Bytes { bytes, secret: true, .. } = &file.body else { return false };
    let read = |path: &str| fs_err::read(view.system.path(path)).unwrap_or_default();
    let pair = |wanted: &[u8], stem: &str| {
        let (found, key) = (read(&format!("{stem}.crt")), read(&format!("{stem}.key")));
        certificate::is_renewed(wanted, &found) && certificate::is_key_of(&key, &found)
    };
    if let Some(stem) = path.strip_suffix(".crt") {
        return pair(bytes, stem);
    }
    if let Some(stem) = path.strip_suffix(".key") {
        // A key alone says nothing: it is good where its certificate is.
        let beside = view.wanted.files.get(&format!("{stem}.crt")).map(|beside| &beside.body);
        return matches!(beside, Some(Body::Bytes { bytes, .. }) if pair(bytes, stem));
    }
    certificate::is_renewed_kubeconfig(bytes, &read(path))
}
