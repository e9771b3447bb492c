package cluster

import (
	"path/filepath"
	"time"

	"github.com/assay-dev/assay/deploy/devcluster/internal/pki"
)

// certificates issues everything that the components identify themselves by. Three authorities, because each is trusted
// for something else: Kubernetes users and servers, etcd's clients, the aggregation layer's front proxy.
func (c Cluster) certificates(now time.Time) error {
	authorities := map[string][]pki.Leaf{
		"ca": {
			{File: "kube-apiserver", CommonName: "kube-apiserver", Hosts: []string{
				"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
				"127.0.0.1", c.Node.Address.String(), c.Node.FirstService().String(),
			}},
			{File: "kubelet", CommonName: "kubelet", Hosts: []string{c.Name, "localhost", "127.0.0.1", c.Node.Address.String()}},
			{File: "kube-apiserver-kubelet-client", CommonName: "kube-apiserver-kubelet-client"},
			{File: "admin", CommonName: "devcluster-admin", Organization: []string{"system:masters"}},
			{File: "kubelet-client", CommonName: "system:node:" + c.Name, Organization: []string{"system:nodes"}},
			{File: "kube-controller-manager", CommonName: "system:kube-controller-manager"},
			{File: "kube-scheduler", CommonName: "system:kube-scheduler"},
			{File: "kube-proxy", CommonName: "system:kube-proxy"},
			{File: "coredns", CommonName: "devcluster:coredns"},
		},
		"etcd-ca": {
			{File: "etcd", CommonName: "etcd", Hosts: []string{"localhost", "127.0.0.1"}},
			{File: "etcd-client", CommonName: "kube-apiserver"},
		},
		"front-proxy-ca": {{File: "front-proxy", CommonName: "front-proxy"}},
	}
	for name, leaves := range authorities {
		authority, err := pki.NewAuthority(c.PKI, name, now)
		if err != nil {
			return err
		}
		for _, leaf := range leaves {
			if err := authority.Issue(leaf, now); err != nil {
				return err
			}
		}
	}
	return pki.IssueKey(filepath.Join(c.PKI, "service-account"))
}
