// Prints which flags, feature gates and admission plugins the sources of one old minor name, as JSON.
//
// Most of them are no longer built, so their sources are read: `past DIRECTORY-OF-KUBERNETES DIRECTORY-OF-APISERVER`.
package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// What was found.
type found struct {
	Gates            map[string]bool            `json:"gates"`
	Flags            map[string]map[string]bool `json:"flags"`
	AdmissionPlugins map[string]bool            `json:"admissionPlugins"`
}

// Directories of Kubernetes with the flags of each component.
var components = map[string][]string{
	"kube-apiserver":          {"cmd/kube-apiserver", "pkg/kubeapiserver/options", "pkg/controlplane/apiserver/options"},
	"kube-controller-manager": {"cmd/kube-controller-manager"},
	"kube-scheduler":          {"cmd/kube-scheduler"},
}

func main() {
	kubernetes, apiserver := os.Args[1], os.Args[2]
	all := found{map[string]bool{}, map[string]map[string]bool{}, map[string]bool{}}
	for component, directories := range components {
		names := map[string]bool{}
		all.Flags[component] = names
		for _, directory := range directories {
			visit(filepath.Join(kubernetes, directory), func(file *ast.File) { flags(file, names) })
		}
		if component == "kube-apiserver" {
			visit(filepath.Join(apiserver, "pkg/server/options"), func(file *ast.File) { flags(file, names) })
		}
	}
	for _, directory := range []string{"pkg/features", "plugin/pkg/admission", "pkg/kubeapiserver"} {
		visit(filepath.Join(kubernetes, directory), func(file *ast.File) { constants(file, &all) })
	}
	for _, directory := range []string{"pkg/features", "pkg/admission"} {
		visit(filepath.Join(apiserver, directory), func(file *ast.File) { constants(file, &all) })
	}
	_ = json.NewEncoder(os.Stdout).Encode(all)
}

func visit(directory string, look func(*ast.File)) {
	_ = filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
			// Serving without TLS stayed in the library long after its flags were gone.
			strings.HasSuffix(path, "deprecated_insecure_serving.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err == nil {
			look(file)
		}
		return nil
	})
}

func text(expression ast.Expr) (string, bool) {
	literal, ok := expression.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	value, err := strconv.Unquote(literal.Value)
	return value, err == nil
}

// flags are declared by `fs.BoolVar(&x, "name", …)` and its likes.
func flags(file *ast.File, names map[string]bool) {
	ast.Inspect(file, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok || len(call.Args) < 3 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !strings.HasSuffix(strings.TrimSuffix(method.Sel.Name, "P"), "Var") {
			return true
		}
		if name, ok := text(call.Args[1]); ok && name != "" {
			names[name] = true
		}
		return true
	})
}

// constants of the type featuregate.Feature are gates, those called PluginName are admission plugins.
func constants(file *ast.File, all *found) {
	ast.Inspect(file, func(node ast.Node) bool {
		value, ok := node.(*ast.ValueSpec)
		if !ok || len(value.Values) != 1 {
			return true
		}
		name, ok := text(value.Values[0])
		if !ok {
			return true
		}
		if kind, ok := value.Type.(*ast.SelectorExpr); ok && kind.Sel.Name == "Feature" {
			all.Gates[name] = true
		} else if value.Names[0].Name == "PluginName" {
			all.AdmissionPlugins[name] = true
		}
		return true
	})
}
