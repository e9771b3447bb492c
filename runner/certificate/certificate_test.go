package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

var name = types.NamespacedName{Namespace: "assay-system", Name: "assay-gateway-tls"}

func empty() *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}
}

func refreshedKeeper(t *testing.T, c client.Client) *Keeper {
	t.Helper()
	k := New(c, name, "127.0.0.1")
	if err := k.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return k
}

// TestARenewalBreaksNoConnectionOfOldPods: a server goes on, and whoever has the authority of the beginning trusts what
// replaces the certificate, on every replica.
func TestARenewalBreaksNoConnectionOfOldPods(t *testing.T) {
	c := fake.NewClientBuilder().WithObjects(empty()).Build()
	first, second := refreshedKeeper(t, c), refreshedKeeper(t, c)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(first.Authority())
	get := func(k *Keeper) *x509.Certificate {
		t.Helper()
		listener, err := tls.Listen("tcp", "127.0.0.1:0", k.Config())
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.NotFoundHandler()}
		go func() { _ = server.Serve(listener) }()
		defer server.Close()
		connection, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", listener.Addr().String(), &tls.Config{RootCAs: pool})
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		return connection.ConnectionState().PeerCertificates[0]
	}
	before := get(first)
	if !before.Equal(get(second)) {
		t.Error("the replicas have different certificates")
	}
	secret := &corev1.Secret{}
	if err := c.Get(t.Context(), name, secret); err != nil {
		t.Fatal(err)
	}
	delete(secret.Data, corev1.TLSCertKey) // as if it were due
	if err := c.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	for _, k := range []*Keeper{first, second} {
		if err := k.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if get(k).Equal(before) {
			t.Error("it still serves the old one")
		}
	}
	if !get(first).Equal(get(second)) {
		t.Error("the replicas have different certificates after the renewal")
	}
}

// TestReplicasThatStartTogetherAgree: the one that writes later takes what the other wrote.
func TestReplicasThatStartTogetherAgree(t *testing.T) {
	var other *Keeper
	c := fake.NewClientBuilder().WithObjects(empty()).WithInterceptorFuncs(interceptor.Funcs{
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			if other == nil {
				other = New(c, name, "127.0.0.1")
				if err := other.Refresh(ctx); err != nil {
					return err
				}
			}
			return c.Update(ctx, o, opts...)
		}}).Build()
	k := refreshedKeeper(t, c)
	if string(k.Authority()) != string(other.Authority()) {
		t.Error("two authorities")
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	k := New(fake.NewClientBuilder().Build(), name, host)
	if err := k.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "apply the manifests") {
		t.Errorf("got %v", err)
	}
	if _, err := k.Config().GetCertificate(nil); err == nil {
		t.Error("it serves without a certificate")
	}
	foreign := empty()
	foreign.Data = map[string][]byte{corev1.TLSCertKey: []byte("x"), corev1.TLSPrivateKeyKey: []byte("y")}
	k = New(fake.NewClientBuilder().WithObjects(foreign).Build(), name, host)
	if err := k.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), corev1.TLSCertKey) {
		t.Errorf("got %v", err)
	}
}
