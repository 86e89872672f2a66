//! Manifests of the kinds that clusters are made of, with what API servers default, reorder, rewrite or drop.
#![allow(clippy::disallowed_methods, reason = "tests may read the environment")]

use serde_json::{Value, json};

pub(super) fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "coredns", "namespace": "kube-system", "creationTimestamp": null,
            "labels": {"k8s-app": "kube-dns", "empty": ""},
            "annotations": {"kubewright.io/owner": "object/apps/v1/Deployment/kube-system/coredns"},
        },
        "spec": {
            "replicas": 2,
            "paused": false,
            "selector": {"matchLabels": {"k8s-app": "kube-dns"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": "25%"}},
            "template": {
                "metadata": {"creationTimestamp": null, "labels": {"k8s-app": "kube-dns"}, "annotations": {}},
                "spec": {
                    "priorityClassName": "system-cluster-critical",
                    "serviceAccountName": "coredns",
                    "hostNetwork": false,
                    "dnsPolicy": "Default",
                    "securityContext": {},
                    "nodeSelector": {"kubernetes.io/os": "linux"},
                    "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}, {"effect": "NoSchedule", "key": "x"}],
                    "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{
                        "weight": 100,
                        "podAffinityTerm": {
                            "labelSelector": {"matchExpressions": [{"key": "k8s-app", "operator": "In", "values": ["kube-dns"]}]},
                            "topologyKey": "kubernetes.io/hostname",
                        },
                    }]}},
                    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway",
                        "labelSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}],
                    "initContainers": [{"name": "second", "image": "i:1"}, {"name": "first", "image": "i:1"}],
                    "containers": [{
                        "name": "coredns",
                        "image": "registry.k8s.io/coredns/coredns:v1.14.3",
                        "args": ["-conf", "/etc/coredns/Corefile"],
                        "env": [
                            {"name": "EMPTY", "value": ""},
                            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                            {"name": "MEM", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1000m"}}},
                            {"name": "A", "value": "$(EMPTY)"},
                        ],
                        "envFrom": [{"configMapRef": {"name": "x", "optional": true}}],
                        "resources": {"limits": {"memory": "170Mi", "cpu": "1000m"}, "requests": {"cpu": 0.1, "memory": "73400320"}},
                        "ports": [
                            {"containerPort": 53, "name": "dns", "protocol": "UDP"},
                            {"containerPort": 53, "name": "dns-tcp"},
                            {"containerPort": 9153, "name": "metrics", "protocol": "TCP"},
                        ],
                        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "initialDelaySeconds": 0, "failureThreshold": 5},
                        "readinessProbe": {"httpGet": {"path": "/ready", "port": "metrics", "scheme": "HTTP"}},
                        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}, "readOnlyRootFilesystem": true},
                        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": true}, {"name": "tmp", "mountPath": "/tmp", "readOnly": false}],
                    }],
                    "volumes": [
                        {"name": "config-volume", "configMap": {"name": "coredns", "items": [{"key": "Corefile", "path": "Corefile"}]}},
                        {"name": "tmp", "emptyDir": {}},
                        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "1024Mi"}},
                        {"name": "api", "projected": {"sources": [
                            {"serviceAccountToken": {"path": "token"}},
                            {"downwardAPI": {"items": [{"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
                        ]}},
                    ],
                },
            },
        },
        "status": {},
    })
}

fn workloads() -> Vec<Value> {
    let template = |name: &str| {
        json!({
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "c", "image": "i:1", "resources": {}, "securityContext": {"privileged": false}}]},
        })
    };
    let selector = |name: &str| json!({"matchLabels": {"app": name}});
    let mut daemon = template("proxy");
    daemon["spec"]["hostNetwork"] = json!(true);
    daemon["spec"]["tolerations"] = json!([{"operator": "Exists"}]);
    daemon["spec"]["containers"][0]["command"] = json!(["/usr/local/bin/kube-proxy", "--config=/c"]);
    daemon["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
    daemon["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "modules", "mountPath": "/lib/modules", "readOnly": true}]);
    daemon["spec"]["volumes"] = json!([{"name": "modules", "hostPath": {"path": "/lib/modules", "type": ""}}]);
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}}});
    vec![
        json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "proxy", "namespace": "kube-system"},
            "spec": {"selector": selector("proxy"), "updateStrategy": {"type": "RollingUpdate"}, "template": daemon}}),
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "default"},
            "spec": {"serviceName": "db", "replicas": 0, "selector": selector("db"), "template": template("db"), "volumeClaimTemplates": [claim]}}),
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick", "namespace": "default"},
            "spec": {"schedule": "0 0 * * *", "suspend": false, "jobTemplate": {"spec": {"template": {"spec": {
                "restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}}}}}}),
    ]
}

fn network() -> Vec<Value> {
    vec![
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kube-dns", "namespace": "kube-system", "annotations": {"prometheus.io/port": "9153"}},
        "spec": {"clusterIP": "10.96.0.10", "selector": {"k8s-app": "kube-dns"}, "ports": [
            {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
            {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
            {"name": "metrics", "port": 9153},
        ]}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "deny", "namespace": "default"},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 80}]}]}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/x"}}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"ingressClassName": "nginx", "rules": [{"host": "a.example.com", "http": {"paths": [
                {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}}),
    ]
}

fn access() -> Vec<Value> {
    let rules = json!([{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}, {"nonResourceURLs": ["/x"], "verbs": ["get"]}]);
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "coredns", "namespace": "kube-system"}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "kubeadm:get-nodes", "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}}, "rules": rules}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "kubeadm:get-nodes"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "kubeadm:get-nodes"},
            "subjects": [{"kind": "Group", "name": "system:bootstrappers:kubeadm:default-node-token"}, {"kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system"}]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r", "namespace": "kube-system"},
            "rules": [{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["kube-proxy"], "verbs": ["get"]}]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "r", "namespace": "kube-system"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "u"}]}),
    ]
}

fn cluster_wide() -> Vec<Value> {
    let hook = json!({"name": "a.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Ignore",
        "clientConfig": {"service": {"name": "web", "namespace": "default"}},
        "rules": [{"apiGroups": ["x.example.com"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["xs"]}]});
    vec![
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "local-path", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "provisioner": "rancher.io/local-path", "volumeBindingMode": "WaitForFirstConsumer", "reclaimPolicy": "Delete"}),
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": "ebs.csi.aws.com"}, "spec": {"attachRequired": true, "podInfoOnMount": false}}),
        json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {"group": "metrics.k8s.io", "groupPriorityMinimum": 100, "versionPriority": 100, "version": "v1beta1",
                "insecureSkipTLSVerify": true, "service": {"name": "metrics-server", "namespace": "kube-system"}}}),
        json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1000, "globalDefault": false, "description": ""}),
        json!({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "gvisor"}, "handler": "runsc"}),
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "hook"}, "webhooks": [hook]}),
        json!({"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema", "metadata": {"name": "ours"},
            "spec": {"matchingPrecedence": 900, "priorityLevelConfiguration": {"name": "exempt"},
                "rules": [{"nonResourceRules": [{"nonResourceURLs": ["/healthz"], "verbs": ["*"]}], "subjects": [{"kind": "Group", "group": {"name": "system:unauthenticated"}}]}]}}),
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
            "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}}]},
            "status": {"acceptedNames": {"kind": "", "plural": ""}, "conditions": [], "storedVersions": []}}),
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "default"},
            "spec": {"size": 1, "list": [{"a": 1}, {"b": ""}], "empty": {}, "off": false}}),
    ]
}

fn policies() -> Vec<Value> {
    vec![
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns", "namespace": "kube-system", "labels": {}},
            "data": {"Corefile": ".:53 {\n    errors\n}\n", "empty": "", "dotted.key_x-y": "z"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "binary", "namespace": "default"}, "binaryData": {"x": "AAEC"}, "immutable": false}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"}, "type": "Opaque",
            "stringData": {"password": "hunter2"}, "data": {"user": "YQ=="}}),
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "coredns", "namespace": "kube-system"},
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"k8s-app": "kube-dns"}}}}),
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "default"}, "spec": {"hard": {"requests.cpu": "1000m", "pods": 10}}}),
        json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l", "namespace": "apps"},
            "spec": {"limits": [{"type": "Container", "default": {"cpu": "500m", "memory": "1024Mi"}, "defaultRequest": {"cpu": "0.1"}}]}}),
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}]}}),
    ]
}

/// All of them, each after what it needs; or those in the JSON list that `KUBEWRIGHT_TEST_MANIFESTS` names.
pub(super) fn manifests() -> Vec<Value> {
    if let Some(file) = std::env::var_os("KUBEWRIGHT_TEST_MANIFESTS") {
        return serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    }
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "apps", "labels": {"pod-security.kubernetes.io/enforce": "privileged"}}});
    let mut all = vec![namespace];
    all.extend(access());
    all.extend(policies());
    all.extend(network());
    all.push(deployment());
    all.extend(workloads());
    all.extend(cluster_wide());
    all
}
