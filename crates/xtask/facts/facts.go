// Prints what one component of Kubernetes takes, asked of its own code, as JSON. `cargo xtask gen facts` runs it.
package main

import (
	"encoding"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
)

// Flag of a program.
type Flag struct {
	Type       string `json:"type"`
	Default    string `json:"default,omitempty"`
	Deprecated string `json:"deprecated,omitempty"`
}

// Gate for a feature.
type Gate struct {
	Stage   string `json:"stage"`
	Default bool   `json:"default,omitempty"`
	Locked  bool   `json:"locked,omitempty"`
	// Gates that must be on where this one is.
	Needs []string `json:"needs,omitempty"`
}

// Plugins for admission.
type Plugins struct {
	On  []string `json:"on"`
	Off []string `json:"off"`
}

// Facts about one component.
type Facts struct {
	Flags            map[string]Flag              `json:"flags"`
	Gates            map[string]Gate              `json:"gates"`
	AdmissionPlugins *Plugins                     `json:"admissionPlugins,omitempty"`
	Controllers      []string                     `json:"controllers,omitempty"`
	Types            map[string]map[string]string `json:"types,omitempty"`
}

func print(facts Facts) {
	// Standard output is the answer; what programs log goes elsewhere.
	if err := json.NewEncoder(os.Stdout).Encode(facts); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// What is read from JSON in a way of its own.
var special = map[string]string{
	"github.com/containerd/containerd/v2/internal/tomlext.Duration": "durationOrNumber",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Duration":                 "duration",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":                     "time",
	"k8s.io/apimachinery/pkg/api/resource.Quantity":                 "quantity",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString":               "intOrString",
	"k8s.io/component-base/logs/api/v1.TimeOrMetaDuration":          "durationOrNumber",
	"k8s.io/component-base/logs/api/v1.LogVerbosity":                "uint32",
	"k8s.io/component-base/logs/api/v1.QuantityValue":               "quantity",
	"k8s.io/component-base/logs/api/v1.DurationOrNumber":            "durationOrNumber",
	"k8s.io/apimachinery/pkg/apis/meta/v1.TypeMeta":                 "inline",
}

// The tag that names fields, and the name of a structure.
var (
	tag    = "json"
	nameOf = reflect.Type.Name
)

// describe names the type and adds the structs that it consists of.
func describe(of reflect.Type, structs map[string]map[string]string) string {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if name, ok := special[of.PkgPath()+"."+of.Name()]; ok && name != "inline" {
		return name
	}
	text := reflect.TypeFor[encoding.TextUnmarshaler]()
	own := reflect.TypeFor[json.Unmarshaler]()
	if pointer := reflect.PointerTo(of); pointer.Implements(own) || pointer.Implements(text) {
		return "any"
	}
	switch of.Kind() {
	case reflect.Slice, reflect.Array:
		if of.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "[]" + describe(of.Elem(), structs)
	case reflect.Map:
		return "map[string]" + describe(of.Elem(), structs)
	case reflect.Struct:
		if _, known := structs[nameOf(of)]; !known {
			fields := map[string]string{}
			structs[nameOf(of)] = fields
			collect(of, fields, structs)
		}
		return nameOf(of)
	case reflect.Interface:
		return "any"
	default:
		return of.Kind().String()
	}
}

func collect(of reflect.Type, fields map[string]string, structs map[string]map[string]string) {
	for index := range of.NumField() {
		field := of.Field(index)
		name, options, _ := strings.Cut(field.Tag.Get(tag), ",")
		switch {
		case name == "-" || !field.IsExported():
		case name == "" && (field.Anonymous || strings.Contains(options, "inline")):
			inner := field.Type
			for inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			collect(inner, fields, structs)
		case name == "":
			fields[field.Name] = describe(field.Type, structs)
		default:
			fields[name] = describe(field.Type, structs)
		}
	}
}

func types(values ...any) map[string]map[string]string {
	structs := map[string]map[string]string{}
	for _, value := range values {
		describe(reflect.TypeOf(value), structs)
	}
	return structs
}
