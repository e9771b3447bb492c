package providerstest

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/providers"
)

const marker = "<!-- assay:comment:v1 team/shop -->"

// missingPullRequest is a number that no world reaches.
const missingPullRequest = 99999

var commentCases = []conformanceCase{
	{"a pull request without a comment has none to find", hasComments, func(t *testing.T, w World) {
		wantComment(t, w, w.Propose(t, Proposal{Title: "Quiet"}).Number, "")
	}},
	{"a comment is found again by its marker and edited", hasComments, func(t *testing.T, w World) {
		pr := w.Propose(t, Proposal{Title: "Talked about"}).Number
		create(t, w.Forge, pr, "something else")
		created := create(t, w.Forge, pr, marker+"\nfirst\n\n```\ncode & <b>\n```")
		if created.ID == 0 || created.Author != w.Login {
			t.Errorf("created %+v, want an ID and the author %q", created, w.Login)
		}
		wantComment(t, w, pr, marker+"\nfirst\n\n```\ncode & <b>\n```")
		created.Body = marker + "\nsecond ✅"
		for range 2 { // idempotent
			if err := w.Forge.Comments.Edit(t.Context(), pr, created); err != nil {
				t.Fatal(err)
			}
		}
		wantComment(t, w, pr, marker+"\nsecond ✅")
	}},
	{"the oldest of several stands", hasComments, func(t *testing.T, w World) {
		pr := w.Propose(t, Proposal{Title: "Doubled"}).Number
		create(t, w.Forge, pr, marker+" one")
		create(t, w.Forge, pr, marker+" two")
		wantComment(t, w, pr, marker+" one")
	}},
	{"a stranger's copy of the marker is not found", hasComments, func(t *testing.T, w World) {
		pr := w.Propose(t, Proposal{Title: "Spoofed"}).Number
		create(t, w.Stranger, pr, marker+" from a stranger")
		wantComment(t, w, pr, "")
		create(t, w.Forge, pr, marker+" ours")
		wantComment(t, w, pr, marker+" ours")
	}},
	{"comments of one pull request are not found on another", hasComments, func(t *testing.T, w World) {
		one, two := w.Propose(t, Proposal{Title: "One"}).Number, w.Propose(t, Proposal{Title: "Two"}).Number
		create(t, w.Forge, one, marker)
		wantComment(t, w, two, "")
	}},
	{"many comments before it do not hide it", hasComments, func(t *testing.T, w World) {
		pr := w.Propose(t, Proposal{Title: "Lively"}).Number
		for range 51 {
			create(t, w.Stranger, pr, "me too")
		}
		create(t, w.Forge, pr, marker)
		wantComment(t, w, pr, marker)
	}},
	{"a body as long as the limit is kept, a longer or empty one refused", hasComments, func(t *testing.T, w World) {
		limit := w.Forge.Limits.Comment
		if limit == 0 {
			t.Skip("no limit")
		}
		pr := w.Propose(t, Proposal{Title: "Long"}).Number
		body := marker + strings.Repeat("x", limit-len(marker))
		create(t, w.Forge, pr, body)
		wantComment(t, w, pr, body)
		_, err := w.Forge.Comments.Create(t.Context(), pr, body+"x")
		wantReason(t, err, fault.InvalidSpec)
		_, err = w.Forge.Comments.Create(t.Context(), pr, "")
		wantReason(t, err, fault.InvalidSpec)
	}},
	{"a pull request or comment that is gone is told from other failures", hasComments, func(t *testing.T, w World) {
		pr := w.Propose(t, Proposal{Title: "Here"}).Number
		_, err := w.Forge.Comments.Find(t.Context(), missingPullRequest, marker)
		wantReason(t, err, fault.RefNotFound)
		_, err = w.Forge.Comments.Create(t.Context(), missingPullRequest, marker)
		wantReason(t, err, fault.RefNotFound)
		wantReason(t, w.Forge.Comments.Edit(t.Context(), pr, providers.Comment{ID: 1 << 40, Body: "x"}), fault.RefNotFound)
		_, err = w.Refused.Comments.Find(t.Context(), pr, marker)
		wantReason(t, err, fault.AuthenticationFailed)
		_, err = w.Absent.Comments.Create(t.Context(), pr, marker)
		wantReason(t, err, fault.RepositoryNotFound)
	}},
}

func create(t *testing.T, f providers.Forge, pr int64, body string) providers.Comment {
	t.Helper()
	c, err := f.Comments.Create(t.Context(), pr, body)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantComment compares the comment that is found; empty means that none is.
func wantComment(t *testing.T, w World, pr int64, body string) {
	t.Helper()
	c, err := w.Forge.Comments.Find(t.Context(), pr, marker)
	switch {
	case err != nil:
		t.Fatal(err)
	case c == nil && body != "":
		t.Errorf("no comment, want %q", body)
	case c != nil && (c.Body != body || c.Author != w.Login):
		t.Errorf("comment %.200q by %q, want %.200q by %q", c.Body, c.Author, body, w.Login)
	}
}
