package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// narrator prints what happens, with the seconds since the start.
type narrator struct {
	w     io.Writer
	start time.Time
}

func newNarrator(w io.Writer) *narrator { return &narrator{w, time.Now()} }

func (n *narrator) chapter(title string) { fmt.Fprintf(n.w, "\n== %s\n", title) }

func (n *narrator) say(format string, args ...any) {
	fmt.Fprintf(n.w, "[%6.1f s] %s\n", time.Since(n.start).Seconds(), fmt.Sprintf(format, args...))
}

// show prints a text with a margin.
func (n *narrator) show(text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		fmt.Fprint(n.w, "           | ", line)
	}
}

// condition says whether something has come about, and how it stands in a few words.
type condition func(context.Context) (done bool, state string, err error)

// await asks twice a second until the condition holds, and says whenever its state changes.
// An error may pass, so it counts as a state; it is not nil only when the time is up.
func (d *demo) await(ctx context.Context, what string, holds condition) error {
	last := ""
	err := wait.PollUntilContextTimeout(ctx, 500*time.Millisecond, d.timeout, true, func(ctx context.Context) (bool, error) {
		done, state, err := holds(ctx)
		if ctx.Err() != nil {
			return false, nil
		}
		if err != nil {
			done, state = false, err.Error()
		}
		if state != last {
			last = state
			d.say("%s: %s", what, state)
		}
		return done, nil
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s did not come about within %s; last: %s", what, d.timeout, last)
	}
	return err
}
