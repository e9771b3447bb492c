package main

import (
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// withDefaults gives the command a HOME and a TMPDIR that it can write to. An image run as a user that it does not know
// has HOME=/, where many tools fail to make their caches.
func withDefaults(environment []string) []string {
	env := slices.Clone(environment)
	if value(env, "TMPDIR") == "" {
		env = set(env, "TMPDIR", "/tmp")
	}
	if home := value(env, "HOME"); home == "" || unix.Access(home, unix.W_OK) != nil {
		if folder := value(env, "TMPDIR") + "/home"; os.MkdirAll(folder, 0o755) == nil {
			env = set(env, "HOME", folder)
		}
	}
	return env
}

func value(env []string, name string) string {
	for _, e := range slices.Backward(env) { // the last one counts
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

func set(env []string, name, value string) []string {
	env = slices.DeleteFunc(env, func(e string) bool { return strings.HasPrefix(e, name+"=") })
	return append(env, name+"="+value)
}
