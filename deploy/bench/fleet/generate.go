package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strconv"
)

// testFiles is how many files the big repository has below tests/.
const testFiles = 200

func initRepository(ctx context.Context, dir string) error {
	for _, args := range [][]string{
		{"init", "-q", "--bare", "-b", "main", dir},
		{"-C", dir, "config", "uploadpack.allowFilter", "true"},
		{"-C", dir, "config", "core.compression", "0"}, // what does not compress takes time all the same
	} {
		if _, _, err := command(ctx, gitEnv(), "git", args...); err != nil {
			return err
		}
	}
	return nil
}

func fastImport(ctx context.Context, dir string, stream io.Reader) error {
	cmd := exec.CommandContext(ctx, "git", "-C", dir, "fast-import", "--quiet", "--done")
	cmd.Env, cmd.Stdin = gitEnv(), io.MultiReader(stream, bytes.NewReader([]byte("done\n")))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("git fast-import: %w: %s", err, errs.String())
	}
	return nil
}

// generate is the process that makes a repository of which half the bytes are files of its head,
// and half were replaced on the way there, in twenty commits.
func generate(ctx context.Context, args []string) (any, error) {
	files, err := strconv.Atoi(args[1])
	if err != nil {
		return nil, err
	}
	megabytes, err := strconv.Atoi(args[2])
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(args[0], "big.git")
	if err := initRepository(ctx, dir); err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	go func() {
		buffered := bufio.NewWriterSize(w, 1<<20)
		writeBig(buffered, files, megabytes<<20/2)
		_ = w.CloseWithError(buffered.Flush())
	}()
	defer func() { _ = r.Close() }()
	return true, fastImport(ctx, dir, r)
}

// writeBig writes what git fast-import reads. Errors stay in w until it is flushed.
func writeBig(w *bufio.Writer, files, half int) {
	const history = 20
	random := rand.NewChaCha8([32]byte{})
	file := func(path string, bytes int) {
		_, _ = fmt.Fprintf(w, "M 644 inline %s\ndata %d\n", path, bytes)
		_, _ = io.CopyN(w, random, int64(bytes))
		_ = w.WriteByte('\n')
	}
	for i := range history {
		_, _ = fmt.Fprintf(w, "commit refs/heads/main\ncommitter a <a@example.org> %d +0000\ndata 1\nm\n", 1_700_000_000+i)
		file("assets/art", half/history)
		if i < history-1 {
			continue
		}
		for n := range testFiles {
			file(fmt.Sprintf("tests/case-%d.yaml", n), 1000)
		}
		each := half / files
		for n := range files - testFiles - 1 {
			file(fmt.Sprintf("services/team-%d/service-%d/file-%d", n%40, n/40%25, n), each)
		}
	}
}
