package catalog

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/api/fault"
)

// TestJSONIsReadAsYAML: each character comes back, those that JSON leaves bare and YAML takes for
// something else included.
func TestJSONIsReadAsYAML(t *testing.T) {
	all := map[string]any{}
	for r := rune(0); r < 0x1_0010; r++ {
		if r < 0x3000 || r >= 0xe000 && r < 0xe010 || r > 0xfe00 {
			all["a"+string(r)+"b"] = "c" + string(r) + "d"
		}
	}
	data, err := JSON(all)
	if err != nil {
		t.Fatal(err)
	}
	docs, err := Documents("a.yaml", data)
	if err != nil || len(docs) != 1 {
		t.Fatalf("%d documents, %v", len(docs), err)
	}
	if diff := cmp.Diff(any(all), docs[0].Value); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	var back map[string]any
	if err := json.Unmarshal(data, &back); err != nil || !cmp.Equal(all, back) {
		t.Errorf("it is no JSON any more: %v", err)
	}
}

// TestDocumentsHoldWhatJSONHas: what is no number would break whoever writes it anew.
func TestDocumentsHoldWhatJSONHas(t *testing.T) {
	for _, text := range []string{".nan", ".inf", "-.inf", "!!float .NaN"} {
		_, err := Documents("a.yaml", []byte("a: [1, "+text+"]\n"))
		if err == nil || fault.ReasonOf(err) != fault.InvalidCatalog {
			t.Errorf("%s: got %v", text, err)
		}
	}
	docs, err := Documents("a.yaml", []byte(`[".nan", 18446744073709551615, 1e300, 0x1F]`))
	if err != nil {
		t.Fatal(err)
	}
	if data, err := JSON(docs[0].Value); err != nil || string(data) != `[".nan",18446744073709551615,1e+300,31]` {
		t.Errorf("got %s, %v", data, err)
	}
}
