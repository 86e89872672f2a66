//! How large this host is, as kubelets on it will see it.

/// Memory is told in steps of this, upwards: another kernel that keeps a little more for itself is no other host.
const STEP: u64 = 64 << 20;
/// kubeadm's least memory of a control plane's machine, bytes: 2 GB less what kernels keep for themselves.
const LEAST_MEMORY: u64 = 1700 << 20;
/// kubeadm's least processors of a control plane's machine.
const LEAST_PROCESSORS: u32 = 2;

/// The size of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostCapacity {
    /// Memory in bytes, rounded up to 64 MiB.
    pub memory: u64,
    /// Processors.
    pub processors: u32,
}

impl HostCapacity {
    /// Asks the kernel. `None` where it does not say.
    pub fn of_this_host() -> Option<Self> {
        read(
            &fs_err::read_to_string("/proc/meminfo").unwrap_or_default(),
            &fs_err::read_to_string("/proc/cpuinfo").unwrap_or_default(),
        )
    }

    /// Why a control plane has too little memory here.
    pub(crate) fn too_little_memory(&self) -> Option<String> {
        let why = format!("the host has {} MiB, and a control plane needs {}", self.memory >> 20, LEAST_MEMORY >> 20);
        (self.memory < LEAST_MEMORY).then_some(why)
    }

    /// The same as everybody's word for it.
    pub(crate) fn capacity(self) -> model::Capacity {
        model::Capacity { memory: self.memory, processors: self.processors }
    }

    /// What there is to say where everything works, but slowly or not all at once. `wanted`: the memory that the machines may
    /// use together, bytes.
    pub(crate) fn remarks(&self, wanted: u64) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.processors < LEAST_PROCESSORS {
            remarks.push(format!(
                "Warning: this host has {} processor, and kubeadm asks for {LEAST_PROCESSORS} for a control plane: it will \
                 be slow.",
                self.processors
            ));
        }
        if wanted > self.memory {
            remarks.push(format!(
                "Warning: the machines may use {} MiB of memory together, and this host has {}.",
                wanted >> 20,
                self.memory >> 20
            ));
        }
        remarks
    }
}

fn read(meminfo: &str, cpuinfo: &str) -> Option<HostCapacity> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    let processors = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let memory = (kibibytes << 10).next_multiple_of(STEP);
    Some(HostCapacity { memory, processors: u32::try_from(processors).ok().filter(|count| *count > 0)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read_and_little_of_either_is_said() {
        let meminfo = "MemTotal:        1638400 kB\nMemFree:   1 kB\n";
        let host = read(meminfo, "processor\t: 0\nmodel name : x\n").unwrap();
        assert_eq!(host, HostCapacity { memory: 1600 << 20, processors: 1 });
        assert!(host.too_little_memory().unwrap().contains("1600 MiB"));
        let remarks = host.remarks(2 << 30);
        assert!(remarks.len() == 2 && remarks[1].contains("2048 MiB"), "{remarks:?}");
        let host = read("MemTotal: 4000000 kB\n", "processor : 0\nprocessor : 1\n").unwrap();
        assert_eq!((host.memory % STEP, host.too_little_memory(), host.remarks(0)), (0, None, Vec::new()));
        assert_eq!(read("", "processor : 0\n"), None);
    }
}
