// kube-scheduler.
package main

import (
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func main() {
	print(Facts{Flags: flagsOf(app.NewSchedulerCommand().Flags()), Gates: gatesOf(utilfeature.DefaultMutableFeatureGate)})
}
