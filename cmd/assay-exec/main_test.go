package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"github.com/assay-dev/assay/runner/content"
	"github.com/assay-dev/assay/runner/report"
)

// underTest makes the test binary be assay-exec. It begins with our prefix, so that commands do not see it.
const underTest = "ASSAY_UNDER_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(underTest) == "" {
		os.Exit(m.Run())
	}
	// Processes that lose their parent become ours, as they do when we are process 1.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitUsage)
	}
	os.Exit(do(os.Args[1:]))
}

// pod is what a test pod has: a workspace, a token, a termination log and a gateway.
type pod struct {
	t         *testing.T
	workspace string
	token     string
	log       string
	env       []string

	server *httptest.Server
	digest string
	tar    []byte

	mu       sync.Mutex
	answers  []int
	outcomes [][]byte
}

func newPod(t *testing.T, files fstest.MapFS) *pod {
	t.Helper()
	dir := t.TempDir()
	p := &pod{t: t, workspace: filepath.Join(dir, "workspace"), token: filepath.Join(dir, "token"), log: filepath.Join(dir, "termination-log")}
	for _, err := range []error{
		os.Mkdir(p.workspace, 0o755),
		os.WriteFile(p.token, []byte("the-token\n"), 0o600),
		os.WriteFile(p.log, nil, 0o666),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if files != nil {
		var tar bytes.Buffer
		digest, err := content.Pack(&tar, files, []string{"."}, content.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		p.digest, p.tar = digest, tar.Bytes()
	}
	p.server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.server.Close)
	p.env = []string{"PATH=" + os.Getenv("PATH"), underTest + "=1", "ASSAY_GATEWAY_URL=" + p.server.URL, "ASSAY_TOKEN_FILE=" + p.token,
		"TMPDIR=" + t.TempDir(), "HTTP_PROXY=http://127.0.0.1:1", "http_proxy=http://127.0.0.1:1"}
	return p
}

func (p *pod) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.answers) > 0 {
		code := p.answers[0]
		p.answers = p.answers[1:]
		http.Error(w, `{"error":"not now"}`, code)
		return
	}
	switch {
	case r.Header.Get("Authorization") != "Bearer the-token":
		http.Error(w, `{"error":"no"}`, http.StatusUnauthorized)
	case r.Method == http.MethodGet && r.URL.Path == "/v1/content/"+p.digest:
		_, _ = w.Write(p.tar)
	case r.Method == http.MethodPost && r.URL.Path == "/v1/outcome":
		data, _ := io.ReadAll(r.Body)
		p.outcomes = append(p.outcomes, data)
		w.WriteHeader(http.StatusNoContent)
	default:
		http.NotFound(w, r)
	}
}

// answer makes the gateway answer with these status codes before it behaves.
func (p *pod) answer(codes ...int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers = codes
}

// command gives assay-exec run with the flags and a command line for sh.
func (p *pod) command(flags []string, command ...string) *exec.Cmd {
	args := []string{"run", "--workspace=" + p.workspace, "--termination-log=" + p.log, "--grace=5s"}
	if p.digest != "" {
		args = append(args, "--content="+p.digest)
	}
	args = append(append(append(args, flags...), "--"), command...)
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = p.env
	return cmd
}

// result is what can be seen of a run from outside.
type result struct {
	exit           int
	outcome        report.Outcome
	stdout, stderr string
}

func (p *pod) run(flags []string, command ...string) result {
	p.t.Helper()
	cmd := p.command(flags, command...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	return p.result(cmd, stdout.String(), stderr.String())
}

// result reads the outcome that was told, and holds it against the copy in the termination log.
func (p *pod) result(cmd *exec.Cmd, stdout, stderr string) result {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.outcomes) != 1 {
		p.t.Fatalf("%d outcomes were told; stderr: %s", len(p.outcomes), stderr)
	}
	told, err := report.DecodeOutcome(p.outcomes[0])
	if err != nil {
		p.t.Fatal(err)
	}
	left, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	copied, err := report.DecodeOutcome(left)
	if err != nil {
		p.t.Fatalf("termination log: %v: %s", err, left)
	}
	if copied.ExitCode != told.ExitCode || copied.Reason != told.Reason || copied.Counts != told.Counts {
		p.t.Errorf("the termination log says %+v, the gateway was told %+v", copied, told)
	}
	return result{exit: cmd.ProcessState.ExitCode(), outcome: told, stdout: stdout, stderr: stderr}
}

// sh gives a command line that sh runs.
func sh(script string) []string { return []string{"sh", "-c", script} }

func contains(t *testing.T, what, text string, wanted ...string) {
	t.Helper()
	for _, w := range wanted {
		if !strings.Contains(text, w) {
			t.Errorf("%s lacks %q: %q", what, w, text)
		}
	}
}
