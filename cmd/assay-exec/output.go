package main

import (
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/runner/report"
)

// tailBytes of a stream are kept; the outcome takes some of it after masking.
const tailBytes = 64 << 10

// tail keeps the end of what is written.
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

// endOf joins the ends of both streams to what an outcome holds: first standard output, then standard error, each with at
// least half of the room when it needs that. They are two pipes, so which of two lines was written first cannot be told; in
// one tail a burst on standard output could push out the very line of standard error that says why.
func endOf(stdout, stderr string) string {
	const room = report.OutcomeOutput - 1 // one for the line break between them
	stderr = stderr[len(stderr)-min(len(stderr), max(room/2, room-len(stdout))):]
	stdout = stdout[len(stdout)-min(len(stdout), room-len(stderr)):]
	if stdout != "" && stderr != "" && !strings.HasSuffix(stdout, "\n") {
		stdout += "\n"
	}
	return stdout + stderr
}

// output carries the command's streams to ours and to their tails.
type output struct {
	readers []*os.File
	writers []*os.File
	copies  sync.WaitGroup
}

// to opens a pipe whose other end goes to own, its tail and extra. What cannot be written any more is dropped: the
// command is not to stop because nobody reads its log.
func (o *output) to(own *os.File, end *tail, extra io.Writer) *os.File {
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
			_, _ = end.Write(buffer[:n])
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
