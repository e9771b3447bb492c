package world

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// metricsPort is where the controller serves its metrics.
const metricsPort = 8080

// Metrics reads the controller's metrics, as somebody who may read them does.
func (w *World) Metrics(ctx context.Context) (string, error) {
	token, err := w.metricsToken(ctx)
	if err != nil {
		return "", err
	}
	code, text, err := w.GetMetrics(ctx, "/metrics", token)
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("reading the metrics: %d %.200s", code, text)
	}
	return text, err
}

// GetMetrics asks the controller's metrics server for a path, with the token; none where that is empty.
func (w *World) GetMetrics(ctx context.Context, path, token string) (code int, text string, err error) {
	port, stop, err := w.forward(ctx)
	if err != nil {
		return 0, "", err
	}
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("https://127.0.0.1:%d%s", port, path), nil)
	if err != nil {
		return 0, "", err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	// The server makes its certificate itself; the way to it is the API server's.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport, Timeout: 30 * time.Second}).Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return response.StatusCode, string(data), err
}

// metricsToken gives a token of a ServiceAccount that may read the metrics, and makes both where they are not there.
func (w *World) metricsToken(ctx context.Context) (string, error) {
	name := metav1.ObjectMeta{Namespace: "default", Name: "assay-metrics-reader"}
	account := &corev1.ServiceAccount{ObjectMeta: name}
	for _, object := range []client.Object{account, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "assay-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: name.Namespace, Name: name.Name}},
	}} {
		if err := w.Client.Create(ctx, object); err != nil && !apierrors.IsAlreadyExists(err) {
			return "", err
		}
	}
	kube, err := kubernetes.NewForConfig(w.Config)
	if err != nil {
		return "", err
	}
	made, err := kube.CoreV1().ServiceAccounts(name.Namespace).CreateToken(ctx, name.Name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return made.Status.Token, nil
}

// forward gives a port of this machine that leads to the controller's metrics.
func (w *World) forward(ctx context.Context) (port uint16, stop func(), err error) {
	pod, err := w.Controller(ctx)
	if err != nil {
		return 0, nil, err
	}
	kube, err := kubernetes.NewForConfig(w.Config)
	if err != nil {
		return 0, nil, err
	}
	url := kube.CoreV1().RESTClient().Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(w.Config)
	if err != nil {
		return 0, nil, err
	}
	stopped, ready, failed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
	forwarder, err := portforward.NewOnAddresses(dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("0:%d", metricsPort)}, stopped, ready, io.Discard, io.Discard)
	if err != nil {
		return 0, nil, err
	}
	go func() { failed <- forwarder.ForwardPorts() }()
	select {
	case <-ready:
	case err := <-failed:
		return 0, nil, errors.Join(errors.New("reaching the controller's metrics"), err)
	case <-ctx.Done():
		close(stopped)
		return 0, nil, ctx.Err()
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		close(stopped)
		return 0, nil, err
	}
	return ports[0].Local, func() { close(stopped) }, nil
}
