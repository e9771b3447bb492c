package testrun

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// bytesASecond is what the status of a run that is under way may cost, with so much at once as a second has: one of
// 32 KiB is written every second, one of a few suites whenever it changes. The whole status travels with each write and
// to each watch, so that without a pace the cost of a run would grow with the square of its suites.
const bytesASecond = 32 << 10

// written remembers what this process wrote of runs: a cache may not have it yet, and whoever goes by what was before
// starts what has been started. It may be lost at any time. The zero value is ready.
type written struct {
	mu   sync.Mutex
	runs map[types.NamespacedName]entry
}

type entry struct {
	run *v1alpha1.TestRun
	// paid is when all that was written is paid for.
	paid time.Time
}

// newer gives the run as it was last written here, where that is newer than what was read.
func (w *written) newer(key types.NamespacedName, read *v1alpha1.TestRun) *v1alpha1.TestRun {
	w.mu.Lock()
	defer w.mu.Unlock()
	e, ok := w.runs[key]
	if !ok || e.run == nil || e.run.UID != read.UID {
		return read
	}
	if order, err := resourceversion.CompareResourceVersion(e.run.ResourceVersion, read.ResourceVersion); err == nil && order > 0 {
		return e.run.DeepCopy()
	}
	e.run = nil // the cache has it
	w.runs[key] = e
	return read
}

// pause is how long the status has to wait; 0 when it may be written.
func (w *written) pause(key types.NamespacedName, now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return max(w.runs[key].paid.Add(-time.Second).Sub(now), 0)
}

// note remembers a write of so many bytes.
func (w *written) note(key types.NamespacedName, run *v1alpha1.TestRun, bytes int, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.runs == nil {
		w.runs = map[types.NamespacedName]entry{}
	}
	paid := w.runs[key].paid
	if paid.Before(now) {
		paid = now
	}
	w.runs[key] = entry{run.DeepCopy(), paid.Add(time.Duration(bytes) * time.Second / bytesASecond)}
}

// forget drops what is known of a run that is gone.
func (w *written) forget(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.runs, key)
}
