#!/bin/bash
# Makes a host with its own kernel: build.sh DIRECTORY leaves `linux` (User-Mode Linux, a kernel that is a program) and
# `root.img` (Debian with systemd as its first process, cgroup v2) there. Needs root, mmdebstrap, the Debian archive and
# some ten minutes. What it needs for compiling is installed into a tree of its own and removed again.
set -euo pipefail
# Whoever calls may have one that is not there among the tools.
unset TMPDIR
here=$(dirname "$(readlink -f "$0")")
out=$(readlink -f "$1")
tools=$out/tools
suite=trixie

cleanup() { rm -rf --one-file-system "$tools"; }
trap cleanup EXIT
cleanup

echo "tools and the kernel's source"
packages=gcc,make,flex,bison,bc,libelf-dev,libc6-dev,libssl-dev,xz-utils,python3,cpio,kmod,e2fsprogs
# The backports' kernel has several processors in User-Mode Linux; the release's own has one.
mmdebstrap --quiet --mode=root --variant=apt --include=$packages \
    --customize-hook='sed -n "s/ '$suite' main/ '$suite'-backports main/p" "$1/etc/apt/sources.list" >"$1/etc/apt/sources.list.d/backports.list"' \
    --customize-hook='chroot "$1" apt-get -qq update' \
    --customize-hook='chroot "$1" apt-get -qq install --yes --no-install-recommends -t '$suite'-backports linux-source' \
    $suite "$tools"

echo "the kernel"
source=$tools/usr/src/linux
mkdir "$source"
chroot "$tools" sh -c 'tar --strip-components=1 -C /usr/src/linux -xf /usr/src/linux-source-*.tar.xz'
# kubelet does not start where /proc/cpuinfo has no clock's speed.
sed -i '/"bogomips/i\	seq_printf(m, "cpu MHz\\t\\t: 2500.000\\n");' "$source/arch/um/kernel/um_arch.c"
grep -q "cpu MHz" "$source/arch/um/kernel/um_arch.c"
cp "$here/kernel.config" "$source/own.config"
chroot "$tools" sh -c 'cd /usr/src/linux && make -s ARCH=um defconfig &&
    ./scripts/kconfig/merge_config.sh -m .config own.config >/dev/null && make -s ARCH=um olddefconfig'
grep '=y$' "$here/kernel.config" | while read -r option; do
    grep -qx "$option" "$source/.config" || { echo "this kernel has no $option"; exit 1; }
done
chroot "$tools" sh -c "cd /usr/src/linux && make -s ARCH=um -j$(nproc) linux && strip linux"

echo "the root file system"
# Not `root`: that is the home of the tools' own root, and not empty.
root=$tools/image
mmdebstrap --quiet --mode=root --variant=minbase \
    --include=systemd,systemd-sysv,systemd-container,dbus,nftables,iproute2,openssh-client,procps,kmod,util-linux \
    $suite "$root"
echo own-kernel >"$root/etc/hostname"
echo "127.0.0.1 localhost own-kernel" >"$root/etc/hosts"
echo "/dev/ubda / ext4 defaults 0 1" >"$root/etc/fstab"
: >"$root/etc/machine-id"
mkdir "$root/orders"
cp "$here/orders.sh" "$root/usr/local/lib/orders.sh"
cp "$here/orders.service" "$root/etc/systemd/system/orders.service"
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
chroot "$root" systemctl --quiet enable orders.service
# Sparse: it takes what is in it.
chroot "$tools" mkfs.ext4 -q -d /image -N 1500000 /root.img 16G

mv "$tools/root.img" "$out/root.img"
mv "$source/linux" "$out/linux"
