package network

import (
	"net/netip"
	"testing"
)

func TestNewPlanRefuses(t *testing.T) {
	for _, subnet := range []string{"", "10.207.0.0", "10.207.0.0/24", "fd00::/16", "10.300.0.0/16"} {
		if _, err := NewPlan(subnet); err == nil {
			t.Errorf("subnet %q was taken", subnet)
		}
	}
}

func TestPlanNamesItsAddresses(t *testing.T) {
	plan, err := NewPlan("10.207.9.9/16")
	if err != nil {
		t.Fatal(err)
	}
	node := plan.Node("demo", 3)
	for what, pair := range map[string][2]string{
		"subnet":        {plan.Subnet.String(), "10.207.0.0/16"},
		"host":          {plan.Host().String(), "10.207.0.1"},
		"bridge":        {plan.Bridge(), "assay-10-207"},
		"node":          {node.Address.String(), "10.207.0.13"},
		"pods":          {node.Pods.String(), "10.207.19.0/24"},
		"services":      {node.Services.String(), "10.207.35.0/24"},
		"first service": {node.FirstService().String(), "10.207.35.1"},
		"namespace":     {node.Namespace, "assay-10-207-demo"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %s, want %s", what, pair[0], pair[1])
		}
	}
}

// TestClustersDoNotMeet looks at every pair of clusters in one subnet and at the longest interface names.
func TestClustersDoNotMeet(t *testing.T) {
	plan, err := NewPlan("192.168.0.0/16")
	if err != nil {
		t.Fatal(err)
	}
	taken := []netip.Prefix{plan.Nodes()}
	veths := map[string]bool{plan.Bridge(): true}
	for index := range MaxClusters {
		node := plan.Node("c", index)
		if !plan.Nodes().Contains(node.Address) || node.Address == plan.Host() {
			t.Errorf("node %d has the address %s", index, node.Address)
		}
		for _, prefix := range []netip.Prefix{node.Pods, node.Services} {
			for _, other := range taken {
				if prefix.Overlaps(other) {
					t.Errorf("cluster %d: %s overlaps %s", index, prefix, other)
				}
			}
			if !plan.Subnet.Overlaps(prefix) {
				t.Errorf("cluster %d: %s is outside the subnet", index, prefix)
			}
			taken = append(taken, prefix)
		}
		if len(node.Veth) > 15 || veths[node.Veth] {
			t.Errorf("cluster %d: interface name %q is too long or taken", index, node.Veth)
		}
		veths[node.Veth] = true
	}
	if len(plan.Bridge()) > 15 {
		t.Errorf("interface name %q is too long", plan.Bridge())
	}
}
