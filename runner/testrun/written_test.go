package testrun

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// TestTheNewerOfCacheAndMemory: what was written here counts until the cache has it, or something newer.
func TestTheNewerOfCacheAndMemory(t *testing.T) {
	key := types.NamespacedName{Namespace: "shop", Name: "run"}
	at := func(version, uid string) *v1alpha1.TestRun {
		run := &v1alpha1.TestRun{}
		run.ResourceVersion, run.UID = version, types.UID(uid)
		return run
	}
	var w written
	if got := w.newer(key, at("5", "a")); got.ResourceVersion != "5" {
		t.Errorf("nothing is remembered, and it is %s", got.ResourceVersion)
	}
	w.note(key, at("9", "a"), 100, time.Now())
	if got := w.newer(key, at("5", "b")); got.ResourceVersion != "5" {
		t.Errorf("another run of the name is taken for it: %s", got.ResourceVersion)
	}
	for _, step := range []struct{ read, want string }{{"5", "9"}, {"9", "9"}, {"10", "10"}} {
		if got := w.newer(key, at(step.read, "a")); got.ResourceVersion != step.want {
			t.Errorf("the cache has %s, and it is %s, want %s", step.read, got.ResourceVersion, step.want)
		}
	}
}

// TestPaceOfStatuses: however long a run takes, its status costs no more than so many bytes a second.
func TestPaceOfStatuses(t *testing.T) {
	key := types.NamespacedName{Name: "run"}
	for _, size := range []int{1 << 10, 64 << 10, 500 << 10} {
		var w written
		start, bytes := time.Now(), 0
		now := start
		for now.Sub(start) < time.Minute {
			if pause := w.pause(key, now); pause > 0 {
				now = now.Add(pause)
				continue
			}
			w.note(key, &v1alpha1.TestRun{}, size, now)
			bytes += size
		}
		if most := 61*bytesASecond + 2*size; bytes > most || bytes < 30*bytesASecond {
			t.Errorf("of %d bytes, %d were written in a minute", size, bytes)
		}
	}
}
