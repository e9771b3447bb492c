package gitea

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/providers"
)

type comments struct{ *forge }

// Find implements providers.Comments. Gitea gives all comments of a pull request, oldest
// first, in one answer.
func (c *comments) Find(ctx context.Context, pullRequest int64, marker string) (*providers.Comment, error) {
	me, err := c.me(ctx)
	if err != nil {
		return nil, err
	}
	client, err := c.client(ctx)
	if err != nil {
		return nil, err
	}
	list, response, err := client.ListIssueComments(c.repository.Owner, c.repository.Name, pullRequest, sdk.ListIssueCommentOptions{})
	if err != nil {
		return nil, c.explain(ctx, client, pullRequest, response, err)
	}
	var found *sdk.Comment
	for _, comment := range list {
		// Logins are compared without case, as Gitea does.
		if comment.Poster != nil && strings.EqualFold(comment.Poster.UserName, me) && strings.Contains(comment.Body, marker) &&
			(found == nil || comment.ID < found.ID) {
			found = comment
		}
	}
	if found == nil {
		return nil, nil
	}
	return &providers.Comment{ID: found.ID, Body: found.Body, Author: found.Poster.UserName}, nil
}

// Create implements providers.Comments.
func (c *comments) Create(ctx context.Context, pullRequest int64, body string) (providers.Comment, error) {
	if err := c.check(body); err != nil {
		return providers.Comment{}, err
	}
	client, err := c.client(ctx)
	if err != nil {
		return providers.Comment{}, err
	}
	created, response, err := client.CreateIssueComment(c.repository.Owner, c.repository.Name, pullRequest, sdk.CreateIssueCommentOption{Body: body})
	if err != nil {
		return providers.Comment{}, c.explain(ctx, client, pullRequest, response, err)
	}
	out := providers.Comment{ID: created.ID, Body: created.Body}
	if created.Poster != nil {
		out.Author = created.Poster.UserName
	}
	return out, nil
}

// Edit implements providers.Comments.
func (c *comments) Edit(ctx context.Context, _ int64, comment providers.Comment) error {
	if err := c.check(comment.Body); err != nil {
		return err
	}
	client, err := c.client(ctx)
	if err != nil {
		return err
	}
	_, response, err := client.EditIssueComment(c.repository.Owner, c.repository.Name, comment.ID, sdk.EditIssueCommentOption{Body: comment.Body})
	if err == nil {
		return nil
	}
	if response != nil && response.Response != nil && response.StatusCode == http.StatusNotFound && c.repositoryExists(client) {
		return c.refNotFound(fmt.Sprintf("comment %d", comment.ID), err)
	}
	return c.classify(ctx, response, err)
}

// explain tells a pull request that is gone from other failures.
func (c *comments) explain(ctx context.Context, client *sdk.Client, pullRequest int64, response *sdk.Response, err error) error {
	if c.gone(response, func() (*sdk.Response, error) {
		_, again, err := client.GetPullRequest(c.repository.Owner, c.repository.Name, pullRequest)
		return again, err
	}) && c.repositoryExists(client) {
		return c.refNotFound(fmt.Sprintf("pull request %d", pullRequest), err)
	}
	return c.classify(ctx, response, err)
}

func (c *comments) check(body string) error {
	switch {
	case strings.TrimSpace(body) == "":
		return fault.New(fault.InvalidSpec, c.place(), "", "a comment cannot be empty")
	case len(body) > limits.Comment:
		return fault.New(fault.InvalidSpec, c.place(), "", "a comment of %d bytes is longer than %d", len(body), limits.Comment)
	}
	return nil
}
