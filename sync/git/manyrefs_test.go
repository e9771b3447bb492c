package git

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/assay-dev/assay/api/fault"
)

// crowded serves so many refs as a stream, in version 0 or 2; there is no repository behind it.
type crowded struct {
	refs int
	old  bool
}

func (c crowded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPost:
		w.Header().Set("Content-Type", resultType)
		c.list(w, "")
	case c.old:
		w.Header().Set("Content-Type", advertisementType)
		_, _ = io.WriteString(w, pkt(serviceLine+"\n", "flush"))
		c.list(w, "\x00agent=crowded")
	default:
		w.Header().Set("Content-Type", advertisementType)
		_, _ = io.WriteString(w, pkt("version 2\n", "ls-refs\n", "fetch=shallow filter\n", "flush"))
	}
}

// list writes the refs until all are written or nobody reads any more.
func (c crowded) list(w io.Writer, capabilities string) {
	for i := range c.refs {
		if _, err := io.WriteString(w, pkt(fmt.Sprintf("%s refs/heads/branch-%07d%s\n", hashA, i, capabilities))); err != nil {
			return
		}
		capabilities = ""
	}
	_, _ = io.WriteString(w, pkt("flush"))
}

// metered counts the bytes that come in.
type metered struct {
	net.Conn
	read *atomic.Int64
}

func (m metered) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	m.read.Add(int64(n))
	return n, err
}

// TestAMillionRefsAreNotReadToTheEnd: a host that lists ten times what is allowed costs no more
// than what is allowed, in either version, and the fault says what to do.
func TestAMillionRefsAreNotReadToTheEnd(t *testing.T) {
	const million, buffers = 1_000_000, 1 << 20
	limits := Limits{}.withDefaults()
	line := int64(len(pkt(fmt.Sprintf("%s refs/heads/branch-%07d\n", hashA, 0))))
	for name, tc := range map[string]struct {
		host crowded
		most int64 // bytes that may be read
	}{
		"version 0": {crowded{million, true}, refsBytes(limits)},
		"version 2": {crowded{million, false}, int64(limits.Refs) * line},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(tc.host)
			defer server.Close()
			var read atomic.Int64
			client := New(Options{Reach: Loopback, AllowHTTP: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := Loopback.Dial(ctx, network, address)
				return metered{conn, &read}, err
			}})
			refs, err := client.Refs(t.Context(), Endpoint{URL: server.URL + "/shop"}, Branches)
			if fault.ReasonOf(err) != fault.LimitExceeded || len(refs.Hashes) > 0 {
				t.Fatalf("got %d refs, %v", len(refs.Hashes), err)
			}
			if f := fault.All(err)[0]; f.Remedy == "" || !strings.Contains(f.Message, fmt.Sprint(limits.Refs)) || !strings.Contains(f.Place.Repository, "/shop") {
				t.Errorf("the fault does not say which limit, where, and what to do: %v", err)
			}
			if all := million * line; read.Load() > tc.most+buffers || tc.most+buffers > all/2 {
				t.Errorf("%d bytes were read of %d, at most %d are allowed", read.Load(), all, tc.most)
			}
		})
	}
}
