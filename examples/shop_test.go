package examples

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/assay-dev/assay/runner/report"
)

// The shop is a module of its own, as it is a repository of its own: go test ./... here does
// not reach it.
func TestShopModule(t *testing.T) {
	if out, err := goCommand(t, "shop", nil, "test", "./...").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// The suites run here as a pod would run them, but for k6, which takes minutes to build.
func TestSuitesAgainstAShop(t *testing.T) {
	bin := t.TempDir()
	for folder, pkg := range map[string]string{"shop": "./cmd/...", "images": "./httpc"} {
		if out, err := goCommand(t, folder, nil, "build", "-o", bin+"/", pkg).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	for name, shop := range map[string]struct {
		rules string
		fails bool
	}{
		"as it is":       {`{"discounts": [{"fromCents": 5000, "percent": 10}]}`, false},
		"with bad rules": {`{"discounts": [{"fromCents": 5000, "percent": 31}]}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			env := append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "EXPECTED_ENVIRONMENT=local",
				"BASE_URL=http://"+startShop(t, filepath.Join(bin, "shop"), shop.rules))
			for _, script := range []string{"smoke", "order", "headers"} {
				expectReport(t, command(t, "shop/tests", env, "sh", "smoke/"+script+".sh"), report.TAP, false)
			}
			expectReport(t, goCommand(t, "shop/tests", env, "test", "-json", "-count=1", "./catalog"), report.GoTestJSON, false)
			expectReport(t, goCommand(t, "shop/tests", env, "test", "-json", "-count=1", "./checkout"), report.GoTestJSON, shop.fails)
			if out, err := command(t, ".", env, filepath.Join(bin, "probe")).CombinedOutput(); err != nil {
				t.Errorf("probe: %v\n%s", err, out)
			}
		})
	}
	env := append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "BASE_URL=http://127.0.0.1:1")
	expectReport(t, command(t, "shop/tests", env, "sh", "smoke/smoke.sh"), report.TAP, true)
}

var address = regexp.MustCompile(`address=(\S+)`)

// startShop starts a shop on a free port, and gives its address.
func startShop(t *testing.T, binary, rules string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rules.json")
	if err := os.WriteFile(file, []byte(rules), 0o644); err != nil {
		t.Fatal(err)
	}
	shop := command(t, ".", append(os.Environ(), "SHOP_ADDRESS=127.0.0.1:0", "SHOP_RULES="+file), binary)
	log, err := shop.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shop.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = shop.Process.Signal(os.Interrupt)
		_ = shop.Wait()
	})
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if match := address.FindStringSubmatch(lines.Text()); match != nil {
			go io.Copy(io.Discard, log)
			return match[1]
		}
		t.Log(lines.Text())
	}
	t.Fatal("the shop did not open")
	return ""
}

// expectReport runs a suite's command, parses what it printed, and compares the verdict; the
// exit code must say the same.
func expectReport(t *testing.T, suite *exec.Cmd, format report.Format, fails bool) {
	t.Helper()
	var stderr strings.Builder
	suite.Stderr = &stderr
	out, err := suite.Output()
	r, parseErr := report.Parse(format, strings.NewReader(string(out)), report.Limits{})
	if parseErr != nil {
		t.Fatalf("%s: %v\n%s%s", suite, parseErr, out, stderr.String())
	}
	counts := r.Counts()
	if failed := counts.Failed > 0; failed != fails || (err != nil) != fails || counts.Passed+counts.Failed == 0 {
		t.Errorf("%s: %+v and %v, want failures: %t\n%s%s", suite, counts, err, fails, out, stderr.String())
	}
}

func goCommand(t *testing.T, folder string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	return command(t, folder, env, "go", args...)
}

// command runs with the environment of the test unless one is given.
func command(t *testing.T, folder string, env []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir, c.Env = folder, env
	return c
}
