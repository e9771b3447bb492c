package report

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// benchmarkInputs has a file of ten thousand cases, one in ten failed, for each format.
var benchmarkInputs = map[Format]func() string{
	JUnit: func() string {
		return `<testsuites><testsuite name="s">` + lots(func(i int) string {
			if i%10 == 0 {
				return fmt.Sprintf("<testcase classname=\"c.D\" name=\"case %d\" time=\"0.01\"><failure message=\"want 1\">%s</failure></testcase>\n", i, strings.Repeat("at line of code\n", 20))
			}
			return fmt.Sprintf("<testcase classname=\"c.D\" name=\"case %d\" time=\"0.01\"/>\n", i)
		}) + `</testsuite></testsuites>`
	},
	TAP: func() string {
		return "1..10000\n" + lots(func(i int) string {
			if i%10 == 0 {
				return fmt.Sprintf("not ok %d - case %d\n  ---\n  message: want 1\n  stack: |\n%s  ...\n", i+1, i, strings.Repeat("    at line of code\n", 20))
			}
			return fmt.Sprintf("ok %d - case %d\n", i+1, i)
		})
	},
	GoTestJSON: func() string {
		return lots(func(i int) string {
			action := "pass"
			if i%10 == 0 {
				action = "fail"
			}
			return fmt.Sprintf(`{"Action":"run","Package":"p","Test":"Test%[1]d"}
{"Action":"output","Package":"p","Test":"Test%[1]d","Output":"    p_test.go:1: some words\n"}
{"Action":"%[2]s","Package":"p","Test":"Test%[1]d","Elapsed":0.01}
`, i, action)
		}) + `{"Action":"fail","Package":"p"}`
	},
	K6Summary: func() string {
		checks := lots(func(i int) string {
			return fmt.Sprintf(`{"name":"check %d","passes":10,"fails":%d},`, i, max(0, 1-i%10))
		})
		return `{"metrics":{},"root_group":{"checks":[` + strings.TrimSuffix(checks, ",") + `]}}`
	},
}

func lots(one func(i int) string) string {
	var b strings.Builder
	for i := range 10_000 {
		b.WriteString(one(i))
	}
	return b.String()
}

func BenchmarkParse(b *testing.B) {
	for _, format := range Formats() {
		b.Run(string(format), func(b *testing.B) {
			input := benchmarkInputs[format]()
			b.ReportAllocs()
			b.SetBytes(int64(len(input)))
			for b.Loop() {
				r, err := Parse(format, strings.NewReader(input), Limits{})
				if n := r.Counts(); err != nil || n.Total != 10_000 || n.Failed != 1_000 {
					b.Fatalf("%+v, %v", n, err)
				}
			}
		})
	}
}
