package providerstest

import "testing"

func TestASuiteThatSkipsEverythingFails(t *testing.T) {
	if verdict(0) == nil {
		t.Error("no error though no case ran")
	}
	if err := verdict(1); err != nil {
		t.Error(err)
	}
}
