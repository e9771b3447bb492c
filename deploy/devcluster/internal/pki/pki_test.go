package pki

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestIssuedCertificatesVerify(t *testing.T) {
	folder, now := t.TempDir(), time.Now()
	authority, err := NewAuthority(folder, "ca", now)
	if err != nil {
		t.Fatal(err)
	}
	leaf := Leaf{File: "server", CommonName: "server", Hosts: []string{"web.example", "10.0.0.1"}}
	if err := authority.Issue(leaf, now); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, "server.crt"), filepath.Join(folder, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	content, err := os.ReadFile(authority.CertificateFile())
	if err != nil {
		t.Fatal(err)
	}
	roots.AppendCertsFromPEM(content)
	for host, fine := range map[string]bool{"web.example": true, "10.0.0.1": true, "other.example": false} {
		if _, err := certificate.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); (err == nil) != fine {
			t.Errorf("%s: %v", host, err)
		}
	}
	info, err := os.Stat(filepath.Join(folder, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v", info.Mode())
	}
}

func TestAClientCertificateIsNoServer(t *testing.T) {
	folder, now := t.TempDir(), time.Now()
	authority, err := NewAuthority(folder, "ca", now)
	if err != nil {
		t.Fatal(err)
	}
	if err := authority.Issue(Leaf{File: "user", CommonName: "user", Organization: []string{"team"}}, now); err != nil {
		t.Fatal(err)
	}
	der, err := readPEM(filepath.Join(folder, "user.crt"))
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority.certificate)
	for usage, fine := range map[x509.ExtKeyUsage]bool{x509.ExtKeyUsageClientAuth: true, x509.ExtKeyUsageServerAuth: false} {
		if _, err := certificate.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{usage}}); (err == nil) != fine {
			t.Errorf("usage %v: %v", usage, err)
		}
	}
	if certificate.Subject.Organization[0] != "team" {
		t.Errorf("subject is %v", certificate.Subject)
	}
}

func TestASecondRunKeepsEverything(t *testing.T) {
	folder, now := t.TempDir(), time.Now()
	read := func() []byte {
		authority, err := NewAuthority(folder, "ca", now)
		if err != nil {
			t.Fatal(err)
		}
		if err := authority.Issue(Leaf{File: "user", CommonName: "user"}, now); err != nil {
			t.Fatal(err)
		}
		if err := IssueKey(filepath.Join(folder, "tokens")); err != nil {
			t.Fatal(err)
		}
		var all []byte
		for _, file := range []string{"ca.crt", "ca.key", "user.crt", "user.key", "tokens.key", "tokens.pub"} {
			content, err := os.ReadFile(filepath.Join(folder, file))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, content...)
		}
		return all
	}
	if !bytes.Equal(read(), read()) {
		t.Error("a second run made new keys")
	}
}
