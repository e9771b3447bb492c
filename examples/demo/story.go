package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"code.gitea.io/sdk/gitea"

	"github.com/assay-dev/assay/api/v1alpha1"
)

// repositoryName is the name of the shop at Gitea, and of its TestRepository in the namespace
// of the same name.
const repositoryName = "shop"

// environments in which the shop runs, each with a folder below deploy and tests/overlays.
var environments = []string{"staging", "prod"}

// rulesFile holds the discounts; the pull request changes it.
const rulesFile = "services/checkout/rules.json"

// A sale that sells below cost, and the one that was meant. The tests of the shop ask for 70 %
// of the list price, whatever is on sale.
const (
	brokenRules = `{
  "discounts": [
    {"fromCents": 5000, "percent": 10},
    {"fromCents": 10000, "percent": 50}
  ]
}
`
	mendedRules = `{
  "discounts": [
    {"fromCents": 5000, "percent": 10},
    {"fromCents": 10000, "percent": 20}
  ]
}
`
)

// demo is the story and what it has come to.
type demo struct {
	*narrator
	examples string
	timeout  time.Duration
	host     host
	cluster  cluster
	forge    forge

	copy        *workingCopy
	pullRequest *gitea.PullRequest
	comment     int64    // id, 0 before there is one
	commits     []string // whose runs matter when something goes wrong
}

// tell tells the whole story. Each part waits until what it tells of has come about.
func (d *demo) tell(ctx context.Context) error {
	for _, part := range []struct {
		title string
		tell  func(context.Context) error
	}{
		{"The cluster, and what the platform team gives the shop", d.prepareCluster},
		{"The shop's repository at Gitea", d.pushMain},
		{"The shop in its environments, as its main branch says", d.deployMain},
		{"Assay tests the main branch", d.testMain},
		{"A pull request for a sale, with a mistake in it", d.openPullRequest},
		{"What Assay says of it", d.showBroken},
		{"The mend", d.pushMend},
		{"What Assay says now", d.showMended},
	} {
		d.chapter(part.title)
		if err := part.tell(ctx); err != nil {
			return err
		}
	}
	d.whatToLookAt()
	return nil
}

func (d *demo) prepareCluster(ctx context.Context) error {
	if err := d.await(ctx, "the controller", d.cluster.controllerAvailable); err != nil {
		return fmt.Errorf("%w: is Assay installed? kubectl apply -k deploy", err)
	}
	objects, err := buildFolder(filepath.Join(d.examples, "platform"))
	if err != nil {
		return err
	}
	if err := d.cluster.apply(ctx, objects); err != nil {
		return err
	}
	d.say("applied examples/platform: namespaces, the TestEnvironments %s, and Assay's rights there", strings.Join(environments, " and "))
	return nil
}

func (d *demo) pushMain(ctx context.Context) error {
	if err := d.forge.ensureRepository(); err != nil {
		return err
	}
	var err error
	if d.copy, err = openWorkingCopy(ctx, d.host); err != nil {
		return err
	}
	if err := d.copy.replaceAll(os.DirFS(filepath.Join(d.examples, "shop"))); err != nil {
		return err
	}
	// A new commit each time, so that there is something to test.
	commit, err := d.copy.commit("The shop")
	if err != nil {
		return err
	}
	if err := d.copy.push(ctx); err != nil {
		return err
	}
	d.commits = append(d.commits, commit)
	d.say("main of %s is %s", d.host.repository(), short(commit))
	if err := d.forge.requireChecks(environments); err != nil {
		return err
	}
	d.say("main takes pull requests that pass in %s", strings.Join(environments, " and in "))
	// Gitea has no list of pull requests while a repository is empty, and a moment longer.
	return d.await(ctx, "pull requests of earlier demos", func(context.Context) (bool, string, error) {
		closed, err := d.forge.closePullRequests()
		return err == nil, fmt.Sprintf("%d closed", closed), err
	})
}

func (d *demo) deployMain(ctx context.Context) error {
	for _, environment := range environments {
		if err := d.deploy(ctx, environment); err != nil {
			return err
		}
	}
	return nil
}

// deploy does what a CD tool would: it applies the folder of the environment in the working
// copy, and waits until the shop runs like that.
func (d *demo) deploy(ctx context.Context, environment string) error {
	objects, err := buildTree(d.copy.files(), "deploy/"+environment)
	if err != nil {
		return err
	}
	if err := d.cluster.apply(ctx, objects); err != nil {
		return err
	}
	return d.await(ctx, "the shop in shop-"+environment, func(ctx context.Context) (bool, string, error) {
		return d.cluster.rolledOut(ctx, "shop-"+environment, "shop")
	})
}

func (d *demo) testMain(ctx context.Context) error {
	objects, err := repositoryObjects(d.host)
	if err != nil {
		return err
	}
	if err := d.cluster.apply(ctx, objects); err != nil {
		return err
	}
	d.say("applied the TestRepository shop/%s and its Secret", repositoryName)
	commit := d.commits[0]
	runs, err := d.finishedRuns(ctx, commit, v1alpha1.CausePush)
	if err != nil {
		return err
	}
	d.printPlans(runs)
	return d.expectStatuses(ctx, commit, map[string]gitea.StatusState{"staging": gitea.StatusSuccess, "prod": gitea.StatusSuccess})
}

func (d *demo) openPullRequest(ctx context.Context) error {
	branch := "sale-" + time.Now().UTC().Format("20060102-150405")
	if err := d.copy.branch(branch); err != nil {
		return err
	}
	if err := d.change(ctx, brokenRules, "Half price from 100 EUR, for the sale"); err != nil {
		return err
	}
	var err error
	d.pullRequest, err = d.forge.openPullRequest(branch, "Summer sale",
		"A second discount, from 100 EUR on. The branch is deployed to staging.")
	if err != nil {
		return err
	}
	d.say("opened %s", d.pullRequest.HTMLURL)
	return nil
}

// change commits other rules, deploys them to staging, and pushes them. The deployment comes
// first so that no test meets the old one; a CD tool would report when it is done.
func (d *demo) change(ctx context.Context, rules, message string) error {
	if err := d.copy.write(rulesFile, rules); err != nil {
		return err
	}
	commit, err := d.copy.commit(message)
	if err != nil {
		return err
	}
	d.commits = append(d.commits, commit)
	d.say("commit %s: %s", short(commit), message)
	if err := d.deploy(ctx, "staging"); err != nil {
		return err
	}
	return d.copy.push(ctx)
}

func (d *demo) showBroken(ctx context.Context) error {
	return d.showPullRequest(ctx, map[string]gitea.StatusState{"staging": gitea.StatusFailure, "prod": gitea.StatusSuccess})
}

func (d *demo) pushMend(ctx context.Context) error {
	return d.change(ctx, mendedRules, "20 % from 100 EUR, as the margin allows")
}

func (d *demo) showMended(ctx context.Context) error {
	return d.showPullRequest(ctx, map[string]gitea.StatusState{"staging": gitea.StatusSuccess, "prod": gitea.StatusSuccess})
}

// showPullRequest waits for the runs of the last commit and for what is said of them, shows it,
// and holds it to what should be said.
func (d *demo) showPullRequest(ctx context.Context, want map[string]gitea.StatusState) error {
	commit := d.commits[len(d.commits)-1]
	runs, err := d.finishedRuns(ctx, commit, v1alpha1.CausePullRequest)
	if err != nil {
		return err
	}
	d.printPlans(runs)
	if err := d.expectStatuses(ctx, commit, want); err != nil {
		return err
	}
	return d.expectComment(ctx, commit, runs)
}

func short(commit string) string { return commit[:12] }
