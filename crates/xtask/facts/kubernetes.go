// What the components of Kubernetes have in common.
package main

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/component-base/featuregate"
	// As every program does: it brings flags of its own.
	_ "k8s.io/component-base/logs/json/register"
)

func flagsOf(set *pflag.FlagSet) map[string]Flag {
	flags := map[string]Flag{}
	set.VisitAll(func(flag *pflag.Flag) {
		// Programs take both and show this one.
		name := strings.ReplaceAll(flag.Name, "_", "-")
		flags[name] = Flag{Type: flag.Value.Type(), Default: flag.DefValue, Deprecated: flag.Deprecated}
	})
	return flags
}

func gatesOf(gate featuregate.MutableVersionedFeatureGate) map[string]Gate {
	gates := map[string]Gate{}
	needs := map[featuregate.Feature][]featuregate.Feature{}
	// Since 1.35.
	if knows, ok := gate.(interface {
		Dependencies() map[featuregate.Feature][]featuregate.Feature
	}); ok {
		needs = knows.Dependencies()
	}
	for name, spec := range gate.GetAll() {
		stage := string(spec.PreRelease)
		if stage == "" {
			stage = "GA"
		}
		one := Gate{Stage: stage, Default: spec.Default, Locked: spec.LockToDefault}
		for _, other := range needs[name] {
			one.Needs = append(one.Needs, string(other))
		}
		slices.Sort(one.Needs)
		gates[string(name)] = one
	}
	return gates
}
