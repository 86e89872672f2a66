// kube-controller-manager.
package main

import (
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

func main() {
	print(Facts{Flags: flagsOf(app.NewControllerManagerCommand().Flags()), Gates: gatesOf(utilfeature.DefaultMutableFeatureGate)})
}
