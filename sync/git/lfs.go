package git

import "bytes"

// isPointer says whether a file is what Git LFS commits in place of the real one. Nobody here
// can fetch the real one, and a test that is given the pointer fails in odd ways, so it is
// refused where it would be read.
func isPointer(data []byte) bool {
	const longest = 1024 // by the specification, which also keeps the name it had before 2014
	return len(data) < longest &&
		(bytes.HasPrefix(data, []byte("version https://git-lfs.github.com/spec/")) || bytes.HasPrefix(data, []byte("version https://hawser.github.com/spec/")))
}
