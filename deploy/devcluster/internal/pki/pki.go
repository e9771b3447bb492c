// Package pki issues the certificates of one cluster from authorities of its own. In: names and addresses. Out: PEM files
// (keys 0600). Existing files are kept, so that a restarted cluster keeps its identity.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const lifetime = 10 * 365 * 24 * time.Hour

// Authority signs certificates and lives in a folder as NAME.crt and NAME.key.
type Authority struct {
	folder      string
	name        string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority loads the authority of that name, or makes it.
func NewAuthority(folder, name string, now time.Time) (*Authority, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	a := &Authority{folder: folder, name: name}
	if !exists(a.CertificateFile()) {
		if err := a.create(now); err != nil {
			return nil, fmt.Errorf("authority %s: %w", name, err)
		}
	}
	return a, a.load()
}

// CertificateFile is the authority's own certificate, what others trust.
func (a *Authority) CertificateFile() string { return filepath.Join(a.folder, a.name+".crt") }

// KeyFile is the authority's private key.
func (a *Authority) KeyFile() string { return filepath.Join(a.folder, a.name+".key") }

// Leaf is one certificate to issue: a client when it has no hosts, otherwise a server that may also act as a client.
type Leaf struct {
	File         string // base name of the files
	CommonName   string // the user, for a client of Kubernetes
	Organization []string
	Hosts        []string // DNS names and IP addresses
}

// Issue writes FILE.crt and FILE.key unless they exist.
func (a *Authority) Issue(leaf Leaf, now time.Time) error {
	path := filepath.Join(a.folder, leaf.File)
	if exists(path + ".crt") {
		return nil
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: leaf.CommonName, Organization: leaf.Organization},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if len(leaf.Hosts) > 0 {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	for _, host := range leaf.Hosts {
		if address := net.ParseIP(host); address != nil {
			template.IPAddresses = append(template.IPAddresses, address)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	if err := write(path, template, a.certificate, a.key, now); err != nil {
		return fmt.Errorf("certificate %s: %w", leaf.File, err)
	}
	return nil
}

// IssueKey writes FILE.key and FILE.pub, a pair without a certificate (service account tokens), unless they exist.
func IssueKey(path string) error {
	if exists(path + ".pub") {
		return nil
	}
	key, err := newKey(path + ".key")
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return writePEM(path+".pub", "PUBLIC KEY", public, 0o644)
}

func (a *Authority) create(now time.Time) error {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "assay devcluster " + a.name},
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	return write(filepath.Join(a.folder, a.name), template, nil, nil, now)
}

func (a *Authority) load() error {
	certificate, err := readPEM(a.CertificateFile())
	if err != nil {
		return err
	}
	key, err := readPEM(a.KeyFile())
	if err != nil {
		return err
	}
	if a.certificate, err = x509.ParseCertificate(certificate); err != nil {
		return fmt.Errorf("%s: %w", a.CertificateFile(), err)
	}
	if a.key, err = x509.ParseECPrivateKey(key); err != nil {
		return fmt.Errorf("%s: %w", a.KeyFile(), err)
	}
	return nil
}

// write makes a key, signs the template with the parent (nil: with itself) and writes both; the certificate last, because
// its presence says that the pair is whole.
func write(path string, template, parent *x509.Certificate, signer *ecdsa.PrivateKey, now time.Time) error {
	key, err := newKey(path + ".key")
	if err != nil {
		return err
	}
	if parent == nil {
		parent, signer = template, key
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return err
	}
	template.NotBefore, template.NotAfter = now.Add(-time.Hour), now.Add(lifetime)
	signed, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return err
	}
	return writePEM(path+".crt", "CERTIFICATE", signed, 0o644)
}

func newKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	encoded, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(path, "EC PRIVATE KEY", encoded, 0o600)
}

func writePEM(path, kind string, content []byte, mode os.FileMode) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), mode)
}

func readPEM(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM block: delete the folder", path)
	}
	return block.Bytes, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
