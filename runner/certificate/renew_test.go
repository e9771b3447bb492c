package certificate

import (
	"crypto/x509"
	"maps"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/cert"
)

const host = "assay-gateway.assay-system.svc"

var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// trusted says whether a client that was given the authority takes the certificate in the data at the time.
func trusted(t *testing.T, authority []byte, data map[string][]byte, host string, at time.Time) error {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		t.Fatalf("no authority: %s", authority)
	}
	certs, err := cert.ParseCertsPEM(data[corev1.TLSCertKey])
	if err != nil {
		t.Fatal(err)
	}
	_, err = certs[0].Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: at})
	return err
}

func made(t *testing.T) map[string][]byte {
	t.Helper()
	data, changed, err := renewed(map[string][]byte{}, host, begin)
	if err != nil || !changed {
		t.Fatalf("an empty Secret is left: %v", err)
	}
	return data
}

// TestRenewed: what a pod was given when it was made is right as long as the authority it was given is valid.
func TestRenewed(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		name           string
		after          time.Duration
		host           string
		serving, other bool // whether the certificate, and the authority, are to be others
	}{
		{"the next day", day, host, false, false},
		{"before a third is left", 59 * day, host, false, false},
		{"when a third is left", 61 * day, host, true, false},
		{"long after it ended", 300 * day, host, true, false},
		{"when a third of the authority is left", 7 * 365 * day, host, true, true},
		{"for another host", day, "10.0.0.1", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := made(t)
			kept := maps.Clone(before)
			now := begin.Add(c.after)
			data, changed, err := renewed(before, c.host, now)
			if err != nil || changed != c.serving {
				t.Fatalf("changed: %v, %v", changed, err)
			}
			if !maps.EqualFunc(before, kept, func(a, b []byte) bool { return string(a) == string(b) }) {
				t.Error("what it was given was changed")
			}
			if got := string(data[corev1.TLSCertKey]) != string(kept[corev1.TLSCertKey]); got != c.serving {
				t.Errorf("another certificate: %v", got)
			}
			if got := string(data[authorityCert]) != string(kept[authorityCert]); got != c.other {
				t.Errorf("another authority: %v", got)
			}
			for which, authority := range map[string][]byte{"new": data[authorityCert], "first": kept[authorityCert]} {
				if err := trusted(t, authority, data, c.host, now); err != nil {
					t.Errorf("a pod with the %s authority does not trust the gateway: %v", which, err)
				}
			}
			if trusted(t, data[authorityCert], data, "elsewhere.svc", now) == nil {
				t.Error("it is for any host")
			}
		})
	}
}

func TestWhatSomebodyElseFilledStays(t *testing.T) {
	data := made(t)
	delete(data, authorityKey)
	if _, changed, err := renewed(data, "another.svc", begin.Add(20*365*24*time.Hour)); changed || err != nil {
		t.Errorf("changed: %v, %v", changed, err)
	}
}

func TestABrokenSecretSaysWhatToDo(t *testing.T) {
	data := made(t)
	data[authorityKey] = []byte("nonsense")
	if _, _, err := renewed(data, host, begin); err == nil || !strings.Contains(err.Error(), "empty the Secret") {
		t.Errorf("got %v", err)
	}
	data = made(t)
	data[corev1.TLSPrivateKeyKey] = nil // lost: only the certificate is made again
	again, changed, err := renewed(data, host, begin)
	if err != nil || !changed || trusted(t, data[authorityCert], again, host, begin) != nil {
		t.Errorf("changed: %v, %v", changed, err)
	}
}
