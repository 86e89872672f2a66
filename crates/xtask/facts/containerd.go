// containerd.
package main

import (
	"reflect"
	"strings"

	"github.com/containerd/containerd/v2/cmd/containerd/command"
	"github.com/containerd/containerd/v2/cmd/containerd/server/config"
	"github.com/containerd/plugin"
	"github.com/containerd/plugin/registry"
	"github.com/urfave/cli/v3"

	_ "github.com/containerd/containerd/v2/cmd/containerd/builtins"
)

func main() {
	tag = "toml"
	// Structures of several packages are called Config.
	nameOf = func(of reflect.Type) string {
		return strings.TrimPrefix(of.PkgPath(), "github.com/containerd/") + "." + of.Name()
	}
	flags := map[string]Flag{}
	for _, flag := range command.App().Flags {
		documented, ok := flag.(cli.DocGenerationFlag)
		if !ok {
			panic(flag)
		}
		flags[flag.Names()[0]] = Flag{Type: documented.TypeName(), Default: documented.GetDefaultText()}
	}
	structs := map[string]map[string]string{"": {}}
	collect(reflect.TypeFor[config.Config](), structs[""], structs)
	for _, one := range registry.Graph(func(*plugin.Registration) bool { return false }) {
		fields := map[string]string{}
		if one.Config != nil {
			collect(reflect.TypeOf(one.Config).Elem(), fields, structs)
		}
		structs[one.URI()] = fields
	}
	print(Facts{Flags: flags, Gates: map[string]Gate{}, Types: structs})
}
