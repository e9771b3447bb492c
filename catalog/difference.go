package catalog

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// maxDifferences is how many fields of a suite are told before they are counted.
const maxDifferences = 100

// Differences says which fields differ between two renderings of a suite, by what the digest
// covers: labels and spec. Lists of things with a name are compared by name, short lists of
// texts as a whole, others by position. Values are masked as [Masked] does, and short. The
// name of the result is after's.
func Differences(before, after *v1alpha1.TestSuite) v1alpha1.SuiteDifference {
	d := differ{left: maskedBytes}
	d.compareField("metadata.labels", reflect.ValueOf(before.Labels), reflect.ValueOf(after.Labels))
	b, a := reflect.ValueOf(&before.Spec).Elem(), reflect.ValueOf(&after.Spec).Elem()
	for _, f := range specFields() {
		d.compareField("spec."+f.name, b.Field(f.index), a.Field(f.index))
	}
	return v1alpha1.SuiteDifference{Suite: after.Name, Fields: d.fields, More: d.more}
}

type specField struct {
	name  string
	index int
}

// specFields gives the fields of the spec, sorted by their names in JSON.
var specFields = sync.OnceValue(func() []specField {
	t := reflect.TypeFor[v1alpha1.TestSuiteSpec]()
	fields := make([]specField, t.NumField())
	for i := range fields {
		fields[i] = specField{jsonName(t.Field(i)), i}
	}
	slices.SortFunc(fields, func(a, b specField) int { return strings.Compare(a.name, b.name) })
	return fields
})

// compareField looks into a field only where its JSON differs, as digests do: most are equal
// in memory, and a plan compares many.
func (d *differ) compareField(path string, before, after reflect.Value) {
	if reflect.DeepEqual(before.Interface(), after.Interface()) {
		return
	}
	b, a := fieldJSON(before), fieldJSON(after)
	if bytes.Equal(b, a) {
		return
	}
	m, told := masker{left: d.left, longest: maskedText}, d.told()
	valueBefore := m.before(fieldValue(before, b))
	valueAfter := m.after(fieldValue(after, a))
	d.left = m.left
	d.compare(path, valueBefore, valueAfter)
	if d.told() == told { // what differs is all masked
		d.add(path, masked, masked+changedMark)
	}
}

// fieldJSON is nil for what is left out when it is empty, as all fields of a suite are.
func fieldJSON(v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		if v.Len() == 0 {
			return nil
		}
	case reflect.Struct:
	default:
		if v.IsZero() {
			return nil
		}
	}
	data, err := json.Marshal(v.Interface())
	if err != nil { // the digest of such a suite could not have been computed either
		return nil
	}
	return data
}

// fieldValue is the value of the JSON; a text is at hand already.
func fieldValue(v reflect.Value, raw []byte) any {
	if v.Kind() == reflect.String && raw != nil {
		return strings.ToValidUTF8(v.String(), "\ufffd")
	}
	return decoded(raw)
}

// decoded gives JSON as maps, slices, strings, booleans and [json.Number]; nil for nothing.
func decoded(raw json.RawMessage) (value any) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	_ = d.Decode(&value) // nil is what an absent field is
	return value
}

// differ collects the fields that differ.
type differ struct {
	fields []v1alpha1.FieldDifference
	more   int32
	// left is how many bytes may still be searched for secrets.
	left int
}

func (d *differ) told() int { return len(d.fields) + int(d.more) }

// add notes a field; empty texts are for a side that lacks it.
func (d *differ) add(path, before, after string) {
	if len(d.fields) == maxDifferences {
		d.more++
		return
	}
	before, after = shortPair(before, after)
	d.fields = append(d.fields, v1alpha1.FieldDifference{Path: shortField(printableText(path)), Before: before, After: after})
}

// compare goes down to where the values differ. nil is a value that is not there; of what is
// on one side only, the single fields are told.
func (d *differ) compare(path string, before, after any) {
	if reflect.DeepEqual(before, after) {
		return
	}
	mapBefore, isMapBefore := before.(map[string]any)
	mapAfter, isMapAfter := after.(map[string]any)
	listBefore, isListBefore := before.([]any)
	listAfter, isListAfter := after.([]any)
	switch {
	case (isMapBefore || before == nil) && (isMapAfter || after == nil) && len(mapBefore)+len(mapAfter) > 0:
		d.compareMaps(path, mapBefore, mapAfter)
	case (isListBefore || before == nil) && (isListAfter || after == nil) && len(listBefore)+len(listAfter) > 0:
		d.compareLists(path, listBefore, listAfter)
	default:
		d.add(path, valueText(before), valueText(after))
	}
}

func (d *differ) compareMaps(path string, before, after map[string]any) {
	for _, key := range unionKeys(before, after) {
		d.compare(join(path, key), before[key], after[key])
	}
}

func unionKeys[V any](a, b map[string]V) []string {
	keys := make([]string, 0, len(a)+1)
	keys = slices.AppendSeq(keys, maps.Keys(a))
	for key := range b {
		if _, both := a[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}
