package render

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/api/fault"
)

// hostile is a tree that is made to hurt, and how it ends: by which fault, or well.
type hostile struct {
	tree fs.FS
	want fault.Reason
}

const (
	bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n" +
		"d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
	merges = "a: &a {k: v, l: w}\nb: &b {<<: [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]}\nc: &c {<<: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]}\n" +
		"d: &d {<<: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]}\ne: &e {<<: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]}\n"
	withA = "resources: [a.yaml]\n"
)

// hostileTrees are the cases that would be tiresome to write down as files. Those of
// testdata/refused are the others.
func hostileTrees() map[string]hostile {
	one := func(kustomization, suite string) fs.FS {
		return tree(map[string]string{"kustomization.yaml": kustomization, "a.yaml": suite})
	}
	spec := func(text string) string { return strings.Replace(suiteA, "{tool: k6}", "{tool: k6, "+text+"}", 1) }
	other := func(files map[string]string) fs.FS { return tree(files) }
	return map[string]hostile{
		// YAML
		"aliases of aliases in a suite":            {one(withA, bomb+suiteA), fault.LimitExceeded},
		"aliases of aliases in a kustomization":    {one(withA+bomb, suiteA), fault.LimitExceeded},
		"aliases of aliases in a patch in place":   {one(withA+"patches:\n- patch: |\n    "+strings.ReplaceAll(bomb, "\n", "\n    "), suiteA), fault.LimitExceeded},
		"merge keys of merge keys":                 {one(withA, merges+suiteA), fault.InvalidCatalog},
		"an alias of itself":                       {one(withA, "x: &x [*x]\n"+suiteA), fault.LimitExceeded},
		"a mapping that merges itself":             {one(withA, "x: &x {<<: *x}\n"+suiteA), fault.LimitExceeded},
		"deep flow sequences":                      {one(withA, "x: "+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)), fault.LimitExceeded},
		"deeper than the parser goes":              {one(withA, "x: "+strings.Repeat("[", 100_000)), fault.InvalidCatalog},
		"deep block mappings":                      {one(withA, deepBlock(100)), fault.LimitExceeded},
		"a key twice in a suite":                   {one(withA, suiteA+"spec: {tool: shell}\n"), fault.InvalidCatalog},
		"a key twice in a kustomization":           {one(withA+"resources: []\n", suiteA), fault.InvalidCatalog},
		"a key twice, in other case":               {one(withA+"Resources: [https://evil.example/x]\n", suiteA), fault.InvalidCatalog},
		"a key twice in a suite, in other case":    {one(withA, suiteA+"Spec: {tool: shell}\n"), fault.InvalidCatalog},
		"a tag of another language":                {one(withA, spec("image: !!python/object/apply:os.system [id]")), fault.InvalidCatalog},
		"binary data":                              {one(withA, spec("image: !!binary aWQ=")), fault.InvalidCatalog},
		"text that is not UTF-8":                   {one(withA, spec("image: \"a\xff\xfe\"")), fault.InvalidCatalog},
		"UTF-16":                                   {one(withA, "\xff\xfek\x00i\x00n\x00d\x00"), fault.InvalidCatalog},
		"a NUL":                                    {one(withA, spec("image: \"a\x00b\"")), fault.InvalidCatalog},
		"an escaped NUL":                           {one(withA, spec(`image: "a\0b"`)), fault.InvalidCatalog},
		"tabs where spaces belong":                 {one(withA, "apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata:\n\tname: a\n"), fault.InvalidCatalog},
		"numbers out of all bounds":                {one(withA, spec("runAsUser: 1e400")), fault.InvalidCatalog},
		"no number":                                {one(withA, spec("runAsUser: .nan")), fault.InvalidCatalog},
		"no number in a patch":                     {one(withA+"patches: [{target: {kind: TestSuite}, patch: '[{op: add, path: /spec/timeout, value: .nan}]'}]\n", suiteA), fault.InvalidCatalog},
		"a key that is a mapping":                  {one(withA, "{a: b}: c\n"+suiteA), fault.InvalidCatalog},
		"an empty kustomization":                   {one("", suiteA), fault.InvalidCatalog},
		"a kustomization of two documents":         {one(withA+"---\nresources: [https://evil.example/x]\n", suiteA), fault.InvalidCatalog},
		"a kustomization that is a list":           {one("- a.yaml\n", suiteA), fault.InvalidCatalog},
		"a patch of many documents":                {one(withA+"patches: [{path: p.yaml}]\n", suiteA), fault.InvalidCatalog},
		"more documents than a file may have":      {one(withA, strings.Repeat("---\n"+suiteA, 1001)), fault.LimitExceeded},
		"more values than a file may have":         {one(withA, spec("args: ["+strings.Repeat("a,", 100_001)+"]")), fault.LimitExceeded},
		"many unknown fields":                      {one(withA, suiteA+manyFields(5000)), fault.InvalidCatalog},
		"an object of all kinds":                   {one(withA, "kind: [TestSuite]\napiVersion: {}\nmetadata: 1\nspec: x\n"), fault.InvalidCatalog},
		"metadata of the wrong type":               {one(withA, "apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: [a]\nspec: {tool: k6}\n"), fault.InvalidCatalog},
		"a list of objects that hides other kinds": {one(withA, "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Secret, metadata: {name: x}}]\n"), fault.InvalidCatalog},

		// size and count
		"a huge file":                  {one(withA, suiteA+strings.Repeat("#", 1<<20)), fault.LimitExceeded},
		"a huge kustomization":         {one(withA+strings.Repeat("#", 1<<20), suiteA), fault.LimitExceeded},
		"a huge file of a generator":   {other(map[string]string{"kustomization.yaml": "configMapGenerator: [{name: c, files: [d]}]", "d": strings.Repeat("x", 1<<20+1)}), fault.LimitExceeded},
		"files that are huge together": {hugeTogether(), fault.LimitExceeded},
		"huge generated variables":     {one(withA+"configMapGenerator: [{name: c, literals: [\"K="+strings.Repeat("x", maxGeneratedBytes+1)+"\"]}]", spec("envFrom: [{configMapRef: {name: c}}]")), fault.LimitExceeded},
		"the same generated variable, again and again": {one(withA+"configMapGenerator: [{name: c, literals: [\"K="+strings.Repeat("x", maxGeneratedBytes/10)+"\"]}]",
			spec("envFrom: ["+strings.Repeat("{configMapRef: {name: c}},", 11)+"]")), fault.LimitExceeded},
		"a resource 100,000 times":       {one("resources: ["+strings.Repeat("a.yaml,", 100_000)+"]", suiteA), fault.LimitExceeded},
		"a hundred thousand files":       {manyFiles(100_000, 0), ""},
		"more files than are rendered":   {manyFiles(2100, 2100), fault.LimitExceeded},
		"an image of a hundred KB":       {one(withA, spec("image: "+strings.Repeat("x", 100_000))), fault.InvalidCatalog},
		"a prefix of a hundred KB":       {one(withA+"namePrefix: "+strings.Repeat("x", 100_000), suiteA), fault.InvalidCatalog},
		"a label of a hundred KB":        {one(withA+"commonLabels: {a: "+strings.Repeat("x", 100_000)+"}", suiteA), fault.InvalidCatalog},
		"annotations of half a megabyte": {one(withA+"commonAnnotations: {a: "+strings.Repeat("x", 500_000)+"}", suiteA), fault.InvalidCatalog},

		// ways that lead nowhere
		"a kustomization that includes itself":        {one("resources: [.]", suiteA), fault.InvalidCatalog},
		"itself, by a detour":                         {one("resources: [../staging/./../staging]", suiteA), fault.InvalidCatalog},
		"itself, in the old way":                      {one("bases: [../staging]", suiteA), fault.InvalidCatalog},
		"components in a circle":                      {circleOfComponents(), fault.InvalidCatalog},
		"a component where a kustomization is needed": {other(map[string]string{"kustomization.yaml": "resources: [c]", "c/kustomization.yaml": "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"}), fault.InvalidCatalog},
		"a kustomization where a component is needed": {other(map[string]string{"kustomization.yaml": "components: [c]", "c/kustomization.yaml": "namePrefix: x-"}), fault.InvalidCatalog},
		"a folder called kustomization.yaml":          {other(map[string]string{"kustomization.yaml/x": "resources: []"}), fault.InvalidCatalog},
		"a file as a folder":                          {one("resources: [a.yaml/b.yaml]", suiteA), fault.RemoteReferenceRefused},
		"an empty reference":                          {one(`resources: [""]`, suiteA), fault.InvalidCatalog},
		"a reference with a newline":                  {one(`resources: ["a.yaml\n../../x"]`, suiteA), fault.InvalidCatalog},
		"a reference with a NUL":                      {one(`resources: ["a.yaml\0"]`, suiteA), fault.RemoteReferenceRefused},
		"a reference with backslashes":                {one(`resources: ["..\\..\\x"]`, suiteA), fault.RemoteReferenceRefused},
		"a reference of a hundred KB":                 {one("resources: ["+strings.Repeat("a/", 50_000)+"]", suiteA), fault.InvalidCatalog},
		"a suite as a resource and as a patch":        {one(withA+"patches: [{path: a.yaml}]", suiteA), ""},
		"odd names":                                   {oddNames(), ""},

		// transformations
		"an index far behind the end":       {one(withA+`patches: [{target: {kind: TestSuite}, patch: '[{op: add, path: /spec/args/99999999999, value: x}]'}]`, spec("args: [a]")), fault.InvalidCatalog},
		"an operation that is none":         {one(withA+`patches: [{target: {kind: TestSuite}, patch: '[{op: exec, path: /spec}]'}]`, suiteA), fault.InvalidCatalog},
		"a patch that is null":              {one(withA+`patches: [{target: {kind: TestSuite}, patch: 'null'}]`, suiteA), fault.InvalidCatalog},
		"a patch with null in lists":        {one(withA+`patches: [{target: {kind: TestSuite}, patch: '{metadata: {name: a}, spec: {env: [null, {name: null}]}}'}]`, spec("env: [{name: A, value: b}]")), fault.InvalidCatalog},
		"a patch without keys to merge by":  {one(withA+`patches: [{target: {kind: TestSuite}, patch: '{metadata: {name: a}, spec: {env: [{value: x}]}}'}]`, spec("env: [{name: A, value: b}]")), fault.InvalidCatalog},
		"a patch to another kind":           {one(withA+`patches: [{target: {kind: TestSuite}, patch: '[{op: replace, path: /kind, value: Pod}]'}]`, suiteA), fault.InvalidCatalog},
		"a patch to a path as a name":       {one(withA+`patches: [{target: {kind: TestSuite}, patch: '[{op: replace, path: /metadata/name, value: ../../x}]'}]`, suiteA), fault.InvalidCatalog},
		"a patch that removes everything":   {one(withA+`patches: [{target: {kind: TestSuite}, patch: '[{op: remove, path: ""}]'}]`, suiteA), fault.InvalidCatalog},
		"a patch of the root":               {one(withA+`patches: [{target: {kind: TestSuite}, patch: '[{op: replace, path: "", value: 7}]'}]`, suiteA), fault.InvalidCatalog},
		"a selector that is no expression":  {one(withA+`patches: [{target: {name: "(("}, patch: '[{op: add, path: /spec/suspend, value: true}]'}]`, suiteA), fault.InvalidCatalog},
		"a replacement of itself":           {one(withA+"replacements: [{source: {kind: TestSuite, fieldPath: spec}, targets: [{select: {kind: TestSuite}, fieldPaths: [spec.args], options: {create: true}}]}]", suiteA), fault.InvalidCatalog},
		"a replacement by a broken index":   {one(withA+"replacements: [{source: {kind: TestSuite, fieldPath: metadata.name, options: {delimiter: a, index: -5}}, targets: [{select: {kind: TestSuite}, fieldPaths: [spec.image]}]}]", suiteA), fault.InvalidCatalog},
		"a replacement at an absurd index":  {one(withA+`replacements: [{source: {kind: TestSuite, fieldPath: metadata.name}, targets: [{select: {kind: TestSuite}, fieldPaths: [metadata.name], options: {delimiter: "-", index: 2000000000}}]}]`, suiteA), ""},
		"a configuration that is none":      {other(map[string]string{"kustomization.yaml": withA + "configurations: [c.yaml]", "a.yaml": suiteA, "c.yaml": "nameReference: {a: b}"}), fault.InvalidCatalog},
		"a configuration with other fields": {other(map[string]string{"kustomization.yaml": withA + "configurations: [c.yaml]", "a.yaml": suiteA, "c.yaml": "commands: [id]"}), fault.InvalidCatalog},
		"a suite that would be a function":  {one(withA, strings.Replace(suiteA, "name: a", `name: a, annotations: {config.kubernetes.io/function: "exec: {path: /bin/sh}"}`, 1)), ""},
		"a name that is taken from another": {one(withA, strings.Replace(suiteA, "name: a", `name: a, annotations: {internal.config.kubernetes.io/previousNames: "b,c", internal.config.kubernetes.io/previousKinds: X}`, 1)), fault.InvalidCatalog},
	}
}

func deepBlock(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%sa:\n", strings.Repeat(" ", i))
	}
	return b.String()
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "f%d: x\n", i)
	}
	return b.String()
}

// manyFiles is a tree of so many suites, of which so many are named.
func manyFiles(n, named int) fs.FS {
	files := map[string]string{"a.yaml": suiteA}
	names := []string{"a.yaml"}
	for i := range n {
		name := fmt.Sprintf("s%d.yaml", i)
		files[name] = strings.Replace(suiteA, "name: a", fmt.Sprint("name: s", i), 1)
		if i < named {
			names = append(names, name)
		}
	}
	files["kustomization.yaml"] = "resources: [" + strings.Join(names, ", ") + "]"
	return tree(files)
}

func hugeTogether() fs.FS {
	files := map[string]string{}
	var names []string
	for i := range 17 {
		name := fmt.Sprint("d", i)
		names = append(names, name)
		files[name] = strings.Repeat("x", 1<<20)
	}
	files["kustomization.yaml"] = "configMapGenerator: [{name: c, files: [" + strings.Join(names, ", ") + "]}]"
	return tree(files)
}

func circleOfComponents() fs.FS {
	const component = "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"
	return tree(map[string]string{
		"kustomization.yaml": "components: [c]", "c/kustomization.yaml": component + "components: [../d]",
		"d/kustomization.yaml": component + "components: [../c]",
	})
}

// oddNames are names that some file systems, URLs or shells would stumble over.
func oddNames() fs.FS {
	files := map[string]string{}
	var names []string
	for i, name := range []string{"my suite.yaml", "-rf.yaml", "süß.yaml", "%2e%2e%2fx.yaml", "..a.yaml", "a..yaml", "$(id).yaml", "'q'.yaml", "tests.git-x.yaml", "日本/語.yaml", "c:.d/x.yaml", "kustomization.yaml.yaml"} {
		if name == "c:.d/x.yaml" { // reads as a host
			continue
		}
		files[name] = strings.Replace(suiteA, "name: a", fmt.Sprint("name: odd-", i), 1)
		names = append(names, fmt.Sprintf("%q", name))
	}
	files["kustomization.yaml"] = "resources: [" + strings.Join(names, ", ") + "]"
	return tree(files)
}

// mostMemory is what rendering may allocate, all together, for any of the trees: several times
// what files may hold.
const mostMemory = 400 << 20

// TestHostileTrees: each ends in the right fault, within the limits of time, and without taking
// much memory.
func TestHostileTrees(t *testing.T) {
	trees := hostileTrees()
	for _, name := range slices.Sorted(maps.Keys(trees)) {
		t.Run(name, func(t *testing.T) {
			h := trees[name]
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Render(context.Background(), h.tree, overlay, Limits{})
			runtime.ReadMemStats(&after)
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > mostMemory {
				t.Errorf("it takes %d MiB", allocated>>20)
			}
			if err == nil {
				if h.want != "" {
					t.Errorf("it is rendered, want %s", h.want)
				}
				return
			}
			for _, f := range fault.All(err) {
				if f.Reason != h.want {
					t.Errorf("got %s, want %q: %.300s", f.Reason, h.want, f)
				}
				if len(f.Error()) > 2000 {
					t.Errorf("the message has %d bytes", len(f.Error()))
				}
			}
		})
	}
}

// fieldsOfPaths are the fields that name a file or a folder, each with a place for the name.
var fieldsOfPaths = []string{
	"resources: [%q]", "bases: [%q]", "components: [%q]", "patches: [{path: %q}]",
	"patchesJson6902: [{path: %q, target: {kind: TestSuite, name: a, version: v1}}]", "patchesStrategicMerge: [%q]",
	"replacements: [{path: %q}]", "configurations: [%q]", "configMapGenerator: [{name: c, files: [%q]}]",
	"configMapGenerator: [{name: c, envs: [%q]}]", "configMapGenerator: [{name: c, env: %q}]",
	"secretGenerator: [{name: c, envs: [%q]}]", "secretGenerator: [{name: c, env: %q}]", "secretGenerator: [{name: c, files: [%q]}]",
}

// TestEveryFieldAndEverySpelling: whatever is written as something outside the repository is
// refused in every field that names a file or a folder.
func TestEveryFieldAndEverySpelling(t *testing.T) {
	spellings := []string{
		"https://evil.example/x", "HTTPS://evil.example/x", "http://127.0.0.1/x", "http://[::1]/x", "https://u:p@evil.example/x", "ftp://evil.example/x",
		"git@evil.example:x/y.git", "ssh://git@evil.example/x", "git::https://evil.example/x", "git::evil.example/x", "s3::https://evil.example/x",
		"evil.example:x/y", "github.com/x/y", "GitHub.COM/x/y", "github.com:x/y", "gitlab.com/x/y", "evil.example/x/y.git", "x/y.git//z", "evil.example/x//y",
		"x?ref=main", "x//y", "//evil.example/x", "file:///etc/passwd", "file://localhost/etc/passwd", "data:text/yaml,x",
		"/etc/passwd", "../../../../etc/passwd", "a/../../../../../x", `..\..\..\x`, "_git/x//y",
	}
	for _, field := range fieldsOfPaths {
		for _, spelling := range spellings {
			if strings.Contains(field, "files") && strings.Contains(spelling, "=") {
				continue // a key, and what is refused for its own sake
			}
			kustomization := fmt.Sprintf(field, spelling)
			_, err := Render(context.Background(), tree(map[string]string{"kustomization.yaml": kustomization}), overlay, Limits{})
			if err == nil || fault.ReasonOf(err) != fault.RemoteReferenceRefused {
				t.Errorf("%s: got %v", kustomization, err)
			}
		}
	}
}
