//go:build tools

package k6

import _ "go.k6.io/k6"
