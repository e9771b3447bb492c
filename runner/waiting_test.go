package runner_test

import (
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/runner"
)

// TestMissingConfiguration: the kubelet's words tell ConfigMaps from Secrets, ours where to mend it.
func TestMissingConfiguration(t *testing.T) {
	for message, want := range map[string]fault.Reason{
		`configmap "cm" not found`:                     fault.ConfigMapInvalid,
		`couldn't find key k in ConfigMap team/a`:      fault.ConfigMapInvalid,
		`secret "s" not found`:                         fault.SecretInvalid,
		`couldn't find key configmap in Secret team/a`: fault.SecretInvalid,
		`references non-existent secret key: k`:        fault.SecretInvalid,
	} {
		w := newWorld("a")
		w.env.Spec.Namespace = "shop-staging"
		w.next(time.Minute, pods(w.pod("a", 1, runner.PhasePending, waits("CreateContainerConfigError", message))))
		a := w.suite(t, "a")
		if a.Reason != string(want) || !strings.Contains(a.Message, message) || !strings.Contains(a.Message, `create it in namespace "shop-staging"`) {
			t.Errorf("%s: %s: %s", message, a.Reason, a.Message)
		}
	}
}
