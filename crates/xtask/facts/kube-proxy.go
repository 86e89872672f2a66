// kube-proxy.
package main

import (
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/kube-proxy/config/v1alpha1"
	"k8s.io/kubernetes/cmd/kube-proxy/app"
)

func main() {
	command := app.NewProxyCommand()
	// Added when the command runs.
	command.InitDefaultHelpFlag()
	print(Facts{
		Flags: flagsOf(command.Flags()),
		Gates: gatesOf(utilfeature.DefaultMutableFeatureGate),
		Types: types(v1alpha1.KubeProxyConfiguration{}),
	})
}
