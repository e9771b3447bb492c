package gitea

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/providers"
)

// maxAnswer is the most that is read of one answer. Gitea gives all comments of a pull
// request in one.
const maxAnswer = 32 << 20

// newHTTP gives a client that stays on the host it was sent to, with the CA trusted beside
// the system's.
func newHTTP(config providers.Config) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.IdleConnTimeout = 30 * time.Second
	transport.MaxIdleConnsPerHost = 2
	if config.Proxy != nil {
		transport.Proxy = http.ProxyURL(config.Proxy)
	}
	if config.Dial != nil {
		transport.DialContext = config.Dial
	}
	if len(config.CA) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(config.CA) {
			return nil, fault.New(fault.SecretInvalid, fault.Place{Field: "spec.secretRef"},
				"put PEM certificates into it", "the Secret's key ca.crt holds no certificate")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	timeout := config.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	return &http.Client{
		Transport:     worded{bounded{transport}},
		CheckRedirect: sameHost,
		Timeout:       timeout,
	}, nil
}

var errRedirect = errors.New("redirect to another host")

// sameHost follows redirects (a renamed repository) within the host and its scheme only.
func sameHost(request *http.Request, via []*http.Request) error {
	first := via[0].URL
	if request.URL.Host != first.Host || request.URL.Scheme != first.Scheme || len(via) > 5 {
		return errRedirect
	}
	return nil
}

// bounded limits the bodies of answers.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(request)
	if err == nil {
		response.Body = &boundedBody{ReadCloser: response.Body, left: maxAnswer}
	}
	return response, err
}

var errTooLarge = errors.New("answer too large")

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
