package render

import (
	"context"
	"fmt"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/types"
)

// followedFields are the fields of a kustomization that hold paths, see
// [TestNestedFieldsOfKustomize].
func followedFields(t testing.TB) map[string]bool {
	t.Helper()
	data, err := os.ReadFile("testdata/kustomization-fields.txt")
	if err != nil {
		t.Fatal(err)
	}
	followed := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if field, ok := strings.CutSuffix(strings.TrimSpace(line), " followed"); ok {
			followed[field] = true
		}
	}
	if len(followed) < 10 {
		t.Fatalf("only %d fields hold paths", len(followed))
	}
	return followed
}

func checkReferences(t *testing.T, files map[string][]byte, followed map[string]bool) {
	t.Helper()
	for _, found := range strayReferences(files, followed) {
		t.Error(found)
	}
}

// strayReferences reads each kustomization as kustomize does and finds what could lead anywhere
// but to one of the files: the central promise of scanning is that there is no such thing.
func strayReferences(files map[string][]byte, followed map[string]bool) (found []string) {
	there := newMemory(context.Background(), files)
	for _, name := range sorted(files) {
		top, _, _ := strings.Cut(name, "/")
		if top != kustomizationFolder {
			if !slices.Contains([]string{repositoryFolder, patchFolder, dataFolder, path.Dir(configurationFile)}, top) {
				found = append(found, fmt.Sprintf("kustomize gets a file %q", name))
			}
			continue
		}
		var k types.Kustomization
		if err := k.Unmarshal(files[name]); err != nil {
			found = append(found, fmt.Sprintf("kustomize cannot read %s: %v", files[name], err))
			continue
		}
		values(reflect.ValueOf(k), "", func(field, text string) {
			if wrong := stray(there, path.Dir(name), field, text, followed); wrong != "" {
				found = append(found, fmt.Sprintf("%s: %s: %q %s", name, field, text, wrong))
			}
		})
	}
	return found
}

// stray says what is wrong with the text in the field of a kustomization in the folder.
func stray(there memory, dir, field, text string, followed map[string]bool) string {
	top, _, _ := strings.Cut(field, ".")
	top = strings.TrimSuffix(top, "[]")
	if _, isRefused := refused[top]; isRefused {
		return "is in a field that is refused"
	}
	if !followed[field] || text == "" && !strings.HasSuffix(field, "[]") {
		return ""
	}
	folders := []string{patchFolder}
	switch top {
	case "resources":
		folders = []string{repositoryFolder, kustomizationFolder}
	case "components":
		folders = []string{kustomizationFolder}
	case "configurations":
		folders = append(folders, path.Dir(configurationFile))
	case "configMapGenerator", "secretGenerator":
		folders = []string{dataFolder}
	case "bases", "patchesStrategicMerge":
		return "is in a field that is written otherwise"
	}
	if strings.HasSuffix(field, ".files[]") {
		key, reference, ok := strings.Cut(text, "=")
		if !ok || key == "" {
			return "has no key"
		}
		text = reference
	}
	target := path.Join(dir, text)
	in, _, below := strings.Cut(target, "/")
	switch {
	case !strings.HasPrefix(text, "../"):
		return "does not begin as ours do"
	case !below || !slices.Contains(folders, in):
		return "leads elsewhere"
	case !there.Exists(target), there.IsDir(target) != (in == kustomizationFolder):
		return "was not scanned"
	}
	return ""
}

// values visits each text that a value holds, by the path of its field as in [texts].
func values(v reflect.Value, field string, visit func(field, text string)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			values(v.Elem(), field, visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			values(v.Index(i), field+"[]", visit)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			values(v.MapIndex(key), field+".*", visit)
		}
	case reflect.String:
		visit(field, v.String())
	case reflect.Struct:
		for i := range v.NumField() {
			if name, inner, ok := jsonField(v.Type().Field(i)); ok && !inner {
				values(v.Field(i), strings.TrimPrefix(field+"."+name, "."), visit)
			} else if ok {
				values(v.Field(i), field, visit)
			}
		}
	}
}
