package publish

import (
	"sync"

	"k8s.io/utils/lru"
)

// remembered is how many pull requests' writers are known, of a hundred bytes each.
const remembered = 1 << 12

// writers remembers for which head this process wrote the comment of a pull request last. The runs remember it too, but a
// cache may not have that yet when the head is another again. The zero value is ready.
type writers struct {
	once  sync.Once
	heads *lru.Cache
}

// place is a pull request.
func place(subject Subject) Subject {
	subject.Commit = ""
	return subject
}

func (w *writers) note(subject Subject) {
	w.once.Do(func() { w.heads = lru.New(remembered) })
	w.heads.Add(place(subject), subject.Commit)
}

// other says whether another head wrote the comment last.
func (w *writers) other(subject Subject) bool {
	w.once.Do(func() { w.heads = lru.New(remembered) })
	head, ok := w.heads.Get(place(subject))
	return ok && head != subject.Commit
}
