package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/assay-dev/assay/api/v1alpha1"
	"github.com/assay-dev/assay/providers"
	"github.com/assay-dev/assay/status"
)

// agree makes the forge show the statement and nothing else changed. It reads first and
// writes what differs, so it can be broken off and repeated anywhere. write is asked before
// each write and may refuse it.
func agree(ctx context.Context, forge providers.Forge, subject Subject, statement status.Statement, write func() error) error {
	if forge.Statuses != nil {
		if err := agreeStatuses(ctx, forge.Statuses, subject.Commit, statement.Statuses, write); err != nil {
			return err
		}
	}
	if forge.Comments != nil && statement.Comment != "" {
		return agreeComment(ctx, forge.Comments, subject.PullRequest, statement, write)
	}
	return nil
}

func agreeStatuses(ctx context.Context, statuses providers.Statuses, commit string, want []providers.Status, write func() error) error {
	if len(want) == 0 {
		return nil
	}
	there, err := statuses.List(ctx, commit)
	if err != nil {
		return err
	}
	stands := map[string]providers.Status{}
	for _, s := range there {
		stands[s.Context] = s
	}
	for _, s := range want {
		if stands[s.Context] == s {
			continue
		}
		if err := write(); err != nil {
			return err
		}
		if err := statuses.Set(ctx, commit, s); err != nil {
			return err
		}
	}
	return nil
}

func agreeComment(ctx context.Context, comments providers.Comments, pullRequest int64, statement status.Statement, write func() error) error {
	there, err := comments.Find(ctx, pullRequest, statement.Marker)
	if err != nil {
		return err
	}
	switch {
	case there == nil && !statement.CommentCreate:
		return nil
	case there == nil:
		if err := write(); err != nil {
			return err
		}
		_, err = comments.Create(ctx, pullRequest, statement.Comment)
		return err
	case strings.TrimSpace(there.Body) == strings.TrimSpace(statement.Comment): // forges trim
		return nil
	}
	if err := write(); err != nil {
		return err
	}
	there.Body = statement.Comment
	return comments.Edit(ctx, pullRequest, *there)
}

// withComment ends the digest of a statement that has the pull request's comment.
const withComment = "+comment"

// claims says whether the digest is of a statement that had the comment.
func claims(published string) bool { return strings.HasSuffix(published, withComment) }

// digest tells statements, and the forges they are for, apart.
func digest(repository *v1alpha1.TestRepository, statement status.Statement) (string, error) {
	data, err := json.Marshal(struct {
		Provider    v1alpha1.ProviderName
		URL, APIURL string
		Statement   status.Statement
	}{repository.Spec.Provider, repository.Spec.URL, repository.Spec.APIURL, statement})
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(data)
	sum := "sha256:" + hex.EncodeToString(hash[:])
	if statement.Comment != "" {
		sum += withComment
	}
	return sum, nil
}
