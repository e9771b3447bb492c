package status_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/status"
)

var update = flag.Bool("update", false, "write what Compose says into testdata")

// A world is a txtar: repository.yaml, runs as run-*.yaml, ask.yaml with what is asked
// for, and what has to be said: statuses.yaml and comment.md.
func TestWorlds(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no worlds: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			said := say(t, world(t, archive))
			if *update {
				archive.Files = append(inputs(archive), said...)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			for _, f := range said {
				if diff := cmp.Diff(string(find(archive, f.Name)), string(f.Data)); diff != "" {
					t.Errorf("%s (-want +got, -update writes it):\n%s", f.Name, diff)
				}
			}
		})
	}
}

// The order of the runs is that of a list from the API server: it must not matter.
func TestOrderOfRunsDoesNotMatter(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txtar")
	random := rand.New(rand.NewPCG(1, 2))
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		in := world(t, archive)
		want := status.Compose(in)
		for range 20 {
			random.Shuffle(len(in.Runs), func(i, j int) { in.Runs[i], in.Runs[j] = in.Runs[j], in.Runs[i] })
			for i := range in.Runs {
				suites := in.Runs[i].Status.Suites
				random.Shuffle(len(suites), func(i, j int) { suites[i], suites[j] = suites[j], suites[i] })
			}
			if diff := cmp.Diff(want, status.Compose(in)); diff != "" {
				t.Fatalf("%s: another order says something else:\n%s", file, diff)
			}
		}
	}
}

func world(t *testing.T, archive *txtar.Archive) status.ComposeInput {
	t.Helper()
	var ask struct {
		Commit      string           `json:"commit"`
		PullRequest int64            `json:"pullRequest"`
		RunsURL     string           `json:"runsURL"`
		Controller  string           `json:"controller"`
		Limits      providers.Limits `json:"limits"`
	}
	in := status.ComposeInput{Repository: &v1alpha1.TestRepository{}}
	for _, f := range archive.Files {
		var into any
		switch {
		case f.Name == "repository.yaml":
			into = in.Repository
		case f.Name == "ask.yaml":
			into = &ask
		case strings.HasPrefix(f.Name, "run-"):
			in.Runs = append(in.Runs, v1alpha1.TestRun{})
			into = &in.Runs[len(in.Runs)-1]
		default:
			continue
		}
		if err := yaml.UnmarshalStrict(f.Data, into); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
	}
	in.Commit, in.PullRequest, in.Controller = ask.Commit, ask.PullRequest, ask.Controller
	in.RunsURL, in.Limits = ask.RunsURL, ask.Limits
	return in
}

func say(t *testing.T, in status.ComposeInput) []txtar.File {
	t.Helper()
	s := status.Compose(in)
	var b strings.Builder
	for _, status := range s.Statuses {
		fmt.Fprintf(&b, "%s: %s\n  %s\n", status.Context, status.State, status.Description)
		if status.TargetURL != "" {
			fmt.Fprintf(&b, "  %s\n", status.TargetURL)
		}
	}
	how := "only an existing comment is edited"
	if s.CommentCreate {
		how = "the comment is created"
	}
	if s.Comment == "" {
		how = "no comment"
	}
	body := s.Comment
	if body != "" {
		body = "\n" + body
	}
	return []txtar.File{{Name: "statuses", Data: []byte(b.String())}, {Name: "comment.md", Data: []byte("(" + how + ")\n" + body)}}
}

func inputs(archive *txtar.Archive) []txtar.File {
	var in []txtar.File
	for _, f := range archive.Files {
		if strings.HasSuffix(f.Name, ".yaml") {
			f.Data = append(bytes.TrimRight(f.Data, "\n"), '\n')
			in = append(in, f)
		}
	}
	return in
}

func find(archive *txtar.Archive, name string) []byte {
	for _, f := range archive.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}
