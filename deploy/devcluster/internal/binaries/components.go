// Package binaries builds what devcluster runs from Go modules and keeps the results, keyed by version and build input.
// In: a component. Out: a folder of executables. It starts none of them.
package binaries

// Versions as people know them. Containerd's is what is fetched; the others repeat the go.mod in their folders.
const (
	KubernetesVersion = "v1.37.2"
	GiteaVersion      = "v1.26.0"
	ContainerdVersion = "v2.4.2"
	CoreDNSVersion    = "v1.12.4"
)

// Component is one thing to build.
type Component struct {
	Name    string
	Version string
	Note    string   // said when a build starts
	Folder  string   // module in devcluster's source to build in; empty: install Package@Version
	Inputs  []string // files in Folder whose content is part of the cache key
	Package []string // packages; each gives one executable named after its last element, or Output
	Output  string   // name of the executable, when it is not the package's
	Links   []string // names by which the executable is also called
	Cgo     bool
	Tags    string
	LDFlags string
	Static  []string // folders of the first package's module to copy into "static" beside the executable
}

const kubernetesVersionFlags = "-X k8s.io/component-base/version.gitVersion=" + KubernetesVersion +
	" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=37 -X k8s.io/component-base/version.gitTreeState=clean" +
	" -X k8s.io/client-go/pkg/version.gitVersion=" + KubernetesVersion

// The components. A kubernetes binary of its own for each of the seven names would cost seven link steps and 700 MB.
var (
	Kubernetes = Component{
		Name: "kubernetes", Version: KubernetesVersion, Note: "takes over five minutes the first time on 2 cores",
		Folder: "kubernetes", Inputs: []string{"go.mod", "go.sum", "main.go"}, Package: []string{"."}, Output: "kubernetes",
		Links:   []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl", "etcd"},
		LDFlags: kubernetesVersionFlags,
	}
	Containerd = Component{
		Name: "containerd", Version: ContainerdVersion, Note: "takes about a minute the first time",
		Package: []string{
			"github.com/containerd/containerd/v2/cmd/containerd",
			"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
			"github.com/containerd/containerd/v2/cmd/ctr",
		},
		Tags: "no_btrfs,no_devmapper,no_zfs",
	}
	CoreDNS = Component{
		Name: "coredns", Version: CoreDNSVersion,
		Folder: "kubernetes", Inputs: []string{"go.mod", "go.sum", "coredns/main.go"}, Package: []string{"./coredns"}, Output: "coredns",
	}
	Pause = Component{
		Name: "pause", Version: "v1", Folder: ".", Inputs: []string{"pause/main.go"}, Package: []string{"./pause"}, Output: "pause",
	}
	Gitea = Component{
		Name: "gitea", Version: GiteaVersion, Note: "takes about three minutes the first time",
		Folder: "gitea", Inputs: []string{"go.mod", "go.sum"}, Package: []string{"code.gitea.io/gitea"}, Output: "gitea",
		Cgo: true, Tags: "sqlite sqlite_unlock_notify", LDFlags: "-X main.Version=1.26.0 -X 'main.Tags=sqlite sqlite_unlock_notify'",
		Static: []string{"options", "public", "templates"},
	}
)

// Cluster is what a cluster needs, the slowest first.
var Cluster = []Component{Kubernetes, Containerd, CoreDNS, Pause}
