// kube-apiserver.
package main

import (
	"slices"

	apiserver "k8s.io/apiserver/pkg/apis/apiserver/v1"
	audit "k8s.io/apiserver/pkg/apis/audit/v1"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

func main() {
	flags := flagsOf(app.NewAPIServerCommand().Flags())
	admission := options.NewServerRunOptions().Admission.GenericAdmission
	plugins := Plugins{On: []string{}, Off: []string{}}
	for _, name := range admission.Plugins.Registered() {
		if admission.DefaultOffPlugins.Has(name) {
			plugins.Off = append(plugins.Off, name)
		} else {
			plugins.On = append(plugins.On, name)
		}
	}
	slices.Sort(plugins.On)
	slices.Sort(plugins.Off)
	print(Facts{
		Flags:            flags,
		Gates:            gatesOf(utilfeature.DefaultMutableFeatureGate),
		AdmissionPlugins: &plugins,
		Types:            types(audit.Policy{}, apiserver.EncryptionConfiguration{}),
	})
}
