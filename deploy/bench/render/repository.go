package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/runner/catalogs"
	"github.com/assay-dev/assay/sync/git"
)

var environments = []string{"dev", "staging", "prod"}

// repository has three commits: with all suites, with a change elsewhere, with a change of one.
type repository struct {
	dir     string
	commits [3]string
	trees   map[string]fs.FS
}

func commit(dir string, suites int) (*repository, error) {
	r := &repository{dir: dir, trees: map[string]fs.FS{}}
	repo, err := gogit.PlainInit(dir, false)
	if err != nil {
		return nil, err
	}
	changes := [3]map[string]string{
		files(suites),
		{"services/checkout.go": "package services\n"},
		{"tests/base/suite-0.yaml": strings.Replace(suite(0), "checkout.js", "payment.js", 1)},
	}
	for i, change := range changes {
		for name, text := range change {
			if err := write(filepath.Join(dir, name), text); err != nil {
				return nil, err
			}
		}
		if r.commits[i], err = commitAll(repo, i); err != nil {
			return nil, err
		}
	}
	local, err := git.OpenLocal(dir)
	if err != nil {
		return nil, err
	}
	for _, commit := range r.commits {
		if r.trees[commit], err = local.Tree(commit, "tests"); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func commitAll(repo *gogit.Repository, number int) (string, error) {
	work, err := repo.Worktree()
	if err != nil {
		return "", err
	}
	if err := work.AddWithOptions(&gogit.AddOptions{All: true}); err != nil {
		return "", err
	}
	who := &object.Signature{Name: "bench", Email: "bench@example.com", When: time.Unix(int64(number), 0)}
	hash, err := work.Commit(fmt.Sprint("commit ", number), &gogit.CommitOptions{Author: who})
	return hash.String(), err
}

func write(name, text string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), 0o644)
}

func suite(i int) string {
	return fmt.Sprintf(`apiVersion: assay.dev/v1alpha1
kind: TestSuite
metadata: {name: suite-%d, labels: {team: payments}}
spec:
  tool: k6
  image: grafana/k6:1.0.0
  args: [load/checkout.js]
  env: [{name: BASE_URL, value: "http://checkout.shop"}]
  on: {pullRequest: {paths: [services/checkout/**]}}
  resources: {limits: {memory: 256Mi}}
`, i)
}

// files is a base with a file for each suite, and overlays that say what differs.
func files(suites int) map[string]string {
	m := map[string]string{}
	var names []string
	for i := range suites {
		name := fmt.Sprintf("suite-%d.yaml", i)
		names = append(names, name)
		m["tests/base/"+name] = suite(i)
	}
	m["tests/base/kustomization.yaml"] = "resources: [" + strings.Join(names, ", ") + "]\n"
	for _, environment := range environments {
		dir := "tests/overlays/" + environment + "/"
		m[dir+"kustomization.yaml"] = "resources: [../../base]\nlabels: [{pairs: {stage: " + environment + "}}]\n" +
			"patches:\n- target: {kind: TestSuite}\n  patch: '[{\"op\": \"add\", \"path\": \"/spec/timeout\", \"value\": \"5m\"}]'\n- path: users.yaml\n"
		m[dir+"users.yaml"] = "apiVersion: assay.dev/v1alpha1\nkind: TestSuite\nmetadata: {name: suite-1}\nspec: {env: [{name: USERS, value: '5'}]}\n"
	}
	return m
}

// Tree gives what was committed, already fetched: what fetching takes is another matter.
func (r *repository) Tree(_ context.Context, _ *v1alpha1.TestRepository, commit, _ string) (fs.FS, error) {
	return r.trees[commit], nil
}

// Changed is not asked for.
func (r *repository) Changed(context.Context, *v1alpha1.TestRepository, string, string) ([]string, bool, error) {
	return nil, false, nil
}

// Verify has nothing against any commit.
func (r *repository) Verify(context.Context, *v1alpha1.TestRepository, string) error { return nil }

// render gives the costs of the three commits, each in all environments, from nothing on.
func (r *repository) render(ctx context.Context, suites int) (costs [3]cost, err error) {
	rendered := catalogs.New(r, 256<<20)
	repo := &v1alpha1.TestRepository{ObjectMeta: metav1.ObjectMeta{Namespace: "bench", Name: "bench"}}
	for _, environment := range environments {
		repo.Spec.Environments = append(repo.Spec.Environments, v1alpha1.EnvironmentRef{Name: environment})
	}
	for i, commit := range r.commits {
		runtime.GC() // what came before is not to be paid for
		costs[i], err = measure(func() error {
			for _, environment := range environments {
				c, err := rendered.At(ctx, repo, commit, environment)
				if err != nil {
					return err
				}
				if len(c.Suites) != suites {
					return fmt.Errorf("%d suites are rendered, not %d", len(c.Suites), suites)
				}
			}
			return nil
		})
		if err != nil {
			return costs, err
		}
	}
	return costs, nil
}
