package status

import (
	"fmt"
	"regexp"
	"strings"
)

const (
	// suitesBytes is the most that a command says of suites, and shortSuites where space is
	// scarce.
	suitesBytes, shortSuites = 2048, 256
)

// shellSafe is what may stand in a command that people copy.
var shellSafe = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9._]*$`)

// again says how to run once more what went wrong, which renews what stands here: all of it,
// or else a suite that is not named would stay as it is. Where the names are too many for a
// command, or a shell could take one for something else, every suite runs. An environment
// where no suite could be run has no names.
func (c conversation) again(d detail) string {
	most := suitesBytes
	if d <= shortMessages {
		most = shortSuites
	}
	var lines []string
	var hints []string
	everything, unplanned := false, false
	for i, r := range c.runs {
		var bad []string
		for _, s := range c.suites[i] {
			if s.bad() {
				bad = append(bad, s.status.Name)
			}
		}
		if len(bad) == 0 && !c.broken(i) || !shellSafe.MatchString(r.Spec.Environment) {
			continue
		}
		line := fmt.Sprintf("assay run %s --namespace %s --environment %s --commit %s",
			c.in.Repository.Name, r.Namespace, r.Spec.Environment, c.in.Commit)
		names, whole := named(bad, most)
		everything, unplanned = everything || !whole, unplanned || c.broken(i)
		lines = append(lines, plain(line+names))
	}
	if len(lines) == 0 {
		return ""
	}
	if everything {
		hints = append(hints, "Without --suite every suite runs: those that went wrong cannot all be named here.")
	}
	if unplanned {
		hints = append(hints,
			"Where no suite could be run, this helps when the cause is mended and was outside of the commit.")
	}
	commands := strings.Join(lines, "\n")
	content := strings.Join(append([]string{block(commands, len(commands))}, hints...), "\n\n")
	return details("Run what went wrong once more", content, false)
}

// named gives the flag that names the suites, and false where it cannot name all of them.
func named(suites []string, most int) (flag string, whole bool) {
	if len(suites) == 0 {
		return "", true
	}
	for _, name := range suites {
		if !shellSafe.MatchString(name) {
			return "", false
		}
	}
	list := strings.Join(suites, ",")
	if len(list) > most {
		return "", false
	}
	return " --suite " + list, true
}
