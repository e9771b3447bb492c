// Package network gives every cluster a network namespace of its own on one bridge, so that ports, nftables tables,
// bridges and routes of two clusters never meet. In: a subnet and a cluster's index. Out: addresses (plan.go, pure) and
// the interfaces, routes and rules that make them real (host.go, node.go). It knows nothing of Kubernetes.
package network

import (
	"fmt"
	"net/netip"
)

// MaxClusters is how many clusters fit beside each other in one subnet.
const MaxClusters = 16

// Plan is the layout of one /16: the host's bridge and what follows from it.
//
//	x.y.0.0/24       the host (.1) and the nodes (.10 + index)
//	x.y.(16+i).0/24  pods of cluster i
//	x.y.(32+i).0/24  services of cluster i
type Plan struct {
	Subnet netip.Prefix
	// ID names everything that this subnet owns on the machine: bridge, nftables table, cgroup, namespaces.
	ID string
}

// Node is the part of the plan that belongs to one cluster.
type Node struct {
	Index     int
	Namespace string // name of the network namespace under /run/netns
	Veth      string // the host's end; the other end is eth0 in the namespace
	Address   netip.Addr
	Pods      netip.Prefix
	Services  netip.Prefix
}

// NewPlan reads a subnet such as 10.207.0.0/16. Anything but an IPv4 /16 is refused.
func NewPlan(subnet string) (Plan, error) {
	prefix, err := netip.ParsePrefix(subnet)
	if err != nil {
		return Plan{}, fmt.Errorf("subnet %q: %w", subnet, err)
	}
	if !prefix.Addr().Is4() || prefix.Bits() != 16 {
		return Plan{}, fmt.Errorf("subnet %q: want an IPv4 /16, for example 10.207.0.0/16", subnet)
	}
	octets := prefix.Masked().Addr().As4()
	return Plan{Subnet: prefix.Masked(), ID: fmt.Sprintf("assay-%d-%d", octets[0], octets[1])}, nil
}

// Bridge is the interface that joins the host and all nodes.
func (p Plan) Bridge() string { return p.ID }

// Host is the address by which nodes and pods reach the host.
func (p Plan) Host() netip.Addr { return p.address(0, 1) }

// Nodes is the network of the host and the nodes.
func (p Plan) Nodes() netip.Prefix { return netip.PrefixFrom(p.address(0, 0), 24) }

// Node lays out the cluster of that name and index (0 to MaxClusters-1).
func (p Plan) Node(name string, index int) Node {
	octets := p.Subnet.Addr().As4()
	return Node{
		Index:     index,
		Namespace: p.ID + "-" + name,
		Veth:      fmt.Sprintf("asy%d-%d-%d", octets[0], octets[1], index),
		Address:   p.address(0, byte(10+index)),
		Pods:      netip.PrefixFrom(p.address(byte(16+index), 0), 24),
		Services:  netip.PrefixFrom(p.address(byte(32+index), 0), 24),
	}
}

// FirstService is the address of the service "kubernetes".
func (n Node) FirstService() netip.Addr { return n.Services.Addr().Next() }

func (p Plan) address(third, fourth byte) netip.Addr {
	octets := p.Subnet.Addr().As4()
	return netip.AddrFrom4([4]byte{octets[0], octets[1], third, fourth})
}
