// Command goyaml answers questions about YAML with the Go libraries that the crate goyaml follows.
//
// It reads one JSON request a line and writes one JSON answer a line:
//
//	{"op": "decode", "data": "<base64>"}  ->  {"text": "…"} or {"error": "…"}
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
	k8syaml "k8s.io/apimachinery/pkg/util/yaml"
	sigs "sigs.k8s.io/yaml"
)

type request struct {
	Op   string `json:"op"`
	Data []byte `json:"data"`
	// Indent and Wide are for "emit".
	Indent int  `json:"indent"`
	Wide   bool `json:"wide"`
}

type answer struct {
	Text  string `json:"text"`
	Error string `json:"error,omitempty"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	decoder := json.NewDecoder(in)
	for {
		var question request
		if err := decoder.Decode(&question); err != nil {
			out.Flush()
			if errors.Is(err, io.EOF) {
				return
			}
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		text, err := safely(question)
		reply := answer{Text: text}
		if err != nil {
			reply = answer{Error: err.Error()}
		}
		if err := encoder.Encode(reply); err != nil {
			os.Exit(1)
		}
		if in.Buffered() == 0 {
			out.Flush()
		}
	}
}

func safely(question request) (text string, err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			err = fmt.Errorf("panic: %v", recovered)
		}
	}()
	return handle(question)
}

func handle(question request) (string, error) {
	switch question.Op {
	case "decode":
		text, err := sigs.YAMLToJSON(question.Data)
		return string(text), err
	case "decode-strict":
		text, err := sigs.YAMLToJSONStrict(question.Data)
		return string(text), err
	case "decode-map":
		values := map[string]any{}
		if err := sigs.Unmarshal(question.Data, &values); err != nil {
			return "", err
		}
		text, err := json.Marshal(values)
		return string(text), err
	case "decode-list":
		values := []any{}
		if err := sigs.Unmarshal(question.Data, &values); err != nil {
			return "", err
		}
		text, err := json.Marshal(values)
		return string(text), err
	case "to-yaml", "to-pretty", "to-json":
		value, err := fromJSON(question.Data)
		if err != nil {
			return "", err
		}
		return write(question.Op, value)
	case "tree":
		documents, err := parse(question.Data)
		if err != nil {
			return "", err
		}
		var text strings.Builder
		for _, document := range documents {
			dump(&text, document, 0)
		}
		return text.String(), nil
	case "emit":
		documents, err := parse(question.Data)
		if err != nil {
			return "", err
		}
		return emit(documents, question)
	case "build":
		var root tree
		if err := json.Unmarshal(question.Data, &root); err != nil {
			return "", err
		}
		return emit([]*yaml.Node{root.node()}, question)
	case "value":
		var value any
		if err := yaml.Unmarshal(question.Data, &value); err != nil {
			return "", err
		}
		text, err := json.Marshal(value)
		return string(text), err
	case "split":
		reader := k8syaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(question.Data)))
		documents := []string{}
		for {
			document, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return "", err
			}
			documents = append(documents, string(document))
		}
		text, err := json.Marshal(documents)
		return string(text), err
	}
	return "", fmt.Errorf("unknown op %q", question.Op)
}

func write(op string, value any) (string, error) {
	switch op {
	case "to-yaml":
		text, err := sigs.Marshal(value)
		return string(text), err
	case "to-json":
		text, err := json.Marshal(value)
		return string(text), err
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	err := encoder.Encode(value)
	return out.String(), err
}

// fromJSON keeps integers.
func fromJSON(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return numbers(value), nil
}

func numbers(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, item := range value {
			value[key] = numbers(item)
		}
	case []any:
		for at, item := range value {
			value[at] = numbers(item)
		}
	case json.Number:
		if strings.ContainsAny(string(value), ".eE") {
			float, _ := value.Float64()
			return float
		}
		if whole, err := value.Int64(); err == nil {
			return whole
		}
		var whole uint64
		if _, err := fmt.Sscan(string(value), &whole); err == nil {
			return whole
		}
		float, _ := value.Float64()
		return float
	}
	return value
}

// tree is a node as JSON, for nodes that no text gives.
type tree struct {
	Kind, Style                          uint32
	Tag, Value, Anchor, Head, Line, Foot string
	Content                              []*tree
}

func (t *tree) node() *yaml.Node {
	node := &yaml.Node{
		Kind: yaml.Kind(t.Kind), Style: yaml.Style(t.Style), Tag: t.Tag, Value: t.Value, Anchor: t.Anchor,
		HeadComment: t.Head, LineComment: t.Line, FootComment: t.Foot,
	}
	for _, child := range t.Content {
		node.Content = append(node.Content, child.node())
	}
	return node
}

func parse(data []byte) ([]*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	documents := []*yaml.Node{}
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		documents = append(documents, &document)
	}
}

func emit(documents []*yaml.Node, question request) (string, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(question.Indent)
	if question.Wide {
		encoder.DefaultSeqIndent()
	} else {
		encoder.CompactSeqIndent()
	}
	for _, document := range documents {
		if err := encoder.Encode(document); err != nil {
			return "", err
		}
	}
	if len(documents) == 0 {
		return "", nil
	}
	if err := encoder.Close(); err != nil {
		return "", err
	}
	return out.String(), nil
}

// dump writes one line for each node: depth, kind, style, place, and then its texts.
func dump(out *strings.Builder, node *yaml.Node, depth int) {
	kinds := map[yaml.Kind]string{
		yaml.DocumentNode: "document", yaml.MappingNode: "mapping", yaml.SequenceNode: "sequence",
		yaml.ScalarNode: "scalar", yaml.AliasNode: "alias",
	}
	texts, _ := json.Marshal([]string{
		node.Tag, node.Value, node.Anchor, node.HeadComment, node.LineComment, node.FootComment,
	})
	fmt.Fprintf(out, "%d %s %d %d:%d %s\n", depth, kinds[node.Kind], node.Style, node.Line, node.Column, texts)
	for _, child := range node.Content {
		dump(out, child, depth+1)
	}
}
