package git

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"

	"github.com/assay-dev/assay/api/fault"
)

// sshConnection is a [connection] over ssh: one connection with, in version 2, one channel for
// all commands, and in version 0, one for each pack.
type sshConnection struct {
	client  *ssh.Client
	program string // what the host is to run
	limits  Limits
	stop    func() bool // ends the watch on ctx
	channel *sshChannel // advertised, and ready for a command or a pack
}

// sshChannel is one git-upload-pack that runs on the host.
type sshChannel struct {
	session *ssh.Session
	in      io.WriteCloser
	out     *packets
	errors  *bytes.Buffer
}

func (c *Client) openSSH(ctx context.Context, e Endpoint, l location) (connection, error) {
	signer, err := signer(e.Auth)
	if err != nil {
		return nil, err
	}
	hosts, err := knownHosts(e.Auth)
	if err != nil {
		return nil, err
	}
	var trusted bool
	config := &ssh.ClientConfig{
		User: l.user,
		Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: func(name string, remote net.Addr, key ssh.PublicKey) error {
			err := hosts.HostKeyCallback()(name, remote, key)
			trusted = err == nil
			return err
		},
		HostKeyAlgorithms: hosts.HostKeyAlgorithms(l.address()),
		ClientVersion:     "SSH-2.0-" + sshSafe(c.options.UserAgent),
	}
	conn, err := c.dial(ctx, e, l)
	if err != nil {
		return nil, err
	}
	// x/crypto/ssh knows no context: closing the connection is what ends a handshake or a read.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	connected, channels, requests, err := ssh.NewClientConn(conn, l.address(), config)
	if err != nil {
		stop()
		_ = conn.Close()
		if trusted && ctx.Err() == nil {
			return nil, refusedKeyError{err}
		}
		return nil, err
	}
	return &sshConnection{
		client: ssh.NewClient(connected, channels, requests), limits: c.options.Limits, stop: stop,
		program: "git-upload-pack " + shellQuote(l.path),
	}, nil
}

// refusedKeyError is a handshake that failed after the host's own key was accepted.
type refusedKeyError struct{ error }

func (e refusedKeyError) Unwrap() error { return e.error }

func signer(a Auth) (ssh.Signer, error) {
	if len(a.Identity) == 0 {
		return nil, fault.New(fault.SecretInvalid, fault.Place{Field: "identity"}, "set the keys identity and known_hosts of the Secret", "ssh needs a private key")
	}
	key, err := ssh.ParsePrivateKey(a.Identity)
	if errors.As(err, new(*ssh.PassphraseMissingError)) {
		key, err = ssh.ParsePrivateKeyWithPassphrase(a.Identity, a.IdentityPassword)
	}
	if err != nil {
		return nil, fault.New(fault.SecretInvalid, fault.Place{Field: "identity"}, "store a private key in PEM under identity, and its passphrase under password", "the private key cannot be read")
	}
	return key, nil
}

// knownHosts parses the lines that the host's key must match. The library takes files only.
func knownHosts(a Auth) (*knownhosts.HostKeyDB, error) {
	if len(bytes.TrimSpace(a.KnownHosts)) == 0 {
		return nil, fault.New(fault.SecretInvalid, fault.Place{Field: "known_hosts"}, "set the key known_hosts of the Secret to what ssh-keyscan prints for the host", "ssh needs the keys of known hosts")
	}
	file, err := os.CreateTemp("", "known_hosts")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(a.KnownHosts)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	db, err := knownhosts.NewDB(file.Name())
	if err != nil {
		return nil, fault.New(fault.SecretInvalid, fault.Place{Field: "known_hosts"}, "store what ssh-keyscan prints for the host", "the keys of known hosts cannot be read")
	}
	return db, nil
}

func (s *sshConnection) advertise(context.Context) (*advertisement, error) {
	if err := s.start(); err != nil {
		return nil, err
	}
	if _, err := s.channel.out.r.Peek(1); errors.Is(err, io.EOF) {
		// Nothing but an exit status, and perhaps a word on the other stream.
		if waited := s.channel.session.Wait(); errors.As(waited, new(*ssh.ExitError)) {
			return nil, exitError{firstLine(s.channel.errors.String())}
		}
		return nil, io.ErrUnexpectedEOF
	}
	return decodeAdvertisement(s.channel.out, s.limits)
}

// exitError is an upload-pack that ended without an answer.
type exitError struct{ said string }

func (e exitError) Error() string { return "upload-pack ended: " + e.said }

// ready gives the channel that has advertised, or a new one, whose advertisement is passed
// over.
func (s *sshConnection) ready(ctx context.Context) (*sshChannel, error) {
	if s.channel == nil {
		if _, err := s.advertise(ctx); err != nil {
			return nil, err
		}
	}
	return s.channel, nil
}

func (s *sshConnection) command(ctx context.Context, request []byte) (*answer, error) {
	channel, err := s.ready(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := channel.in.Write(request); err != nil {
		s.drop()
		return nil, err
	}
	return &answer{channel.out, func() {
		if !channel.out.ended {
			s.drop() // the host says something else than was read, or nothing any more
		}
	}}, nil
}

func (s *sshConnection) uploadPack(ctx context.Context, request []byte) (io.ReadCloser, error) {
	channel, err := s.ready(ctx)
	if err != nil {
		return nil, err
	}
	_, err = channel.in.Write(request)
	if err := errors.Join(err, channel.in.Close()); err != nil {
		s.drop()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{channel.out.r, closer(s.drop)}, nil
}

// drop ends the channel; the next request opens another one.
func (s *sshConnection) drop() {
	if s.channel != nil {
		_ = s.channel.session.Close()
		s.channel.out.release()
		s.channel = nil
	}
}

func (s *sshConnection) start() error {
	s.drop()
	session, err := s.client.NewSession()
	if err != nil {
		return err
	}
	// Many hosts take no variables, and it takes time to be told: their answer is in version 0.
	_, err = session.SendRequest("env", false, ssh.Marshal(struct{ Name, Value string }{"GIT_PROTOCOL", protocolVersion}))
	if err != nil {
		_ = session.Close()
		return err
	}
	c := &sshChannel{session: session, errors: &bytes.Buffer{}}
	session.Stderr = &capped{into: c.errors, left: 1 << 10}
	if c.in, err = session.StdinPipe(); err == nil {
		var out io.Reader
		if out, err = session.StdoutPipe(); err == nil {
			c.out = newPackets(out)
		}
	}
	if err == nil {
		err = session.Start(s.program)
	}
	s.channel = c
	if err != nil {
		s.drop()
		return err
	}
	return nil
}

func (s *sshConnection) Close() error {
	s.drop()
	s.stop()
	return s.client.Close()
}

// capped keeps the first bytes written to it and takes the rest without complaint.
type capped struct {
	into *bytes.Buffer
	left int
}

func (c *capped) Write(p []byte) (int, error) {
	kept := p[:min(len(p), c.left)]
	c.left -= len(kept)
	c.into.Write(kept)
	return len(p), nil
}

// shellQuote makes one word of a path for the shell on the host, as Git's sq_quote_buf does.
func shellQuote(s string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(s) + "'"
}

// sshSafe leaves what a version string of ssh may hold.
func sshSafe(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f || r == '-' {
			return '_'
		}
		return r
	}, s)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(strings.ToValidUTF8(s, "")), "\n")
	return clip(strings.TrimSpace(line))
}
