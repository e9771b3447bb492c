package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// progress shows how a run stands while it is followed.
type progress interface {
	// show is called with the run whenever it may have changed, and at every tick.
	show(*v1alpha1.TestRun)
	// note says something beside the run.
	note(string)
	// ticks asks to be shown the run again even when nothing changed; nil never does.
	ticks() <-chan time.Time
	// end is called once, after the last show.
	end()
}

// newProgress gives a block that is rewritten on a terminal, and lines elsewhere.
func newProgress(w io.Writer) progress {
	f, isFile := w.(*os.File)
	if isFile && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		size := func() (int, int) {
			width, height, err := term.GetSize(int(f.Fd()))
			if err != nil {
				return 80, 24
			}
			return width, height
		}
		return newBlock(w, size, time.Now, time.NewTicker(time.Second), os.Getenv("NO_COLOR") == "")
	}
	return &lines{w: w, shown: map[string]string{}}
}

// lines shows each change as a line, for logs.
type lines struct {
	w     io.Writer
	shown map[string]string
}

func (l *lines) ticks() <-chan time.Time { return nil }
func (l *lines) end()                    {}
func (l *lines) note(text string)        { l.change("", text) }

func (l *lines) show(run *v1alpha1.TestRun) {
	l.change(run.Name, stateLine(runState(run)))
	for _, s := range run.Status.Suites {
		what := string(s.State)
		if n := len(s.Attempts); n > 1 {
			what += fmt.Sprintf(" (attempt %d)", n)
		}
		l.change(run.Name+"/"+s.Name, stateLine(what, s.Message))
	}
}

// change writes a line if it differs from the last one about the subject.
func (l *lines) change(subject, text string) {
	if l.shown[subject] == text {
		return
	}
	l.shown[subject] = text
	if subject != "" {
		text = subject + ": " + text
	}
	fmt.Fprintln(l.w, clean(text))
}

// runState gives state and message of a run, also before the controller has set them.
func runState(run *v1alpha1.TestRun) (state, message string) {
	message = run.Status.Message
	if run.Status.State == "" {
		message = cmp.Or(message, "waiting for the controller")
	}
	return string(cmp.Or(run.Status.State, v1alpha1.StatePending)), message
}

func stateLine(state, message string) string {
	if message == "" {
		return state
	}
	return state + ": " + message
}
