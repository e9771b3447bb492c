package report

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParse runs every format over every input: a parser must bear the files of the others, too.
func FuzzParse(f *testing.F) {
	for i, format := range Formats() {
		for _, name := range inputs(f, format) {
			input, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), input)
		}
	}
	small := Limits{Bytes: 64 << 10, Cases: 20, Name: 40, Message: 60, Details: 200, Output: 300, PassedOutput: 50, Warnings: 3}
	f.Fuzz(func(t *testing.T, which uint8, input []byte) {
		format := Formats()[int(which)%len(Formats())]
		for _, limits := range []Limits{{}, small} {
			r, err := Parse(format, bytes.NewReader(input), limits)
			checkInvariants(t, r, err, limits)
			again, errAgain := Parse(format, bytes.NewReader(input), limits)
			if diff := cmp.Diff(string(outcome(r, err)), string(outcome(again, errAgain))); diff != "" {
				t.Errorf("two runs differ (-first +second):\n%s", diff)
			}
		}
	})
}
