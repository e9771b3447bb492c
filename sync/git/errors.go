package git

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/assay-dev/assay/api/fault"
)

// remedies that more than one fault has; they name keys of the Secret.
const (
	checkCredential = "check the keys username and password, or bearerToken, of the Secret, and that the credential may read the repository"
	checkIdentity   = "check the key identity of the Secret, and that its public half may read the repository"
	checkRepository = "check the URL, and that the credential may read the repository"
)

// classify makes a fault of whatever an operation met; it is the one place that does. Texts
// are built from parts that stay the same from one attempt to the next, which those of
// package net do not, and never from what could hold a credential.
func classify(err error, e Endpoint, l location) error {
	if err == nil {
		return nil
	}
	place := fault.Place{Repository: l.String()}
	if errors.As(err, new(*fault.Fault)) {
		if met := onTheWay(err); met != nil && met.Op == connectingProxy {
			place.Field = "spec.proxySecretRef.name"
		}
		return fault.At(err, place)
	}
	f := classifyProxy(err, e, l)
	for _, next := range []func() *fault.Fault{
		func() *fault.Fault { return classifyTrust(err, l) },
		func() *fault.Fault { return classifyAnswer(err, e, l) },
		func() *fault.Fault { return classifyLimit(err) },
		func() *fault.Fault { return classifyNetwork(err, e, l) },
	} {
		if f == nil {
			f = next()
		}
	}
	if f == nil {
		f = fault.New(fault.HostFailed, place, "", "%q sent what is not Git's protocol: %s", l.host, said(err.Error()))
	}
	f.Place.Repository, f.Err = place.Repository, err
	return f
}

// classifyTrust is for certificates and host keys.
func classifyTrust(err error, l location) *fault.Fault {
	var redirect redirectError
	var unknown *knownhosts.KeyError
	var revoked *knownhosts.RevokedError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.As(err, &redirect):
		return fault.New(fault.HostNotTrusted, fault.Place{}, "use the URL it leads to, if that is right", "%q redirects to %q, where credentials are not sent", l.host, redirect.to)
	case errors.As(err, &unknown) && len(unknown.Want) == 0:
		return fault.New(fault.HostNotTrusted, fault.Place{}, "add what ssh-keyscan prints for the host to the key known_hosts of the Secret, once compared with what the host publishes", "the key of %q is not known", l.host)
	case errors.As(err, &unknown), errors.As(err, &revoked):
		return fault.New(fault.HostNotTrusted, fault.Place{}, "find out why it changed before changing the key known_hosts of the Secret", "the key of %q is not the known one", l.host)
	case errors.As(err, &verification):
		return fault.New(fault.HostNotTrusted, fault.Place{}, "put the certificate of its authority into the key ca.crt of the Secret", "the certificate of %q is not trusted: %s", l.host, certificateCause(verification.Err))
	}
	return nil
}

func certificateCause(err error) string {
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return "unknown authority"
	case errors.As(err, new(x509.HostnameError)):
		return "it is for another name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it is expired or not valid yet"
	}
	return "it does not verify"
}

// classifyAnswer is for what a host says in HTTP, ssh or Git.
func classifyAnswer(err error, e Endpoint, l location) *fault.Fault {
	var status statusError
	var exit exitError
	var line *pktline.ErrorLine
	var remote remoteError
	var op *net.OpError
	switch {
	case errors.As(err, &status):
		return classifyStatus(status, e, l)
	case errors.As(err, new(refusedKeyError)):
		return fault.New(fault.AuthenticationFailed, fault.Place{}, checkIdentity, "%q refuses the ssh key", l.host)
	case errors.As(err, &op) && op.Op == "remote error": // an alert of TLS
		return fault.New(fault.AuthenticationFailed, fault.Place{}, "check the keys tls.crt and tls.key of the Secret", "%q refuses the TLS connection: %v", l.host, op.Err)
	case errors.As(err, new(notGitError)):
		return fault.New(fault.RepositoryNotFound, fault.Place{}, checkRepository, "%q answers, but not with Git's smart protocol", l.host)
	case errors.As(err, &exit):
		return fault.New(fault.RepositoryNotFound, fault.Place{}, checkRepository, "%q does not serve the repository: %q", l.host, exit.said)
	case errors.As(err, &remote):
		return fault.New(fault.HostFailed, fault.Place{}, "", "%q gave up while it sent: %q", l.host, remote.said)
	case errors.As(err, &line):
		return fault.New(fault.RepositoryNotFound, fault.Place{}, checkRepository, "%q does not serve the repository: %q", l.host, firstLine(line.Text))
	}
	return nil
}

func classifyStatus(status statusError, e Endpoint, l location) *fault.Fault {
	var f *fault.Fault
	switch code := status.code; {
	case status.busy():
		f = fault.New(fault.RateLimited, fault.Place{}, "", "%q asks to come back later", l.host)
	case code == http.StatusUnauthorized && e.Auth.anonymous():
		f = fault.New(fault.AuthenticationFailed, fault.Place{}, "give a Secret with the keys username and password, or bearerToken, and check the URL", "%q asks for a credential", l.host)
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		f = fault.New(fault.AuthenticationFailed, fault.Place{}, checkCredential, "%q refuses the credential with %v", l.host, status)
	case code == http.StatusNotFound, code == http.StatusGone:
		f = fault.New(fault.RepositoryNotFound, fault.Place{}, checkRepository, "%q knows no such repository", l.host)
	default:
		f = fault.New(fault.HostFailed, fault.Place{}, "", "%q fails with %v", l.host, status)
	}
	f.After = status.after
	return f
}

func (a Auth) anonymous() bool { return a.Username == "" && a.Password == "" && a.BearerToken == "" }

func classifyLimit(err error) *fault.Fault {
	var limit limitError
	if !errors.As(err, &limit) {
		return nil
	}
	remedy := "make the repository smaller, raise the limit, or let the host serve partial clones (uploadpack.allowFilter)"
	if limit.what == "refs" {
		remedy = "delete refs that are not needed, or raise the limit"
	}
	return fault.New(fault.LimitExceeded, fault.Place{}, remedy, "the repository has %v", limit)
}

// classifyNetwork is for hosts that cannot be reached or stop answering.
func classifyNetwork(err error, e Endpoint, l location) *fault.Fault {
	var name *net.DNSError
	var op *net.OpError
	var network net.Error
	switch {
	case errors.Is(err, errBusy):
		f := fault.New(fault.HostBusy, fault.Place{}, "", "%q is asked for as much at once as it may be, and enough is waiting", l.host)
		f.After = time.Second + rand.N(2*time.Second) // not all at once
		return f
	case errors.Is(err, context.Canceled):
		return fault.New(fault.HostUnreachable, fault.Place{}, "", "asking %q was cancelled", l.host)
	case errors.Is(err, context.DeadlineExceeded):
		return unanswered(e, l)
	case errors.As(err, &name):
		return fault.New(fault.HostUnreachable, fault.Place{}, "check the name in the URL, and the cluster's DNS", "the name %q cannot be resolved", l.host)
	case errors.As(err, &network) && network.Timeout():
		return unanswered(e, l)
	case errors.As(err, &op) && op.Op == "dial":
		return fault.New(fault.HostUnreachable, fault.Place{}, "check the URL, and the network policies of the cluster", "%q cannot be reached: %v", l.host, innermost(op))
	case errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return fault.New(fault.HostFailed, fault.Place{}, "", "%q closed the connection", l.host)
	case errors.As(err, new(tls.RecordHeaderError)):
		return fault.New(fault.HostFailed, fault.Place{}, "check the port in the URL", "%q does not speak TLS", l.host)
	}
	if errors.As(err, new(*url.Error)) { // its text may hold what was answered, by whoever is there
		return fault.New(fault.HostFailed, fault.Place{}, checkRepository, "%q does not answer as Git hosts do", l.host)
	}
	return nil
}

func unanswered(e Endpoint, l location) *fault.Fault {
	return fault.New(fault.HostUnreachable, fault.Place{}, "check the host, and the network policies of the cluster", "%q did not answer within %s", l.host, e.timeout().Round(time.Millisecond))
}

// innermost is the cause without addresses, whose ports change from one attempt to the next.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// missingCommit is the fault for a commit that the host does not (or no longer) give out.
func missingCommit(l location, commit string, err error) error {
	said := ""
	var line *pktline.ErrorLine
	if errors.As(err, &line) {
		said = fmt.Sprintf(": %q", firstLine(line.Text))
	}
	f := fault.New(fault.RefNotFound, fault.Place{Repository: l.String(), Commit: commit},
		"push the commit, or check whether a force push replaced it", "%q does not give out the commit%s", l.host, said)
	f.Err = err
	return f
}
