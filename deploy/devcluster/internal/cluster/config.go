package cluster

import (
	"bytes"
	"embed"
	"encoding/base64"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed config
var configFiles embed.FS

var templates = template.Must(template.ParseFS(configFiles, "config/*.tmpl"))

// manifests is applied to every cluster.
func manifests() string {
	content, err := configFiles.ReadFile("config/manifests.yaml")
	if err != nil {
		panic(err) // embedded: can't be missing
	}
	return string(content)
}

// configure writes the configuration files and kubeconfigs. Certificates must exist.
func (c Cluster) configure() error {
	resolv, err := hostResolvers()
	if err != nil {
		return err
	}
	files := map[string]string{
		"containerd.toml.tmpl": "containerd.toml",
		"cni.conflist.tmpl":    "cni/10-pods.conflist",
		"kubelet.yaml.tmpl":    "kubelet.yaml",
		"kube-proxy.yaml.tmpl": "kube-proxy.yaml",
		"Corefile.tmpl":        "Corefile",
	}
	for from, to := range files {
		content, err := render(from, struct {
			Cluster
			Upstream []string
		}{c, resolv})
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(c.Etc, to), content, 0o644); err != nil {
			return err
		}
	}
	var lines strings.Builder
	for _, server := range resolv {
		fmt.Fprintln(&lines, "nameserver", server)
	}
	if err := writeFile(filepath.Join(c.Etc, "resolv.conf"), []byte(lines.String()), 0o644); err != nil {
		return err
	}
	return c.kubeconfigs()
}

func (c Cluster) kubeconfigs() error {
	for certificate, path := range map[string]string{
		"admin":                   c.Kubeconfig(),
		"kubelet-client":          c.kubeconfigOf("kubelet"),
		"kube-controller-manager": c.kubeconfigOf("kube-controller-manager"),
		"kube-scheduler":          c.kubeconfigOf("kube-scheduler"),
		"kube-proxy":              c.kubeconfigOf("kube-proxy"),
		"coredns":                 c.kubeconfigOf("coredns"),
	} {
		values := map[string]string{"Cluster": c.Name, "Server": c.Server(), "User": c.Name + "-" + certificate}
		for key, file := range map[string]string{"CA": "ca.crt", "Certificate": certificate + ".crt", "Key": certificate + ".key"} {
			content, err := os.ReadFile(filepath.Join(c.PKI, file))
			if err != nil {
				return err
			}
			values[key] = base64.StdEncoding.EncodeToString(content)
		}
		content, err := render("kubeconfig.tmpl", values)
		if err != nil {
			return err
		}
		if err := writeFile(path, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (c Cluster) kubeconfigOf(component string) string {
	return filepath.Join(c.Etc, component+".kubeconfig")
}

// hostResolvers are the machine's name servers that a network namespace can reach: none on loopback.
func hostResolvers() ([]string, error) {
	for _, path := range []string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"} {
		content, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if found := resolvers(string(content)); len(found) > 0 {
			return found, nil
		}
	}
	return nil, nil
}

func resolvers(resolvConf string) []string {
	var found []string
	for line := range strings.Lines(resolvConf) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if address, err := netip.ParseAddr(fields[1]); err == nil && address.Is4() && !address.IsLoopback() {
			found = append(found, fields[1])
		}
	}
	return found
}

func render(name string, values any) ([]byte, error) {
	var buffer bytes.Buffer
	if err := templates.ExecuteTemplate(&buffer, name, values); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

func writeFile(path string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, mode)
}
