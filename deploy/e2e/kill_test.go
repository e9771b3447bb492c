//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/deploy/world"
)

// TestE2EKilledController kills the controller (SIGKILL) while suites run. Started again, it
// ends the run once, with one attempt for each suite and one comment.
//
// It is not parallel: the others would wait for the new leader.
func TestE2EKilledController(t *testing.T) {
	tenant := newTenant(t, "kill", func(env *v1alpha1.TestEnvironment) { env.Spec.Limits.Pods = 2 })
	suites := map[string]string{}
	for i := range 4 {
		name := fmt.Sprintf("suite-%d", i)
		suites[name+".yaml"] = shell(name, "sleep 5")
	}
	repo, main := newRepository(t, "kill", catalog(tenant.Name, suites))
	if _, err := tenant.Sync(deadline(t), repo, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := tenant.FinalRun(deadline(t), main, v1alpha1.CausePush); err != nil {
		t.Fatal(err)
	}
	commit := push(t, repo, "change", map[string]string{"tests/more.txt": "x"})
	number, err := repo.OpenPullRequest(deadline(t), "change", "Change")
	if err != nil {
		t.Fatal(err)
	}
	waitForPods(t, tenant, commit)
	killController(t)

	run, err := tenant.FinalRun(deadline(t), commit, v1alpha1.CausePullRequest)
	if err != nil {
		t.Fatal(err)
	}
	if run.Status.State != v1alpha1.StatePassed || len(run.Status.Suites) != 4 {
		t.Errorf("the run: %+v", run.Status)
	}
	for _, s := range run.Status.Suites {
		if len(s.Attempts) != 1 {
			t.Errorf("%s was run %d times", s.Name, len(s.Attempts))
		}
	}
	expectStatus(t, repo, commit, tenant.Name, "success", "")
	oneComment(t, repo, number, commit[:7])
	if runs := runsOf(t, tenant, client.MatchingLabels{v1alpha1.CommitLabel: commit}); len(runs) != 1 {
		t.Errorf("%d runs of the commit", len(runs))
	}
}

func waitForPods(t *testing.T, tenant *world.Tenant, commit string) {
	t.Helper()
	err := world.Until(deadline(t), "pods of the pull request run", func(ctx context.Context) (bool, error) {
		var pods corev1.PodList
		if err := w.Client.List(ctx, &pods, client.InNamespace(tenant.Name), client.MatchingLabels{v1alpha1.ManagedByLabel: v1alpha1.ManagedBy}); err != nil {
			return false, err
		}
		for _, pod := range pods.Items {
			if pod.Status.Phase == corev1.PodRunning && strings.Contains(pod.Labels[v1alpha1.RunLabel], commit[:8]) {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// killController sends SIGKILL to the controller's process, which on a cluster of this machine
// is found by its pod; elsewhere the pod is deleted without grace.
func killController(t *testing.T) {
	t.Helper()
	pod, err := w.Controller(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := processOf(pod)
	if err != nil {
		t.Fatal(err)
	}
	if pid == 0 {
		t.Log("the controller is on another machine: deleting its pod without grace")
		if err := w.Client.Delete(deadline(t), pod, client.GracePeriodSeconds(0)); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// processOf finds the process /assay in the pod's control group; 0 when there is none here.
func processOf(pod *corev1.Pod) (int, error) {
	groups, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		return 0, err
	}
	for _, group := range groups {
		data, err := os.ReadFile(group)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // ended meanwhile
		}
		if err != nil {
			return 0, err
		}
		dir := filepath.Dir(group)
		exe, err := os.Readlink(filepath.Join(dir, "exe"))
		if err != nil || filepath.Base(exe) != "assay" {
			continue
		}
		if uid := string(pod.UID); strings.Contains(string(data), uid) || strings.Contains(string(data), strings.ReplaceAll(uid, "-", "_")) {
			return strconv.Atoi(filepath.Base(dir))
		}
	}
	return 0, nil
}
