package githubapp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/assay-dev/assay/api/fault"
)

// classifyStatus makes a fault of an answer that is no success. What GitHub writes beside the
// status is not repeated.
func (a *api) classifyStatus(response *http.Response) error {
	code, after := response.StatusCode, retryAfter(response.Header)
	reason, remedy := fault.HostFailed, ""
	switch {
	case code == http.StatusTooManyRequests, code == http.StatusForbidden && after > 0:
		reason = fault.RateLimited
	case code == http.StatusUnauthorized:
		reason, remedy = fault.AuthenticationFailed, "check the keys githubAppID and githubAppPrivateKey of the Secret, and the clock of the cluster's nodes"
	case code == http.StatusForbidden:
		reason, remedy = fault.AuthenticationFailed, "check that the App's installation is not suspended"
	case code == http.StatusNotFound:
		reason, remedy = fault.AuthenticationFailed, "check the keys githubAppInstallationID and githubAppBaseURL of the Secret, and that the App is still installed"
	case code == http.StatusUnprocessableEntity:
		reason, remedy = fault.AuthenticationFailed, "check that the App's installation may read repositories"
	}
	f := fault.New(reason, fault.Place{}, remedy, "%q answers the GitHub App with HTTP status %d", a.base.Host, code)
	f.After = after
	return f
}

// classify is for requests without an answer, or with one that breaks off. Its texts hold
// nothing that changes from one try to the next, such as local ports.
func (a *api) classify(ctx context.Context, err error) error {
	host := a.base.Host
	var (
		refused     *fault.Fault
		certificate *tls.CertificateVerificationError
		dns         *net.DNSError
		errno       syscall.Errno
	)
	unreachable := func(format string, args ...any) error {
		f := fault.New(fault.HostUnreachable, fault.Place{}, "check the key githubAppBaseURL of the Secret, the proxy, and the network policies of the cluster", format, args...)
		f.Err = err
		return f
	}
	switch {
	case errors.As(err, &refused): // by Options.Dial
		return refused
	case errors.Is(err, errRedirect):
		return fault.New(fault.HostNotTrusted, fault.Place{Field: "githubAppBaseURL"}, "use the URL it leads to, if that is right", "%q redirects, and the App's token is not sent on", host)
	case errors.As(err, &certificate):
		return fault.New(fault.HostNotTrusted, fault.Place{}, "put the certificate of its authority into the key ca.crt of the Secret", "the certificate of %q is not trusted", host)
	case errors.Is(ctx.Err(), context.Canceled):
		return unreachable("asking %q was cancelled", host)
	case ctx.Err() != nil:
		return unreachable("no answer from %q within %s", host, a.app.timeout())
	case errors.As(err, &dns):
		return unreachable("the name %q cannot be resolved", dns.Name)
	case errors.As(err, &errno):
		return unreachable("no answer from %q: %s", host, errno.Error())
	}
	return unreachable("no answer from %q", host)
}

// retryAfter reads when to come back, at most a day ahead, and GitHub's own way to say it.
func retryAfter(h http.Header) time.Duration {
	var after time.Duration
	if seconds, err := strconv.Atoi(h.Get("Retry-After")); err == nil {
		after = time.Duration(min(seconds, 86400)) * time.Second
	} else if reset, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil && h.Get("X-RateLimit-Remaining") == "0" {
		after = time.Until(time.Unix(reset, 0)).Round(time.Second)
	}
	return min(max(after, 0), 24*time.Hour)
}
