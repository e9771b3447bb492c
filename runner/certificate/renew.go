package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"maps"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// What the Secret holds beside tls.crt and tls.key, as cert-manager names it. authorityKey says that the controller made
// the authority, and keeps it.
const (
	authorityCert = "ca.crt"
	authorityKey  = "ca.key"
)

// How long they are valid. Both are renewed when a third of it is left.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	servingLife   = 90 * 24 * time.Hour
)

// renewed gives what the Secret should hold now, and whether that is something else. What somebody else filled stays.
//
// The authority keeps its key when it is renewed, so that whoever trusts the old certificate trusts what is signed under
// the new one: no pod that is under way loses the gateway.
func renewed(data map[string][]byte, host string, now time.Time) (map[string][]byte, bool, error) {
	if len(data[authorityKey]) == 0 && len(data[corev1.TLSCertKey]) > 0 {
		return data, false, nil
	}
	made := maps.Clone(data)
	if made == nil {
		made = map[string][]byte{}
	}
	authority, key, fresh, err := authorityOf(made, now)
	if err != nil {
		return nil, false, err
	}
	if !fresh && servesWell(made, authority, host, now) {
		return data, false, nil
	}
	made[corev1.TLSCertKey], made[corev1.TLSPrivateKeyKey], err = sign(authority, key, host, now)
	return made, true, err
}

// authorityOf gives the authority in the data, which it makes or renews where that is due.
func authorityOf(data map[string][]byte, now time.Time) (authority *x509.Certificate, key crypto.Signer, fresh bool, err error) {
	if len(data[authorityKey]) == 0 {
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, nil, false, fmt.Errorf("making a key: %w", err)
		}
		if data[authorityKey], err = keyutil.MarshalPrivateKeyToPEM(key); err != nil {
			return nil, nil, false, fmt.Errorf("encoding a key: %w", err)
		}
	} else if key, err = signer(data[authorityKey]); err != nil {
		return nil, nil, false, err
	}
	if there, err := cert.ParseCertsPEM(data[authorityCert]); err == nil && !due(there[0], now) {
		return there[0], key, false, nil
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Assay"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(authorityLife), // clocks differ
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, false, fmt.Errorf("making an authority: %w", err)
	}
	data[authorityCert] = encoded(der)
	authority, err = x509.ParseCertificate(der)
	return authority, key, true, err
}

func signer(data []byte) (crypto.Signer, error) {
	key, err := keyutil.ParsePrivateKeyPEM(data)
	if err != nil {
		return nil, fmt.Errorf("%s: empty the Secret, and it is made again: %w", authorityKey, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s cannot sign: empty the Secret, and it is made again", authorityKey)
	}
	return signer, nil
}

// servesWell says whether the certificate is the authority's, for the host, and has time left.
func servesWell(data map[string][]byte, authority *x509.Certificate, host string, now time.Time) bool {
	if _, err := tls.X509KeyPair(data[corev1.TLSCertKey], data[corev1.TLSPrivateKeyKey]); err != nil {
		return false
	}
	certs, err := cert.ParseCertsPEM(data[corev1.TLSCertKey])
	return err == nil && !due(certs[0], now) && certs[0].CheckSignatureFrom(authority) == nil && certs[0].VerifyHostname(host) == nil
}

// due says whether less than a third of its time is left.
func due(c *x509.Certificate, now time.Time) bool {
	return now.After(c.NotAfter.Add(-c.NotAfter.Sub(c.NotBefore) / 3))
}

// sign makes a certificate for the host with a key of its own.
func sign(authority *x509.Certificate, by crypto.Signer, host string, now time.Time) (certificate, key []byte, err error) {
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making a key: %w", err)
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Assay gateway"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(servingLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, authority, own.Public(), by)
	if err != nil {
		return nil, nil, fmt.Errorf("making a certificate: %w", err)
	}
	key, err = keyutil.MarshalPrivateKeyToPEM(own)
	return encoded(der), key, err
}

func encoded(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: der})
}
