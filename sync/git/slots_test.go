package git

import (
	"errors"
	"testing"
	"time"
)

func TestHostsThatAskForItAreLeftAlone(t *testing.T) {
	now := time.Now()
	s := slots{each: 2, now: func() time.Time { return now }, hosts: map[string]*slot{}}
	left := func(host string) time.Duration {
		release, err := s.acquire(t.Context(), host)
		var status statusError
		switch {
		case err == nil:
			release()
			return 0
		case !errors.As(err, &status) || !status.busy():
			t.Fatalf("got %v", err)
		}
		return status.after
	}
	rest := func(code int, after time.Duration) { s.rest("a", statusError{code, after}) }
	rest(429, 17*time.Second)
	rest(503, 3*time.Second) // is over sooner, so it changes nothing
	if got := left("a"); got != 17*time.Second {
		t.Errorf("%s left", got)
	}
	if got := left("b"); got != 0 {
		t.Errorf("another host is left alone for %s", got)
	}
	now = now.Add(17 * time.Second)
	if got := left("a"); got != 0 {
		t.Errorf("%s left after the time", got)
	}
	rest(429, 0)
	if got := left("a"); got != time.Second {
		t.Errorf("%s left when the host does not say", got)
	}
	rest(403, 24*time.Hour)
	if got := left("a"); got != maxRest {
		t.Errorf("one credential's quota keeps everybody away for %s", got)
	}
	now = now.Add(maxRest)
	if left("a"); len(s.hosts) != 0 {
		t.Errorf("%d hosts are remembered for nothing", len(s.hosts))
	}
}
