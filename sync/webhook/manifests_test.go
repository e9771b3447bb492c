package webhook_test

import (
	"os"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// The manifests with and without the component differ in the port, its Service and policy, and
// the one right.
func TestTheComponentOpensOnePortAndGrantsOneRight(t *testing.T) {
	without, with := render(t, ""), render(t, "components: [../deploy/webhook]\n")
	added := map[string]bool{}
	for _, r := range with.Resources() {
		if _, err := without.GetByCurrentId(r.CurId()); err != nil {
			added[r.GetKind()+"/"+r.GetName()] = true
		}
	}
	for _, want := range []string{"Service/assay-webhook", "NetworkPolicy/assay-webhook", "ClusterRole/assay-webhook", "ClusterRoleBinding/assay-webhook"} {
		if !added[want] {
			t.Errorf("%s is missing", want)
		}
	}
	if len(added) != 4 {
		t.Errorf("added %v", added)
	}
	var role rbacv1.ClusterRole
	find(t, with, "ClusterRole", "assay-webhook", &role)
	if len(role.Rules) != 1 || strings.Join(role.Rules[0].Resources, ",") != "testrepositories" || strings.Join(role.Rules[0].Verbs, ",") != "patch" {
		t.Errorf("the right is %+v", role.Rules)
	}
	var deployment appsv1.Deployment
	find(t, with, "Deployment", "assay-controller", &deployment)
	container := deployment.Spec.Template.Spec.Containers[0]
	if !strings.Contains(strings.Join(container.Args, " "), "--webhook-addr=:9292") {
		t.Errorf("the arguments are %q", container.Args)
	}
	if last := container.Ports[len(container.Ports)-1]; last.Name != "webhook" || last.ContainerPort != 9292 {
		t.Errorf("the port is %+v", last)
	}
	var policy networkingv1.NetworkPolicy
	find(t, with, "NetworkPolicy", "assay-webhook", &policy)
	if p := policy.Spec.Ingress[0].Ports; len(p) != 1 || p[0].Port.String() != "webhook" {
		t.Errorf("the policy opens %+v", p)
	}
	find(t, without, "Deployment", "assay-controller", &deployment)
	if strings.Contains(strings.Join(deployment.Spec.Template.Spec.Containers[0].Args, " "), "webhook") {
		t.Error("the receiver is on by default")
	}
}

// render builds deploy, as an overlay beside it would, with what is added to the overlay.
func render(t *testing.T, more string) resmap.ResMap {
	t.Helper()
	fs := filesys.MakeFsInMemory()
	disk := filesys.MakeFsOnDisk()
	err := disk.Walk("../../deploy", func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || !strings.HasSuffix(path, ".yaml") || strings.Contains(path, "devcluster") {
			return err
		}
		content, err := disk.ReadFile(path)
		if err != nil {
			return err
		}
		return fs.WriteFile("/"+strings.TrimPrefix(path, "../../"), content)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := fs.WriteFile("/overlay/kustomization.yaml", []byte("resources: [../deploy]\n"+more)); err != nil {
		t.Fatal(err)
	}
	options := krusty.MakeDefaultOptions()
	options.PluginConfig = types.DisabledPluginConfig()
	rendered, err := krusty.MakeKustomizer(options).Run(fs, "/overlay")
	if err != nil {
		t.Fatal(err)
	}
	return rendered
}

func find(t *testing.T, all resmap.ResMap, kind, name string, into any) {
	t.Helper()
	for _, r := range all.Resources() {
		if r.GetKind() == kind && r.GetName() == name {
			text, err := r.AsYAML()
			if err == nil {
				err = yaml.UnmarshalStrict(text, into)
			}
			if err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("there is no %s %s", kind, name)
}
