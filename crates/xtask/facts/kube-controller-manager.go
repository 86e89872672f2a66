// kube-controller-manager.
package main

import (
	"slices"

	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

func main() {
	controllers := app.KnownControllers()
	for alias := range app.ControllerAliases() {
		controllers = append(controllers, alias)
	}
	slices.Sort(controllers)
	print(Facts{
		Flags:       flagsOf(app.NewControllerManagerCommand().Flags()),
		Gates:       gatesOf(utilfeature.DefaultMutableFeatureGate),
		Controllers: controllers,
	})
}
