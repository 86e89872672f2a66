//! The journal of a machine: on its disk, so that what a program said outlives a boot, and never more than fits.

use std::collections::BTreeMap;

use machine::config::{Start, Unit};

use super::files;

const JOURNALD_SERVICE: &str = "systemd-journald.service";
const FLUSH_SERVICE: &str = "kubewright-journal.service";

/// journald reads drop-ins in the order of their names: this one comes after those of a machine's image.
const SETTINGS: (&str, &str) =
    ("/etc/systemd/journald.conf.d/persistent.conf", "[Journal]\nStorage=persistent\nSystemMaxUse=200M\n");

/// At boot journald writes to memory until it is told that the disk is there; images without that step never tell it.
const FLUSH: &str = "\
[Unit]
Description=Journal on disk
After=systemd-journald.service
RequiresMountsFor=/var/log/journal

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=journalctl --flush

[Install]
WantedBy=multi-user.target
";

/// Adds journald's settings, and the unit that makes them count at boot.
pub(super) fn add(all: &mut BTreeMap<String, machine::File>, units: &mut BTreeMap<String, Unit>) {
    let (path, text) = SETTINGS;
    all.insert(path.to_owned(), files::restarting(text.to_owned(), JOURNALD_SERVICE));
    let unit = format!("/etc/systemd/system/{FLUSH_SERVICE}");
    all.insert(unit, files::restarting(FLUSH.to_owned(), FLUSH_SERVICE));
    let flush = Unit { enabled: true, start: Start::Always, after: Vec::new(), reloads: false };
    units.insert(FLUSH_SERVICE.to_owned(), flush);
}
