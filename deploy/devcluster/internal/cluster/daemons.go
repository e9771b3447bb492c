package cluster

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/assay-dev/assay/deploy/devcluster/internal/process"
)

// The daemons in the order of their start. The second group needs a working API server.
var (
	foundation = []string{"etcd", "containerd", "kube-apiserver"}
	rest       = []string{"kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "coredns"}
)

// start starts one daemon in the cluster's network namespace and cgroup.
func (c Cluster) start(name string, tools Tools) error {
	return c.Group.Start(process.Daemon{
		Name:  name,
		Args:  c.commandLines(tools)[name],
		Enter: c.Node.Enter(),
		Env: []string{
			"HOME=/root",
			"PATH=" + tools.Containerd + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			// containerd pulls through the proxy that the machine has, if it has one.
			"HTTPS_PROXY=" + os.Getenv("HTTPS_PROXY"), "HTTP_PROXY=" + os.Getenv("HTTP_PROXY"),
			fmt.Sprintf("NO_PROXY=%s,%s,localhost,127.0.0.1,.svc,.cluster.local", os.Getenv("NO_PROXY"), c.Plan.Subnet),
		},
		Log: filepath.Join(c.Log, name+".log"),
		Pid: c.pid(name),
	})
}

// commandLines is how each daemon is called.
func (c Cluster) commandLines(tools Tools) map[string][]string {
	cert := func(name string) string { return filepath.Join(c.PKI, name+".crt") }
	key := func(name string) string { return filepath.Join(c.PKI, name+".key") }
	address := c.Node.Address.String()
	return map[string][]string{
		"etcd": {
			filepath.Join(tools.Kubernetes, "etcd"),
			"--name=" + c.Name,
			"--data-dir=" + filepath.Join(c.Data, "etcd"),
			"--listen-client-urls=https://127.0.0.1:2379", "--advertise-client-urls=https://127.0.0.1:2379",
			"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
			"--initial-cluster=" + c.Name + "=http://127.0.0.1:2380",
			"--client-cert-auth", "--trusted-ca-file=" + cert("etcd-ca"), "--cert-file=" + cert("etcd"), "--key-file=" + key("etcd"),
			// A development cluster may lose its last seconds in a power cut.
			"--unsafe-no-fsync", "--log-level=warn",
		},
		"containerd": {filepath.Join(tools.Containerd, "containerd"), "--config=" + filepath.Join(c.Etc, "containerd.toml")},
		"kube-apiserver": {
			filepath.Join(tools.Kubernetes, "kube-apiserver"),
			"--advertise-address=" + address, "--secure-port=6443",
			"--service-cluster-ip-range=" + c.Node.Services.String(),
			"--etcd-servers=https://127.0.0.1:2379", "--etcd-cafile=" + cert("etcd-ca"),
			"--etcd-certfile=" + cert("etcd-client"), "--etcd-keyfile=" + key("etcd-client"),
			"--tls-cert-file=" + cert("kube-apiserver"), "--tls-private-key-file=" + key("kube-apiserver"),
			"--client-ca-file=" + cert("ca"),
			"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
			"--allow-privileged=true",
			"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
			"--service-account-key-file=" + filepath.Join(c.PKI, "service-account.pub"),
			"--service-account-signing-key-file=" + key("service-account"),
			"--kubelet-certificate-authority=" + cert("ca"), "--kubelet-preferred-address-types=InternalIP",
			"--kubelet-client-certificate=" + cert("kube-apiserver-kubelet-client"),
			"--kubelet-client-key=" + key("kube-apiserver-kubelet-client"),
			"--requestheader-client-ca-file=" + cert("front-proxy-ca"), "--requestheader-allowed-names=front-proxy",
			"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
			"--requestheader-extra-headers-prefix=X-Remote-Extra-",
			"--proxy-client-cert-file=" + cert("front-proxy"), "--proxy-client-key-file=" + key("front-proxy"),
			"--profiling=false",
		},
		"kube-controller-manager": {
			filepath.Join(tools.Kubernetes, "kube-controller-manager"),
			"--kubeconfig=" + c.kubeconfigOf("kube-controller-manager"),
			"--authentication-kubeconfig=" + c.kubeconfigOf("kube-controller-manager"),
			"--authorization-kubeconfig=" + c.kubeconfigOf("kube-controller-manager"),
			"--bind-address=127.0.0.1", "--leader-elect=false", "--profiling=false",
			"--use-service-account-credentials=true",
			"--service-account-private-key-file=" + key("service-account"), "--root-ca-file=" + cert("ca"),
			"--cluster-signing-cert-file=" + cert("ca"), "--cluster-signing-key-file=" + key("ca"),
			// By default it makes /usr/libexec/kubernetes.
			"--flex-volume-plugin-dir=" + filepath.Join(c.Data, "volume-plugins"),
			// No metrics server, so autoscaling would only poll and complain.
			"--controllers=*,-horizontal-pod-autoscaler-controller",
		},
		"kube-scheduler": {
			filepath.Join(tools.Kubernetes, "kube-scheduler"),
			"--kubeconfig=" + c.kubeconfigOf("kube-scheduler"),
			"--authentication-kubeconfig=" + c.kubeconfigOf("kube-scheduler"),
			"--authorization-kubeconfig=" + c.kubeconfigOf("kube-scheduler"),
			"--bind-address=127.0.0.1", "--leader-elect=false", "--profiling=false",
		},
		"kubelet": {
			filepath.Join(tools.Kubernetes, "kubelet"),
			"--config=" + filepath.Join(c.Etc, "kubelet.yaml"), "--kubeconfig=" + c.kubeconfigOf("kubelet"),
			"--root-dir=" + filepath.Join(c.Data, "kubelet"), "--cert-dir=" + filepath.Join(c.Data, "kubelet-pki"),
			"--hostname-override=" + c.Name, "--node-ip=" + address,
		},
		"kube-proxy": {filepath.Join(tools.Kubernetes, "kube-proxy"), "--config=" + filepath.Join(c.Etc, "kube-proxy.yaml")},
		"coredns":    {filepath.Join(tools.CoreDNS, "coredns"), "-conf", filepath.Join(c.Etc, "Corefile"), "-quiet"},
	}
}
