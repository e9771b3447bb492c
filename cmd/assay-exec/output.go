package main

import (
	"io"
	"os"
	"sync"
	"time"
)

// tailBytes of the output are kept; the outcome takes 4 KiB of it after masking.
const tailBytes = 64 << 10

// tail keeps the end of what is written. Standard output and error go into the same one.
type tail struct {
	mu   sync.Mutex
	data []byte
	cut  bool
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	if n > tailBytes {
		t.cut = true
		p = p[n-tailBytes:]
	}
	t.data = append(t.data, p...)
	if len(t.data) > 2*tailBytes { // moving it now and then costs little per byte
		t.cut = true
		t.data = append(t.data[:0], t.data[len(t.data)-tailBytes:]...)
	}
	return n, nil
}

// text gives the tail with its secrets masked. Where something was cut off, the rest of a secret may stand at the start;
// it is shorter than the longest secret, so that much is left out, after masking what follows.
func (t *tail) text(m *masker) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	data, cut := t.data, t.cut
	if len(data) > tailBytes {
		data, cut = data[len(data)-tailBytes:], true
	}
	text := m.text(string(data))
	if cut {
		text = text[min(m.longest, len(text)):]
	}
	return text
}

// output carries the command's streams to ours and to the tail.
type output struct {
	tail    *tail
	readers []*os.File
	writers []*os.File
	copies  sync.WaitGroup
}

// to opens a pipe whose other end goes to own, the tail and extra. What cannot be written any more is dropped: the
// command is not to stop because nobody reads its log.
func (o *output) to(own *os.File, extra io.Writer) *os.File {
	r, w, err := os.Pipe()
	if err != nil { // out of file descriptors: the output is lost for the tail, not for the log
		return own
	}
	o.readers, o.writers = append(o.readers, r), append(o.writers, w)
	o.copies.Go(func() {
		buffer := make([]byte, 32<<10)
		for {
			n, err := r.Read(buffer)
			_, _ = own.Write(buffer[:n])
			_, _ = o.tail.Write(buffer[:n])
			if extra != nil {
				_, _ = extra.Write(buffer[:n])
			}
			if err != nil {
				return
			}
		}
	})
	return w
}

// started closes our copies of the ends that the command writes to.
func (o *output) started() {
	for _, w := range o.writers {
		_ = w.Close()
	}
	o.writers = nil
}

// drain waits for the end of the streams, and no longer than the grace.
func (o *output) drain(grace time.Duration) {
	done := make(chan struct{})
	go func() { o.copies.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(grace):
		for _, r := range o.readers {
			_ = r.SetReadDeadline(time.Now())
		}
		<-done
	}
}

func (o *output) close() {
	for _, f := range append(o.readers, o.writers...) {
		_ = f.Close()
	}
}
