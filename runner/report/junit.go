package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxDepth bounds the nesting of elements, subtests and groups.
const maxDepth = 200

// junitParser walks the elements of a JUnit XML file with its own stack, so that neither depth nor a missing end tag
// can break it. What the elements mean is in junit_suite.go and junit_case.go.
type junitParser struct {
	*builder
	stack    []junitElement
	root     string // name of the first element, for the message when it is foreign
	rootLine int
	known    bool // a testsuites, testsuite or testcase was seen
}

// junitElement is an open element; its fields tell where what is in it belongs.
type junitElement struct {
	name  string
	suite *junitSuite // innermost; nil outside
	test  *junitCase  // innermost; nil outside
	text  *text       // takes the characters; nil to drop them
}

// isLayout tells the white space between the elements of a failed attempt, whose trace is an element of its own.
func (e junitElement) isLayout(characters []byte) bool {
	attempt := strings.HasPrefix(e.name, "flaky") || strings.HasPrefix(e.name, "rerun")
	return attempt && len(bytes.TrimSpace(characters)) == 0
}

func parseJUnit(r io.Reader, limits Limits) (Report, error) {
	p := &junitParser{builder: newBuilder(JUnit, r, limits)}
	in, unknown := utf8Reader(p.source)
	if unknown != "" {
		p.warn("the encoding %q is not known; read as UTF-8", unknown)
	}
	decoder := xml.NewDecoder(newXMLFilter(in))
	decoder.Strict = false
	decoder.Entity = xml.HTMLEntity
	p.walk(decoder)
	p.closeAll()
	if p.known && p.cases() == 0 && !p.report.Truncated {
		p.warn("no test case in it")
	}
	return p.finish(p.foreign())
}

func (p *junitParser) walk(decoder *xml.Decoder) {
	for {
		token, err := decoder.RawToken()
		at, _ := decoder.InputPos()
		if err != nil {
			p.stop(at, err)
			return
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(p.stack) >= maxDepth {
				p.stop(at, fmt.Errorf("elements are nested deeper than %d", maxDepth))
				return
			}
			if p.root == "" {
				p.root, p.rootLine = t.Name.Local, at
			}
			p.start(t)
		case xml.EndElement:
			p.end(t.Name.Local)
		case xml.CharData:
			if top := p.top(); top.text != nil && !top.isLayout(t) {
				top.text.write(string(t))
			}
		}
	}
}

// stop ends the walk. The end of the file is a good one only where nothing is open.
func (p *junitParser) stop(at int, err error) {
	if errors.Is(err, io.EOF) && len(p.stack) == 0 {
		return
	}
	p.report.Truncated = true
	switch syntax := (*xml.SyntaxError)(nil); {
	case errors.As(err, &syntax):
		p.warn("the XML breaks off at line %d: %s", syntax.Line, syntax.Msg)
	case errors.Is(err, io.EOF):
		p.warn("the XML breaks off at line %d: <%s> is still open", at, p.top().name)
	default:
		p.warn("the XML breaks off at line %d: %v", at, err)
	}
}

func (p *junitParser) top() junitElement {
	if len(p.stack) == 0 {
		return junitElement{}
	}
	return p.stack[len(p.stack)-1]
}

func (p *junitParser) start(t xml.StartElement) {
	e := p.top() // an element that means nothing passes its surroundings on
	e.name = t.Name.Local
	attrs := junitAttrs(t.Attr)
	switch e.name {
	case "testsuites", "testsuite":
		p.known = true
		e.suite = newJUnitSuite(p.builder, e.name, attrs, e.suite)
		e.test, e.text = nil, nil
	case "testcase":
		p.known = true
		e.test = newJUnitCase(p.builder, attrs, e.suite)
		e.text = nil
	case "property", "properties":
		e.text = nil
	default:
		e.text = p.place(e, attrs)
	}
	p.stack = append(p.stack, e)
}

// place gives the text that collects an element's characters.
func (p *junitParser) place(e junitElement, attrs junitAttrs) *text {
	switch {
	case e.test != nil:
		return e.test.open(e.name, attrs, e.text)
	case e.suite != nil:
		return e.suite.open(e.name, attrs, e.text)
	}
	return nil
}

// end closes the innermost element of that name, and those that were left open in it. An end without a start is
// ignored.
func (p *junitParser) end(name string) {
	for i := len(p.stack) - 1; i >= 0; i-- {
		if p.stack[i].name != name {
			continue
		}
		for len(p.stack) > i {
			p.pop(true)
		}
		return
	}
}

// closeAll closes what a file that breaks off has left open.
func (p *junitParser) closeAll() {
	for len(p.stack) > 0 {
		p.pop(false)
	}
}

// pop leaves the innermost element; whole says that its end was seen.
func (p *junitParser) pop(whole bool) {
	e := p.top()
	p.stack = p.stack[:len(p.stack)-1]
	switch e.name {
	case "testsuites", "testsuite":
		e.suite.close(p.builder, whole)
	case "testcase":
		e.test.close(p.builder, whole)
	}
}

// foreign explains a file without any element of JUnit.
func (p *junitParser) foreign() *Error {
	e := &Error{Problem: ErrFormat, Remedy: "let the tool write JUnit XML, or name the format that it writes"}
	switch {
	case p.known:
		return nil
	case p.root == "":
		e.Detail = "no XML element in it"
	case p.root == "test-run" || p.root == "test-results":
		e.Line, e.Detail = p.rootLine, fmt.Sprintf("its root <%s> is NUnit's", line(p.root, 100))
	default:
		e.Line, e.Detail = p.rootLine, fmt.Sprintf("its root is <%s>, not <testsuites> or <testsuite>", line(p.root, 100))
	}
	return e
}

// junitAttrs are an element's attributes.
type junitAttrs []xml.Attr

// get gives the first of the attributes that is there and not blank.
func (a junitAttrs) get(names ...string) string {
	for _, name := range names {
		for _, attr := range a {
			if attr.Name.Local == name && strings.TrimSpace(attr.Value) != "" {
				return attr.Value
			}
		}
	}
	return ""
}
