package assay

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/assay-dev/assay/"

// room is a row of the map.
type room struct {
	storey  string
	imports []string
}

// allows says whether the room may import a package of ours. Groups stand for their rooms.
func (r room) allows(rooms map[string]room, pkg string) bool {
	for _, allowed := range r.imports {
		switch {
		case allowed == "*", allowed == pkg:
			return true
		case (allowed == "words" || allowed == "brains") && rooms[pkg].storey == allowed:
			return true
		}
	}
	return false
}

func TestTheMapIsTrue(t *testing.T) {
	rooms := readMap(t)
	seen := map[string]bool{}
	for _, pkg := range listPackages(t) {
		name, ok := roomOf(rooms, pkg.path)
		if !ok {
			t.Errorf("%s is not on the map in doc.go", pkg.path)
			continue
		}
		seen[name] = true
		for _, imported := range pkg.ours {
			if !strings.HasSuffix(name, "/...") && !rooms[name].allows(rooms, imported) {
				t.Errorf("%s imports %s, which the map in doc.go does not allow", pkg.path, imported)
			}
		}
	}
	for name := range rooms {
		if !seen[name] {
			t.Errorf("the map in doc.go shows %s, which is not there", name)
		}
	}
}

// TestBrainsArePure keeps the world out of the brains: no files, network, processes, clients,
// loggers, randomness, and no clock.
func TestBrainsArePure(t *testing.T) {
	forbidden := []string{"os", "os/exec", "net", "net/http", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand",
		"k8s.io/client-go", "sigs.k8s.io/controller-runtime", "github.com/go-git", "github.com/go-logr"}
	clock := []string{"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker"}
	rooms := readMap(t)
	for _, pkg := range listPackages(t) {
		if rooms[pkg.path].storey != "brains" && pkg.path != "runner/report" {
			continue
		}
		for _, imported := range pkg.others {
			if slices.ContainsFunc(forbidden, func(f string) bool {
				return imported == f || strings.HasPrefix(imported, f+"/") && strings.Contains(f, ".")
			}) {
				t.Errorf("%s is a brain and imports %s", pkg.path, imported)
			}
		}
		for _, file := range pkg.files {
			for _, call := range callsOf(t, file, "time", clock) {
				t.Errorf("%s is a brain and asks the clock: %s", pkg.path, call)
			}
		}
	}
}

func readMap(t *testing.T) map[string]room {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	rooms, storey := map[string]room{}, ""
	for line := range strings.Lines(file.Doc.Text()) {
		if !strings.HasPrefix(line, "\t") {
			continue
		}
		name, rest, isRoom := strings.Cut(line, ":")
		if !isRoom {
			storey = strings.TrimSpace(line)
			continue
		}
		// The job begins after two spaces; imports are separated by one.
		imports, _, _ := strings.Cut(strings.TrimPrefix(rest, " "), "  ")
		rooms[strings.TrimSpace(name)] = room{storey: storey, imports: knownImports(imports)}
	}
	if len(rooms) < 10 {
		t.Fatalf("doc.go has a map of %d rooms only", len(rooms))
	}
	return rooms
}

// knownImports keeps the words of a row that name rooms or groups, not those of its job.
func knownImports(s string) []string {
	return slices.DeleteFunc(strings.Fields(s), func(w string) bool {
		return w != "*" && w != "words" && w != "brains" && !strings.Contains(w, "/") &&
			!slices.Contains([]string{"catalog", "render", "runner", "status", "providers"}, w)
	})
}

func roomOf(rooms map[string]room, pkg string) (string, bool) {
	if _, ok := rooms[pkg]; ok {
		return pkg, true
	}
	for dir := pkg; dir != "."; dir = filepath.Dir(dir) {
		if _, ok := rooms[dir+"/..."]; ok {
			return dir + "/...", true
		}
	}
	return "", false
}

type goPackage struct {
	path         string
	ours, others []string
	files        []string
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=Dir,ImportPath,Imports,GoFiles", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			Dir, ImportPath  string
			Imports, GoFiles []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(p.ImportPath, module) {
			continue // this package
		}
		pkg := goPackage{path: strings.TrimPrefix(p.ImportPath, module)}
		for _, imported := range p.Imports {
			if ours, ok := strings.CutPrefix(imported, module); ok {
				pkg.ours = append(pkg.ours, ours)
			} else {
				pkg.others = append(pkg.others, imported)
			}
		}
		for _, f := range p.GoFiles {
			pkg.files = append(pkg.files, filepath.Join(p.Dir, f))
		}
		all = append(all, pkg)
	}
}

func callsOf(t *testing.T, file, pkg string, names []string) []string {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if id, ok := sel.X.(*ast.Ident); ok && id.Name == pkg && slices.Contains(names, sel.Sel.Name) {
			calls = append(calls, fset.Position(sel.Pos()).String()+": "+pkg+"."+sel.Sel.Name)
		}
		return true
	})
	return calls
}

// TestAResultOrAnError: controller-runtime ignores what a reconciler gives beside an error, and warns of it each time.
func TestAResultOrAnError(t *testing.T) {
	for _, pkg := range listPackages(t) {
		for _, file := range pkg.files {
			files := token.NewFileSet()
			parsed, err := parser.ParseFile(files, file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) == 2 && requeues(r.Results[0]) && !isNil(r.Results[1]) {
					t.Errorf("%s gives a result beside an error", files.Position(r.Pos()))
				}
				return true
			})
		}
	}
}

// requeues says whether the expression is a result that asks for another look.
func requeues(e ast.Expr) bool {
	literal, ok := e.(*ast.CompositeLit)
	if !ok || len(literal.Elts) == 0 {
		return false
	}
	selected, ok := literal.Type.(*ast.SelectorExpr)
	return ok && selected.Sel.Name == "Result"
}

func isNil(e ast.Expr) bool {
	name, ok := e.(*ast.Ident)
	return ok && name.Name == "nil"
}
