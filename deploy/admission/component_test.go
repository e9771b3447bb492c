package admission

import (
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// TestTheComponentAddsThePolicies: as an overlay of deploy has it, and nothing else.
func TestTheComponentAddsThePolicies(t *testing.T) {
	overlay, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	component, err := filepath.Rel(overlay, here)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(overlay, "kustomization.yaml"), []byte("components: ["+component+"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), overlay)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, r := range rendered.Resources() {
		got[r.GetKind()]++
	}
	if got["ValidatingAdmissionPolicy"] != 2 || got["ValidatingAdmissionPolicyBinding"] != 2 || len(got) != 2 {
		t.Errorf("it adds %v", got)
	}
}
