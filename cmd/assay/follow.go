package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/api/v1alpha1"
)

// Between two attempts to reach an API server that does not answer.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 15 * time.Second
)

// errDeleted is a run that somebody deleted while it was followed.
var errDeleted = errors.New("the run was deleted")

// follow shows every change of the run until its state is final, and gives it as it is then.
// An API server that goes away is waited for; what waiting cannot mend is an error.
func follow(ctx context.Context, c *cluster, run *v1alpha1.TestRun, p progress) (*v1alpha1.TestRun, error) {
	pause := firstPause
	for {
		last, err := followOnce(ctx, c, run, p)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err == nil && last.Status.State.Final():
			return last, nil
		case err == nil: // the watch ended, as it does from time to time
			pause = firstPause
		case errors.Is(err, errDeleted) || fault.Of(classify(err)) == fault.User:
			return nil, err
		default:
			p.note(fmt.Sprintf("the API server does not answer, trying again: %s", err))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

// followOnce reads the run and watches it from there on, until it is final or the watch ends.
func followOnce(ctx context.Context, c *cluster, run *v1alpha1.TestRun, p progress) (*v1alpha1.TestRun, error) {
	var last v1alpha1.TestRun
	if err := c.Get(ctx, client.ObjectKeyFromObject(run), &last); apierrors.IsNotFound(err) || err == nil && last.UID != run.UID {
		return nil, errDeleted
	} else if err != nil {
		return nil, fmt.Errorf("reading the TestRun %q: %w", run.Name, err)
	}
	p.show(&last)
	if last.Status.State.Final() {
		return &last, nil
	}
	changes, err := c.Watch(ctx, &v1alpha1.TestRunList{}, client.InNamespace(run.Namespace), client.MatchingFields{"metadata.name": run.Name},
		&client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: last.ResourceVersion}})
	if err != nil {
		return nil, fmt.Errorf("watching the TestRun %q: %w", run.Name, err)
	}
	defer changes.Stop()
	for {
		select {
		case <-p.ticks():
			p.show(&last)
		case event, open := <-changes.ResultChan():
			switch {
			case !open:
				return &last, nil
			case event.Type == watch.Deleted:
				return nil, errDeleted
			case event.Type == watch.Error: // most often the watch is too old: read again
				return &last, nil
			}
			if now, ok := event.Object.(*v1alpha1.TestRun); ok {
				last = *now
				p.show(&last)
			}
			if last.Status.State.Final() {
				return &last, nil
			}
		}
	}
}
