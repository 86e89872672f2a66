#!/bin/bash
# kubeadm's side of the rows `create-*`: what somebody who knows kubeadm would write to be fast.
#
# Machines are booted already; workers join in parallel as soon as the API is there, control planes one after the other,
# because etcd takes one new member at a time. Argument: a directory with
#   machines      one line each: name, role, address; the first one is where the cluster begins
#   key           to log in as root
#   prepared/     what packages of containerd and kubelet bring, the same files that kubewright writes
#   settings      shell assignments: version, pods, services, dns_tag
#   flannel.json  the objects that kubewright makes
set -euo pipefail

directory=$1
# shellcheck source=/dev/null
. "$directory/settings"
token=abcdef.0123456789abcdef
certificate_key=$(printf '%064d' 7)
socket=unix:///run/containerd/containerd.sock

on() {
    local address=$1
    shift
    ssh -q -i "$directory/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes \
        "root@$address" "$@"
}

# Files, sysctls, services. A machine that knows no name server gets one: CoreDNS refuses to start without.
prepare() {
    tar -C "$directory/prepared" -c . | on "$1" '
        set -e
        tar -x --no-same-owner -C /
        sysctl -q -w net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1
        grep -q nameserver /etc/resolv.conf || echo nameserver 192.0.2.1 > /etc/resolv.conf
        systemctl daemon-reload
        systemctl enable -q containerd kubelet
        systemctl start containerd'
}

# Control groups, conntrack and disks are those of machines that share a host: the settings that kubewright has, too.
configuration() {
    cat <<END
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
bootstrapTokens: [{token: $token}]
certificateKey: "$certificate_key"
localAPIEndpoint: {advertiseAddress: $first}
nodeRegistration: {criSocket: $socket}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: $version
controlPlaneEndpoint: $first:6443
networking: {podSubnet: $pods, serviceSubnet: $services}
dns: {imageTag: $dns_tag}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
localStorageCapacityIsolation: false
featureGates: {KubeletInUserNamespace: true}
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
conntrack: {maxPerCore: 0, min: 0}
END
}

join="kubeadm join $(awk 'NR == 1 { print $3 }' "$directory/machines"):6443 --token $token \
--discovery-token-unsafe-skip-ca-verification --cri-socket $socket --ignore-preflight-errors=all"

# Runs on every address given, all at once; one failure is a failure.
everywhere() {
    local what=$1 jobs=() job
    shift
    for address in "$@"; do
        "$what" "$address" &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do wait "$job"; done
}

join_worker() { on "$1" "$join"; }

join_control_planes() {
    for address in "$@"; do
        on "$address" "$join --control-plane --certificate-key $certificate_key"
    done
}

mapfile -t control_planes < <(awk '$2 == "control-plane" { print $3 }' "$directory/machines")
mapfile -t workers < <(awk '$2 == "worker" { print $3 }' "$directory/machines")
first=${control_planes[0]}

everywhere prepare "${control_planes[@]}" "${workers[@]}"
echo "prepared after $SECONDS s"
configuration | on "$first" 'cat > /root/kubeadm.yaml &&
    kubeadm init --config /root/kubeadm.yaml --upload-certs --ignore-preflight-errors=all'
echo "initialised after $SECONDS s"
join_control_planes "${control_planes[@]:1}" &
others=$!
on "$first" 'kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f -' < "$directory/flannel.json" &
network=$!
everywhere join_worker "${workers[@]}"
wait "$network"
wait "$others"
echo "joined after $SECONDS s"
