package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// diagnose prints how everything stands that the story depends on, as far as it can be read.
func (d *demo) diagnose(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	d.chapter("It did not come about. How things stand")
	d.diagnoseConfiguration(ctx)
	d.diagnoseRuns(ctx)
	for _, namespace := range []string{"assay-system", "shop-staging", "shop-prod"} {
		d.diagnosePods(ctx, namespace)
	}
	fmt.Fprintln(d.w, "  More: kubectl -n assay-system logs deployment/assay-controller --tail=50")
}

func (d *demo) diagnoseConfiguration(ctx context.Context) {
	var testRepositories v1alpha1.TestRepositoryList
	if err := d.cluster.client.List(ctx, &testRepositories, client.InNamespace(repositoryName)); err != nil {
		fmt.Fprintln(d.w, "  TestRepositories:", err)
	}
	for _, r := range testRepositories.Items {
		d.printConditions("TestRepository "+r.Name, r.Status.Conditions)
	}
	var testEnvironments v1alpha1.TestEnvironmentList
	if err := d.cluster.client.List(ctx, &testEnvironments); err != nil {
		fmt.Fprintln(d.w, "  TestEnvironments:", err)
	}
	for _, e := range testEnvironments.Items {
		d.printConditions("TestEnvironment "+e.Name, e.Status.Conditions)
	}
}

// diagnoseRuns prints the runs of the commits of this story.
func (d *demo) diagnoseRuns(ctx context.Context) {
	for _, commit := range d.commits {
		var runs v1alpha1.TestRunList
		err := d.cluster.client.List(ctx, &runs, client.InNamespace(repositoryName), client.MatchingLabels{v1alpha1.CommitLabel: commit})
		if err != nil {
			fmt.Fprintln(d.w, "  TestRuns:", err)
			return
		}
		if len(runs.Items) == 0 {
			fmt.Fprintf(d.w, "  no TestRun of %s\n", short(commit))
		}
		for _, r := range runs.Items {
			d.printConditions(fmt.Sprintf("TestRun %s: %q %s", r.Name, r.Status.State, r.Status.Message), r.Status.Conditions)
			for _, s := range r.Status.Suites {
				fmt.Fprintf(d.w, "      %s: %s %s %s\n", s.Name, s.State, s.Reason, s.Message)
				for _, f := range s.Failures {
					fmt.Fprintf(d.w, "        %s: %s\n", f.Name, f.Message)
				}
			}
		}
	}
}

// diagnosePods prints the pods of a namespace that are not well.
func (d *demo) diagnosePods(ctx context.Context, namespace string) {
	var pods corev1.PodList
	if err := d.cluster.client.List(ctx, &pods, client.InNamespace(namespace)); err != nil {
		fmt.Fprintf(d.w, "  pods of %s: %v\n", namespace, err)
		return
	}
	if len(pods.Items) == 0 {
		fmt.Fprintf(d.w, "  no pod in %s\n", namespace)
	}
	for _, p := range pods.Items {
		if p.Status.Phase == corev1.PodSucceeded || isReady(&p) {
			continue
		}
		fmt.Fprintf(d.w, "  pod %s/%s: %s %s %s\n", namespace, p.Name, p.Status.Phase, p.Status.Reason, p.Status.Message)
		for _, c := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
			switch {
			case c.State.Waiting != nil:
				fmt.Fprintf(d.w, "      %s waits: %s %s\n", c.Name, c.State.Waiting.Reason, c.State.Waiting.Message)
			case c.State.Terminated != nil:
				fmt.Fprintf(d.w, "      %s ended: exit code %d %s %.300s\n", c.Name, c.State.Terminated.ExitCode, c.State.Terminated.Reason, c.State.Terminated.Message)
			}
		}
	}
}

func isReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (d *demo) printConditions(what string, conditions []metav1.Condition) {
	fmt.Fprintf(d.w, "  %s\n", what)
	if len(conditions) == 0 {
		fmt.Fprintln(d.w, "      no conditions: the controller has not looked at it")
	}
	for _, c := range conditions {
		fmt.Fprintf(d.w, "      %s=%s %s: %s\n", c.Type, c.Status, c.Reason, c.Message)
	}
}
