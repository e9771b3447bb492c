package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/api/fault"
)

// Bounds of what one file may hold. An alias counts each time it is used, so that a few lines
// of aliases of aliases cannot become gigabytes.
const (
	maxFileBytes = 1 << 20
	maxDocuments = 1000
	maxNodes     = 100_000
	maxDepth     = 64
)

// Document is one YAML document as JSON has it, with the line of each field.
type Document struct {
	// Value is made of map[string]any, []any, string, int, uint64 where int is too small,
	// float64 that is a number, bool and nil, so JSON can hold it. Aliases and merge keys are
	// resolved, and no key is given twice.
	Value any
	file  string
	lines map[string]int
}

// Documents reads all YAML documents of a file; empty ones are left out. file is its path from
// the root of the repository and goes into the faults: InvalidCatalog with the line of broken
// YAML, LimitExceeded for what is too large, too deep or expands to too much.
func Documents(file string, data []byte) ([]Document, error) {
	if len(data) > maxFileBytes {
		return nil, fault.New(fault.LimitExceeded, fault.Place{File: file}, "split the file", "%d bytes are more than the %d a file of suites may have", len(data), maxFileBytes)
	}
	var docs []Document
	nodes := 0
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		root, err := decodeNode(decoder)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return nil, syntaxFault(file, err)
		}
		if len(docs) == maxDocuments {
			return nil, fault.New(fault.LimitExceeded, fault.Place{File: file, Line: root.Line}, "split the file", "more than %d documents in one file", maxDocuments)
		}
		c := converter{file: file, lines: map[string]int{}, nodes: nodes}
		value, err := c.convert(root, "", 0)
		if err != nil {
			return nil, err
		}
		if nodes = c.nodes; value != nil {
			docs = append(docs, Document{Value: value, file: file, lines: c.lines})
		}
	}
}

// Line gives the line of a field such as "spec.env[0].name", or of the nearest one that holds
// it; of the whole document for "".
func (d Document) Line(field string) int {
	for field != "" {
		if line, ok := d.lines[field]; ok {
			return line
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return d.lines[""]
}

// decodeNode reads the next document. The library panics on some broken input.
func decodeNode(decoder *yaml.Decoder) (node *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it cannot be read: %v", r)
		}
	}()
	node = new(yaml.Node)
	return node, decoder.Decode(node)
}

// lineInText finds the line in the text of a syntax error: the library has it nowhere else.
var lineInText = regexp.MustCompile(`^yaml: line (\d+): `)

func syntaxFault(file string, err error) error {
	place, text := fault.Place{File: file}, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := lineInText.FindStringSubmatch(err.Error()); m != nil {
		place.Line, _ = strconv.Atoi(m[1])
		text = err.Error()[len(m[0]):]
	}
	return fault.New(fault.InvalidCatalog, place, "check the indentation and the quotes around there", "broken YAML: %s", text)
}

// converter turns nodes into what JSON has: maps, slices, strings, numbers, booleans and nil.
type converter struct {
	file  string
	lines map[string]int
	nodes int
}

func (c *converter) convert(n *yaml.Node, path string, depth int) (any, error) {
	if c.nodes++; c.nodes > maxNodes {
		return nil, c.limit(n, path, "more than %d values, aliases counted each time", maxNodes)
	}
	if depth > maxDepth {
		return nil, c.limit(n, path, "deeper than %d levels", maxDepth)
	}
	if _, known := c.lines[path]; !known {
		c.lines[path] = n.Line
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return c.convert(n.Content[0], path, depth+1)
	case yaml.AliasNode:
		return c.convert(n.Alias, path, depth+1)
	case yaml.MappingNode:
		return c.mapping(n, path, depth)
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			v, err := c.convert(item, path+"["+strconv.Itoa(i)+"]", depth+1)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	case yaml.ScalarNode:
		return c.scalar(n, path)
	}
	return nil, nil // the zero node of an empty document
}

func (c *converter) mapping(n *yaml.Node, path string, depth int) (any, error) {
	m := make(map[string]any, len(n.Content)/2)
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() == "!!merge" {
			merges = append(merges, value)
			continue
		}
		if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
			return nil, c.invalid(key, path, "put quotes around it", "the key %q is not a string", key.Value)
		}
		if c.nodes += 1 + len(key.Value)/1024; c.nodes > maxNodes {
			return nil, c.limit(key, path, "more than %d values, aliases counted each time", maxNodes)
		}
		field := join(path, key.Value)
		if _, twice := m[key.Value]; twice {
			return nil, c.invalid(key, field, "remove one", "the field is given twice, first in line %d", c.lines[field])
		}
		c.lines[field] = key.Line
		v, err := c.convert(value, field, depth+1)
		if err != nil {
			return nil, err
		}
		m[key.Value] = v
	}
	for _, merge := range merges {
		if err := c.merge(m, merge, path, depth); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// merge adds what "<<" names: a mapping or a list of them, where the earlier key wins.
func (c *converter) merge(m map[string]any, n *yaml.Node, path string, depth int) error {
	v, err := c.convert(n, path, depth+1)
	if err != nil {
		return err
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, item := range list {
		from, ok := item.(map[string]any)
		if !ok {
			return c.invalid(n, path, "let << name a mapping", "<< does not name a mapping")
		}
		for key, value := range from {
			if _, has := m[key]; !has {
				m[key] = value
			}
		}
	}
	return nil
}

func (c *converter) scalar(n *yaml.Node, path string) (any, error) {
	switch n.ShortTag() {
	case "!!str", "!!timestamp":
		return n.Value, nil
	case "!!null":
		return nil, nil
	case "!!bool", "!!int", "!!float":
		var v any
		if err := n.Decode(&v); err != nil {
			return nil, c.invalid(n, path, "", "%q is no value: %w", n.Value, err)
		}
		if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			return nil, c.invalid(n, path, "put quotes around it, or write a number", "%q is no number that JSON has", n.Value)
		}
		return v, nil
	}
	return nil, c.invalid(n, path, "remove the tag", "the tag %q is not known", n.ShortTag())
}

// join appends a key to the path of a field; keys with dots get brackets.
func join(path, key string) string {
	switch {
	case strings.ContainsAny(key, ".[]/"):
		return path + "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

func (c *converter) limit(n *yaml.Node, field, format string, args ...any) error {
	return fault.New(fault.LimitExceeded, fault.Place{File: c.file, Line: n.Line, Field: shortField(field)}, "make the file smaller", format, args...)
}

func (c *converter) invalid(n *yaml.Node, field, remedy, format string, args ...any) error {
	return fault.New(fault.InvalidCatalog, fault.Place{File: c.file, Line: n.Line, Field: shortField(field)}, remedy, format, args...)
}

// shortField keeps an absurd path out of messages.
func shortField(field string) string {
	const most = 200
	if len(field) <= most {
		return field
	}
	return strings.ToValidUTF8(field[:most], "") + "…"
}
