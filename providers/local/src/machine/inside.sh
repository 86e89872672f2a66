# Runs in a mount namespace of its own, so that nothing mounted here shows on the host or outlives the machine.
# Working directory: the machine's; arguments: systemd-nspawn with its arguments. KW_VERSION: version of the host's cgroups.
set -eu

if [ "$KW_VERSION" = 1 ]; then
    # systemd-nspawn must see hierarchies that begin at the machine's cgroup, or all machines share one tree.
    mount -n -t tmpfs -o mode=755 kubewright /sys/fs/cgroup
    mkdir /sys/fs/cgroup/systemd
    mount -n -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
    export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=0
fi
# Relative paths keep colons and commas of the machine's own path out of the options.
mount -n -t overlay -o lowerdir=lower,upperdir=upper,workdir=work kubewright root
unset KW_VERSION
exec "$@"
