package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// block shows a run in place on a terminal: a line for the run and one for each suite.
type block struct {
	w      io.Writer
	size   func() (width, height int)
	now    func() time.Time
	ticker *time.Ticker
	colour bool
	// height of what stands on the terminal.
	height int
}

func newBlock(w io.Writer, size func() (int, int), now func() time.Time, ticker *time.Ticker, colour bool) *block {
	return &block{w: w, size: size, now: now, ticker: ticker, colour: colour}
}

func (b *block) ticks() <-chan time.Time { return b.ticker.C }
func (b *block) end()                    { b.ticker.Stop() }

// note leaves a line above the block, which is drawn anew below it.
func (b *block) note(text string) {
	fmt.Fprintf(b.w, "%s%s\n", b.erase(), clean(text))
	b.height = 0
}

func (b *block) show(run *v1alpha1.TestRun) {
	width, height := b.size()
	rows := b.rows(run, max(height-1, 2))
	var text strings.Builder
	text.WriteString(b.erase())
	for _, r := range rows {
		r.write(&text, width, b.colour)
	}
	b.height = len(rows)
	_, _ = io.WriteString(b.w, text.String()) // a terminal that is gone needs no progress
}

// erase goes back to the first line of what stands there and clears what follows.
func (b *block) erase() string {
	if b.height == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r\x1b[J", b.height)
}

// blockRow is a line: a coloured state and what else there is to say.
type blockRow struct {
	state v1alpha1.RunState
	text  string
}

// rows gives at most most rows: the run, then its suites, of which those that run or failed
// go before those that passed or wait when there is no room for all.
func (b *block) rows(run *v1alpha1.TestRun, most int) []blockRow {
	state, message := runState(run)
	head := blockRow{v1alpha1.RunState(state), joinWords(run.Name, b.sofar(run.Status.StartTime, run.Status.CompletionTime), message)}
	rows := []blockRow{head}
	suites := slices.Clone(run.Status.Suites)
	hidden := 0
	if room := most - 1; len(suites) > room {
		slices.SortStableFunc(suites, func(x, y v1alpha1.SuiteStatus) int { return urgency(x.State) - urgency(y.State) })
		hidden = len(suites) - (room - 1)
		suites = suites[:room-1]
	}
	longest := 0
	for _, s := range suites {
		longest = max(longest, len(s.Name))
	}
	for _, s := range suites {
		rows = append(rows, blockRow{s.State, joinWords(fmt.Sprintf("%-*s", longest, s.Name), b.sofar(suiteTimes(s)), attemptWord(s), casesWord(s.Cases), s.Message)})
	}
	if hidden > 0 {
		rows = append(rows, blockRow{"", fmt.Sprintf("and %d more suites", hidden)})
	}
	return rows
}

// sofar says how long something took, or takes until now.
func (b *block) sofar(start, end *metav1.Time) string {
	if end == nil {
		now := metav1.NewTime(b.now())
		end = &now
	}
	return span(start, end)
}

func urgency(s v1alpha1.RunState) int {
	return slices.Index([]v1alpha1.RunState{
		v1alpha1.StateFailed, v1alpha1.StateErrored, v1alpha1.StateRunning, v1alpha1.StateCancelled,
		v1alpha1.StatePending, v1alpha1.StatePassed, v1alpha1.StateSkipped,
	}, s)
}

func (r blockRow) write(w *strings.Builder, width int, colour bool) {
	const stateWidth = 9 // of Cancelled
	state := fmt.Sprintf("%-*s", stateWidth, clean(string(r.state)))
	line := state + "  " + clean(r.text)
	if utf8.RuneCountInString(line) >= width { // a line that wraps would be two when it is erased
		line = string([]rune(line)[:max(width-2, 0)]) + "…"
	}
	if code, known := colours[r.state]; colour && known && strings.HasPrefix(line, state) {
		line = "\x1b[" + code + "m" + state + "\x1b[0m" + line[len(state):]
	}
	w.WriteString(line + "\n")
}

// colours of the states, as the numbers of ANSI: green, red, yellow, blue, grey.
var colours = map[v1alpha1.RunState]string{
	v1alpha1.StatePassed: "32", v1alpha1.StateFailed: "31", v1alpha1.StateErrored: "31",
	v1alpha1.StateCancelled: "33", v1alpha1.StateRunning: "34", v1alpha1.StatePending: "90",
	v1alpha1.StateSkipped: "90",
}
