package git_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/assay-dev/assay/sync/git"
)

// sshHost serves repositories over ssh with the real git-upload-pack.
type sshHost struct {
	repository *repository
	address    string
	key        ssh.Signer // of the host
	identity   []byte     // the only key it lets in
	// old takes no variables, as most sshd, so that Git answers in version 0.
	old      bool
	channels atomic.Int32
}

func newSSHHost(t testing.TB, r *repository) *sshHost {
	t.Helper()
	h := &sshHost{repository: r}
	h.key, _ = newKey(t)
	client, pem := newKey(t)
	h.identity = pem
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(client.PublicKey().Marshal()) {
			return nil, fmt.Errorf("not that key")
		}
		return nil, nil
	}}
	config.AddHostKey(h.key)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	h.address = listener.Addr().String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go h.serve(conn, config)
		}
	}()
	return h
}

func newKey(t testing.TB) (ssh.Signer, []byte) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	return signer, pem.EncodeToMemory(block)
}

func (h *sshHost) serve(conn net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for open := range channels {
		channel, requests, err := open.Accept()
		if err != nil {
			return
		}
		go func() {
			env := gitEnv()
			for request := range requests {
				var variable struct{ Name, Value string }
				switch {
				case request.Type == "exec":
					_ = request.Reply(true, nil)
					h.channels.Add(1)
					h.run(channel, request.Payload, env)
				case request.Type == "env" && !h.old && ssh.Unmarshal(request.Payload, &variable) == nil:
					env = append(env, variable.Name+"="+variable.Value)
					fallthrough
				default:
					_ = request.Reply(request.Type == "env" && !h.old, nil)
				}
			}
		}()
	}
}

// run executes the command as sshd does: through a shell.
func (h *sshHost) run(channel ssh.Channel, payload []byte, env []string) {
	var asked struct{ Command string }
	status := uint32(127)
	if err := ssh.Unmarshal(payload, &asked); err == nil && strings.HasPrefix(asked.Command, "git-upload-pack '") {
		cmd := exec.Command("/bin/sh", "-c", strings.Replace(asked.Command, "git-upload-pack", "git upload-pack", 1))
		cmd.Env = env
		cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
		in, err := cmd.StdinPipe()
		if err == nil {
			go func() {
				_, _ = io.Copy(in, channel)
				_ = in.Close()
			}()
			_ = cmd.Run()
			status = uint32(cmd.ProcessState.ExitCode())
		}
	}
	_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
	_ = channel.Close()
}

func (h *sshHost) endpoint() git.Endpoint {
	return git.Endpoint{
		URL:  "ssh://git@" + h.address + h.repository.dir,
		Auth: git.Auth{Identity: h.identity, KnownHosts: []byte(knownhosts.Line([]string{h.address}, h.key.PublicKey()))},
	}
}

// locked gives a private key under a passphrase.
func locked(t testing.TB, identity []byte, passphrase string) []byte {
	t.Helper()
	key, err := ssh.ParseRawPrivateKey(identity)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block)
}
