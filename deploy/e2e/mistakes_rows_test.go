//go:build e2e

package e2e

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

// mistake is a suite with something wrong, and what its user has to be told.
type mistake struct {
	name, text string
	state      v1alpha1.RunState
	reason     fault.Reason
	// headline begins the line of the status, and stands in the table of the comment.
	headline string
	// cause is in the run, in the comment and in the status.
	cause []string
	// remedy is in the run and in the comment; a status is too short for it.
	remedy []string
	// output is what the suite printed, of which run and comment show the end.
	output string
	// never is said nowhere.
	never []string
}

// group is what one pull request adds: fewer failures than a comment shows in full.
type group struct {
	name   string
	files  map[string]string
	plain  map[string]string // files that nobody can execute
	suites []mistake
}

// sh is a suite of the tool shell that runs a script as its one argument, which prints TAP.
func sh(name, script string, more ...string) string { return scripted(name, "shell", script, more...) }

func scripted(name, tool, script string, more ...string) string {
	command := fmt.Sprintf("  command: [sh, -c, %q]", script)
	return suiteOf(name, tool, append([]string{command}, more...)...)
}

func suiteOf(name, tool string, more ...string) string {
	lines := []string{
		"apiVersion: assay.dev/v1alpha1", "kind: TestSuite", "metadata: {name: " + name + "}", "spec:",
		"  tool: " + tool, "  image: " + world.ShellImage,
	}
	return strings.Join(append(lines, more...), "\n") + "\n"
}

const (
	noSuchImage = "assay.dev/there-is-no-such-image:1"
	secretKey   = "token" // of the Secret "login"
	memory      = "  resources: {limits: {memory: 24Mi}}"
	grow        = "x=0123456789; while :; do x=$x$x; done"
	wait        = "echo waiting for order 4711 at http://shop/orders; sleep 600"
)

// cannotStart are suites that never get to run a command.
func cannotStart(tenant *world.Tenant) group {
	from := func(kind, name string) string {
		return fmt.Sprintf("  env: [{name: GREETING, valueFrom: {%sKeyRef: {name: %s, key: a}}}]", kind, name)
	}
	create := []string{"create it in namespace", tenant.Name, "env"}
	image := strings.ReplaceAll(shell("wrong-image", "true"), world.ShellImage, noSuchImage)
	return group{name: "start", suites: []mistake{
		{name: "wrong-image", text: image, state: v1alpha1.StateErrored, reason: fault.ImagePullFailed,
			cause: []string{noSuchImage}, remedy: []string{"correct spec.image", "pull secret"}},
		{name: "no-configmap", text: shell("no-configmap", "true", from("configMap", "no-such-map")),
			state: v1alpha1.StateErrored, reason: fault.ConfigMapInvalid,
			cause: []string{`configmap "no-such-map" not found`}, remedy: create, never: []string{string(fault.SecretInvalid)}},
		{name: "no-secret", text: shell("no-secret", "true", from("secret", "no-such-secret")),
			state: v1alpha1.StateErrored, reason: fault.SecretInvalid,
			cause: []string{`secret "no-such-secret" not found`}, remedy: create},
		{name: "no-content", text: shell("no-content", "true", "  content: {paths: [tests/mm]}"),
			state: v1alpha1.StateErrored, reason: fault.InvalidCatalog,
			cause:  []string{"spec.content.paths", `"tests/mm" is not in the repository`},
			remedy: []string{"commit it", "take it out of the list"}, never: []string{"http"}},
		{name: "no-folder", text: shell("no-folder", "true", "  workingDir: tests/nowhere"),
			state: v1alpha1.StateErrored, reason: fault.WorkingDirInvalid,
			cause: []string{"spec.workingDir", `"tests/nowhere"`}, remedy: []string{"commit it", "spec.content.paths"}},
		{name: "no-command", text: suiteOf("no-command", "container", "  command: [pytest]"),
			state: v1alpha1.StateErrored, reason: fault.CommandNotFound,
			cause: []string{`"pytest" is not in the PATH`}, remedy: []string{"use an image that has it"}},
	}}
}

// badScripts are suites whose script is not there or cannot be run, and others that say what is
// wrong themselves.
func badScripts() group {
	run := func(name, file string) string { return suiteOf(name, "container", "  command: [./m/"+file+"]") }
	secret := "  env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: login, key: " + secretKey + "}}}]"
	const denied = `printf '1..1\nnot ok 1 - login\n  ---\n  message: "Authorization: Bearer %s gave 401"\n  ...\n' ` +
		`"$TOKEN"`
	return group{
		name: "script",
		files: map[string]string{
			"tests/m/no-shebang.sh": "echo hello\n",
			"tests/m/crlf.sh":       "#!/bin/sh\r\necho hello\r\n",
		},
		plain: map[string]string{"tests/m/plain.sh": "#!/bin/sh\necho hello\n"},
		suites: []mistake{
			{name: "no-file", text: suiteOf("no-file", "shell", "  args: [m/nofile.sh]"),
				state: v1alpha1.StateFailed, reason: fault.TestsFailed,
				cause:  []string{`there is no file "m/nofile.sh"`},
				remedy: []string{"commit it", "correct the path"}, output: "can't open"},
			{name: "not-executable", text: run("not-executable", "plain.sh"),
				state: v1alpha1.StateErrored, reason: fault.CommandInvalid,
				cause:  []string{"./m/plain.sh", "not executable"},
				remedy: []string{"chmod +x tests/m/plain.sh", "git update-index --chmod=+x tests/m/plain.sh"}},
			{name: "no-shebang", text: run("no-shebang", "no-shebang.sh"),
				state: v1alpha1.StateErrored, reason: fault.CommandInvalid,
				cause: []string{"./m/no-shebang.sh", "first line"}, remedy: []string{"#!/bin/sh"}},
			{name: "crlf", text: run("crlf", "crlf.sh"), state: v1alpha1.StateErrored, reason: fault.CommandInvalid,
				cause:  []string{"./m/crlf.sh", "Windows line ends"},
				remedy: []string{"commit it with LF", ".gitattributes"}, never: []string{"no such file"}},
			{name: "secret-in-report", text: sh("secret-in-report", denied, secret),
				state: v1alpha1.StateFailed, reason: fault.TestsFailed,
				cause: []string{"login"}, remedy: []string{"Authorization: Bearer *** gave 401"}},
			{name: "secret-in-output", text: shell("secret-in-output", `echo "password is $TOKEN"; exit 1`, secret),
				state: v1alpha1.StateFailed, reason: fault.TestsFailed,
				cause: []string{"exit code 1"}, output: "password is ***"},
		},
	}
}

// badReports are suites that run to their end, and whose report is missing, broken or red.
func badReports() group {
	junit := "  report: {format: junit, path: out/junit.xml}"
	const elsewhere = `mkdir -p m/out; echo '<testsuite name="a"><testcase name="b"/></testsuite>' > m/out/junit.xml`
	const torn = `mkdir out; printf '<testsuite><testcase name=' > out/junit.xml; echo the last words`
	const red = `printf '1..1\nnot ok 1 - price is right\n  ---\n  message: got 3\n  ...\n'`
	const green = `printf '1..1\nok 1 - price\n'; echo tidy up failed: no such database >&2; exit 3`
	const huge = `seq 1 200000 | sed 's/^/# line /'; printf '1..1\nnot ok 1 - the needle is in the haystack\n'`
	return group{name: "report", suites: []mistake{
		{name: "no-tap", text: sh("no-tap", "echo hello from no-tap"),
			state: v1alpha1.StateErrored, reason: fault.ReportInvalid,
			cause: []string{"tap"}, remedy: []string{"let the script print TAP on standard output"},
			output: "hello from no-tap"},
		{name: "wrong-path", text: scripted("wrong-path", "container", elsewhere, junit),
			state: v1alpha1.StateErrored, reason: fault.ReportMissing,
			cause: []string{"out/junit.xml"}, remedy: []string{"tests/m/out/junit.xml", "spec.report.path"}},
		{name: "broken-xml", text: scripted("broken-xml", "container", torn, junit),
			state: v1alpha1.StateErrored, reason: fault.ReportInvalid,
			cause: []string{"out/junit.xml", "breaks off"}, remedy: []string{"report is written"}, output: "the last words"},
		{name: "red-report", text: sh("red-report", red), state: v1alpha1.StateFailed, reason: fault.TestsFailed,
			cause: []string{"price is right"}, remedy: []string{"got 3"}},
		{name: "green-report", text: sh("green-report", green), state: v1alpha1.StateFailed, reason: fault.TestsFailed,
			cause: []string{"exit code 3", "no case of the report failed"}, output: "tidy up failed: no such database"},
		{name: "no-report", text: shell("no-report", "echo cannot connect to db:5432 >&2; exit 7"),
			state: v1alpha1.StateFailed, reason: fault.TestsFailed,
			cause: []string{"exit code 7"}, output: "cannot connect to db:5432"},
		{name: "huge-log", text: sh("huge-log", huge), state: v1alpha1.StateFailed, reason: fault.TestsFailed,
			cause: []string{"the needle is in the haystack"}},
	}}
}

// stopped are suites that do not end by themselves.
func stopped() group {
	const timedOut, killed = "timed out after 15s", "killed: out of memory (limit 24Mi"
	const time, raise = "  timeout: 15s", "raise spec.resources.limits.memory"
	begin := `printf '1..2\nok 1 - cart\n'; `
	return group{name: "end", suites: []mistake{
		{name: "hang-with-tap", text: sh("hang-with-tap", begin+wait, time),
			state: v1alpha1.StateFailed, reason: fault.TimedOut, headline: timedOut, output: "waiting for order 4711"},
		{name: "hang", text: shell("hang", wait, time),
			state: v1alpha1.StateFailed, reason: fault.TimedOut, headline: timedOut, output: "waiting for order 4711"},
		{name: "memory-with-tap", text: sh("memory-with-tap", begin+grow, memory),
			state: v1alpha1.StateFailed, reason: fault.LimitExceeded, headline: killed, remedy: []string{raise}},
		{name: "memory", text: shell("memory", grow, memory),
			state: v1alpha1.StateFailed, reason: fault.LimitExceeded, headline: killed, remedy: []string{raise}},
	}}
}
