package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-dev/assay/deploy/devcluster/internal/network"
)

func TestAllocateKeepsAndReusesIndexes(t *testing.T) {
	var r Registry
	for i, name := range []string{"a", "b", "c"} {
		if index, err := r.Allocate(name); err != nil || index != i {
			t.Fatalf("cluster %s got %d, %v", name, index, err)
		}
	}
	if index, _ := r.Allocate("b"); index != 1 {
		t.Errorf("a known cluster got the new index %d", index)
	}
	delete(r.Clusters, "b")
	if index, _ := r.Allocate("d"); index != 1 {
		t.Errorf("the free index 1 was not reused, got %d", index)
	}
}

func TestAllocateEnds(t *testing.T) {
	var r Registry
	for i := range network.MaxClusters {
		if _, err := r.Allocate(fmt.Sprint("c", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Allocate("one-too-many"); err == nil {
		t.Error("more clusters than places")
	}
}

func TestCheckName(t *testing.T) {
	for name, fine := range map[string]bool{
		"assay": true, "a": true, "a-1": true, "abcdefghijklmnopqrst": true,
		"": false, "A": false, "1a": false, "a-": false, "a/b": false, "..": false, "abcdefghijklmnopqrstu": false, "a b": false,
	} {
		if err := CheckName(name); (err == nil) != fine {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

func TestUpdateIsNotLostBetweenWriters(t *testing.T) {
	folders := Folders{State: t.TempDir()}
	var group sync.WaitGroup
	for i := range 10 {
		group.Go(func() {
			err := folders.Update(func(r *Registry) error {
				_, err := r.Allocate(fmt.Sprint("c", i))
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	registry, err := folders.Read()
	if err != nil {
		t.Fatal(err)
	}
	if len(registry.Clusters) != 10 {
		t.Errorf("%d of 10 clusters were recorded: %v", len(registry.Clusters), registry.Clusters)
	}
}

func TestUpdateRecordsWhatWasDoneBeforeAFailure(t *testing.T) {
	folders := Folders{State: t.TempDir()}
	failure := errors.New("network is broken")
	err := folders.Update(func(r *Registry) error {
		if _, err := r.Allocate("a"); err != nil {
			return err
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Fatalf("got %v", err)
	}
	registry, err := folders.Read()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"a": 0}, registry.Clusters); diff != "" {
		t.Error(diff)
	}
}

func TestReadNamesABrokenFile(t *testing.T) {
	folders := Folders{State: t.TempDir()}
	if err := os.WriteFile(folders.registryPath(), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := folders.Read(); err == nil {
		t.Error("a broken registry was read")
	}
}

func TestNothingIsLeftWhenNothingIsUp(t *testing.T) {
	folders := Folders{State: filepath.Join(t.TempDir(), "state")}
	change := func(change func(*Registry)) {
		t.Helper()
		if err := folders.Update(func(r *Registry) error { change(r); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	change(func(r *Registry) { r.Gitea = true })
	if _, err := os.Stat(folders.registryPath()); err != nil {
		t.Fatal(err)
	}
	change(func(r *Registry) { r.Gitea = false })
	if _, err := os.Stat(folders.State); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestOnlyOneHoldsALock(t *testing.T) {
	folders := Folders{State: filepath.Join(t.TempDir(), "state")}
	var group sync.WaitGroup
	var holders, most atomic.Int32
	for range 20 {
		group.Go(func() {
			for range 20 {
				unlock, err := folders.Lock("thing")
				if err != nil {
					t.Error(err)
					return
				}
				most.Store(max(most.Load(), holders.Add(1)))
				runtime.Gosched()
				holders.Add(-1)
				unlock()
			}
		})
	}
	group.Wait()
	if most.Load() != 1 {
		t.Errorf("%d held the lock at once", most.Load())
	}
}
