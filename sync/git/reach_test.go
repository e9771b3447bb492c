package git_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/sync/git"
)

// local are the forms of local addresses that a user's object may have for a host.
var local = []string{
	"127.0.0.1", "127.0.0.1.", "127.255.0.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0", "::", "::ffff:0.0.0.0", "localhost", "LocalHost.",
	"a.localhost", "2130706433", "0x7f000001", "127.1", "0177.0.0.1",
	"169.254.169.254", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
}

func TestLocalHostsAreRefused(t *testing.T) {
	for _, host := range local {
		wantFault(t, git.Reach{}.CheckHost(host), fault.HostNotTrusted)
	}
	for _, host := range []string{"git.example.org", "10.0.0.1", "::2", "fd00::1", "1.example", "0xg", "localhost.example", "::ffff:10.0.0.1"} {
		if err := (git.Reach{}).CheckHost(host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, host := range []string{"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "localhost", "169.254.169.254", "[::ffff:169.254.169.254]"} {
		_, err := git.New(git.Options{}).Refs(t.Context(), git.Endpoint{URL: "https://" + host + "/a/b", Timeout: 5 * time.Second})
		wantFault(t, err, fault.HostNotTrusted)
	}
}

// TestWhatANameStandsForIsRefused: the name is resolved, and nothing is connected to.
func TestWhatANameStandsForIsRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for _, host := range []string{"localhost", "127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "::"} {
		conn, err := git.Reach{}.Dial(t.Context(), "tcp", net.JoinHostPort(host, port))
		if err == nil {
			_ = conn.Close()
		}
		if f := wantFault(t, err, fault.HostNotTrusted); !strings.Contains(f.Message, host) || !strings.Contains(f.Remedy, "--allow-local-hosts") {
			t.Errorf("%s: %v", host, f)
		}
	}
	for _, host := range []string{"localhost", "127.0.0.1"} {
		reach, err := git.NewReach(host)
		if err != nil {
			t.Fatal(err)
		}
		if err := reach.CheckHost(host); err != nil {
			t.Error(err)
		}
		conn, err := reach.Dial(t.Context(), "tcp4", net.JoinHostPort(host, port))
		if err != nil {
			t.Errorf("%s is allowed: %v", host, err)
			continue
		}
		_ = conn.Close()
	}
}

func TestWhatIsAllowed(t *testing.T) {
	reach, err := git.NewReach("127.0.0.0/8", "fe80::7", "git.localhost")
	if err != nil {
		t.Fatal(err)
	}
	for host, allowed := range map[string]bool{
		"127.1.2.3": true, "::ffff:127.0.0.1": true, "fe80::7": true, "Git.localhost.": true,
		"::1": false, "fe80::8": false, "localhost": false, "169.254.169.254": false,
	} {
		if err := reach.CheckHost(host); (err == nil) != allowed {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, wrong := range []string{"", "127.0.0.1:80", "https://localhost", "127.0.0.0/33", "127.1", "user@host"} {
		if _, err := git.NewReach(wrong); err == nil {
			t.Errorf("%q is taken for a host", wrong)
		}
	}
}
