package report

import (
	"slices"
	"strings"
)

// goPackage is a package under test, from its first event to its last.
type goPackage struct {
	name   string
	tests  map[string]*goTest // running ones
	count  int                // of tests started so far
	output text               // of the package itself
	bad    bool               // one of its tests failed
	ended  bool               // its own pass, fail or skip was seen
	opened bool               // it has begun again since
}

// goTest is a running test.
type goTest struct {
	name     string
	seq      int // its place among the package's starts
	output   text
	children int
	badChild bool
}

func (g *goPackage) event(p *goParser, e goEvent) {
	if e.Test == "" {
		g.own(p, e)
		return
	}
	g.opened = true
	t := g.test(p, e.Test)
	switch e.Action {
	case "output":
		if !isGoNoise(e.Output) {
			t.output.write(e.Output)
		}
	case "pass", "bench":
		g.end(p, t, Passed, e.Elapsed)
	case "fail":
		g.end(p, t, Failed, e.Elapsed)
	case "skip":
		g.end(p, t, Skipped, e.Elapsed)
	}
}

// test gives the running test of that name and starts it where no event has.
func (g *goPackage) test(p *goParser, name string) *goTest {
	if t, ok := g.tests[name]; ok {
		return t
	}
	g.count++
	t := &goTest{name: name, seq: g.count, output: p.newText(p.limits.Output)}
	if len(g.tests) < p.limits.Cases {
		g.tests[name] = t
	}
	if parent := g.parent(name); parent != nil {
		parent.children++
	}
	return t
}

// parent is the running test whose subtest this is.
func (g *goPackage) parent(name string) *goTest {
	for {
		i := strings.LastIndexByte(name, '/') // a subtest's own name may hold slashes
		if i < 0 {
			return nil
		}
		name = name[:i]
		if t, ok := g.tests[name]; ok {
			return t
		}
	}
}

// end adds a test that reported its end.
func (g *goPackage) end(p *goParser, t *goTest, status Status, seconds float64) {
	c := Case{Suite: g.name, Name: t.name, Duration: seconds2Duration(seconds)}
	output := t.output.String()
	switch {
	case status == Failed && panicked(output) != "":
		c.Status, c.Message = Errored, panicked(output)
	default:
		c.Status = status
	}
	c.Group = t.children > 0 && (!status.Bad() || t.badChild)
	g.add(p, t, c, output)
}

// add puts the output where the status wants it, and tells the parent.
func (g *goPackage) add(p *goParser, t *goTest, c Case, output string) {
	delete(g.tests, t.name)
	switch {
	case c.Status.Bad():
		g.bad = true
		if parent := g.parent(t.name); parent != nil {
			parent.badChild = true
		}
		c.Details = output
	case c.Status == Skipped:
		c.Message = strings.TrimSpace(output)
	default:
		c.Stdout = output
	}
	p.add(c)
}

// panicked is the line with which the runtime says why the process died.
func panicked(output string) string {
	for rest := output; rest != ""; {
		var one string
		one, rest, _ = strings.Cut(rest, "\n")
		if strings.HasPrefix(one, "panic: ") || strings.HasPrefix(one, "fatal error: ") {
			return one
		}
	}
	return ""
}

// own handles an event of the package itself.
func (g *goPackage) own(p *goParser, e goEvent) {
	switch e.Action {
	case "start":
		g.opened = true
	case "output":
		g.opened = true
		if out := strings.TrimSpace(e.Output); out != "PASS" && out != "FAIL" {
			g.output.write(e.Output)
		}
	case "pass", "skip":
		g.unfinished(p, "", false)
		g.reset(p)
	case "fail":
		g.fail(p, e)
		g.reset(p)
	}
}

// fail explains a package's failure by its tests, else by a case of its own.
func (g *goPackage) fail(p *goParser, e goEvent) {
	output := g.output.String()
	g.unfinished(p, firstOf(panicked(output), timedOut(output)), false)
	if g.bad {
		return
	}
	c := Case{Suite: g.name, Name: "(package)", Status: Errored, Duration: seconds2Duration(e.Elapsed), Details: output}
	c.Message = panicked(output)
	if e.FailedBuild != "" || strings.Contains(output, "[build failed]") || strings.Contains(output, "[setup failed]") {
		c.Name = "(build)"
		c.Details = firstOf(p.buildOutput(g.name, e.FailedBuild), output)
		c.Message = compilerLine(c.Details)
	}
	p.add(c)
}

// compilerLine is the first error in a compiler's output.
func compilerLine(output string) string {
	for rest := output; rest != ""; {
		var one string
		one, rest, _ = strings.Cut(rest, "\n")
		if one = strings.TrimSpace(one); one != "" && !strings.HasPrefix(one, "# ") {
			return one
		}
	}
	return ""
}

func timedOut(output string) string {
	if strings.Contains(output, "test timed out after") {
		return "the test binary timed out"
	}
	return ""
}

// unfinished adds the tests that never reported their end, in the order of their start; torn says that the report itself
// has none.
func (g *goPackage) unfinished(p *goParser, why string, torn bool) {
	open := make([]*goTest, 0, len(g.tests))
	for _, t := range g.tests {
		open = append(open, t)
	}
	slices.SortFunc(open, func(a, b *goTest) int { return b.seq - a.seq }) // subtests before their parents
	for _, t := range open {
		output := t.output.String()
		c := Case{Suite: g.name, Name: t.name, Status: Errored, Group: t.badChild, Torn: torn}
		c.Message = firstOf(panicked(output), why, "the test did not end: its process exited, or the report breaks off")
		g.add(p, t, c, output)
	}
}

// reset makes the package ready to be run again in the same report, as gotestsum does for reruns.
func (g *goPackage) reset(p *goParser) {
	*g = goPackage{name: g.name, tests: g.tests, output: p.newText(p.limits.Details), ended: true}
}

// abandon ends a package that the report breaks off in.
func (g *goPackage) abandon(p *goParser) {
	if g.ended && !g.opened {
		return
	}
	if g.name != "" || len(g.tests) > 0 { // test2json of one binary may end without a package event
		p.report.Truncated = true
		p.warn("package %q has no end: the report breaks off", g.name)
	}
	g.unfinished(p, "", true)
}
