package gitea

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/assay-dev/assay/api/fault"
)

// classify turns what the SDK returned into a fault. Its texts hold neither tokens nor
// anything that changes from one try to the next, such as local ports.
func (f *forge) classify(ctx context.Context, response *sdk.Response, err error) error {
	if response == nil || response.Response == nil || response.StatusCode/100 == 2 {
		return f.classifyTransport(ctx, err)
	}
	code := response.StatusCode
	says := fmt.Sprintf("the forge answers %d", code)
	if text := strings.TrimSpace(err.Error()); text != "" { // see [worded]
		says += ": " + text
	}
	out := &fault.Fault{Place: f.place(), Message: says, Err: err}
	switch {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		out.Reason = fault.AuthenticationFailed
		out.Remedy = "put a token with the scopes write:repository, write:issue and read:user into the Secret's key apiToken, and give its user write permission"
		if f.config.Token == "" {
			out.Remedy = "name a Secret in spec.secretRef whose key apiToken holds a token with the scopes write:repository, write:issue and read:user"
		}
	case code == http.StatusNotFound:
		out.Reason = fault.RepositoryNotFound
		out.Remedy = "check spec.url, and that the token's user may see the repository"
	case code == http.StatusTooManyRequests:
		out.Reason, out.After = fault.RateLimited, retryAfter(response.Header)
	case code >= 500:
		out.Reason, out.After = fault.HostFailed, retryAfter(response.Header)
	default:
		// We sent something that Gitea does not take, which is our bug.
		out.Reason = fault.InternalError
	}
	return out
}

// classifyTransport is for requests without an answer, or with one that breaks off.
func (f *forge) classifyTransport(ctx context.Context, err error) error {
	out := &fault.Fault{Reason: fault.HostUnreachable, Place: f.place(), Err: err}
	host := f.root.Host
	var (
		refused     *fault.Fault
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		dns         *net.DNSError
		errno       syscall.Errno
		network     net.Error
		syntax      *json.SyntaxError
		field       *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &refused): // by Config.Dial
		return fault.At(refused, f.place())
	case errors.As(err, &certificate):
		out.Reason, out.Message = fault.HostNotTrusted, fmt.Sprintf("the certificate of %q is not trusted: %s", host, certificate.Err)
		out.Remedy = "put the certificate of its authority into the Secret's key ca.crt"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		out.Reason, out.Message = fault.HostNotTrusted, fmt.Sprintf("%q does not speak TLS on this port", host)
	case errors.Is(err, errRedirect):
		out.Reason, out.Message = fault.HostNotTrusted, fmt.Sprintf("%q redirects to another host, where the token is not sent", host)
		out.Remedy = "set spec.apiURL to the forge's real root"
	case errors.Is(err, errTooLarge):
		out.Reason, out.Message = fault.LimitExceeded, fmt.Sprintf("an answer of %q is larger than %d MiB", host, maxAnswer>>20)
	case errors.As(err, &syntax), errors.As(err, &field):
		out.Reason, out.Message = fault.HostFailed, fmt.Sprintf("%q does not answer like Gitea", host)
	case ctx.Err() != nil:
		out.Message, out.Err = fmt.Sprintf("no answer from %q before the operation ended", host), ctx.Err()
	case errors.As(err, &dns):
		out.Message = fmt.Sprintf("no such host: %q", dns.Name)
	case errors.As(err, &errno):
		out.Message = fmt.Sprintf("no answer from %q: %s", host, errno.Error())
	case errors.As(err, &network) && network.Timeout():
		out.Message = fmt.Sprintf("no answer from %q within %s", host, f.http.Timeout)
	default:
		out.Message = fmt.Sprintf("no answer from %q", host)
	}
	return out
}

// retryAfter reads the header in both of its forms; 0 when it says nothing, at most an hour.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	var wait time.Duration
	if seconds, err := strconv.Atoi(value); err == nil {
		wait = time.Duration(min(max(seconds, 0), 3600)) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = time.Until(at).Round(time.Second)
	}
	return min(max(wait, 0), time.Hour)
}

// gone says whether asking for the thing itself is answered with 404. Gitea answers a write
// to a commit or pull request that it does not have with 404 or 500, depending on version.
func (f *forge) gone(response *sdk.Response, ask func() (*sdk.Response, error)) bool {
	if response == nil || response.Response == nil || (response.StatusCode != http.StatusNotFound && response.StatusCode != http.StatusInternalServerError) {
		return false
	}
	again, err := ask()
	return err != nil && again != nil && again.Response != nil && again.StatusCode == http.StatusNotFound
}

// repositoryExists tells what is missing after a 404: the repository, or something in it.
func (f *forge) repositoryExists(client *sdk.Client) bool {
	_, _, err := client.GetRepo(f.repository.Owner, f.repository.Name)
	return err == nil
}

func (f *forge) refNotFound(what string, err error) error {
	return &fault.Fault{Reason: fault.RefNotFound, Place: f.place(), Message: what + " is not there (any more)", Err: err}
}
