//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

// TestE2EAHostThatHangsHoldsUpNobody has many repositories on a host that takes connections and
// says nothing, each for a minute, and one on a host that answers. One after the other, they
// would keep that one waiting for longer than the test has patience.
func TestE2EAHostThatHangsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	hanging := startHanging(t)
	tenant := newTenant(t, "hang", nil)
	repo, main := newRepository(t, "hang", catalog(tenant.Name, map[string]string{"api.yaml": shell("api", "true")}))
	for i := range 100 {
		_, err := tenant.Sync(deadline(t), repo, func(r *v1alpha1.TestRepository) {
			r.Name, r.Spec.Provider = fmt.Sprintf("hang-%d", i), v1alpha1.ProviderPlain
			r.Spec.URL = fmt.Sprintf("http://%s/%d", hanging.address, i/2) // two share an answer
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	hanging.untilFull(t)
	if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
		t.Fatal(err)
	}
	expectStatus(t, repo, main, tenant.Name, "success", "")
	second := push(t, repo, "main", map[string]string{"README.md": "again\n"})
	expectStatus(t, repo, second, tenant.Name, "success", "")
	hanging.untilFull(t) // or it proves nothing
}

// hanging is a host that hangs.
type hanging struct {
	address string
	open    atomic.Int32 // connections
}

func startHanging(t *testing.T) *hanging {
	t.Helper()
	listener := listen(t)
	h := &hanging{address: listener.Addr().String()}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
	})
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return // it is closed
			}
			h.open.Add(1)
			context.AfterFunc(ctx, func() { _ = connection.Close() })
			go func() {
				_, _ = io.Copy(io.Discard, connection)
				h.open.Add(-1)
			}()
		}
	}()
	return h
}

// untilFull waits until the host is asked for as much at once as it may be.
func (h *hanging) untilFull(t *testing.T) {
	t.Helper()
	const atOnce = 8
	err := world.Until(deadline(t), "the host is asked for as much as it may be", func(context.Context) (bool, error) {
		return h.open.Load() == atOnce, nil
	})
	if err != nil {
		t.Fatalf("%v; it is asked for %d", err, h.open.Load())
	}
}

// listen listens where this machine is reached by those who reach Gitea.
func listen(t *testing.T) net.Listener {
	t.Helper()
	gitea, err := url.Parse(w.GiteaURL)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := net.DialTimeout("tcp", gitea.Host, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	address, _, err := net.SplitHostPort(connection.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	return listener
}
