package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/template"

	"github.com/BurntSushi/toml"
	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"
)

// addFuncs gives a set the functions that a request asks for. Helm's own ones are written after its documentation:
// errors of encoders give an empty string, errors of decoders an entry "Error".
func addFuncs(set *template.Template, which, missingKey string) {
	if which == "" || which == "none" {
		return
	}
	funcs := sprig.TxtFuncMap()
	if which == "helm" {
		delete(funcs, "env")
		delete(funcs, "expandenv")
		for name, f := range encoders() {
			funcs[name] = f
		}
		used := map[string]int{}
		funcs["include"] = include(set, used)
		funcs["tpl"] = tpl(set, used, missingKey)
		funcs["required"] = required
		funcs["fail"] = func(msg string) (string, error) { return "", errors.New(warn(msg)) }
		funcs["lookup"] = func(string, string, string, string) (map[string]any, error) { return map[string]any{}, nil }
		funcs["getHostByName"] = func(string) string { return "" }
	}
	set.Funcs(funcs)
}

func warn(msg string) string { return "HELM_ERR_START" + msg + "HELM_ERR_END" }

func required(msg string, v any) (any, error) {
	if s, ok := v.(string); v == nil || ok && s == "" {
		return v, errors.New(warn(msg))
	}
	return v, nil
}

func include(set *template.Template, used map[string]int) func(string, any) (string, error) {
	return func(name string, data any) (string, error) {
		if used[name] > 1000 {
			return "", fmt.Errorf("rendering template has a nested reference name: %s: %w", name, errors.New("unable to execute template"))
		}
		used[name]++
		defer func() { used[name]-- }()
		var buf strings.Builder
		err := set.ExecuteTemplate(&buf, name, data)
		return buf.String(), err
	}
}

func tpl(parent *template.Template, used map[string]int, missingKey string) func(string, any) (string, error) {
	return func(text string, data any) (string, error) {
		set, err := parent.Clone()
		if err != nil {
			return "", fmt.Errorf("cannot clone template: %w", err)
		}
		if missingKey != "" {
			set.Option("missingkey=" + missingKey)
		}
		set.Funcs(template.FuncMap{"include": include(set, used), "tpl": tpl(set, used, missingKey)})
		set, err = set.New(parent.Name()).Parse(text)
		if err != nil {
			return "", fmt.Errorf("cannot parse template %q: %w", text, err)
		}
		var buf strings.Builder
		if err := set.Execute(&buf, data); err != nil {
			return "", fmt.Errorf("error during tpl function execution for %q: %w", text, err)
		}
		return strings.ReplaceAll(buf.String(), "<no value>", ""), nil
	}
}

func encoders() template.FuncMap {
	quiet := func(b []byte, err error) string {
		if err != nil {
			return ""
		}
		return strings.TrimSuffix(string(b), "\n")
	}
	loud := func(b []byte, err error) string {
		if err != nil {
			panic(err)
		}
		return strings.TrimSuffix(string(b), "\n")
	}
	return template.FuncMap{
		"toYaml":     func(v any) string { return quiet(yaml.Marshal(v)) },
		"mustToYaml": func(v any) string { return loud(yaml.Marshal(v)) },
		"toJson":     func(v any) string { return quiet(json.Marshal(v)) },
		"mustToJson": func(v any) string { return loud(json.Marshal(v)) },
		"toToml": func(v any) string {
			var buf strings.Builder
			if err := toml.NewEncoder(&buf).Encode(v); err != nil {
				return err.Error()
			}
			return buf.String()
		},
		"fromYaml": func(s string) map[string]any {
			return object(func(m any) error { return yaml.Unmarshal([]byte(s), m) })
		},
		"fromJson": func(s string) map[string]any {
			return object(func(m any) error { return json.Unmarshal([]byte(s), m) })
		},
		"fromToml": func(s string) map[string]any {
			return object(func(m any) error { return toml.Unmarshal([]byte(s), m) })
		},
		"fromYamlArray": func(s string) []any { return array(func(a any) error { return yaml.Unmarshal([]byte(s), a) }) },
		"fromJsonArray": func(s string) []any { return array(func(a any) error { return json.Unmarshal([]byte(s), a) }) },
	}
}

func object(decode func(any) error) map[string]any {
	m := map[string]any{}
	if err := decode(&m); err != nil {
		m["Error"] = err.Error()
	}
	return m
}

func array(decode func(any) error) []any {
	a := []any{}
	if err := decode(&a); err != nil {
		a = []any{err.Error()}
	}
	return a
}
