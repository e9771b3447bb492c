package git

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/assay-dev/assay/api/fault"
)

// Reach says which hosts may be connected to where an object of a user says so. Its zero value refuses local addresses:
// link-local ones, where clouds keep machine credentials; loopback ones, where the ports of the controller's own pod
// are; and the unspecified one, which stands for loopback. Whoever connects to where a user's object says should use
// it: its CheckHost before, since nobody sees where a proxy connects to, and its Dial, which sees what a name stands
// for.
type Reach struct {
	names    []string
	prefixes []netip.Prefix
}

// NewReach also lets local hosts be reached: by name, as it is in URLs, by address, or by CIDR.
func NewReach(local ...string) (Reach, error) {
	var r Reach
	for _, host := range local {
		if prefix, err := netip.ParsePrefix(host); err == nil {
			r.prefixes = append(r.prefixes, prefix.Masked())
			continue
		}
		if addr, err := netip.ParseAddr(host); err == nil {
			r.prefixes = append(r.prefixes, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		if host == "" || numeric(host) || strings.ContainsAny(host, "/:[]@ ") {
			return Reach{}, fmt.Errorf("%q is no host: write a name without port, an address, or a CIDR such as 127.0.0.0/8", host)
		}
		r.names = append(r.names, canonical(host))
	}
	return r, nil
}

// Dial opens connections for https and ssh alike. A local address that a name stands for is refused as well; the fault
// is HostNotTrusted.
func (r Reach) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 15 * time.Second}
	host, _, err := net.SplitHostPort(address)
	if err != nil || !slices.Contains(r.names, canonical(host)) {
		dialer.Control = func(_, to string, _ syscall.RawConn) error {
			if to, err := netip.ParseAddrPort(to); err == nil {
				return r.refusal(host, to.Addr())
			}
			return nil
		}
	}
	return dialer.DialContext(ctx, network, address)
}

// CheckHost refuses a host that is a local address, in any notation, or a name that always stands for one. What other
// names stand for behind a proxy, and whether that may be reached, is the proxy's to say. The fault is HostNotTrusted.
func (r Reach) CheckHost(host string) error {
	if slices.Contains(r.names, canonical(host)) {
		return nil
	}
	if addr, err := netip.ParseAddr(strings.TrimSuffix(host, ".")); err == nil {
		return r.refusal(host, addr)
	}
	name := canonical(host)
	switch {
	case name == "localhost" || strings.HasSuffix(name, ".localhost"): // RFC 6761, section 6.3
		return r.refusal(host, netip.IPv6Loopback())
	case numeric(host):
		// Such as 2852039166 or 0xa9fea9fe, which some resolvers take for an address.
		return fault.New(fault.HostNotTrusted, fault.Place{}, "write the address with four decimal numbers, or use a name", "%q is an address in a notation that is refused", host)
	}
	return nil
}

// refusal is why the host, which is or stands for the address, is not connected to; nil when it may be.
func (r Reach) refusal(host string, addr netip.Addr) error {
	addr = carried(addr)
	if slices.ContainsFunc(r.prefixes, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return nil
	}
	kind := ""
	switch {
	case addr.IsLinkLocalUnicast():
		kind = "a link-local address"
	case addr.IsLoopback():
		kind = "a loopback address"
	case addr.IsUnspecified():
		kind = "the unspecified address"
	default:
		return nil
	}
	is := "is"
	if _, err := netip.ParseAddr(strings.TrimSuffix(host, ".")); err != nil {
		is = "stands for"
	}
	return fault.New(fault.HostNotTrusted, fault.Place{}, "use another host, or have it named in the controller's --allow-local-hosts",
		"%q %s %s", host, is, kind)
}

// nat64 is the well-known prefix of RFC 6052, behind which a gateway finds addresses of IPv4.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// carried gives the address of IPv4 that one of IPv6 carries, and else the address itself, without its zone.
func carried(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if nat64.Contains(addr) {
		bytes := addr.As16()
		return netip.AddrFrom4([4]byte(bytes[12:]))
	}
	return addr
}

func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// numeric says whether the last label is a number: no name ends in one.
func numeric(host string) bool {
	last := strings.TrimSuffix(host, ".")
	last = strings.ToLower(last[strings.LastIndexByte(last, '.')+1:])
	if digits, hex := strings.CutPrefix(last, "0x"); hex {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}
