//! Holds a subnet for a cluster that is being made, until its bridge shows everybody that it is taken.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use ipnet::Ipv4Net;

/// A subnet that no other process of this host can hold, whatever state it works on. It is free again when this is
/// dropped, and when the process ends.
#[derive(Debug)]
pub(crate) struct HeldSubnet {
    _socket: UnixDatagram,
}

/// Holds a subnet; `None` while another process does.
pub(crate) fn hold(subnet: Ipv4Net) -> io::Result<Option<HeldSubnet>> {
    // An abstract name needs no file and no rights, and the kernel frees it with the process.
    let name = SocketAddr::from_abstract_name(format!("kubewright/subnet/{subnet}"))?;
    match UnixDatagram::bind_addr(&name) {
        Ok(socket) => Ok(Some(HeldSubnet { _socket: socket })),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_is_held_once_and_free_again_afterwards() {
        let subnet = "192.0.2.0/24".parse().unwrap();
        let held = hold(subnet).unwrap();
        assert!(held.is_some());
        assert!(hold(subnet).unwrap().is_none());
        assert!(hold("198.51.100.0/24".parse().unwrap()).unwrap().is_some());
        drop(held);
        assert!(hold(subnet).unwrap().is_some());
    }
}
