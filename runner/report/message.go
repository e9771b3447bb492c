package report

import "strings"

// saysNothing tells the messages that tools write when they have none.
func saysNothing(message string) bool {
	switch strings.ToLower(message) {
	case "", "failed", "failure", "error", "test failed":
		return true
	}
	return false
}

// tellingLine is the first line of a trace that is not the tool's own noise.
func tellingLine(details string) string {
	for rest := details; rest != ""; {
		var one string
		one, rest, _ = strings.Cut(rest, "\n")
		if one = strings.TrimSpace(one); one != "" && !isGoNoise(one) {
			return one
		}
	}
	return ""
}

// isGoNoise tells the lines with which go test frames a test's output.
func isGoNoise(line string) bool {
	line = strings.TrimLeft(line, " ")
	for _, prefix := range []string{"=== RUN", "=== PAUSE", "=== CONT", "=== NAME", "=== ATTR", "--- PASS", "--- FAIL", "--- SKIP", "--- BENCH"} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
