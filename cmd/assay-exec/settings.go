package main

import (
	"os"
	"strings"
)

const prefix = "ASSAY_"

// settings are what the variables ASSAY_… say.
type settings struct {
	gatewayURL, gatewayCA, tokenFile string
	masker                           masker
}

// takeSettings reads the variables and removes them from the environment, which the command
// inherits. It sets what a tool may expect and a small image does not have.
func takeSettings() settings {
	s := settings{
		gatewayURL: os.Getenv("ASSAY_GATEWAY_URL"),
		gatewayCA:  os.Getenv("ASSAY_GATEWAY_CA"),
		tokenFile:  os.Getenv("ASSAY_TOKEN_FILE"),
		masker:     newMasker(os.Environ(), os.Getenv("ASSAY_MASK"), os.Getenv("ASSAY_PUBLIC")),
	}
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, prefix) {
			_ = os.Unsetenv(name) // fails for an empty name only
		}
	}
	for name, value := range map[string]string{
		"HOME":   "/tmp",
		"TMPDIR": "/tmp",
		"PATH":   "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	} {
		// The home of an image's root is of no use to another user.
		if current := os.Getenv(name); current == "" || name == "HOME" && (current == "/" || current == "/root") {
			_ = os.Setenv(name, value)
		}
	}
	return s
}
