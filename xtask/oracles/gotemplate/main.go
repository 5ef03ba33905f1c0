// Go's text/template, sprig and Helm's functions, asked as an oracle.
//
// One JSON request per line on stdin, one JSON answer per line on stdout, in order, until stdin ends.
//
//	{"id": anything,
//	 "templates": [["name", "text"], …]   parsed in this order into one set named gotpl
//	 "execute": "name",
//	 "data": …                            typed JSON, see decode
//	 "missingkey": "default" | "zero" | "error",
//	 "funcs": "none" | "sprig" | "helm"}
//
// The answer is {"id": …, "output": base64} or {"id": …, "error": base64}.
//
// In data a number is a float64, as chart values have it. Other Go types are objects of one key:
// {"$int": 1} {"$int64": 1} {"$uint8": 1} {"$uint64": 1} {"$strings": […]} {"$ints": […]} {"$bytes": base64}
// {"$string": base64} {"$stringmap": {…}} {"$values": {…}} {"$nilmap": null} {"$nillist": null}.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/template"
)

type request struct {
	ID         json.RawMessage `json:"id"`
	Templates  [][2]string     `json:"templates"`
	Execute    string          `json:"execute"`
	Data       json.RawMessage `json:"data"`
	MissingKey string          `json:"missingkey"`
	Funcs      string          `json:"funcs"`
}

type answer struct {
	ID     json.RawMessage `json:"id,omitempty"`
	Output []byte          `json:"output"`
	Error  []byte          `json:"error,omitempty"`
}

// Values is a defined map type, as Helm's.
type Values map[string]any

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(strings.TrimSpace(string(line))) > 0 {
			reply(out, line)
			// A caller may wait for this answer before it sends the next request.
			if in.Buffered() == 0 {
				_ = out.Flush()
			}
		}
		if errors.Is(err, io.EOF) {
			_ = out.Flush()
			return
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func reply(out io.Writer, line []byte) {
	var req request
	ans := answer{}
	if err := json.Unmarshal(line, &req); err != nil {
		ans.Error = []byte("request: " + err.Error())
	} else if text, err := render(req); err != nil {
		ans = answer{ID: req.ID, Error: []byte(err.Error())}
	} else {
		ans = answer{ID: req.ID, Output: []byte(text)}
	}
	b, _ := json.Marshal(ans)
	_, _ = out.Write(append(b, '\n'))
}

func render(req request) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	var data any
	if len(req.Data) > 0 {
		if err := json.Unmarshal(req.Data, &data); err != nil {
			return "", fmt.Errorf("data: %w", err)
		}
	}
	set := template.New("gotpl")
	if req.MissingKey != "" {
		set.Option("missingkey=" + req.MissingKey)
	}
	addFuncs(set, req.Funcs, req.MissingKey)
	for _, t := range req.Templates {
		if _, err := set.New(t[0]).Parse(t[1]); err != nil {
			return "", err
		}
	}
	var buf strings.Builder
	if err := set.ExecuteTemplate(&buf, req.Execute, decode(data)); err != nil {
		return "", err
	}
	return buf.String(), nil
}

// decode turns typed JSON into Go values.
func decode(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = decode(v[i])
		}
		// What lies between length and capacity can be reached with slice; it is nobody's contract.
		return slices.Clip(v)
	case map[string]any:
		if len(v) == 1 {
			for k, inner := range v {
				if strings.HasPrefix(k, "$") {
					return typed(k, inner)
				}
			}
		}
		for k := range v {
			v[k] = decode(v[k])
		}
		return v
	}
	return v
}

func typed(kind string, v any) any {
	num := func() float64 { f, _ := v.(float64); return f }
	text := func() []byte { s, _ := v.(string); b, _ := base64.StdEncoding.DecodeString(s); return b }
	switch kind {
	case "$int":
		return int(num())
	case "$int64":
		return int64(num())
	case "$uint8":
		return uint8(num())
	case "$uint64":
		return uint64(num())
	case "$bytes":
		return text()
	case "$string":
		return string(text())
	case "$nilmap":
		return map[string]any(nil)
	case "$nillist":
		return []any(nil)
	case "$values":
		m, _ := v.(map[string]any)
		out := Values{}
		for k, e := range m {
			out[k] = decode(e)
		}
		return out
	case "$stringmap":
		m, _ := v.(map[string]any)
		out := map[string]string{}
		for k, e := range m {
			out[k] = fmt.Sprint(e)
		}
		return out
	case "$strings":
		l, _ := v.([]any)
		out := make([]string, len(l))
		for i, e := range l {
			out[i] = fmt.Sprint(e)
		}
		return out
	case "$ints":
		l, _ := v.([]any)
		out := make([]int, len(l))
		for i, e := range l {
			f, _ := e.(float64)
			out[i] = int(f)
		}
		return out
	}
	return map[string]any{kind: decode(v)}
}
