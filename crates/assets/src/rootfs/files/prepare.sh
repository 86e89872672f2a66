#!/bin/sh
# Makes a booting machine fit for Kubernetes before anything else starts. The provider wrote /etc/kubewright/network.

# Volumes that pods mount must reach containers that run already.
mount -n --make-rshared /

# The hierarchies of cgroup version 1 are mounted read-only, but the kubelet makes cgroups.
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
    if [ -d "$hierarchy" ] && [ ! -L "$hierarchy" ] && [ ! -w "$hierarchy" ]; then
        mount -n -o remount,bind,rw "$hierarchy"
    fi
done

# Machines of one host would share its product UUID, which must be unique in a cluster.
uuid=/sys/class/dmi/id/product_uuid
if [ -e "$uuid" ] && [ -e /etc/kubewright/product-uuid ]; then
    mount -n --bind /etc/kubewright/product-uuid "$uuid"
fi

# Neighbours that asked for this address too early learn it at once instead of asking again a second later.
echo 1 > /proc/sys/net/ipv4/conf/host0/arp_notify
. /etc/kubewright/network
ip -batch - <<END
link set dev lo up
address replace $ADDRESS dev host0
link set dev host0 up
route replace default via $GATEWAY
END
