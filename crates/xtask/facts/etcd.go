// etcd.
package main

import (
	"flag"
	"reflect"
	"strings"

	"go.etcd.io/etcd/pkg/v3/featuregate"
	"go.etcd.io/etcd/server/v3/embed"
)

func main() {
	config := embed.NewConfig()
	set := flag.NewFlagSet("etcd", flag.ContinueOnError)
	config.AddFlags(set)
	flags := map[string]Flag{
		// Added by the program itself.
		"config-file":           {Type: "string"},
		"discovery-fallback":    {Type: "string", Default: "exit"},
		"initial-cluster-state": {Type: "string", Default: "new"},
		"v2-deprecation":        {Type: "string", Default: "write-only", Deprecated: "the default value is enforced"},
		"version":               {Type: "bool", Default: "false"},
	}
	set.VisitAll(func(one *flag.Flag) {
		deprecated := ""
		if strings.Contains(strings.ToLower(one.Usage), "deprecated") {
			deprecated = one.Usage
		}
		flags[one.Name] = Flag{Type: typeOf(one), Default: one.DefValue, Deprecated: deprecated}
	})
	gates := map[string]Gate{}
	for name, spec := range config.ServerFeatureGate.(featuregate.MutableFeatureGate).GetAll() {
		stage := string(spec.PreRelease)
		if stage == "" {
			stage = "GA"
		}
		gates[string(name)] = Gate{Stage: stage, Default: spec.Default, Locked: spec.LockToDefault}
	}
	print(Facts{Flags: flags, Gates: gates})
}

// Go's own flags don't say their type, but their values do: `*flag.boolValue`.
func typeOf(one *flag.Flag) string {
	name := reflect.TypeOf(one.Value).Elem().Name()
	return strings.ToLower(strings.TrimSuffix(name, "Value"))
}
