// Command demo shows Assay at work on a real cluster and a real Gitea: it puts the shop of
// examples/shop into a repository and into two environments, opens a pull request that breaks
// its prices, shows what Assay says of it, pushes the mend, and shows that too.
//
// KUBECONFIG names a cluster with Assay installed and the images of examples/images loaded;
// GITEA_URL, GITEA_USER and GITEA_TOKEN name a Gitea that this machine and the cluster reach
// under the same URL. Run it again whenever you like. The exit code is 0 when everything came
// about as it should; otherwise it says what did not, and how things stand.
//
// story.go tells what happens in which order; the other files carry it out.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	examples := flag.String("examples", "examples", "the folder examples of Assay's repository")
	timeout := flag.Duration("timeout", 5*time.Minute, "how long to wait for each thing that should come about")
	flag.Parse()

	host, err := hostFromEnvironment()
	if err != nil {
		return err
	}
	cluster, err := newCluster()
	if err != nil {
		return err
	}
	forge, err := newForge(ctx, host)
	if err != nil {
		return err
	}
	d := &demo{
		narrator: newNarrator(os.Stdout),
		examples: *examples,
		timeout:  *timeout,
		host:     host,
		cluster:  cluster,
		forge:    forge,
	}
	if err := d.tell(ctx); err != nil {
		if ctx.Err() == nil {
			d.diagnose(ctx)
		}
		return err
	}
	return nil
}
