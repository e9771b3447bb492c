// Package warm imports what tests of HTTP APIs import, so that testing it compiles that.
package warm

import (
	_ "bufio"
	_ "cmp"
	_ "crypto/sha256"
	_ "crypto/tls"
	_ "embed"
	_ "encoding/base64"
	_ "encoding/csv"
	_ "encoding/json"
	_ "encoding/xml"
	_ "flag"
	_ "log/slog"
	_ "maps"
	_ "math/rand/v2"
	_ "net/http/httptest"
	_ "net/url"
	_ "regexp"
	_ "slices"
	_ "sync/atomic"
	_ "testing/iotest"
	_ "time"
)
