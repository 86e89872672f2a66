// kubelet.
package main

import (
	"context"

	"github.com/spf13/pflag"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/kubelet/config/v1beta1"
	"k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/cmd/kubelet/app/options"
)

func main() {
	// The command parses a set of its own, which is put together like this.
	set := pflag.NewFlagSet("kubelet", pflag.ContinueOnError)
	set.SetNormalizeFunc(cliflag.WordSepNormalizeFunc)
	configuration, err := options.NewKubeletConfiguration()
	if err != nil {
		panic(err)
	}
	options.NewKubeletFlags().AddFlags(set)
	options.AddKubeletConfigFlags(set, configuration)
	options.AddGlobalFlags(set)
	set.BoolP("help", "h", false, "")
	// Whatever the command registers when it is made.
	app.NewKubeletCommand(context.Background())
	print(Facts{
		Flags: flagsOf(set),
		Gates: gatesOf(utilfeature.DefaultMutableFeatureGate),
		Types: types(v1beta1.KubeletConfiguration{}),
	})
}
