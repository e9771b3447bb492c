package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Decode decodes the document into a struct with JSON tags, strictly: an unknown field, a field
// in other case, one without a value and a value of the wrong type are faults InvalidCatalog
// with file, line and field, all of them joined.
func (d Document) Decode(into any) error {
	p := &problems{file: d.file, doc: d}
	p.decode(d, into)
	return p.err()
}

// decode notes what does not fit, and decodes the document when all of it fits.
func (p *problems) decode(doc Document, into any) bool {
	before := len(p.found)
	p.checkType(doc.Value, reflect.TypeOf(into), "")
	if len(p.found) > before {
		return false
	}
	data, err := json.Marshal(doc.Value)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		p.add("", "", "it cannot be decoded: %w", err)
	}
	return err == nil
}

var (
	unmarshaler  = reflect.TypeFor[json.Unmarshaler]()
	durationType = reflect.TypeFor[metav1.Duration]()
	quantityType = reflect.TypeFor[resource.Quantity]()
)

// checkType notes where the value does not fit the type, which it knows by its JSON tags.
func (p *problems) checkType(value any, t reflect.Type, path string) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if value == nil {
		p.checkNull(t, path)
		return
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		p.checkUnmarshaler(value, t, path)
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		p.checkStruct(value, t, path)
	case reflect.Map:
		m, ok := value.(map[string]any)
		if !ok {
			p.wrongType(value, "a mapping", path)
			return
		}
		for _, key := range sortedKeys(m) {
			p.checkType(m[key], t.Elem(), join(path, key))
		}
	case reflect.Slice:
		list, ok := value.([]any)
		if !ok {
			p.wrongType(value, "a list", path)
			return
		}
		for i, item := range list {
			p.checkType(item, t.Elem(), path+"["+strconv.Itoa(i)+"]")
		}
	case reflect.String:
		if _, ok := value.(string); !ok {
			p.wrongType(value, "a string", path)
		}
	case reflect.Interface: // takes anything
	case reflect.Bool:
		if _, ok := value.(bool); !ok {
			p.wrongType(value, "true or false", path)
		}
	default:
		p.checkNumber(value, t, path)
	}
}

// checkNull refuses fields without a value, which Kubernetes would drop in silence: somebody
// who writes "pullRequest:" means that there be one.
func (p *problems) checkNull(t reflect.Type, path string) {
	if path == "metadata.creationTimestamp" { // as kubectl writes it
		return
	}
	remedy := "give it one, or remove the field"
	if t.Kind() == reflect.Struct {
		remedy = "write {} for its defaults, or remove the field"
	}
	p.add(path, remedy, "the field has no value")
}

func (p *problems) checkStruct(value any, t reflect.Type, path string) {
	m, ok := value.(map[string]any)
	if !ok {
		p.wrongType(value, "a mapping", path)
		return
	}
	fields := jsonFields(t)
	for _, key := range sortedKeys(m) {
		if field, known := fields[key]; known {
			p.checkType(m[key], field, join(path, key))
			continue
		}
		p.add(join(path, key), unknownRemedy(key, fields), "unknown field")
	}
}

// jsonFields gives the types of the fields by their names in JSON, inlined ones included.
func jsonFields(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		name := jsonName(f)
		switch {
		case name == "-" || !f.IsExported():
		case name == "" && f.Anonymous:
			maps.Copy(fields, jsonFields(f.Type))
		default:
			fields[name] = f.Type
		}
	}
	return fields
}

// jsonName is the name in the field's tag; empty for what is inlined.
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// unknownRemedy proposes the field that differs by case, a missing letter or a plural, else
// lists what there is.
func unknownRemedy(key string, fields map[string]reflect.Type) string {
	known := sortedKeys(fields)
	for _, name := range known {
		if near(strings.ToLower(key), strings.ToLower(name)) {
			return fmt.Sprintf("did you mean %s?", name)
		}
	}
	if len(known) > 24 {
		return "remove it"
	}
	return "known here: " + strings.Join(known, ", ")
}

// near says whether the words differ by at most one letter, or two swapped.
func near(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || len(b) > 64 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	a, b = a[i:], b[i:]
	if len(a) < len(b) {
		return a == b[1:]
	}
	if len(a) == 0 || a[1:] == b[1:] {
		return true
	}
	return len(a) > 1 && a[0] == b[1] && a[1] == b[0] && a[2:] == b[2:]
}

func (p *problems) checkUnmarshaler(value any, t reflect.Type, path string) {
	if text, isString := value.(string); t == durationType && !isString {
		p.add(path, "write a duration such as 90s, 10m or 1h30m", "%v is no duration", value)
		return
	} else if t == quantityType && isString && len(text) > 64 {
		p.add(path, "write a quantity such as 500m or 256Mi", "it is too long for a quantity")
		return
	}
	data, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(data, reflect.New(t).Interface())
	}
	switch {
	case err == nil:
	case t == durationType:
		p.add(path, "write a duration such as 90s, 10m or 1h30m", "%s is no duration", shown(value))
	case t == quantityType:
		p.add(path, "write a quantity such as 500m or 256Mi", "%s is no quantity", shown(value))
	default:
		p.add(path, "", "%s does not fit: %w", shown(value), err)
	}
}

func (p *problems) checkNumber(value any, t reflect.Type, path string) {
	switch n := value.(type) {
	case int:
		if v := reflect.New(t).Elem(); v.CanInt() && !v.OverflowInt(int64(n)) {
			return
		}
	case float64:
		// A whole number that was written as 1e3 or 2.0.
		if v := reflect.New(t).Elem(); n == math.Trunc(n) && math.Abs(n) < 1<<53 && v.CanInt() && !v.OverflowInt(int64(n)) {
			return
		}
	}
	p.wrongType(value, "a whole number", path)
}

func (p *problems) wrongType(value any, want, path string) {
	remedy := ""
	if _, isMap := value.(map[string]any); want == "a string" && !isMap {
		if _, isList := value.([]any); !isList {
			remedy = "put quotes around it"
		}
	}
	p.add(path, remedy, "%s is not %s", shown(value), want)
}

// shown gives a value for a message: short, and no contents of anything nested.
func shown(value any) string {
	switch v := value.(type) {
	case map[string]any:
		return "a mapping"
	case []any:
		return "a list"
	case string:
		if r := []rune(v); len(r) > 64 {
			v = string(r[:64]) + "…"
		}
		return strconv.Quote(v)
	}
	return fmt.Sprint(value)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
