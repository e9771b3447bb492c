package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"code.gitea.io/sdk/gitea"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// expectStatuses waits until the commit has a final status for every environment, prints them,
// and compares them with what they should be.
func (d *demo) expectStatuses(ctx context.Context, commit string, want map[string]gitea.StatusState) error {
	var statuses map[string]*gitea.Status
	err := d.await(ctx, "the statuses of "+short(commit), func(context.Context) (bool, string, error) {
		var err error
		if statuses, err = d.forge.statuses(commit); err != nil {
			return false, "", err
		}
		done, states := true, []string{}
		for _, environment := range environments {
			state := gitea.StatusState("none yet")
			if s := statuses[environment]; s != nil {
				state = s.State
			}
			done = done && state != "none yet" && state != gitea.StatusPending
			states = append(states, fmt.Sprintf("%s: %s", environment, state))
		}
		return done, strings.Join(states, "; "), nil
	})
	if err != nil {
		return err
	}
	var problems []error
	for _, environment := range environments {
		s := statuses[environment]
		d.show(fmt.Sprintf("%-8s %s: %s", s.State, s.Context, s.Description))
		if s.State != want[environment] {
			problems = append(problems, fmt.Errorf("the status %s of %s is %s, want %s", s.Context, short(commit), s.State, want[environment]))
		}
	}
	return errors.Join(problems...)
}

// expectComment waits until the pull request's one comment is about the ended runs of the
// commit, and prints it. It must be the comment of before, edited.
func (d *demo) expectComment(ctx context.Context, commit string, runs []v1alpha1.TestRun) error {
	var comment *gitea.Comment
	err := d.await(ctx, "the comment", func(context.Context) (bool, string, error) {
		all, err := d.forge.comments(d.pullRequest.Index)
		if err != nil || len(all) == 0 {
			return false, "none yet", err
		}
		if len(all) > 1 {
			return false, fmt.Sprintf("there are %d, want one", len(all)), nil
		}
		comment = all[0]
		if !strings.Contains(comment.Body, short(commit)) || comment.Updated.Before(lastEnd(runs)) {
			return false, "is not about the end of these runs yet", nil
		}
		return true, fmt.Sprintf("number %d, written %s, edited %s", comment.ID,
			comment.Created.Format(time.TimeOnly), comment.Updated.Format(time.TimeOnly)), nil
	})
	if err != nil {
		return err
	}
	d.show(comment.Body)
	if d.comment != 0 && d.comment != comment.ID {
		return fmt.Errorf("the comment is number %d, want %d edited in place", comment.ID, d.comment)
	}
	if d.comment != 0 {
		d.say("it is the same comment, edited in place")
	}
	d.comment = comment.ID
	return nil
}

// lastEnd is when the last of the runs ended.
func lastEnd(runs []v1alpha1.TestRun) time.Time {
	var last time.Time
	for _, r := range runs {
		if t := r.Status.CompletionTime; t != nil && t.After(last) {
			last = t.Time
		}
	}
	return last
}
