package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxK6Bytes bounds a summary, which is read whole: it holds metrics and checks, but nothing per request.
const maxK6Bytes = 8 << 20

// k6Summary is the end-of-test summary of k6 in each of its shapes: as --summary-export writes it (flat metrics, a
// threshold is true when it FAILED), as handleSummary gets it (values apart, a threshold is {"ok": true} when it held),
// and the machine-readable one (results, no thresholds at all).
type k6Summary struct {
	Metrics   map[string]json.RawMessage `json:"metrics"`
	RootGroup json.RawMessage            `json:"root_group"`
	Results   *struct {
		Checks struct {
			Results []k6Check `json:"results"`
		} `json:"checks"`
	} `json:"results"`
}

// k6Check counts how a check went.
type k6Check struct {
	Name   string  `json:"name"`
	Passes float64 `json:"passes"`
	Fails  float64 `json:"fails"`
}

// k6Group is a group of checks; both members are lists from handleSummary and maps by name from --summary-export.
type k6Group struct {
	Name   string          `json:"name"`
	Groups json.RawMessage `json:"groups"`
	Checks json.RawMessage `json:"checks"`
}

// k6Metric is a metric's thresholds and values.
type k6Metric struct {
	Thresholds map[string]json.RawMessage `json:"thresholds"`
	Values     map[string]any             `json:"values"`
}

// k6Parser turns thresholds and checks into cases, in the suites "thresholds" and "checks". A check that failed even
// once is a failed case, unless a threshold on the metric "checks" exists and all of them held: then the script itself
// tolerates it, and the case passed with a message. (For k6 alone, a failed check never fails the run.)
type k6Parser struct {
	*builder
	tolerant bool // the thresholds on checks held
}

func parseK6Summary(r io.Reader, limits Limits) (Report, error) {
	limits.Bytes = min(limits.Bytes, maxK6Bytes)
	p := &k6Parser{builder: newBuilder(K6Summary, r, limits)}
	raw, err := io.ReadAll(p.source)
	if err != nil {
		p.source.failed = err
	}
	var s k6Summary
	if err := json.Unmarshal(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")), &s); err != nil {
		return p.finish(notK6(raw, err))
	}
	if s.Metrics == nil && s.Results == nil {
		return p.finish(notK6(nil, errors.New(`it has no "metrics"`)))
	}
	p.thresholds(s.Metrics)
	switch {
	case s.Results != nil:
		p.warn("this kind of summary tells no thresholds: only the exit code of k6 does")
		p.checks("", s.Results.Checks.Results)
	case len(s.RootGroup) > 0:
		p.group("", s.RootGroup, 0)
	}
	if p.cases() == 0 {
		p.warn("the summary has neither thresholds nor checks")
	}
	return p.finish(nil)
}

func notK6(raw []byte, err error) *Error {
	e := &Error{
		Problem: ErrFormat,
		Detail:  err.Error(),
		Remedy:  "write the report with k6 run --summary-export=FILE, or with handleSummary",
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		upTo := min(int(syntax.Offset), len(raw))
		e.Line = 1 + bytes.Count(raw[:upTo], []byte("\n"))
	}
	return e
}

// thresholds adds a case for each threshold, by metric and expression.
func (p *k6Parser) thresholds(metrics map[string]json.RawMessage) {
	onChecks := 0
	p.tolerant = true
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		var m k6Metric
		if err := json.Unmarshal(metrics[name], &m); err != nil {
			p.warn("metric %q is not understood: %v", name, err)
			continue
		}
		if len(m.Thresholds) == 0 {
			continue
		}
		if m.Values == nil {
			m.Values = map[string]any{}
			_ = json.Unmarshal(metrics[name], &m.Values) // flat: worked a moment ago, into the struct
		}
		for _, expression := range slices.Sorted(maps.Keys(m.Thresholds)) {
			held := p.threshold(name, expression, m)
			if name == "checks" || strings.HasPrefix(name, "checks{") {
				onChecks++
				p.tolerant = p.tolerant && held
			}
		}
	}
	p.tolerant = p.tolerant && onChecks > 0
}

func (p *k6Parser) threshold(metric, expression string, m k6Metric) (held bool) {
	c := Case{Suite: "thresholds", ClassName: metric, Name: metric + ": " + expression, Status: Passed}
	raw := m.Thresholds[expression]
	var modern struct{ Ok *bool }
	var crossed bool
	switch {
	case json.Unmarshal(raw, &crossed) == nil && string(raw) != "null":
		held = !crossed
	case json.Unmarshal(raw, &modern) == nil && modern.Ok != nil:
		held = *modern.Ok
	default:
		c.Status, c.Message = Errored, "the summary does not tell whether the threshold held"
		p.add(c)
		return false
	}
	if !held {
		c.Status, c.Message = Failed, "the threshold "+expression+" did not hold"
		if key, value, ok := measured(expression, m.Values); ok {
			c.Message += fmt.Sprintf(": %s is %s", key, value)
		}
	}
	p.add(c)
	return held
}

// measured gives the value that a threshold like "p(95)<500" compares.
func measured(expression string, values map[string]any) (key, value string, ok bool) {
	key = strings.TrimSpace(expression[:max(0, strings.IndexAny(expression+"<", "<>=!"))])
	for _, name := range []string{key, "value"} { // --summary-export calls a rate's rate its value
		if number, isNumber := values[name].(float64); isNumber && (name == key || key == "rate") {
			return key, strconv.FormatFloat(number, 'g', 6, 64), true
		}
	}
	return "", "", false
}

// group adds the checks of a group and of those in it.
func (p *k6Parser) group(path string, raw json.RawMessage, depth int) {
	var g k6Group
	if err := json.Unmarshal(raw, &g); err != nil {
		p.warn("a group in %q is not understood: %v", path, err)
		return
	}
	if depth > 32 {
		p.report.Truncated = true
		p.warn("groups are nested deeper than 32: the checks below %q are left out", path)
		return
	}
	path = joinPath(path, line(g.Name, p.limits.Name), p.limits.Name)
	p.checks(path, members[k6Check](p, path, g.Checks))
	for _, sub := range members[json.RawMessage](p, path, g.Groups) {
		p.group(path, sub, depth+1)
	}
}

// members reads a list, or the values of a map in the order of their names.
func members[T any](p *k6Parser, path string, raw json.RawMessage) []T {
	var list []T
	if len(raw) == 0 || json.Unmarshal(raw, &list) == nil {
		return list
	}
	var byName map[string]T
	if err := json.Unmarshal(raw, &byName); err != nil {
		p.warn("the checks or groups of %q are not understood: %v", path, err)
		p.report.Truncated = true
		return nil
	}
	list = nil
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		list = append(list, byName[name])
	}
	return list
}

func (p *k6Parser) checks(group string, checks []k6Check) {
	for _, check := range checks {
		c := Case{Suite: "checks", ClassName: group, Name: check.Name, Status: Passed}
		switch passes, fails := whole(check.Passes), whole(check.Fails); {
		case passes+fails == 0:
			c.Status, c.Message = Skipped, "the check was never reached"
		case fails > 0 && p.tolerant:
			c.Message = fmt.Sprintf("failed %d of %d times, which the thresholds on checks allow", fails, passes+fails)
		case fails > 0:
			c.Status = Failed
			c.Message = fmt.Sprintf("failed %d of %d times; to allow some, set a threshold on the metric checks", fails, passes+fails)
		}
		p.add(c)
	}
}

// whole reads a counter, which JSON may give as any number.
func whole(n float64) int64 {
	if math.IsNaN(n) || n <= 0 {
		return 0
	}
	return int64(min(n, 1<<53))
}
