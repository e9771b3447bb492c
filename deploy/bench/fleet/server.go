package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/sync/git"
)

// server is the process that serves the repositories below a folder.
type server struct {
	dir, url, ca string // ca is the file with its certificate
	process      *exec.Cmd
	in           io.Closer
	client       *http.Client
}

// loopback lets the server be reached.
func loopback() git.Reach {
	reach, err := git.NewReach("127.0.0.0/8")
	if err != nil {
		panic(err) // it is what is written above
	}
	return reach
}

// used is what a server had to do.
type used struct {
	Requests, Sent int64
	CPU            time.Duration
}

func (u used) since(before used) used {
	return used{u.Requests - before.Requests, u.Sent - before.Sent, u.CPU - before.CPU}
}

// attach is a server that another process started.
func attach(url, ca string) (*server, error) {
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &server{url: url, ca: ca, client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}}, nil
}

// startServer starts one in this program, which ends when this process does.
func startServer(ctx context.Context, dir string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, ca: filepath.Join(dir, "ca.pem"), process: exec.CommandContext(ctx, self, "serve", dir)}
	s.process.Stderr = os.Stderr
	if s.in, err = s.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the server did not start: %w", err)
	}
	client, err := attach(strings.TrimSpace(line), s.ca)
	if err != nil {
		return nil, err
	}
	s.url, s.client = client.url, client.client
	return s, nil
}

func (s *server) stop() {
	_ = s.in.Close()
	_ = s.process.Wait()
}

// used asks the server what it had to do so far.
func (s *server) used(ctx context.Context) (used, error) {
	var u used
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/used", nil)
	if err != nil {
		return u, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return u, err
	}
	defer func() { _ = response.Body.Close() }()
	return u, json.NewDecoder(response.Body).Decode(&u)
}

// serve is the process of the server. It ends with its standard input.
func serve(_ context.Context, args []string) (any, error) {
	dir := args[0]
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return nil, err
	}
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"), Stderr: io.Discard, Logger: log.New(io.Discard, "", 0),
		Env: append(gitEnv(), "GIT_PROJECT_ROOT="+dir, "GIT_HTTP_EXPORT_ALL=1"),
	}
	var requests, sent atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/used", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(used{requests.Load(), sent.Load(), ownCPU() + childrenCPU()})
	})
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		backend.ServeHTTP(counting{w, &sent}, r)
	})
	mux.Handle("/", counted)
	mux.Handle("/v0/", http.StripPrefix("/v0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Git-Protocol")
		counted(w, r)
	})))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	pair, err := certificate(filepath.Join(dir, "ca.pem"))
	if err != nil {
		return nil, err
	}
	web := &http.Server{Handler: mux, TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}}, ErrorLog: log.New(io.Discard, "", 0)}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = web.Close()
	}()
	fmt.Println("https://" + listener.Addr().String())
	if err := web.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return nil, err
	}
	return nil, nil
}

type counting struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (c counting) Write(p []byte) (int, error) {
	c.sent.Add(int64(len(p)))
	return c.ResponseWriter.Write(p)
}

// certificate makes one for the loopback, and writes it to a file for clients to trust.
func certificate(file string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	encoded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, os.WriteFile(file, encoded, 0o600)
}

// endpoint is a repository of the server at the url, for Assay.
func endpoint(url, ca, name string) (git.Endpoint, error) {
	pem, err := os.ReadFile(ca)
	return git.Endpoint{URL: url + "/" + name, Auth: git.Auth{CA: pem}}, err
}
