// Package memory is a forge in memory: one repository with its commits, pull requests,
// comments and every status ever set. It behaves as package providers promises, proven by
// providerstest, so that what is built upon forges can be tested without one.
package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/assay-dev/assay/api/fault"
	"github.com/assay-dev/assay/providers"
)

// Host holds one repository. Its methods may be used by several goroutines at once.
type Host struct {
	limits providers.Limits

	mutex    sync.Mutex
	users    map[string]bool
	removed  bool
	commits  map[string][]providers.Status // every status, oldest first
	pulls    map[int64]providers.PullRequest
	comments map[int64][]providers.Comment // by pull request, oldest first
	lastID   int64
	requests int
	writes   int
}

// Limits are those of New: the tightest of the forges that people use.
var Limits = providers.Limits{Description: 140, Comment: 65536}

// New gives a host with an empty repository that the users may read and write.
func New(users ...string) *Host {
	h := &Host{
		limits: Limits, users: map[string]bool{},
		commits: map[string][]providers.Status{}, pulls: map[int64]providers.PullRequest{}, comments: map[int64][]providers.Comment{},
	}
	for _, user := range users {
		h.users[user] = true
	}
	return h
}

// Open is a providers.Open. The token of a user is its name; the URL is not looked at.
func (h *Host) Open(_ context.Context, config providers.Config) (providers.Forge, error) {
	s := session{host: h, user: config.Token}
	return providers.Forge{PullRequests: pullRequests{s}, Statuses: statuses{s}, Comments: comments{s}, Limits: h.limits}, nil
}

// AddCommit makes a commit known; statuses can only be set on those.
func (h *Host) AddCommit(commit string) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if _, ok := h.commits[commit]; !ok {
		h.commits[commit] = nil
	}
}

// RemoveCommit forgets a commit, as a force-push followed by garbage collection does.
func (h *Host) RemoveCommit(commit string) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	delete(h.commits, commit)
}

// PutPullRequest opens a pull request, or replaces the one with its number. Its head becomes
// known as a commit.
func (h *Host) PutPullRequest(pr providers.PullRequest) {
	h.AddCommit(pr.Head)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.pulls[pr.Number] = pr
}

// ClosePullRequest closes a pull request; it can still be commented on.
func (h *Host) ClosePullRequest(number int64) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	delete(h.pulls, number)
	if h.comments[number] == nil {
		h.comments[number] = []providers.Comment{}
	}
}

// Remove takes the repository away.
func (h *Host) Remove() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.removed = true
}

// History gives every status ever set on the commit, oldest first.
func (h *Host) History(commit string) []providers.Status {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return slices.Clone(h.commits[commit])
}

// CommentsOn gives the comments on a pull request, oldest first.
func (h *Host) CommentsOn(pullRequest int64) []providers.Comment {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return slices.Clone(h.comments[pullRequest])
}

// Requests counts all requests so far, and Writes those that changed something.
func (h *Host) Requests() int { h.mutex.Lock(); defer h.mutex.Unlock(); return h.requests }

// Writes counts the statuses set, comments created and comments edited so far.
func (h *Host) Writes() int { h.mutex.Lock(); defer h.mutex.Unlock(); return h.writes }

// session is the host as one user sees it.
type session struct {
	host *Host
	user string
}

// enter locks the host for one request; on an error it is not locked.
func (s session) enter(ctx context.Context) (leave func(), err error) {
	h := s.host
	h.mutex.Lock()
	h.requests++
	switch {
	case ctx.Err() != nil:
		err = &fault.Fault{Reason: fault.HostUnreachable, Message: "no answer before the operation ended", Err: ctx.Err()}
	case !h.users[s.user]:
		err = fault.New(fault.AuthenticationFailed, fault.Place{}, "put a token into the Secret's key apiToken", "the forge refuses the token")
	case h.removed:
		err = fault.New(fault.RepositoryNotFound, fault.Place{}, "check spec.url", "the forge has no such repository")
	}
	if err != nil {
		h.mutex.Unlock()
		return nil, err
	}
	return h.mutex.Unlock, nil
}

type pullRequests struct{ session }

// Open implements providers.PullRequests.
func (p pullRequests) Open(ctx context.Context) ([]providers.PullRequest, error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	all := make([]providers.PullRequest, 0, len(p.host.pulls))
	for _, pr := range p.host.pulls {
		all = append(all, pr)
	}
	slices.SortFunc(all, func(a, b providers.PullRequest) int { return cmp.Compare(a.Number, b.Number) })
	return all, nil
}

type statuses struct{ session }

// List implements providers.Statuses.
func (s statuses) List(ctx context.Context, commit string) ([]providers.Status, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	newest := map[string]providers.Status{}
	for _, status := range s.host.commits[commit] {
		newest[status.Context] = status
	}
	var all []providers.Status
	for _, status := range newest {
		all = append(all, status)
	}
	slices.SortFunc(all, func(a, b providers.Status) int { return cmp.Compare(a.Context, b.Context) })
	return all, nil
}

// Set implements providers.Statuses.
func (s statuses) Set(ctx context.Context, commit string, status providers.Status) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	_, known := s.host.commits[commit]
	switch {
	case !slices.Contains(providers.States(), status.State):
		return fault.New(fault.InvalidSpec, fault.Place{}, "", "a status cannot have the state %q", status.State)
	case status.Context == "":
		return fault.New(fault.InvalidSpec, fault.Place{}, "", "a status needs a context")
	case len([]rune(status.Description)) > s.host.limits.Description:
		return fault.New(fault.InvalidSpec, fault.Place{}, "", "the description of %q is too long", status.Context)
	case !known:
		return fault.New(fault.RefNotFound, fault.Place{}, "", "the commit %s is not there (any more)", commit)
	}
	s.host.commits[commit] = append(s.host.commits[commit], status)
	s.host.writes++
	return nil
}

type comments struct{ session }

// Find implements providers.Comments.
func (c comments) Find(ctx context.Context, pullRequest int64, marker string) (*providers.Comment, error) {
	leave, err := c.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if !c.exists(pullRequest) {
		return nil, c.gone(pullRequest)
	}
	for _, comment := range c.host.comments[pullRequest] {
		if comment.Author == c.user && strings.Contains(comment.Body, marker) {
			return &comment, nil
		}
	}
	return nil, nil
}

// Create implements providers.Comments.
func (c comments) Create(ctx context.Context, pullRequest int64, body string) (providers.Comment, error) {
	leave, err := c.enter(ctx)
	if err != nil {
		return providers.Comment{}, err
	}
	defer leave()
	if err := c.check(body); err != nil {
		return providers.Comment{}, err
	}
	if !c.exists(pullRequest) {
		return providers.Comment{}, c.gone(pullRequest)
	}
	c.host.lastID++
	c.host.writes++
	comment := providers.Comment{ID: c.host.lastID, Body: body, Author: c.user}
	c.host.comments[pullRequest] = append(c.host.comments[pullRequest], comment)
	return comment, nil
}

// Edit implements providers.Comments.
func (c comments) Edit(ctx context.Context, pullRequest int64, comment providers.Comment) error {
	leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if err := c.check(comment.Body); err != nil {
		return err
	}
	for i, old := range c.host.comments[pullRequest] {
		if old.ID == comment.ID {
			c.host.comments[pullRequest][i].Body = comment.Body
			c.host.writes++
			return nil
		}
	}
	return fault.New(fault.RefNotFound, fault.Place{}, "", "comment %d is not there (any more)", comment.ID)
}

func (c comments) exists(pullRequest int64) bool {
	_, open := c.host.pulls[pullRequest]
	_, closed := c.host.comments[pullRequest]
	return open || closed
}

func (c comments) gone(pullRequest int64) error {
	return fault.New(fault.RefNotFound, fault.Place{}, "", "pull request %d is not there (any more)", pullRequest)
}

func (c comments) check(body string) error {
	if strings.TrimSpace(body) == "" || len(body) > c.host.limits.Comment {
		return fault.New(fault.InvalidSpec, fault.Place{}, "", "a comment of %d bytes is empty or longer than %d", len(body), c.host.limits.Comment)
	}
	return nil
}
