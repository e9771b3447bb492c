package report

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// FuzzParse runs every format over every input: a parser must bear the files of the others, too.
// What it gives is bounded and clean, and depends neither on how the bytes arrive nor on chance.
func FuzzParse(f *testing.F) {
	const most = 2 << 10 // of long files the rest is like the beginning, and slow
	for i, format := range Formats() {
		for _, name := range inputs(f, format) {
			input, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(uint8(i), input[:min(len(input), most)])
		}
	}
	small := Limits{Bytes: 1 << 10, Cases: 20, Name: 40, Message: 60, Details: 200, Output: 300, PassedOutput: 50, Warnings: 3}
	f.Fuzz(func(t *testing.T, which uint8, input []byte) {
		input = input[:min(len(input), most)]
		format := Formats()[int(which)%len(Formats())]
		for _, limits := range []Limits{{}, small} {
			r, err := Parse(format, bytes.NewReader(input), limits)
			checkInvariants(t, r, err, limits)
			again, errAgain := Parse(format, iotest.OneByteReader(bytes.NewReader(input)), limits)
			if !reflect.DeepEqual(r, again) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
				t.Errorf("byte by byte it differs (-at once +byte by byte):\n%s", cmp.Diff(string(outcome(r, err)), string(outcome(again, errAgain))))
			}
		}
	})
}
